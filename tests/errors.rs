//! Error codes over all crates: one meaning each, and each seen by a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sterna_model::error::CODES;

/// The first letter of a crate's codes, its errors, how many variants only pass on, and how many
/// codes there are beyond one a variant.
const CRATES: [(char, &str, usize, usize); 11] = [
    ('M', include_str!("../model/src/error.rs"), 0, 0),
    ('F', include_str!("../firmware/src/error.rs"), 2, 0),
    // Every fault of the core has a code.
    ('C', include_str!("../hdl/src/driver/error.rs"), 2, 12),
    ('S', include_str!("../sim/src/error.rs"), 0, 0),
    ('U', include_str!("../hdl/src/link/error.rs"), 0, 0),
    ('X', include_str!("../host/xdma/src/error.rs"), 0, 0),
    ('W', include_str!("../host/power/src/error.rs"), 0, 0),
    ('H', include_str!("../host/src/error.rs"), 5, 0),
    ('H', include_str!("../host/src/hub/error.rs"), 0, 0),
    ('H', include_str!("../host/src/tasks/error.rs"), 0, 0),
    ('B', include_str!("../host/src/board/error.rs"), 0, 0),
];

/// The literals in the arms of `code()`.
fn codes(source: &str) -> Vec<&str> {
    let body = source.split_once("pub fn code(&self)").expect("a function `code`").1;
    let body = body.split_once("\n    }\n").expect("its end").0;
    let arms = body.lines().filter_map(|line| line.trim().split_once("=> \"")?.1.split_once('"'));
    arms.map(|(code, _)| code).collect()
}

#[test]
fn codes_are_unique_and_belong_to_their_crate() {
    let mut seen = BTreeSet::new();
    for (letter, source, passed_on, further) in CRATES {
        let codes = codes(source);
        let variants = source.lines().filter(|line| line.starts_with("    #[error(")).count();
        assert_eq!(codes.len() + passed_on, variants + further, "{letter}: not a code a variant");
        for code in codes {
            let digits = code.strip_prefix(letter).unwrap_or("");
            let well_formed = digits.len() == 3 && digits.parse::<u16>().is_ok();
            assert!(well_formed, "{code}: not {letter} and three digits");
            assert!(seen.insert(code), "{code} has two meanings");
        }
    }
    assert!(CODES.iter().all(|code| seen.contains(code)));
}

/// A code that stands in no snapshot is an error that no test has seen.
#[test]
fn every_code_is_in_a_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    for folder in [
        "tests",
        "tests/boards",
        "tests/cli",
        "tests/models",
        "tests/power",
        "tests/serve",
        "firmware/tests",
        "model/tests",
        "hdl/tests",
        "host/xdma/tests/card",
        "host/power/tests",
        "sim/tests",
    ] {
        for entry in fs::read_dir(root.join(folder).join("snapshots")).unwrap() {
            text += &fs::read_to_string(entry.unwrap().path()).unwrap();
        }
    }
    // These need a machine without memory or a home, or a tokenizer library that fails.
    let exempt = ["M058", "M062", "M063", "S005"];
    let all = CRATES.iter().flat_map(|(_, source, ..)| codes(source));
    let missing: Vec<&str> = all.filter(|code| !text.contains(code)).collect();
    assert_eq!(missing, exempt);
}

/// C101 to C113 stand there as one line: they are the faults in docs/registers.md.
#[test]
fn every_code_is_in_the_manual() {
    let manual = include_str!("../docs/cli.md");
    let all = CRATES.iter().flat_map(|(_, source, ..)| codes(source));
    let single = all.filter(|code| !code.starts_with("C1"));
    let missing: Vec<&str> =
        single.filter(|code| !manual.contains(&format!("| {code} |"))).collect();
    assert!(missing.is_empty(), "docs/cli.md lacks {missing:?}");
}
