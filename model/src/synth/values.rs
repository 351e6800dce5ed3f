//! The numbers of a made-up tensor.
//!
//! Each tensor has a ChaCha stream of its own, keyed by seed and name, and each element a
//! fixed place in it: any part can be computed alone, by any thread, with one result.
//!
//! Matrices and embeddings are distributed as the published code initialises them
//! (`modeling_hgrn_bit.py`, `_init_weights`): N(0, 0.02), what adds to the residual divided
//! by √(2 · layers), without which a deep random model amplifies the last bit of a float32
//! to a tenth of its logits. Gains and lower bounds vary, N(1, 0.1) and N(0, 0.3), so that
//! a mixed-up one is noticed.
//!
//! The normal distribution is approximated by the sum of four 16-bit uniforms (mean 0,
//! variance exact, no value beyond 3.47 σ): one 64-bit word for each element.

use half::bf16;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::{Channels, SynthSpec, Weights};
use crate::layout::{Role, TensorSpec};

/// Every how many channels an outlier stands.
const OUTLIER_STEP: u64 = 128;
/// How much larger it is.
const OUTLIER_FACTOR: f32 = 64.0;
/// Of how many weights of a sparse matrix one is not 0.
const SPARSE: u64 = 64;
/// What a matrix among mixed ones may be.
const EACH: [Weights; 6] = [
    Weights::Normal,
    Weights::Minus,
    Weights::Zero,
    Weights::Plus,
    Weights::Dense,
    Weights::Sparse,
];

/// Where a tensor's values come from.
pub(super) struct Values {
    key: [u8; 32],
    mean: f32,
    deviation: f32,
    /// Of a matrix.
    weights: Weights,
    /// Of the embeddings, and how many are in a row.
    channels: (Channels, usize),
}

impl Values {
    pub fn new(of: &SynthSpec, spec: &TensorSpec) -> Values {
        let residual = ["o_proj.weight", "down_proj.weight"];
        let (mean, deviation) = match spec.role {
            Role::Ternary if residual.iter().any(|tail| spec.name.ends_with(tail)) => {
                (0.0, 0.02 / (2.0 * of.layers as f32).sqrt())
            }
            Role::Ternary | Role::Embedding => (0.0, 0.02),
            Role::Gain => (1.0, 0.1),
            Role::LowerBounds => (0.0, 0.3),
        };
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&of.seed.to_le_bytes());
        // Two hashes of the name: 128 bits, so no two tensors share a stream.
        for (half, start) in [(8..16, 0xcbf2_9ce4_8422_2325), (16..24, 0x9e37_79b9_7f4a_7c15)] {
            key[half].copy_from_slice(&fnv1a(start, spec.name.as_bytes()).to_le_bytes());
        }
        let weights = match (spec.role, of.weights) {
            (Role::Ternary, Weights::Mixed) => EACH[usize::from(key[8] ^ key[0]) % EACH.len()],
            (Role::Ternary, weights) => weights,
            _ => Weights::Normal,
        };
        let channels = match spec.role {
            Role::Embedding => (of.channels, spec.shape[1]),
            _ => (Channels::Even, 1),
        };
        Values { key, mean, deviation, weights, channels }
    }

    /// Fills `out` with the bf16 bytes of the elements from `first` on.
    pub fn fill(&self, first: u64, out: &mut [u8]) {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        // An element takes two of the stream's 32-bit words.
        rng.set_word_pos(u128::from(first) * 2);
        // Standard deviation of the sum of four integers that are uniform in 0..65536.
        let unit = (4.0f64 * (65536.0 * 65536.0 - 1.0) / 12.0).sqrt();
        let factor = (f64::from(self.deviation) / unit) as f32;
        for (element, bytes) in out.chunks_exact_mut(2).enumerate() {
            let word = rng.next_u64();
            let sum =
                (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48);
            let mut value = self.mean + factor * (sum as i32 - 2 * 65535) as f32;
            let all = self.deviation.copysign(value);
            value = match self.weights {
                Weights::Normal | Weights::Mixed => value,
                Weights::Minus => -self.deviation,
                Weights::Zero => 0.0,
                Weights::Plus => self.deviation,
                Weights::Dense => all,
                Weights::Sparse if word.is_multiple_of(SPARSE) => all,
                Weights::Sparse => 0.0,
            };
            let (channels, row) = self.channels;
            let stands = ((first + element as u64) % row as u64).is_multiple_of(OUTLIER_STEP);
            value *= match (channels, stands) {
                (Channels::Outliers, true) => OUTLIER_FACTOR,
                (Channels::Even | Channels::Outliers, _) | (Channels::Lone, true) => 1.0,
                (Channels::Lone, false) | (Channels::Zero, _) => 0.0,
            };
            bytes.copy_from_slice(&bf16::from_f32(value).to_le_bytes());
        }
    }
}

/// FNV-1a, a well-known hash of byte strings, with a free start.
fn fnv1a(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Dtype;

    fn spec(seed: u64) -> SynthSpec {
        SynthSpec { seed, ..SynthSpec::new(256, 8, 64) }
    }

    fn values(of: &SynthSpec, role: Role, first: u64, count: usize) -> Vec<f32> {
        named("model.test", of, role, first, count)
    }

    fn named(name: &str, of: &SynthSpec, role: Role, first: u64, count: usize) -> Vec<f32> {
        let tensor = TensorSpec { name: name.into(), shape: vec![64, 160], role };
        let mut bytes = vec![0; 2 * count];
        Values::new(of, &tensor).fill(first, &mut bytes);
        let mut floats = Vec::new();
        Dtype::BF16.extend_f32(&bytes, &mut floats);
        floats
    }

    #[test]
    fn parts_are_parts_of_the_whole() {
        let whole = values(&spec(7), Role::Ternary, 0, 1000);
        assert_eq!(values(&spec(7), Role::Ternary, 333, 100), whole[333..433]);
        assert_ne!(values(&spec(8), Role::Ternary, 0, 1000), whole);
    }

    /// Recorded runs name their models by seeds.
    #[test]
    fn what_a_seed_gives_stays() {
        assert_eq!(values(&spec(7), Role::Gain, 0, 4), [1.023_437_5, 1.0625, 1.0, 1.015_625]);
    }

    #[test]
    fn mean_and_deviation_are_as_documented() {
        let cases = [
            ("i_proj.weight", Role::Ternary, 0.0, 0.02),
            ("x.o_proj.weight", Role::Ternary, 0.0, 0.005),
            ("x.o_proj.norm.weight", Role::Gain, 1.0, 0.1),
        ];
        for (name, role, mean, deviation) in cases {
            let all = named(name, &spec(1), role, 0, 200_000);
            let n = all.len() as f64;
            let m = all.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let v = all.iter().map(|&x| (f64::from(x) - m).powi(2)).sum::<f64>() / n;
            assert!((m - mean).abs() < 0.01 * deviation, "mean {m}");
            assert!((v.sqrt() / deviation - 1.0).abs() < 0.01, "deviation {}", v.sqrt());
        }
    }

    #[test]
    fn outliers_stand_at_every_128th_channel_of_a_row() {
        let of = |channels| values(&SynthSpec { channels, ..spec(1) }, Role::Embedding, 0, 1024);
        let even = of(Channels::Even);
        for (channels, there, elsewhere) in [
            (Channels::Outliers, 64.0, 1.0),
            (Channels::Lone, 1.0, 0.0),
            (Channels::Zero, 0.0, 0.0),
        ] {
            for (i, (a, b)) in even.iter().zip(&of(channels)).enumerate() {
                let factor = if i % 160 % 128 == 0 { there } else { elsewhere };
                assert_eq!(a * factor, *b, "{channels:?}, element {i}");
            }
        }
    }

    /// How many trits of each kind the importer makes of a matrix, of some 16,384.
    #[test]
    fn every_class_of_weights_becomes_its_trits() {
        let histogram = |weights, name: &str| {
            let of = SynthSpec { weights, ..spec(3) };
            let all = named(name, &of, Role::Ternary, 0, 64 * 256);
            crate::ternary::ternarise(&all, 64, 256).histogram
        };
        let of = |weights| histogram(weights, "model.test");
        assert_eq!(of(Weights::Minus), [16_384, 0, 0]);
        assert_eq!(of(Weights::Zero), [0, 16_384, 0]);
        assert_eq!(of(Weights::Plus), [0, 0, 16_384]);
        let [minus, zero, plus] = of(Weights::Dense);
        assert!(zero == 0 && minus.abs_diff(plus) < 600, "{minus} {plus}");
        let [minus, zero, plus] = of(Weights::Sparse);
        assert!((16_000..16_250).contains(&zero) && minus.abs_diff(plus) < 60, "{minus} {plus}");
        assert!(of(Weights::Normal).iter().all(|&count| count > 4000));
        // Of some matrices each class is there.
        let kind = |n| {
            let counts = histogram(Weights::Mixed, &format!("matrix.{n}"));
            (counts.map(|count| count > 0), counts[1] > 12_000)
        };
        let kinds: std::collections::BTreeSet<_> = (0..60).map(kind).collect();
        assert_eq!(kinds.len(), 6, "{kinds:?}");
    }
}
