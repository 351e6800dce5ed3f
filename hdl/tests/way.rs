//! What one way makes of an accumulator, against the golden formulas.

mod common;

use std::collections::VecDeque;

use common::parts::{accumulator, factor, lanes, pulse, rescale};
use common::{seed, signed, unsigned};
use sterna_hdl::core::Way;
use sterna_hdl::units::{Glu, Mlgru, Rescale as RescaleUnit, Residual, Sigmoid as SigmoidUnit};
use sterna_model::numerics::sigmoid::{ARG_MAX, Sigmoid};
use sterna_model::numerics::{Rescale, glu, mlgru, saturate};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, mutate};

/// Clocks of a way, by what is there then.
mod at {
    use super::*;

    pub const Y: usize = RescaleUnit::LATENCY as usize;
    pub const PRE: usize = Y + 1;
    pub const SIGMA: usize = PRE + SigmoidUnit::SIGMA_LATENCY as usize;
    pub const SILU: usize = PRE + SigmoidUnit::SILU_LATENCY as usize;
    pub const STATE: usize = SIGMA + Mlgru::LATENCY as usize;
    pub const V: usize = SILU + Mlgru::LATENCY as usize;
    pub const PRODUCT: usize = PRE + Glu::LATENCY as usize;
    pub const RESIDUAL: usize = Y + Residual::LATENCY as usize;
}

const KINDS: [&str; 6] = ["mix_i", "mix_f", "mix_g", "gate", "up", "adds"];

/// An element in a way: operands with the clock that each is for, results with theirs.
#[derive(Default)]
struct Element {
    acc: i64,
    operands: Vec<(&'static str, usize, i64)>,
    results: Vec<(&'static str, usize, i64)>,
    /// The clock in which it would count as clamped.
    clamps: Option<usize>,
}

/// A random element of a kind, with all that has to come of it.
fn element(rng: &mut Rng, kind: &str, rescale: Rescale, (frac, fresh): (i32, bool)) -> Element {
    let sigmoid = Sigmoid::new();
    let mut e = Element { acc: accumulator(rng), ..Element::default() };
    let wide = rescale.apply(e.acc as i32);
    let pre = saturate(wide, 24) as i32;
    if i64::from(pre) != wide && !matches!(kind, "mix_f" | "adds") {
        e.clamps = Some(at::Y);
    }
    let pre_bits = |rng: &mut Rng| signed(rng, 24) as i32;
    match kind {
        "mix_i" | "gate" => {
            e.results = vec![
                ("pre", at::PRE, pre.into()),
                ("silu", at::SILU, mlgru::silu(sigmoid, pre, frac).into()),
            ];
        }
        "mix_f" => {
            let (v, h, lower) = (pre_bits(rng), pre_bits(rng), unsigned(rng, 16) as u16);
            let b = wide.clamp(-i64::from(ARG_MAX), ARG_MAX.into()) as i32;
            let open = mlgru::one_minus_f(sigmoid, b, lower);
            let h_now = if fresh { 0 } else { h };
            e.operands = vec![
                ("mix", at::SIGMA, v.into()),
                ("state", at::SIGMA, h.into()),
                ("side", at::SIGMA, lower.into()),
            ];
            e.results = vec![("gated", at::STATE, mlgru::recur(h_now, v, open).into())];
        }
        "mix_g" => {
            let (h, w_g) = (pre_bits(rng), (signed(rng, 16) as i16).max(-32767));
            let v = mlgru::output_gate(pre, w_g, mlgru::silu(sigmoid, h, frac));
            e.operands = vec![("state", at::PRE, h.into()), ("side", at::SILU, w_g.into())];
            e.results = vec![("gated", at::V, v.into()), ("g", at::V, pre.into())];
        }
        "up" => {
            let gate = pre_bits(rng);
            let silu = mlgru::silu(sigmoid, gate, frac);
            e.operands = vec![("product", at::PRE, silu.into())];
            e.results = vec![("p", at::PRODUCT, glu::product(sigmoid, gate, pre, frac).into())];
        }
        _ => {
            let x = signed(rng, 32);
            let sum = saturate(x + wide, 32);
            e.operands = vec![("residual", at::Y, x)];
            e.results = vec![("sum", at::RESIDUAL, sum)];
            e.clamps = (sum != x + wide).then_some(at::RESIDUAL);
        }
    }
    e
}

/// An element a clock, or gaps, through a way; operands are anything but in their one clock.
#[test]
fn one_way() {
    let design = Way.build().unwrap();
    let mut sim = mutate::bench(&design);
    sim.reset();
    let mut rng = Rng::new(seed());
    let ports = [("residual", 32), ("mix", 32), ("product", 32), ("state", 24), ("side", 16)];
    for turn in 0..36 {
        let kind = KINDS[turn % 6];
        let rescale = rescale(&mut rng);
        let (frac, fresh) = (rng.below(21) as i32, turn % 4 == 1);
        let argument_frac = if kind == "mix_f" { 16 } else { frac };
        for name in KINDS {
            sim.poke(name, name == kind);
        }
        sim.poke("factor", rescale.mant());
        sim.poke("shift", rescale.shift());
        sim.poke("frac", argument_frac);
        sim.poke("fresh", fresh);
        let mut inside: VecDeque<Option<Element>> = VecDeque::new();
        for clock in 0..150 {
            let gap = clock >= 120 || (turn / 6 % 2 == 1 && rng.one_in(3));
            inside.push_front((!gap).then(|| element(&mut rng, kind, rescale, (frac, fresh))));
            inside.truncate(at::V + 1);
            sim.poke("valid", !gap);
            sim.poke("acc", inside[0].as_ref().map_or(signed(&mut rng, 22), |e| e.acc));
            for (name, width) in ports {
                let due = inside.iter().enumerate().find_map(|(age, e)| {
                    let operands = &e.as_ref()?.operands;
                    let operand = operands.iter().find(|o| o.0 == name && o.1 == age);
                    operand.map(|o| lanes(width, [o.2]))
                });
                sim.poke(name, due.unwrap_or_else(|| rng.bits(width)));
            }
            let mut clamps = false;
            for (age, e) in inside.iter().enumerate() {
                let Some(e) = e else { continue };
                clamps |= e.clamps == Some(age);
                for &(name, clock, want) in e.results.iter().filter(|r| r.1 == age) {
                    assert_eq!(sim.i64(name), want, "`{name}` of {kind}, age {clock}, turn {turn}");
                }
            }
            assert_eq!(sim.u64("clamps") == 1, clamps, "{kind}, clock {clock}");
            sim.step();
        }
    }
    insta::assert_snapshot!("way", design.file("way").unwrap());
}

/// A factor, and an accumulator of which it makes this value.
fn made(value: i64) -> (Rescale, i64) {
    let shift = 36 - value.abs().ilog2() as i8;
    let mut factors = (1 << 16..1 << 17).map(|mant| factor(mant << 7, shift));
    let found = factors.find_map(|factor| {
        let near = (value << shift) / i64::from(factor.mant());
        (near - 1..=near + 1)
            .find(|&acc| factor.apply(acc as i32) == value)
            .map(|acc| (factor, acc))
    });
    found.unwrap()
}

/// Values around the ends of a pre-activation, and those of a single bit beyond.
#[test]
fn values_at_the_ends() {
    let mut sim = mutate::bench(&Way.build().unwrap());
    sim.reset();
    sim.poke("mix_i", 1);
    let around = (-3..=3).flat_map(|n| [(1 << 23) + n, n - (1 << 23)]);
    let beyond = (24..37).flat_map(|bit| [1 << bit, -1 << bit]);
    for value in around.chain(beyond) {
        let (rescale, acc) = made(value);
        sim.poke("factor", rescale.mant());
        sim.poke("shift", rescale.shift());
        sim.poke("acc", acc);
        pulse(&mut sim, "valid");
        for _ in 1..at::Y {
            sim.step();
        }
        let pre = saturate(value, 24);
        assert_eq!(sim.u64("clamps") == 1, pre != value, "{value}");
        for _ in at::Y..at::PRE {
            sim.step();
        }
        assert_eq!(sim.i64("pre"), pre, "{value}");
    }
}

/// A reset forgets the elements that are inside: nothing of them counts as clamped.
#[test]
fn a_reset_within_a_way() {
    let mut sim = mutate::bench(&Way.build().unwrap());
    for kind in ["mix_i", "adds"] {
        sim.reset();
        KINDS.iter().for_each(|name| sim.poke(name, *name == kind));
        let held = [("factor", (1 << 17) - 1), ("acc", (1 << 21) - 1), ("residual", i32::MAX)];
        held.iter().for_each(|(name, value)| sim.poke(name, *value));
        sim.poke("valid", 1);
        for _ in 0..at::RESIDUAL {
            sim.step();
        }
        assert_eq!(sim.u64("clamps"), 1, "{kind}");
        sim.poke("valid", 0);
        sim.reset();
        for clock in 0..at::V {
            assert_eq!(sim.u64("clamps"), 0, "{kind}, {clock} clocks behind the reset");
            sim.step();
        }
    }
}
