//! Statistics of vectors, and the scales that come of them.

mod common;

use common::{seed, signed, unsigned};
use sterna_hdl::units::{NormScale, RmsNorm};
use sterna_model::numerics::{NormConstants, Rescale, Scale, Statistics, Sums, gain};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

/// Lanes of `width` bits, the first lowest.
fn lanes(values: &[i64], width: u32) -> Bits {
    let lane = |v: &i64| Bits::from_u128(width, i128::from(*v) as u128);
    values.iter().map(lane).reduce(|low, high| high.concat(&low)).expect("a lane")
}

/// A vector through the unit; every maximum is compared in every clock.
struct Bench {
    unit: RmsNorm,
    sim: Interpreter,
    rng: Rng,
    /// Sums up to each of the last clocks, the newest last.
    history: Vec<Sums>,
}

/// An element of each lane, with its gains.
struct Elements {
    value: Vec<i64>,
    other: Vec<i64>,
    side: Vec<i64>,
    gain: [Vec<i64>; 3],
}

impl Bench {
    /// Any elements; `extreme` ones are at an end of their range.
    fn any(&mut self, extreme: bool) -> Elements {
        let ways = self.unit.ways;
        let rng = &mut self.rng;
        let mut vector = |width| -> Vec<i64> {
            let end = |rng: &mut Rng| if rng.one_in(2) { -(1 << 31) } else { (1 << 31) - 1 };
            let one = |_| match extreme && width == 32 {
                true => end(rng),
                false => signed(rng, width).max(-(1 << 31)),
            };
            (0..ways).map(one).collect()
        };
        let (value, other) = (vector(32), vector(32));
        let mut gains = || -> Vec<i64> {
            let end = if extreme { 32767 } else { 0 };
            vector(16).into_iter().map(|g| if end > 0 { end } else { g.max(-32767) }).collect()
        };
        let (side, gain) = (gains(), [gains(), gains(), gains()]);
        Elements { value, other, side, gain }
    }

    fn clock(&mut self, gained: bool, some: bool, elements: &Elements) {
        let ways = self.unit.ways;
        let Elements { value, other, side, gain } = elements;
        let mut sums = *self.history.last().expect("history");
        if some {
            for i in 0..ways as usize {
                let by = |gain: &[i64]| gain::apply(value[i] as i32, gain[i] as i16);
                let a = if gained { by(side) } else { value[i] as i32 };
                sums.add(a, other[i] as i32, [by(&gain[0]), by(&gain[1]), by(&gain[2])]);
            }
        }
        self.history.push(sums);
        self.sim.poke("valid", some);
        self.sim.poke("a_gained", if some { gained } else { !gained });
        self.sim.poke("value", lanes(value, 32));
        self.sim.poke("other", lanes(other, 32));
        self.sim.poke("side", lanes(side, 16));
        for (name, gain) in ["gain_0", "gain_1", "gain_2"].into_iter().zip(gain) {
            self.sim.poke(name, lanes(gain, 16));
        }
        self.sim.step();
        self.sim.poke("valid", 0);
        let before = self.unit.max_latency() as usize;
        if self.history.len() > before {
            let want = self.history[self.history.len() - before].max;
            let got = ["max_0", "max_1", "max_2"].map(|max| self.sim.u64(max) as u32);
            assert_eq!(got, want, "maxima of {ways} ways in cycle {}", self.sim.cycle());
        }
    }

    fn clear(&mut self) {
        pulse(&mut self.sim, "clear");
        self.history = vec![Sums::default(); self.unit.max_latency() as usize];
    }

    fn any_clock(&mut self, gained: bool, some: bool, extreme: bool) {
        let elements = self.any(extreme);
        self.clock(gained, some, &elements);
    }

    fn vector(&mut self, count: u32, gained: bool, idle: u64, extreme: bool) {
        self.clear();
        for _ in 0..count {
            while idle > 0 && self.rng.one_in(idle) {
                self.any_clock(gained, false, extreme);
            }
            self.any_clock(gained, true, extreme);
        }
        self.whole(gained, extreme);
    }

    /// Waits until the sums are whole, and compares them.
    fn whole(&mut self, gained: bool, extreme: bool) {
        let want = *self.history.last().expect("history");
        for _ in 1..self.unit.sum_latency() {
            self.any_clock(gained, false, extreme);
        }
        let got = ["a", "b"].map(|name| self.sim.peek(name).to_u128());
        assert_eq!(got, [want.a, want.b], "sums of {} ways", self.unit.ways);
    }
}

#[test]
fn rms_norm() {
    let seed = seed();
    for ways in [1, 2, 4, 8] {
        let unit = RmsNorm { ways, slots: 1 };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let mut bench = Bench { unit, sim, rng: Rng::new(seed), history: vec![] };
        for turn in 0..24 {
            let count = 1 + bench.rng.below(40) as u32;
            bench.vector(count, turn % 2 == 0, [0, 3, 2][turn % 3], turn % 5 == 4);
        }
    }
    let unit = RmsNorm { ways: 1, slots: 1 };
    insta::assert_snapshot!("rms_norm", unit.build().unwrap().verilog());
}

/// Elements that are just above the largest so far, or just below: what differs is high or low among
/// the bits that a comparison takes one by one, and the one before may be on its way in.
#[test]
fn maxima_creep() {
    let unit = RmsNorm { ways: 2, slots: 1 };
    let mut sim = mutate::bench(&unit.build().unwrap());
    sim.reset();
    let mut bench = Bench { unit, sim, rng: Rng::new(seed()), history: vec![] };
    for turn in 0..40 {
        bench.clear();
        let mut most = 1i64 << (20 + turn % 10);
        for _ in 0..60 {
            let mut elements = bench.any(false);
            let rng = &mut bench.rng;
            let mut near = |_: &i64| {
                let by = 1 << rng.below(26);
                let size = if rng.one_in(2) { most + by } else { most - by };
                size.abs().min((1 << 31) - 1) * (1 - 2 * rng.below(2) as i64)
            };
            elements.value = elements.value.iter().map(&mut near).collect();
            elements.gain = [32767, -32767, 16384].map(|gain| vec![gain; 2]);
            let sizes = elements.value.iter().map(|x| x.abs());
            let some = !bench.rng.one_in(4);
            if some {
                most = sizes.fold(most, i64::max);
            }
            bench.clock(true, some, &elements);
        }
        bench.whole(true, false);
    }
}

/// A reset in the middle of a vector: nothing of what is inside comes into the next sums and maxima,
/// though the next `clear` is at once.
#[test]
fn a_reset_forgets_what_is_inside() {
    for ways in [1, 2, 4] {
        let unit = RmsNorm { ways, slots: 1 };
        let mut sim = mutate::bench(&unit.build().unwrap());
        let all = |value: i64, width| lanes(&vec![value; ways as usize], width);
        sim.poke("value", all(i32::MAX.into(), 32));
        sim.poke("other", all(i32::MIN.into(), 32));
        for gain in ["side", "gain_0", "gain_1", "gain_2"] {
            sim.poke(gain, all(32767, 16));
        }
        sim.poke("valid", 1);
        for _ in 0..2 * unit.sum_latency() {
            sim.step();
        }
        let outputs = ["a", "b", "max_0", "max_1", "max_2"];
        assert!(outputs.iter().all(|name| sim.peek(name).to_u128() > 0), "there is something");
        sim.reset();
        sim.poke("valid", 0);
        pulse(&mut sim, "clear");
        for clock in 0..2 * unit.sum_latency() {
            let got = outputs.map(|name| sim.peek(name).to_u128());
            assert_eq!(got, [0; 5], "{ways} ways, {clock} clocks behind the clear");
            sim.step();
        }
    }
}

/// The longest vector of the largest values: both sums reach 2^76.
#[test]
fn largest_sums() {
    let unit = RmsNorm { ways: 8, slots: 1 };
    let mut sim = mutate::bench(&unit.build().unwrap());
    sim.reset();
    sim.poke("clear", 1);
    sim.step();
    sim.poke("clear", 0);
    sim.poke("valid", 1);
    for port in ["value", "other"] {
        sim.poke(port, lanes(&[-(1 << 31); 8], 32));
    }
    for _ in 0..16_384 / 8 {
        sim.step();
    }
    sim.poke("valid", 0);
    for _ in 1..unit.sum_latency() {
        sim.step();
    }
    assert_eq!(["a", "b"].map(|sum| sim.peek(sum).to_u128()), [1 << 76; 2]);
}

/// A packed Scale: any, or one of `near` an exponent so that sums align; now and then zero.
fn packed(rng: &mut Rng, near: i32) -> u32 {
    if rng.one_in(8) {
        return 0;
    }
    let mant = match rng.below(4) {
        0 => 0x80_0000,
        1 => 0xff_ffff,
        _ => unsigned(rng, 23) as u32 | 0x80_0000,
    };
    let exp = match rng.below(3) {
        0 => signed(rng, 8) as i32,
        _ => (near + rng.below(60) as i32 - 30).clamp(-128, 127),
    };
    mant | u32::from(exp as i8 as u8) << 24
}

fn unpacked(word: u32) -> Scale {
    Scale::unpack(word).expect("a packed scale")
}

fn maxima(rng: &mut Rng) -> [u32; 3] {
    std::array::from_fn(|_| (unsigned(rng, 32) >> rng.below(32)) as u32)
}

/// A raw sum of squares of any size.
fn raw(rng: &mut Rng) -> u128 {
    let sum = rng.bits(77).to_u128() >> rng.below(77);
    if rng.one_in(4) { sum & !sum.wrapping_shr(1) } else { sum }
}

fn pulse(sim: &mut Interpreter, name: &str) {
    sim.poke(name, 1);
    sim.step();
    sim.poke(name, 0);
}

fn scale_of(sim: &mut Interpreter, mant: &str, exp: &str) -> (u32, i32) {
    (sim.u64(mant) as u32, sim.i64(exp) as i32)
}

fn check_statistics(sim: &mut Interpreter, want: &Statistics) {
    assert_eq!(scale_of(sim, "a_mant", "a_exp"), (want.a.mant(), want.a.exp()));
    assert_eq!(scale_of(sim, "b_mant", "b_exp"), (want.b.mant(), want.b.exp()));
    let got = ["stat_max_0", "stat_max_1", "stat_max_2"].map(|name| sim.u64(name) as u32);
    assert_eq!(got, want.max);
}

/// What the outputs have to be after a scale.
fn check_scale(sim: &mut Interpreter, scale: Scale) {
    assert_eq!(scale_of(sim, "mant", "exp"), (scale.mant(), scale.exp()));
    let rescale = Rescale::new(scale);
    let got = (sim.u64("factor") as u32, sim.u64("shift") as u32, sim.u64("clamped") == 1);
    assert_eq!(got, (rescale.mant(), rescale.shift(), rescale.clamped()), "of {scale:?}");
}

/// Statistics that are gathered, or entered with a row, as chance has it.
fn gathered_or_entered(sim: &mut Interpreter, rng: &mut Rng, turn: u32) -> Statistics {
    let max = maxima(rng);
    let words = ["max_0", "max_1", "max_2"].into_iter().zip(max);
    if rng.one_in(2) {
        let sums = Sums { a: raw(rng), b: raw(rng), max };
        sim.poke("a", sums.a);
        sim.poke("b", sums.b);
        words.for_each(|(name, word)| sim.poke(name, word));
        pulse(sim, "gather");
        for clock in 1..NormScale::gather_latency(1) {
            let got = (sim.u64("ready"), sim.u64("gathered"));
            assert_eq!(got, (0, 0), "turn {turn}, clock {clock}");
            sim.step();
            // They were taken in the clock behind the pulse.
            for name in ["a", "b", "max_0", "max_1", "max_2"] {
                sim.poke(name, 1);
            }
        }
        assert_eq!((sim.u64("ready"), sim.u64("gathered")), (1, 1));
        sums.finish()
    } else {
        let (a, b) = (packed(rng, 0), packed(rng, 0));
        sim.poke("row_a", a);
        sim.poke("row_b", b);
        words.for_each(|(name, word)| sim.poke(&format!("row_{name}"), word));
        pulse(sim, "enter");
        assert_eq!((sim.u64("ready"), sim.u64("gathered")), (1, 0));
        Statistics { a: unpacked(a), b: unpacked(b), max }
    }
}

#[test]
fn norm_scale() {
    let design = NormScale { slots: 1 }.build().unwrap();
    let mut sim = mutate::bench(&design);
    sim.reset();
    let mut rng = Rng::new(seed());
    for _ in 0..3 {
        let got = ["ready", "gathered", "done"].map(|name| sim.u64(name));
        assert_eq!(got, [0; 3], "nothing is there yet");
        sim.step();
    }
    let (mut kinds, mut last) = ([0; 4], Scale::ZERO);
    for turn in 0..250 {
        let statistics = gathered_or_entered(&mut sim, &mut rng, turn);
        check_statistics(&mut sim, &statistics);
        check_scale(&mut sim, last);
        for consumer in 0..3 {
            // Constants around the statistics, so that additions align and factors fit.
            let outer = packed(&mut rng, statistics.a.exp() - statistics.b.exp() - 23);
            let floor = packed(&mut rng, statistics.a.exp());
            let rescale = packed(&mut rng, statistics.a.exp() / 2 - 40);
            for (name, word) in [("outer", outer), ("floor", floor), ("rescale", rescale)] {
                sim.poke(name, word);
            }
            sim.poke("consumer", consumer as u64);
            pulse(&mut sim, "start");
            for (name, word) in [("outer", floor), ("floor", rescale), ("rescale", outer)] {
                sim.poke(name, word);
            }
            for clock in 1..NormScale::LATENCY {
                assert_eq!((sim.u64("ready"), sim.u64("done")), (0, 0), "clock {clock}");
                sim.poke("consumer", 3);
                // The last one stands until the clock of `done`.
                if clock == NormScale::LATENCY / 2 || clock + 4 >= NormScale::LATENCY {
                    check_scale(&mut sim, last);
                }
                sim.step();
            }
            sim.poke("start", 0);
            assert_eq!((sim.u64("ready"), sim.u64("done")), (1, 1));
            let [outer, floor, rescale] = [outer, floor, rescale].map(unpacked);
            last = NormConstants { outer, floor, rescale }.scale(&statistics, consumer);
            check_scale(&mut sim, last);
            let rescale = Rescale::new(last);
            let kind = match (last.is_zero(), rescale.clamped(), rescale.shift()) {
                (true, ..) => 0,
                (_, true, _) => 1,
                (_, _, 63) => 2,
                _ => 3,
            };
            kinds[kind] += 1;
        }
    }
    assert!(kinds.iter().all(|&n| n > 20), "zero, clamped, vanishing, usual: {kinds:?}");
    insta::assert_snapshot!("norm_scale", design.file(&design.top).unwrap());
}
