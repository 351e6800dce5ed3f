//! From the integer accumulator to fixed point: one multiplication, one shift, one clamp.

use super::formats::{RESCALE_BITS, RESCALE_SHIFT_MAX, SCALE_BITS};
use super::{Scale, round_shift, saturate};

/// `mant × 2^−shift`, `2¹⁶ ≤ mant < 2¹⁷`, or zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescale {
    mant: u32,
    shift: u32,
    clamped: bool,
}

impl Rescale {
    /// Rounds a scale to a 17-bit mantissa, halves up.
    ///
    /// A scale too large for the multiplier (2¹⁷ or more) becomes the largest factor there
    /// is and [`Rescale::clamped`] tells; the compiler's bounds keep it from happening, save for
    /// a forget projection of absurd weights (docs/numerics.md, §14).
    pub const fn new(scale: Scale) -> Rescale {
        if scale.is_zero() {
            return Rescale { mant: 0, shift: 0, clamped: false };
        }
        let drop = SCALE_BITS - RESCALE_BITS;
        let mut mant = (scale.mant() + (1 << (drop - 1))) >> drop;
        let mut shift = -(scale.exp() + drop as i32);
        if mant >> RESCALE_BITS == 1 {
            mant >>= 1;
            shift -= 1;
        }
        if shift < 0 {
            Rescale { mant: (1 << RESCALE_BITS) - 1, shift: 0, clamped: true }
        } else if shift > RESCALE_SHIFT_MAX as i32 {
            Rescale { mant, shift: RESCALE_SHIFT_MAX, clamped: false }
        } else {
            Rescale { mant, shift: shift as u32, clamped: false }
        }
    }

    /// Mantissa: 0 or `2¹⁶..2¹⁷`.
    pub const fn mant(self) -> u32 {
        self.mant
    }

    /// Right shift, 0..=63.
    pub const fn shift(self) -> u32 {
        self.shift
    }

    /// Whether the scale did not fit.
    pub const fn clamped(self) -> bool {
        self.clamped
    }

    /// `accumulator × scale`, halves up; below 2⁴⁰ in magnitude.
    #[inline(always)]
    pub const fn apply(self, accumulator: i32) -> i64 {
        let product = accumulator as i64 * self.mant as i64;
        match self.shift {
            0 => product,
            // |product| < 2⁴⁰: everything from here on rounds to 0.
            42.. => 0,
            shift => round_shift(product, shift),
        }
    }

    /// [`Rescale::apply`] clamped to `bits` bits; counts a clamp in `saturations`.
    #[inline(always)]
    pub const fn apply_saturating(self, accumulator: i32, bits: u32, saturations: &mut u64) -> i32 {
        let wide = self.apply(accumulator);
        let value = saturate(wide, bits);
        if value != wide {
            *saturations += 1;
        }
        value as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn follows_the_scale(acc in -2_080_768..=2_080_768i32, value in 1e-9..100_000.0f64) {
            let scale = Scale::from_f64(value).unwrap();
            let exact = f64::from(acc) * scale.to_f64();
            let got = Rescale::new(scale).apply(acc) as f64;
            prop_assert!((got - exact).abs() <= 0.5 + exact.abs() * f64::exp2(-17.0));
        }
    }

    #[test]
    fn corners() {
        let one = Rescale::new(Scale::from_int(1));
        assert_eq!((one.mant(), one.shift()), (1 << 16, 16));
        assert_eq!((one.apply(5), one.apply(-5)), (5, -5));
        let half = Rescale::new(Scale::from_f64(0.5).unwrap());
        assert_eq!((half.apply(1), half.apply(-1), half.apply(3)), (1, 0, 2), "halves up");
        assert!(Rescale::new(Scale::from_int(1 << 17)).clamped());
        assert!(!Rescale::new(Scale::from_int((1 << 17) - 1)).clamped());
        assert_eq!(Rescale::new(Scale::from_f64(1e-25).unwrap()).apply(i32::MAX >> 9), 0);
        assert_eq!(Rescale::new(Scale::ZERO).apply(1000), 0);
        let mut saturations = 0;
        assert_eq!(one.apply_saturating(200, 8, &mut saturations), 127);
        assert_eq!(one.apply_saturating(-128, 8, &mut saturations), -128);
        assert_eq!(one.apply_saturating(127, 8, &mut saturations), 127);
        assert_eq!(saturations, 1);
    }
}
