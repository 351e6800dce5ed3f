//! What the head keeps: how far it is, what accumulators are worth, what the writer is asked for.

use sterna_rtl::{Module, SInt, Sig, Type, UInt};

use super::State;
use super::inputs::Inputs;
use crate::core::ADDRESS;
use crate::core::instruction::ROW_COUNT;
use crate::slots::{self, Slot};

/// How far the end of a pass is.
pub(super) struct Kept<'m> {
    state: Sig<'m>,
    /// The pass is sound.
    pub sound: Sig<'m>,
    /// HEAD has started, and accumulators are not welcome yet; they are.
    pub waits: Sig<'m>,
    pub open: Sig<'m>,
    /// Whose record is written.
    pub turn: Slot<'m>,
    pub scales: Scales<'m>,
    /// The best tokens are given out.
    pub best_given: Sig<'m>,
    pub job: Job<'m>,
}

/// What an accumulator is worth: of each slot, and of the one whose record is written.
pub(super) struct Scales<'m> {
    mants: Vec<Sig<'m>>,
    exps: Vec<Sig<'m>>,
    pub mant: Sig<'m>,
    pub exp: Sig<'m>,
}

/// What the writer is asked for: so many beats from an address on.
pub(super) struct Job<'m> {
    pub ask: Sig<'m>,
    pub addr: Sig<'m>,
    pub beats: Sig<'m>,
}

impl<'m> Kept<'m> {
    pub fn new(m: &'m Module, slots: u32) -> Kept<'m> {
        let state = m.reg("state", UInt(3)).reset(State::Gather as u8);
        let sound = m.reg("sound", UInt(1)).reset(0);
        let waits = m.reg("waits", UInt(1)).reset(0).comment("HEAD has started, `open` is due.");
        let open = m.reg("open", UInt(1)).reset(0).comment("Accumulators are welcome.");
        let turn = slots::register(m, "turn", slots);
        let scales = Scales::new(m, slots, turn);
        let best_given = m.reg("gives_best", UInt(1)).reset(0);
        best_given.set(0);
        let job = Job {
            ask: m.reg("asks", UInt(1)).reset(0),
            addr: m.reg("asks_addr", UInt(ADDRESS)),
            beats: m.reg("asks_beats", UInt(ROW_COUNT)),
        };
        job.ask.set(0);
        Kept { state, sound, waits, open, turn, scales, best_given, job }
    }

    pub fn at(&self, state: State) -> Sig<'m> {
        self.state.eq(state as u8)
    }

    pub fn go(&self, state: State) {
        self.state.set(state as u8);
    }
}

/// Of each slot a register.
pub(super) fn of_each<'m>(m: &'m Module, name: &str, slots: u32, ty: Type) -> Vec<Sig<'m>> {
    (0..slots).map(|n| m.reg(slots::name(name, slots, n), ty)).collect()
}

impl<'m> Scales<'m> {
    fn new(m: &'m Module, slots: u32, turn: Slot<'m>) -> Scales<'m> {
        let mants = of_each(m, "mant_now", slots, UInt(24));
        let exps = of_each(m, "exp_now", slots, SInt(12));
        let (mant, exp) = (slots::pick(turn, &mants), slots::pick(turn, &exps));
        Scales { mants, exps, mant, exp }
    }

    pub fn take(&self, inputs: &Inputs<'m>) {
        self.mants.iter().zip(&inputs.mant).for_each(|(to, from)| to.set(*from));
        self.exps.iter().zip(&inputs.exp).for_each(|(to, from)| match self.exps.len() {
            1 => to.set(*from),
            _ => to.set(from.as_sint()),
        });
    }
}
