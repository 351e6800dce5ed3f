//! Instructions on their way to the epilogue, and the scales that they get there.

mod common;

use std::collections::VecDeque;

use common::parts::{pulse, ready};
use common::{seed, unsigned};
use sterna_firmware::isa::{Opcode, instructions};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Issue;
use sterna_hdl::units::NormScale;
use sterna_model::numerics::{NormConstants, Rescale, Scale, Statistics, Sums};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

const FIELDS: [(&str, u32); 5] =
    [("opcode", 4), ("rows", 21), ("frac", 5), ("state_frac", 5), ("last_layer", 1)];
const CONSTANTS: [&str; 3] = ["outer", "floor", "rescale"];

/// An instruction, its constants, and its scale.
struct Due {
    opcode: Opcode,
    fields: [u64; 5],
    constants: NormConstants,
}

fn gathers(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::MixG | Opcode::MixO | Opcode::Glu | Opcode::Down)
}

fn scale(rng: &mut Rng, around: i32) -> Scale {
    if rng.one_in(12) {
        return Scale::ZERO;
    }
    // Now and then any exponent.
    let (around, of) = if rng.one_in(8) { (0, 256) } else { (around, 24) };
    let exp = (around - of / 2 + rng.below(of as u64) as i32).clamp(-128, 127) as i8;
    Scale::unpack(rng.below(1 << 23) as u32 | 1 << 23 | u32::from(exp as u8) << 24).unwrap()
}

fn maxima(rng: &mut Rng) -> [u32; 3] {
    std::array::from_fn(|_| (unsigned(rng, 32) >> rng.below(32)) as u32)
}

/// Pokes statistics as raw sums or, with a prefix, as those of a row.
fn poke_maxima(sim: &mut Interpreter, prefix: &str, max: [u32; 3]) {
    for (j, max) in max.into_iter().enumerate() {
        sim.poke(&format!("{prefix}max_{j}"), max);
    }
}

/// Two layers and a head; when things come and go is random.
fn pass(sim: &mut Interpreter, rng: &mut Rng, idle: u64) {
    let shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 2, vocab: 2 };
    let mut coming: VecDeque<Due> = instructions(&shape)[1..]
        .iter()
        .map(|walk| {
            let mut fields = FIELDS.map(|(_, width)| unsigned(rng, width));
            fields[0] = walk.opcode as u64;
            let constants = NormConstants {
                outer: scale(rng, -30),
                floor: scale(rng, 20),
                rescale: scale(rng, -18),
            };
            Due { opcode: walk.opcode, fields, constants }
        })
        .collect();
    let mut inside: VecDeque<Due> = VecDeque::new();
    let mut offered = false;
    // Statistics come by `enter` first, then by `gather` after each instruction that makes some.
    let mut statistics: Option<Statistics> = None;
    let mut next: Option<(u64, bool)> = Some((rng.below(30), true));
    let mut gathering: Option<(u64, Statistics)> = None;
    sim.poke("begins", 1);
    sim.poke("in_valid", 0);
    sim.step();
    sim.poke("begins", 0);
    // `done` and `out_valid` of the clock before.
    let mut before = (false, false);
    let start = sim.cycle();
    while !coming.is_empty() || !inside.is_empty() {
        let cycle = sim.cycle() - start;
        assert!(cycle < 8000 + 40 * idle, "stuck with {} to come", coming.len());
        offered = !coming.is_empty() && (offered || ready(rng, idle));
        sim.poke("in_valid", offered);
        for (n, (name, width)) in FIELDS.into_iter().enumerate() {
            let value = if offered { coming[0].fields[n] } else { rng.below(1 << width) };
            sim.poke(&format!("in_{name}"), value);
        }
        for (n, name) in CONSTANTS.into_iter().enumerate() {
            let constants = coming.front().filter(|_| offered).map(|due| due.constants);
            let word = constants.map(|c| [c.outer, c.floor, c.rescale][n].pack());
            sim.poke(name, word.unwrap_or(rng.next_u64() as u32));
        }
        let take = ready(rng, idle);
        sim.poke("out_ready", take);
        for name in ["enter", "gather"] {
            sim.poke(name, 0);
        }
        if let Some((wait, enters)) = next {
            next = Some((wait.saturating_sub(1), enters));
            if wait == 0 {
                next = None;
                let max = maxima(rng);
                if enters {
                    let known = Statistics { a: scale(rng, 20), b: scale(rng, 20), max };
                    sim.poke("row_a", known.a.pack());
                    sim.poke("row_b", known.b.pack());
                    poke_maxima(sim, "row_", max);
                    sim.poke("enter", 1);
                    statistics = Some(known);
                } else {
                    let raw = |rng: &mut Rng| rng.bits(77).to_u128() >> rng.below(77);
                    let sums = Sums { a: raw(rng), b: raw(rng), max };
                    sim.poke("a", sums.a);
                    sim.poke("b", sums.b);
                    poke_maxima(sim, "", max);
                    sim.poke("gather", 1);
                    gathering = Some((cycle, sums.finish()));
                }
            }
        }
        // The sums as Scales, a fixed time after they came.
        let due =
            gathering.is_some_and(|(at, _)| cycle == at + u64::from(NormScale::gather_latency(1)));
        assert_eq!(sim.u64("gathered") == 1, due, "cycle {cycle}");
        if let (true, Some((_, known))) = (due, gathering.take_if(|_| due)) {
            let got = [sim.u64("a_mant") as i64, sim.i64("a_exp"), sim.u64("b_mant") as i64];
            let want = [known.a.mant().into(), known.a.exp().into(), known.b.mant().into()];
            assert_eq!((got, sim.i64("b_exp")), (want, known.b.exp().into()));
            let max = [0, 1, 2].map(|j| sim.u64(&format!("stat_max_{j}")) as u32);
            assert_eq!(max, known.max);
            statistics = Some(known);
        }
        let now = (sim.u64("done") == 1, sim.u64("out_valid") == 1);
        assert_eq!(now.1 && !before.1, before.0, "a scale is there behind `done`, cycle {cycle}");
        before = now;
        let accepts = offered && sim.u64("in_ready") == 1;
        if take && sim.u64("out_valid") == 1 {
            let due = inside.pop_front().expect("an instruction that was given");
            let got = FIELDS.map(|(name, _)| sim.u64(&format!("out_{name}")));
            assert_eq!(got, due.fields, "cycle {cycle}");
            let known = statistics.as_ref().expect("statistics come first");
            let want = due.constants.scale(known, due.opcode.consumer());
            let got = (sim.u64("mant") as u32, sim.i64("exp") as i32);
            assert_eq!(got, (want.mant(), want.exp()), "{} in cycle {cycle}", due.opcode.name());
            let want = Rescale::new(want);
            let got = (sim.u64("factor") as u32, sim.u64("shift") as u32, sim.u64("clamped") == 1);
            assert_eq!(got, (want.mant(), want.shift(), want.clamped()));
            if gathers(due.opcode) {
                statistics = None;
                next = Some((if idle == 0 { 0 } else { rng.below(60) }, false));
            }
        }
        if accepts {
            assert!(inside.is_empty(), "one at a time");
            inside.push_back(coming.pop_front().expect("it was offered"));
            offered = false;
        }
        sim.step();
    }
    sim.poke("in_valid", 0);
    sim.poke("out_ready", 1);
    for _ in 0..NormScale::LATENCY + 4 {
        assert_eq!(sim.u64("out_valid"), 0, "nothing is left");
        sim.step();
    }
}

#[test]
fn scales_of_a_pass() {
    let design = Issue { slots: 1 }.build().unwrap();
    let mut sim = mutate::bench(&design);
    sim.reset();
    let mut rng = Rng::new(seed());
    for turn in 0..24 {
        pass(&mut sim, &mut rng, [0, 3, 2, 30][turn % 4]);
    }
    insta::assert_snapshot!("issue", design.file("issue").unwrap());
}

/// A pass may begin while another one's instruction is inside; the engine's reset does the same.
#[test]
fn a_pass_begins_anew() {
    let mut sim = mutate::bench(&Issue { slots: 1 }.build().unwrap());
    let mut rng = Rng::new(seed());
    sim.reset();
    for clocks in [1, 2, 40, 125] {
        sim.poke("in_opcode", Opcode::MixI as u8);
        sim.poke("in_valid", 1);
        sim.poke("out_ready", 0);
        pulse(&mut sim, "begins");
        pulse(&mut sim, "enter");
        for _ in 0..clocks {
            sim.step();
        }
        sim.reset();
        pass(&mut sim, &mut rng, 2);
    }
    // One that has its scale, and nobody took it; without a reset.
    for _ in 0..2 {
        sim.poke("in_opcode", Opcode::MixI as u8);
        sim.poke("in_valid", 1);
        sim.poke("out_ready", 0);
        pulse(&mut sim, "begins");
        pulse(&mut sim, "enter");
        for _ in 0..Issue::LATENCY + 2 {
            sim.step();
        }
        assert_eq!(sim.u64("out_valid"), 1);
        pass(&mut sim, &mut rng, 2);
    }
}
