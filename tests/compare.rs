//! `scripts/compare_llama.py` with two sides whose speeds are known.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/compare_llama.py");

/// Stands for either side: notes its arguments, makes the file that is asked for, and reports a
/// speed that grows from call to call, which shows who was measured when.
const SIDE: &str = r#"#!/usr/bin/env python3
import json, pathlib, sys
log = pathlib.Path("log")
calls = log.read_text() if log.exists() else ""
log.write_text(calls + " ".join(sys.argv[1:]) + "\n")
command = sys.argv[1]
if command in ("synth", "import"):
    pathlib.Path(sys.argv[-1]).write_bytes(bytes(2**21))
elif command == "make":
    pathlib.Path(sys.argv[2]).write_bytes(bytes(2**20))
elif pathlib.Path("broken").exists():
    sys.exit("I am broken")
else:
    speed = (300 if command == "bench" else 100) + calls.count("--threads")
    print(json.dumps({"decode_tokens_per_second": speed, "prompt_tokens_per_second": 2 * speed}))
"#;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        fs::write(desk.path("side"), SIDE).unwrap();
        fs::set_permissions(desk.path("side"), fs::Permissions::from_mode(0o755)).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn compare(&self, args: &[&str]) -> Output {
        Command::new("python3")
            .args([SCRIPT, "--sterna", "./side", "--peer", "side", "--models", "models"])
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.compare(args);
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(status.success() && stderr.is_empty(), "{status}: {stderr}");
        String::from_utf8(stdout).unwrap()
    }

    /// What the sides were called with, a line each.
    fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.path("log")).unwrap().lines().map(Into::into).collect()
    }
}

#[test]
fn the_sides_take_turns() {
    let desk = Desk::new();
    let args = ["--threads", "2", "--turns", "2", "--count", "3", "--prompt", "4"];
    desk.ok(&args);
    let calls = desk.calls();
    let (made, turns) = calls.split_at(4);
    assert!(made[0].starts_with("synth --shape 370m -o models/"), "{}", made[0]);
    assert!(made[1].starts_with("import models/"), "{}", made[1]);
    assert!(made[1].ends_with(" -o models/370m.sterna"), "{}", made[1]);
    assert_eq!(made[2..], ["TQ1_0", "TQ2_0"].map(|f| format!("make models/370m-{f}.gguf {f}")));
    let given = "--threads 2 --count 3 --prompt 4";
    let turn = [
        format!("bench golden models/370m.sterna --repeat 1 --json {given}"),
        format!("measure models/370m-TQ1_0.gguf {given}"),
        format!("measure models/370m-TQ2_0.gguf {given}"),
    ];
    assert_eq!(turns, [turn.clone(), turn].concat());

    // The models are there now.
    desk.ok(&args);
    assert_eq!(desk.calls().len(), 4 + 6 + 6);
}

#[test]
fn a_table_of_one_run_s_ratios() {
    let table = Desk::new().ok(&["--threads", "1", "2", "--turns", "3"]);
    insta::assert_snapshot!(table);
}

#[test]
fn json_has_every_turn() {
    let text = Desk::new().ok(&["--threads", "1", "--turns", "3", "--json"]);
    let result: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(result["evidence"], "measured");
    let files = json!({ "golden": 2 << 20, "TQ1_0": 1 << 20, "TQ2_0": 1 << 20 });
    assert_eq!(result["file_bytes"], files);
    assert_eq!(result["runs"][0]["threads"], 1);
    let sides = &result["runs"][0]["sides"];
    let turns = |side: &str| -> Vec<u64> {
        let turns = sides[side]["turns"].as_array().unwrap();
        turns.iter().map(|turn| turn["decode_tokens_per_second"].as_u64().unwrap()).collect()
    };
    assert_eq!(turns("golden"), [300, 303, 306]);
    assert_eq!(turns("TQ2_0"), [102, 105, 108]);
    let own = &sides["golden"]["prompt_tokens_per_second"];
    assert_eq!(*own, json!({ "median": 606, "best": 612 }));
    // Of turn and turn, not of two medians.
    let ratio = &sides["TQ2_0"]["golden_decode_tokens_per_second_ratio"];
    assert_eq!(*ratio, json!({ "median": 303.0 / 105.0, "best": 306.0 / 108.0 }));
    assert_eq!(sides["golden"].get("golden_decode_tokens_per_second_ratio"), None);
}

#[test]
fn wrong_use_is_told() {
    let desk = Desk::new();
    let mut told = String::new();
    for args in [&["--threads", "0"][..], &["--count", "501"], &["--turns", "many"], &["--fast"]] {
        let Output { status, stderr, .. } = desk.compare(args);
        assert_eq!(status.code(), Some(2));
        let stderr = String::from_utf8(stderr).unwrap();
        told += &format!("$ scripts/compare-llama {}\n", args.join(" "));
        told += &format!("{}\n", stderr.lines().last().unwrap());
    }
    fs::write(desk.path("broken"), "").unwrap();
    let Output { status, stdout, stderr } = desk.compare(&["--threads", "1"]);
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "nothing half-measured is printed");
    told += "$ scripts/compare-llama --threads 1\n";
    told += &String::from_utf8(stderr).unwrap();
    insta::assert_snapshot!(told);
}
