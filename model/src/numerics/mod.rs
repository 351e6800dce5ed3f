//! The fixed-point arithmetic of the core: every format, every rounding, once.
//!
//! The golden interpreter computes with these functions and the hardware is generated from
//! the same constants, so this folder *is* the specification; `docs/numerics.md` says it in
//! prose. There is no floating point in any function that a token passes through: the `f64`
//! constructors ([`Scale::from_f64`], [`gain::GainVector::quantise`], the sigmoid table) run
//! at import or when the hardware is generated.
//!
//! | module | unit of the core |
//! |---|---|
//! | [`formats`] | widths, fraction bits and limits, in one table |
//! | [`scale`] | a normalised mantissa with an exponent: multiply, add, root, reciprocal |
//! | [`gain`] | norm gains: 16-bit mantissas, one exponent a vector |
//! | [`norm`] | statistics of a vector, and the two scalars that come of them |
//! | [`quantise`] | 8-bit activation codes |
//! | [`rescale`] | integer accumulator to fixed point |
//! | [`sigmoid`] | table with linear interpolation, accurate in its tail |
//! | [`mlgru`] | forget gate, recurrence, output gate |
//! | [`glu`] | gated product of the channel mixer |

pub mod formats;
pub mod gain;
pub mod glu;
pub mod mlgru;
pub mod norm;
pub mod quantise;
pub mod rescale;
pub mod scale;
pub mod sigmoid;

pub use gain::GainVector;
pub use norm::{NormConstants, Statistics, Sums};
pub use quantise::Reciprocal;
pub use rescale::Rescale;
pub use scale::Scale;

/// Shifts right by `shift` bits and rounds half up (towards +∞): one adder in hardware.
///
/// `shift` must be in `1..=62`; `value` must leave room for the rounding bit.
#[inline(always)]
pub const fn round_shift(value: i64, shift: u32) -> i64 {
    (value + (1i64 << (shift - 1))) >> shift
}

/// Clamps to a signed two's-complement range of `bits` bits.
#[inline(always)]
pub const fn saturate(value: i64, bits: u32) -> i64 {
    let max = (1i64 << (bits - 1)) - 1;
    if value > max {
        max
    } else if value < -max - 1 {
        -max - 1
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_clamped() {
        for bits in [2, 8, 16, 24, 32, 48] {
            let (least, most) = (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1);
            for value in [i64::MIN, 2 * least, least - 1] {
                assert_eq!(saturate(value, bits), least, "{value} in {bits} bits");
            }
            for value in [least, least + 1, -1, 0, 1, most - 1, most] {
                assert_eq!(saturate(value, bits), value, "{value} in {bits} bits");
            }
            for value in [most + 1, 2 * most + 1, i64::MAX] {
                assert_eq!(saturate(value, bits), most, "{value} in {bits} bits");
            }
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        for (value, shift, rounded) in [
            (5, 1, 3),
            (-5, 1, -2),
            (4, 3, 1),
            (3, 3, 0),
            (-4, 3, 0),
            (-5, 3, -1),
            (1 << 61, 62, 1),
        ] {
            assert_eq!(round_shift(value, shift), rounded, "{value} >> {shift}");
        }
    }
}
