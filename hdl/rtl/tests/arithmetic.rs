//! Arithmetic modules against plain Rust.

use sterna_rtl::parts::{AdderTree, RoundShift, Rounding};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, SInt, Type, UInt, mutate};

#[test]
fn adder_tree() {
    for (lanes, width, signed, levels_per_stage) in [
        (1, 8, true, 1),
        (2, 1, false, 1),
        (3, 8, true, 1),
        (64, 8, true, 2),
        (77, 5, false, 3),
        (128, 9, true, 1),
    ] {
        let ty = if signed { SInt(width) } else { UInt(width) };
        let tree = AdderTree { ty, lanes, levels_per_stage };
        let mut sim = mutate::bench(&tree.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(lanes as u64);
        let mut expected = vec![];
        for cycle in 0..200 {
            let value = |bits: &Bits| if signed { bits.to_i64() } else { bits.to_u64() as i64 };
            let x: Vec<Bits> = (0..lanes).map(|_| rng.bits(width)).collect();
            let packed = x.iter().rev().cloned().reduce(|high, low| high.concat(&low)).unwrap();
            sim.poke("x", packed);
            let valid = rng.one_in(2);
            sim.poke("valid", valid);
            expected.push((valid, x.iter().map(value).sum::<i64>()));
            if cycle >= tree.latency() {
                let (valid, sum) = expected[cycle - tree.latency()];
                assert_eq!(sim.u64("sum_valid"), u64::from(valid));
                let got = sim.peek("sum");
                assert_eq!(
                    if signed { got.to_i64() } else { got.to_u64() as i64 },
                    sum,
                    "cycle {cycle}"
                );
            }
            sim.step();
        }
    }
    let tree = AdderTree { ty: SInt(8), lanes: 5, levels_per_stage: 2 };
    insta::assert_snapshot!("adder_tree", tree.build().unwrap().verilog());
}

fn clamp(value: i128, to: Type) -> i128 {
    match to {
        Type::SInt(w) => value.clamp(-(1 << (w - 1)), (1 << (w - 1)) - 1),
        Type::UInt(w) => value.clamp(0, (1 << w) - 1),
    }
}

/// The nearest integer to `x / 2^n`, by the definition.
fn rounded(x: i128, n: u32, rounding: Rounding) -> i128 {
    let half = if n == 0 { 0 } else { 1i128 << (n - 1) };
    match rounding {
        Rounding::HalfUp => (x + half) >> n,
        Rounding::HalfAway => x.signum() * ((x.abs() + half) >> n),
    }
}

#[test]
fn round_shift() {
    let types = [
        (SInt(9), SInt(5)),
        (SInt(9), UInt(4)),
        (UInt(8), UInt(5)),
        (UInt(8), SInt(4)),
        (UInt(6), SInt(6)),
        (UInt(5), SInt(9)),
        (UInt(1), SInt(1)),
        (SInt(6), SInt(12)),
    ];
    for (from, to) in types {
        for shift in 0..=from.width() + 2 {
            for rounding in [Rounding::HalfAway, Rounding::HalfUp] {
                let part = RoundShift { from, shift, to, rounding };
                let mut sim = mutate::bench(&part.build().unwrap());
                let all = 1i128 << from.width();
                for raw in 0..all {
                    let x = if from.is_signed() { raw - all / 2 } else { raw };
                    sim.poke("x", x);
                    sim.step();
                    sim.step();
                    let y = sim.peek("y");
                    let y = if to.is_signed() { y.to_i128() } else { y.to_u128() as i128 };
                    assert_eq!(y, clamp(rounded(x, shift, rounding), to), "{} of {x}", part.name());
                }
            }
        }
    }
    let part = RoundShift { from: SInt(22), shift: 7, to: SInt(8), rounding: Rounding::HalfAway };
    insta::assert_snapshot!("round_shift", part.build().unwrap().verilog());
}
