//! Numbers with an exponent: their product and their sum.

use sterna_model::numerics::formats::SCALE_BITS;
use sterna_rtl::{Module, SInt, Sig, UInt};

use crate::slots::{self, Slot};
use crate::units::{EXP_BITS, magnitude};

/// A mantissa with its exponent; zero has neither.
#[derive(Clone, Copy)]
pub(super) struct Pair<'m> {
    pub mant: Sig<'m>,
    pub exp: Sig<'m>,
}

impl<'m> Pair<'m> {
    pub fn reg(m: &'m Module, name: &str) -> Pair<'m> {
        Pair {
            mant: m.reg(format!("{name}_mantissa"), UInt(SCALE_BITS)),
            exp: m.reg(format!("{name}_exponent"), SInt(EXP_BITS)),
        }
    }

    /// Of each slot a register.
    pub fn regs(m: &'m Module, name: &str, slots: u32) -> Vec<Pair<'m>> {
        (0..slots).map(|n| Pair::reg(m, &slots::name(name, slots, n))).collect()
    }

    /// That of a slot.
    pub fn pick(slot: Slot<'m>, of: &[Pair<'m>]) -> Pair<'m> {
        let each = |part: fn(&Pair<'m>) -> Sig<'m>| of.iter().map(part).collect::<Vec<_>>();
        Pair {
            mant: slots::pick(slot, &each(|pair| pair.mant)),
            exp: slots::pick(slot, &each(|pair| pair.exp)),
        }
    }

    pub fn unpack(word: Sig<'m>) -> Pair<'m> {
        let exp = word.slice(SCALE_BITS..SCALE_BITS + 8).as_sint().extend(EXP_BITS);
        Pair { mant: word.slice(0..SCALE_BITS), exp }
    }

    pub fn set(self, to: Pair<'m>) {
        self.mant.set(to.mant);
        self.exp.set(to.exp);
    }

    /// This, or zero.
    pub fn unless_zero(self, some: Sig<'m>) -> Pair<'m> {
        Pair { mant: some.mux(self.mant, 0), exp: some.mux(self.exp, 0) }
    }
}

/// `x * y`, three clocks after both stand.
pub(super) fn multiply<'m>(x: Pair<'m>, y: Pair<'m>) -> Pair<'m> {
    // Of halves: four small products in the first clock, their way from the multipliers in the second,
    // their sum in the third. One product would have its adders in the first clock, too, which was
    // the core's slowest path.
    let half = SCALE_BITS / 2;
    let halves = |mant: Sig<'m>| (mant.slice(half..SCALE_BITS), mant.slice(0..half));
    let ((x_high, x_low), (y_high, y_low)) = (halves(x.mant), halves(y.mant));
    let part = |a: Sig<'m>, b: Sig<'m>, name: &str| (a * b).delay(name, 2);
    let ends = part(x_high, y_high, "highs").cat(part(x_low, y_low, "lows"));
    let middle = part(x_high, y_low, "high_low") + part(x_low, y_high, "low_high");
    let product = ends.wrapping_add(middle << half).register("product");
    let exps = x.exp.wrapping_add(y.exp).delay("exponents", 2);
    let low = exps.wrapping_add(SCALE_BITS - 1).register("product_exponent");
    let high = exps.wrapping_add(SCALE_BITS).register("product_exponent_up");
    let top = 2 * SCALE_BITS;
    let carry = product.bit(top - 1);
    let mant = carry.mux(product.slice(SCALE_BITS..top), product.slice(SCALE_BITS - 1..top - 1));
    // A product of normalised mantissas has one of its two highest bits set.
    Pair { mant, exp: carry.mux(high, product.bit(top - 2).mux(low, 0)) }
}

/// `x + y`, five clocks after both stand; they have to stand all the while.
pub(super) fn add<'m>(x: Pair<'m>, y: Pair<'m>) -> Pair<'m> {
    let m = x.mant.module();
    let distance = x.exp.wrapping_sub(y.exp).register("distance");
    let (x_some, y_some) = (x.mant.msb(), y.mant.msb());
    let swap = (!x_some | (y_some & distance.msb())).named("swaps");
    let large = swap.mux(y.mant, x.mant).register("large_mantissa");
    let large_exp = swap.mux(y.exp, x.exp).register("large_exponent");
    let small = swap.mux(x.mant, y.mant).register("small_mantissa");
    let by = magnitude(distance, m.lit(UInt(1), 0)).register("by");

    // 24 and more leave nothing; of a zero the distance means nothing, and nothing is left either.
    let far = by.slice(5..EXP_BITS).any();
    let coarse = far.mux(0, small >> (by.slice(3..5) << 3)).register("aligned_coarse");
    let fine = (coarse >> by.slice(0..3)).register("aligned");
    let sum = (large + fine).register("sum");
    let up = large_exp.wrapping_add(1).register("sum_exponent_up");
    let carry = sum.msb();
    Pair {
        mant: carry.mux(sum.slice(1..SCALE_BITS + 1), sum.slice(0..SCALE_BITS)),
        exp: carry.mux(up, large_exp),
    }
}
