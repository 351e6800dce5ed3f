use sterna_model::numerics::formats::{CODE_MAX, QUANTISE_BITS, RECIPROCAL_BITS};
use sterna_rtl::{Generate, Module, Sig, UInt};

/// The reciprocal of a vector's maximum: `R = floor(127 · 2^33 / m)`, m the maximum's 24 highest
/// bits (numerics.md, section 7).
///
/// ```text
///  max -> [ << 16 ? ] -> [ << 8, << 4 ? ] -> [ << 2, << 1 ? ] -> m
///  rest = 127 · 2^16 -> [ 4 rest - {0, m, 2m, 3m} ] -> two bits of R a clock
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_ ... _/12\_/13\_
///  start  1   0                  0
///  busy   0   1                  1    0
///  done   0   0                  0    1     results stand from here to the next done
/// ```
///
/// 127 · 2^16 is below every m, so of the quotient's 41 bits only the last 17 are not known: one in
/// the first step, in which 3m is made, then two a step. The four candidates are compared at once:
/// a subtraction and a choice between registers. `start` is ignored while busy.
/// Latency [`Reciprocal::LATENCY`], always, also for 0 (mant 0, bits 0). Cost (*synthesised*,
/// ECP5) 369 LUT4, 55 CCU2C, 130 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal;

impl Reciprocal {
    /// Clocks from `start` to `done`: three to normalise, nine of the quotient.
    pub const LATENCY: u32 = 12;
}

impl Generate for Reciprocal {
    fn name(&self) -> String {
        "reciprocal".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("floor(127 * 2^33 / mantissa of max).\nLatency {}.", Self::LATENCY));
        let start = m.input("start", UInt(1));
        let max = m.input("max", UInt(32));

        let step = m.reg("step", UInt(4)).reset(0).comment("0: nothing to do.");
        let shifted = m.reg("shifted", UInt(32)).comment("max, until its top bit is set.");
        let zeros = m.reg("zeros", UInt(5)).comment("By how much it was shifted.");
        let thrice = m.reg("thrice", UInt(QUANTISE_BITS + 2)).comment("Three times the divisor.");
        let rest = m.reg("rest", UInt(QUANTISE_BITS));
        let quotient = m.reg("quotient", UInt(RECIPROCAL_BITS - 2));
        let mant = m.reg("mant_found", UInt(RECIPROCAL_BITS));
        let bits = m.reg("bits_found", UInt(6));
        let done = m.reg("finished", UInt(1)).reset(0);
        let running = step.ne(0).named("running");

        let m0 = shifted.slice(32 - QUANTISE_BITS..32);
        let wide = QUANTISE_BITS + 2;
        let double = (rest << 1).extend(wide);
        let fourfold = rest << 2;
        let (one, less) = over(double, m0.extend(wide));
        let (one_of_four, less_1) = over(fourfold, m0.extend(wide));
        let (two_of_four, less_2) = over(fourfold, (m0 << 1).extend(wide));
        let (three_of_four, less_3) = over(fourfold, thrice);
        let digit = (two_of_four).cat((one_of_four & !two_of_four) | three_of_four);
        let digit = digit.named("digit");
        let left = digit.select(&[fourfold.truncate(QUANTISE_BITS), less_1, less_2, less_3]);

        done.set(0);
        m.when(running, || step.set(step.wrapping_add(1))).elsewhen(start, || step.set(1));
        m.when(start & !running, || {
            let (sixteen, x) = out(max, 16);
            shifted.set(x);
            zeros.set(sixteen.cat(m.lit(UInt(4), 0)));
        });
        m.when(step.eq(1), || {
            let (eight, x) = out(shifted, 8);
            let (four, x) = out(x, 4);
            shifted.set(x);
            zeros.set(m.cat(&[zeros.bit(4), eight, four, zeros.slice(0..2)]));
        });
        m.when(step.eq(2), || {
            let (two, x) = out(shifted, 2);
            let (one, x) = out(x, 1);
            shifted.set(x);
            zeros.set(m.cat(&[zeros.slice(2..5), two, one]));
        });
        m.when(step.eq(3), || {
            rest.set(one.mux(less, double.truncate(QUANTISE_BITS)));
            quotient.set(one.extend(RECIPROCAL_BITS - 2));
            thrice.set((m0 << 1) + m0);
        });
        m.when(step.gt(3), || {
            rest.set(left);
            quotient.set(quotient.cat(digit).truncate(RECIPROCAL_BITS - 2));
        });
        m.when(step.eq(Self::LATENCY - 1), || {
            step.set(0);
            done.set(1);
            // Zero never got a top bit.
            let some = shifted.msb();
            mant.set(some.mux(quotient.cat(digit), 0));
            bits.set(some.mux(m.lit(UInt(6), 32).wrapping_sub(zeros), 0));
        });
        m.when(start & !running, || {
            rest.set((CODE_MAX as u32) << (QUANTISE_BITS - CODE_MAX.ilog2() - 2));
        });
        m.output("done", UInt(1)).set(done);
        m.output("mant", UInt(RECIPROCAL_BITS)).set(mant);
        m.output("bits", UInt(6)).set(bits);
        m.output("busy", UInt(1)).set(running);
    }
}

/// Whether `n` zeros stand at the top, and the signal without them.
fn out(x: Sig<'_>, n: u32) -> (Sig<'_>, Sig<'_>) {
    let none = !x.slice(32 - n..32).any();
    (none, none.mux((x << n).truncate(32), x))
}

/// Whether `x` reaches `y`, and what is left beyond it.
fn over<'m>(x: Sig<'m>, y: Sig<'m>) -> (Sig<'m>, Sig<'m>) {
    (x.ge(y), x.wrapping_sub(y).truncate(QUANTISE_BITS))
}
