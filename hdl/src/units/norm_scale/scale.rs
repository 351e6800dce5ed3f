//! The scale: one multiplier, one adder, one root, in turn.

use sterna_model::numerics::formats::SCALE_BITS;
use sterna_rtl::{Instance, Module, SInt, Sig, UInt};

use super::inputs::Inputs;
use super::pair::{Pair, add, multiply};
use super::statistics::{Progress, Statistics};
use super::{FIRST_SUM, INVERSE, OUTER, ROOT, ROUNDED, SUM, TIMES_MAX, TIMES_RESCALE};
use crate::units::EXP_BITS;

/// A scale that is computed.
pub(super) struct Scale<'m> {
    pub scale: Pair<'m>,
    pub times: Times<'m>,
    root: Instance<'m>,
}

/// Which result stands, a clock each: of the constants of the same names.
pub(super) struct Times<'m> {
    outer: Sig<'m>,
    first_sum: Sig<'m>,
    sum: Sig<'m>,
    inverse: Sig<'m>,
    times_max: Sig<'m>,
    times_rescale: Sig<'m>,
    pub rounded: Sig<'m>,
}

impl<'m> Times<'m> {
    fn new(step: Sig<'m>) -> Times<'m> {
        // A clock ahead: each of these chooses among many wide registers.
        let at = |name: &str, clock: u32| step.eq(clock - 1).register(name).reset(0);
        Times {
            outer: at("at_outer", OUTER),
            first_sum: at("at_first_sum", FIRST_SUM),
            sum: at("at_sum", SUM),
            inverse: at("at_inverse", INVERSE),
            times_max: at("at_times_max", TIMES_MAX),
            times_rescale: at("at_times_rescale", TIMES_RESCALE),
            rounded: at("at_rounded", ROUNDED),
        }
    }
}

impl<'m> Scale<'m> {
    /// Begins one at `begin`; `most` is the maximum, normal by the time that it is needed.
    pub fn new(
        m: &'m Module,
        inputs: &Inputs<'m>,
        statistics: &Statistics<'m>,
        progress: &Progress<'m>,
        begin: Sig<'m>,
        most: Pair<'m>,
    ) -> Scale<'m> {
        let &Progress { step, busy } = progress;
        let (x, y) = (Pair::reg(m, "x"), Pair::reg(m, "y"));
        let (floors, rescales) = (m.reg("floor_word", UInt(32)), m.reg("rescale_word", UInt(32)));
        let product = multiply(x, y);
        let sum = add(x, y);
        let times = Times::new(step);
        let (root, inverse) = inverse_root(m, sum, times.sum);
        m.when(busy, || step.set(step.wrapping_add(1)));
        let (a, b) = statistics.sums(inputs.turn);
        m.when(begin, || {
            busy.set(1);
            step.set(1);
            x.set(b);
            y.set(Pair::unpack(inputs.outer));
            floors.set(inputs.floor);
            rescales.set(inputs.rescale);
        });
        m.when(times.outer, || {
            x.set(a);
            y.set(product);
        });
        m.when(times.first_sum, || {
            x.set(sum);
            y.set(Pair::unpack(floors));
        });
        m.when(times.inverse, || {
            x.set(inverse);
            y.set(most);
        });
        m.when(times.times_max, || {
            x.set(product);
            y.set(Pair::unpack(rescales));
        });
        let scale = Pair::reg(m, "scale");
        m.when(times.times_rescale, || scale.set(product));
        Scale { scale, times, root }
    }

    /// What the clocks above rest on.
    pub fn assert_in_time(&self, m: &'m Module, normalised: Sig<'m>) {
        let &Times { sum: at_sum, inverse: at_inverse, .. } = &self.times;
        m.assert("root_in_time", !self.root.port("done") | at_inverse);
        m.assert("normalised_in_time", !at_inverse | normalised);
        m.assert("root_is_free", !at_sum | !self.root.port("busy"));
    }
}

/// `1 / sqrt(sum)`, by a unit that starts at `start`.
fn inverse_root<'m>(m: &'m Module, sum: Pair<'m>, start: Sig<'m>) -> (Instance<'m>, Pair<'m>) {
    let root = m.instance("u_root", &ROOT);
    // Zero has no root; something normalised stands in for it, and the result is not used.
    let top = m.lit(UInt(1), 1);
    root.set("mant", top.cat(sum.mant.slice(0..SCALE_BITS - 1)));
    root.set("odd", sum.exp.bit(0)).set("start", start);
    let inverse = root.port("inverse");
    let power = inverse.msb();
    let even = sum.exp.wrapping_add(sum.exp.bit(0).to_sint()).register("even");
    let less = |n: i32, name: &str| m.lit(SInt(EXP_BITS), n).wrapping_sub(even >> 1).register(name);
    // With E the exponent raised to even, that of the inverse is -E/2 - 35.
    let bits = SCALE_BITS as i32;
    let below = less(bits / 2 - (2 * bits - 1), "inverse_exponent");
    let above = less(bits / 2 - (2 * bits - 1) + 1, "inverse_exponent_up");
    let inverse = Pair {
        mant: power.mux(inverse.slice(1..SCALE_BITS + 1), inverse.slice(0..SCALE_BITS)),
        exp: power.mux(above, below),
    };
    (root, inverse.unless_zero(sum.mant.msb()))
}
