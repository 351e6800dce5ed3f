//! One token out of the 64 best.
//!
//! Every device reports the same 64 candidates in the same order, and what follows uses a
//! portable generator (ChaCha8) and a portable exponential: one seed gives one text on every
//! device that computes the same logits.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sterna_firmware::device::{Candidate, TOP_K_MAX};

/// How a token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Temperature; 0 takes the best token.
    pub temperature: f64,
    /// How many candidates are considered, 1..=64.
    pub top_k: usize,
    /// Candidates are considered until their probabilities reach this sum, 0 < p ≤ 1.
    pub top_p: f64,
    /// Start of the random sequence.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { temperature: 0.0, top_k: TOP_K_MAX, top_p: 1.0, seed: 0 }
    }
}

/// A sampler with its random sequence.
pub struct Sampler {
    sampling: Sampling,
    random: ChaCha8Rng,
    draws: u64,
}

impl Sampler {
    /// Starts the random sequence.
    pub fn new(sampling: Sampling) -> Sampler {
        Sampler::after(sampling, 0)
    }

    /// Goes on with a random sequence of which so many numbers have been drawn.
    pub fn after(sampling: Sampling, draws: u64) -> Sampler {
        let mut random = ChaCha8Rng::seed_from_u64(sampling.seed);
        // Words of the generator have 32 bits, a draw takes two.
        random.set_word_pos(2 * u128::from(draws));
        Sampler { sampling, random, draws }
    }

    /// Random numbers drawn so far: one for each token that was not simply the best.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// Whether it takes the best token always, as a device does by itself.
    pub fn is_greedy(&self) -> bool {
        self.sampling.temperature == 0.0
    }

    /// Chooses from candidates that are sorted best first and not empty.
    pub fn choose(&mut self, candidates: &[Candidate]) -> u32 {
        let Sampling { temperature, top_k, top_p, .. } = self.sampling;
        if temperature == 0.0 {
            return candidates[0].token;
        }
        let considered = &candidates[..top_k.clamp(1, candidates.len())];
        let best = f64::from(considered[0].logit);
        let mut weights: Vec<f64> = considered
            .iter()
            .map(|c| libm::exp((f64::from(c.logit) - best) / temperature))
            .collect();
        let enough = top_p * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let kept = weights.iter().position(|w| {
            sum += w;
            sum >= enough
        });
        weights.truncate(kept.map_or(weights.len(), |last| last + 1));
        self.draws += 1;
        // 53 random bits: a uniform number in [0, 1).
        let uniform = (self.random.next_u64() >> 11) as f64 * f64::EPSILON / 2.0;
        let mut left = uniform * weights.iter().sum::<f64>();
        let chosen = weights.iter().position(|w| {
            left -= w;
            left < 0.0
        });
        considered[chosen.unwrap_or(weights.len() - 1)].token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Candidate> {
        [2.0, 1.0, 0.0, -1.0]
            .iter()
            .enumerate()
            .map(|(n, &logit)| Candidate { token: 10 + n as u32, logit })
            .collect()
    }

    fn counts(sampling: Sampling) -> [usize; 4] {
        let mut sampler = Sampler::new(sampling);
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[(sampler.choose(&candidates()) - 10) as usize] += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_best() {
        assert_eq!(counts(Sampling::default()), [10_000, 0, 0, 0]);
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let sampling = Sampling { temperature: 1.0, ..Sampling::default() };
        let total: f64 = [2.0f64, 1.0, 0.0, -1.0].iter().map(|l| l.exp()).sum();
        for (count, logit) in counts(sampling).into_iter().zip([2.0f64, 1.0, 0.0, -1.0]) {
            let share = logit.exp() / total;
            // Five standard deviations of a binomial of 10,000.
            let slack = 5.0 * (10_000.0 * share * (1.0 - share)).sqrt();
            assert!((count as f64 - 10_000.0 * share).abs() < slack, "{count} {share}");
        }
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let base = Sampling { temperature: 1.0, ..Sampling::default() };
        assert_eq!(counts(Sampling { top_k: 1, ..base }), [10_000, 0, 0, 0]);
        let two = counts(Sampling { top_k: 2, ..base });
        assert!(two[1] > 0 && two[2] == 0);
        // The best has 64 %: 0.6 keeps one, 0.7 keeps two.
        assert_eq!(counts(Sampling { top_p: 0.6, ..base }), [10_000, 0, 0, 0]);
        let two = counts(Sampling { top_p: 0.7, ..base });
        assert!(two[1] > 0 && two[2] == 0);
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let draw = |seed| {
            let mut sampler =
                Sampler::new(Sampling { temperature: 1.0, seed, ..Sampling::default() });
            (0..20).map(|_| sampler.choose(&candidates())).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        // Cut anywhere, it is the same sequence.
        let sampling = Sampling { temperature: 1.0, seed: 7, ..Sampling::default() };
        let whole = draw(7);
        for cut in 0..20 {
            let mut sampler = Sampler::after(sampling, cut as u64);
            assert_eq!(sampler.draws(), cut as u64);
            let rest: Vec<u32> = (cut..20).map(|_| sampler.choose(&candidates())).collect();
            assert_eq!(rest, whole[cut..]);
            assert_eq!(sampler.draws(), 20);
        }

        assert_eq!(draw(7)[..10], [10, 10, 11, 11, 10, 10, 10, 11, 10, 13], "the same everywhere");
    }
}
