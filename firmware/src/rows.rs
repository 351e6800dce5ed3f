//! The embedding table that the device reads by token.
//!
//! A row is the residual stream before layer 0, in the model's residual unit, with the
//! statistics that layer 0 needs, so that the core has nothing to gather before its first
//! matrix. It ends in the token's number and a CRC-32C of everything before, padding
//! included: a wrong or damaged row never enters the pass.
//!
//! ```text
//! 0            2h                       stride−32                         stride
//! ├─ h × u16 ──┼─ zeros to 64·n − 32 ───┼ a  b  max[3]  shift  token  crc ┤   (u32 each)
//! ```
//!
//! A value is a signed 12-bit mantissa above a 4-bit exponent, `mant << (exp + shift)` in
//! residual units: bf16 (8 significant bits) and f16 (11) pass exactly over 15 binades, so an
//! outlier channel costs its neighbours nothing. Plain 16-bit integers cost them seven bits
//! beside a channel 64 times larger.

use sterna_model::numerics::{Scale, Statistics};

/// Bytes of the row's tail.
pub const TAIL: usize = 32;

/// Bytes from one row to the next: a multiple of 64.
pub const fn stride(hidden: usize) -> usize {
    (2 * hidden + TAIL).next_multiple_of(64)
}

/// Magnitude bits of a mantissa.
const MANT_BITS: u32 = 11;
/// Largest exponent.
const EXP_MAX: u32 = 15;
/// Largest common shift: the largest value is `2047 << (15 + 5)`, 31 bits.
const SHIFT_MAX: u32 = 5;

/// A decoded row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Packed values.
    pub values: Vec<u16>,
    /// Left shift common to all, 0..=5.
    pub shift: u32,
    /// Statistics of the residual for layer 0: slots i, f, g.
    pub statistics: Statistics,
    /// The token that the row belongs to.
    pub token: u32,
}

/// Why a row was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// The CRC-32C stored in the row is not the one computed from it.
    #[error("its CRC-32C is {computed:#010x}, the row says {stored:#010x}")]
    Crc {
        /// Stored.
        stored: u32,
        /// Computed.
        computed: u32,
    },
    /// The row belongs to another token.
    #[error("it says that it belongs to token {0}")]
    Token(u32),
    /// A field is outside its range.
    #[error("a field of its tail is out of range")]
    Field,
}

impl Row {
    /// Packs residual values: the smallest common shift, then 11 significant bits each.
    ///
    /// Halves round away from zero. Values must be below 2³¹ − 2²⁰ in magnitude, which the
    /// compiler's bound on the residual guarantees.
    pub fn quantise(residual: &[i32]) -> (Vec<u16>, u32) {
        let max = residual.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
        let bits = 32 - max.leading_zeros();
        let mut shift = bits.saturating_sub(MANT_BITS + EXP_MAX);
        // Rounding may carry the largest value into the next binade.
        if rounded(max, shift + EXP_MAX) >> MANT_BITS != 0 {
            shift += 1;
        }
        (residual.iter().map(|&v| pack(v, shift)).collect(), shift)
    }

    /// The residual of channel `k`.
    pub fn residual(&self, k: usize) -> i32 {
        let value = self.values[k] as i16;
        i32::from(value >> 4) << (u32::from(self.values[k] & 0xf) + self.shift)
    }

    /// Appends the row's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let length = stride(self.values.len());
        out.extend(self.values.iter().flat_map(|v| v.to_le_bytes()));
        out.resize(start + length - TAIL, 0);
        let s = &self.statistics;
        let words = [s.a.pack(), s.b.pack(), s.max[0], s.max[1], s.max[2], self.shift, self.token];
        out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
        let crc = crc32c::crc32c(&out[start..]);
        out.extend(crc.to_le_bytes());
    }

    /// Decodes the row of `token`; `bytes` is exactly one stride.
    pub fn decode(bytes: &[u8], hidden: usize, token: u32) -> Result<Row, BadRow> {
        let (body, tail) = bytes.split_at(bytes.len() - TAIL);
        let word = |n: usize| u32::from_le_bytes(tail[4 * n..4 * n + 4].try_into().expect("4"));
        let computed = crc32c::crc32c(&bytes[..bytes.len() - 4]);
        if computed != word(7) {
            return Err(BadRow::Crc { stored: word(7), computed });
        }
        if word(6) != token {
            return Err(BadRow::Token(word(6)));
        }
        let scale = |n| Scale::unpack(word(n)).ok_or(BadRow::Field);
        let statistics =
            Statistics { a: scale(0)?, b: scale(1)?, max: [word(2), word(3), word(4)] };
        if word(5) > SHIFT_MAX {
            return Err(BadRow::Field);
        }
        let values =
            body[..2 * hidden].chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        Ok(Row { values, shift: word(5), statistics, token })
    }
}

/// `magnitude / 2^shift`, halves up.
fn rounded(magnitude: u32, shift: u32) -> u32 {
    ((u64::from(magnitude) + (1u64 << shift >> 1)) >> shift) as u32
}

/// One value with the smallest exponent that holds it.
fn pack(value: i32, shift: u32) -> u16 {
    let magnitude = value.unsigned_abs();
    let fits = |exp: &u32| rounded(magnitude, exp + shift) >> MANT_BITS == 0;
    let exp = (0..=EXP_MAX).find(fits).unwrap_or(EXP_MAX);
    let mant = rounded(magnitude, exp + shift).min((1 << MANT_BITS) - 1) as i16;
    let signed = if value < 0 { -mant } else { mant };
    (signed << 4) as u16 | exp as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(values: Vec<u16>) -> Row {
        let statistics = Statistics {
            a: Scale::from_int(12345),
            b: Scale::from_int(1 << 70),
            max: [1, u32::MAX, 1 << 31],
        };
        Row { values, shift: 5, statistics, token: 42 }
    }

    proptest! {
        #[test]
        fn rows_round_trip_and_every_bit_counts(
            values in prop::collection::vec(any::<u16>(), 32..100), bit: prop::sample::Index,
        ) {
            let row = row(values);
            let mut bytes = Vec::new();
            row.encode(&mut bytes);
            prop_assert_eq!(bytes.len() % 64, 0);
            prop_assert_eq!(Row::decode(&bytes, row.values.len(), 42), Ok(row.clone()));
            prop_assert_eq!(Row::decode(&bytes, row.values.len(), 41), Err(BadRow::Token(42)));
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let damaged = matches!(Row::decode(&bytes, row.values.len(), 42), Err(BadRow::Crc { .. }));
            prop_assert!(damaged);
        }

        #[test]
        fn quantising_keeps_11_bits_of_each_value(
            values in prop::collection::vec((-2_146_435_072..=2_146_435_072i32, 0u32..31), 1..50),
        ) {
            let residual: Vec<i32> = values.iter().map(|(v, drop)| v >> drop).collect();
            let (packed, shift) = Row::quantise(&residual);
            prop_assert!(shift <= SHIFT_MAX);
            let row = Row { values: packed, shift, ..row(Vec::new()) };
            for (k, &v) in residual.iter().enumerate() {
                let error = i64::from(row.residual(k)).abs_diff(i64::from(v));
                let allowed = (u64::from(v.unsigned_abs()) >> MANT_BITS).max((1u64 << shift) >> 1);
                prop_assert!(error <= allowed, "{} for {v}", row.residual(k));
            }
        }

        #[test]
        fn half_precision_values_beside_an_outlier_are_exact(
            mants in prop::collection::vec(-2047..=2047i32, 1..50), exps in prop::collection::vec(0u32..13, 50),
        ) {
            let mut residual: Vec<i32> = mants.iter().zip(&exps).map(|(m, e)| m << e).collect();
            residual.push(2047 << 15);
            let (values, shift) = Row::quantise(&residual);
            let row = Row { values, shift, ..row(Vec::new()) };
            for (k, &v) in residual.iter().enumerate() {
                prop_assert_eq!(row.residual(k), v);
            }
        }
    }

    #[test]
    fn corners() {
        assert_eq!(Row::quantise(&[0, 1, -1]), (vec![0, 0x10, 0xfff0], 0));
        assert_eq!(Row::quantise(&[2047, 2048]), (vec![0x7ff0, 0x4001], 0));
        assert_eq!(Row::quantise(&[-(2047 << 15)]), (vec![0x801f], 0));
        assert_eq!(Row::quantise(&[(2048 << 15) - 1]).1, 1, "rounding carries into the shift");
        assert_eq!(Row::quantise(&[2_146_435_072]).1, 5);
    }
}
