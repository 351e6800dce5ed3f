//! `devices`, `info`, `load`, `reset`.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::desk::{Desk, fuse};
use super::tree::Tree;

/// Codes of a list of errors.
fn codes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}

fn entries(desk: &Desk, root: &str) -> Vec<Value> {
    desk.json(&["devices", "--root", root, "--json"])["devices"].as_array().unwrap().clone()
}

#[test]
fn devices_are_listed_whatever_is_wrong() {
    let desk = Desk::new();
    // A card without registers, and one whose registers are somebody else's.
    fs::create_dir(desk.path("dev")).unwrap();
    for name in ["xdma3_h2c_0", "xdma3_c2h_0", "xdma5_h2c_0", "xdma5_c2h_0", "null"] {
        fs::write(desk.path("dev").join(name), []).unwrap();
    }
    fs::write(desk.path("dev/xdma5_user"), vec![7; 4096]).unwrap();
    let list = entries(&desk, "dev");
    let of = |n: usize| (&list[n]["device"], &list[n]["card"], &list[n]["state"]);
    assert_eq!(of(0), (&json!("golden"), &Value::Null, &json!("ready")));
    assert_eq!(of(1), (&json!("float"), &Value::Null, &json!("ready")));
    assert_eq!(list[2]["device"], "sim");
    for (n, card, code) in [(3, 3, "X004"), (4, 5, "C001")] {
        assert_eq!(of(n), (&json!("xdma"), &json!(card), &json!("broken")));
        assert_eq!((&list[n]["error"]["code"], &list[n]["usable"]), (&json!(code), &json!(false)));
    }
    let text = desk.text(&["devices", "--root", "dev"]);
    assert!(text.contains("xdma 3   broken  [X004] dev/xdma3_user: missing"), "{text}");
    // Looking is not touching.
    assert_eq!(fs::read(desk.path("dev/xdma5_user")).unwrap(), vec![7; 4096]);

    for (root, code) in [("dev/null", "X001"), (".", "X002")] {
        let none = desk.json(&["devices", "--root", root, "--json"]);
        assert_eq!(none["no_cards"]["code"], code);
        assert_eq!(none["devices"].as_array().unwrap().len(), 3);
        let text = desk.text(&["devices", "--root", root]);
        assert!(text.contains(&format!("xdma     none    [{code}] {root}: ")), "{text}");
    }
}

#[test]
fn a_simulation_needs_verilator() {
    let desk = Desk::new();
    let mut command = desk.command(&["devices", "--root", ".", "--json"]);
    let output = command.env_clear().stdout(Stdio::piped()).output().unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sim = &list["devices"][2];
    assert_eq!((&sim["state"], &sim["error"]["code"]), (&json!("broken"), &json!("S001")));
}

#[test]
fn a_card_is_ready_or_in_use() {
    let Some(desk) = fuse("a_card_is_ready_or_in_use") else { return };
    let list = entries(&desk, "card");
    assert_eq!((&list[3]["state"], &list[3]["usable"]), (&json!("ready"), &json!(true)));
    assert_eq!(list[3]["geometry"]["hidden"], 128);
    let long = desk.with_card(&["run", "demo.sterna", "ROMEO:\n", "-n", "100000", "--ignore-eos"]);
    let mut other = desk.command(&long).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let list = entries(&desk, "card");
    assert_eq!((&list[3]["state"], &list[3]["error"]), (&json!("in use"), &Value::Null));
    for command in ["info", "load", "reset"] {
        let error = desk.fails(&[command, "--root", "card"]);
        assert!(error.starts_with("error[X007]: "), "{command}: {error}");
    }
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_model_is_loaded_once() {
    let Some(desk) = fuse("a_model_is_loaded_once") else { return };
    let load = |more: &[&str]| {
        let args = ["load", "demo.sterna", "--root", "card", "--json"];
        let value = desk.json(&[&args[..], more].concat());
        [&value["held_bytes"], &value["written_bytes"]].map(|bytes| bytes.as_u64().unwrap())
    };
    let holds = || desk.json(&["info", "--root", "card", "--json"])["holds"].clone();
    assert_eq!(holds(), Value::Null);
    let [held, total] = load(&[]);
    assert!(held == 0 && total > 100_000);
    assert_eq!(
        (holds()["bytes"].as_u64(), holds()["total_bytes"].as_u64()),
        (Some(total), Some(total))
    );
    assert_eq!(load(&[]), [total, 0]);
    assert_eq!(load(&["--reload"]), [0, total]);
    let text = desk.text(&["load", "demo.sterna", "--root", "card"]);
    assert!(text.starts_with("card 0 holds demo.sterna already: "), "{text}");
    let text = desk.text(&["load", "demo.sterna", "--root", "card", "--reload"]);
    assert!(text.contains(" MiB written in ") && text.trim_end().ends_with(" MB/s"), "{text}");
    // What was loaded is what runs.
    let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "20"];
    assert_eq!(desk.text(&desk.with_card(&run)), desk.text(&run));
    // The built-in model is larger than this core.
    let error = desk.fails(&["load", "--root", "card"]);
    assert!(error.starts_with("error[F017]: "), "{error}");
}

#[test]
fn a_card_is_described() {
    let Some(desk) = fuse("a_card_is_described") else { return };
    let tree = Tree::healthy(desk.path("machine"));
    desk.text(&["load", "demo.sterna", "--root", "card"]);
    let info = |model: &[&str]| {
        let args = ["info", "--root", "card", "--sysroot", "machine", "--json"];
        desk.json(&[&args[..], model].concat())
    };
    let seen = info(&["demo.sterna"]);
    assert_eq!(seen["nodes"]["h2c"], json!([0, 1, 2, 3]));
    assert_eq!((&seen["registers_mapped"], &seen["interrupts"]), (&json!(false), &json!(true)));
    assert_eq!(seen["geometry"]["bus"], 512);
    assert_eq!(seen["memory_bytes"], 16 << 20);
    assert_eq!(
        seen["status"],
        json!({
            "value": 0, "flags": [], "error": 0, "error_meaning": null, "error_segment": null
        })
    );
    let model = desk.json(&["inspect", "demo.sterna", "--json"]);
    assert_eq!(seen["holds"]["image_id"], model["image_id"]);
    assert_eq!((&seen["model"]["fits"], &seen["model"]["lacks"]), (&json!(true), &json!([])));
    assert_eq!(seen["problems"], json!([]));
    let pci = &seen["pci"];
    assert_eq!((&pci["address"], &pci["driver"]), (&json!("0000:01:00.0"), &json!("xdma")));
    assert_eq!(pci["link"], json!({ "gt_per_second": 8.0, "lanes": 8 }));
    assert_eq!(pci["slot_max"], json!({ "gt_per_second": 16.0, "lanes": 16 }));
    assert_eq!(
        pci["sensors"][0],
        json!({
            "label": "FPGA", "quantity": "temperature", "value": 51.25, "unit": "°C"
        })
    );
    // The counters are those of the last run.
    desk.text(&desk.with_card(&["run", "demo.sterna", "--tokens", "1,2", "-n", "9"]));
    let run = &info(&[])["last_run"];
    assert_eq!((&run["image_id"], &run["cycles"]), (&model["image_id"], &run["beats"]));
    assert!(run["passes"].as_u64() > Some(0) && run["cycles"].as_u64() > Some(0), "{run}");

    let text = desk.text(&["info", "demo.sterna", "--root", "card", "--sysroot", "machine"]);
    insta::assert_snapshot!(text.replace(model["image_id"].as_str().unwrap(), "IMAGE"));

    // What lacks is named; and a machine that tells nothing is no error.
    desk.text(&["synth", "--hidden", "256", "--layers", "1", "--vocab", "9", "-o", "made"]);
    desk.text(&["import", "made", "-o", "made.sterna"]);
    tree.remove("sys");
    let seen = info(&["made.sterna", "--card-memory", "64K"]);
    assert_eq!((&seen["model"]["fits"], &seen["model"]["streams"]), (&json!(false), &json!(false)));
    assert_eq!(codes(&seen["model"]["lacks"]), ["F017", "C005"]);
    assert_eq!((&seen["memory_bytes"], &seen["pci"]), (&json!(65536), &Value::Null));
    // A memory that is too small alone.
    let seen = &info(&["demo.sterna", "--card-memory", "128K"])["model"];
    assert_eq!((&seen["fits"], &seen["streams"]), (&json!(false), &json!(true)));
    assert_eq!(codes(&seen["lacks"]), ["C005"]);
    let load = ["load", "demo.sterna", "--root", "card", "--card-memory", "128K"];
    assert!(desk.fails(&load).starts_with("error[C005]: "));
}

/// Whatever does not work is a line; the rest is there.
#[test]
fn a_sick_card_is_described() {
    let Some(mut desk) = fuse("a_sick_card_is_described") else { return };
    for (fault, expected, core) in [
        ("geometry@identify", &["C003"][..], false),
        ("ones@identifyx100", &["X012"], false),
        ("eio@readx40", &["X009", "X006"], true),
        ("gone@identify", &["X012", "X012"], false),
    ] {
        desk.start(&["--fault", fault]);
        let seen = desk.json(&["info", "--root", "card", "--json"]);
        assert_eq!(codes(&seen["problems"]), expected, "{fault}");
        assert_eq!(seen["geometry"].is_object(), core, "{fault}");
    }
    desk.start(&["--fault", "denied@openx100"]);
    let list = entries(&desk, "card");
    assert_eq!((&list[3]["state"], &list[3]["error"]["code"]), (&json!("broken"), &json!("X005")));
    assert!(desk.fails(&["info", "--root", "card"]).starts_with("error[X005]: "));
}

#[test]
fn a_stuck_core_is_reset() {
    let Some(mut desk) = fuse("a_stuck_core_is_reset") else { return };
    for (fault, code, flags, before) in [
        ("stuck@start", "C006", json!(["busy"]), 0),
        ("core=6@start", "C106", json!(["failed"]), 6),
    ] {
        desk.start(&["--fault", fault]);
        let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "3", "--card-timeout", "0.2"];
        let error = desk.fails(&desk.with_card(&run));
        assert!(error.starts_with(&format!("error[{code}]: ")), "{error}");
        assert!(before != 0 || error.contains("run `sterna reset`"), "{error}");
        let state = desk.json(&["info", "--root", "card", "--json"])["status"].clone();
        assert_eq!((&state["flags"], &state["error"]), (&flags, &json!(before)));
        let reset = desk.json(&["reset", "--root", "card", "--json"]);
        assert_eq!(reset["before"], state);
        assert_eq!((&reset["after"]["flags"], &reset["after"]["error"]), (&json!([]), &json!(0)));
        let text = desk.text(&["reset", "--root", "card"]);
        assert_eq!(text, "card 0: the core was idle; it is idle\n");
        assert_eq!(desk.text(&desk.with_card(&run)), desk.text(&run[..5]));
    }
    // Nothing is written to what is no core.
    fs::create_dir(desk.path("dev")).unwrap();
    for name in ["h2c_0", "c2h_0", "user"] {
        fs::write(desk.path("dev").join(format!("xdma0_{name}")), vec![1; 4096]).unwrap();
    }
    assert!(desk.fails(&["reset", "--root", "dev"]).starts_with("error[C001]: "));
    assert_eq!(fs::read(desk.path("dev/xdma0_user")).unwrap(), vec![1; 4096]);
}
