use sterna_rtl::{Module, Sig, UInt};

use crate::core::LENGTH;

/// Beats that belong together: a header, a vector, a row group.
#[derive(Clone, Copy)]
pub(super) struct Run<'m> {
    /// Which of them is next.
    pub beat: Sig<'m>,
    /// It is the first.
    pub first: Sig<'m>,
    /// It is the last.
    pub last: Sig<'m>,
    /// They and those behind.
    left: Sig<'m>,
}

impl<'m> Run<'m> {
    /// Goes on with every beat that is taken, until another run begins.
    pub fn new(m: &'m Module, fires: Sig<'m>) -> Run<'m> {
        let run = Run {
            beat: m.reg("beat", UInt(LENGTH)).reset(0).comment("Of the header, vector or group."),
            first: m.reg("first_beat", UInt(1)).reset(1),
            last: m.reg("last_beat", UInt(1)).reset(0),
            left: m.reg("beats_left", UInt(LENGTH)).reset(0),
        };
        m.when(fires, || {
            run.beat.set(run.beat.wrapping_add(1));
            run.first.set(0);
            run.last.set(run.left.eq(2));
            run.left.set(run.left.wrapping_sub(1));
        });
        run
    }

    /// Another one begins, of so many beats.
    pub fn begin(&self, beats: Sig<'m>) {
        self.beat.set(0);
        self.first.set(1);
        self.last.set(beats.eq(1));
        self.left.set(beats);
    }
}
