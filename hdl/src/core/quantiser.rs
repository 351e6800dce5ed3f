//! The quantiser: vectors to codes.
//!
//! ```text
//! quantiser    what it is, and the order of its parts
//! inputs       what a pass is about, maxima, what is read
//! walk         from vector to vector, in the order of a pass
//! maxima       those that have come, and the reciprocal of one
//! words        a vector's words, as they are read
//! reads        which vector is read, with which gains
//! codes        from elements to codes
//! buffers      which buffer is written and read, and what is in it
//! ```

mod buffers;
mod codes;
mod inputs;
mod maxima;
mod reads;
mod walk;
mod words;

use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::{LENGTH, READ};
use crate::slots;
use crate::units::{Quantise, Reciprocal};
use buffers::Buffers;
use codes::Written;
use inputs::Inputs;
use maxima::{Divider, Maxima};
use walk::Place;
use words::Words;

/// Which vector the quantiser reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The residual stream.
    Residual,
    /// The gated vector v.
    Mix,
    /// The product of the GLU.
    Product,
}

/// Turns vectors into codes, ahead of the matrices that use them.
///
/// ```text
///  maxima complete -> [ Reciprocal ] -> [ pass: Q elements a clock ] -> codes
///                                          read vector, gain
///  i -> f -> g -> (v complete) o -> (x complete) GLU -> (p complete) DOWN -> (x complete) i ...
/// ```
///
/// The order of a pass is fixed, so the quantiser walks it by itself: f's and g's codes are made
/// behind the matrix before them, in the background. Codes alternate between two buffers; a buffer
/// is written again when the matrix that read it has ended (`code_release`).
///
/// ```text
///  clk        _/1\_ ...   n = LATENCY of Reciprocal, then one word of Q codes a clock
///  max_valid  1
///  read                   n + 4
///  code_write                       + READ + Quantise::LATENCY + 1
/// ```
///
/// Of several sequences each vector is turned into codes slot after slot, up to `highest`; words
/// count as there when the last slot's are.
///
/// Cost: Q [`Quantise`] ways, one [`Reciprocal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiser {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing to do before the next pass.
    Ended,
    /// For the maxima of the next vector.
    Wait,
    Reciprocal,
    /// For a buffer.
    Buffer,
    Pass,
    /// Until the last codes are written.
    Flush,
}

impl Quantiser {
    /// Clocks from the one in which a vector's maxima are found to the one in which its pass may begin.
    pub const READY: u32 = Reciprocal::LATENCY + 2;
    /// Clocks from a read to the write of its codes.
    pub const PIPE: usize = READ + Quantise::LATENCY as usize + 1;
    /// Clocks from the first in which nothing is read any more to the one in which the next vector's
    /// turn comes: the last codes have been written then.
    pub const FLUSH: usize = Quantiser::PIPE + 2;

    /// Bits of a word's index in its buffer: words of Q codes.
    pub fn write_bits(&self) -> u32 {
        LENGTH - self.geometry.quantisers.trailing_zeros()
    }
}

impl Generate for Quantiser {
    fn name(&self) -> String {
        "quantiser".into()
    }

    fn describe(&self, m: &Module) {
        let (q, slots) = (self.geometry.quantisers, self.geometry.slots);
        m.doc("Turns vectors into codes, in the order of a pass.");
        let inputs = Inputs::new(m, q, slots);
        let place = Place::new(m, slots);
        let turn = place.turn;
        let maxima = Maxima::new(m, slots, &inputs, turn);
        let divider = Divider::new(m, &place, &maxima);
        let word = (UInt(self.write_bits()), q.trailing_zeros());
        let words = Words::new(m, word, &inputs, &place);
        let buffers = Buffers::new(m, turn);
        walk::walk(m, &inputs, &place, (&maxima, &divider), &words, &buffers);

        let written = codes::make(m, q, &inputs, &divider, &words, &buffers, turn);
        let completes = self.completes(&written);
        let completes = slots::last(completes, turn, inputs.highest);
        buffers.count(m, &inputs, completes, || place.at(State::Buffer));
        reads::ask(m, &place, &divider, &words);
    }
}

impl Quantiser {
    /// Whether a word completes the codes of a beat's columns.
    fn completes<'m>(&self, &Written { write, at }: &Written<'m>) -> Sig<'m> {
        match self.geometry.columns() as u32 / self.geometry.quantisers {
            1 => write,
            words => write & at.slice(0..words.trailing_zeros()).all(),
        }
    }
}
