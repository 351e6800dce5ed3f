//! Every fault in every phase again, end to end: the command over the files of a fake card.

use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sterna_sim::fake_card::{Fault, Kind, Phase};

use crate::desk::{Desk, fuse_without_card};

/// `--card-timeout`, and what an error may take beyond it: a process begins and ends as well.
const DEADLINE: Duration = Duration::from_millis(500);
const GRACE: Duration = Duration::from_secs(1);
/// A process that hangs in the system cannot be ended before the system is done.
const HANG: Duration = Duration::from_millis(900);

const PROMPT: [&str; 5] = ["run", "demo.sterna", "ROMEO:\n", "-n", "12"];

/// The code of an error; `right` after golden's text.
fn outcome(output: &Output, right: &str) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {
            assert_eq!(String::from_utf8_lossy(&output.stdout), right, "a wrong token");
            "right".into()
        }
        Some(1) => {
            let code = err.strip_prefix("error[").and_then(|err| err.split_once("]: "));
            let (code, message) = code.unwrap_or_else(|| panic!("{err}"));
            assert!(message.contains(';'), "what to do is missing: {err}");
            // What was printed before is right.
            assert!(right.starts_with(&*String::from_utf8_lossy(&output.stdout)));
            code.into()
        }
        code => panic!("exit code {code:?}: {err}"),
    }
}

/// One fault on a fresh card, and what each run says until one after the error is right; and how
/// long an error took.
fn cell(desk: &mut Desk, right: &str, fault: Fault) -> (String, Duration) {
    desk.start(&["--fault", &fault.to_string()]);
    let run = desk.with_card(&PROMPT);
    let run = [&run[..], &["--card-timeout", "0.5"]].concat();
    let (mut told, mut slowest) = (vec![], Duration::ZERO);
    for _ in 0..3 {
        let begin = Instant::now();
        let outcome = outcome(&desk.command(&run).output().unwrap(), right);
        let took = begin.elapsed();
        assert!(took < DEADLINE + GRACE, "{fault}: {outcome} after {took:?}");
        let right = outcome == "right";
        if !right {
            slowest = slowest.max(took);
        }
        told.push(outcome);
        if right && told.len() > 1 {
            break;
        }
        if !right && fault.kind == Kind::Gone {
            desk.start(&[]);
        }
    }
    assert_eq!(told.last().map(String::as_str), Some("right"), "{fault}: {told:?}");
    (told.join(", then "), slowest)
}

#[test]
fn every_fault_is_told_or_survived() {
    let test = "every_fault_is_told_or_survived";
    let kinds = Kind::ALL.map(|kind| match kind {
        Kind::Hang(_) => Kind::Hang(HANG),
        kind => kind,
    });
    let pairs = kinds.into_iter().flat_map(|kind| Phase::ALL.map(|phase| Fault::new(kind, phase)));
    let mut faults: Vec<Fault> = pairs.collect();
    // In the middle of a run.
    for kind in [Kind::Reset, Kind::Memory, Kind::Eio, Kind::Restart, Kind::Stuck] {
        faults.extend([17, 19, 21].map(|skip| Fault { skip, ..Fault::new(kind, Phase::Start) }));
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(vec![]));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let Some(mut desk) = fuse_without_card(test) else { return };
                let right = desk.text(&PROMPT);
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let Some(&fault) = faults.get(n) else { break };
                    let (told, took) = cell(&mut desk, &right, fault);
                    done.lock().unwrap().push((n, format!("{fault}: {told}"), took));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort();
    done.iter().for_each(|(_, line, _)| println!("{line}"));
    let slowest = done.iter().map(|(.., took)| took).max();
    println!("errors took {slowest:?} at most, with a deadline of {DEADLINE:?}");
    let told = |code: &str| done.iter().any(|(_, line, _)| line.contains(code));
    for code in ["X005", "X006", "X009", "X011", "X012", "C003", "C006", "C016", "C106"] {
        assert!(done.is_empty() || told(code), "nobody said {code}");
    }
}
