//! The timing model by itself, over random shapes and cores. That it is the core's timing is what
//! every simulated session compares; `tests/core` runs those.

use sterna_firmware::device::{Counters, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_firmware::shape::Shape;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::Case;
use sterna_sim::timing::{Ideal, Pass, Seen, Source, Timing, Traffic, differences};

/// Random cores with a model each; the seed is printed.
fn cases(count: u64) -> impl Iterator<Item = (Timing, Geometry, Shape, Rng)> {
    let seed = std::env::var("STERNA_SEED").ok().and_then(|v| v.parse().ok()).unwrap_or(20);
    println!("STERNA_SEED={seed}");
    Case::seeds(seed, count, count.div_ceil(8)).map(|seed| {
        let case = Case::new(seed);
        println!("{case}");
        let shape = Shape::of(&case.spec.config().unwrap());
        let timing = Timing::new(&case.geometry, &shape).unwrap();
        (timing, case.geometry, shape, Rng::new(seed))
    })
}

fn sum(of: Counters) -> u64 {
    of.beats + of.starved + of.blocked + of.idle
}

/// Every clock is one of four kinds and belongs to one instruction; all beats are taken.
#[test]
fn the_account_is_whole() {
    for (timing, _, shape, mut rng) in cases(200) {
        let memory = Ideal::new(1 + rng.below(200) as u32);
        let mut run = timing.run(Source::Ideal(memory), 1000);
        let mut begin = 1000;
        for want in [Want::Top, Want::Logits, Want::State, Want::Top] {
            let token = rng.below(shape.vocab as u64) as u32;
            let pass = run.pass(token, want);
            assert_eq!(pass.begin, begin);
            assert_eq!(pass.counters.cycles, pass.end + 1 - pass.begin);
            assert_eq!(sum(pass.counters), pass.counters.cycles);
            if want != Want::State {
                assert_eq!(pass.counters.beats, timing.beats());
            }
            let mut total = Counters::default();
            for (_, _, counters) in pass.kinds() {
                assert_eq!(sum(counters), counters.cycles);
                total += counters;
            }
            assert_eq!(total, pass.counters);
            in_order(&pass);
            begin = pass.end + 1;
        }
    }
}

fn in_order(pass: &Pass) {
    for pair in pass.instructions.windows(2) {
        let [a, b] = [&pair[0], &pair[1]];
        assert!(a.start < a.read && a.read < b.start && a.end < b.end, "{a:?} {b:?}");
        // The epilogue holds one instruction at a time.
        assert!(b.handed.unwrap() > a.end || a.opcode == Opcode::Start, "{a:?} {b:?}");
        assert!(b.codes.unwrap() < b.read && b.handed.unwrap() < b.end, "{b:?}");
    }
    let last = pass.instructions.last().unwrap();
    assert!(last.read < last.end && last.end <= pass.done && pass.done <= pass.end);
}

/// What a core would have done that is as predicted.
fn seen(timing: &Timing, geometry: &Geometry, shape: &Shape, memory: Ideal) -> Seen {
    let mut run = timing.run(Source::Ideal(memory), 500);
    let mut seen = Seen::default();
    for token in [1, 0] {
        run.trace = Some(vec![]);
        let pass = run.pass(token, Want::Top);
        seen.begins.push(pass.begin);
        seen.done.push(pass.done);
        seen.beats.extend(run.trace.take().unwrap());
        for clocks in &pass.instructions {
            let (Some(codes), Some(handed)) = (clocks.codes, clocks.handed) else { continue };
            let columns = clocks.opcode.dimensions(shape).1.next_multiple_of(64) as u64;
            seen.codes.extend(codes..codes + columns / u64::from(geometry.quantisers));
            seen.handed.push(handed);
            seen.ended.push(clocks.end);
        }
    }
    seen
}

/// One clock more, or one event less, is found and named.
#[test]
fn a_clock_that_was_not_predicted_is_found() {
    let memory = Ideal::new(40);
    let passes = [(vec![Some(1)], Want::Top), (vec![Some(0)], Want::Top)];
    for (timing, geometry, shape, mut rng) in cases(8) {
        let sound = seen(&timing, &geometry, &shape, memory);
        let found =
            |seen: &Seen| differences(&timing, &passes, seen, &Traffic::default(), Some(memory)).1;
        assert_eq!(found(&sound), vec![]);

        let mut late = sound.clone();
        let at = rng.below(late.beats.len() as u64) as usize;
        late.beats[at] += 1;
        let (list, expected) =
            (found(&late), Some(sound.beats[at] - sound.begins[at / (timing.beats() as usize)]));
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!((list[0].what, list[0].expected), ("beat taken", expected));

        let mut early = sound.clone();
        let at = rng.below(early.ended.len() as u64) as usize;
        early.ended[at] -= 1;
        let list = found(&early);
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!((list[0].what, list[0].got), ("end", list[0].expected.map(|clock| clock - 1)));
        assert_eq!(list[0].pass, at / (6 * shape.layers + 1));

        let mut late = sound.clone();
        late.handed[1] += 1;
        late.codes[0] += 1;
        let names: Vec<_> = found(&late).iter().map(|d| (d.what, d.opcode)).collect();
        assert_eq!(names, [("codes written", Opcode::MixI), ("handed on", Opcode::MixF)]);

        let mut short = sound.clone();
        short.done.pop();
        let list = found(&short);
        assert_eq!((list.len(), list[0].what, list[0].got), (1, "pass done", None));
    }
}

/// A memory that gives half a beat a clock takes twice the clocks of the beats at least, and never
/// fewer than one that is faster.
#[test]
fn a_slower_memory_is_never_faster() {
    for (timing, ..) in cases(100) {
        let cycles = |latency, spacing| timing.token(Ideal { latency, spacing }).counters.cycles;
        let one = 1 << Ideal::FRACTION;
        let fast = cycles(20, one);
        assert!(cycles(90, one) >= fast);
        let slow = cycles(20, 2 * one);
        assert!(slow >= fast && slow >= 2 * timing.beats(), "{slow} {fast}");
    }
}

/// The published models on the widest bus, a beat a clock after 60 clocks: what docs/core.md says.
#[test]
fn published_models_reach_their_roofline() {
    let shape = |hidden, intermediate, layers| Shape {
        hidden,
        inner: hidden,
        intermediate,
        layers,
        vocab: 32_000,
    };
    let mut text = String::new();
    for (name, shape) in [
        ("370m", shape(1024, 2816, 24)),
        ("1.3b", shape(2048, 5632, 24)),
        ("2.7b", shape(2560, 6912, 32)),
    ] {
        for bus in [64, 512] {
            let geometry = Geometry::for_shape(bus, &shape);
            let timing = Timing::new(&geometry, &shape).unwrap();
            let Counters { cycles, beats, starved, blocked, idle } =
                timing.token(Ideal::new(60)).counters;
            text += &format!(
                "{name} at {bus}: {cycles} = {beats} beats + {starved} starved + {blocked} \
                 blocked + {idle} idle\n"
            );
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn illegal_cores_are_refused() {
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 1, vocab: 9 };
    let sound = Geometry::for_shape(64, &shape);
    assert!(Timing::new(&sound, &shape).is_ok());
    assert!(Timing::new(&Geometry { ways: 3, ..sound.clone() }, &shape).is_err());
    assert!(Timing::new(&Geometry { hidden: 32, ..sound }, &shape).is_err());
}

/// Slots share the beats: what a pass takes beyond that of one token is little, and a core of
/// several slots takes no longer for one token than a core of one.
#[test]
fn slots_share_the_beats() {
    let shape = Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32_000 };
    let one = Geometry::for_shape(512, &shape);
    let memory = Ideal::new(60);
    let cycles = |geometry: &Geometry, slots| {
        let timing = Timing::new(geometry, &shape).unwrap();
        timing.tokens(memory, slots).counters.cycles
    };
    let alone = cycles(&one, 1);
    for slots in [2, 4, 8] {
        let geometry = one.clone().with_slots(slots);
        let (single, all) = (cycles(&geometry, 1), cycles(&geometry, slots as usize));
        println!("{slots} slots: {single} clocks of one token, {all} of all; {alone} without");
        assert!(single <= alone + alone / 1000, "{slots} slots, one token");
        let most = if slots == 8 { 112 } else { 108 };
        assert!(100 * all <= most * alone, "{slots} slots");
    }
}
