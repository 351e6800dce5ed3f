use crate::{Generate, Module, UInt, index_width};

/// Exact unsigned division, one bit of the quotient a clock.
///
/// ```text
///           +-------------------------+
///  num ---> [ rest of num | quotient ] --next bit--+
///                       ^                          v
///                       |          +---[ remainder, bit ] - den -> >= 0 ? --+
///                       +----------|--------------------------------------- +
///                                  +------------- remainder
/// ```
///
/// ```text
///  clk       _/1\_/2\_ ... _/n+1\_/n+2\_
///  start     1   0              0
///  busy      0   1              1      0
///  done      0   0              0      1     results stand from here to the next start
/// ```
///
/// `quotient = floor(num / den)`, `remainder = num - quotient * den`; with `den = 0` every bit of
/// the quotient is 1. `start` is ignored while busy. Latency `num + 1` clocks, always. Cost about
/// `num + 3 * den` LUTs and `num + 2 * den` registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// Bits of the numerator and of the quotient.
    pub num: u32,
    /// Bits of the denominator and of the remainder.
    pub den: u32,
}

impl Divider {
    /// Clocks from `start` to `done`.
    pub fn latency(&self) -> u32 {
        self.num + 1
    }
}

impl Generate for Divider {
    fn name(&self) -> String {
        format!("divider_{}_by_{}", self.num, self.den)
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "floor(num / den) of {} by {} bits.\nLatency {}.",
            self.num,
            self.den,
            self.latency()
        ));
        let start = m.input("start", UInt(1));
        let num = m.input("num", UInt(self.num));
        let den = m.input("den", UInt(self.den));

        let busy = m.reg("running", UInt(1)).reset(0);
        let done = m.reg("finished", UInt(1)).reset(0);
        let left = m.reg("left", UInt(index_width(self.num as usize)));
        let shift = m.reg("shift", UInt(self.num)).comment("Rest of num above, quotient below.");
        let rest = m.reg("rest", UInt(self.den));
        let by = m.reg("by", UInt(self.den));

        let partial = rest.cat(shift.msb()).named("partial");
        let fits = partial.ge(by).named("fits");
        let less = partial.wrapping_sub(by).truncate(self.den);
        done.set(0);
        m.when(busy, || {
            rest.set(fits.mux(less, partial.truncate(self.den)));
            shift.set((shift << 1 | fits).truncate(self.num));
            left.set(left.wrapping_sub(1));
            m.when(left.eq(0), || {
                busy.set(0);
                done.set(1);
            });
        })
        .elsewhen(start, || {
            busy.set(1);
            left.set(self.num - 1);
            shift.set(num);
            rest.set(0);
            by.set(den);
        });
        m.output("busy", UInt(1)).set(busy);
        m.output("done", UInt(1)).set(done);
        m.output("quotient", UInt(self.num)).set(shift);
        m.output("remainder", UInt(self.den)).set(rest);
        m.assert("remainder_below_denominator", !busy | rest.lt(by) | by.eq(0));
    }
}
