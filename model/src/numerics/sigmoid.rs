//! σ(x) by a table of 513 entries with linear interpolation.
//!
//! The table holds σ(−t) for t = 0 … 16 in steps of 1/32 with 24 fraction bits; a chord lies
//! above the curve by at most `h²/8 · max|σ''| = 1.2 · 10⁻⁵` (< 2⁻¹⁶), and by at most 2⁻¹³
//! *relative* in the exponential tail, which is what `1 − f` of a slow channel needs. The
//! other half follows from σ(t) = 1 − σ(−t), exactly.

use std::sync::LazyLock;

use super::formats::{SIGMA_ARG_FRAC, SIGMA_ARG_INT, SIGMA_FRAC, SIGMA_SEGMENT_LOG2};

/// Segments of the table.
pub const SEGMENTS: usize = 1 << (SIGMA_ARG_INT + SIGMA_SEGMENT_LOG2);
/// Bits of the position within a segment.
const FRACTION: u32 = SIGMA_ARG_FRAC - SIGMA_SEGMENT_LOG2;
/// 1.0 in the result's format.
pub const ONE: u32 = 1 << SIGMA_FRAC;
/// Largest argument magnitude: 16.0.
pub const ARG_MAX: i32 = 1 << (SIGMA_ARG_INT + SIGMA_ARG_FRAC);

/// `round(σ(−k/32) · 2²⁴)` for k = 0..=512.
pub static TABLE: LazyLock<[u32; SEGMENTS + 1]> = LazyLock::new(|| {
    std::array::from_fn(|k| {
        let t = k as f64 / f64::from(1u32 << SIGMA_SEGMENT_LOG2);
        // libm, not the platform's exp: the table must be the same on every machine.
        (f64::from(ONE) / (1.0 + libm::exp(t))).round() as u32
    })
});

/// The sigmoid unit; holds the table so that inner loops do not look it up.
#[derive(Clone, Copy)]
pub struct Sigmoid {
    table: &'static [u32; SEGMENTS + 1],
}

impl Sigmoid {
    /// The unit.
    pub fn new() -> Sigmoid {
        Sigmoid { table: &TABLE }
    }

    /// σ of an argument with 16 fraction bits (clamped to ±16), with 24 fraction bits.
    #[inline(always)]
    pub fn of(self, argument: i32) -> u32 {
        let t = argument.unsigned_abs().min(ARG_MAX as u32);
        let segment = (t >> FRACTION) as usize;
        let position = t & ((1 << FRACTION) - 1);
        let here = self.table[segment];
        let next = self.table[(segment + 1).min(SEGMENTS)];
        let drop = ((here - next) * position + (1 << (FRACTION - 1))) >> FRACTION;
        let tail = here - drop;
        if argument > 0 { ONE - tail } else { tail }
    }

    /// σ of a value with `frac` fraction bits; what the shift to 16 bits drops is floored.
    #[inline(always)]
    pub fn of_fixed(self, value: i32, frac: i32) -> u32 {
        self.of(argument(value, frac))
    }
}

impl Default for Sigmoid {
    fn default() -> Self {
        Sigmoid::new()
    }
}

/// Brings a value with `frac` fraction bits (−20..=40) to the argument's 16, clamped to ±16.
#[inline(always)]
pub fn argument(value: i32, frac: i32) -> i32 {
    let shift = frac - SIGMA_ARG_FRAC as i32;
    let wide = i64::from(value);
    let shifted = if shift >= 0 { wide >> shift.min(40) } else { wide << (-shift).min(31) };
    shifted.clamp(-i64::from(ARG_MAX), i64::from(ARG_MAX)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_is_accurate() {
        let sigmoid = Sigmoid::new();
        let mut worst: f64 = 0.0;
        let mut worst_tail: f64 = 0.0;
        for argument in -ARG_MAX..=ARG_MAX {
            let x = f64::from(argument) / 65536.0;
            let exact = 1.0 / (1.0 + (-x).exp());
            let got = f64::from(sigmoid.of(argument)) / f64::from(ONE);
            worst = worst.max((got - exact).abs());
            if (-10.0..=-2.0).contains(&x) {
                worst_tail = worst_tail.max((got / exact - 1.0).abs());
            }
        }
        assert!(worst < f64::exp2(-16.0), "absolute {worst}");
        // At −10 one unit of the result is 1.3e-3 of it; the chord's own share is 1.2e-4.
        assert!(worst_tail < 1.5e-3, "relative {worst_tail}");
    }

    #[test]
    fn symmetric_monotonic_and_clamped() {
        let sigmoid = Sigmoid::new();
        assert_eq!(sigmoid.of(0), ONE / 2);
        let mut last = 0;
        for argument in (-ARG_MAX - 100..=ARG_MAX + 100).step_by(7) {
            let here = sigmoid.of(argument);
            assert!(here >= last);
            assert_eq!(here, ONE - sigmoid.of(-argument));
            last = here;
        }
        assert_eq!(sigmoid.of(i32::MIN), sigmoid.of(-ARG_MAX));
        assert_eq!(sigmoid.of(-ARG_MAX), 2);
    }

    #[test]
    fn arguments_shift_both_ways() {
        assert_eq!(argument(3 << 20, 20), 3 << 16);
        assert_eq!(argument(-1, 20), -1, "floored");
        assert_eq!(argument(3 << 10, 10), 3 << 16);
        assert_eq!(argument(i32::MAX, 0), ARG_MAX);
        assert_eq!(argument(i32::MIN, 0), -ARG_MAX);
    }
}
