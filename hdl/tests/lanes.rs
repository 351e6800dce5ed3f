//! Where lanes change their number: on-chip memories, and row groups on their way to the epilogue.

mod common;

use std::collections::VecDeque;

use common::parts::{Source, lanes, pulse, ready, signed_lanes};
use common::{seed, signed};
use sterna_hdl::core::{Elements, LaneMemory, READ};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

/// A word of random lanes, none of them likely to be another one's.
fn word(rng: &mut Rng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| rng.next_u64()).collect();
    Bits::from_limbs(width, &limbs)
}

/// A read that is under way: its lanes, and whether it is a wide one.
type Read = Option<(bool, Bits)>;

/// Random writes and reads, both in every clock, of which none meet.
fn memory(of: &LaneMemory, rng: &mut Rng, clocks: u32) {
    let mut sim = mutate::bench(&of.build().unwrap());
    sim.reset();
    let mut held = vec![Bits::zero(of.width); of.lanes.next_multiple_of(of.store as usize)];
    let (writes, reads) = (held.len() / of.write as usize, held.len() / of.narrow as usize);
    let mut under_way: VecDeque<Read> = vec![None; READ].into();
    // The first time around in order, so that every lane is known.
    let whither = |clock: u32, rng: &mut Rng| match (clock as usize) < writes {
        true => (true, clock as usize),
        false => (rng.one_in(2), rng.below(writes as u64) as usize),
    };
    let mut present = whither(0, rng);
    for clock in 0..clocks {
        let (write, to) = present;
        present = whither(clock + 1, rng);
        let data = word(rng, of.write * of.width);
        let at = rng.below(reads as u64) as usize;
        let (wide, count) = if rng.one_in(2) { (true, of.wide) } else { (false, of.narrow) };
        let first = (at * of.narrow as usize) / count as usize * count as usize;
        // A part is a write's width: neither may lie within the other.
        let part = |lane: usize| lane / of.write as usize;
        let read_parts = part(first)..=part(first + count as usize - 1);
        // A read reaches the RAMs a clock later, beside the next write.
        let meets = present.0 && read_parts.contains(&present.1);
        let read = !meets && !rng.one_in(4);
        sim.poke("write", write);
        sim.poke("write_at", to);
        sim.poke("data", data.clone());
        sim.poke("read_narrow", read && !wide);
        sim.poke("read_wide", read && wide);
        sim.poke("read_at", at);
        let due = under_way.pop_front().flatten();
        if let Some((wide, want)) = due {
            let got = sim.peek(if wide { "wide" } else { "narrow" });
            assert_eq!(got, want, "{of:?}, clock {clock}, wide {wide}");
        }
        sim.step();
        if write {
            for i in 0..of.write {
                let lane = to * of.write as usize + i as usize;
                held[lane] = data.slice(i * of.width, of.width);
            }
        }
        let lanes = held[first..first + count as usize].iter().cloned();
        let whole = lanes.reduce(|low, high| high.concat(&low)).unwrap();
        under_way.push_back(read.then_some((wide, whole)));
    }
}

/// Every shape of memory that a core has: vectors, operands, codes, state.
#[test]
fn lane_memory() {
    let mut rng = Rng::new(seed());
    for (v, q, bus) in
        [(1, 8, 64), (2, 4, 64), (2, 8, 64), (2, 16, 128), (8, 16, 512), (4, 32, 256)]
    {
        let vector = LaneMemory { width: 32, lanes: 96, store: q, write: v, narrow: v, wide: q };
        let row = q.max(bus / 16);
        let operand = LaneMemory {
            width: 16,
            lanes: 160,
            store: row,
            write: bus / 16,
            narrow: v.min(bus / 16),
            wide: q,
        };
        let codes =
            LaneMemory { width: 8, lanes: 256, store: bus / 8, write: q, narrow: q, wide: bus / 8 };
        let state = LaneMemory { width: 24, lanes: 64, store: v, write: v, narrow: v, wide: v };
        for of in [vector, operand, codes, state] {
            memory(&of, &mut rng, 400);
        }
    }
    let small = LaneMemory { width: 4, lanes: 16, store: 4, write: 2, narrow: 1, wide: 4 };
    insta::assert_snapshot!("lane_memory", small.build().unwrap().verilog());
}

/// Rows of two parts: one with two narrow reads in a part, and the core's codes, with one.
const TWO_PARTS: [LaneMemory; 2] = [
    LaneMemory { width: 8, lanes: 32, store: 4, write: 2, narrow: 1, wide: 4 },
    LaneMemory { width: 8, lanes: 256, store: 8, write: 4, narrow: 4, wide: 8 },
];

#[test]
fn a_read_that_meets_a_write_is_noticed() {
    for of in TWO_PARTS {
        let mut sim = mutate::bench(&of.build().unwrap());
        let a_part = of.write / of.narrow;
        // The part that a read begins in, the one that is written, whether they meet.
        for (read, part, within, written, meets) in [
            ("read_narrow", 2, 0, 2, true),
            ("read_narrow", 2, a_part - 1, 2, true),
            ("read_narrow", 3, 0, 2, false),
            ("read_narrow", 2, a_part - 1, 3, false),
            ("read_narrow", 3, 0, 3, true),
            ("read_narrow", 2, 0, 0, false),
            ("read_wide", 2, 0, 2, true),
            ("read_wide", 2, 0, 3, true),
            ("read_wide", 3, a_part - 1, 4, false),
            ("", 2, 0, 2, false),
            ("", 3, 0, 3, false),
        ] {
            sim.poke("read_narrow", 0);
            sim.poke("read_wide", 0);
            sim.poke("write", 0);
            sim.poke("read_at", part * a_part + within);
            sim.reset();
            if !read.is_empty() {
                sim.poke(read, 1);
                sim.step();
                sim.poke(read, 0);
            }
            sim.poke("write", 1);
            sim.poke("write_at", written);
            assert_eq!(sim.try_step().is_err(), meets, "{of:?}: {read} of {part}, {written}");
        }
    }
}

/// What was read stays until the next read, though something else is written there meanwhile.
#[test]
fn what_was_read_stays() {
    let mut rng = Rng::new(seed());
    for of in TWO_PARTS {
        let mut sim = mutate::bench(&of.build().unwrap());
        sim.reset();
        let mut write = |sim: &mut Interpreter| {
            let parts = [(); 2].map(|()| word(&mut rng, of.write * of.width));
            for (part, data) in parts.iter().enumerate() {
                sim.poke("write", 1);
                sim.poke("write_at", 2 + part);
                sim.poke("data", data.clone());
                sim.step();
            }
            sim.poke("write", 0);
            parts[1].concat(&parts[0])
        };
        let before = write(&mut sim);
        sim.poke("read_at", of.store / of.narrow);
        sim.poke("read_wide", 1);
        sim.step();
        sim.poke("read_wide", 0);
        for _ in 1..READ {
            sim.step();
        }
        for _ in 0..4 {
            assert_eq!(sim.peek("wide"), before, "{of:?}");
            write(&mut sim);
        }
    }
}

#[test]
fn lanes_have_to_divide_one_another() {
    let sound = LaneMemory { width: 8, lanes: 32, store: 8, write: 2, narrow: 2, wide: 8 };
    assert!(sound.build().is_ok());
    for refused in [
        LaneMemory { store: 6, ..sound },
        LaneMemory { narrow: 4, ..sound },
        LaneMemory { wide: 16, ..sound },
        LaneMemory { write: 16, ..sound },
        LaneMemory { wide: 1, ..sound },
    ] {
        let error = refused.build().unwrap_err().to_string();
        assert!(error.contains("lanes do not divide one another"), "{error}");
    }
}

/// Rows of `parts` matrices into steps of `ways`; returns the clocks that it took.
fn elements(
    sim: &mut Interpreter,
    rng: &mut Rng,
    ways: u32,
    (rows, parts, single): (usize, u32, bool),
    idle: u64,
) -> u64 {
    let rubbish = |rng: &mut Rng| signed(rng, 22);
    let mut groups = vec![];
    let mut due = VecDeque::new();
    for _ in 0..parts {
        let all: Vec<i64> = (0..rows).map(|_| signed(rng, 22)).collect();
        due.extend(all.iter().copied());
        for group in all.chunks(5) {
            let padding: Vec<i64> = (group.len()..5).map(|_| rubbish(rng)).collect();
            groups.push(lanes(22, group.iter().copied().chain(padding)));
        }
    }
    // What belongs to the next instruction waits outside.
    groups.push(lanes(22, [0; 5]));
    let mut source = Source::new(110, groups, idle);
    sim.poke("rows", rows);
    sim.poke("parts", parts);
    sim.poke("single", single);
    pulse(sim, "load");
    sim.poke("rows", rng.below(1 << 21));
    sim.poke("parts", rng.below(4));
    sim.poke("single", rng.below(2));
    let start = sim.cycle();
    let mut may = false;
    while sim.u64("ended") == 0 {
        assert!(sim.cycle() - start < 1000 + 40 * rows as u64, "stuck, {} to come", due.len());
        source.offer(sim, rng, "group");
        let might = std::mem::replace(&mut may, ready(rng, idle));
        sim.poke("may", may);
        source.taken(sim, "group");
        if sim.u64("take") == 1 {
            assert!(might, "cycle {}", sim.cycle());
            let count = if single { 1 } else { ways as usize };
            let want: Vec<i64> = due.drain(..count).collect();
            assert_eq!(sim.i64("first"), want[0], "cycle {}", sim.cycle());
            let got = signed_lanes(22, &sim.peek("step"));
            assert_eq!(got[..count], want, "cycle {}", sim.cycle());
        }
        sim.step();
    }
    assert!(due.is_empty(), "{} rows were lost", due.len());
    assert_eq!(source.words.len(), 1, "groups of the next instruction stay outside");
    sim.cycle() - start
}

#[test]
fn elements_of_every_length() {
    let mut rng = Rng::new(seed());
    for ways in [1, 2, 4, 8] {
        let mut sim = mutate::bench(&Elements { ways, slots: 1 }.build().unwrap());
        sim.reset();
        assert_eq!((sim.u64("ended"), sim.u64("group_ready")), (1, 0), "nothing is due");
        for turn in 0..24 {
            let single = turn % 3 == 2;
            let rows = match single {
                true => [1, 2, 4, 5, 6, 37, 50][rng.below(7) as usize],
                false => 32 * (1 + rng.below(4) as usize),
            };
            let parts = if single { 1 } else { 1 + rng.below(2) as u32 };
            let idle = [0, 2, 4][turn / 3 % 3];
            let clocks = elements(&mut sim, &mut rng, ways, (rows, parts, single), idle);
            if idle == 0 {
                let step = if single { 1 } else { ways as u64 };
                let steps = (rows as u64 * u64::from(parts)).div_ceil(step.min(5));
                assert!(clocks <= steps + 4, "{clocks} clocks, {rows} rows of {ways} ways");
            }
        }
        if ways == 2 {
            // A head has more rows than 16 bits count.
            elements(&mut sim, &mut rng, ways, (0x1_0002, 1, false), 0);
        }
    }
    insta::assert_snapshot!("elements", Elements { ways: 1, slots: 1 }.build().unwrap().verilog());
}
