//! Result records: what a run leaves in memory for each pass that had a head.
//!
//! A record has no checksum: the host reads it twice, and believes what it reads twice.
//!
//! The record of pass `n` of a run and slot `s` of SLOTS is at RESULT + (n · SLOTS + s) ·
//! [`stride`]; it is void until STATUS says done, or TOKENS_DONE is above n. A slot that takes no
//! part, or no more, writes none.
//!
//! ```text
//! word  0 n                       8 bytes of header more to 64, zero
//!       1 best token              then TOP_K times, best first:
//!       2 candidates                0 token
//!       3 scale: mantissa           1 accumulator, signed
//!       4 scale: exponent, signed
//!       5 zero
//!       6 image id, low
//!       7 image id, high
//! ```
//!
//! A logit is accumulator · mantissa · 2^exponent. With `logits` set, LOGITS holds an accumulator
//! of 32 bits, signed, for every token of the vocabulary, padded with zeros to a beat of the bus:
//! those of the highest slot that takes part.

/// Bytes of a record's header.
pub const HEADER: usize = 64;

/// Bytes from one record to the next.
pub const fn stride(top_k: u32) -> usize {
    HEADER + (8 * top_k as usize).next_multiple_of(64)
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of the pass in its run.
    pub index: u32,
    /// Mantissa and exponent of what an accumulator unit is worth.
    pub scale: (u32, i32),
    /// Id of the image that computed it.
    pub image_id: u64,
    /// Token and accumulator, best first.
    pub top: Vec<(u32, i32)>,
}

impl Record {
    /// From accumulators to logits, rounded as the golden model does it.
    pub fn logit(&self) -> impl Fn(i32) -> f32 + use<> {
        let (mantissa, exponent) = self.scale;
        let scale = libm::ldexp(f64::from(mantissa), exponent);
        move |accumulator| (f64::from(accumulator) * scale) as f32
    }

    /// Decodes a record; `None` where it contradicts itself, as one that was never written does.
    pub fn decode(bytes: &[u8]) -> Option<Record> {
        let word = |n: usize| bytes.get(4 * n..4 * n + 4)?.try_into().ok().map(u32::from_le_bytes);
        let count = word(2)? as usize;
        let most = bytes.len().saturating_sub(HEADER) / 8;
        let top = (0..count.min(most))
            .map(|n| Some((word(HEADER / 4 + 2 * n)?, word(HEADER / 4 + 2 * n + 1)? as i32)))
            .collect::<Option<Vec<_>>>()?;
        let sound = count == top.len() && top.first().is_some_and(|best| Some(best.0) == word(1));
        sound.then_some(Record {
            index: word(0)?,
            scale: (word(3)?, word(4)? as i32),
            image_id: u64::from(word(6)?) | u64::from(word(7)?) << 32,
            top,
        })
    }
}
