//! Recordings: written, read again, broken off, and damaged.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

#[path = "known/bench.rs"]
#[allow(dead_code)]
mod bench;

use bench::{Sensor, begin, describe};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sterna_power::recording::{Mark, csv_of};
use sterna_power::{Analysis, PowerError, Quantity, Recorder, Recording};

fn sensor() -> Sensor {
    let (phase, takes, fails) = (0.0, 0.0, vec![]);
    Sensor { interval: 0.1, phase, averages: false, quantity: Quantity::Power, takes, fails }
}

/// A recording of one run, without its end.
fn record(recorder: &Recorder) {
    let ms = Duration::from_millis;
    recorder.mark(ms(0), Mark::Rest, 0);
    recorder.sample(ms(5), 0, vec![3.25], ms(1));
    recorder.mark(ms(1000), Mark::Load, 0);
    let source = std::io::ErrorKind::NotFound.into();
    recorder.trouble(ms(1100), 0, &PowerError::Sensor { path: "power1_input".into(), source });
    recorder.token(ms(1200), 0, 17);
    recorder.sample(ms(1250), 0, vec![4.0], ms(0));
    recorder.token(ms(1300), 0, 18);
}

#[test]
fn a_recording_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let recorder = Recorder::create(&path, begin(vec![describe(&sensor())], 1)).unwrap();
    record(&recorder);
    assert!(!path.exists() && recorder.part().exists(), "it has its name when it is whole");
    recorder.finish(Duration::from_secs(2), Duration::from_secs(1_790_000_002)).unwrap();
    assert!(path.exists() && !directory.path().join("run.jsonl.part").exists());
    let recording = Recording::read(&path).unwrap();
    assert_eq!((recording.end, recording.clock_step), (Some(2.0), None));
    insta::assert_snapshot!("recording", fs::read_to_string(&path).unwrap());
    insta::assert_snapshot!(csv_of(&recording), @r"
    time_s,0:bench:board_w
    0.005000000,3.25
    1.250000000,4
    ");
    let again = Recorder::create(&path, begin(vec![], 1)).err().unwrap();
    assert_eq!(again.code(), "W013");
}

#[test]
fn one_that_was_broken_off_is_read_as_far_as_it_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let recorder = Recorder::create(&path, begin(vec![describe(&sensor())], 1)).unwrap();
    record(&recorder);
    let part = recorder.part();
    drop(recorder);
    let whole = fs::read(&part).unwrap();
    let recording = Recording::read(&part).unwrap();
    assert!(Analysis::of(&recording).incomplete);
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    // Cut anywhere behind the first line, it is still a recording.
    for end in first..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let recording =
            Recording::read(&path).unwrap_or_else(|error| panic!("cut at {end}: {error}"));
        Analysis::of(&recording);
    }
}

#[test]
fn a_clock_that_was_set_is_told() {
    let directory = tempfile::tempdir().unwrap();
    for (unix, step) in
        [(1_790_000_002, None), (1_790_000_007, Some(5.0)), (1_789_996_402, Some(-3600.0))]
    {
        let path = directory.path().join(format!("{unix}.jsonl"));
        let recorder = Recorder::create(&path, begin(vec![], 1)).unwrap();
        recorder.finish(Duration::from_secs(2), Duration::from_secs(unix)).unwrap();
        assert_eq!(Recording::read(&path).unwrap().clock_step, step);
    }
}

const BEGIN: &str = r#"{"kind":"begin","format":1,"program":"sterna","unix":1,"device":"golden","model":"tiny","image_id":"0","prompt_tokens":1,"runs":1,"meters":[{"name":"m","provenance":"p","scope":"card","evidence":"measured","rails":[{"name":"r","quantity":"power","counted":true}],"interval_s":0.1,"averages":false,"accuracy":null,"range_w":null}]}"#;

#[test]
fn what_is_wrong_with_a_recording_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let mut said = String::new();
    for (what, text) in [
        ("nothing", String::new()),
        ("no JSON", "watts\n".into()),
        ("no beginning", r#"{"kind":"end","t":1,"unix":1}"#.to_string() + "\n"),
        ("another format", BEGIN.replace(r#""format":1"#, r#""format":2"#) + "\n"),
        ("no rails", BEGIN.replace(r#"{"name":"r","quantity":"power","counted":true}"#, "") + "\n"),
        ("two beginnings", format!("{BEGIN}\n{BEGIN}\n")),
        ("another kind", format!("{BEGIN}\n{{\"kind\":\"volt\"}}\n")),
        (
            "another meter",
            format!("{BEGIN}\n{{\"kind\":\"sample\",\"t\":1,\"meter\":1,\"values\":[1]}}\n"),
        ),
        (
            "two values",
            format!("{BEGIN}\n{{\"kind\":\"sample\",\"t\":1,\"meter\":0,\"values\":[1,2]}}\n"),
        ),
        (
            "beyond measure",
            format!("{BEGIN}\n{{\"kind\":\"sample\",\"t\":1,\"meter\":0,\"values\":[1e99]}}\n"),
        ),
        (
            "a token of no run",
            format!("{BEGIN}\n{{\"kind\":\"token\",\"t\":1,\"run\":0,\"token\":1}}\n"),
        ),
        (
            "a run too many",
            format!(
                "{BEGIN}\n{{\"kind\":\"mark\",\"t\":1,\"mark\":\"load\",\"run\":4000000000}}\n"
            ),
        ),
        (
            "a run twice",
            format!("{BEGIN}\n{0}{0}", "{\"kind\":\"mark\",\"t\":1,\"mark\":\"load\",\"run\":0}\n"),
        ),
        ("after the end", format!("{BEGIN}\n{0}{0}", "{\"kind\":\"end\",\"t\":1,\"unix\":2}\n")),
        (
            "time goes back",
            format!(
                "{BEGIN}\n{}\n{}\n{}\n",
                r#"{"kind":"mark","t":1,"mark":"load","run":0}"#,
                r#"{"kind":"token","t":5,"run":0,"token":1}"#,
                r#"{"kind":"token","t":4,"run":0,"token":1}"#
            ),
        ),
    ] {
        fs::write(&path, text).unwrap();
        let error = Recording::read(&path).expect_err(what);
        let text = error.to_string().replace(&path.display().to_string(), "run.jsonl");
        let _ = writeln!(said, "{what}:\n  error[{}]: {text}", error.code());
    }
    let absent = Recording::read(&directory.path().join("nowhere")).unwrap_err();
    assert_eq!(absent.code(), "W014");
    insta::assert_snapshot!(said);
}

/// No damage makes a recording crash who reads it.
#[test]
fn damaged_recordings_are_refused_or_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let recorder = Recorder::create(&path, begin(vec![describe(&sensor())], 1)).unwrap();
    record(&recorder);
    recorder.finish(Duration::from_secs(2), Duration::from_secs(1_790_000_002)).unwrap();
    let whole = fs::read(&path).unwrap();
    let seed = std::env::var("STERNA_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("STERNA_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut refused, mut read) = (0, 0);
    for _ in 0..600 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random.next_u32() % 3 {
            let at = random.next_u32() as usize % bytes.len();
            bytes[at] = b"0123456789-eE.,:{}[]\"\n\0x"[random.next_u32() as usize % 24];
        }
        fs::write(&path, &bytes).unwrap();
        match Recording::read(&path) {
            Ok(recording) => {
                Analysis::of(&recording);
                csv_of(&recording);
                read += 1;
            }
            Err(error) => {
                assert!(matches!(error.code(), "W012" | "W013"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 50 && read > 50, "{refused} refused, {read} read");
}
