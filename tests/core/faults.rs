//! Whatever is wrong with what the core reads, it stops and says so, and no token leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use sterna_firmware::device::{Device, Want};
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_firmware::model::Model;
use sterna_firmware::rows::{Row, stride};
use sterna_firmware::trits;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers as regs;
use sterna_model::numerics::{Scale, Statistics};
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{CardOptions, SimCard};

use crate::attacks::damage::{ANY, FIELDS, LARGER, MATRIX, START, row_of_another, row_with};
use crate::bench::Bench;
use crate::common::{card_options, geometry, memory, tiny};

pub const TOKEN: u32 = 3;

/// Clocks after which the driver gives up: more than any pass here takes.
const PATIENCE: u64 = 1 << 16;

impl Bench {
    pub fn on(bus: u32, model: &Arc<Model>, memory: MemoryOptions) -> Bench {
        let seed = memory.seed;
        let options = CardOptions { patience: PATIENCE, ..card_options(memory) };
        Bench::new(SimCard::new(&geometry(bus), &options).unwrap(), model, seed)
    }

    /// An empty sequence, and two tokens.
    pub fn begin(&mut self) {
        self.card.clear(0).unwrap();
        self.golden.clear(0).unwrap();
        self.right_of(1, Want::Top);
        self.right_of(2, Want::Top);
    }

    /// Loads the model again, and begins again.
    pub fn recover(&mut self) {
        self.card.load().unwrap();
        self.begin();
        self.right_of(3, Want::Top);
    }

    /// Enters a token, and the core stops for one of these reasons without having said anything.
    pub fn top_stops(&mut self, token: u32, faults: &[Fault], segment: Option<usize>) {
        self.stops(token, Want::Top, faults, segment);
    }
}

/// Two layers, so that every kind of segment is there with a layer above 0.
pub fn bench(bus: u32) -> Bench {
    let model = made_up(&SynthSpec::new(64, 2, 101)).unwrap();
    let mut bench = Bench::on(bus, &model, memory(Stalls::Random, bus.into()));
    bench.begin();
    bench
}

/// A refused byte anywhere, with checksums that are right: the first and the last beat of every
/// payload, and each of the thirteen bytes. The last beat of the image is the hard one.
#[test]
fn bytes_that_are_no_trits() {
    let mut bytes = (0..=255).filter(|&byte| trits::decode(byte).is_none()).cycle();
    for bus in [64, 512] {
        let mut bench = bench(bus);
        for of in bench.walk.clone().into_iter().skip(1) {
            for at in [of.operands_bytes(), of.payload_bytes() - 1] {
                bench.payload(&of, at, bytes.next().unwrap());
                bench.top_stops(TOKEN, &[Fault::TritBlock], Some(of.sequence));
                bench.recover();
            }
        }
    }
}

#[test]
fn damaged_payloads() {
    for bus in [64, 512] {
        let mut bench = bench(bus);
        for of in bench.walk.clone() {
            // The first operand; the zero trits of padding, and what they turn into is legal, too.
            let at =
                bench.image(if of.operands.0 > 0 { of.payload_offset() } else { of.end() - 1 });
            bench.memory().flip(at, 1);
            bench.top_stops(TOKEN, &[Fault::PayloadCrc], Some(of.sequence));
            bench.recover();
        }
    }
}

#[test]
fn damaged_headers() {
    let mut bench = bench(128);
    for of in bench.walk.clone() {
        for byte in [0, 1, 4, 17, 60, 63] {
            let at = bench.image(of.offset + byte);
            bench.memory().flip(at, 0x10);
            bench.top_stops(TOKEN, &[Fault::HeaderCrc], Some(of.sequence));
            bench.card.load().unwrap();
            bench.card.clear(0).unwrap();
        }
        bench.begin();
    }
    bench.recover();
}

/// Headers whose checksum is right and that say something else than they should.
#[test]
fn headers_that_contradict() {
    let mut bench = bench(256);
    for of in bench.walk.clone() {
        let more = if of.opcode == Opcode::Start { &START[..] } else { &MATRIX };
        for (n, (fault, edit)) in ANY.iter().chain(more).enumerate() {
            bench.header(&of, edit);
            println!("edit {n} of {of:?}");
            bench.top_stops(TOKEN, &[*fault], Some(of.sequence));
            bench.card.load().unwrap();
            bench.card.clear(0).unwrap();
        }
        bench.recover();
    }
}

/// A model that is larger than the core.
#[test]
fn more_than_the_core_has() {
    let mut bench = bench(128);
    let start = bench.segment(Opcode::Start);
    let core = geometry(128);
    for edit in LARGER {
        bench.header(&start, |words| edit(&core, words));
        bench.top_stops(TOKEN, &[Fault::Geometry], Some(0));
        bench.recover();
    }
    // The residual's width is in the embedding rows, too.
    let hidden = core.hidden + 32;
    bench.header(&start, |words| {
        words[2] = (3 * hidden / 32) as u32;
        words[5] = (3 * hidden / 32) as u32 * 0x1_0000 + hidden as u32;
        words[13] = stride(hidden) as u32;
    });
    let statistics = Statistics { a: Scale::from_int(1), b: Scale::ZERO, max: [1; 3] };
    let row = Row { values: vec![0; hidden], shift: 0, statistics, token: 0 };
    let mut bytes = vec![];
    row.encode(&mut bytes);
    let rows = bench.card.map().embeddings;
    bench.memory().write(rows, &bytes);
    bench.set(&regs::ROW_UNITS, hidden as u32 / 32 + 1);
    bench.top_stops(0, &[Fault::Geometry], Some(0));
    bench.recover();
}

#[test]
fn damaged_rows() {
    let mut bench = bench(64);
    let (at, stride) = (bench.row(), bench.stride());
    let token = crate::bench::TOKEN;
    let refused = |bench: &mut Bench| bench.top_stops(token, &[Fault::Row], None);
    for byte in [0, 127, 128, stride - 32, stride - 12, stride - 8, stride - 1] {
        bench.memory().flip(at + byte, 0x20);
        refused(&mut bench);
        bench.memory().flip(at + byte, 0x20);
        bench.begin();
        bench.right_of(token, Want::Top);
        bench.begin();
    }
    // Sound in itself, but of another token.
    row_of_another(&mut bench);
    refused(&mut bench);
    bench.recover();
    for field in FIELDS {
        row_with(&mut bench, field);
        refused(&mut bench);
        bench.recover();
    }
}

/// Any bit of the image and the rows: it is found before a record appears, and named.
#[test]
fn random_bits() {
    damage(&mut Bench::on(512, &tiny(), memory(Stalls::Random, 1)), 300, 1, 1);
}

#[test]
#[ignore = "some minutes"]
fn many_random_bits() {
    many(1);
}

/// Any burst of up to 32 bits, as a broken line or beat makes them: a CRC-32C finds each.
#[test]
fn random_bursts() {
    damage(&mut Bench::on(512, &tiny(), memory(Stalls::Random, 1)), 100, 32, 1);
}

#[test]
#[ignore = "some minutes"]
fn many_random_bursts() {
    many(32);
}

/// A thousand places for each of ten seeds, of a small model with every kind of segment, on a core of
/// another bus for each. `STERNA_SEED` is the first seed and `STERNA_FUZZ` how many there are, so that
/// a run may go on where another was ended.
fn many(most: u32) {
    let setting =
        |name, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (first, count) = (setting("STERNA_SEED", 1), setting("STERNA_FUZZ", 10));
    let mut all = Seen::new();
    for seed in first..first + count {
        let model = made_up(&SynthSpec { seed, ..SynthSpec::new(64, 2, 101) }).unwrap();
        let bus = 64 << (seed % 4);
        let mut bench = Bench::on(bus, &model, memory(Stalls::Random, seed));
        for (part, count) in damage(&mut bench, 1000, most, seed) {
            *all.entry(part).or_default() += count;
        }
        println!("up to seed {seed}, bus {bus}: {all:?}");
    }
    for (part, count) in all {
        println!("| {part} | {count} | {count} before a token |");
    }
}

/// How many places of each part were damaged.
type Seen = BTreeMap<&'static str, usize>;

/// The bits that a burst flips, from its first byte on: 1 to `most`, the first and last among them.
fn burst(rng: &mut Rng, most: u32) -> [u8; 5] {
    let length = 1 + rng.below(most.into()) as u32;
    let inside = rng.next_u64() & ((1 << length) - 1);
    let bits = (inside | 1 | 1 << (length - 1)) << rng.below(8);
    std::array::from_fn(|n| bits.to_le_bytes()[n])
}

/// Damages the model in memory in so many places, each by a burst of at most so many bits.
fn damage(bench: &mut Bench, count: usize, most: u32, seed: u64) -> Seen {
    bench.begin();
    let shape = bench.model.shape();
    let map = bench.card.map().clone();
    let image = bench.walk.last().unwrap().end() as u64;
    let rows = (shape.row_stride() * shape.vocab) as u64;
    let rng = &mut Rng::new(seed);
    let mut seen = Seen::new();
    for n in 0..count {
        let place = match n % 4 {
            // Headers are a hundredth of the image, and have the most ways to go wrong.
            0 => {
                let of = bench.walk[rng.below(bench.walk.len() as u64) as usize];
                of.offset as u64 + rng.below(UNIT as u64)
            }
            _ => rng.below(image + rows),
        };
        let bits = burst(rng, most);
        let length = bits.iter().rposition(|&bits| bits != 0).unwrap() as u64 + 1;
        // Within a unit, so that it is in a header, a payload or a row, not in two of them.
        let unit = UNIT as u64;
        let place = place.min(place / unit * unit + unit - length);
        let of = bench.walk.iter().rfind(|of| of.offset as u64 <= place).copied().unwrap();
        println!("seed {seed}, {n}: bits {bits:02x?} at byte {place}");
        let base = if place < image { map.image } else { map.embeddings - image };
        for (at, bits) in (base + place..).zip(bits).take(length as usize) {
            bench.memory().flip(at, bits);
        }
        if place < image {
            let mut bytes = vec![0; length as usize];
            bench.memory().read(map.image + place, &mut bytes);
            let weights = of.weights_offset() as u64;
            let trit =
                (place..).zip(bytes).any(|(at, b)| at >= weights && trits::decode(b).is_none());
            // At the end of a payload its checksum is compared before the byte is decoded.
            let ends = of.end() as u64 - place <= 4 * 64;
            let header = place - (of.offset as u64) < unit;
            let faults: &[Fault] = match header {
                true => &[Fault::HeaderCrc],
                false if trit && ends => &[Fault::TritBlock, Fault::PayloadCrc],
                false if trit => &[Fault::TritBlock],
                false => &[Fault::PayloadCrc],
            };
            let token = rng.below(shape.vocab as u64) as u32;
            bench.top_stops(token, faults, Some(of.sequence));
            let part = if place < weights { "operands" } else { "weights" };
            *seen.entry(if header { "headers" } else { part }).or_default() += 1;
        } else {
            let token = (place - image) / shape.row_stride() as u64;
            bench.top_stops(token as u32, &[Fault::Row], None);
            *seen.entry("embedding rows").or_default() += 1;
        }
        bench.card.load().unwrap();
        bench.card.clear(0).unwrap();
        if n % 16 == 0 {
            bench.begin();
        }
    }
    bench.recover();
    seen
}
