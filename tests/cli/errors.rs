//! What is said of wrong usage and of errors.

use std::fmt::Write as _;
use std::fs;

use sterna::HostError;

use super::ROMEO;
use super::desk::Desk;

#[test]
fn wrong_usage() {
    let desk = Desk::with_models();
    let mut messages = String::new();
    for args in [
        &[][..],
        &["walk"],
        &["run"],
        &["run", "tiny.sterna"],
        &["run", "tiny.sterna", "a", "b"],
        &["run", "tiny.sterna", ROMEO, "--tokens", "1"],
        &["run", "--state", "romeo.state", "tiny.sterna", "a", "b"],
        &["chat", "tiny.sterna", "Who?"],
        &["chat", "--temp", "-1"],
        &["state"],
        &["state", "save", ROMEO],
        &["state", "save", "-o", "romeo.state"],
        &["state", "save", "tiny.sterna", "-o", "romeo.state"],
        &["run", ROMEO, "--top-k", "65"],
        &["run", ROMEO, "--top-k", "0"],
        &["run", ROMEO, "--temp", "-1"],
        &["run", ROMEO, "--temp=-1"],
        &["run", ROMEO, "--temp", "nan"],
        &["run", ROMEO, "--temp", "1e-4"],
        &["run", ROMEO, "--top-p", "0"],
        &["run", ROMEO, "--top-p", "1.5"],
        &["run", ROMEO, "--top-p", "NaN"],
        &["run", ROMEO, "--seed=-1"],
        &["run", ROMEO, "-n=-1"],
        &["run", ROMEO, "--device", "gpu"],
        &["run", ROMEO, "--threads", "0"],
        &["eval"],
        &["eval", "--text", "t.txt", "--window", "0"],
        &["eval", "--text", "t.txt", "--skip-chars", "1.0"],
        &["eval", "--text", "t.txt", "--skip-chars=-1"],
        &["logits", "--tokens", "1"],
        &["logits", "-o", "l.st"],
        &["import", "tiny"],
        &["synth", "-o", "made"],
        &["synth", "--hidden", "32", "--layers", "1", "-o", "made"],
        &["synth", "--shape", "7b", "-o", "made"],
        &["inspect", "--bandwidth", "0"],
        &["inspect", "--bandwidth", "inf"],
        &["bench", "-n", "0"],
        &["bench", "--repeat", "0"],
        &["run", ROMEO, "--sim-bus", "100"],
        &["bench", "area", "--shape", "7b"],
        &["bench", "area", "--bus", "64,96"],
        &["bench", "core", "--shape", "7b"],
        &["bench", "golden", "--shape", "7b"],
        &["plan", "--shape", "7b"],
        &["plan", "tiny.sterna", "--shape", "tiny"],
        &["plan", "--bandwidth", "1"],
        &["plan", "--clock", "0"],
        &["plan", "--clock", "1", "--bandwidth", "nan"],
        &["hdl", "--bus", "96"],
        &["hdl", "--bus", "64", "--geometry", "g.json"],
        &["hdl", "--shape", "7b"],
        &["verify", "-n", "0"],
        &["verify", "--stall", "never"],
        &["verify", "--latency", "0"],
        &["verify", "--bus", "64", "--geometry", "g.json"],
        &["fuzz"],
        &["fuzz", "rtl", "--cases", "3", "--case-seed", "1"],
        &["fuzz", "rtl", "--with", "calm"],
        &["fuzz", "rtl", "--case-seed", "1", "--with", "calm,deep"],
        &["fuzz", "rtl", "--case-seed", "1", "--with", "layers=9"],
        &["power"],
        &["power", "estimate", "--clock", "0"],
        &["power", "estimate", "--sim-bus", "96"],
        &["power", "estimate", "--token", "10001"],
        &["power", "estimate", "--sources", "--json"],
    ] {
        let message = desk.fails(args, 2);
        writeln!(messages, "$ sterna {}\n{message}", args.join(" ").escape_debug()).unwrap();
    }
    insta::assert_snapshot!(messages);
    assert_eq!(desk.names(), ["mute", "mute.sterna", "tiny", "tiny.sterna"]);
}

/// The first line, with an ellipsis for what the system's message says of a temporary file.
fn without_temporary_path(message: &str) -> String {
    match message.trim_end().split_once(" at path \"") {
        Some((before, after)) => {
            let after = after.split_once('"').expect("a closing quote").1;
            format!("{before} at path \"…\"{after}")
        }
        None => message.trim_end().into(),
    }
}

#[test]
fn errors_say_what_to_do() {
    let desk = Desk::with_models();
    desk.write("short.txt", "ROMEO:\nAy.");
    desk.write("latin1.txt", b"caf\xe9");
    desk.write("empty.txt", "");
    let mut damaged = fs::read(desk.path("tiny.sterna")).unwrap();
    damaged[5000] ^= 1;
    desk.write("damaged.sterna", damaged);
    desk.ok(&["hdl", "--bus", "64", "-o", "core"]);
    let manifest = fs::read_to_string(desk.path("core/geometry.json")).unwrap();
    desk.write("narrow.json", manifest.replace("\"bus\": 64", "\"bus\": 96"));
    desk.write("small.json", manifest.replace("\"hidden\": 1024", "\"hidden\": 96"));
    desk.write("more.json", manifest.replace("\"bus\"", "\"buses\""));
    let before = desk.names();
    let mut messages = String::new();
    for args in [
        &["run", "tiny.sterna", "--tokens", "1,512"][..],
        &["run", "tiny.sterna", "--tokens", "1,4294967296"],
        &["run", "tiny.sterna", "--tokens", "1,two"],
        &["run", "tiny.sterna", "--tokens", "missing.txt"],
        &["run", "tiny.sterna", "--tokens", "latin1.txt"],
        &["run", "tiny.sterna", "--tokens", "empty.txt"],
        &["run", "tiny.sterna", "--tokens", ","],
        &["run", "tiny.sterna", ""],
        &["run", "mute.sterna", ROMEO],
        &["run", "missing.sterna", ROMEO],
        &["run", "tiny", ROMEO],
        &["run", "damaged.sterna", ROMEO],
        &["chat", "mute.sterna"],
        &["eval", "tiny.sterna", "--text", "short.txt"],
        &["eval", "tiny.sterna", "--text", "empty.txt", "--window", "1"],
        &["eval", "tiny.sterna", "--text", "short.txt", "--skip-chars", "11"],
        &["eval", "tiny.sterna", "--text", "latin1.txt"],
        &["eval", "tiny.sterna", "--text", "missing.txt"],
        &["eval", "tiny.sterna", "--text", "tiny"],
        &["eval", "mute.sterna", "--text", "short.txt", "--window", "2"],
        &["logits", "tiny.sterna", "--tokens", "512", "-o", "l.st"],
        &["logits", "tiny.sterna", "--tokens", "1", "-o", "missing/l.st"],
        &["logits", "tiny.sterna", "--tokens", "1", "-o", "short.txt/l.st"],
        &["logits", "tiny.sterna", "--tokens", "1", "-o", "tiny"],
        &["import", "missing", "-o", "m.sterna"],
        &["import", "tiny.sterna", "-o", "m.sterna"],
        &["import", "short.txt", "-o", "m.sterna"],
        &["import", "tiny", "-o", "missing/m.sterna"],
        &["import", "tiny", "-o", "mute"],
        &["synth", "--hidden", "32", "--layers", "1", "--vocab", "9", "-o", "tiny"],
        &["synth", "--hidden", "33", "--layers", "1", "--vocab", "9", "-o", "made"],
        &["synth", "--hidden", "32", "--layers", "1", "--vocab", "9", "-o", "short.txt/made"],
        &["inspect", "missing.sterna"],
        &["inspect", "short.txt"],
        &["inspect", "tiny/model.safetensors"],
        &["disasm", "damaged.sterna"],
        &["bench", "tiny"],
        &["hdl", "--geometry", "missing.json"],
        &["hdl", "--geometry", "short.txt"],
        &["hdl", "--geometry", "more.json"],
        &["hdl", "--geometry", "narrow.json"],
        &["hdl", "-o", "short.txt/core"],
        &["plan", "tiny.sterna", "--geometry", "small.json"],
        &["plan", "--shape", "tiny", "--svg", "missing/token.svg"],
        &["verify", "tiny.sterna", "--geometry", "small.json"],
        // Nothing is installed in the environment of these commands.
        &["verify", "tiny.sterna"],
        &["run", "tiny.sterna", ROMEO, "--device", "sim"],
    ] {
        let message = desk.fails(args, 1);
        assert!(message.starts_with("error["), "{args:?}: {message}");
        assert_eq!(message.find('\n'), Some(message.len() - 1), "{args:?}: {message}");
        let message = without_temporary_path(&message);
        writeln!(messages, "$ sterna {}\n{message}", args.join(" ").escape_debug()).unwrap();
    }
    let mut command = desk.command(&["disasm", "tiny.sterna"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    writeln!(messages, "$ sterna disasm tiny.sterna > /dev/full\n{message}").unwrap();
    // What only a fault of the hardware can cause.
    let why = "token 3, segment 5 (GLU, layer 0), p[7] is -8 instead of 9, in clock 1234".into();
    for error in [
        HostError::Differs(why),
        HostError::Fuzz { failures: 2, cases: 16 },
        HostError::Validate { failed: 1, steps: 22 },
        HostError::Doctor { failed: 1, checks: 9 },
    ] {
        writeln!(messages, "error[{}]: {error}", error.code()).unwrap();
    }
    insta::assert_snapshot!(messages);
    assert_eq!(desk.names(), before, "nothing half-written is left");
}
