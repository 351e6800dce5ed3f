//! `sterna verify` and `sterna fuzz rtl` from outside: what they print, and how they end.
//!
//! For a failure the cache of compiled cores holds a damaged one in the place of the sound one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sterna_model::synth::{self, Channels, Weights};
use sterna_rtl::Design;
use sterna_sim::fuzz::{Case, Change};
use sterna_sim::{Options, Simulator};
use tempfile::TempDir;

use crate::common::{self, import};
use crate::seeded::{self, core, damaged, small};

/// Which cases: on one core of each bus, with every class of weights and embeddings.
const CASES: [&str; 6] = ["--cases", "50", "--cores", "4", "--seed", "176"];

/// Exit code, standard output, standard error.
fn sterna(cache: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
    let output = command.args(args).env("STERNA_CACHE", cache).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Folders of models in a cache.
fn models(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache.join("verilated")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders.filter(|folder| folder.join("model.so").exists()).collect()
}

/// A cache in which a damaged core stands for every core of another cache.
fn poisoned(sound: &Path, design: &Design, options: &Options) -> TempDir {
    let cache = seeded::cache();
    let options = Options { quick: true, cache: Some(cache.clone()), ..options.clone() };
    drop(Simulator::build(design, &options).unwrap());
    let is_it = |folder: &PathBuf| {
        design.files.iter().all(|file| {
            fs::read_to_string(folder.join(&file.name)).is_ok_and(|text| text == file.text)
        })
    };
    let library = models(&cache).into_iter().find(is_it).unwrap().join("model.so");
    let poisoned = tempfile::tempdir().unwrap();
    for folder in models(sound) {
        let to = poisoned.path().join("verilated").join(folder.file_name().unwrap());
        fs::create_dir_all(&to).unwrap();
        fs::copy(&library, to.join("model.so")).unwrap();
    }
    poisoned
}

const FORGET: (&str, &str, &str) =
    ("mlgru", "17'd65536 - {1'd0, lower}", "17'd65535 - {1'd0, lower}");

/// Keys and types of a JSON value, one a line.
fn schema(value: &Value, path: &str, text: &mut String) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(list) => return schema(&list[0], &format!("{path}[]"), text),
        Value::Object(map) => {
            let dot = if path.is_empty() { "" } else { "." };
            return map.iter().for_each(|(k, v)| schema(v, &format!("{path}{dot}{k}"), text));
        }
    };
    *text += &format!("{path}: {kind}\n");
}

fn json(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

/// The cycles of a token in a board's report are those of the same core in `verify`.
#[test]
fn a_report_has_simulated_cycles() {
    let desk = tempfile::tempdir().unwrap();
    let checkpoint = desk.path().join("checkpoint");
    synth::write(&small(), &checkpoint, &mut |_, _| ()).unwrap();
    let model = import(&checkpoint, desk.path());
    let (path, out) = (model.path().to_str().unwrap(), desk.path().join("out"));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
    command.args(["bitstream", "--board", "nitefury2", "--model", path, "--simulate", "--json"]);
    // Without Yosys, which would count cells for a minute.
    command.arg("-o").arg(&out).env("STERNA_CACHE", &cache).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = json(std::str::from_utf8(&output.stdout).unwrap());
    let geometry = out.join("geometry.json");
    let args = ["verify", path, "--geometry", geometry.to_str().unwrap(), "-n", "1", "--json"];
    let verified = json(&sterna(&cache, &args).1);
    let simulated = &built["simulated"];
    for (name, same) in [("cycles_per_token", "cycles"), ("beats", "beats"), ("idle", "idle")] {
        assert!(simulated[name].as_u64().unwrap() > 0, "{name}");
        assert_eq!(simulated[name], verified[same], "{name}");
    }
    let cycles = simulated["cycles_per_token"].as_f64().unwrap();
    assert_eq!(simulated["tokens_per_second"].as_f64().unwrap(), 100e6 / cycles);
    let share = simulated["share_of_bound"].as_f64().unwrap();
    assert!(share > 0.0 && share < 1.0, "{share}");
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains(&format!("<td>{cycles} at 100 MHz (simulated)")), "{html}");
    assert!(html.contains("without refreshes or other pauses"), "{html}");

    // A name is no model.
    let out = out.to_str().unwrap();
    let args = ["bitstream", "--board", "nitefury2", "--model", "370m", "--simulate", "-o", out];
    let (code, _, err) = sterna(&cache, &args);
    assert_eq!(code, 2);
    assert!(err.contains("370m is a shape without weights; name a .sterna file"), "{err}");
}

#[test]
fn verify_proves_and_refutes() {
    let desk = tempfile::tempdir().unwrap();
    let checkpoint = desk.path().join("checkpoint");
    synth::write(&small(), &checkpoint, &mut |_, _| ()).unwrap();
    let model = import(&checkpoint, desk.path());
    let (path, geometry) = (model.path(), core(&model));
    let manifest = desk.path().join("geometry.json");
    fs::write(&manifest, geometry.manifest()).unwrap();
    let (path, manifest) = (path.to_str().unwrap(), manifest.to_str().unwrap());
    let waves = desk.path().join("waves");
    let args = ["verify", path, "--geometry", manifest, "-n", "3", "--stall", "burst", "--wave"];
    let args = [&args[..], &[waves.to_str().unwrap()]].concat();
    let sound = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command");

    let (code, out, err) = sterna(&sound, &args);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("3 tokens, 39 instructions, "), "{out}");
    assert!(out.lines().next().unwrap().ends_with(" vectors compared, 0 mismatches"), "{out}");
    assert!(out.contains(&format!("manifest {:016x}", geometry.hash())), "{out}");
    assert!(out.contains("\ntiming model: "), "{out}");

    // The same core as a benchmark.
    let counts = ["bench", "core", path, "--geometry", manifest, "-n", "2", "--json"];
    let (code, out, err) = sterna(&sound, &counts);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let counted = json(&out);
    let int = |key: &str| counted[key].as_u64().unwrap();
    assert_eq!((int("tokens"), int("mismatches")), (2, 0));
    assert_eq!(int("predicted_cycles"), int("cycles"));
    assert_eq!(int("image_bytes") * 2, int("beats") * 8);
    let share = model.shape().weights() as f64 * 2.0 / 40.0 / int("cycles") as f64;
    assert_eq!(counted["utilisation"].as_f64(), Some(share));
    let mut keys = String::new();
    schema(&counted, "", &mut keys);
    insta::assert_snapshot!("json_of_bench_core", keys);

    let (module, from, to) = FORGET;
    let design = damaged(&geometry, module, from, to);
    let cache = poisoned(
        &sound,
        &design,
        &Options { trace: sterna_sim::Trace::Waveform, ..Options::default() },
    );
    let (code, out, err) = sterna(cache.path(), &args);
    assert_eq!(code, 1, "{out}");
    let expected = "error[H009]: the core differs from the golden model: token 0, segment 2 (MIX_F, \
                    layer 0), state[";
    assert!(err.starts_with(expected), "{err}");
    let (code, out, _) = sterna(cache.path(), &[&args[..], &["--json"]].concat());
    assert_eq!(code, 1);
    let mut keys = String::new();
    schema(&json(&out), "", &mut keys);
    insta::assert_snapshot!("json_of_verify", keys);
}

#[test]
fn fifty_random_cases() {
    let cache = common::options().cache.unwrap();
    let args = [&["fuzz", "rtl"][..], &CASES].concat();
    let (code, out, err) = sterna(&cache, &args);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(out, "50 cases, 0 failures, seed 176\n");

    // One that shows the fault, and can be made smaller.
    let rich = |case: &Case| {
        case.spec.hidden > 32
            && case.spec.weights == Weights::Normal
            && case.spec.channels == Channels::Even
            && case.with(Change::Commands(1)).is_some()
    };
    let case = Case::seeds(176, 13, 1).map(Case::new).find(rich).unwrap();
    let seed = case.seed;
    let (module, from, to) = FORGET;
    let design = damaged(&case.geometry, module, from, to);
    let cache = poisoned(&cache, &design, &Options { assertions: true, ..Options::default() });
    let seed = seed.to_string();
    let args = ["fuzz", "rtl", "--case-seed", &seed];
    let (code, out, err) = sterna(cache.path(), &args);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains(&format!("  replay: sterna fuzz rtl --case-seed {seed}\n")), "{out}");
    assert_eq!(out.lines().last().unwrap(), format!("1 cases, 1 failures, seed {seed}"));
    assert_eq!(err, "error[H010]: 1 of 1 cases failed; replay one by the command beside it\n");
    // A smaller case on the same core; another core is sound.
    let (_, with) = out.rsplit_once(" --with ").expect("a smaller case");
    let with = with.lines().next().unwrap();
    assert!(with.contains("commands=1") && with.contains("hidden=32"), "{out}");
    assert!(!with.contains("plain"), "{out}");
    let (code, again, _) = sterna(cache.path(), &[&args[..], &["--with", with]].concat());
    assert_eq!(code, 1, "{again}");
    assert!(
        again.contains(&format!("  replay: sterna fuzz rtl --case-seed {seed} --with {with}\n"))
    );
    let (code, out, _) = sterna(cache.path(), &[&args[..], &["--json"]].concat());
    assert_eq!(code, 1);
    let mut keys = String::new();
    schema(&json(&out), "", &mut keys);
    insta::assert_snapshot!("json_of_fuzz", keys);
}
