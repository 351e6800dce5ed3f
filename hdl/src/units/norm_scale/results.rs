//! The scale as a factor and a shift, and the results of each slot.

use sterna_model::numerics::formats::{RESCALE_BITS, RESCALE_SHIFT_MAX, SCALE_BITS};
use sterna_rtl::{Module, SInt, Sig, Type, UInt};

use super::pair::Pair;
use super::scale::Scale;
use super::statistics::Progress;
use crate::slots::{self, Slot};
use crate::units::EXP_BITS;

/// A scale, rounded to a factor of 17 bits and a shift to the right.
struct Factor<'m> {
    factor: Sig<'m>,
    shift: Sig<'m>,
    /// The scale is not 0; it is too large for a factor.
    some: Sig<'m>,
    clamped: Sig<'m>,
}

impl<'m> Factor<'m> {
    fn of(m: &'m Module, scale: Pair<'m>) -> Factor<'m> {
        let drop = SCALE_BITS - RESCALE_BITS;
        let rounded = (scale.mant + (1u32 << (drop - 1))).slice(drop..SCALE_BITS + 1);
        let rounded = rounded.register("rounded");
        let right =
            |n: i32, name: &str| m.lit(SInt(EXP_BITS), n).wrapping_sub(scale.exp).register(name);
        let (by, by_less) = (right(-(drop as i32), "right"), right(-1 - drop as i32, "right_less"));
        let carry = rounded.msb();
        let shift = carry.mux(by_less, by);
        let some = scale.mant.msb();
        let negative = shift.msb();
        let large = (!negative & shift.slice(6..EXP_BITS).any()).named("vanishes");
        let power = m.lit(UInt(RESCALE_BITS), 1u32 << (RESCALE_BITS - 1));
        let factor = carry.mux(power, rounded.slice(0..RESCALE_BITS));
        let factor = negative.mux((1u32 << RESCALE_BITS) - 1, factor);
        let shift = negative.mux(0, large.mux(RESCALE_SHIFT_MAX, shift.slice(0..6)));
        Factor { factor, shift, some, clamped: negative }
    }
}

/// Of each slot the last scale, and its factor.
pub(super) struct Results<'m> {
    done: Sig<'m>,
    scale: Vec<Pair<'m>>,
    factor: Vec<Sig<'m>>,
    shift: Vec<Sig<'m>>,
    clamped: Vec<Sig<'m>>,
}

impl<'m> Results<'m> {
    /// Keeps a scale for the slot `turn`, and lets the next one begin.
    pub fn new(
        m: &'m Module,
        count: u32,
        turn: Slot<'m>,
        Scale { scale, times, .. }: &Scale<'m>,
        progress: &Progress<'m>,
    ) -> Results<'m> {
        let Factor { factor, shift, some, clamped } = Factor::of(m, *scale);
        let results = |name: &str, width: u32| -> Vec<Sig<'m>> {
            (0..count).map(|n| m.reg(slots::name(name, count, n), UInt(width))).collect()
        };
        let to = Results {
            done: m.reg("finished", UInt(1)).reset(0),
            scale: Pair::regs(m, "out", count),
            factor: results("out_factor", RESCALE_BITS),
            shift: results("out_shift", 6),
            clamped: results("out_clamped", 1),
        };
        to.done.set(times.rounded);
        m.when(times.rounded, || {
            progress.busy.set(0);
            progress.step.set(0);
        });
        for n in 0..count as usize {
            m.when(slots::only(times.rounded, turn, n as u32), || {
                to.scale[n].set(*scale);
                to.factor[n].set(some.mux(factor, 0));
                to.shift[n].set(some.mux(shift, 0));
                to.clamped[n].set(some & clamped);
            });
        }
        to
    }

    /// Ports that give them out.
    pub fn give(&self, m: &'m Module) {
        m.output("done", UInt(1)).set(self.done);
        let count = self.scale.len() as u32;
        let give = |name: &str, ty: Type, of: &[Sig<'m>]| {
            m.output(name, slots::ty(ty, count)).set(slots::join(m, of));
        };
        let pairs = self.scale.iter().map(|pair| (pair.mant, pair.exp));
        let (mants, exps): (Vec<_>, Vec<_>) = pairs.unzip();
        give("mant", UInt(SCALE_BITS), &mants);
        give("exp", SInt(EXP_BITS), &exps);
        give("factor", UInt(RESCALE_BITS), &self.factor);
        give("shift", UInt(6), &self.shift);
        give("clamped", UInt(1), &self.clamped);
    }
}
