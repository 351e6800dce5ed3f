use sterna_model::numerics::formats::{
    CODE_BITS, CODE_MAX, GAIN_BITS, GAIN_SHIFT, QUANTISE_BITS, RECIPROCAL_BITS, RESIDUAL_BITS,
};
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::{PRODUCT, magnitude, product};

/// Bits of a product of the normalised magnitude and the reciprocal that are rounded off.
const SHIFT: u32 = QUANTISE_BITS - CODE_BITS + RECIPROCAL_BITS;

/// An element's 8-bit code: gain, normalisation by the maximum, reciprocal (numerics.md, sections
/// 4 and 7).
///
/// ```text
///  x ----> [reg] -+
///  gain -> [reg] -*-> [reg x3] -> [ |round >> 15| ] -> [reg] -> [ << 24 >> 8 bits[5:3] ] -> [reg]
///                                                   +----------> [ lost at the top? ] ------> [reg]
///    -> [ >> bits[2:0] ] -> [reg] -> [ all ones if too large ] -> [reg] * mant -> [reg x3]
///    -> [ round >> 33, at most 127, sign ] -> [reg] -> q
/// ```
///
/// ```text
///  clk    _/1\_ ... _/13\_/14\_
///  x      A   B
///  q      -           A    B
/// ```
///
/// Equal to `Reciprocal::code(gain::apply(x, gain))`, both `min`s included. `mant` and `bits` (at
/// most 32) stay constant while elements are inside; |gain| is at most 32,767. Rounding and taking
/// the magnitude are one adder, for a negative number rounds up by adding less.
/// Latency [`Quantise::LATENCY`]. Cost (*synthesised*, ECP5, in a core of 64 bits) four
/// multipliers of 18 x 18, 339 LUT4, 51 CCU2C, 410 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantise;

impl Quantise {
    /// Clocks from `valid` to `q_valid`.
    pub const LATENCY: u32 = 6 + 2 * PRODUCT;
}

impl Generate for Quantise {
    fn name(&self) -> String {
        "quantise".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("The 8-bit code of an element.\nLatency {}.", Self::LATENCY));
        let valid = m.input("valid", UInt(1));
        let x = m.input("x", SInt(RESIDUAL_BITS));
        let gain = m.input("gain", SInt(GAIN_BITS));
        let mant = m.input("mant", UInt(RECIPROCAL_BITS)).comment("Of the maximum's reciprocal.");
        let bits = m.input("bits", UInt(6)).comment("Significant bits of the maximum: 0 to 32.");

        let gained = product(x.register("x_in"), gain.register("gain_in"), "gained");
        // A gain below 2^15 leaves one sign too many at the top.
        let floor = gained.slice(GAIN_SHIFT..GAIN_SHIFT + RESIDUAL_BITS).as_sint();
        let size = magnitude(floor, gained.bit(GAIN_SHIFT - 1)).register("size");
        let negative = floor.msb();

        // Right by `bits` after left by 24, first in steps of eight; then at most seven remain.
        let coarse = bits.slice(3..6);
        let wide = size << QUANTISE_BITS;
        let keep = QUANTISE_BITS + 7;
        let near = (wide >> (coarse << 3)).slice(0..keep).register("near");
        let bytes = [(7, 15), (15, 23), (23, 31), (31, 32)];
        let lost = bytes.into_iter().enumerate().map(|(k, (lo, hi))| {
            let set = size.slice(lo..hi).any();
            // `bits` has stood for long.
            coarse.le(k as u32).register(format!("keeps_{k}")) & set
        });
        let lost = lost.reduce(|a, b| a | b).expect("four bytes").register("lost");

        let fine = (near >> bits.slice(0..3)).register("fine");
        let beyond = lost.register("lost_too") | fine.slice(QUANTISE_BITS..keep).any();
        let ones = m.lit(UInt(QUANTISE_BITS), (1u32 << QUANTISE_BITS) - 1);
        let normal = beyond.mux(ones, fine.slice(0..QUANTISE_BITS)).register("normal");
        let mant = mant.register("mant_in");
        let product = product(normal, mant, "product");

        let negative = negative.delay("negative", 4 + PRODUCT as usize);
        let whole = product.slice(SHIFT..SHIFT + CODE_BITS);
        let most = whole.ge(CODE_MAX);
        let signed = |size| if size { CODE_MAX } else { -CODE_MAX };
        let end = negative.mux(m.lit(SInt(CODE_BITS), signed(false)), signed(true));
        // Halves go away from zero, so the sign may be applied before the rounding bit is added.
        let flipped = whole ^ negative.repeat(CODE_BITS as usize);
        let code = flipped.wrapping_add(product.bit(SHIFT - 1) ^ negative).as_sint();
        m.output("q", SInt(CODE_BITS)).set(most.mux(end, code).register("code"));
        m.output("q_valid", UInt(1)).set(valid.delay_valid("valid", Self::LATENCY as usize));
    }
}
