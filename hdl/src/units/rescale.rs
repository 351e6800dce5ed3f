use sterna_model::numerics::formats::RESCALE_BITS;
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::{ACC_BITS, PRODUCT, product};

/// From an accumulator to fixed point: `acc · mant · 2^-shift`, halves up (numerics.md, section 9).
///
/// ```text
///  acc --> [reg] -+
///  mant -> [reg] -*-> [reg x3] -> [ >> 8 shift[5:3] ] -> [reg] -> [ >> shift[2:0] ] -> [reg]
///    -> [ + the bit below ] -> [reg] -> y
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_
///  acc    A   B
///  y      -                            A   B
/// ```
///
/// The product carries one bit more below its lowest, which after the shift is what rounds: with
/// `shift` 0 it is 0. `mant` and `shift` stay constant while elements are inside.
/// Latency [`Rescale::LATENCY`]. Cost (*synthesised*, ECP5, in a core of 64 bits) two
/// multipliers of 18 x 18, 225 LUT4, 32 CCU2C, 315 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescale;

impl Rescale {
    /// Clocks from `valid` to `y_valid`.
    pub const LATENCY: u32 = 4 + PRODUCT;
    /// Clocks from `valid` to the one in which the upper half of `shift` counts; the lower does a
    /// clock later. `mant` counts beside `valid`.
    pub const SHIFT: usize = 1 + PRODUCT as usize;
    /// Bits of the result: an accumulator and a factor, both signed.
    pub const WIDTH: u32 = ACC_BITS + RESCALE_BITS + 1;
}

impl Generate for Rescale {
    fn name(&self) -> String {
        "rescale".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("acc * mant / 2^shift, halves up.\nLatency {}.", Self::LATENCY));
        let valid = m.input("valid", UInt(1));
        let acc = m.input("acc", SInt(ACC_BITS));
        let mant = m.input("mant", UInt(RESCALE_BITS));
        let shift = m.input("shift", UInt(6));

        let mant = mant.register("mant_in").to_sint();
        let product = product(acc.register("acc_in"), mant, "product") << 1;
        let coarse = (product >> (shift.slice(3..6) << 3)).register("coarse");
        let fine = (coarse >> shift.slice(0..3)).register("fine");
        let floor = fine.slice(1..Self::WIDTH + 1).as_sint();
        let y = floor.wrapping_add(fine.bit(0).to_sint());
        m.output("y", SInt(Self::WIDTH)).set(y.register("rounded"));
        m.output("y_valid", UInt(1)).set(valid.delay_valid("valid", Self::LATENCY as usize));
    }
}
