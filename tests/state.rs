//! States as files: a text goes on exactly, whatever is wrong is told.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use sterna::HostError;
use sterna::generate::{Generation, Request, generate, go_on};
use sterna::sample::{Sampler, Sampling};
use sterna::state::{Conversation, Saved};
use sterna::template::{Message, Role};
use sterna_firmware::device::{Device, State};
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_rtl::random::Rng;
use tempfile::TempDir;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

fn model() -> Arc<Model> {
    Model::open(&demo("shakespeare-5m.sterna")).unwrap()
}

/// Something of everything.
fn small() -> Saved {
    let values = vec![0, 1, -1, (1 << 23) - 1, -(1 << 23), 77];
    Saved {
        image_id: "0123456789abcdef".into(),
        shape: [2, 3],
        state: State::Fixed(values),
        entered: 7,
        pending: Some(9),
        draws: 3,
        conversation: Some(Conversation {
            messages: vec![Message::new(Role::User, "Qui ça? 😀\n\"")],
            text: "User: Qui ça? 😀\n\"\nAssistant:".into(),
            next: " I".into(),
        }),
    }
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    let float = Saved {
        state: State::Float(vec![0.0, -0.0, 1e-40, f32::MAX, f32::MIN_POSITIVE, -1.5]),
        pending: None,
        conversation: None,
        ..small()
    };
    for saved in [small(), float] {
        let bytes = saved.write(&path).unwrap();
        let file = fs::read(&path).unwrap();
        assert_eq!((bytes, Saved::open(&path).unwrap()), (file.len() as u64, saved.clone()));
        saved.write(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), file, "one state is one file");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
    }
    // The published model of 370 million parameters.
    let large = Saved {
        shape: [24, 1024],
        state: State::Fixed(vec![-5; 24 * 1024]),
        conversation: None,
        ..small()
    };
    let bytes = large.write(&path).unwrap();
    assert!((73_728..74_240).contains(&bytes), "{bytes}");
}

#[test]
fn random_states_come_back() {
    let seed = std::env::var("STERNA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(11);
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    let rng = &mut Rng::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    for _ in 0..200 {
        let shape = [1 + rng.below(4) as usize, 1 + rng.below(40) as usize];
        let elements = shape[0] * shape[1];
        let state = if rng.below(2) == 0 {
            State::Fixed((0..elements).map(|_| rng.below(1 << 24) as i32 - (1 << 23)).collect())
        } else {
            State::Float((0..elements).map(|_| rng.below(1 << 20) as f32 / 7.0 - 1e4).collect())
        };
        let pending = (rng.below(3) > 0).then(|| rng.below(1 << 20) as u32);
        let saved = Saved { shape, state, pending, entered: rng.below(1 << 40), ..small() };
        saved.write(&path).unwrap();
        assert_eq!(Saved::open(&path).unwrap(), saved);
    }
}

/// Whichever byte is changed, and wherever the file ends: it is noticed.
#[test]
fn damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    small().write(&path).unwrap();
    let good = fs::read(&path).unwrap();
    let bad = folder.path().join("b.state");
    let mut codes = std::collections::BTreeSet::new();
    for at in 0..good.len() {
        for flip in [1, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            fs::write(&bad, &bytes).unwrap();
            let error = Saved::open(&bad).expect_err(&format!("byte {at} by {flip}"));
            codes.insert(error.code());
        }
        fs::write(&bad, &good[..at]).unwrap();
        assert_eq!(Saved::open(&bad).unwrap_err().code(), "H033", "{at} bytes");
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["H033", "H034", "H035"]);
    fs::write(&bad, [&good[..], b"x"].concat()).unwrap();
    assert_eq!(Saved::open(&bad).unwrap_err().code(), "H033");
}

fn tokens(generation: &Generation) -> Vec<u32> {
    generation.tokens.clone()
}

/// Cut anywhere, kept in a file, and gone on with by another device: the same tokens.
#[test]
fn a_text_goes_on_exactly() {
    let model = model();
    let prompt = model.tokenizer().unwrap().unwrap().encode("ROMEO:\nWhat", true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    let golden = || Box::new(Golden::new(Arc::clone(&model), 1).unwrap()) as Box<dyn Device>;
    let float = || Box::new(Float::new(Arc::clone(&model), 1).unwrap()) as Box<dyn Device>;
    let warm = Sampling { temperature: 0.9, seed: 5, ..Sampling::default() };
    let devices: [&dyn Fn() -> Box<dyn Device>; 2] = [&golden, &float];
    for device in devices {
        for sampling in [Sampling::default(), warm] {
            fn request(prompt: &[u32], count: usize, sampling: Sampling) -> Request<'_> {
                Request { prompt, count, sampling, stop: &[] }
            }
            let whole =
                generate(device().as_mut(), &request(&prompt, 12, sampling), &mut |_| Ok(()))
                    .unwrap();
            for cut in [0, 1, 2, 7, 11, 12] {
                let mut first = device();
                let mut sampler = Sampler::new(sampling);
                let before = request(&prompt, cut, sampling);
                let before = go_on(first.as_mut(), &before, &mut sampler, &mut |_| Ok(())).unwrap();
                let saved = Saved {
                    entered: (prompt.len() + cut - 1) as u64,
                    pending: before.pending,
                    draws: sampler.draws(),
                    ..Saved::of(&model, first.as_mut(), 0).unwrap()
                };
                saved.write(&path).unwrap();

                let saved = Saved::open(&path).unwrap();
                let mut second = device();
                saved.restore(&path, &model, second.as_mut(), 0).unwrap();
                let mut sampler = Sampler::after(sampling, saved.draws);
                let pending = [saved.pending.unwrap()];
                let rest = request(&pending, 12 - cut, sampling);
                let rest = go_on(second.as_mut(), &rest, &mut sampler, &mut |_| Ok(())).unwrap();
                let both = [tokens(&before), tokens(&rest)].concat();
                assert_eq!(both, whole.tokens, "{} cut at {cut}", second.name());
            }
        }
    }
}

/// A directory to work in.
struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        assert_cmd::Command::from_std(command).assert()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args).success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["--json"]].concat())).unwrap()
    }

    fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args).code(1).stdout("").get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn commands_go_on_from_a_state() {
    let desk = Desk::new();
    for device in ["golden", "float"] {
        let on = ["--device", device];
        let whole = desk.json(&[&["run", "ROMEO:\n", "-n", "30"][..], &on].concat());
        let save = ["state", "save", "ROMEO:\n", "-o", "romeo.state"];
        let saved = desk.json(&[&save[..], &on].concat());
        assert_eq!(saved["prompt_tokens"], whole["prompt_tokens"]);
        let go_on = ["run", "--state", "romeo.state", "-n", "10", "--save-state", "ten.state"];
        let first = desk.json(&[&go_on[..], &on].concat());
        let second = desk.json(&[&["run", "--state", "ten.state", "-n", "20"][..], &on].concat());
        let text = |json: &Value| json["text"].as_str().unwrap().to_owned();
        assert_eq!(text(&first) + &text(&second), text(&whole), "{device}");
        let shown = desk.json(&["state", "show", "ten.state"]);
        let entered = whole["prompt_tokens"].as_array().unwrap().len() + 10 - 1;
        assert_eq!(shown["entered"], entered);
        assert_eq!(shown["pending"], first["tokens"][9]);
        // More of a prompt after the state.
        let list = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(Value::to_string).collect()
        };
        let all = list(&whole["prompt_tokens"]);
        let (head, tail) = (all[..3].join(","), all[3..].join(","));
        desk.ok(&[&["state", "save", "--tokens", &head, "-o", "head.state"][..], &on].concat());
        let rest = ["run", "--state", "head.state", "--tokens", &tail, "-n", "30"];
        assert_eq!(desk.json(&[&rest[..], &on].concat())["tokens"], whole["tokens"], "{device}");
    }
    // A random text goes on as it would have.
    let warm = ["--temp", "1", "--seed", "3"];
    let whole = desk.ok(&[&["run", "ROMEO:\n", "-n", "30"][..], &warm].concat());
    let first = ["run", "ROMEO:\n", "-n", "9", "--save-state", "nine.state"];
    let first = desk.ok(&[&first[..], &warm].concat());
    let second = desk.ok(&[&["run", "--state", "nine.state", "-n", "21"][..], &warm].concat());
    assert_eq!(first.trim_end_matches('\n').to_owned() + &second, whole);
    insta::assert_snapshot!(desk.ok(&["state", "show", "nine.state"]));
    insta::assert_snapshot!("saved", desk.ok(&["state", "save", "ROMEO:", "-o", "r.state"]));
}

#[test]
fn what_is_wrong_is_told() {
    let desk = Desk::new();
    desk.ok(&["state", "save", "ROMEO:", "-o", "golden.state"]);
    desk.ok(&["state", "save", "ROMEO:", "-o", "float.state", "--device", "float"]);
    desk.ok(&["synth", "--hidden", "32", "--layers", "1", "--vocab", "9", "-o", "made"]);
    desk.ok(&["import", "made", "-o", "made.sterna"]);
    let good = fs::read(desk.path("golden.state")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(desk.path(name), bytes).unwrap();
    // Changed texts of the same length keep the file's structure.
    let swap = |from: &str, to: &str| {
        let at = good.windows(from.len()).position(|at| at == from.as_bytes()).unwrap();
        [&good[..at], to.as_bytes(), &good[at + from.len()..]].concat()
    };
    write("version.state", &swap(r#""version":"1""#, r#""version":"7""#));
    write("damaged.state", &swap(r#""draws":"0""#, r#""draws":"1""#));
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    write("flipped.state", &flipped);
    write("short.state", &good[..good.len() / 2]);
    write("text.state", b"ROMEO:");
    write("foreign.state", &fs::read(demo("shakespeare-5m.reference.safetensors")).unwrap());
    let wrong = |change: fn(&mut Saved)| {
        let mut saved = Saved::open(&desk.path("golden.state")).unwrap();
        change(&mut saved);
        saved
    };
    wrong(|saved| saved.shape = [3, 512]).write(&desk.path("shape.state")).unwrap();
    wrong(|saved| saved.pending = Some(512)).write(&desk.path("token.state")).unwrap();
    let ended = |saved: &mut Saved| saved.pending = None;
    wrong(ended).write(&desk.path("ended.state")).unwrap();
    fs::File::create(desk.path("large.state")).unwrap().set_len((64 << 20) + 1).unwrap();
    let mut messages = String::new();
    for args in [
        &["run", "--state", "missing.state"][..],
        &["run", "--state", "made"],
        &["run", "--state", "text.state"],
        &["run", "--state", "foreign.state"],
        &["run", "--state", "short.state"],
        &["run", "--state", "large.state"],
        &["run", "--state", "version.state"],
        &["run", "--state", "damaged.state"],
        &["run", "--state", "flipped.state"],
        &["run", "--state", "shape.state"],
        &["run", "--state", "token.state"],
        &["run", "--state", "ended.state"],
        &["run", "--state", "golden.state", "made.sterna", "--tokens", "1"],
        &["run", "--state", "golden.state", "--device", "float"],
        &["run", "--state", "float.state"],
        &["run", "ROMEO:", "-n", "1", "--save-state", "missing/a.state", "--json"],
        &["state", "save", "ROMEO:", "-o", "made"],
        &["state", "save", "", "-o", "a.state"],
        &["state", "show", "made.sterna"],
    ] {
        let message = desk.fails(args);
        let line = message.lines().next().unwrap();
        let line = line.split_once(" at path \"").map_or(line, |(before, _)| before);
        writeln!(messages, "$ sterna {}\n{line}", args.join(" ")).unwrap();
    }
    let beyond = Saved { state: State::Fixed(vec![0, 1 << 23]), shape: [1, 2], ..small() };
    let error = beyond.write(&desk.path("a.state")).unwrap_err();
    writeln!(messages, "error[{}]: {error}", error.code()).unwrap();
    for error in [HostError::NoConversation { path: "a.state".into() }, HostError::NothingSaid] {
        writeln!(messages, "error[{}]: {error}", error.code()).unwrap();
    }
    insta::assert_snapshot!(messages);
    assert!(!desk.path("a.state").exists());
}
