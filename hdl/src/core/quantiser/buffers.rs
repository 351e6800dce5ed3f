//! The two buffers of codes: which is written, which is read, and how many words are in each.

use sterna_rtl::{Module, Sig, UInt};

use super::inputs::Inputs;
use crate::core::LENGTH;
use crate::slots::Slot;

/// Who has which buffer.
pub(super) struct Buffers<'m> {
    /// The one that is written, and the one that a matrix reads.
    pub writing: Sig<'m>,
    reading: Sig<'m>,
    /// Of each whether there are codes in it that are needed.
    used: Vec<Sig<'m>>,
    /// The one that is written may be.
    pub free: Sig<'m>,
}

impl<'m> Buffers<'m> {
    pub fn new(m: &'m Module, turn: Slot<'m>) -> Buffers<'m> {
        let writing = m.reg("buffer", UInt(1)).reset(0).comment("That is written.");
        let used: Vec<Sig<'m>> =
            (0..2).map(|i| m.reg(format!("used_{i}"), UInt(1)).reset(0)).collect();
        let reading = m.reg("reading", UInt(1)).reset(0).comment("Buffer that a matrix reads.");
        let free = !writing.mux(used[1], used[0]);
        // The slots after the first go into the buffer that it took.
        let free = turn.map_or(free, |turn| free | turn.ne(0));
        Buffers { writing, reading, used, free }
    }

    /// The one that is written is taken.
    pub fn take(&self, m: &'m Module) {
        for (i, used) in self.used.iter().enumerate() {
            m.when(self.writing.eq(i), || used.set(1));
        }
    }

    /// The one that is read is given back, where a matrix has read it.
    pub fn give_back(&self, m: &'m Module, release: Sig<'m>) {
        let reading = self.reading;
        m.when(release, || {
            reading.set(!reading);
            for (i, used) in self.used.iter().enumerate() {
                m.when(reading.eq(i), || used.set(0));
            }
        });
    }

    /// Both are free.
    pub fn forget(&self) {
        self.writing.set(0);
        self.reading.set(0);
        self.used.iter().for_each(|used| used.set(0));
    }

    /// Counts the words of a beat's columns that are there and were not met: `completes` adds one.
    /// The port `code_there` says whether there are any.
    pub fn count(
        &self,
        m: &'m Module,
        inputs: &Inputs<'m>,
        completes: Sig<'m>,
        at_buffer: impl Fn() -> Sig<'m>,
    ) {
        let &Inputs { begins, release, taken, .. } = inputs;
        let &Buffers { writing: buffer, reading, free, .. } = self;
        let there: Vec<Sig<'m>> = (0..2u8)
            .map(|i| {
                let count = m.reg(format!("there_{i}"), UInt(LENGTH)).reset(0);
                let some = m.reg(format!("some_{i}"), UInt(1)).reset(0).comment("It is not 0.");
                let up = (completes & buffer.eq(i)).named(format!("more_{i}"));
                let down = (taken & reading.eq(i)).named(format!("fewer_{i}"));
                m.when(up & !down, || count.set(count.wrapping_add(1)));
                m.when(down & !up, || count.set(count.wrapping_sub(1)));
                // `taken` comes late in its clock, so this is known from the one before.
                let then = (up | down.mux(count.gt(1), some)).named(format!("some_{i}_then"));
                some.set(then);
                m.assert(format!("some_{i}_as_there"), some.eq(count.ne(0)));
                m.assert(format!("there_{i}_not_below"), !down | some);
                let fresh = at_buffer() & free & buffer.eq(i);
                m.when(fresh | (release & reading.eq(i)) | begins, || {
                    count.set(0);
                    some.set(0);
                });
                then
            })
            .collect();
        // A clock late where `reading` changes: no weights come so soon after others.
        m.output("code_there", UInt(1))
            .comment("In the next clock there are codes that a matrix has not met yet.")
            .set(!release & !begins & reading.mux(there[1], there[0]));
    }
}
