use std::ops::Range;

use sterna_model::numerics::formats::{RESCALE_BITS, RESCALE_SHIFT_MAX, RESIDUAL_BITS, SCALE_BITS};
use sterna_rtl::parts::InverseRoot;
use sterna_rtl::{Generate, Module, SInt, Sig, Type, UInt};

use super::{EXP_BITS, SQUARES_BITS, magnitude};
use crate::slots::{self, Slot};

const ROOT: InverseRoot = InverseRoot { width: SCALE_BITS };

/// Clocks of the normaliser: a look, then 16 bits at most four times, 4 thrice, 1 thrice.
const SHIFTS: u32 = 11;

// When, in clocks from `start`, which result stands.
const OUTER: u32 = 4;
const FIRST_SUM: u32 = OUTER + 6;
const SUM: u32 = FIRST_SUM + 6;
// The latency of ROOT, as an assertion of the module says.
const INVERSE: u32 = SUM + 74;
const TIMES_MAX: u32 = INVERSE + 4;
const TIMES_RESCALE: u32 = TIMES_MAX + 4;
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
///  clk       _/1\_/2\_ ... _/24\_/25\_ ... _/125\_/126\_
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
/// taken in the clock of the pulse, raw sums and maxima in the next.
///
/// Of several sequences the statistics are taken all at once and normalised one after the other,
/// slot 0's first, up to that of `highest`; `gathered` comes for each, and `gathered_all` with the
/// last. A scale is of the slot that `slot` names from `start` to `done`; the results of each stand
/// until its next, in a lane of the outputs, and raw sums and maxima come in lanes, too.
///
/// Latencies [`NormScale::LATENCY`] and [`NormScale::gather_latency`], always; three quarters of the
/// first are the root and its division, which have a quantiser's pass over the vector to hide behind.
/// Cost (*synthesised*, ECP5, in a core of 64 bits), without the root: four multipliers of 18 x 18,
/// 1,170 LUT4, 129 CCU2C, 1,070 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormScale {
    /// Sequences.
    pub slots: u32,
}

impl NormScale {
    /// Clocks from `start` to `done`.
    pub const LATENCY: u32 = ROUNDED + 1;

    /// Clocks from `gather` to the last of so many `gathered`.
    pub const fn gather_latency(slots: u32) -> u32 {
        2 * (SHIFTS + 1) * slots + 2
    }
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

    /// That of a slot.
    fn pick(slot: Slot<'m>, of: &[Pair<'m>]) -> Pair<'m> {
        let each = |part: fn(&Pair<'m>) -> Sig<'m>| of.iter().map(part).collect::<Vec<_>>();
        Pair {
            mant: slots::pick(slot, &each(|pair| pair.mant)),
            exp: slots::pick(slot, &each(|pair| pair.exp)),
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
        slots::name("norm_scale", self.slots, self.slots)
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "Statistics of a vector, and the scales that come of them.\n\
             Latency {} from start, {} from gather.",
            Self::LATENCY,
            Self::gather_latency(1)
        ));
        let count = self.slots;
        let highest = slots::input(m, "highest", count);
        let turn = slots::input(m, "slot", count);
        let word = |name: &str| m.input(name, UInt(32));
        let pulse = |name: &str| m.input(name, UInt(1));
        let gathers = pulse("gather").comment("Take raw sums and maxima in the next clock.");
        let gather = gathers.delay_valid("gather_now", 1);
        let raw = |name: &str, width: u32| slots::lanes(m.input(name, UInt(width * count)), count);
        let raw_a = raw("a", SQUARES_BITS);
        let raw_b = raw("b", SQUARES_BITS);
        let raw_max: Vec<_> = (0..3).map(|j| raw(&format!("max_{j}"), 32)).collect();
        let enter = pulse("enter").comment("Take those of an embedding row.");
        let entering = slots::input(m, "enter_slot", count);
        let (row_a, row_b) = (word("row_a"), word("row_b"));
        let row_max: Vec<_> = (0..3).map(|j| word(&format!("row_max_{j}"))).collect();
        let start = pulse("start").comment("Compute a scale; only while ready.");
        let (outer, floor, rescale) = (word("outer"), word("floor"), word("rescale"));
        let consumer = m.input("consumer", UInt(2));

        // ----- the statistics -----
        let pairs = |name: &str| -> Vec<Pair<'_>> {
            (0..count).map(|n| Pair::reg(m, &slots::name(name, count, n))).collect()
        };
        let (a, b) = (pairs("a"), pairs("b"));
        // By consumer, then by slot.
        let of = |j| move |n| m.reg(slots::name(&format!("maximum_{j}"), count, n), UInt(32));
        let max: Vec<Vec<_>> = (0..3).map(|j| (0..count).map(of(j)).collect()).collect();
        let there = m.reg("there", UInt(1)).reset(0);
        let gathered = m.reg("gathers", UInt(1)).reset(0);
        let phase = m.reg("phase", UInt(2)).reset(0).comment("1: a is being normalised, 2: b is.");
        let waiting = m.reg("waiting", UInt(SQUARES_BITS)).comment("b, meanwhile.");
        let step = m.reg("step", UInt(7)).reset(0).comment("Clocks since start, 0: none.");
        let busy = m.reg("busy", UInt(1)).reset(0).comment("`step` is not 0.");
        let gathering = slots::register(m, "gathering", count);
        let gathered_slot = slots::register(m, "gathered_of", count);
        let ready = (there & !busy).named("is_ready");
        let begin = start.named("begins");
        m.assume("starts_while_ready", !start | ready);

        let second = m.wire("second_begins", UInt(1)).comment("a is normal, b is next.");
        let of_turn: Vec<_> = max.iter().map(|of| slots::pick(turn, of)).collect();
        let most = consumer.select(&of_turn).extend(SQUARES_BITS);
        let mut loaded = gather.mux(raw_a[0], begin.mux(most, waiting));
        let mut load = gather | second | begin;
        // The next sequence's, where there are several.
        let following = gathering.map(|now| now.wrapping_add(1).named("gathering_next"));
        let another = following.map(|next| {
            let another = m.wire("another_begins", UInt(1));
            load = load | another;
            loaded = another.mux(next.select(&raw_a), loaded);
            another
        });
        let normaliser = Normaliser::new(m, load, loaded);
        let normal = normaliser.result();
        let finished = normaliser.finished;
        gathered.set(0);
        let each = |of: &[Pair<'_>], slot: Slot<'_>, to: Pair<'_>| match slot {
            None => of[0].set(to),
            Some(slot) => of.iter().enumerate().for_each(|(n, pair)| {
                m.when(slot.eq(n), || pair.set(to));
            }),
        };
        second.set(phase.eq(1) & finished);
        m.when(second, || {
            each(&a, gathering, normal);
            phase.set(2);
        });
        let both = (phase.eq(2) & finished).named("both_normal");
        if let (Some(another), Some(now), Some(highest)) = (another, gathering, highest) {
            another.set(both & now.ne(highest));
        }
        m.when(both, || {
            each(&b, gathering, normal);
            phase.set(0);
            there.set(1);
            gathered.set(1);
            if let (Some(now), Some(next), Some(done)) = (gathering, following, gathered_slot) {
                done.set(now);
                now.set(next);
                m.when(another.unwrap_or(both), || {
                    phase.set(1);
                    there.set(0);
                    waiting.set(next.select(&raw_b));
                });
            }
        });
        m.when(gathers, || there.set(0));
        m.when(gather, || {
            phase.set(1);
            waiting.set(raw_b[0]);
            if let Some(gathering) = gathering {
                gathering.set(0);
            }
        });
        m.when(enter, || {
            phase.set(0);
            there.set(1);
            each(&a, entering, Pair::unpack(row_a));
            each(&b, entering, Pair::unpack(row_b));
        });
        for ((max, raw), row) in max.iter().zip(&raw_max).zip(&row_max) {
            for (n, (max, raw)) in max.iter().zip(raw).enumerate() {
                m.when(gather, || max.set(*raw))
                    .elsewhen(slots::only(enter, entering, n as u32), || max.set(*row));
            }
        }
        m.assume("between_scales", !(gather | enter) | step.eq(0));

        // ----- the scale -----
        let (x, y) = (Pair::reg(m, "x"), Pair::reg(m, "y"));
        let (floors, rescales) = (m.reg("floor_word", UInt(32)), m.reg("rescale_word", UInt(32)));
        let product = multiply(x, y);
        let sum = add(x, y);
        // A clock ahead: each of these chooses among many wide registers.
        let at = |name: &str, clock: u32| step.eq(clock - 1).register(name).reset(0);
        let at_outer = at("at_outer", OUTER);
        let at_first_sum = at("at_first_sum", FIRST_SUM);
        let at_sum = at("at_sum", SUM);
        let at_inverse = at("at_inverse", INVERSE);
        let at_times_max = at("at_times_max", TIMES_MAX);
        let at_times_rescale = at("at_times_rescale", TIMES_RESCALE);
        let at_rounded = at("at_rounded", ROUNDED);

        let root = m.instance("u_root", &ROOT);
        // Zero has no root; something normalised stands in for it, and the result is not used.
        let top = m.lit(UInt(1), 1);
        root.set("mant", top.cat(sum.mant.slice(0..SCALE_BITS - 1)));
        root.set("odd", sum.exp.bit(0)).set("start", at_sum);
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

        m.when(busy, || step.set(step.wrapping_add(1)));
        let (a_now, b_now) = (Pair::pick(turn, &a), Pair::pick(turn, &b));
        m.when(begin, || {
            busy.set(1);
            step.set(1);
            x.set(b_now);
            y.set(Pair::unpack(outer));
            floors.set(floor);
            rescales.set(rescale);
        });
        m.when(at_outer, || {
            x.set(a_now);
            y.set(product);
        });
        m.when(at_first_sum, || {
            x.set(sum);
            y.set(Pair::unpack(floors));
        });
        m.when(at_inverse, || {
            x.set(inverse);
            y.set(normal);
        });
        m.when(at_times_max, || {
            x.set(product);
            y.set(Pair::unpack(rescales));
        });
        let scale = Pair::reg(m, "scale");
        m.when(at_times_rescale, || scale.set(product));

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
        let out = pairs("out");
        let results = |name: &str, width: u32| -> Vec<Sig<'_>> {
            (0..count).map(|n| m.reg(slots::name(name, count, n), UInt(width))).collect()
        };
        let out_factor = results("out_factor", RESCALE_BITS);
        let out_shift = results("out_shift", 6);
        let out_clamped = results("out_clamped", 1);
        done.set(at_rounded);
        m.when(at_rounded, || {
            busy.set(0);
            step.set(0);
        });
        for n in 0..count as usize {
            m.when(slots::only(at_rounded, turn, n as u32), || {
                out[n].set(scale);
                out_factor[n].set(some.mux(factor, 0));
                out_shift[n].set(some.mux(shift, 0));
                out_clamped[n].set(some & negative);
            });
        }

        // What was gathered last.
        let (a, b) = (Pair::pick(gathered_slot, &a), Pair::pick(gathered_slot, &b));
        let max = max.iter().map(|of| slots::pick(gathered_slot, of));
        let pairs = [("a_mant", "a_exp", a), ("b_mant", "b_exp", b)];
        m.output("ready", UInt(1)).set(ready);
        m.output("gathered", UInt(1)).set(gathered);
        if let (Some(slot), Some(highest)) = (gathered_slot, highest) {
            m.output("gathered_slot", slot.ty()).set(slot);
            m.output("gathered_all", UInt(1)).set(gathered & slot.eq(highest));
        }
        for (mant, exp, pair) in pairs.into_iter() {
            m.output(mant, UInt(SCALE_BITS)).set(pair.mant);
            m.output(exp, SInt(EXP_BITS)).set(pair.exp);
        }
        for (j, max) in max.enumerate() {
            m.output(format!("stat_max_{j}"), UInt(RESIDUAL_BITS)).set(max);
        }
        m.output("done", UInt(1)).set(done);
        let give = |name: &str, ty: Type, of: &[Sig<'_>]| {
            m.output(name, slots::ty(ty, count)).set(slots::join(m, of));
        };
        let (mants, exps): (Vec<_>, Vec<_>) = out.iter().map(|pair| (pair.mant, pair.exp)).unzip();
        give("mant", UInt(SCALE_BITS), &mants);
        give("exp", SInt(EXP_BITS), &exps);
        give("factor", UInt(RESCALE_BITS), &out_factor);
        give("shift", UInt(6), &out_shift);
        give("clamped", UInt(1), &out_clamped);
        m.assert("root_in_time", !root.port("done") | at_inverse);
        m.assert("normalised_in_time", !at_inverse | finished);
        m.assert("root_is_free", !at_sum | !root.port("busy"));
    }
}

/// `x * y`, three clocks after both stand.
fn multiply<'m>(x: Pair<'m>, y: Pair<'m>) -> Pair<'m> {
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

/// By how much the normaliser may shift in which of its clocks.
const STAGES: [(u32, Range<u32>); 3] = [(16, 1..5), (4, 5..8), (1, 8..SHIFTS)];

/// Shifts a number to the left until its top bit is set, and counts: [`SHIFTS`] clocks from a load.
struct Normaliser<'m> {
    value: Sig<'m>,
    exp: Sig<'m>,
    finished: Sig<'m>,
}

impl<'m> Normaliser<'m> {
    /// Takes what is loaded, or goes on. Whether a clock shifts is known from the one before, of the
    /// number that it will find: it chooses among many registers.
    fn new(m: &'m Module, load: Sig<'m>, loaded: Sig<'m>) -> Normaliser<'m> {
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

    fn result(&self) -> Pair<'m> {
        let mant = self.value.slice(SQUARES_BITS - SCALE_BITS..SQUARES_BITS);
        let exp = self.value.msb().mux(self.exp.extend(EXP_BITS), 0);
        Pair { mant, exp }
    }
}
