//! Other designs, by rules on the activity that was measured on this one.
//!
//! | variant | rule |
//! |---|---|
//! | 2-bit stream | a weight takes 2 bits instead of 1.6: image bits and beats grow by 0.4 bits a weight; what the stream passes through toggles in proportion; no trits are decoded |
//! | batch 4 | a beat is read once for four tokens: a fourth of image bits and of the stream's activity a token; lanes, epilogue and quantisers work as before, a beat keeps them busy for four clocks |

use super::account::Account;

/// Bits of a weight in the image.
const TRIT: f64 = 1.6;
/// Bits of a weight that is not packed.
const PLAIN: f64 = 2.0;
/// Tokens of a batch.
const BATCH: f64 = 4.0;

/// Units that the image streams through, and nothing else of weight.
const STREAM: [&str; 2] = ["memory_port", "front_end"];

impl Account {
    /// With the stream's activity so many times.
    fn streaming(&self, by: f64) -> Account {
        let mut changed = self.clone();
        for unit in changed.units.iter_mut().filter(|unit| STREAM.contains(&unit.name.as_str())) {
            unit.counts = unit.counts.scaled(by);
        }
        changed
    }

    /// A stream of two bits a weight, for a model of so many weights.
    pub fn plain(&self, weights: f64) -> Account {
        let growth = 1.0 + weights * (PLAIN - TRIT) / self.image_bits.max(1.0);
        let mut changed = self.streaming(growth);
        changed.image_bits *= growth;
        changed.beats *= growth;
        for unit in &mut changed.units {
            // There is no decoder, so its registers are gone, too.
            unit.decoders = Default::default();
        }
        changed
    }

    /// A token of a batch of four.
    pub fn batched(&self) -> Account {
        let mut changed = self.streaming(1.0 / BATCH);
        for unit in &mut changed.units {
            unit.decoders = unit.decoders.scaled(1.0 / BATCH);
        }
        changed.image_bits /= BATCH;
        // As many beats worth of work for the lanes, which the memory brings four times as fast.
        changed.clocks_a_beat /= BATCH;
        changed
    }
}
