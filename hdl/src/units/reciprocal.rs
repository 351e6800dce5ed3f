use sterna_model::numerics::formats::{CODE_MAX, QUANTISE_BITS, RECIPROCAL_BITS};
use sterna_rtl::{Generate, Module, Sig, UInt};

/// The reciprocal of a vector's maximum: `R = floor(127 · 2^33 / m)`, m the maximum's 24 highest
/// bits (numerics.md, section 7).
///
/// ```text
///  max -> [ << 16 ? ] -> [ << 8 ? ] -> [ << 4 ? ] -> [ << 2 ? ] -> [ << 1 ? ] -> m
///  rest = 127 · 2^16 -> [ 2 rest - {0, m} ] -> a bit of R a clock
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_ ... _/22\_/23\_
///  start  1   0                  0
///  busy   0   1                  1    0
///  done   0   0                  0    1     results stand from here to the next done
/// ```
///
/// 127 · 2^16 is below every m, so of the quotient's 41 bits only the last 17 are not known. Two bits a
/// clock would be a comparison with three multiples of m and a choice among four, which was among
/// the core's slowest paths, for eight clocks a vector. `start` is ignored while busy.
/// Latency [`Reciprocal::LATENCY`], always, also for 0 (mant 0, bits 0). Cost (*synthesised*,
/// ECP5, in a core of 64 bits) 191 LUT4, 20 CCU2C, 113 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal;

impl Reciprocal {
    /// Clocks from `start` to `done`: five to normalise, seventeen of the quotient.
    pub const LATENCY: u32 = 5 + RECIPROCAL_BITS;
}

impl Generate for Reciprocal {
    fn name(&self) -> String {
        "reciprocal".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("floor(127 * 2^33 / mantissa of max).\nLatency {}.", Self::LATENCY));
        let start = m.input("start", UInt(1));
        let max = m.input("max", UInt(32));

        let step = m.reg("step", UInt(5)).reset(0).comment("0: nothing to do.");
        let shifted = m.reg("shifted", UInt(32)).comment("max, until its top bit is set.");
        let zeros = m.reg("zeros", UInt(5)).comment("By how much it was shifted.");
        let rest = m.reg("rest", UInt(QUANTISE_BITS));
        let quotient = m.reg("quotient", UInt(RECIPROCAL_BITS - 1));
        let mant = m.reg("mant_found", UInt(RECIPROCAL_BITS));
        let bits = m.reg("bits_found", UInt(6));
        let done = m.reg("finished", UInt(1)).reset(0);
        let running = m.reg("running", UInt(1)).reset(0).comment("`step` is not 0.");
        let begin = (start & !running).named("begins");
        // A clock ahead: each of these chooses among many wide registers.
        let at_1 = begin.delay_valid("at_1", 1);
        let at_2 = at_1.delay_valid("at_2", 1);
        let at_3 = at_2.delay_valid("at_3", 1);
        let at_4 = at_3.delay_valid("at_4", 1);
        let divides = m.reg("divides", UInt(1)).reset(0).comment("Steps of a bit.");
        let at_last = step.eq(Self::LATENCY - 2).register("at_last").reset(0);

        let m0 = shifted.slice(32 - QUANTISE_BITS..32);
        let double = rest << 1;
        let digit = double.ge(m0).named("digit");
        let less = double.wrapping_sub(m0).truncate(QUANTISE_BITS);
        let left = digit.mux(less, double.truncate(QUANTISE_BITS));

        done.set(0);
        m.when(running, || step.set(step.wrapping_add(1)));
        m.when(begin, || {
            running.set(1);
            step.set(1);
            let (sixteen, x) = out(max, 16);
            shifted.set(x);
            zeros.set(sixteen.cat(m.lit(UInt(4), 0)));
        });
        // Then by eight, four, two and one, a clock each.
        for (bit, now) in [(3, at_1), (2, at_2), (1, at_3), (0, at_4)] {
            m.when(now, || {
                let (none, x) = out(shifted, 1 << bit);
                shifted.set(x);
                zeros.set(zeros | (none.extend(5) << bit).truncate(5));
            });
        }
        m.when(at_4, || divides.set(1));
        m.when(divides, || {
            rest.set(left);
            quotient.set(quotient.cat(digit).truncate(RECIPROCAL_BITS - 1));
        });
        m.when(at_last, || {
            step.set(0);
            running.set(0);
            divides.set(0);
            done.set(1);
            // Zero never got a top bit.
            let some = shifted.msb();
            mant.set(some.mux(quotient.cat(digit), 0));
            bits.set(some.mux(m.lit(UInt(6), 32).wrapping_sub(zeros), 0));
        });
        m.when(begin, || {
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
