//! Proofs that nothing saturates, from which the compiler takes every unit.
//!
//! BitLinear normalises its input: whatever x is, y = x̂·γ with ‖x̂‖₂ ≤ √K. By
//! Cauchy–Schwarz, output m is at most
//!
//! ```text
//! |out_m| ≤ (1/t) · ( √K · √(Σ_k c_mk² γ_k²)  +  nnz_m · ½ · max|y| / 127 ),
//!                      max|y| ≤ √K · max|γ|
//! ```
//!
//! the second term being the rounding of the codes. The recurrent state is a convex mix of
//! silu(a), |silu(a)| ≤ |a|, and so obeys the bound of the i projection; the residual obeys
//! the sum of the bounds of everything ever added to it. A unit chosen from these bounds
//! cannot saturate for any input, outliers included, and needs no calibration text.

use rayon::prelude::*;

use sterna_model::numerics::formats::{CODE_MAX, RESCALE_BITS};

/// Covers what the proof leaves out: rounding of gains (2⁻¹⁵), scales (2⁻¹⁶) and codes
/// (0.502 instead of 0.5).
const MARGIN: f64 = 1.02;

/// Bound of |output| of every row of a ternary matrix.
///
/// `trits` is row-major with `gains.len()` columns; `gains` are BitLinear's own (γ); a
/// dequantised weight is `trit / t`.
pub fn rows(trits: &[i8], gains: &[f32], t: f32) -> Vec<f64> {
    let columns = gains.len();
    let squares: Vec<f32> = gains.iter().map(|g| g * g).collect();
    let root = (columns as f64).sqrt();
    let largest = gains.iter().fold(0.0f32, |m, g| m.max(g.abs()));
    let rounding = 0.5 * root * f64::from(largest) / f64::from(CODE_MAX);
    trits
        .par_chunks(columns)
        .map(|row| {
            let mut energy = 0.0f64;
            let mut nonzero = 0u32;
            // f32 within a stretch (fast, error ≤ 2⁻¹⁶ relative), f64 across.
            for (trits, squares) in row.chunks(256).zip(squares.chunks(256)) {
                let mut part = 0.0f32;
                for (&trit, &square) in trits.iter().zip(squares) {
                    let weight = trit * trit;
                    part += f32::from(weight) * square;
                    nonzero += weight as u32;
                }
                energy += f64::from(part);
            }
            (root * energy.sqrt() + f64::from(nonzero) * rounding) / f64::from(t)
        })
        .collect()
}

/// Bound of what one unit of an accumulator is worth: `max|y| / (127·t)`.
pub fn scale(gains: &[f32], t: f32) -> f64 {
    let largest = gains.iter().fold(0.0f32, |m, g| m.max(g.abs()));
    (gains.len() as f64).sqrt() * f64::from(largest) / f64::from(CODE_MAX) / f64::from(t)
}

/// Most fraction bits, at most `limit`, with which values up to `bound` fit `bits` signed
/// bits and accumulators worth up to `scale` fit the multiplier's factor (below 2¹⁷).
///
/// `None` if even zero fraction bits are too many: no sane model comes near.
pub fn fraction_bits(bound: f64, scale: f64, bits: u32, limit: i32) -> Option<i32> {
    let largest = libm::exp2(f64::from(bits - 1)) - 1.0;
    let factor = libm::exp2(f64::from(RESCALE_BITS)) - 1.0;
    (0..=limit).rev().find(|&frac| {
        let unit = MARGIN * libm::exp2(f64::from(frac));
        bound * unit <= largest && scale * unit <= factor
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_unit_is_the_largest_activation_by_its_code() {
        assert_eq!(scale(&[1.0, -2.0, 0.5, 0.0], 4.0), 2.0 * 2.0 / 127.0 / 4.0);
        assert_eq!(scale(&[0.0; 9], 4.0), 0.0);
    }

    /// Of a row, √K·√(Σ of the squares of the gains that count), and half a code of each.
    #[test]
    fn a_row_by_hand() {
        let bounds = rows(&[1, -1, 0, 0, 0, 0, 0, 1], &[3.0, -4.0, 9.0, 0.0], 2.0);
        let half = 0.5 * 2.0 * 9.0 / 127.0;
        for (bound, want) in bounds.iter().zip([2.0 * 5.0 + 2.0 * half, half]) {
            assert!((bound - want / 2.0).abs() < 1e-12, "{bounds:?}");
        }
    }

    #[test]
    fn the_largest_that_fits() {
        for (bits, largest) in [(24, 8_388_607.0), (32, 2_147_483_647.0)] {
            assert_eq!(fraction_bits((largest - 0.1) / MARGIN, 0.0, bits, 0), Some(0));
            assert_eq!(fraction_bits((largest + 0.5) / MARGIN, 0.0, bits, 0), None);
        }
        assert_eq!(fraction_bits(0.0, 131_070.9 / MARGIN, 24, 0), Some(0));
        assert_eq!(fraction_bits(0.0, 131_071.5 / MARGIN, 24, 0), None);
    }

    #[test]
    fn units_follow_the_bound() {
        assert_eq!(fraction_bits(0.0, 0.0, 24, 20), Some(20));
        assert_eq!(fraction_bits(7.8, 0.0, 24, 20), Some(20));
        assert_eq!(fraction_bits(8.0, 0.0, 24, 20), Some(19));
        assert_eq!(fraction_bits(1e6, 0.0, 24, 20), Some(3));
        assert_eq!(fraction_bits(1e9, 0.0, 24, 20), None);
        assert_eq!(fraction_bits(1.0, 0.25, 32, 20), Some(18), "the factor binds");
    }

    proptest! {
        /// The bound holds for adversarial inputs: energy in few columns, any signs.
        #[test]
        fn no_input_exceeds_the_bound(
            trits in prop::collection::vec(-1i8..=1, 40), x in prop::collection::vec(-1.0..1.0f64, 40),
            gains in prop::collection::vec(0.01..3.0f32, 40), sharp in 1i32..20, t in 0.5..50.0f32,
        ) {
            let x: Vec<f64> = x.iter().map(|v| v.powi(sharp)).collect();
            let rms = (x.iter().map(|v| v * v).sum::<f64>() / 40.0).sqrt().max(1e-30);
            let y: Vec<f64> = x.iter().zip(&gains).map(|(v, g)| v / rms * f64::from(*g)).collect();
            let max = y.iter().fold(1e-30f64, |m, v| m.max(v.abs()));
            let out: f64 = y.iter().zip(&trits)
                .map(|(v, &c)| (v * 127.0 / max).round() * f64::from(c)).sum::<f64>()
                * max / 127.0 / f64::from(t);
            prop_assert!(out.abs() <= rows(&trits, &gains, t)[0] * MARGIN);
        }
    }
}
