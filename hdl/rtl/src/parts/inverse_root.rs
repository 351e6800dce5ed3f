use super::{Divider, Isqrt};
use crate::{Bits, Generate, Module, UInt};

/// `1 / sqrt(x)` of a normalised mantissa: the reciprocal of a root, both floored.
///
/// ```text
///  mant, odd -> [ << width - 1 or width ] -> [ Isqrt ] -> root -> [ Divider ] -> inverse
///                                             done ------- start ---^
///                                                   2^(2 width - 1) ---^
/// ```
///
/// ```text
///  clk      _/1\_/2\_ ... _/3w+2\_/3w+3\_      w = width
///  start    1   0            0      0
///  busy     0   1            1      0
///  done     0   0            0      1     results stand from here to the next start
/// ```
///
/// A positive number is `mant * 2^exp` with `2^(w-1) <= mant < 2^w`; `odd` says that `exp` is odd.
/// `root = floor(sqrt(mant * 2^(w-1)))` with it and `floor(sqrt(mant * 2^w))` without, which is
/// normalised again, and `inverse = floor(2^(2w-1) / root)`. That is at most `2^w`, and exactly `2^w`
/// for the one root `2^(w-1)`, hence the bit more. Exponents are the caller's: with
/// `s = w - odd`, the root's is `(exp - s) / 2` and the inverse's `-(exp - s) / 2 - (2w - 1)`.
///
/// Trusts `mant` to be normalised: nothing else has a quotient of so few bits. `start` is ignored
/// while busy. Latency [`InverseRoot::latency`], always. Cost that of [`Isqrt`] and [`Divider`],
/// about `9 w` LUTs and `10 w` registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InverseRoot {
    /// Bits of the mantissa and of the root; the inverse has one more.
    pub width: u32,
}

impl InverseRoot {
    fn isqrt(&self) -> Isqrt {
        Isqrt { width: 2 * self.width }
    }

    fn divider(&self) -> Divider {
        Divider { num: 2 * self.width, den: self.width }
    }

    /// Clocks from `start` to `done`.
    pub fn latency(&self) -> u32 {
        self.isqrt().latency() + self.divider().latency()
    }
}

impl Generate for InverseRoot {
    fn name(&self) -> String {
        format!("inverse_root_w{}", self.width)
    }

    fn describe(&self, m: &Module) {
        let w = self.width;
        m.doc(format!(
            "1 / sqrt(mant) of a normalised mantissa of {w} bits.\nLatency {}.",
            self.latency()
        ));
        let start = m.input("start", UInt(1));
        let mant = m.input("mant", UInt(w)).comment("The top bit is set.");
        let odd = m.input("odd", UInt(1)).comment("The exponent is odd.");

        let root = m.instance("u_root", &self.isqrt());
        let divider = m.instance("u_divide", &self.divider());
        // In the clock between the units neither of them is busy.
        let handing = root.port("done");
        let busy = (root.port("busy") | handing | divider.port("busy")).named("working");
        let begin = (start & !busy).named("begins");
        root.set("start", begin).set("x", odd.mux(mant << (w - 1), mant << w));
        let num = Bits::from_u128(2 * w, 1).shift_left(2 * w - 1);
        divider.set("start", handing).set("num", num).set("den", root.port("root"));
        m.output("busy", UInt(1)).set(busy);
        m.output("done", UInt(1)).set(divider.port("done"));
        m.output("root", UInt(w)).set(root.port("root"));
        m.output("inverse", UInt(w + 1)).set(divider.port("quotient").truncate(w + 1));
        m.when(begin, || m.assume("normalised", mant.msb()));
    }
}
