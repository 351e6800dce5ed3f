//! Random modules: the interpreter against Icarus, and Verilator's lint on every one of them.
//!
//! `STERNA_FUZZ` sets how many (default 100), `STERNA_SEED` where they start. The same modules run
//! against the Verilated code in the simulation crate.

mod common;

use std::process::Command;

use sterna_rtl::{Design, random};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn designs(seed: u64, count: u64, most: u32) -> Vec<Design> {
    let one = |seed| random::design(seed, most).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    (seed..seed + count).map(one).collect()
}

#[test]
fn icarus_agrees() {
    let Some(iverilog) = common::tool("iverilog") else { return };
    let (seed, count) = (setting("STERNA_SEED", 1), setting("STERNA_FUZZ", 100));
    for (batch, most) in [(0, 64), (1, 200), (2, 1024)] {
        let first = seed + batch * 1_000_000;
        eprintln!("seeds {first}..{}", first + count);
        let folder = common::folder(&format!("icarus_{most}"));
        common::testbench(&folder, &designs(first, count, most), 20, first);
        let said = common::run(
            Command::new(&iverilog)
                .args(["-g2005", "-Wall", "-s", "tb", "-y", ".", "-o", "tb.vvp", "tb.v"])
                .current_dir(&folder),
        );
        assert!(said.is_empty(), "Icarus warns: {said}");
        let said = common::run(Command::new("vvp").arg("tb.vvp").current_dir(&folder));
        assert!(said.contains("PASS"), "{said}");
    }
}

#[test]
fn verilator_finds_nothing() {
    let Some(verilator) = common::tool("verilator") else { return };
    let folder = common::folder("lint");
    let seed = setting("STERNA_SEED", 1);
    for design in designs(seed, setting("STERNA_FUZZ", 100), 300) {
        for file in &design.files {
            std::fs::write(folder.join(&file.name), &file.text).expect("the folder is writable");
        }
        let file = format!("{}.v", design.top);
        let arguments = ["--lint-only", "-Wall", "--quiet", "-y", ".", &file];
        let said = common::run(Command::new(&verilator).args(arguments).current_dir(&folder));
        assert!(!said.contains("%Warning"), "{said}");
    }
}

#[test]
fn the_same_twice() {
    for seed in 0..50 {
        assert_eq!(
            random::design(seed, 100).unwrap().files,
            random::design(seed, 100).unwrap().files
        );
    }
}
