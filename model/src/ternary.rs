//! Float matrices to trits and one scale, as the published model does on every forward pass.
//!
//! ```text
//! t = 1 / max(mean|W|, 1e-5)        over the whole matrix
//! c = clamp(round(W·t), -1, 1)      halves to even
//! W ≈ c / t
//! ```
//!
//! Source: `ops/fusedbitnet.py`:32-46 (`weight_quant`). A checkpoint may hold matrices that
//! have been through it (values −m, 0, +m); doing it twice would multiply the scale by the
//! share of non-zero weights, so those keep their signs and their m.

use rayon::prelude::*;

/// Elements that are summed, converted and counted as one: fixed, so that the sum is the
/// same for every number of threads.
const CHUNK: usize = 1 << 16;
/// Least mean magnitude that is divided by.
const MIN_MEAN: f32 = 1e-5;

/// A matrix of −1, 0, +1 and its scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Ternary {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// `rows × cols` values of −1, 0 or +1, row by row.
    pub trits: Vec<i8>,
    /// The factor from weight to trit, finite and positive: a weight is `trit / t`.
    pub t: f32,
    /// Whether the matrix held nothing but −m, 0, +m for one m (then `t = 1/m`).
    pub already_ternary: bool,
    /// How many trits are −1, 0 and +1.
    pub histogram: [u64; 3],
}

/// Makes a matrix ternary; arithmetic in f32 on the values as stored, except that the mean
/// is summed in f64 and rounded to f32.
///
/// All-zero matrices get `t = 1e5` and only zeros. Weights must be finite, as
/// [`Checkpoint::read`](crate::Checkpoint::read) makes sure.
///
/// # Panics
/// If `weights` does not have `rows × cols` elements: the caller has read another tensor.
pub fn ternarise(weights: &[f32], rows: usize, cols: usize) -> Ternary {
    assert_eq!(Some(weights.len()), rows.checked_mul(cols), "weights must be [rows, cols]");
    let magnitude = only_magnitude(weights);
    let (t, threshold) = match magnitude {
        // Any threshold between 0 and m gives the signs.
        Some(m) => (1.0 / m, Threshold { factor: 1.0, above: m * 0.5 }),
        None => {
            let t = 1.0 / mean_magnitude(weights).max(MIN_MEAN);
            (t, Threshold { factor: t, above: 0.5 })
        }
    };
    let mut trits = vec![0i8; weights.len()];
    let histogram = trits
        .par_chunks_mut(CHUNK)
        .zip(weights.par_chunks(CHUNK))
        .map(|(trits, weights)| threshold.apply(weights, trits))
        .reduce(|| [0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    Ternary { rows, cols, trits, t, already_ternary: magnitude.is_some(), histogram }
}

/// `clamp(round_half_even(y), -1, 1)` is +1 exactly where y > ½ (½ itself goes to the even
/// 0; 1½ and above are clamped) and −1 where y < −½. Two comparisons run in SIMD on every
/// processor, rounding does not.
struct Threshold {
    factor: f32,
    above: f32,
}

impl Threshold {
    fn apply(&self, weights: &[f32], trits: &mut [i8]) -> [u64; 3] {
        let (mut minus, mut plus) = (0u64, 0u64);
        // 128 at a time, so that the counters are bytes' sums and stay in SIMD registers.
        for (trits, weights) in trits.chunks_mut(128).zip(weights.chunks(128)) {
            let (mut below, mut above) = (0u8, 0u8);
            for (trit, &weight) in trits.iter_mut().zip(weights) {
                let y = weight * self.factor;
                let (p, m) = (y > self.above, y < -self.above);
                *trit = i8::from(p) - i8::from(m);
                above += u8::from(p);
                below += u8::from(m);
            }
            minus += u64::from(below);
            plus += u64::from(above);
        }
        [minus, trits.len() as u64 - minus - plus, plus]
    }
}

/// Mean of |w|, summed in f64 chunk by chunk and then over the chunks in order.
fn mean_magnitude(weights: &[f32]) -> f32 {
    let sums: Vec<f64> = weights.par_chunks(CHUNK).map(chunk_sum).collect();
    let total: f64 = sums.iter().sum();
    (total / weights.len().max(1) as f64) as f32
}

/// Eight sums side by side: one after the other would wait for each addition.
fn chunk_sum(weights: &[f32]) -> f64 {
    let mut lanes = [0f64; 8];
    for group in weights.chunks(8) {
        for (lane, &weight) in lanes.iter_mut().zip(group) {
            *lane += f64::from(weight.abs());
        }
    }
    lanes.iter().sum()
}

/// m if every weight is −m, 0 or +m, m > 0, and 1/m is a finite f32.
fn only_magnitude(weights: &[f32]) -> Option<f32> {
    let m = weights.iter().map(|w| w.abs()).find(|&w| w > 0.0)?;
    let same =
        |chunk: &[f32]| chunk.iter().fold(true, |all, w| all & ((w.abs() == m) | (*w == 0.0)));
    (weights.par_chunks(CHUNK).all(same) && (1.0 / m).is_finite()).then_some(m)
}
