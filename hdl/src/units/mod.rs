//! The arithmetic of the core, one unit a file. Each is equal, bit for bit, to a function of
//! `sterna_model::numerics` (docs/numerics.md), and has a fixed latency.
//!
//! | unit | what it does |
//! |---|---|
//! | [`AddSub`] | adds or subtracts |
//! | [`TernaryUnit`] | multiplies five rows of trits by the codes, a beat a clock |
//! | [`TritDecode`] | takes five digits out of a byte of weights |
//! | [`Quantise`] | makes an 8-bit code of an element |
//! | [`Reciprocal`] | divides once a vector, so that [`Quantise`] only multiplies |
//! | [`Rescale`] | brings an accumulator to fixed point |
//! | [`Sigmoid`] | looks the logistic function up, and multiplies by it |
//! | [`Mlgru`] | updates the recurrent state, and gates what comes of it |
//! | [`Glu`] | multiplies gate and up |
//! | [`Residual`] | adds to the residual stream and clamps |
//! | [`RmsNorm`] | sums squares and finds maxima while a vector passes |
//! | [`NormScale`] | keeps these statistics and turns them into scales |
//! | [`TopK`] | keeps the best candidates for the next token, in order |
//!
//! Units that stream take an element each clock; `valid` goes in beside it and comes out as many clocks
//! later as the unit's `LATENCY` says. Only such bits have a reset: what stands in the data registers
//! beside a `valid` of 0 means nothing.

mod add_sub;
mod glu;
mod mlgru;
mod norm_scale;
mod quantise;
mod reciprocal;
mod rescale;
mod residual;
mod rms_norm;
mod sigmoid;
mod ternary_unit;
mod top_k;
mod trit_decode;

pub use add_sub::AddSub;
pub use glu::Glu;
pub use mlgru::Mlgru;
pub use norm_scale::NormScale;
pub use quantise::Quantise;
pub use reciprocal::Reciprocal;
pub use rescale::Rescale;
pub use residual::Residual;
pub use rms_norm::RmsNorm;
pub use sigmoid::Sigmoid;
pub use ternary_unit::TernaryUnit;
pub use top_k::TopK;
pub use trit_decode::TritDecode;

use sterna_model::config::MAX_VOCAB;
use sterna_model::numerics::formats::{ACCUMULATOR_BITS, COLUMNS_MAX, RESIDUAL_BITS};
use sterna_rtl::Sig;

/// Bits of a finished accumulator; the one bit more that the sum of digits needs only wraps.
pub const ACC_BITS: u32 = ACCUMULATOR_BITS - 1;
/// Bits of a token's number.
pub const TOKEN_BITS: u32 = MAX_VOCAB.ilog2();
/// Bits of an exact sum of squares: of as many values of 2^31 as a vector may have elements.
pub const SQUARES_BITS: u32 = 2 * (RESIDUAL_BITS - 1) + COLUMNS_MAX.ilog2() + 1;
/// Bits of a Scale's exponent on its way through the arithmetic, where it exceeds a byte.
pub const EXP_BITS: u32 = 12;

/// Bits of an operand's lower piece, which has no sign.
const PIECE: u32 = 17;

/// Clocks from both operands of a [`product`] to it.
pub(crate) const PRODUCT: u32 = 3;

/// `x * y`, [`PRODUCT`] clocks after both stand in registers: in the first the products of pieces
/// that one multiplier of 18 x 18 takes, in the second their way from there, in the third their sum.
/// Of a wide product synthesis puts the adders behind the multipliers, into the same clock; and
/// multipliers have places of their own, far from most adders (*placed*, LFE5U-85F-6: 2.2 to 5 of
/// 10.4 ns).
pub(crate) fn product<'m>(x: Sig<'m>, y: Sig<'m>, name: &str) -> Sig<'m> {
    let part = |a: Sig<'m>, b: Sig<'m>, piece: &str| {
        (a * b).delay(&format!("{name}_{piece}"), PRODUCT as usize - 1)
    };
    let sum = match (pieces(x), pieces(y)) {
        ((x, None), (y, None)) => part(x, y, "whole"),
        ((low, Some(high)), (one, None)) | ((one, None), (low, Some(high))) => {
            raised(part(high, one, "high"), part(low, one, "low"))
        }
        ((x_low, Some(x_high)), (y_low, Some(y_high))) => {
            let lows = part(x_low, y_low, "lows").as_uint().truncate(2 * PIECE);
            let ends = part(x_high, y_high, "highs").as_uint().cat(lows);
            let ends = if x.ty().is_signed() { ends.as_sint() } else { ends };
            let middle = part(x_high, y_low, "high_low") + part(x_low, y_high, "low_high");
            let upper = upper(ends) + middle;
            joined(upper, ends)
        }
    };
    sum.truncate(x.width() + y.width()).register(name)
}

/// The lower piece of an operand, and the rest of it where there is one.
fn pieces(x: Sig<'_>) -> (Sig<'_>, Option<Sig<'_>>) {
    if x.width() <= PIECE + 1 {
        return (x, None);
    }
    let low = x.slice(0..PIECE);
    if x.ty().is_signed() { (low.to_sint(), Some(upper(x))) } else { (low, Some(upper(x))) }
}

/// What stands above a lower piece.
fn upper(x: Sig<'_>) -> Sig<'_> {
    let high = x.slice(PIECE..x.width());
    if x.ty().is_signed() { high.as_sint() } else { high }
}

/// An upper part above a number's lower piece.
fn joined<'m>(high: Sig<'m>, low: Sig<'m>) -> Sig<'m> {
    let all = high.as_uint().cat(low.slice(0..PIECE));
    if high.ty().is_signed() { all.as_sint() } else { all }
}

/// `high · 2^PIECE + low`.
fn raised<'m>(high: Sig<'m>, low: Sig<'m>) -> Sig<'m> {
    joined(high + upper(low), low)
}

/// Bits of what [`compare`] finds.
const ORDER: u32 = 5;

/// How `a` stands to `b`, third by third from the top: greater or equal, and the last one only
/// greater. With [`greater`] it is a comparison that may be cut by a register.
fn compare<'m>(a: Sig<'m>, b: Sig<'m>) -> Sig<'m> {
    let (width, third) = (a.width(), a.width() / 3);
    let top = |x: Sig<'m>| {
        let top = x.slice(2 * third..width);
        if x.ty().is_signed() { top.as_sint() } else { top }
    };
    let lane = |x: Sig<'m>, n: u32| x.slice(n * third..(n + 1) * third);
    a.module().cat(&[
        top(a).gt(top(b)),
        top(a).eq(top(b)),
        lane(a, 1).gt(lane(b, 1)),
        lane(a, 1).eq(lane(b, 1)),
        lane(a, 0).gt(lane(b, 0)),
    ])
}

/// Whether the first was greater, of what [`compare`] found.
fn greater(order: Sig<'_>) -> Sig<'_> {
    let lower = order.bit(2) | (order.bit(1) & order.bit(0));
    order.bit(4) | (order.bit(3) & lower)
}

/// `|floor + half|` with one adder, `half` being the bit below `floor`: a negative number is
/// inverted, and gets the one that this lacks exactly where it is not rounded up.
fn magnitude<'m>(floor: Sig<'m>, half: Sig<'m>) -> Sig<'m> {
    let negative = floor.msb();
    let flipped = floor.as_uint() ^ negative.repeat(floor.width() as usize);
    flipped.wrapping_add(half ^ negative)
}
