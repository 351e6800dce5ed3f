//! 256-bit SIMD: AVX2, and with it one of the two encodings of VNNI.
//!
//! A stretch of a row group is unpacked into five rows of digits, which stay in the first-level
//! cache while every sequence's codes are multiplied by them.

use std::arch::x86_64::*;

use super::tables::{INNER, OUTER, UPPER};
use crate::trits::ROWS;

/// Columns at a time.
const WIDTH: usize = 32;

/// Columns that are unpacked before they are used.
const STRETCH: usize = 512;

/// Sequences whose sums are kept while a row group is unpacked.
const TILE: usize = 16;

/// Five rows of digits.
type Digits = [[u8; STRETCH]; ROWS];

/// Sums of five rows, eight partial ones each.
type Sums = [__m256i; ROWS];

/// Whether the processor has AVX2.
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

/// Whether the processor has AVX-VNNI.
pub fn has_avx_vnni() -> bool {
    has_avx2() && is_x86_feature_detected!("avxvnni")
}

/// Whether the processor has AVX-512's VNNI for 256 bits.
pub fn has_vnni() -> bool {
    has_avx2() && is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl")
}

/// A row group by one of the dot products; see [`super::by_group`].
macro_rules! kernel {
    ($name:ident, $features:literal, $dots:ident) => {
        pub fn $name(group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
            #[target_feature(enable = $features)]
            fn run(group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
                let mut refused = _mm256_setzero_si256();
                let mut digits = [[0; STRETCH]; ROWS];
                for (codes, out) in codes.chunks(TILE).zip(out.chunks_mut(TILE)) {
                    let mut sums = [[_mm256_setzero_si256(); ROWS]; TILE];
                    for at in (0..group.len()).step_by(STRETCH) {
                        let end = group.len().min(at + STRETCH);
                        refused = unpack(&group[at..end], &mut digits, refused);
                        for (codes, sums) in codes.iter().zip(&mut sums) {
                            $dots(&digits, &codes[at..end], sums);
                        }
                    }
                    for (out, sums) in out.iter_mut().zip(sums) {
                        *out = sums.map(|sum| total(sum));
                    }
                }
                // The mark is the sign of a byte.
                _mm256_movemask_epi8(refused) == 0
            }
            // SAFETY: this kernel is chosen only where the processor has these features.
            unsafe { run(group, codes, out) }
        }
    };
}

kernel!(avx2, "avx2", dots_avx2);
kernel!(avx_vnni, "avx2,avxvnni", dots_avx_vnni);
kernel!(vnni, "avx2,avx512f,avx512vl,avx512vnni", dots_vnni);

/// Unpacks a multiple of 32 columns; returns `refused` with the marks of refused bytes.
#[target_feature(enable = "avx2")]
fn unpack(bytes: &[u8], digits: &mut Digits, mut refused: __m256i) -> __m256i {
    let all = |byte: u8| _mm256_set1_epi8(byte as i8);
    // Byte-wise right shift: the 16-bit shift drags in a neighbour's bits, the mask drops them.
    macro_rules! shr {
        ($v:expr, $n:literal, $mask:expr) => {
            _mm256_and_si256(_mm256_srli_epi16::<$n>($v), all($mask))
        };
    }
    // Without its upper bits the byte says nothing of c but that it is the long form or is not:
    // eight entries of each, the short ones without c.
    let outer_table = table(std::array::from_fn(|n| {
        if n < 8 { OUTER[n << 3] & !UPPER } else { OUTER[(n & 7) << 3 | 7] }
    }));
    let low_table = table(std::array::from_fn(|n| INNER[n]));
    let high_table = table(std::array::from_fn(|n| INNER[n + 16]));
    for (k, bytes) in bytes.as_chunks::<WIDTH>().0.iter().enumerate() {
        let t = load(bytes);
        let middle = _mm256_and_si256(t, all(UPPER));
        let long = _mm256_cmpeq_epi8(middle, all(UPPER));
        let index = _mm256_or_si256(shr!(t, 5, 7), _mm256_and_si256(long, all(8)));
        let outer = _mm256_shuffle_epi8(outer_table, index);
        let short_c = _mm256_andnot_si256(long, middle);
        let c = _mm256_or_si256(
            _mm256_and_si256(t, all(3)),
            _mm256_or_si256(short_c, _mm256_and_si256(outer, all(UPPER))),
        );
        let inner = _mm256_blendv_epi8(
            _mm256_shuffle_epi8(low_table, c),
            _mm256_shuffle_epi8(high_table, c),
            _mm256_slli_epi16::<3>(c),
        );
        refused = _mm256_or_si256(refused, inner);
        let values = [
            _mm256_and_si256(inner, all(3)),
            shr!(inner, 2, 3),
            shr!(inner, 4, 3),
            _mm256_and_si256(outer, all(3)),
            shr!(outer, 5, 3),
        ];
        for (row, value) in digits.iter_mut().zip(values) {
            store(&mut row.as_chunks_mut::<WIDTH>().0[k], value);
        }
    }
    refused
}

/// Adds a stretch's Σ digit·code to the sums.
#[target_feature(enable = "avx2")]
fn dots_avx2(digits: &Digits, codes: &[i8], sums: &mut Sums) {
    // At most 16 steps of 2·2·128 in magnitude: no 16-bit sum overflows.
    let mut parts = [_mm256_setzero_si256(); ROWS];
    for (k, codes) in codes.as_chunks::<WIDTH>().0.iter().enumerate() {
        let codes = load_codes(codes);
        for (part, row) in parts.iter_mut().zip(digits) {
            let products = _mm256_maddubs_epi16(load(&row.as_chunks::<WIDTH>().0[k]), codes);
            *part = _mm256_add_epi16(*part, products);
        }
    }
    let ones = _mm256_set1_epi16(1);
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(part, ones));
    }
}

/// The same by one instruction a row, in either encoding.
macro_rules! dots {
    ($name:ident, $features:literal, $multiply:ident) => {
        #[target_feature(enable = $features)]
        fn $name(digits: &Digits, codes: &[i8], sums: &mut Sums) {
            let mut parts = *sums;
            for (k, codes) in codes.as_chunks::<WIDTH>().0.iter().enumerate() {
                let codes = load_codes(codes);
                for (part, row) in parts.iter_mut().zip(digits) {
                    *part = $multiply(*part, load(&row.as_chunks::<WIDTH>().0[k]), codes);
                }
            }
            *sums = parts;
        }
    };
}

dots!(dots_avx_vnni, "avx2,avxvnni", _mm256_dpbusd_avx_epi32);
dots!(dots_vnni, "avx2,avx512f,avx512vl,avx512vnni", _mm256_dpbusd_epi32);

#[target_feature(enable = "avx2")]
fn total(sum: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let all = _mm_add_epi32(quarter, _mm_shuffle_epi32::<0b10_11_00_01>(quarter));
    _mm_cvtsi128_si32(all)
}

/// Sixteen entries in both halves, as the shuffle wants them.
#[target_feature(enable = "avx2")]
fn table(entries: [u8; 16]) -> __m256i {
    let mut both = [0; WIDTH];
    both[..16].copy_from_slice(&entries);
    both[16..].copy_from_slice(&entries);
    load(&both)
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; WIDTH]) -> __m256i {
    // SAFETY: a reference to 32 bytes.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load_codes(codes: &[i8; WIDTH]) -> __m256i {
    // SAFETY: a reference to 32 bytes.
    unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; WIDTH], value: __m256i) {
    // SAFETY: a reference to 32 bytes.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}
