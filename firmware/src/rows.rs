//! The embedding table that the device reads by token.
//!
//! A row is the residual stream before layer 0, in the model's residual unit, with the
//! statistics that layer 0 needs, so that the core has nothing to gather before its first
//! matrix. It ends in the token's number and a CRC-32C of everything before, padding
//! included: a wrong or damaged row never enters the pass.
//!
//! ```text
//! 0            2h                       stride−32                         stride
//! ├─ h × i16 ──┼─ zeros to 64·n − 32 ───┼ a  b  max[3]  shift  token  crc ┤   (u32 each)
//! ```

use sterna_model::numerics::{Scale, Statistics};

/// Bytes of the row's tail.
pub const TAIL: usize = 32;

/// Bytes from one row to the next: a multiple of 64.
pub const fn stride(hidden: usize) -> usize {
    (2 * hidden + TAIL).next_multiple_of(64)
}

/// A decoded row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Residual of each channel is `mants[k] << shift`.
    pub mants: Vec<i16>,
    /// Left shift, 0..=16.
    pub shift: u32,
    /// Statistics of the residual for layer 0: slots i, f, g.
    pub statistics: Statistics,
    /// The token that the row belongs to.
    pub token: u32,
}

/// Why a row was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRow {
    /// The CRC-32C stored in the row and the one computed from it.
    Crc {
        /// Stored.
        stored: u32,
        /// Computed.
        computed: u32,
    },
    /// The row belongs to another token.
    Token(u32),
    /// A field is outside its range.
    Field,
}

impl Row {
    /// Rounds residual values to 16 bits with the smallest common shift.
    ///
    /// Returns the mantissas and the shift; the residual that everybody computes with is
    /// `mant << shift`.
    pub fn quantise(residual: &[i32]) -> (Vec<i16>, u32) {
        let max = residual.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
        let mut shift = (32 - max.leading_zeros()).saturating_sub(15);
        let round = |v: i32, shift: u32| {
            if shift == 0 { i64::from(v) } else { (i64::from(v) + (1 << (shift - 1))) >> shift }
        };
        if residual.iter().any(|&v| round(v, shift) > i64::from(i16::MAX)) {
            shift += 1;
        }
        (residual.iter().map(|&v| round(v, shift) as i16).collect(), shift)
    }

    /// The residual of channel `k`.
    pub fn residual(&self, k: usize) -> i32 {
        i32::from(self.mants[k]) << self.shift
    }

    /// Appends the row's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let length = stride(self.mants.len());
        out.extend(self.mants.iter().flat_map(|m| m.to_le_bytes()));
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
        if word(5) > 16 {
            return Err(BadRow::Field);
        }
        let mants =
            body[..2 * hidden].chunks_exact(2).map(|m| i16::from_le_bytes([m[0], m[1]])).collect();
        Ok(Row { mants, shift: word(5), statistics, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(mants: Vec<i16>) -> Row {
        let statistics = Statistics {
            a: Scale::from_int(12345),
            b: Scale::from_int(1 << 70),
            max: [1, u32::MAX, 1 << 31],
        };
        Row { mants, shift: 7, statistics, token: 42 }
    }

    proptest! {
        #[test]
        fn rows_round_trip_and_every_bit_counts(
            mants in prop::collection::vec(any::<i16>(), 32..100), bit: prop::sample::Index,
        ) {
            let row = row(mants);
            let mut bytes = Vec::new();
            row.encode(&mut bytes);
            prop_assert_eq!(bytes.len() % 64, 0);
            prop_assert_eq!(Row::decode(&bytes, row.mants.len(), 42), Ok(row.clone()));
            prop_assert_eq!(Row::decode(&bytes, row.mants.len(), 41), Err(BadRow::Token(42)));
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let damaged = matches!(Row::decode(&bytes, row.mants.len(), 42), Err(BadRow::Crc { .. }));
            prop_assert!(damaged);
        }

        #[test]
        fn quantising_keeps_15_bits(values in prop::collection::vec(any::<i32>(), 1..50)) {
            let (mants, shift) = Row::quantise(&values);
            let max = values.iter().map(|v| v.unsigned_abs()).max().unwrap();
            for (&m, &v) in mants.iter().zip(&values) {
                let error = (i64::from(m) << shift).abs_diff(i64::from(v));
                prop_assert!(error <= (1 << shift) / 2 && error <= u64::from(max >> 15) + 1);
            }
        }
    }

    #[test]
    fn small_rows_are_exact() {
        assert_eq!(Row::quantise(&[0, 1, -32767]), (vec![0, 1, -32767], 0));
        assert_eq!(Row::quantise(&[0; 4]), (vec![0; 4], 0));
        assert_eq!(Row::quantise(&[65535]), (vec![16384], 2));
    }
}
