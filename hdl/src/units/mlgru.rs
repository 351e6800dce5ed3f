use sterna_model::numerics::formats::{
    GAIN_BITS, GAIN_SHIFT, LOWER_BOUND_FRAC, PREACTIVATION_BITS, PRODUCT_BITS, PRODUCT_SHIFT,
    SIGMA_FRAC, STATE_BITS,
};
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{PRODUCT, product};

/// Bits of a first factor: a σ with a sign, or g.
const WIDE: u32 = SIGMA_FRAC + 1;

/// The elementwise arithmetic of the token mixer, both phases with the same two multipliers
/// (numerics.md, sections 12, 13 and 15).
///
/// ```text
///             F: sigma, 1 - lower                    F: v - h
///             G: g, w_g                              G: silu
///  inputs -> [reg] * [reg] -[reg x3]- [ round ] -[reg] * [reg x5] -[reg x3]- [ + h ] -[reg]-> result
///                                       F: >> 16                       F: >> 24, + h
///                                       G: >> 15                       G: >> 16
/// ```
///
/// ```text
///  clk     _/1\_ ... _/10\_/11\_
///  forget  1   0
///  inputs  A   B
///  result            h'A   vB
/// ```
///
/// Phase F (`forget`): `h' = h + rs((1 - f) · (v - h), 24)`, `1 - f = rs((65,536 - lower) · sigma, 16)`,
/// with `sigma` = σ(-b) and `v` = silu(a); the state extended to 32 bits. Phase G:
/// `rs(rs(g · w_g, 15) · silu, 16)` with `silu` = silu(h'). What a phase does not name it does not
/// read. The last adder takes `h`, the shifted product and its rounding bit, which stands below both
/// operands so that one carry chain does. `h` stays within `STATE_BITS` because it ends between h and v.
/// Latency [`Mlgru::LATENCY`]. Cost (*synthesised*, ECP5, in a core of 64 bits) six
/// multipliers of 18 x 18, 237 LUT4, 80 CCU2C, 753 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mlgru;

impl Mlgru {
    /// Clocks from `valid` to `result_valid`.
    pub const LATENCY: u32 = 3 + 2 * PRODUCT;
}

impl Generate for Mlgru {
    fn name(&self) -> String {
        "mlgru".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "Recurrence (forget = 1) and output gate of the token mixer.\nLatency {}.",
            Self::LATENCY
        ));
        let valid = m.input("valid", UInt(1));
        let forget = m.input("forget", UInt(1));
        let sigma = m.input("sigma", UInt(SIGMA_FRAC)).comment("F: of -b.");
        let lower = m.input("lower", UInt(LOWER_BOUND_FRAC)).comment("F: lower bound of f.");
        let v = m.input("v", SInt(PREACTIVATION_BITS)).comment("F: silu(a).");
        let h = m.input("h", SInt(STATE_BITS)).comment("F: the state.");
        let g = m.input("g", SInt(PREACTIVATION_BITS)).comment("G: the gate.");
        let w_g = m.input("w_g", SInt(GAIN_BITS)).comment("G: its gain.");
        let silu = m.input("silu", SInt(STATE_BITS)).comment("G: silu of the new state.");

        let rest = m.lit(UInt(LOWER_BOUND_FRAC + 1), 1u32 << LOWER_BOUND_FRAC);
        let rest = rest.wrapping_sub(lower).to_sint();
        let wide = forget.mux(sigma.to_sint(), g).register("wide");
        let narrow = forget.mux(rest, w_g).register("narrow");
        let first = product(wide, narrow, "first");

        let forgets = forget.delay("forget_early", 1 + PRODUCT as usize);
        let (floor, half) = cut(first, forgets, LOWER_BOUND_FRAC, GAIN_SHIFT, WIDE);
        let factor = floor.wrapping_add(half.to_sint()).register("factor");
        let other = forget.mux(v - h, silu).delay("other", 2 + PRODUCT as usize);
        let second = product(factor, other, "second");

        let forgets = forgets.delay("forget_late", 1 + PRODUCT as usize);
        let (floor, half) = cut(second, forgets, SIGMA_FRAC, PRODUCT_SHIFT, PRODUCT_BITS);
        let state = forgets.mux(h.delay("h", 2 + 2 * PRODUCT as usize), 0).extend(PRODUCT_BITS);
        let result = state.as_uint().cat(half).wrapping_add(floor.as_uint().cat(half));
        let result = result.slice(1..PRODUCT_BITS + 1);
        m.output("result", SInt(PRODUCT_BITS)).set(result.as_sint().register("result_now"));
        let valid = valid.delay_valid("valid", Self::LATENCY as usize);
        m.output("result_valid", UInt(1)).set(valid);
    }
}

/// `width` bits of a product above one of two positions, and the bit below them.
fn cut<'m>(product: Sig<'m>, first: Sig<'m>, a: u32, b: u32, width: u32) -> (Sig<'m>, Sig<'m>) {
    let floor = |n: u32| (product >> n).truncate(width);
    (first.mux(floor(a), floor(b)), first.mux(product.bit(a - 1), product.bit(b - 1)))
}
