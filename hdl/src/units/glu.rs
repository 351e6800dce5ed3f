use sterna_model::numerics::formats::{PREACTIVATION_BITS, PRODUCT_BITS, PRODUCT_SHIFT};
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::{PRODUCT, product};

/// The gated product of the channel mixer: `rs(gate · up, 16)` (numerics.md, section 16).
///
/// ```text
///  gate -> [reg] -+
///  up ---> [reg] -*-> [reg x3] -> [ round >> 16 ] -> [reg] -> product
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_/6\_
///  gate     A   B
///  product  -                  A   B
/// ```
///
/// `gate` has its silu behind it already. Latency [`Glu::LATENCY`]. Cost (*synthesised*, ECP5, in a
/// core of 64 bits) four multipliers of 18 x 18, 61 LUT4, 33 CCU2C, 255 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glu;

impl Glu {
    /// Clocks from `valid` to `product_valid`.
    pub const LATENCY: u32 = 2 + PRODUCT;
}

impl Generate for Glu {
    fn name(&self) -> String {
        "glu".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("gate * up / 2^16, halves up.\nLatency {}.", Self::LATENCY));
        let valid = m.input("valid", UInt(1));
        let gate = m.input("gate", SInt(PREACTIVATION_BITS)).comment("After its silu.");
        let up = m.input("up", SInt(PREACTIVATION_BITS));

        let exact = product(gate.register("gate_in"), up.register("up_in"), "exact");
        let product = exact.round_half_up_shift(PRODUCT_SHIFT).truncate(PRODUCT_BITS);
        m.output("product", SInt(PRODUCT_BITS)).set(product.register("rounded"));
        let valid = valid.delay_valid("valid", Self::LATENCY as usize);
        m.output("product_valid", UInt(1)).set(valid);
    }
}
