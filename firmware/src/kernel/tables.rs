//! The trit code as two small tables, which registers hold.
//!
//! Bits 2 to 7 of a byte alone give the digits of rows 3 and 4 and the upper three bits of c
//! (docs/image-format.md, §4); the lower two bits of c are the byte's. c gives the rest. Each
//! digit comes out as a field of its own; a dot product with the field in place is the digit's,
//! shifted left by the field's place.

/// By bits 2 to 7 of the byte: row 3 in bits 0 and 1, c₄c₃c₂ in bits 2 to 4, row 4 in 5 and 6.
pub const OUTER: [u8; 64] = outer();

/// By c (bit 5 of the index does not matter): rows 0, 1, 2 in bits 0 to 5; bit 7 if no canonical
/// byte has this c.
pub const INNER: [u8; 64] = inner();

/// The bits of [`OUTER`] that are c₄c₃c₂, where c has them too.
pub const UPPER: u8 = 0b0001_1100;

/// [`INNER`]'s mark of bytes that are not canonical.
pub const REFUSED: u8 = 0x80;

/// The field of each row, of [`INNER`] for rows 0 to 2 and of [`OUTER`] for 3 and 4.
pub const FIELDS: [u8; 5] = [0b11, 0b11 << 2, 0b11 << 4, 0b11, 0b11 << 5];

/// Where each row's field begins.
pub const PLACES: [u32; 5] = [0, 2, 4, 0, 5];

const fn outer() -> [u8; 64] {
    let mut table = [0; 64];
    let mut t = 0; // t₇ … t₂
    while t < 64 {
        let (top, middle) = (t >> 5, t >> 3 & 3);
        let (upper, d3, d4) = if t & 7 == 7 {
            (t >> 3, 2, 2)
        } else if middle == 3 {
            (t & 7, top, 2)
        } else {
            (t & 7, middle, top)
        };
        table[t] = (d3 | upper << 2 | d4 << 5) as u8;
        t += 1;
    }
    table
}

const fn inner() -> [u8; 64] {
    let mut table = [0; 64];
    let mut at = 0;
    while at < 64 {
        let c = at & 31;
        let (low, mid, top) = (c & 3, c >> 2 & 3, c >> 4);
        let (d0, d1, d2) = if low == 3 {
            (mid, top, 2)
        } else if mid == 3 {
            (low, 2, 2)
        } else {
            (low, mid, top)
        };
        let refused = c & 15 == 15 || c >> 2 == 7;
        table[at] = (d0 | d1 << 2 | d2 << 4) as u8 | if refused { REFUSED } else { 0 };
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trits;

    #[test]
    fn the_tables_are_the_code() {
        for byte in 0..=255u8 {
            let outer = OUTER[usize::from(byte >> 2)];
            let inner = INNER[usize::from(byte & 3 | outer & UPPER)];
            assert_eq!(inner & REFUSED == 0, trits::decode(byte).is_some(), "{byte}");
            let Some(want) = trits::decode(byte) else { continue };
            let from = [inner, inner, inner, outer, outer];
            let got = [0, 1, 2, 3, 4].map(|row| (from[row] & FIELDS[row]) >> PLACES[row]);
            assert_eq!(got, want, "{byte}");
        }
    }
}
