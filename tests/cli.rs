//! The command line from outside: streams, exit codes, JSON keys, messages.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use safetensors::SafeTensors;
use serde_json::Value;
use sterna::HostError;
use tempfile::TempDir;

#[path = "cli/plan.rs"]
mod plan;

const ROMEO: &str = "ROMEO:\n";

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// A directory to work in. All paths are relative to it, so that messages are the same
/// everywhere.
struct Desk(TempDir);

impl Desk {
    /// With nothing in it: commands take the built-in model.
    fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    /// With the tiny checkpoint in `tiny/`, imported to `tiny.sterna`; `mute/` and
    /// `mute.sterna` are the same without a tokenizer.
    fn with_models() -> Desk {
        let desk = Desk::new();
        for (name, files) in [
            ("tiny", &["config.json", "model.safetensors", "tokenizer.json"][..]),
            ("mute", &["config.json", "model.safetensors"]),
        ] {
            fs::create_dir(desk.path(name)).unwrap();
            for file in files {
                let from = demo("shakespeare-tiny").join(file);
                fs::copy(from, desk.path(name).join(file)).unwrap();
            }
            desk.ok(&["import", name, "-o", &format!("{name}.sterna")]);
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Names of everything in the directory.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        // No COLUMNS, colours or thread counts from whoever runs the tests.
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        assert_cmd::Command::from_std(self.command(args)).assert()
    }

    /// Standard output and standard error of a command that succeeds.
    fn ok(&self, args: &[&str]) -> (String, String) {
        let output = self.run(args).success().get_output().clone();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (text(output.stdout), text(output.stderr))
    }

    /// The one JSON object of a command: on one line of standard output, and nothing else.
    fn json(&self, args: &[&str]) -> Value {
        let (out, err) = self.ok(&[args, &["--json"]].concat());
        assert_eq!(err, "", "{args:?}");
        assert_eq!(out.find('\n'), Some(out.len() - 1), "{args:?}: {out}");
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert!(value.is_object(), "{args:?}: {out}");
        value
    }

    /// Standard error of a command that fails with this code and prints nothing.
    fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args).code(code).stdout("").get_output().clone();
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

/// Keys and types of a JSON value, one a line; a list is described by its first element.
fn schema(value: &Value, path: &str, text: &mut String) {
    let mut leaf = |kind: &str| writeln!(text, "  {path}: {kind}").unwrap();
    match value {
        Value::Null => leaf("null"),
        Value::Bool(_) => leaf("boolean"),
        Value::Number(number) if number.is_f64() => leaf("number"),
        Value::Number(_) => leaf("integer"),
        Value::String(_) => leaf("string"),
        Value::Array(list) => match list.first() {
            Some(first) => schema(first, &format!("{path}[]"), text),
            None => leaf("empty list"),
        },
        Value::Object(map) => {
            let dot = if path.is_empty() { "" } else { "." };
            map.iter().for_each(|(key, value)| schema(value, &format!("{path}{dot}{key}"), text));
        }
    }
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as u32).collect()
}

fn words(tokens: &[u32]) -> String {
    tokens.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn json_keys_are_stable() {
    let desk = Desk::with_models();
    let text = demo("validation.txt").display().to_string();
    let mut keys = String::new();
    for args in [
        &["import", "tiny", "-o", "again.sterna"][..],
        &["synth", "--hidden", "32", "--layers", "1", "--vocab", "9", "-o", "made"],
        &["run", "tiny.sterna", ROMEO, "-n", "3"],
        &["state", "save", "tiny.sterna", ROMEO, "-o", "romeo.state"],
        &["state", "show", "romeo.state"],
        &["eval", "tiny.sterna", "--text", &text, "--window", "32", "--skip-chars", "0.99"],
        &["logits", "tiny.sterna", "--tokens", "1,2", "-o", "l.safetensors"],
        &["inspect", "tiny.sterna"],
        &["disasm", "tiny.sterna"],
        &["bench", "tiny.sterna", "-n", "1", "--repeat", "1"],
        &["bench", "golden", "tiny.sterna", "-n", "1", "--repeat", "1"],
        &["bench", "host", "tiny.sterna", "--repeat", "1"],
        &["plan", "--shape", "tiny", "--clock", "100", "--bandwidth", "0.5", "--svg", "token.svg"],
        &["hdl", "--bus", "64", "-o", "core"],
    ] {
        let words = if ["golden", "host", "save", "show"].contains(&args[1]) { 2 } else { 1 };
        writeln!(keys, "{}", args[..words].join(" ")).unwrap();
        let mut report = desk.json(args);
        // Which of the two a machine has depends on its meters.
        for key in ["joules_per_token", "no_joules"] {
            report.get_mut(key).map(Value::take);
        }
        schema(&report, "", &mut keys);
    }
    insta::assert_snapshot!(keys);
}

#[test]
fn listings_of_the_tiny_model() {
    let desk = Desk::with_models();
    let (listing, err) = desk.ok(&["disasm", "tiny.sterna"]);
    assert_eq!(err, "");
    insta::assert_snapshot!("disasm", listing);
    let (report, err) = desk.ok(&["inspect", "tiny.sterna", "--bandwidth", "0.8"]);
    assert_eq!(err, "");
    insta::assert_snapshot!("inspect", report);
    // An import is the same in every byte, and both commands agree with each other.
    desk.ok(&["import", "tiny", "-o", "again.sterna", "--threads", "1"]);
    let [first, again] = ["tiny", "again"].map(|n| fs::read(desk.path(n).with_extension("sterna")));
    assert_eq!(first.unwrap(), again.unwrap());
    let (listing, report) =
        (desk.json(&["disasm", "tiny.sterna"]), desk.json(&["inspect", "tiny.sterna"]));
    assert_eq!(listing["image_id"], report["image_id"]);
    assert_eq!(listing["bytes"], report["image_bytes"]);
    let opcodes: u64 = report["instructions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["count"].as_u64().unwrap())
        .sum();
    assert_eq!(listing["instructions"].as_array().unwrap().len() as u64, opcodes);
}

#[test]
fn greedy_text_is_the_references() {
    let desk = Desk::new();
    let facts = fs::read(demo("shakespeare-5m.reference.json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    for (device, prompt) in [("golden", ROMEO), ("float", ROMEO), ("golden", "The king")] {
        let reference = &facts["greedy"][prompt];
        let args = ["run", prompt, "-n", "20", "--device", device];
        let json = desk.json(&args);
        let (got, before) = (numbers(&json["tokens"]), numbers(&json["prompt_tokens"]));
        // The published list begins with the prompt.
        let ids = numbers(&reference["ids"]);
        let ids = ids.strip_prefix(&before[..]).expect("the same tokens of the prompt");
        assert_eq!(got, ids[..20], "{device}: {prompt}");
        let text = json["text"].as_str().unwrap();
        let published = reference["text"].as_str().unwrap();
        assert!(published.starts_with(&format!("{prompt}{text}")), "{device}: {text}");
        assert_eq!((&json["device"], &json["saturations"]), (&device.into(), &0.into()));

        // The same text streams to standard output, statistics to standard error.
        let (out, err) = desk.ok(&args);
        assert_eq!(out, format!("{text}\n"));
        let statistics = format!("[{device}] {} prompt tokens at ", before.len());
        assert!(err.starts_with(&statistics) && err.lines().count() == 1, "{err}");
        assert!(err.contains(", 20 new at "), "{err}");
    }
    assert_eq!(desk.ok(&["run", ROMEO, "-n", "0"]).0, "\n");
}

#[test]
fn a_seed_is_a_text() {
    let desk = Desk::new();
    let sample = |seed: &str, threads: &str, more: &[&str]| {
        let args = ["run", ROMEO, "-n", "40", "--temp", "1", "--seed", seed, "--threads", threads];
        desk.ok(&[&args[..], more].concat()).0
    };
    let text = sample("7", "1", &[]);
    assert_eq!(text, sample("7", "2", &[]));
    assert_eq!(text, sample("7", "2", &["--top-k", "64", "--top-p", "1"]));
    assert_ne!(text, sample("8", "1", &[]));
    let greedy = desk.ok(&["run", ROMEO, "-n", "40"]).0;
    assert_ne!(text, greedy);
    assert_eq!(sample("7", "1", &["--top-k", "1"]), greedy);
    assert_eq!(sample("7", "1", &["--top-p", "1e-9"]), greedy);
}

#[test]
fn prompts_as_tokens() {
    let desk = Desk::with_models();
    desk.write("list.txt", "52 49,47\n39\t49, 28\r\n201\n");
    let text = desk.ok(&["run", ROMEO, "-n", "8"]).0;
    assert_eq!(desk.ok(&["run", "--tokens", "52,49,47,39,49,28,201", "-n", "8"]).0, text);
    assert_eq!(desk.ok(&["run", "--tokens", "list.txt", "-n", "8"]).0, text);

    // Without a tokenizer numbers come out, the same as with one.
    let json = desk.json(&["run", "tiny.sterna", ROMEO, "-n", "8"]);
    let tokens = words(&numbers(&json["tokens"]));
    let (out, err) = desk.ok(&["run", "mute.sterna", "--tokens", "list.txt", "-n", "8"]);
    assert_eq!(out, format!("{tokens}\n"));
    assert!(err.starts_with("[golden] 7 prompt tokens"), "{err}");
    let mute = desk.json(&["run", "mute.sterna", "--tokens", "list.txt", "-n", "8"]);
    assert_eq!((&mute["tokens"], &mute["prompt"]), (&json["tokens"], &Value::Null));
}

#[test]
fn an_end_token_ends_the_text() {
    let desk = Desk::new();
    desk.ok(&["synth", "--hidden", "32", "--layers", "1", "--vocab", "5", "-o", "made"]);
    desk.ok(&["import", "made", "-o", "made.sterna"]);
    let args = ["run", "made.sterna", "--tokens", "3", "-n", "30", "--temp", "5", "--seed", "1"];
    let all = desk.json(&[&args[..], &["--ignore-eos"]].concat());
    let (all, stopped) = (numbers(&all["tokens"]), all["stopped"].as_bool().unwrap());
    assert_eq!((all.len(), stopped), (30, false));
    // config.json of a made-up model says that 2 ends a text.
    let end = all.iter().position(|&token| token == 2).expect("30 of 5 tokens have a 2");
    assert!(end > 0, "choose another seed");
    let some = desk.json(&args);
    assert_eq!((numbers(&some["tokens"]), &some["stopped"]), (all[..end].to_vec(), &true.into()));
    assert!(desk.ok(&args).1.trim_end().ends_with(", end of text"));
}

#[test]
fn logits_choose_what_run_chooses() {
    let desk = Desk::with_models();
    let prompt = [52, 49, 47, 39];
    for device in ["golden", "float"] {
        let run =
            ["run", "tiny.sterna", "--tokens", &words(&prompt), "-n", "4", "--device", device];
        let next = numbers(&desk.json(&run)["tokens"]);
        let all = [&prompt[..], &next].concat();
        let list = words(&all);
        let args = ["logits", "tiny.sterna", "--tokens", &list, "-o", "l.st", "--device", device];
        let (out, err) = desk.ok(&args);
        assert_eq!((out.as_str(), err.as_str()), ("l.st: logits [8, 512]\n", ""));
        let bytes = fs::read(desk.path("l.st")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.names(), ["logits"]);
        let logits = file.tensor("logits").unwrap();
        assert_eq!((logits.dtype(), logits.shape()), (safetensors::Dtype::F32, &[8, 512][..]));
        let values: Vec<f32> = logits
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        for (row, &want) in values.chunks_exact(512).skip(3).zip(&next) {
            let best = (0..512).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            assert_eq!(best as u32, want, "{device}");
        }
    }
    let names = ["l.st", "mute", "mute.sterna", "tiny", "tiny.sterna"];
    assert_eq!(desk.names(), names, "nothing else is left");
}

#[test]
fn skipping_characters_is_cutting_the_file() {
    let desk = Desk::new();
    let text = fs::read_to_string(demo("validation.txt")).unwrap();
    // Characters of several bytes, so that counting bytes would show.
    let text = format!("{}{}", "é€😀".repeat(20), text.chars().take(740).collect::<String>());
    assert_eq!(text.chars().count(), 800);
    desk.write("whole.txt", &text);
    desk.write("rest.txt", text.chars().skip(200).collect::<String>());
    let eval = |file: &str, more: &[&str]| {
        let json = desk.json(&[&["eval", "--text", file, "--window", "16"][..], more].concat());
        ["nll", "perplexity", "bits_per_byte", "tokens", "windows"].map(|key| json[key].clone())
    };
    let rest = eval("rest.txt", &[]);
    assert_eq!(eval("whole.txt", &["--skip-chars", "200"]), rest);
    assert_eq!(eval("whole.txt", &["--skip-chars", "0.25"]), rest);
    assert_eq!(eval("whole.txt", &["--threads", "1", "--skip-chars", "200"]), rest);
    assert_ne!(eval("whole.txt", &[]), rest);
    let [nll, perplexity, bits, tokens, windows] = rest.map(|value| value.as_f64().unwrap());
    assert!(nll > 1.0 && nll < 6.0 && (perplexity - nll.exp()).abs() < 1e-9, "{nll}");
    assert!(bits > 1.0 && bits < 5.0, "{bits}");
    assert_eq!(tokens, windows * 16.0);
    let (out, err) = desk.ok(&["eval", "--text", "rest.txt", "--window", "16"]);
    assert!(
        out.starts_with(&format!("{nll:.4} nats/token, perplexity {perplexity:.3}, ")),
        "{out}"
    );
    assert_eq!(err, "");
}

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

#[test]
fn help_of_every_command() {
    let desk = Desk::new();
    let mut text = String::new();
    let commands = [
        "",
        "import",
        "pull",
        "models",
        "synth",
        "run",
        "chat",
        "state save",
        "state show",
        "eval",
        "logits",
        "inspect",
        "disasm",
        "bench",
        "bench area",
        "bench core",
        "bench golden",
        "bench host",
        "plan",
        "hdl",
        "verify",
        "fuzz rtl",
        "boards",
        "bitstream",
        "devices",
        "info",
        "load",
        "reset",
        "validate",
        "power report",
        "doctor",
        "power estimate",
    ];
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let (out, err) = desk.ok(&args);
        assert_eq!(err, "");
        writeln!(text, "$ sterna {}\n{out}", args.join(" ")).unwrap();
        let listed = out.lines().filter(|line| line.contains("--json")).count();
        assert_eq!(listed, usize::from(!command.is_empty()), "{command} has --json");
    }
    insta::assert_snapshot!(text);
    let version = desk.ok(&["--version"]).0;
    assert_eq!(version, format!("sterna {}\n", env!("CARGO_PKG_VERSION")));
}

/// `sterna … | head -0`: not an error, and above all no panic.
#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::new();
    for args in [
        &["run", ROMEO, "-n", "3"][..],
        &["run", ROMEO, "-n", "3", "--json"],
        &["disasm"],
        &["inspect", "--json"],
        &["hdl", "--bus", "64"],
        &["logits", "--tokens", "1", "-o", "l.st"],
        &["bench", "-n", "1", "--repeat", "1"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk.command(args).stdout(writer).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {message}");
        assert!(!message.contains("panicked"), "{args:?}: {message}");
    }
}

/// The Verilog of a geometry is the same in every byte, and so is its manifest.
#[test]
fn a_core_comes_from_its_manifest() {
    let desk = Desk::new();
    let json = desk.json(&["hdl", "--bus", "128", "-o", "core"]);
    assert_eq!((&json["top"], &json["geometry"]["bus"]), (&"sterna_core".into(), &128.into()));
    desk.ok(&["hdl", "--geometry", "core/geometry.json", "-o", "again"]);
    let mut names: Vec<String> =
        json["files"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().into()).collect();
    let list = fs::read_to_string(desk.path("core/files.f")).unwrap();
    assert_eq!(list.lines().collect::<Vec<_>>(), names);
    names.extend(["files.f".into(), "geometry.json".into()]);
    names.sort_unstable();
    for folder in ["core", "again"] {
        let entries = fs::read_dir(desk.path(folder)).unwrap();
        let mut found: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, names, "and nothing else");
    }
    for name in names {
        let [a, b] =
            ["core", "again"].map(|folder| fs::read(desk.path(folder).join(&name)).unwrap());
        assert_eq!(a, b, "{name}");
    }
}
