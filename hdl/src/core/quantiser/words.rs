//! A vector's words of Q elements, as they are read.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, Type, UInt};

use super::State;
use super::inputs::Inputs;
use super::walk::Place;
use crate::core::LENGTH;
use crate::core::instruction::is;

/// Which word is read; padding follows, up to a multiple of 64 elements.
pub(super) struct Words<'m> {
    /// Words of the vector, with its padding, and less two.
    words: Sig<'m>,
    padded: Sig<'m>,
    before_last: Sig<'m>,
    /// One is read: which, whether it is the last of the padded vector, whether it is in no padding
    /// yet.
    pub reads: Sig<'m>,
    pub index: Sig<'m>,
    last: Sig<'m>,
    pub inside: Sig<'m>,
}

impl<'m> Words<'m> {
    /// `ty` is that of a word's index, `shift` the logarithm of Q.
    pub fn new(
        m: &'m Module,
        (ty, shift): (Type, u32),
        inputs: &Inputs<'m>,
        place: &Place<'m>,
    ) -> Words<'m> {
        let &Inputs { hidden, inner, intermediate, .. } = inputs;
        let which = place.which;
        let length = is(which, Opcode::MixO)
            .mux(inner, is(which, Opcode::Down).mux(intermediate, hidden))
            .named("length");
        let in_words = |length: Sig<'_>| -> u32 { length.width() - shift };
        // `which` changes long before the pass that it is about.
        let words = length.slice(shift..LENGTH).register("words");
        let padded = ((length + 63u8) >> 6).truncate(LENGTH - 6);
        let padded = (padded << (6 - shift)).truncate(in_words(length)).register("padded_words");
        let index = m.reg("index", ty).reset(0);
        let last = m.reg("last_word", UInt(1)).comment("Of the padded vector.");
        let before_last = padded.wrapping_sub(2).register("before_last");
        let reads = place.at(State::Pass).named("reads");
        let inside = m.reg("in_vector", UInt(1)).comment("Not yet in the padding.");
        Words { words, padded, before_last, reads, index, last, inside }
    }

    /// The first one is read next.
    pub fn begin(&self) {
        self.index.set(0);
        self.inside.set(1);
        self.last.set(self.padded.eq(1));
    }

    /// Reads them one after the other; `end` is what follows the last.
    pub fn read(&self, m: &'m Module, end: impl FnOnce()) {
        let &Words { words, before_last, index, .. } = self;
        let bits = index.width();
        m.when(self.reads, || {
            index.set(index.wrapping_add(1));
            self.inside.set((index + 1).lt(words.extend(bits + 1)));
            self.last.set(index.eq(before_last.extend(bits)));
            m.when(self.last, end);
        });
    }
}
