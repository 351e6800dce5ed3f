//! Loads whose energy is known, through sensor, sampler, recording and analysis: the error is
//! within half a per cent or within the bar that is stated, whichever is more.

mod bench;

use bench::{Bench, DECODE, Load, PROMPT, Sensor, TOKENS, analyse, moments, unit};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sterna_power::Quantity;
use sterna_power::analysis::{Figure, Window, needed};

const RUNS: u32 = 5;
const IDLE: f64 = 3.0;

fn sensor() -> Sensor {
    Sensor {
        interval: 0.05,
        phase: 0.013,
        averages: false,
        quantity: Quantity::Power,
        takes: 0.0,
        fails: vec![],
    }
}

fn clock(seed: u64) -> Bench {
    Bench::new(0.0, ChaCha8Rng::seed_from_u64(seed))
}

/// Idle, with `work` as the load of each run: `(share of the run, watts)`.
fn load(work: &[(f64, f64)]) -> Load {
    let mut points = vec![(-10.0, IDLE)];
    for run in 0..RUNS {
        let [_, load, _, last] = moments(run);
        points.push((load, IDLE));
        points.extend(work.iter().map(|&(at, watts)| (load + at * (last - load), watts)));
        points.push((last, IDLE));
    }
    Load(points)
}

/// A square wave of so many periods in a run.
fn square(periods: usize) -> Load {
    let edge = |n: usize| (n + 1) as f64 / (2 * periods) as f64;
    let mut work = vec![(0.0, 9.0)];
    for n in 0..2 * periods - 1 {
        let (now, then) = if n % 2 == 0 { (9.0, 5.0) } else { (5.0, 9.0) };
        work.extend([(edge(n), now), (edge(n), then)]);
    }
    work.push((1.0, 5.0));
    load(&work)
}

fn windows(load: &Load, sensor: &Sensor, clock: &Bench) -> Vec<Window> {
    let analysis = analyse(load, sensor, RUNS, clock);
    let known = |run: &sterna_power::analysis::RunEnergy| match &run.decode {
        Figure::Known(window) => Some(window.clone()),
        Figure::Refused(_) => None,
    };
    analysis.meters[0].runs.iter().filter_map(known).collect()
}

/// Checks each window; returns the largest error and the largest bar, as shares.
fn check(what: &str, load: &Load, sensor: &Sensor, clock: &Bench) -> (f64, f64) {
    let windows = windows(load, sensor, clock);
    assert_eq!(windows.len(), RUNS as usize, "{what}: a run has no figure");
    let (mut most, mut widest) = (0f64, 0f64);
    for window in windows {
        let truth = load.joules(window.from, window.to);
        let error = (window.gross_j - truth).abs();
        let bar = window.bar.total();
        assert!(
            error <= bar.max(0.005 * truth),
            "{what}: {} J, in truth {truth} J, bar {:?}",
            window.gross_j,
            window.bar
        );
        let net = truth - IDLE * (window.to - window.from);
        let net_error = (window.net_j_per_token.unwrap() * window.tokens as f64 - net).abs();
        let net_bar = window.net_bar.unwrap() * window.tokens as f64;
        assert!(
            net_error <= net_bar.max(0.005 * net),
            "{what}: net {net_error} J, bar {net_bar} J"
        );
        most = most.max(error / truth);
        widest = widest.max(bar / truth);
    }
    (most, widest)
}

#[test]
fn a_constant_load_is_exact() {
    let (error, bar) = check("constant", &load(&[(0.0, 7.0), (1.0, 7.0)]), &sensor(), &clock(1));
    // Only the edges, where the load ends, can be off.
    assert!(error < 0.005 && bar < 0.04, "error {error}, bar {bar}");
    let always = Load(vec![(-10.0, 4.0), (100.0, 4.0)]);
    let windows = windows(&always, &sensor(), &clock(1));
    for window in windows {
        let each = 4.0 * DECODE / (TOKENS - 1) as f64;
        assert!((window.gross_j_per_token - each).abs() < 1e-9, "{window:?}");
        assert!(window.bar.total() < 1e-9 && (window.watts - 4.0).abs() < 1e-9, "{window:?}");
    }
}

#[test]
fn a_ramp_is_within_half_a_per_cent() {
    let ramp = load(&[(0.0, 4.0), (1.0, 10.0)]);
    for averages in [false, true] {
        let (error, _) = check("ramp", &ramp, &Sensor { averages, ..sensor() }, &clock(2));
        assert!(error < 0.005, "error {error}");
    }
}

#[test]
fn a_square_wave_is_within_its_bar() {
    // Some slower than the sensor, one quicker, which only a sensor that averages sees.
    for (periods, averages) in [(2, false), (9, false), (9, true), (400, true)] {
        let sensor = Sensor { averages, ..sensor() };
        let what = format!("{periods} periods, averages: {averages}");
        let (error, bar) = check(&what, &square(periods), &sensor, &clock(3));
        println!("{what}: error {:.3} %, bar {:.2} %", 100.0 * error, 100.0 * bar);
        assert!(bar < 0.1, "{what}: a bar of {bar} says nothing");
    }
}

#[test]
fn a_counter_of_joules_is_exact_but_for_its_edges() {
    let sensor = Sensor { quantity: Quantity::Energy, interval: 0.01, ..sensor() };
    for load in [square(400), load(&[(0.0, 4.0), (1.0, 10.0)])] {
        let (error, bar) = check("counter", &load, &sensor, &clock(4));
        assert!(error < 0.005 && bar < 0.02, "error {error}, bar {bar}");
    }
}

#[test]
fn jitter_widens_the_bar_and_no_more() {
    let sensor = Sensor { takes: 0.02, ..sensor() };
    let clock = Bench::new(0.03, ChaCha8Rng::seed_from_u64(5));
    let (_, bar) = check("jitter", &square(4), &sensor, &clock);
    let (_, calm) = check("calm", &square(4), &self::sensor(), &self::clock(5));
    assert!(bar > calm, "bar {bar}, without jitter {calm}");
}

#[test]
fn dropouts_are_in_the_bar() {
    let mut sensor = sensor();
    for run in 0..RUNS {
        let [_, _, first, _] = moments(run);
        sensor.fails.push((first + 1.1, first + 1.7));
    }
    let load = load(&[(0.0, 4.0), (0.5, 10.0), (1.0, 4.0)]);
    check("dropouts", &load, &sensor, &clock(6));
    for window in windows(&load, &sensor, &clock(6)) {
        assert!(window.bar.gaps > 0.0 && (0.1..0.2).contains(&window.missing), "{window:?}");
    }
}

#[test]
fn a_sensor_that_vanishes_gives_no_number() {
    let [_, _, first, _] = moments(3);
    let vanished = Sensor { fails: vec![(first + 1.0, 1e9)], ..sensor() };
    let analysis = analyse(&load(&[(0.0, 7.0), (1.0, 7.0)]), &vanished, RUNS, &clock(7));
    let meter = &analysis.meters[0];
    let figures: Vec<bool> = meter.runs.iter().map(|run| run.decode.known().is_some()).collect();
    assert_eq!(figures, [true, true, true, false, false]);
    // It is said once, not at every sample.
    assert_eq!(meter.troubles.len(), 1, "{:?}", meter.troubles);
    assert_eq!(meter.troubles[0].code, "W004");
    let Figure::Refused(why) = &meter.summary else { panic!("{:?}", meter.summary) };
    insta::assert_snapshot!(why);
}

#[test]
fn few_samples_give_no_number() {
    let slow = Sensor { interval: 0.5, ..sensor() };
    let analysis = analyse(&load(&[(0.0, 7.0), (1.0, 7.0)]), &slow, RUNS, &clock(8));
    let run = &analysis.meters[0].runs[0];
    let Figure::Refused(why) = &run.decode else { panic!("{:?}", run.decode) };
    insta::assert_snapshot!(why);
    assert!(matches!(&analysis.meters[0].summary, Figure::Refused(_)));
}

/// What is said to be needed is enough, for a meter of any rate.
#[test]
fn what_is_needed_is_enough() {
    for interval in [0.02, 0.12, 1.0] {
        let (decode, rest) = needed(interval);
        let times = [0.0, rest, rest + 0.1, rest + 0.1 + decode];
        let load =
            Load(vec![(-10.0, IDLE), (rest, IDLE), (rest, 7.0), (times[3], 7.0), (times[3], IDLE)]);
        let sensor = Sensor { interval, phase: 0.3 * interval, averages: true, ..sensor() };
        let analysis = bench::analyse_run(&load, &sensor, times, rest, &clock(12));
        let run = &analysis.meters[0].runs[0];
        assert!(run.decode.known().is_some() && run.idle.known().is_some(), "{run:?}");
        let idle = run.idle.known().unwrap();
        assert!(idle.before_w.is_some() && idle.after_w.is_some(), "{idle:?}");
    }
}

#[test]
fn a_median_needs_five_runs() {
    let steady = load(&[(0.0, 7.0), (1.0, 7.0)]);
    let four = analyse(&steady, &sensor(), 4, &clock(9));
    assert!(four.meters[0].runs.iter().all(|run| run.decode.known().is_some()));
    let Figure::Refused(why) = &four.meters[0].summary else { panic!() };
    assert_eq!(why, "4 of 4 runs have a figure, and a median needs 5");
    let five = analyse(&steady, &sensor(), 5, &clock(9));
    let summary = five.meters[0].summary.known().unwrap();
    let each = 7.0 * DECODE / (TOKENS - 1) as f64;
    assert!((summary.gross_j_per_token.median / each - 1.0).abs() < 0.005, "{summary:?}");
    let net = summary.net_j_per_token.unwrap();
    assert!((net.median / each - 4.0 / 7.0).abs() < 0.005, "{summary:?}");
    assert!(net.min <= net.median && net.median <= net.max);
    let rate = five.tokens_per_second.unwrap();
    assert!((rate.median - (TOKENS - 1) as f64 / DECODE).abs() < 1e-6);
    let prompt = summary.prompt_j_per_token;
    // Half a second has 10 samples at this rate.
    assert_eq!((prompt, PROMPT / 0.05), (None, 10.0));
}

#[test]
fn idle_power_that_drifts_is_in_the_bar() {
    let mut points = vec![(-10.0, IDLE)];
    for run in 0..RUNS {
        let [_, load, _, last] = moments(run);
        let warmer = |n: u32| IDLE + 0.2 * f64::from(n);
        points.extend([(load, warmer(run)), (load, 7.0), (last, 7.0), (last, warmer(run + 1))]);
    }
    let analysis = analyse(&Load(points), &sensor(), RUNS, &clock(10));
    for run in &analysis.meters[0].runs {
        let idle = run.idle.known().unwrap();
        let (before, after) = (idle.before_w.unwrap(), idle.after_w.unwrap());
        assert!((after - before - 0.2).abs() < 0.01 && idle.bar_w >= 0.1, "{idle:?}");
        let window = run.decode.known().unwrap();
        assert!(window.net_bar.unwrap() > window.gross_bar);
    }
}

/// Any load of straight lines that lies still for a while, any sensor.
#[test]
fn random_loads_stay_within_their_bars() {
    let seed = std::env::var("STERNA_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11);
    println!("STERNA_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for case in 0..60 {
        let interval = 0.01 + 0.09 * unit(&mut random);
        let pieces = 1 + random.next_u32() as usize % 12;
        let mut work = vec![];
        for piece in 0..pieces {
            let (from, to) = (piece as f64, (piece + 1) as f64);
            let (a, b) = (4.0 + 8.0 * unit(&mut random), 4.0 + 8.0 * unit(&mut random));
            work.extend([(from / pieces as f64, a), (to / pieces as f64, b)]);
        }
        let sensor = Sensor {
            interval,
            phase: interval * unit(&mut random),
            averages: random.next_u32() % 2 == 0,
            quantity: if random.next_u32() % 3 == 0 { Quantity::Energy } else { Quantity::Power },
            takes: 0.3 * interval * unit(&mut random),
            fails: vec![],
        };
        let clock = Bench::new(0.5 * interval * unit(&mut random), random.clone());
        check(&format!("seed {seed}, case {case}: {sensor:?}"), &load(&work), &sensor, &clock);
    }
}
