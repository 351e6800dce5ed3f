//! Plain Rust; the compiler vectorises what it can.

use crate::trits::TABLES;

/// Unpacks a row group into five rows of digits; `false` if a byte is not canonical.
pub fn unpack(group: &[u8], digits: &mut [u8]) -> bool {
    let tables = &*TABLES;
    let mut canonical = true;
    for (k, &byte) in group.iter().enumerate() {
        canonical &= tables.canonical[usize::from(byte)];
        for (row, digit) in tables.digits[usize::from(byte)].into_iter().enumerate() {
            digits[row * group.len() + k] = digit;
        }
    }
    canonical
}

/// Σ digit·code.
pub fn dot(digits: &[u8], codes: &[i8]) -> i32 {
    digits.iter().zip(codes).map(|(&d, &c)| i32::from(d) * i32::from(c)).sum()
}
