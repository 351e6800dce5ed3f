//! 8-bit codes of a vector: `round(127 · z / max|z|)`, halves away from zero.

use super::Scale;
use super::formats::{CODE_MAX, QUANTISE_BITS, RECIPROCAL_BITS};

/// Right shift that ends a code's multiplication: with it the reciprocal has its 17 bits.
const SHIFT: u32 = QUANTISE_BITS - 8 + RECIPROCAL_BITS;

/// The reciprocal of a vector's maximum, computed once a vector.
///
/// `|z|` is brought to 24 bits by the maximum's leading bit (what falls off is dropped), then
/// multiplied by a 17-bit mantissa: one 27 × 18 multiplier a way, or two of 18 × 18. A code
/// differs from the exact one only where `127·z/max` lies within 0.002 of a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    /// `floor(127·2³³ / mantissa of max)`, 65,024..=130,048, or 0 for an all-zero vector.
    mant: u32,
    /// Significant bits of the maximum: 0..=32.
    bits: u32,
}

impl Reciprocal {
    /// The reciprocal for a largest magnitude `max` (at most 2³¹).
    pub const fn new(max: u32) -> Reciprocal {
        let scale = Scale::from_int(max as u128);
        if scale.is_zero() {
            return Reciprocal { mant: 0, bits: 0 };
        }
        // The mantissa of max has as many bits as normalised z: their quotient is z/max.
        let mant = (((CODE_MAX as u64) << SHIFT) / scale.mant() as u64) as u32;
        Reciprocal { mant, bits: 32 - max.leading_zeros() }
    }

    /// The 17-bit mantissa.
    pub const fn mant(self) -> u32 {
        self.mant
    }

    /// Significant bits of the maximum.
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// The code of `z`, ±127 at most, even where a contradictory image has `|z|` > maximum.
    #[inline(always)]
    pub const fn code(self, z: i32) -> i8 {
        let magnitude = z.unsigned_abs() as u64;
        // Left by 24 then right by `bits`: shifts of either direction in one expression.
        let normalised = (magnitude << QUANTISE_BITS) >> self.bits;
        let limit = (1 << QUANTISE_BITS) - 1;
        let normalised = if normalised > limit { limit } else { normalised };
        let code = (normalised * self.mant as u64 + (1 << (SHIFT - 1))) >> SHIFT;
        let code = if code > CODE_MAX as u64 { CODE_MAX as i8 } else { code as i8 };
        if z < 0 { -code } else { code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn within_a_hair_of_exact(max in 1u32..=1 << 31, share in 0.0..=1.0f64, negative: bool) {
            let magnitude = ((f64::from(max) * share) as u32).min(max).min(i32::MAX as u32);
            let z = if negative { -(magnitude as i32) } else { magnitude as i32 };
            let exact = 127.0 * f64::from(z) / f64::from(max);
            let code = f64::from(Reciprocal::new(max).code(z));
            prop_assert!((code - exact).abs() <= 0.502, "{code} {exact}");
            prop_assert!(code.abs() <= 127.0);
        }

        #[test]
        fn odd_symmetry(max in 1u32..1 << 31, z in 0i32..i32::MAX) {
            let z = z % (max as i32);
            let r = Reciprocal::new(max);
            prop_assert_eq!(r.code(-z), -r.code(z));
        }
    }

    #[test]
    fn the_maximum_is_127_and_zero_is_zero() {
        for bits in 0..31 {
            for max in [1u32 << bits, (1u32 << bits) | 1, (1u32 << bits).wrapping_sub(1).max(1)] {
                assert_eq!(Reciprocal::new(max).code(max as i32), 127, "max {max}");
            }
        }
        assert_eq!(Reciprocal::new(1 << 31).code(i32::MIN), -127);
        assert_eq!(Reciprocal::new(0).code(0), 0);
        // A crafted row may claim a maximum that its values exceed.
        assert_eq!(Reciprocal::new(3).code(i32::MIN), -127);
        assert_eq!(Reciprocal::new(0).code(i32::MAX), 0);
    }

    #[test]
    fn mantissas_have_their_range() {
        let parts = |max| (Reciprocal::new(max).mant(), Reciprocal::new(max).bits());
        assert_eq!([parts(0), parts(1), parts(8)], [(0, 0), (130_048, 1), (130_048, 4)]);
        assert_eq!([parts(3), parts((1 << 24) - 1)], [(86_698, 2), (65_024, 24)]);
    }

    #[test]
    fn halves_go_away_from_zero() {
        // 127·1/254 = 0.5 exactly.
        let r = Reciprocal::new(254);
        assert_eq!((r.code(1), r.code(-1)), (1, -1));
    }
}
