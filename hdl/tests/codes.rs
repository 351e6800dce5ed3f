//! From a vector to its codes: the reciprocal of the maximum and the quantiser.

mod common;

use common::{Case, Outputs, Stream, seed, signed, start, unsigned};
use sterna_hdl::units::{Quantise, Reciprocal};
use sterna_model::numerics::{self, gain};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, mutate};

fn quantise() -> Stream {
    let outputs = Outputs { valid: "q_valid", latency: Quantise::LATENCY, ports: &["q"] };
    Stream::new(Quantise.build().unwrap(), vec![outputs], seed())
}

fn case(reciprocal: numerics::Reciprocal, x: i32, mant: i16) -> Case {
    let q = reciprocal.code(gain::apply(x, mant));
    Case::new([("x", x.into()), ("gain", mant.into())], [("q", q.into())])
}

fn hold(stream: &mut Stream, reciprocal: numerics::Reciprocal) {
    stream.hold(&[("mant", reciprocal.mant().into()), ("bits", reciprocal.bits().into())]);
}

#[test]
fn quantise_random() {
    let mut rng = Rng::new(seed());
    let mut stream = quantise();
    for turn in 0..120 {
        let max = match turn {
            0 => 0,
            1 => 1,
            2 => 1 << 31,
            3..36 => 1 << (turn - 4).clamp(0, 31),
            36..68 => ((1u64 << (turn - 35)) - 1) as u32,
            _ => (unsigned(&mut rng, 32) >> rng.below(32)) as u32,
        }
        .min(1 << 31);
        let reciprocal = numerics::Reciprocal::new(max);
        hold(&mut stream, reciprocal);
        let cases: Vec<Case> = (0..60)
            .map(|n| {
                // Around the maximum, beyond it, and anything, through gains of either sign.
                let near = i64::from(max) - 2 + rng.below(5) as i64;
                let x = match n % 4 {
                    0 => near,
                    1 => -near,
                    2 => signed(&mut rng, 32),
                    _ => signed(&mut rng, 32) >> (32 - 32u32.min(33 - max.leading_zeros())),
                };
                let x = x.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
                let mant = [32767, -32767, signed(&mut rng, 16) as i16, 16384][n / 4 % 4];
                case(reciprocal, x, mant.max(-32767))
            })
            .collect();
        stream.run(if turn % 2 == 0 { 0 } else { 3 }, cases);
    }
    insta::assert_snapshot!("quantise", Quantise.build().unwrap().verilog());
}

/// Every code at the least element that golden gives it to, and at its neighbours: those next to it,
/// and those that differ in what is left of them after they were brought to 24 bits. Only there do the
/// low bits of products make a difference.
#[test]
fn quantise_edges() {
    let mut stream = quantise();
    let mut rng = Rng::new(seed());
    let some = (0..18).map(|n| (0x4000_0000 + rng.below(1 << 30) as u32) >> (n % 9));
    let ends = [127u32, 254, 1000, 0x00ff_ffff, 0x0100_0000, 0x7fff_ffff];
    for max in ends.into_iter().chain(some) {
        let reciprocal = numerics::Reciprocal::new(max);
        hold(&mut stream, reciprocal);
        let code = |x: i32| reciprocal.code(gain::apply(x, 32767));
        let least = |wanted: i8| {
            let (mut below, mut at) = (0, max as i32);
            while at - below > 1 {
                let middle = below + (at - below) / 2;
                *(if code(middle) < wanted { &mut below } else { &mut at }) = middle;
            }
            i64::from(at)
        };
        let unit = 1 << reciprocal.bits().saturating_sub(24);
        let edges = (1..=127i8).flat_map(|code| {
            let edge = least(code);
            (-1..=1).flat_map(move |d| [edge + d, edge + d * unit])
        });
        let both = edges.flat_map(|x| [x, -x]).map(|x| x.clamp(-(1 << 31), (1 << 31) - 1) as i32);
        stream.run(0, both.map(|x| case(reciprocal, x, 32767)).collect::<Vec<_>>());
    }
}

/// Whether a digit of the quotient is decided by less than 256, so that low bits matter.
fn narrow(max: &u32) -> bool {
    let divisor = i64::from(max << max.leading_zeros().min(31) >> 8);
    let mut rest = 127i64 << 16;
    (0..17).any(|_| {
        let double = 2 * rest;
        rest = if double >= divisor { double - divisor } else { double };
        (double - divisor).abs() < 256
    })
}

#[test]
fn reciprocal() {
    let design = Reciprocal.build().unwrap();
    let mut sim = mutate::bench(&design);
    sim.reset();
    let mut rng = Rng::new(seed());
    let powers = (0..32).flat_map(|n| [1u32 << n, (1 << n) - 1, (1 << n) + 1]);
    let some = (0..1500).map(|_| (unsigned(&mut rng, 32) >> rng.below(32)) as u32);
    let some: Vec<u32> = some.collect();
    let narrow: Vec<u32> = (0..).map(|_| rng.next_u64() as u32).filter(narrow).take(50).collect();
    let mut before = (0, 0);
    assert_eq!(sim.u64("done"), 0, "nothing was begun");
    for max in powers.chain([u32::MAX, 127, 254]).chain(some).chain(narrow) {
        assert_eq!((sim.u64("mant"), sim.u64("bits")), before, "held until the next");
        assert_eq!(sim.u64("busy"), 0);
        assert_eq!(start(&mut sim, &[("max", max.into())]), Reciprocal::LATENCY);
        let want = numerics::Reciprocal::new(max);
        before = (u64::from(want.mant()), u64::from(want.bits()));
        assert_eq!((sim.u64("mant"), sim.u64("bits")), before, "maximum {max}");
        if rng.one_in(2) {
            sim.step();
            assert_eq!(sim.u64("done"), 0, "a pulse");
        }
    }
    insta::assert_snapshot!("reciprocal", design.verilog());
}

/// `start` while busy is ignored, and what was found before stands until there is something new.
#[test]
fn reciprocal_is_not_disturbed() {
    let mut sim = mutate::bench(&Reciprocal.build().unwrap());
    sim.reset();
    for max in [3, 0, 77_777] {
        let before = (sim.u64("mant"), sim.u64("bits"));
        sim.poke("start", 1);
        sim.poke("max", max);
        sim.step();
        for clock in 1..Reciprocal::LATENCY {
            assert_eq!((sim.u64("busy"), sim.u64("done")), (1, 0));
            assert_eq!((sim.u64("mant"), sim.u64("bits")), before);
            sim.poke("start", clock % 2);
            sim.poke("max", 99_999);
            sim.step();
        }
        sim.poke("start", 0);
        assert_eq!((sim.u64("busy"), sim.u64("done")), (0, 1));
        assert_eq!(sim.u64("mant"), u64::from(numerics::Reciprocal::new(max).mant()));
    }
}
