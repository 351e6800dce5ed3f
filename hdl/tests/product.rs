//! The ternary product against a loop over trits.

mod common;

use std::collections::VecDeque;

use sterna_firmware::trits::{self, ROWS};
use sterna_hdl::units::{ACC_BITS, AddSub, TernaryUnit, TritDecode};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

#[test]
fn decode() {
    let design = TritDecode.build().unwrap();
    let mut sim = mutate::bench(&design);
    for byte in 0..=255u8 {
        sim.poke("block", byte);
        assert_eq!(sim.u64("bad") == 1, trits::decode(byte).is_none(), "byte {byte}");
        if let Some(digits) = trits::decode(byte) {
            let got = sim.u64("digits");
            let got: Vec<u8> = (0..ROWS).map(|r| (got >> (2 * r) & 3) as u8).collect();
            assert_eq!(got, digits, "byte {byte}");
        }
    }
    insta::assert_snapshot!("trit_decode", design.verilog());
}

/// Every pair of small numbers, and random ones of the accumulator's width.
#[test]
fn adds_or_subtracts() {
    let check = |sim: &mut Interpreter, a: i64, b: i64| {
        for minus in [false, true] {
            sim.poke("a", a);
            sim.poke("b", b);
            sim.poke("minus", minus);
            let want = if minus { a - b } else { a + b };
            assert_eq!(sim.i64("sum"), want, "{a}, {b}, minus {minus}");
        }
    };
    let small = AddSub { a: 5, b: 4 }.build().unwrap();
    let mut sim = mutate::bench(&small);
    for a in -16..16 {
        (-8..8).for_each(|b| check(&mut sim, a, b));
    }
    insta::assert_snapshot!("add_sub", small.verilog());
    let mut rng = Rng::new(common::seed());
    for bits in [11, 14] {
        let mut sim = mutate::bench(&AddSub { a: ACC_BITS, b: bits }.build().unwrap());
        for _ in 0..2000 {
            let (a, b) = (common::signed(&mut rng, ACC_BITS), common::signed(&mut rng, bits));
            check(&mut sim, a, b);
        }
    }
    assert!(AddSub { a: 4, b: 5 }.build().is_err());
}

fn packed(bytes: &[u8]) -> Bits {
    let limb = |part: &[u8]| part.iter().rev().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    Bits::from_limbs(8 * bytes.len() as u32, &bytes.chunks(8).map(limb).collect::<Vec<_>>())
}

/// One beat: weights and codes.
type Beat = (Vec<u8>, Vec<i8>);

/// Sends row groups and checks their sums, the clocks in which they come, and those of `bad`.
struct Bench {
    unit: TernaryUnit,
    sim: Interpreter,
    rng: Rng,
    /// The clocks ahead, beginning with this one: what `bad` has to be, and the sums.
    bad: VecDeque<bool>,
    sums: VecDeque<Option<Option<[i64; ROWS]>>>,
}

impl Bench {
    fn new(bus: u32, seed: u64) -> Bench {
        let unit = TernaryUnit { bus, slots: 1 };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let ahead = unit.latency() as usize + 1;
        Bench {
            unit,
            sim,
            rng: Rng::new(seed),
            bad: vec![false; ahead].into(),
            sums: vec![None; ahead].into(),
        }
    }

    /// One clock, with a beat or without.
    fn clock(&mut self, beat: Option<&Beat>, last: bool) {
        self.sim.poke("valid", beat.is_some());
        self.sim.poke("last", last);
        let (weights, codes) = match beat {
            Some((bytes, codes)) => {
                let codes: Vec<u8> = codes.iter().map(|&q| q as u8).collect();
                (packed(bytes), packed(&codes))
            }
            None => (self.rng.bits(self.unit.bus), self.rng.bits(self.unit.bus)),
        };
        self.sim.poke("beat", weights);
        self.sim.poke("codes", codes);

        let cycle = self.sim.cycle();
        let bad = self.bad.pop_front().expect("clocks ahead");
        assert_eq!(self.sim.u64("bad") == 1, bad, "bad in cycle {cycle}");
        self.bad.push_back(false);
        let sums = self.sums.pop_front().expect("clocks ahead");
        assert_eq!(self.sim.u64("sums_valid") == 1, sums.is_some(), "cycle {cycle}");
        if let Some(Some(want)) = sums {
            let got = self.sim.peek("sums");
            let got = std::array::from_fn(|r| got.slice(ACC_BITS * r as u32, ACC_BITS).to_i64());
            assert_eq!(got, want, "row sums in cycle {cycle}");
        }
        self.sums.push_back(None);
        self.sim.step();
    }

    /// One row group, a gap before a beat once in `idle`.
    fn group(&mut self, beats: &[Beat], idle: u64) {
        let mut sums = Some([0i64; ROWS]);
        for (n, beat) in beats.iter().enumerate() {
            while idle > 0 && self.rng.one_in(idle) {
                let last = self.rng.one_in(2);
                self.clock(None, last);
            }
            let mut bad = false;
            for (&byte, &code) in beat.0.iter().zip(&beat.1) {
                match trits::decode(byte) {
                    None => (bad, sums) = (true, None),
                    Some(digits) => {
                        for (sum, digit) in sums.iter_mut().flatten().zip(digits) {
                            *sum += (i64::from(digit) - 1) * i64::from(code);
                        }
                    }
                }
            }
            self.bad[TernaryUnit::BAD_LATENCY as usize] = bad;
            let last = n + 1 == beats.len();
            if last {
                self.sums[self.unit.latency() as usize] = Some(sums);
            }
            self.clock(Some(beat), last);
        }
    }

    fn drain(&mut self) {
        for _ in 0..=self.unit.latency() {
            self.clock(None, true);
        }
    }

    fn canonical(&mut self) -> u8 {
        trits::TABLES.bytes[self.rng.below(243) as usize]
    }

    fn code(&mut self) -> i8 {
        (self.rng.bits(8).to_i64() as i8).max(-127)
    }
}

#[test]
fn random_groups_with_gaps() {
    let seed = common::seed();
    for (bus, groups) in [(16, 60), (64, 80), (128, 40), (256, 20), (512, 20)] {
        for idle in [0, 3] {
            let mut bench = Bench::new(bus, seed);
            let lanes = bench.unit.lanes();
            for _ in 0..groups {
                let mut beats: Vec<Beat> = (0..1 + bench.rng.below(6))
                    .map(|_| {
                        let bytes = (0..lanes).map(|_| bench.canonical()).collect();
                        (bytes, (0..lanes).map(|_| bench.code()).collect())
                    })
                    .collect();
                if bench.rng.one_in(8) {
                    let beat = bench.rng.below(beats.len() as u64) as usize;
                    beats[beat].0[bench.rng.below(u64::from(lanes)) as usize] = 0xfe;
                }
                bench.group(&beats, idle);
            }
            bench.drain();
        }
    }
}

/// A reset at any clock of a group leaves nothing to the next one.
#[test]
fn a_reset_in_a_group() {
    let mut bench = Bench::new(64, common::seed());
    for clocks in 0..40 {
        for _ in 0..clocks % 8 {
            let (bytes, codes) = (0..8).map(|_| (bench.canonical(), bench.code())).unzip();
            bench.clock(Some(&(bytes, codes)), false);
        }
        bench.sim.reset();
        let beats = (0..2).map(|_| (0..8).map(|_| (bench.canonical(), bench.code())).unzip());
        let beats: Vec<Beat> = beats.collect();
        bench.group(&beats, [0, 2, 3][clocks % 3]);
        bench.drain();
    }
}

/// Every byte with every code in a lane, each lane another pair.
#[test]
fn every_byte_with_every_code() {
    let mut bench = Bench::new(64, 0);
    let pairs = (0..=255u8).flat_map(|byte| (-127..=127i8).map(move |code| (byte, code)));
    // Refused bytes by themselves: beside one, the sum says nothing.
    let (bad, good): (Vec<_>, Vec<_>) = pairs.partition(|&(b, _)| trits::decode(b).is_none());
    assert_eq!((good.len(), bad.len()), (243 * 255, 13 * 255));
    for chunk in good.chunks(8) {
        let (mut bytes, mut codes): Beat = chunk.iter().copied().unzip();
        bytes.resize(8, 0xb5);
        codes.resize(8, 0);
        bench.group(&[(bytes, codes)], 0);
    }
    for (n, &(byte, code)) in bad.iter().enumerate() {
        let mut beat = (vec![0xb5; 8], vec![0; 8]);
        (beat.0[n % 8], beat.1[n % 8]) = (byte, code);
        bench.group(&[beat], 0);
    }
    bench.drain();
}

/// The widest matrix at its ends: 16,384 columns of equal sign.
#[test]
fn longest_rows() {
    let mut bench = Bench::new(512, 0);
    for (trit, code) in [(1, 127), (-1, 127), (1, -127), (-1, -127)] {
        let beat = (vec![trits::encode([trit, 0, -trit, trit, 1]); 64], vec![code; 64]);
        bench.group(&vec![beat; 256], 0);
    }
    bench.drain();
}

#[test]
fn verilog() {
    let unit = TernaryUnit { bus: 16, slots: 1 };
    insta::assert_snapshot!("ternary_unit", unit.build().unwrap().file(&unit.name()).unwrap());
}
