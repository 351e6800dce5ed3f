//! Every fault in every phase.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sterna_rtl::random::Rng;
use sterna_sim::fake_card::{Fault, Kind, Phase};

use crate::bench::{Bench, DEADLINE, Desk, Way};

/// What an error may take beyond the deadline.
const GRACE: Duration = Duration::from_secs(1);
/// What a job may take at most before it counts as hung.
const HUNG: Duration = Duration::from_secs(30);

/// What a fault did.
struct Met {
    /// `right`, or the code of an error; after `then`, if only the second job was hit; `-` if none.
    what: String,
    hits: u32,
    /// The longest that a job with an error took.
    took: Duration,
}

/// One job, in time; the same card after it, healed; and the next job.
fn jobs(bench: &Bench, desk: &Desk, fault: Fault) -> Met {
    let mut met = Met { what: "-".into(), hits: 0, took: Duration::ZERO };
    for job in ["", "then "] {
        let begin = Instant::now();
        let mut card = None;
        let result = bench.open(desk).and_then(|opened| bench.work(card.insert(opened)));
        let took = begin.elapsed();
        met.hits = desk.fake.hits();
        assert!(took < DEADLINE + GRACE, "{fault}: {result:?} after {took:?}");
        if result.is_err() {
            met.took = met.took.max(took);
        }
        if met.hits > 0 {
            met.what = format!("{job}{}", result.err().unwrap_or("right"));
            desk.fake.heal();
            if let Some(card) = &mut card {
                let mut again = bench.work(card);
                // What came after all had been read is found now.
                let late = match fault.kind {
                    Kind::Memory => Err("C106"),
                    Kind::Reset => Err("C016"),
                    _ => Ok(()),
                };
                if result.is_ok() && again == late {
                    again = bench.work(card);
                }
                assert_eq!(again, Ok(()), "{fault}: the same card again");
            }
            break;
        }
        assert_eq!(result, Ok(()), "{fault}: nothing was hit");
    }
    desk.fake.heal();
    let next = bench.open(desk).and_then(|mut card| bench.work(&mut card));
    assert_eq!(next, Ok(()), "{fault}: the next job");
    met
}

/// The same on a fresh card, in a thread of its own, as it may hang.
fn cell(bench: &Arc<Bench>, way: Way, fault: Fault) -> Result<Met, String> {
    let (sender, result) = channel();
    let bench = Arc::clone(bench);
    thread::spawn(move || {
        let all = || {
            let desk = bench.desk(way);
            desk.fake.inject(fault);
            jobs(&bench, &desk, fault)
        };
        let _ = sender.send(catch_unwind(AssertUnwindSafe(all)));
    });
    match result.recv_timeout(HUNG) {
        Ok(Ok(met)) => Ok(met),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            Err(format!("{way:?} {fault}: {}", text.unwrap_or_default()))
        }
        Err(_) => Err(format!("{way:?} {fault}: hangs")),
    }
}

/// All of them, by several threads; fails with everything that is wrong.
fn all(way: Way, faults: &[Fault]) -> Vec<Met> {
    let (bench, next) = (Arc::new(Bench::new()), AtomicUsize::new(0));
    let done = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let Some(&fault) = faults.get(n) else { break };
                    let met = cell(&bench, way, fault);
                    done.lock().unwrap().push((n, met));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(n, _)| *n);
    let wrong: Vec<&String> = done.iter().filter_map(|(_, met)| met.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let met: Vec<Met> =
        done.into_iter().map(|(_, met)| met.unwrap_or_else(|_| unreachable!())).collect();
    let slowest = met.iter().map(|met| met.took).max();
    println!("{way:?}: errors took {slowest:?} at most, with a deadline of {DEADLINE:?}");
    met
}

fn every(mut skip: impl FnMut() -> u32) -> Vec<Fault> {
    let kinds = Kind::ALL.into_iter();
    let pairs = kinds.flat_map(|kind| Phase::ALL.map(|phase| Fault::new(kind, phase)));
    pairs.map(|fault| Fault { skip: skip(), ..fault }).collect()
}

fn table(met: &[Met]) -> String {
    let mut text = format!("{:9}", "");
    for phase in Phase::ALL {
        write!(text, " {:10}", phase.name()).unwrap();
    }
    for (kind, row) in Kind::ALL.iter().zip(met.chunks(Phase::ALL.len())) {
        write!(text, "\n{:9}", kind.name()).unwrap();
        for met in row {
            write!(text, " {:10}", met.what).unwrap();
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The first operation that a fault can hit once its phase has come. Each hits something, the
/// late ones in the next job.
#[test]
fn every_fault_in_every_phase() {
    for way in Way::ALL {
        let met = all(way, &every(|| 0));
        let text = table(&met);
        println!("{way:?}\n{text}");
        assert!(met.iter().all(|met| met.hits > 0), "each can hit");
        insta::assert_snapshot!(format!("{way:?}").to_lowercase(), text);
    }
}

/// Later operations of each phase, some of them at random.
#[test]
fn every_fault_at_later_operations() {
    let seed = std::env::var("STERNA_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    let mut rng = Rng::new(seed);
    for way in Way::ALL {
        let mut hits = 0;
        let mut faults = every(|| 1);
        faults.extend(every(|| 3));
        for most in [10, 40, 200] {
            faults.extend(every(|| rng.below(most) as u32));
        }
        for (fault, met) in faults.iter().zip(all(way, &faults)) {
            hits += u32::from(met.hits > 0);
            println!("{way:?} {fault}: {}", met.what);
        }
        println!("{way:?}: {hits} of {} faults hit", faults.len());
        assert!(hits as usize > faults.len() / 2);
    }
}

/// Every reason that a core can stop for, some that there are not, and troubles that come often.
#[test]
fn reasons_and_troubles_that_recur() {
    let mut faults: Vec<Fault> =
        (0..=15).chain([255]).map(|code| Fault::new(Kind::Core(code), Phase::Run)).collect();
    for kind in Kind::ALL {
        for (skip, count) in [(0, 2), (2, 3), (9, 12)] {
            let phases = [Phase::Load, Phase::Start, Phase::Run, Phase::Read];
            faults.extend(phases.map(|phase| Fault { skip, count, ..Fault::new(kind, phase) }));
        }
    }
    // A link that is back at once: what was written meanwhile is lost, mapped even without a word.
    for kind in [Kind::Gone, Kind::Reset] {
        let lost = (0..40).map(|skip| Fault { skip, count: 1, ..Fault::new(kind, Phase::Start) });
        faults.extend(lost);
    }
    // Whichever command never ends, of two jobs, what is told is not of the run before it.
    let stuck = (0..100).step_by(9);
    faults.extend(stuck.map(|skip| Fault { skip, ..Fault::new(Kind::Stuck, Phase::Start) }));
    for way in Way::ALL {
        let met = all(way, &faults);
        for (fault, met) in faults.iter().zip(&met) {
            println!("{way:?} {fault}: {}", met.what);
            if fault.kind == Kind::Gone && fault.count == 1 {
                // It is not taken for a damaged image.
                assert!(["right", "C016", "X012"].contains(&met.what.as_str()), "{fault}");
            }
        }
        // Every code of the core is told as what it is, and those that there are not as well.
        let told: Vec<&str> = met[..17].iter().map(|met| met.what.as_str()).collect();
        let mut expected: Vec<String> = (1..=13).map(|code| format!("C1{code:02}")).collect();
        expected.insert(0, "C013".into());
        expected.extend(["C013"; 3].map(String::from));
        assert_eq!(told, expected, "{way:?}");
    }
}
