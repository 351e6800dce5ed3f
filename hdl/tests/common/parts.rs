//! What the tests of the core's parts share: lanes, memories' answers, small models.

use std::collections::VecDeque;
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::READ;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::numerics::{Rescale, Scale};
use sterna_model::synth::{self, SynthSpec};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Interpreter};

use super::{signed, tools};

/// Elements of so many bits as one word, the first lowest.
pub fn lanes(width: u32, elements: impl IntoIterator<Item = i64>) -> Bits {
    let one = |element: i64| Bits::from_u128(width, i128::from(element) as u128);
    let all = elements.into_iter().map(one);
    all.reduce(|low, high| high.concat(&low)).expect("a lane")
}

/// The signed elements of a word.
pub fn signed_lanes(width: u32, word: &Bits) -> Vec<i64> {
    (0..word.width() / width).map(|i| word.slice(i * width, width).to_i64()).collect()
}

/// Bytes as beats, the first byte lowest.
pub fn beats(bus: u32, bytes: &[u8]) -> Vec<Bits> {
    assert_eq!(bytes.len() % (bus as usize / 8), 0, "whole beats");
    let beat = |bytes: &[u8]| {
        let limbs = bytes.chunks(8).map(|eight| u64::from_le_bytes(eight.try_into().expect("8")));
        Bits::from_limbs(bus, &limbs.collect::<Vec<_>>())
    };
    bytes.chunks(bus as usize / 8).map(beat).collect()
}

/// The bytes of a beat.
pub fn bytes(beat: &Bits) -> Vec<u8> {
    let all = beat.limbs().into_iter().flat_map(|limb| limb.to_le_bytes());
    all.take(beat.width() as usize / 8).collect()
}

/// The data port of an on-chip memory: what is asked for in a clock is there READ clocks later,
/// and anything where nothing was asked for (or what was there before, if it is to be held).
pub struct Answers {
    port: &'static str,
    width: u32,
    under_way: VecDeque<Option<Bits>>,
    hold: bool,
    last: Option<Bits>,
}

impl Answers {
    pub fn new(port: &'static str, width: u32) -> Answers {
        let under_way = vec![None; READ].into();
        Answers { port, width, under_way, hold: false, last: None }
    }

    /// As the memories do: a word stays until the next one comes.
    pub fn held(self) -> Answers {
        Answers { hold: true, ..self }
    }

    /// Before anything is looked at in a clock.
    pub fn give(&mut self, sim: &mut Interpreter, rng: &mut Rng) {
        let mut word = self.under_way.pop_front().flatten();
        if self.hold {
            word = word.or_else(|| self.last.clone());
            self.last.clone_from(&word);
        }
        sim.poke(self.port, word.unwrap_or_else(|| rng.bits(self.width)));
    }

    /// What the clock asked for, if anything.
    pub fn ask(&mut self, word: Option<Bits>) {
        self.under_way.push_back(word);
    }
}

/// A source that offers words at its own pace, and keeps each until it is taken.
pub struct Source {
    pub words: VecDeque<Bits>,
    width: u32,
    offered: bool,
    /// Idle once in so many clocks; 0 for never.
    pub idle: u64,
}

impl Source {
    pub fn new(width: u32, words: impl IntoIterator<Item = Bits>, idle: u64) -> Source {
        Source { words: words.into_iter().collect(), width, offered: false, idle }
    }

    /// Offers a word, or anything but with `valid` low. Says of a word whether it is the last.
    pub fn offer(&mut self, sim: &mut Interpreter, rng: &mut Rng, prefix: &str) -> Option<bool> {
        let pause = self.idle > 0 && rng.one_in(self.idle);
        self.offered = !self.words.is_empty() && (self.offered || !pause);
        let word = if self.offered { self.words[0].clone() } else { rng.bits(self.width) };
        sim.poke(&format!("{prefix}_valid"), self.offered);
        sim.poke(&format!("{prefix}_data"), word);
        self.offered.then_some(self.words.len() == 1)
    }

    /// Whether the word was taken in this clock, once all inputs are set.
    pub fn taken(&mut self, sim: &mut Interpreter, prefix: &str) -> bool {
        let fires = self.offered && sim.u64(&format!("{prefix}_ready")) == 1;
        if fires {
            self.words.pop_front();
            self.offered = false;
        }
        fires
    }
}

/// High for one clock, with everything else as it is.
pub fn pulse(sim: &mut Interpreter, name: &str) {
    sim.poke(name, 1);
    sim.step();
    sim.poke(name, 0);
}

/// True but once in `idle` times (0: always).
pub fn ready(rng: &mut Rng, idle: u64) -> bool {
    idle == 0 || !rng.one_in(idle)
}

/// A core of so many ways that fits a shape.
pub fn geometry(bus: u32, ways: u32, shape: &Shape) -> Geometry {
    let geometry = Geometry { ways, ..Geometry::for_shape(bus, shape) };
    geometry.check().expect("a legal geometry");
    geometry
}

/// Compiles a made-up checkpoint.
pub fn model(name: &str, spec: &SynthSpec) -> Arc<Model> {
    let folder = tools::folder(name);
    let (checkpoint, file) = (folder.join("checkpoint"), folder.join("model.sterna"));
    synth::write(spec, &checkpoint, &mut |_, _| {}).expect("a legal specification");
    let checkpoint = Checkpoint::open(&checkpoint).expect("what was written");
    compile(&checkpoint, &file, &mut |_| {}).expect("a sound checkpoint");
    Model::open(&file).expect("what was compiled")
}

/// A factor that makes values of some 14 to 40 bits of an accumulator.
pub fn rescale(rng: &mut Rng) -> Rescale {
    let mant = rng.below(1 << 23) as u32 | 1 << 23;
    let shift = if rng.one_in(8) { rng.below(64) } else { 8 + rng.below(17) };
    factor(mant, shift as i8)
}

/// Of a mantissa of 24 bits, 17 of which count, and so many bits to the right of the product.
pub fn factor(mant: u32, shift: i8) -> Rescale {
    Rescale::new(Scale::unpack(mant | u32::from((-shift as u8).wrapping_sub(7)) << 24).unwrap())
}

/// Of any size.
pub fn accumulator(rng: &mut Rng) -> i64 {
    signed(rng, 22) >> rng.below(16)
}
