//! Norm gains: 16-bit mantissas that share one exponent.

use super::formats::{GAIN_BITS, GAIN_SHIFT};
use super::round_shift;

/// A gain vector: element `k` is `mants[k] × 2^−frac`, `|mants[k]| ≤ 32767`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GainVector {
    /// Signed mantissas, −32767..=32767.
    pub mants: Vec<i16>,
    /// Fraction bits; negative if the largest gain exceeds 32767.
    pub frac: i32,
}

impl GainVector {
    /// Rounds a vector to the finest unit that holds its largest element (import time).
    ///
    /// All-zero vectors get `frac` 0. Elements must be finite.
    pub fn quantise(values: &[f64]) -> GainVector {
        let max = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let limit = f64::from((1i32 << (GAIN_BITS - 1)) - 1);
        let mut frac = 0;
        if max > 0.0 {
            frac = libm::floor(libm::log2(limit / max)) as i32;
            // log2 may round across the boundary.
            while max * libm::exp2(f64::from(frac)) > limit {
                frac -= 1;
            }
        }
        let unit = libm::exp2(f64::from(frac));
        let mants = values.iter().map(|v| (v * unit).round_ties_even() as i16).collect();
        GainVector { mants, frac }
    }

    /// The value of element `k`.
    pub fn value(&self, k: usize) -> f64 {
        f64::from(self.mants[k]) * libm::exp2(-f64::from(self.frac))
    }
}

/// `value × gain`, in the unit `2^(15 − frac)` of `value`'s: the magnitude never grows.
#[inline(always)]
pub const fn apply(value: i32, mant: i16) -> i32 {
    round_shift(value as i64 * mant as i64, GAIN_SHIFT) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn error_is_half_a_unit(values in prop::collection::vec(-1e4..1e4f64, 1..50)) {
            let gains = GainVector::quantise(&values);
            let unit = f64::exp2(-f64::from(gains.frac));
            for (k, v) in values.iter().enumerate() {
                prop_assert!((gains.value(k) - v).abs() <= unit / 2.0);
            }
            let max = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            prop_assert!(max == 0.0 || unit <= max / 16383.0, "the finest unit that fits");
        }

        #[test]
        fn magnitude_never_grows(value: i32, mant in -32767..=32767i16) {
            prop_assert!(apply(value, mant).unsigned_abs() <= value.unsigned_abs());
        }
    }

    #[test]
    fn one_is_exact() {
        let gains = GainVector::quantise(&[1.0, 0.5, -1.0]);
        assert_eq!((gains.mants.as_slice(), gains.frac), (&[16384, 8192, -16384][..], 14));
        assert_eq!(GainVector::quantise(&[0.0]), GainVector { mants: vec![0], frac: 0 });
    }

    #[test]
    fn the_unit_is_the_finest_up_to_the_last_bit() {
        for frac in -40..=60 {
            let largest = 32767.0 * f64::exp2(-f64::from(frac));
            for largest in [largest, -largest] {
                let gains = GainVector::quantise(&[largest]);
                let mant = if largest < 0.0 { -32767 } else { 32767 };
                assert_eq!((gains.mants[0], gains.frac), (mant, frac));
            }
            let gains = GainVector::quantise(&[largest.next_up()]);
            assert_eq!((gains.mants[0], gains.frac), (16384, frac - 1));
        }
    }
}
