//! Five trits in a byte.
//!
//! One byte holds one input column of five output rows. The code is the trit block of the
//! ASTC texture format (Khronos Data Format Specification 1.3, §23.12), because it decodes in
//! some 8 LUT4 a lane where a base-3 table takes 32: 243 bytes are canonical, the other 13
//! would name a pattern twice and are refused. The stored digit is `trit + 1`: its low bit says that
//! the trit is 0, its high bit that it is +1, so a lane of the core needs no multiplexer, and a host
//! multiplies digits without a sign and subtracts Σcode once a row.

use bitvec::prelude::*;

/// Rows that share a byte.
pub const ROWS: usize = 5;

/// Columns of a row group are padded to a multiple of this: the widest beat, 512 bits.
pub const COLUMN_ALIGN: usize = 64;

/// Digits of five rows, each `trit + 1` = 0, 1, 2.
pub type Digits = [u8; ROWS];

/// Bytes of a row group of `columns` columns.
pub const fn padded_columns(columns: usize) -> usize {
    columns.next_multiple_of(COLUMN_ALIGN)
}

/// The digits of a byte, or `None` for the 13 bytes that are not canonical.
pub fn decode(byte: u8) -> Option<Digits> {
    let t = byte.view_bits::<Lsb0>();
    // c: the five bits that hold rows 0 to 2; d3, d4: the digits of rows 3 and 4.
    let mut c = bitarr![u8, Lsb0; 0; 5];
    let (d3, d4);
    if t[2..5].all() {
        c[0..2].copy_from_bitslice(&t[0..2]);
        c[2..5].copy_from_bitslice(&t[5..8]);
        (d3, d4) = (2, 2);
    } else {
        c[0..5].copy_from_bitslice(&t[0..5]);
        let top = u8::from(t[7]);
        (d3, d4) = if t[5..7].all() { (top, 2) } else { (t[5..7].load::<u8>(), top) };
    }
    if c[0..4].all() || c[2..5].all() {
        return None;
    }
    let (d0, d1, d2) = if c[0..2].all() {
        (c[2..4].load::<u8>(), u8::from(c[4]), 2)
    } else if c[2..4].all() {
        (c[0..2].load::<u8>(), 2, 2)
    } else {
        (c[0..2].load::<u8>(), c[2..4].load::<u8>(), u8::from(c[4]))
    };
    Some([d0, d1, d2, d3, d4])
}

/// Both directions of the code as tables, built from [`decode`].
pub struct Tables {
    /// Digits of each byte; the 13 refused bytes read as trit 0 in every row.
    pub digits: [Digits; 256],
    /// Whether the byte is canonical.
    pub canonical: [bool; 256],
    /// The byte of each pattern, indexed by Σ digit·3^row.
    pub bytes: [u8; 243],
}

/// The tables.
pub static TABLES: std::sync::LazyLock<Tables> = std::sync::LazyLock::new(|| {
    let mut tables = Tables { digits: [[1; ROWS]; 256], canonical: [false; 256], bytes: [0; 243] };
    for byte in 0..=255u8 {
        if let Some(digits) = decode(byte) {
            tables.digits[usize::from(byte)] = digits;
            tables.canonical[usize::from(byte)] = true;
            tables.bytes[index(digits)] = byte;
        }
    }
    tables
});

fn index(digits: Digits) -> usize {
    digits.iter().rev().fold(0, |index, &digit| index * 3 + usize::from(digit))
}

/// The byte of five trits (−1, 0, +1), row 0 first.
pub fn encode(trits: [i8; ROWS]) -> u8 {
    TABLES.bytes[index(trits.map(|t| (t + 1) as u8))]
}

/// Packs rows of `columns` trits into row groups: `rows` is padded to five with zero trits,
/// columns to [`COLUMN_ALIGN`].
///
/// `trits` is row-major, `rows × columns`; `out` gets `⌈rows/5⌉ × padded_columns` bytes.
pub fn pack(trits: &[i8], columns: usize, out: &mut Vec<u8>) {
    let zero = encode([0; ROWS]);
    let tables = &*TABLES;
    for group in trits.chunks(columns * ROWS) {
        let start = out.len();
        out.resize(start + padded_columns(columns), zero);
        for (k, byte) in out[start..start + columns].iter_mut().enumerate() {
            let mut index = 0;
            for r in (0..ROWS).rev() {
                let trit = group.get(r * columns + k).copied().unwrap_or(0);
                index = index * 3 + (trit + 1) as usize;
            }
            *byte = tables.bytes[index];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_code_is_a_bijection_on_243_bytes() {
        let patterns: HashSet<Digits> = (0..=255).filter_map(decode).collect();
        assert_eq!(patterns.len(), 243);
        assert_eq!((0..=255).filter(|&b| decode(b).is_none()).count(), 13);
        assert!(patterns.iter().flatten().all(|&digit| digit <= 2));
        for byte in 0..=255u8 {
            if let Some(digits) = decode(byte) {
                assert_eq!(encode(digits.map(|d| d as i8 - 1)), byte);
            }
        }
    }

    #[test]
    fn refused_bytes() {
        let refused: Vec<u8> = (0..=255).filter(|&b| decode(b).is_none()).collect();
        insta::assert_compact_debug_snapshot!(refused, @"[15, 47, 79, 111, 127, 143, 175, 207, 239, 252, 253, 254, 255]");
        assert_eq!(encode([0; 5]), 0b1011_0101);
    }

    proptest! {
        #[test]
        fn packing_round_trips(rows in 1usize..13, columns in 1usize..70, seed: u64) {
            let mut state = seed;
            let trits: Vec<i8> = (0..rows * columns).map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 33) % 3) as i8 - 1
            }).collect();
            let mut bytes = Vec::new();
            pack(&trits, columns, &mut bytes);
            prop_assert_eq!(bytes.len(), rows.div_ceil(ROWS) * padded_columns(columns));
            for (at, &byte) in bytes.iter().enumerate() {
                let (group, k) = (at / padded_columns(columns), at % padded_columns(columns));
                let digits = decode(byte).expect("canonical");
                for (r, digit) in digits.into_iter().enumerate() {
                    let row = group * ROWS + r;
                    let want = if row < rows && k < columns { trits[row * columns + k] } else { 0 };
                    prop_assert_eq!(digit as i8 - 1, want);
                }
            }
        }
    }
}
