//! Plain Rust; the compiler vectorises what it can.

use crate::trits::{ROWS, TABLES};

/// Columns that are unpacked before they are used.
const STRETCH: usize = 512;

/// See [`super::by_group`].
pub fn group(group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
    let mut canonical = true;
    let mut digits = [[0; STRETCH]; ROWS];
    out.fill([0; ROWS]);
    for at in (0..group.len()).step_by(STRETCH) {
        let end = group.len().min(at + STRETCH);
        canonical &= unpack(&group[at..end], &mut digits);
        for (codes, out) in codes.iter().zip(&mut *out) {
            for (sum, row) in out.iter_mut().zip(&digits) {
                *sum += dot(row, &codes[at..end]);
            }
        }
    }
    canonical
}

/// Unpacks columns into five rows of digits; `false` if a byte is not canonical.
fn unpack(bytes: &[u8], digits: &mut [[u8; STRETCH]; ROWS]) -> bool {
    let tables = &*TABLES;
    let mut canonical = true;
    for (k, &byte) in bytes.iter().enumerate() {
        canonical &= tables.canonical[usize::from(byte)];
        for (row, digit) in digits.iter_mut().zip(tables.digits[usize::from(byte)]) {
            row[k] = digit;
        }
    }
    canonical
}

/// Σ digit·code.
fn dot(digits: &[u8], codes: &[i8]) -> i32 {
    digits.iter().zip(codes).map(|(&d, &c)| i32::from(d) * i32::from(c)).sum()
}
