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

/// `|floor + half|` with one adder, `half` being the bit below `floor`: a negative number is
/// inverted, and gets the one that this lacks exactly where it is not rounded up.
fn magnitude<'m>(floor: Sig<'m>, half: Sig<'m>) -> Sig<'m> {
    let negative = floor.msb();
    let flipped = floor.as_uint() ^ negative.repeat(floor.width() as usize);
    flipped.wrapping_add(half ^ negative)
}
