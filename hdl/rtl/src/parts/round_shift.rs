use super::short;
use crate::{Generate, Module, Type, UInt};

/// Where a [`RoundShift`] sends halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves away from zero.
    HalfAway,
    /// `floor(x + 1/2)`.
    HalfUp,
}

/// `saturate(round(x / 2^shift))`: back from an accumulator to a format.
///
/// ```text
///  x -> [ + half ] -> [reg] -> [ >> shift ] -> [ saturate ] -> [reg] -> y
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_
///  x      A   B   C
///  y      -   -   A   B
/// ```
///
/// Latency two clocks. Cost one adder of the input's width and two comparisons of the bits that are
/// cut off at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundShift {
    /// Type of `x`.
    pub from: Type,
    /// Bits that are rounded off.
    pub shift: u32,
    /// Type of `y`.
    pub to: Type,
    /// Where halves go.
    pub rounding: Rounding,
}

impl Generate for RoundShift {
    fn name(&self) -> String {
        let kind = match self.rounding {
            Rounding::HalfAway => "away",
            Rounding::HalfUp => "up",
        };
        format!("round_shift_{kind}_{}_{}_to_{}", short(self.from), self.shift, short(self.to))
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("x / 2^{} rounded and saturated to {}.\nLatency 2.", self.shift, self.to));
        let x = m.input("x", self.from);
        let valid = m.input("valid", UInt(1));
        let rounded = match self.rounding {
            Rounding::HalfAway => x.round_half_away_shift(self.shift),
            Rounding::HalfUp => x.round_half_up_shift(self.shift),
        };
        let rounded = rounded.register("rounded");
        m.output("y", self.to).set(rounded.saturate(self.to).register("result"));
        m.output("y_valid", UInt(1)).set(valid.delay_valid("valid", 2));
    }
}
