use sterna_model::numerics::formats::RESIDUAL_BITS;
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::Rescale;

/// What a matrix adds to the residual stream, saturated (numerics.md, section 17).
///
/// ```text
///  x -+
///     +-> [reg] -> [ saturate ] -> [reg] -> sum, clamped
///  y -+
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_
///  x, y   A   B
///  sum    -       A   B
/// ```
///
/// `clamped` is 1 only beside a valid sum, so that its clocks can be counted.
/// Latency [`Residual::LATENCY`]. Cost (*synthesised*, ECP5, in a core of 64 bits) 40 LUT4,
/// 21 CCU2C, 75 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual;

impl Residual {
    /// Clocks from `valid` to `sum_valid`.
    pub const LATENCY: u32 = 2;
}

impl Generate for Residual {
    fn name(&self) -> String {
        "residual".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("x + y, saturated to 32 bits.\nLatency {}.", Self::LATENCY));
        let valid = m.input("valid", UInt(1));
        let x = m.input("x", SInt(RESIDUAL_BITS));
        let y = m.input("y", SInt(Rescale::WIDTH));

        let sum = (x + y).register("exact");
        let here = valid.delay_valid("valid", 1);
        // It fits where every bit from the sign of the result on is a sign.
        let signs = sum.slice(RESIDUAL_BITS - 1..sum.width());
        let fits = (signs.all() | !signs.any()).named("fits");
        let clamped = m.reg("clamps", UInt(1)).reset(0);
        clamped.set(here & !fits);
        let end = sum.msb().cat((!sum.msb()).repeat(RESIDUAL_BITS as usize - 1)).as_sint();
        let kept = fits.mux(sum.truncate(RESIDUAL_BITS), end);
        m.output("sum", SInt(RESIDUAL_BITS)).set(kept.register("kept"));
        m.output("clamped", UInt(1)).set(clamped);
        m.output("sum_valid", UInt(1)).set(here.delay_valid("valid_out", 1));
    }
}
