//! Embedding rows, as the firmware writes them, on their way into the residual.

mod common;

use common::parts::{Source, beats, geometry, pulse, ready, signed_lanes};
use common::{seed, unsigned};
use sterna_firmware::rows::{self, Row};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Embedding;
use sterna_model::numerics::formats::COLUMNS_MAX;
use sterna_model::numerics::{Scale, Statistics};
use sterna_rtl::parts::CRC32C_POLYNOMIAL;
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

const MOST: Shape = Shape { hidden: 128, inner: 32, intermediate: 32, layers: 1, vocab: 2 };

fn random_row(rng: &mut Rng, hidden: usize, token: u32) -> Row {
    let scale = |rng: &mut Rng| match rng.below(6) {
        0 => Scale::ZERO,
        _ => Scale::unpack(rng.next_u64() as u32 | 1 << 23).unwrap(),
    };
    let statistics = Statistics {
        a: scale(rng),
        b: scale(rng),
        max: std::array::from_fn(|_| unsigned(rng, 32) as u32),
    };
    let values = (0..hidden).map(|_| unsigned(rng, 16) as u16).collect();
    Row { values, shift: rng.below(6) as u32, statistics, token }
}

/// What is said of a row in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Enter,
    Fault,
}

struct Bench {
    sim: Interpreter,
    rng: Rng,
    bus: u32,
    ways: usize,
}

impl Bench {
    fn new(bus: u32, ways: u32) -> Bench {
        let unit = Embedding { geometry: geometry(bus, ways, &MOST) };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        Bench { sim, rng: Rng::new(seed()), bus, ways: ways as usize }
    }

    /// Fetches a row that reads as `bytes`, its last unit as `tail` where that is read alone, and
    /// returns the elements that were written.
    fn fetch(&mut self, token: u32, bytes: &[u8], tail: &[u8], idle: u64) -> (End, Vec<i32>) {
        let Bench { sim, rng, bus, ways } = self;
        let base = rng.below(1 << 28) << 12;
        let at = (base + u64::from(token) * bytes.len() as u64) & ((1 << 40) - 1);
        let per_beat = u64::from(*bus / 8);
        // Both reads, in order: where, and what is there.
        let mut jobs = vec![(at + bytes.len() as u64 - 64, tail), (at, bytes)].into_iter();
        sim.poke("base", base);
        sim.poke("token", token);
        sim.poke("row_units", bytes.len() / 64);
        sim.poke("s_valid", 0);
        pulse(sim, "start");
        let mut source = Source::new(*bus, [], idle);
        let mut written = vec![];
        let start = sim.cycle();
        loop {
            let cycle = sim.cycle() - start;
            assert!(cycle < 300 + 20 * bytes.len() as u64, "the row never comes");
            let last = source.offer(sim, rng, "s");
            sim.poke("s_last", last.unwrap_or_else(|| rng.one_in(2)));
            source.taken(sim, "s");
            if sim.u64("ask") == 1 {
                assert!(source.words.is_empty(), "one job at a time");
                let (addr, bytes) = jobs.next().expect("two jobs a row");
                assert_eq!(sim.u64("ask_addr"), addr & ((1 << 40) - 1));
                assert_eq!(sim.u64("ask_beats") * per_beat, bytes.len() as u64);
                source = Source::new(*bus, beats(*bus, bytes), idle);
            }
            if sim.u64("write") == 1 {
                assert_eq!(sim.u64("write_at") as usize * *ways, written.len(), "in order");
                let step = signed_lanes(32, &sim.peek("data"));
                written.extend(step.iter().map(|&x| x as i32));
            }
            let end = match (sim.u64("enter"), sim.u64("fault")) {
                (0, 0) => None,
                (1, 0) => Some(End::Enter),
                (0, 1) => Some(End::Fault),
                _ => panic!("both"),
            };
            if let Some(end) = end {
                assert!(jobs.next().is_none() && source.words.is_empty(), "all was read");
                if idle == 0 {
                    let clocks = (bytes.len() as u64 / 2) / *ways as u64;
                    assert!(cycle <= clocks.max(bytes.len() as u64 / per_beat) + 120, "{cycle}");
                }
                return (end, written);
            }
            sim.step();
        }
    }

    /// Statistics that stand beside `enter`.
    fn statistics(&mut self) -> [u32; 5] {
        let names = ["row_a", "row_b", "row_max_0", "row_max_1", "row_max_2"];
        let all = names.map(|name| self.sim.u64(name) as u32);
        self.sim.step();
        assert_eq!(self.sim.u64("enter") + self.sim.u64("fault"), 0, "a pulse");
        all
    }

    /// A sound row has to come as the firmware decodes it.
    fn sound(&mut self, row: &Row, idle: u64) {
        let mut bytes = vec![];
        row.encode(&mut bytes);
        let tail = bytes[bytes.len() - 64..].to_vec();
        let (end, written) = self.fetch(row.token, &bytes, &tail, idle);
        assert_eq!(end, End::Enter, "{row:?}");
        let want: Vec<i32> = (0..row.values.len()).map(|k| row.residual(k)).collect();
        assert_eq!(written, want);
        let s = &row.statistics;
        let want = [s.a.pack(), s.b.pack(), s.max[0], s.max[1], s.max[2]];
        assert_eq!(self.statistics(), want);
    }

    fn refused(&mut self, token: u32, bytes: &[u8], why: &str) {
        let tail = bytes[bytes.len() - 64..].to_vec();
        let idle = [0, 2, 3][self.rng.below(3) as usize];
        let (end, written) = self.fetch(token, bytes, &tail, idle);
        assert_eq!(end, End::Fault, "{why}");
        assert_eq!(written.len(), (bytes.len() - 64) / 2, "as many elements as ever");
        self.sim.step();
        assert_eq!(self.sim.u64("enter") + self.sim.u64("fault"), 0, "a pulse");
    }
}

/// Every legal pair of bus and ways that differs in kind.
const SIZES: [(u32, u32); 7] = [(64, 1), (64, 2), (128, 4), (256, 8), (512, 1), (512, 2), (512, 8)];

#[test]
fn rows_become_the_residual() {
    for (bus, ways) in SIZES {
        let mut bench = Bench::new(bus, ways);
        for turn in 0..12 {
            let hidden = [32, 64, 96, 128][turn % 4];
            let token = [0, (1 << 20) - 1, bench.rng.below(1 << 20) as u32][turn % 3];
            let row = random_row(&mut bench.rng, hidden, token);
            bench.sound(&row, [0, 2, 5][turn / 4]);
        }
        // Every exponent with every shift, ends of the mantissa included.
        for shift in 0..=5 {
            let mut row = random_row(&mut bench.rng, 64, shift);
            row.shift = shift;
            for (k, value) in row.values.iter_mut().enumerate() {
                let mant = [0x7ff, -0x800, 1, -1][k / 16];
                *value = (mant << 4) as u16 | (k % 16) as u16;
            }
            bench.sound(&row, 3);
        }
        if (bus, ways) == (64, 2) {
            // The longest there is, and one in whose length every lower bit is set.
            for hidden in [COLUMNS_MAX, COLUMNS_MAX - 64] {
                let row = random_row(&mut bench.rng, hidden, (1 << 20) - 1);
                bench.sound(&row, 0);
            }
        }
    }
    let design = Embedding { geometry: geometry(64, 1, &MOST) }.build().unwrap();
    insta::assert_snapshot!("embedding", design.file("embedding").unwrap());
}

/// A row's bytes with a word of its tail changed, under a right checksum.
fn with_word(row: &Row, n: usize, word: u32) -> Vec<u8> {
    let mut bytes = vec![];
    row.encode(&mut bytes);
    let end = bytes.len();
    let at = end - rows::TAIL + 4 * n;
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..end - 4]);
    bytes[end - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What a CRC-32C was before 32 bits of 0, of which this remains: that difference in its last word
/// makes this one in the remainder.
fn before_a_word(remainder: u32) -> u32 {
    (0..32).fold(remainder, |crc, _| match crc >> 31 {
        0 => crc << 1,
        _ => (crc ^ CRC32C_POLYNOMIAL) << 1 | 1,
    })
}

#[test]
fn damaged_rows_do_not_enter() {
    for (bus, ways) in [(64, 2), (512, 8), (512, 1)] {
        let mut bench = Bench::new(bus, ways);
        let row = random_row(&mut bench.rng, 64, 12_345);
        let mut bytes = vec![];
        row.encode(&mut bytes);
        for turn in 0..24 {
            let mut damaged = bytes.clone();
            // Values, padding, tail, checksum.
            let (first, length) = [(0, 128), (128, 32), (160, 28), (188, 4)][turn % 4];
            damaged[first + bench.rng.below(length) as usize] ^= 1 << bench.rng.below(8);
            bench.refused(row.token, &damaged, "a flipped bit");
        }
        // All bits of a checksum are compared: each alone differs once.
        for bit in 0..32 {
            let mut damaged = bytes.clone();
            let end = damaged.len();
            let flips = before_a_word(1 << bit).to_le_bytes();
            damaged[end - 4..].iter_mut().zip(flips).for_each(|(byte, flip)| *byte ^= flip);
            assert_eq!(crc32c::crc32c(&damaged) ^ crc32c::crc32c(&bytes), 1 << bit);
            bench.refused(row.token, &damaged, "one bit of the remainder");
        }
        for token in [12_344, 12_345 ^ 1 << 19, 0] {
            bench.refused(token, &bytes, "another token's row");
        }
        for token in [12_345 | 1 << 20, 12_345 | 1 << 31] {
            bench.refused(row.token, &with_word(&row, 6, token), "a token beyond every vocabulary");
        }
        for shift in [6, 7, 8, 13, 1 << 31, row.shift | 1 << 3, row.shift | 1 << 30] {
            bench.refused(row.token, &with_word(&row, 5, shift), "a shift out of range");
        }
        for n in [0, 1] {
            for scale in [1, 0x7f_ffff, 0xff7f_ffff, 1 << 24, 1 << 31] {
                assert!(Scale::unpack(scale).is_none());
                bench.refused(row.token, &with_word(&row, n, scale), "no normalised Scale");
            }
        }
        // A memory that says one thing and then another.
        let mut other = with_word(&row, 5, (row.shift + 1) % 6);
        let tail = other.split_off(other.len() - 64);
        let (end, _) = bench.fetch(row.token, &bytes, &tail, 2);
        assert_eq!(end, End::Fault, "the shift was another when it was used");
        bench.sim.step();
        // As if nothing had been.
        bench.sound(&row, 2);
    }
}

/// Outside a row's elements the stream is drained, so that nothing is left for the next one.
#[test]
fn idle_takes_everything() {
    let mut bench = Bench::new(512, 1);
    for _ in 0..20 {
        let beat = bench.rng.bits(512);
        let valid = ready(&mut bench.rng, 3);
        bench.sim.poke("s_valid", valid);
        bench.sim.poke("s_data", beat);
        bench.sim.poke("s_last", 1);
        assert_eq!(bench.sim.u64("s_ready"), 1);
        for silent in ["ask", "write", "enter", "fault"] {
            assert_eq!(bench.sim.u64(silent), 0);
        }
        bench.sim.step();
    }
    let row = random_row(&mut bench.rng, 32, 7);
    bench.sound(&row, 0);
}
