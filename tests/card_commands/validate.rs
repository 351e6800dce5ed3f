//! `validate`.

use std::process::Stdio;

use serde_json::{Value, json};

use super::desk::{Desk, fuse};

/// Runs the command; its exit code, its object, and what it says on standard error.
fn validate(desk: &Desk, more: &[&str]) -> (Option<i32>, Value, String) {
    let args = ["validate", "--root", "card", "--card-timeout", "0.5", "--json"];
    let mut command = desk.command(&[&args[..], more].concat());
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), value, String::from_utf8(output.stderr).unwrap())
}

/// Names of the steps that ended like this.
fn steps(value: &Value, outcome: &str) -> Vec<String> {
    let all = value["steps"].as_array().unwrap().iter();
    let some = all.filter(|step| step["outcome"] == outcome);
    some.map(|step| step["name"].as_str().unwrap().into()).collect()
}

fn step<'a>(value: &'a Value, name: &str) -> &'a Value {
    value["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

const STEPS: [&str; 22] = [
    "core",
    "reset",
    "registers read",
    "registers hold",
    "interrupt",
    "memory size",
    "address lines",
    "march",
    "h2c 0",
    "h2c 1",
    "h2c 2",
    "h2c 3",
    "h2c all",
    "c2h 0",
    "c2h 1",
    "c2h 2",
    "c2h 3",
    "c2h all",
    "load",
    "checksums",
    "passes",
    "label",
];

#[test]
fn a_sound_card_passes() {
    let Some(desk) = fuse("a_sound_card_passes") else { return };
    desk.text(&["load", "demo.sterna", "--root", "card"]);
    let (code, value, error) = validate(&desk, &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{value}");
    assert_eq!(steps(&value, "pass"), STEPS);
    assert_eq!(
        (&value["passed"], &value["failed"], &value["skipped"]),
        (&json!(22), &json!(0), &json!(0))
    );
    let figure = |name: &str, key: &str| step(&value, name)["figures"][key].clone();
    assert_eq!(figure("memory size", "bytes"), 16 << 20);
    assert_eq!(figure("march", "bytes"), 4 << 20);
    // 0 and every power of two from 64 on.
    assert_eq!(figure("address lines", "addresses"), 19);
    assert!(figure("c2h all", "bytes_per_second").as_f64() > Some(0.0));
    assert_eq!(figure("passes", "accumulators"), 512);

    // The memory was overwritten: nothing is taken for the model that was there.
    let info = desk.json(&["info", "--root", "card", "--json"]);
    assert_eq!(info["holds"], Value::Null);
    let load = desk.json(&["load", "demo.sterna", "--root", "card", "--json"]);
    assert_eq!(load["held_bytes"], 0);
    let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "20"];
    assert_eq!(desk.text(&desk.with_card(&run)), desk.text(&run));

    // With a model, and every byte of the memory.
    let (code, value, _) = validate(&desk, &["demo.sterna", "--full"]);
    assert_eq!((code, &value["failed"]), (Some(0), &json!(0)));
    assert_eq!(step(&value, "march")["figures"]["bytes"], 16 << 20);
    assert_eq!(step(&value, "load")["figures"]["bytes"], load["written_bytes"]);
    let text = desk.text(&["validate", "--root", "card"]);
    assert!(text.starts_with("pass  core            512 bits, hidden 128, "), "{text}");
    assert_eq!(text.lines().count(), 23);
    let last = text.lines().last().unwrap();
    assert_eq!(last, "card 0: 22 passed, 0 failed, 0 skipped; its memory was overwritten");
}

/// A fault fails the steps that it hits; the others are tried all the same.
#[test]
fn a_fault_fails_its_step() {
    let Some(mut desk) = fuse("a_fault_fails_its_step") else { return };
    for (fault, failed, skipped) in [
        (
            "geometry@identifyx9",
            &["core"][..],
            &[
                "reset",
                "registers read",
                "registers hold",
                "interrupt",
                "load",
                "checksums",
                "passes",
            ][..],
        ),
        ("stuck@start", &["interrupt"], &[]),
        ("lost-irq@startx9", &["interrupt"], &[]),
        // The first read after those of the address lines.
        ("read-back@read+60", &["march"], &[]),
        ("core=6@start", &["checksums"], &[]),
        ("image@startx9", &["passes"], &[]),
        ("ones@run+500x2", &["registers hold"], &[]),
    ] {
        desk.start(&["--fault", fault]);
        let (code, value, error) = validate(&desk, &[]);
        assert_eq!(steps(&value, "fail"), failed, "{fault}: {value}");
        assert_eq!(steps(&value, "skip"), skipped, "{fault}");
        assert_eq!((code, error.contains("error[H011]: ")), (Some(1), true), "{fault}: {error}");
        assert_eq!(value["steps"].as_array().unwrap().len(), STEPS.len());
    }
    // A card that leaves fails everything from there on, and the command ends.
    desk.start(&["--fault", "gone@load+500"]);
    let (code, value, _) = validate(&desk, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(steps(&value, "pass"), STEPS[..7]);
    assert_eq!(step(&value, "march")["figures"]["error"]["code"], "X012");
    let text = desk.fails(&["validate", "--root", "card"]);
    assert!(text.starts_with("error["), "{text}");
}

/// Nothing is known of the memory, and less than the model needs.
#[test]
fn too_little_memory_is_told() {
    let Some(desk) = fuse("too_little_memory_is_told") else { return };
    let (code, value, _) = validate(&desk, &["--card-memory", "128K"]);
    assert_eq!((code, steps(&value, "fail")), (Some(1), vec!["load".to_string()]));
    assert_eq!(step(&value, "load")["figures"]["error"]["code"], "C005");
    // More than there is.
    let (_, value, _) = validate(&desk, &["--card-memory", "32M"]);
    let failed = steps(&value, "fail");
    assert!(failed.contains(&"address lines".to_string()) && failed.contains(&"march".into()));
    assert_eq!(steps(&value, "skip"), Vec::<String>::new());
    let error = desk.fails(&["validate", "missing.sterna", "--root", "card"]);
    assert!(error.starts_with("error[H072]: "), "{error}");
}

/// The core's own Verilog behind the nodes.
#[test]
fn the_core_itself_passes() {
    let Some(mut desk) = fuse("the_core_itself_passes") else { return };
    desk.start(&["--backend", "sim", "--bus", "64"]);
    let (code, value, _) = validate(&desk, &[]);
    assert_eq!((code, steps(&value, "pass")), (Some(0), STEPS.map(String::from).into()), "{value}");
    let cycles = &step(&value, "passes")["figures"]["cycles_per_pass"];
    assert!(cycles.as_u64() > Some(1000), "{cycles}");
    let state = desk.json(&["reset", "--root", "card", "--json"]);
    assert_eq!(state["before"]["flags"], json!(["done", "state valid"]));
    assert_eq!(state["after"]["value"], 0);
}
