//! The published formulas, one function each.

use sterna_model::numerics::formats::BITLINEAR_EPS;

/// `1 / (1 + e⁻ˣ)`.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// `x / (1 + e⁻ˣ)`.
pub fn silu(x: f32) -> f32 {
    x / (1.0 + (-x).exp())
}

/// `1 / √(mean(x²) + ε)`; the sum in f64, so that no order of summation matters.
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let sum: f64 = x.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    1.0 / ((sum / x.len() as f64) as f32 + eps).sqrt()
}

/// RMSNorm (docs/model.md §6): `x · rstd · w`.
pub fn rms_norm(x: &[f32], gain: &[f32], eps: f32) -> Vec<f32> {
    let r = inverse_rms(x, eps);
    x.iter().zip(gain).map(|(x, w)| x * r * w).collect()
}

/// BitLinear's norm and 8-bit quantisation (docs/model.md §3): codes, and the scale s.
pub fn quantise(x: &[f32], gain: &[f32]) -> (Vec<i8>, f32) {
    let y = rms_norm(x, gain, BITLINEAR_EPS as f32);
    let max = y.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let s = 127.0 / max.max(1e-5);
    (y.iter().map(|y| (y * s).round().clamp(-128.0, 127.0) as i8).collect(), s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantise_by_hand() {
        // rms = 1: y = x up to ε; the largest becomes ±127, halves go away from zero.
        let (codes, s) = quantise(&[1.0, -1.0, 1.0, -1.0], &[2.0, 1.0, 0.5, 127.0 / 128.0]);
        assert_eq!(codes, [127, -64, 32, -63]);
        assert!((s - 63.5).abs() < 1e-3);
        assert_eq!(quantise(&[0.0; 4], &[1.0; 4]).0, [0; 4]);
    }

    #[test]
    fn activations() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(silu(0.0), 0.0);
        assert!((silu(3.0) - 3.0 * sigmoid(3.0)).abs() < 1e-6);
        assert_eq!(silu(-200.0), 0.0);
    }
}
