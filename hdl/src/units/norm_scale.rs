use sterna_model::numerics::formats::{RESCALE_BITS, RESCALE_SHIFT_MAX, RESIDUAL_BITS, SCALE_BITS};
use sterna_rtl::parts::InverseRoot;
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{EXP_BITS, SQUARES_BITS, magnitude};

const ROOT: InverseRoot = InverseRoot { width: SCALE_BITS };

/// Clocks of the normaliser: 16 bits at most four times, 4 thrice, 1 thrice.
const SHIFTS: u32 = 10;

// When, in clocks from `start`, which result stands.
const OUTER: u32 = 3;
const FIRST_SUM: u32 = OUTER + 6;
const SUM: u32 = FIRST_SUM + 6;
// The latency of ROOT, as an assertion of the module says.
const INVERSE: u32 = SUM + 74;
const TIMES_MAX: u32 = INVERSE + 3;
const TIMES_RESCALE: u32 = TIMES_MAX + 3;
const ROUNDED: u32 = TIMES_RESCALE + 2;

/// The statistics of a vector, and the scales that come of them (numerics.md, sections 6 and 9).
///
/// ```text
///  a, b, max -> [normaliser: top bit to the top] -> A, B, max as Scales
///
///        +--[x]--+-> [ x * y: 24 x 24 ] ------------------------+
///        |       +-> [ align ] -> [ x + y ] -+------------------+--> x, y
///        +--[y]--+                           +-> 1 / sqrt ------+--> [ to 17 bits ] -> factor, shift
///
///  x * y:  B * outer     (1/sqrt) * max    ... * rescale
///  x + y:  A + ...       ... + floor
/// ```
///
/// ```text
///  clk       _/1\_/2\_ ... _/23\_/24\_ ... _/121\_/122\_
///  gather    1   0
///  gathered                 0    1                        the statistics stand from here on
///  ready     x   0          0    1    0      0     1
///  start                         1    0
///  done                                      0     1      the results stand until the next done
/// ```
///
/// One multiplier, one adder and one normaliser do everything in turn; each operation is one of
/// `sterna_model::numerics::Scale` and in the order of `NormConstants::scale`. `enter` takes the
/// statistics of an embedding row, which are Scales already, within a clock. `gather` and `enter`
/// come only while no scale is being computed (`start` begins one, only while `ready`); everything is
/// taken in the clock of the pulse.
///
/// Latencies [`NormScale::LATENCY`] and [`NormScale::GATHER_LATENCY`], always; three quarters of the
/// first are the root and its division, which have a quantiser's pass over the vector to hide behind.
/// Cost (*synthesised*, ECP5), without the root: four multipliers of 18 x 18, 1,446 LUT4, 130 CCU2C,
/// 961 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormScale;

impl NormScale {
    /// Clocks from `start` to `done`.
    pub const LATENCY: u32 = ROUNDED + 1;
    /// Clocks from `gather` to `gathered`.
    pub const GATHER_LATENCY: u32 = 2 * (SHIFTS + 1) + 1;
}

/// A mantissa with its exponent; zero has neither.
#[derive(Clone, Copy)]
struct Pair<'m> {
    mant: Sig<'m>,
    exp: Sig<'m>,
}

impl<'m> Pair<'m> {
    fn reg(m: &'m Module, name: &str) -> Pair<'m> {
        Pair {
            mant: m.reg(format!("{name}_mantissa"), UInt(SCALE_BITS)),
            exp: m.reg(format!("{name}_exponent"), SInt(EXP_BITS)),
        }
    }

    fn unpack(word: Sig<'m>) -> Pair<'m> {
        let exp = word.slice(SCALE_BITS..SCALE_BITS + 8).as_sint().extend(EXP_BITS);
        Pair { mant: word.slice(0..SCALE_BITS), exp }
    }

    fn set(self, to: Pair<'m>) {
        self.mant.set(to.mant);
        self.exp.set(to.exp);
    }

    /// This, or zero.
    fn unless_zero(self, some: Sig<'m>) -> Pair<'m> {
        Pair { mant: some.mux(self.mant, 0), exp: some.mux(self.exp, 0) }
    }
}

impl Generate for NormScale {
    fn name(&self) -> String {
        "norm_scale".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "Statistics of a vector, and the scales that come of them.\n\
             Latency {} from start, {} from gather.",
            Self::LATENCY,
            Self::GATHER_LATENCY
        ));
        let word = |name: &str| m.input(name, UInt(32));
        let pulse = |name: &str| m.input(name, UInt(1));
        let gather = pulse("gather").comment("Take raw sums and maxima.");
        let raw_a = m.input("a", UInt(SQUARES_BITS));
        let raw_b = m.input("b", UInt(SQUARES_BITS));
        let raw_max: Vec<_> = (0..3).map(|j| word(&format!("max_{j}"))).collect();
        let enter = pulse("enter").comment("Take those of an embedding row.");
        let (row_a, row_b) = (word("row_a"), word("row_b"));
        let row_max: Vec<_> = (0..3).map(|j| word(&format!("row_max_{j}"))).collect();
        let start = pulse("start").comment("Compute a scale; only while ready.");
        let (outer, floor, rescale) = (word("outer"), word("floor"), word("rescale"));
        let consumer = m.input("consumer", UInt(2));

        // ----- the statistics -----
        let (a, b) = (Pair::reg(m, "a"), Pair::reg(m, "b"));
        let max: Vec<_> = (0..3).map(|j| m.reg(format!("maximum_{j}"), UInt(32))).collect();
        let there = m.reg("there", UInt(1)).reset(0);
        let gathered = m.reg("gathers", UInt(1)).reset(0);
        let phase = m.reg("phase", UInt(2)).reset(0).comment("1: a is being normalised, 2: b is.");
        let waiting = m.reg("waiting", UInt(SQUARES_BITS)).comment("b, meanwhile.");
        let step = m.reg("step", UInt(7)).reset(0).comment("Clocks since start, 0: none.");
        let ready = (there & step.eq(0)).named("is_ready");
        let begin = (start & ready).named("begins");

        let normaliser = Normaliser::new(m);
        let normal = normaliser.result();
        let finished = normaliser.finished();
        gathered.set(0);
        m.when(phase.eq(1) & finished, || {
            a.set(normal);
            phase.set(2);
            normaliser.load(waiting);
        });
        m.when(phase.eq(2) & finished, || {
            b.set(normal);
            phase.set(0);
            there.set(1);
            gathered.set(1);
        });
        m.when(begin, || normaliser.load(consumer.select(&max).extend(SQUARES_BITS)));
        m.when(gather, || {
            phase.set(1);
            there.set(0);
            waiting.set(raw_b);
            normaliser.load(raw_a);
        });
        m.when(enter, || {
            phase.set(0);
            there.set(1);
            a.set(Pair::unpack(row_a));
            b.set(Pair::unpack(row_b));
        });
        for ((max, raw), row) in max.iter().zip(&raw_max).zip(&row_max) {
            m.when(gather, || max.set(*raw)).elsewhen(enter, || max.set(*row));
        }
        m.assume("between_scales", !(gather | enter) | step.eq(0));

        // ----- the scale -----
        let (x, y) = (Pair::reg(m, "x"), Pair::reg(m, "y"));
        let (floors, rescales) = (m.reg("floor_word", UInt(32)), m.reg("rescale_word", UInt(32)));
        let product = multiply(x, y);
        let sum = add(x, y);
        let at = |clock: u32| step.eq(clock);

        let root = m.instance("u_root", &ROOT);
        // Zero has no root; something normalised stands in for it, and the result is not used.
        let top = m.lit(UInt(1), 1);
        root.set("mant", top.cat(sum.mant.slice(0..SCALE_BITS - 1)));
        root.set("odd", sum.exp.bit(0)).set("start", at(SUM));
        let inverse = root.port("inverse");
        let power = inverse.msb();
        let even = sum.exp.wrapping_add(sum.exp.bit(0).to_sint()).register("even");
        let less =
            |n: i32, name: &str| m.lit(SInt(EXP_BITS), n).wrapping_sub(even >> 1).register(name);
        // With E the exponent raised to even, that of the inverse is -E/2 - 35.
        let bits = SCALE_BITS as i32;
        let below = less(bits / 2 - (2 * bits - 1), "inverse_exponent");
        let above = less(bits / 2 - (2 * bits - 1) + 1, "inverse_exponent_up");
        let inverse = Pair {
            mant: power.mux(inverse.slice(1..SCALE_BITS + 1), inverse.slice(0..SCALE_BITS)),
            exp: power.mux(above, below),
        };
        let inverse = inverse.unless_zero(sum.mant.msb());

        m.when(step.ne(0), || step.set(step.wrapping_add(1)));
        m.when(begin, || {
            step.set(1);
            x.set(b);
            y.set(Pair::unpack(outer));
            floors.set(floor);
            rescales.set(rescale);
        });
        m.when(at(OUTER), || {
            x.set(a);
            y.set(product);
        });
        m.when(at(FIRST_SUM), || {
            x.set(sum);
            y.set(Pair::unpack(floors));
        });
        m.when(at(INVERSE), || {
            x.set(inverse);
            y.set(normal);
        });
        m.when(at(TIMES_MAX), || {
            x.set(product);
            y.set(Pair::unpack(rescales));
        });
        let scale = Pair::reg(m, "scale");
        m.when(at(TIMES_RESCALE), || scale.set(product));

        // ----- its rounding to a factor -----
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

        let done = m.reg("finished", UInt(1)).reset(0);
        let out = Pair::reg(m, "out");
        let out_factor = m.reg("out_factor", UInt(RESCALE_BITS));
        let out_shift = m.reg("out_shift", UInt(6));
        let out_clamped = m.reg("out_clamped", UInt(1));
        done.set(at(ROUNDED));
        m.when(at(ROUNDED), || {
            step.set(0);
            out.set(scale);
            out_factor.set(some.mux(factor, 0));
            out_shift.set(some.mux(shift, 0));
            out_clamped.set(some & negative);
        });

        let pairs = [("a_mant", "a_exp", a), ("b_mant", "b_exp", b)];
        m.output("ready", UInt(1)).set(ready);
        m.output("gathered", UInt(1)).set(gathered);
        for (mant, exp, pair) in pairs.into_iter() {
            m.output(mant, UInt(SCALE_BITS)).set(pair.mant);
            m.output(exp, SInt(EXP_BITS)).set(pair.exp);
        }
        for (j, max) in max.iter().enumerate() {
            m.output(format!("stat_max_{j}"), UInt(RESIDUAL_BITS)).set(*max);
        }
        m.output("done", UInt(1)).set(done);
        m.output("mant", UInt(SCALE_BITS)).set(out.mant);
        m.output("exp", SInt(EXP_BITS)).set(out.exp);
        m.output("factor", UInt(RESCALE_BITS)).set(out_factor);
        m.output("shift", UInt(6)).set(out_shift);
        m.output("clamped", UInt(1)).set(out_clamped);
        m.assert("root_in_time", !root.port("done") | at(INVERSE));
        m.assert("normalised_in_time", !at(INVERSE) | finished);
        m.assert("root_is_free", !at(SUM) | !root.port("busy"));
    }
}

/// `x * y`, two clocks after both stand.
fn multiply<'m>(x: Pair<'m>, y: Pair<'m>) -> Pair<'m> {
    // Of halves: four small products in the first clock, their sum in the second. One product would
    // have its adders in the first clock, too, which was the core's slowest path.
    let half = SCALE_BITS / 2;
    let halves = |mant: Sig<'m>| (mant.slice(half..SCALE_BITS), mant.slice(0..half));
    let ((x_high, x_low), (y_high, y_low)) = (halves(x.mant), halves(y.mant));
    let part = |a: Sig<'m>, b: Sig<'m>, name: &str| (a * b).register(name);
    let ends = part(x_high, y_high, "highs").cat(part(x_low, y_low, "lows"));
    let middle = part(x_high, y_low, "high_low") + part(x_low, y_high, "low_high");
    let product = ends.wrapping_add(middle << half).register("product");
    let exps = x.exp.wrapping_add(y.exp).register("exponents");
    let low = exps.wrapping_add(SCALE_BITS - 1).register("product_exponent");
    let high = exps.wrapping_add(SCALE_BITS).register("product_exponent_up");
    let top = 2 * SCALE_BITS;
    let carry = product.bit(top - 1);
    let mant = carry.mux(product.slice(SCALE_BITS..top), product.slice(SCALE_BITS - 1..top - 1));
    // A product of normalised mantissas has one of its two highest bits set.
    Pair { mant, exp: carry.mux(high, product.bit(top - 2).mux(low, 0)) }
}

/// `x + y`, five clocks after both stand; they have to stand all the while.
fn add<'m>(x: Pair<'m>, y: Pair<'m>) -> Pair<'m> {
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

/// Shifts a number to the left until its top bit is set, and counts: [`SHIFTS`] clocks.
struct Normaliser<'m> {
    value: Sig<'m>,
    exp: Sig<'m>,
    step: Sig<'m>,
}

impl<'m> Normaliser<'m> {
    fn new(m: &'m Module) -> Normaliser<'m> {
        let value = m.reg("normal", UInt(SQUARES_BITS));
        let exp = m.reg("normal_exponent", SInt(8));
        let step = m.reg("normal_step", UInt(4)).reset(SHIFTS);
        let shift = |n: u32| {
            m.when(!value.slice(SQUARES_BITS - n..SQUARES_BITS).any(), || {
                value.set((value << n).truncate(SQUARES_BITS));
                exp.set(exp.wrapping_sub(n));
            });
        };
        m.when(step.lt(4), || shift(16))
            .elsewhen(step.lt(7), || shift(4))
            .elsewhen(step.lt(SHIFTS), || shift(1));
        m.when(step.ne(SHIFTS), || step.set(step.wrapping_add(1)));
        Normaliser { value, exp, step }
    }

    fn load(&self, value: Sig<'m>) {
        self.value.set(value);
        self.exp.set(SQUARES_BITS - SCALE_BITS);
        self.step.set(0);
    }

    fn finished(&self) -> Sig<'m> {
        self.step.eq(SHIFTS)
    }

    fn result(&self) -> Pair<'m> {
        let mant = self.value.slice(SQUARES_BITS - SCALE_BITS..SQUARES_BITS);
        let exp = self.value.msb().mux(self.exp.extend(EXP_BITS), 0);
        Pair { mant, exp }
    }
}
