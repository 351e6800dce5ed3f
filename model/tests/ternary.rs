//! Ternary matrices and lower bounds against calculations by hand.

mod common;

use half::bf16;
use proptest::prelude::*;
use sterna_model::lower_bounds::lower_bounds;
use sterna_model::ternary::{Ternary, ternarise};

fn trits(weights: &[f32]) -> Ternary {
    ternarise(weights, 1, weights.len())
}

/// Mean magnitude 2, so W·t is ½, −½, 1½, 1.
#[test]
fn halves_go_to_the_even_number() {
    let matrix = trits(&[1.0, -1.0, 3.0, 2.0, 3.0, 2.0]);
    assert_eq!(matrix.t, 0.5);
    assert_eq!(matrix.trits, [0, 0, 1, 1, 1, 1]);
    assert_eq!(matrix.histogram, [0, 2, 4]);
    assert!(!matrix.already_ternary);
    let above = f32::from_bits(1.0f32.to_bits() + 1);
    let below = f32::from_bits(1.0f32.to_bits() - 1);
    // The mean rounds to 2 in f32, the halves' neighbours do not.
    let matrix = trits(&[above, -above, below, -below, 3.0, -3.0, 2.0, 4.0]);
    assert_eq!(matrix.t, 0.5);
    assert_eq!(matrix.trits, [1, -1, 0, 0, 1, -1, 1, 1]);
    assert_eq!(matrix.histogram, [2, 2, 4]);
}

#[test]
fn tiny_weights_meet_the_clamp() {
    let matrix = trits(&[4e-6, -6e-6, 5e-6, 0.0]);
    assert_eq!(matrix.t, 1.0 / 1e-5);
    assert_eq!(matrix.trits, [0, -1, 0, 0]);
}

#[test]
fn nothing_but_zeros() {
    let matrix = ternarise(&[0.0, -0.0, 0.0, 0.0], 2, 2);
    assert_eq!((matrix.rows, matrix.cols), (2, 2));
    assert_eq!(matrix.t, 1.0 / 1e-5);
    assert_eq!(matrix.trits, [0; 4]);
    assert_eq!(matrix.histogram, [0, 4, 0]);
    assert!(!matrix.already_ternary);
    assert!(trits(&[]).trits.is_empty());
}

/// Doing it again would give t = 1 / (m × ¾).
#[test]
fn ternary_weights_keep_their_scale() {
    let m = bf16::from_f32(0.0173).to_f32();
    let matrix = trits(&[m, -m, 0.0, m]);
    assert!(matrix.already_ternary);
    assert_eq!(matrix.t, 1.0 / m);
    assert_eq!(matrix.trits, [1, -1, 0, 1]);
    // The first weight need not be one that says the scale.
    assert!(trits(&[0.0, m, -m]).already_ternary);
    // Dequantised, stored as bf16, imported: the same trits, one magnitude.
    let latent: Vec<f32> = (0..5000).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    let first = trits(&latent);
    assert!(!first.already_ternary);
    let stored: Vec<f32> =
        first.trits.iter().map(|&c| bf16::from_f32(f32::from(c) / first.t).to_f32()).collect();
    let second = trits(&stored);
    assert!(second.already_ternary);
    assert_eq!(first.trits, second.trits);
    assert_eq!(first.histogram, second.histogram);
    assert!((second.t / first.t - 1.0).abs() < 1.0 / 256.0);
}

#[test]
fn magnitudes_at_the_ends_of_f32() {
    // 1/m would be infinite: these count as latent weights that are all but zero.
    let least = f32::from_bits(1);
    let matrix = trits(&[least, -least]);
    assert!(!matrix.already_ternary && matrix.t.is_finite());
    assert_eq!(matrix.trits, [0, 0]);
    let matrix = trits(&[f32::MAX, -f32::MAX, 0.0]);
    assert!(matrix.already_ternary && matrix.t > 0.0);
    assert_eq!(matrix.trits, [1, -1, 0]);
    let matrix = trits(&[f32::MAX, -f32::MAX, 1.0]);
    assert_eq!(matrix.trits, [1, -1, 0]);
}

proptest! {
    #![proptest_config(common::seeded(200))]

    /// The rule as it is written down, one element after the other.
    #[test]
    fn equals_the_rule(
        weights in prop::collection::vec(-0.1f32..0.1, 2..4000), exponent in -20i32..20,
    ) {
        let weights: Vec<f32> = weights.iter().map(|w| w * 2f32.powi(exponent)).collect();
        let mean = weights.iter().map(|w| f64::from(w.abs())).sum::<f64>() / weights.len() as f64;
        let matrix = trits(&weights);
        // The order of the sum may differ in f64's last bits, which f32 seldom sees.
        let t = 1.0 / (mean as f32).max(1e-5);
        prop_assert!((matrix.t / t - 1.0).abs() < 3e-7);
        let rule = |w: &f32| (w * matrix.t).round_ties_even().clamp(-1.0, 1.0) as i8;
        let expected: Vec<i8> = weights.iter().map(rule).collect();
        prop_assert_eq!(&matrix.trits, &expected);
        let counts = [-1, 0, 1].map(|c| expected.iter().filter(|&&x| x == c).count() as u64);
        prop_assert_eq!(matrix.histogram, counts);
    }

    #[test]
    fn bounds_equal_the_formula(
        layers in 1usize..9, hidden in 1usize..20, seed in any::<u32>(),
    ) {
        let logits: Vec<f32> = (0..layers * hidden)
            .map(|i| ((i as u32).wrapping_mul(2_654_435_761) ^ seed) as f32 / 4e8 - 5.0)
            .collect();
        let bounds = lower_bounds(&logits, layers, hidden);
        for channel in 0..hidden {
            let e: Vec<f64> =
                (0..layers).map(|n| f64::from(logits[n * hidden + channel]).exp()).collect();
            let total: f64 = e.iter().sum();
            let p: Vec<f64> = e.iter().map(|x| x / total).collect();
            let mut cumulative = 0.0;
            for layer in 0..layers {
                cumulative += p[layer];
                let found = f64::from(bounds[layer * hidden + channel]);
                prop_assert!((found - (cumulative - p[0])).abs() < 1e-7);
                prop_assert!((0.0..=1.0).contains(&found));
            }
        }
    }
}

/// The sum is made of fixed pieces: no number of threads may change it.
#[test]
fn threads_change_nothing() {
    let weights: Vec<f32> =
        (0..1_000_003u32).map(|i| i.wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5).collect();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ternarise(&weights, 1, weights.len()))
    };
    let one = with(1);
    assert!(one == with(2) && one == with(7));
}
