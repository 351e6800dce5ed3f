//! A positive number as a normalised mantissa and an exponent.
//!
//! Norms need a handful of scalars a vector (sums of squares, one root, one reciprocal) whose
//! range spans a hundred binary orders. They are computed once a vector, in small iterative
//! units, so the definitions below are exact integer functions (floor of a product, quotient
//! or root), which any implementation can meet bit for bit.

use super::formats::SCALE_BITS;

/// `mant × 2^exp` with `2²³ ≤ mant < 2²⁴`, or zero (`mant` = 0, `exp` = 0).
///
/// Every operation truncates: each result is at most `2⁻²²` (relative) below the exact one,
/// never above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale {
    mant: u32,
    exp: i32,
}

const TOP: u32 = 1 << (SCALE_BITS - 1);

impl Scale {
    /// Zero.
    pub const ZERO: Scale = Scale { mant: 0, exp: 0 };

    /// The mantissa: 0 or `2²³ ..2²⁴`.
    pub const fn mant(self) -> u32 {
        self.mant
    }

    /// The exponent of the mantissa's lowest bit.
    pub const fn exp(self) -> i32 {
        self.exp
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.mant == 0
    }

    /// The 24 highest bits of an integer.
    pub const fn from_int(value: u128) -> Scale {
        if value == 0 {
            return Scale::ZERO;
        }
        let bits = 128 - value.leading_zeros();
        let exp = bits as i32 - SCALE_BITS as i32;
        let mant = if exp >= 0 { value >> exp } else { value << -exp };
        Scale { mant: mant as u32, exp }
    }

    /// The nearest scale to a finite, non-negative `f64`: import time only.
    ///
    /// Values below `2⁻¹⁰⁵` become zero and values of `2¹⁵¹` or more give `None`: these are
    /// the bounds of [`Scale::pack`].
    pub fn from_f64(value: f64) -> Option<Scale> {
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        let (fraction, exponent) = libm::frexp(value);
        let mut mant = (fraction * f64::from(1u32 << SCALE_BITS)).round_ties_even() as u32;
        let mut exp = exponent - SCALE_BITS as i32;
        if mant == 1 << SCALE_BITS {
            mant >>= 1;
            exp += 1;
        }
        match exp {
            _ if mant == 0 => Some(Scale::ZERO),
            ..=-129 => Some(Scale::ZERO),
            -128..=127 => Some(Scale { mant, exp }),
            _ => None,
        }
    }

    /// The exact value.
    pub fn to_f64(self) -> f64 {
        libm::ldexp(f64::from(self.mant), self.exp)
    }

    /// `self × other`, truncated.
    pub const fn mul(self, other: Scale) -> Scale {
        if self.mant == 0 || other.mant == 0 {
            return Scale::ZERO;
        }
        let product = self.mant as u64 * other.mant as u64;
        let shift = if product >> (2 * SCALE_BITS - 1) == 1 { SCALE_BITS } else { SCALE_BITS - 1 };
        Scale { mant: (product >> shift) as u32, exp: self.exp + other.exp + shift as i32 }
    }

    /// `self + other`, the smaller truncated to the larger one's unit.
    pub const fn add(self, other: Scale) -> Scale {
        if self.mant == 0 {
            return other;
        }
        if other.mant == 0 {
            return self;
        }
        let (large, small) = if self.exp >= other.exp { (self, other) } else { (other, self) };
        let distance = (large.exp - small.exp) as u32;
        let addend = if distance < SCALE_BITS { small.mant >> distance } else { 0 };
        let sum = large.mant + addend;
        if sum >> SCALE_BITS == 1 {
            Scale { mant: sum >> 1, exp: large.exp + 1 }
        } else {
            Scale { mant: sum, exp: large.exp }
        }
    }

    /// `floor(√)` of the mantissa brought to 47 or 48 bits.
    pub const fn sqrt(self) -> Scale {
        if self.mant == 0 {
            return Scale::ZERO;
        }
        // The radicand is mant·2²³ or mant·2²⁴, whichever leaves an even exponent.
        let odd = (self.exp & 1) != 0;
        let shift = if odd { SCALE_BITS - 1 } else { SCALE_BITS };
        let radicand = (self.mant as u64) << shift;
        let root = radicand.isqrt() as u32;
        let exp = (self.exp - shift as i32) / 2;
        // Even exponents give roots of 2²³·√2 .. 2²⁴, odd ones 2²³ .. 2²³·√2: both normalised.
        Scale { mant: root, exp }
    }

    /// `floor(2⁴⁷ / mant)`; the reciprocal of zero is zero.
    pub const fn recip(self) -> Scale {
        if self.mant == 0 {
            return Scale::ZERO;
        }
        let quotient = ((1u64 << (2 * SCALE_BITS - 1)) / self.mant as u64) as u32;
        if quotient >> SCALE_BITS == 1 {
            // mant = 2²³: the reciprocal is a power of two.
            Scale { mant: TOP, exp: -self.exp - (2 * SCALE_BITS as i32 - 1) + 1 }
        } else {
            Scale { mant: quotient, exp: -self.exp - (2 * SCALE_BITS as i32 - 1) }
        }
    }

    /// One 32-bit word: mantissa in bits 0..24, exponent as a signed byte in bits 24..32.
    ///
    /// # Panics
    /// If the exponent is outside −128..=127; [`Scale::from_f64`] never gives such a scale.
    pub fn pack(self) -> u32 {
        let exp = i8::try_from(self.exp).expect("the exponent of a packed scale fits 8 bits");
        self.mant | u32::from(exp as u8) << SCALE_BITS
    }

    /// The inverse of [`Scale::pack`]; `None` if the word is not a normalised scale.
    pub const fn unpack(word: u32) -> Option<Scale> {
        let mant = word & ((1 << SCALE_BITS) - 1);
        let exp = (word >> SCALE_BITS) as u8 as i8 as i32;
        if (mant == 0 && exp == 0) || mant >= TOP { Some(Scale { mant, exp }) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scale() -> impl Strategy<Value = Scale> {
        (TOP..1 << SCALE_BITS, -60..60i32).prop_map(|(mant, exp)| Scale { mant, exp })
    }

    fn relative(got: Scale, exact: f64) -> f64 {
        (got.to_f64() - exact) / exact
    }

    proptest! {
        #[test]
        fn mul_truncates(a in scale(), b in scale()) {
            let error = relative(a.mul(b), a.to_f64() * b.to_f64());
            prop_assert!((TOP..1 << SCALE_BITS).contains(&a.mul(b).mant));
            prop_assert!((-f64::exp2(-23.0)..=0.0).contains(&error), "{error}");
        }

        #[test]
        fn add_truncates_and_commutes(a in scale(), b in scale()) {
            let error = relative(a.add(b), a.to_f64() + b.to_f64());
            prop_assert!((TOP..1 << SCALE_BITS).contains(&a.add(b).mant));
            prop_assert!((-f64::exp2(-22.0)..=0.0).contains(&error), "{error}");
            prop_assert_eq!(a.add(b), b.add(a));
        }

        #[test]
        fn sqrt_is_normalised(a in scale()) {
            let root = a.sqrt();
            prop_assert!((TOP..1 << SCALE_BITS).contains(&root.mant));
            let error = relative(root, a.to_f64().sqrt());
            prop_assert!((-f64::exp2(-23.0)..=1e-15).contains(&error), "{error}");
        }

        #[test]
        fn recip_is_normalised(a in scale()) {
            let inverse = a.recip();
            prop_assert!((TOP..1 << SCALE_BITS).contains(&inverse.mant));
            let error = relative(inverse, 1.0 / a.to_f64());
            prop_assert!((-f64::exp2(-23.0)..=1e-15).contains(&error), "{error}");
        }

        #[test]
        fn words_round_trip(a in scale()) {
            prop_assert_eq!(Scale::unpack(a.pack()), Some(a));
            prop_assert_eq!(Scale::from_f64(a.to_f64()), Some(a));
        }

        #[test]
        fn integers_keep_their_top_bits(value in 1u128..1 << 100) {
            let error = relative(Scale::from_int(value), value as f64);
            prop_assert!((-f64::exp2(-22.9)..=1e-15).contains(&error), "{error}");
        }
    }

    #[test]
    fn corners() {
        assert_eq!(Scale::from_int(0), Scale::ZERO);
        assert_eq!(Scale::from_int(1), Scale { mant: TOP, exp: -23 });
        assert_eq!(Scale::from_int(1).recip(), Scale::from_int(1));
        assert_eq!(Scale::from_int(4).sqrt(), Scale::from_int(2));
        assert_eq!(Scale::from_int(2).mul(Scale::from_int(3)), Scale::from_int(6));
        assert_eq!(Scale::ZERO.recip(), Scale::ZERO);
        assert_eq!(Scale::from_f64(f64::NAN), None);
        assert_eq!(Scale::from_f64(-1.0), None);
        assert_eq!(Scale::from_f64(f64::exp2(151.0)), None);
        assert_eq!(Scale::from_f64(1e-40), Some(Scale::ZERO));
        assert_eq!(Scale::from_f64(0.0), Some(Scale::ZERO));
        assert_eq!(Scale::from_f64(2.0 - 1e-12), Some(Scale::from_int(2)), "normalised again");
        for some in [Scale::from_int(3), Scale::ZERO] {
            assert_eq!((some.mul(Scale::ZERO), Scale::ZERO.mul(some)), (Scale::ZERO, Scale::ZERO));
        }
        assert_eq!(Scale::unpack(1), None, "a denormal word is refused");
        assert_eq!(Scale::unpack(0), Some(Scale::ZERO));
    }
}
