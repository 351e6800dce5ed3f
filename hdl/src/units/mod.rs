//! The arithmetic of the core, one unit a file. Each is equal, bit for bit, to a function of
//! `sterna_model::numerics` (docs/numerics.md), and has a fixed latency.
//!
//! | unit | what it does |
//! |---|---|
//! | [`TernaryUnit`] | multiplies five rows of trits by the codes, a beat a clock |
//! | [`TritDecode`] | takes five digits out of a byte of weights |
//! | [`Quantise`] | makes an 8-bit code of an element |
//! | [`Reciprocal`] | divides once a vector, so that [`Quantise`] only multiplies |
//! | [`Rescale`] | brings an accumulator to fixed point |
//!
//! All that stream take an element each clock; `valid` goes in beside it and comes out as many clocks
//! later as the unit's `LATENCY` says. Only such bits have a reset: what stands in the data registers
//! beside a `valid` of 0 means nothing.

mod quantise;
mod reciprocal;
mod rescale;
mod ternary_unit;
mod trit_decode;

pub use quantise::Quantise;
pub use reciprocal::Reciprocal;
pub use rescale::Rescale;
pub use ternary_unit::TernaryUnit;
pub use trit_decode::TritDecode;

use sterna_model::numerics::formats::ACCUMULATOR_BITS;
use sterna_rtl::Sig;

/// Bits of a finished accumulator; the one bit more that the sum of digits needs only wraps.
pub const ACC_BITS: u32 = ACCUMULATOR_BITS - 1;

/// `|floor + half|` with one adder, `half` being the bit below `floor`: a negative number is
/// inverted, and gets the one that this lacks exactly where it is not rounded up.
fn magnitude<'m>(floor: Sig<'m>, half: Sig<'m>) -> Sig<'m> {
    let negative = floor.msb();
    let flipped = floor.as_uint() ^ negative.repeat(floor.width() as usize);
    flipped.wrapping_add(half ^ negative)
}
