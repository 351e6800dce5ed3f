//! The normaliser of sums and maxima.

use std::ops::Range;

use sterna_model::numerics::formats::SCALE_BITS;
use sterna_rtl::{Module, SInt, Sig, UInt};

use super::SHIFTS;
use super::pair::Pair;
use crate::units::{EXP_BITS, SQUARES_BITS};

/// By how much the normaliser may shift in which of its clocks.
const STAGES: [(u32, Range<u32>); 3] = [(16, 1..5), (4, 5..8), (1, 8..SHIFTS)];

/// Shifts a number to the left until its top bit is set, and counts: [`SHIFTS`] clocks from a load.
pub(super) struct Normaliser<'m> {
    value: Sig<'m>,
    exp: Sig<'m>,
    pub finished: Sig<'m>,
}

impl<'m> Normaliser<'m> {
    /// Takes what is loaded, or goes on. Whether a clock shifts is known from the one before, of the
    /// number that it will find: it chooses among many registers.
    pub fn new(m: &'m Module, load: Sig<'m>, loaded: Sig<'m>) -> Normaliser<'m> {
        let value = m.reg("normal", UInt(SQUARES_BITS));
        let exp = m.reg("normal_exponent", SInt(8));
        let step = m.reg("normal_step", UInt(4)).reset(SHIFTS);
        let finished = m.reg("normal_finished", UInt(1)).reset(1);
        let then = load.mux(m.lit(step.ty(), 0), step.wrapping_add(1)).named("normal_step_then");
        let shifts = STAGES.map(|(n, _)| m.reg(format!("normal_by_{n}"), UInt(1)).reset(0));
        let shifted = STAGES.iter().zip(shifts).fold(value, |next, (&(n, _), shifts)| {
            shifts.mux((value << n).truncate(SQUARES_BITS), next)
        });
        value.set(load.mux(loaded, shifted));
        for ((n, clocks), shifts) in STAGES.into_iter().zip(shifts) {
            let within = then.ge(clocks.start) & then.lt(clocks.end) & !load & !finished;
            shifts.set(within & !shifted.slice(SQUARES_BITS - n..SQUARES_BITS).any());
            m.when(shifts, || exp.set(exp.wrapping_sub(n)));
        }
        m.when(!finished, || {
            step.set(then);
            finished.set(step.eq(SHIFTS - 1));
        });
        m.when(load, || {
            exp.set(SQUARES_BITS - SCALE_BITS);
            step.set(0);
            finished.set(0);
        });
        Normaliser { value, exp, finished }
    }

    pub fn result(&self) -> Pair<'m> {
        let mant = self.value.slice(SQUARES_BITS - SCALE_BITS..SQUARES_BITS);
        let exp = self.value.msb().mux(self.exp.extend(EXP_BITS), 0);
        Pair { mant, exp }
    }
}
