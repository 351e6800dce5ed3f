//! The command line from outside: streams, exit codes, JSON keys, messages.

use std::fmt::Write as _;
use std::fs;

use safetensors::SafeTensors;
use serde_json::Value;

mod config;
mod desk;
mod errors;
mod help;
mod plan;

use desk::{Desk, demo};

const ROMEO: &str = "ROMEO:\n";

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
