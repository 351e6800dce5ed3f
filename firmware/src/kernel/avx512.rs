//! AVX-512 with VNNI and VBMI: 64 columns of five rows in about ten instructions, and five dot
//! products of each sequence's codes. Nothing is stored in between.

use std::arch::x86_64::*;

use super::tables::{FIELDS, INNER, OUTER, PLACES};
use crate::trits::ROWS;

/// Columns at a time.
const WIDTH: usize = 64;

/// Sequences whose five accumulators each, the tables and the masks fit 32 registers.
const TILE: usize = 4;

/// Whether the processor has what this needs.
pub fn is_there() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vnni")
}

/// See [`super::Kernel::group`].
pub fn group(group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
    let (group, _) = group.as_chunks();
    let mut canonical = true;
    for (codes, out) in codes.chunks(TILE).zip(out.chunks_mut(TILE)) {
        // SAFETY: this kernel is chosen only where `is_there`.
        canonical &= unsafe {
            match *codes {
                [a] => tile([a], group, out),
                [a, b] => tile([a, b], group, out),
                [a, b, c] => tile([a, b, c], group, out),
                [a, b, c, d] => tile([a, b, c, d], group, out),
                _ => true,
            }
        };
    }
    canonical
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
fn tile<const B: usize>(codes: [&[i8]; B], group: &[[u8; WIDTH]], out: &mut [[i32; ROWS]]) -> bool {
    let codes = codes.map(|codes| &codes.as_chunks::<WIDTH>().0[..group.len()]);
    let (outer, inner) = (load(&OUTER), load(&INNER));
    let fields = FIELDS.map(|field| _mm512_set1_epi8(field as i8));
    let mut refused = _mm512_setzero_si512();
    let mut sums = [[_mm512_setzero_si512(); B]; ROWS];
    for (k, bytes) in group.iter().enumerate() {
        let bytes = load(bytes);
        // The permutation takes the lower six bits of an index: a neighbour's bits do no harm.
        let outer = _mm512_permutexvar_epi8(_mm512_srli_epi16::<2>(bytes), outer);
        // c: two bits of the byte, the others from the table (0xca: first ? second : third).
        let c = _mm512_ternarylogic_epi32::<0xca>(fields[0], bytes, outer);
        let inner = _mm512_permutexvar_epi8(c, inner);
        refused = _mm512_or_si512(refused, inner);
        let from = [inner, inner, inner, outer, outer];
        for (row, sums) in sums.iter_mut().enumerate() {
            let digits = _mm512_and_si512(from[row], fields[row]);
            for (sum, codes) in sums.iter_mut().zip(codes) {
                // At most 64 · 127 a product: 16,384 columns stay below 2²⁷.
                *sum = _mm512_dpbusd_epi32(*sum, digits, load_codes(&codes[k]));
            }
        }
    }
    for (b, out) in out.iter_mut().enumerate().take(B) {
        *out = std::array::from_fn(|row| _mm512_reduce_add_epi32(sums[row][b]) >> PLACES[row]);
    }
    _mm512_movepi8_mask(refused) == 0
}

#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; WIDTH]) -> __m512i {
    // SAFETY: a reference to 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn load_codes(codes: &[i8; WIDTH]) -> __m512i {
    // SAFETY: a reference to 64 bytes.
    unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) }
}
