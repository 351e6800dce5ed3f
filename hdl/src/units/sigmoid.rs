use sterna_model::numerics::formats::{
    PREACTIVATION_BITS, SIGMA_ARG_FRAC, SIGMA_ARG_INT, SIGMA_FRAC, SIGMA_SEGMENT_LOG2,
};
use sterna_model::numerics::sigmoid::{ONE, SEGMENTS, TABLE};
use sterna_rtl::parts::LinearTable;
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::{PRODUCT, magnitude, product};

/// Bits of the argument's magnitude below its end, 16.0.
const INSIDE: u32 = SIGMA_ARG_INT + SIGMA_ARG_FRAC;
/// Clocks until the table is asked.
const TABLE_AT: u32 = 3;

/// `σ(x)` and `silu(x) = x · σ(x)` of a value with `frac` fraction bits (numerics.md, sections 10 and
/// 11).
///
/// ```text
///  x -+-> [ >> 8 frac[4:3] ] -[reg]- [ >> frac[2:0] ] -[reg]- | | -[reg]-> LinearTable of σ(|u|) -+
///     |                                                  |              beyond 16.0 -[reg x4]-----+
///     |                                                  +--------------------- sign -[reg x5]-+  |
///     |                                          sigma <- [reg] <- [ y, 2^24 - y, or an end ] <+--+
///     +-[reg x8]---> * sigma -[reg x3]- [ round >> 24 ] -[reg]-> silu
/// ```
///
/// ```text
///  clk    _/1\_ ... _/8\_/9\_ ... _/12\_/13\_
///  x      A   B
///  sigma            A   B
///  silu                            A    B
/// ```
///
/// The table holds the positive half, `2^24` less the specification's tail, whose halves it then
/// rounds the same way. The other half is the complement; at 0 both are 2^23. An argument of 16.0 or
/// beyond has no segment and takes the last point itself. `frac`, at most 20, stays constant while
/// elements are inside. Latencies [`Sigmoid::SIGMA_LATENCY`] and [`Sigmoid::SILU_LATENCY`]. Cost
/// (*synthesised*, ECP5, in a core of 64 bits) two block RAMs, five multipliers of 18 x 18, 341 LUT4,
/// 75 CCU2C, 658 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sigmoid;

impl Sigmoid {
    /// Clocks from `valid` to `sigma_valid`.
    pub const SIGMA_LATENCY: u32 = TABLE_AT + LinearTable::LATENCY + 1;
    /// Clocks from `valid` to `silu_valid`.
    pub const SILU_LATENCY: u32 = Self::SIGMA_LATENCY + 1 + PRODUCT;

    fn table() -> LinearTable {
        let (index, fraction) =
            (SIGMA_ARG_INT + SIGMA_SEGMENT_LOG2, SIGMA_ARG_FRAC - SIGMA_SEGMENT_LOG2);
        let point = |k: usize| i64::from(ONE - TABLE[k]);
        LinearTable::of("sigmoid", index, fraction, UInt(SIGMA_FRAC), point)
    }
}

impl Generate for Sigmoid {
    fn name(&self) -> String {
        "sigmoid".into()
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "The logistic function of x, and x times it.\nLatency {} and {}.",
            Self::SIGMA_LATENCY,
            Self::SILU_LATENCY
        ));
        let valid = m.input("valid", UInt(1));
        let x = m.input("x", SInt(PREACTIVATION_BITS));
        let frac = m.input("frac", UInt(5)).comment("Fraction bits of x: 0 to 20.");

        let coarse = ((x << SIGMA_ARG_FRAC) >> (frac.slice(3..5) << 3)).register("coarse");
        let u = (coarse >> frac.slice(0..3)).register("argument");
        let negative = u.msb();
        let signs = u.slice(INSIDE..u.width());
        let beyond = (!signs.all() & signs.any()).register("beyond");
        let small = u.slice(0..INSIDE + 1).as_sint();
        let size = magnitude(small, m.lit(UInt(1), 0)).register("size");

        let table = m.instance("u_table", &Self::table());
        table.set("x", size.slice(0..INSIDE));
        table.set("valid", valid.delay_valid("valid", TABLE_AT as usize));
        let y = table.port("y");
        let end = (beyond | size.bit(INSIDE)).delay("end", LinearTable::LATENCY as usize);
        let negative = negative.delay("negative", LinearTable::LATENCY as usize + 1);
        let last = TABLE[SEGMENTS];
        let ends = negative.mux(m.lit(UInt(SIGMA_FRAC), last), ONE - last);
        let complement = m.lit(UInt(SIGMA_FRAC), 0).wrapping_sub(y);
        let sigma = end.mux(ends, negative.mux(complement, y)).register("sigma_of_x");
        let sigma_valid = table.port("y_valid").delay_valid("sigma_valid", 1);

        let x = x.delay("x", Self::SIGMA_LATENCY as usize);
        let product = product(x, sigma.to_sint(), "product");
        let silu = product.round_half_up_shift(SIGMA_FRAC).truncate(PREACTIVATION_BITS);
        m.output("sigma", UInt(SIGMA_FRAC)).set(sigma);
        m.output("sigma_valid", UInt(1)).set(sigma_valid);
        m.output("silu", SInt(PREACTIVATION_BITS)).set(silu.register("silu_of_x"));
        let rest = (Self::SILU_LATENCY - Self::SIGMA_LATENCY) as usize;
        m.output("silu_valid", UInt(1)).set(sigma_valid.delay_valid("silu_valid", rest));
    }
}
