//! AVX-512 with VNNI and VBMI: 64 columns of five rows in about ten instructions, and five dot
//! products of each sequence's codes. Nothing is stored in between.

use std::arch::x86_64::*;

use super::Sums;
use super::tables::{FIELDS, INNER, OUTER, PLACES};
use crate::trits::ROWS;

/// Columns at a time.
const WIDTH: usize = 64;

/// Sequences whose five accumulators each, the tables and the masks fit 32 registers.
const TILE: usize = 4;

/// Bytes from a load to what is fetched ahead of it: memory is some hundred clocks away, and the
/// processor's own prefetching ends at each page.
const AHEAD: usize = 2048;

/// Whether the processor has what this needs.
pub fn is_there() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vnni")
}

/// See [`super::Kernel::sums`].
pub fn sums(weights: &[u8], codes: &[&[i8]], out: &mut Sums<'_>) -> bool {
    let columns = codes.first().map_or(1, |codes| codes.len());
    let mut canonical = true;
    for (n, group) in weights.chunks_exact(columns).enumerate() {
        for (at, codes) in codes.chunks(TILE).enumerate() {
            let first = at * TILE;
            // SAFETY: this kernel is chosen only where `is_there`.
            canonical &= unsafe {
                match *codes {
                    [a] => tile(group, [a], n, first, out),
                    [a, b] => tile(group, [a, b], n, first, out),
                    [a, b, c] => tile(group, [a, b, c], n, first, out),
                    [a, b, c, d] => tile(group, [a, b, c, d], n, first, out),
                    _ => true,
                }
            };
        }
    }
    canonical
}

/// Row group number `n` for `B` sequences from `first` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
fn tile<const B: usize>(
    group: &[u8],
    codes: [&[i8]; B],
    n: usize,
    first: usize,
    out: &mut Sums<'_>,
) -> bool {
    let (outer, inner) = (load(&OUTER), load(&INNER));
    let mut refused = _mm512_setzero_si512();
    let mut sums = [[_mm512_setzero_si512(); ROWS]; B];
    // One length for all, which the compiler sees: no check is left in the loop.
    let (group, _) = group.as_chunks::<WIDTH>();
    let mut units: [&[[i8; WIDTH]]; B] = [&[]; B];
    for b in 0..B {
        units[b] = &codes[b].as_chunks().0[..group.len()];
    }
    for (k, bytes) in group.iter().enumerate() {
        _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().wrapping_add(AHEAD).cast());
        let bytes = load(bytes);
        // The permutation takes the lower six bits of an index: a neighbour's do no harm.
        let outer = _mm512_permutexvar_epi8(_mm512_srli_epi16::<2>(bytes), outer);
        // c: two bits of the byte, the others from the table (0xca: first ? second : third).
        let low = _mm512_set1_epi8(0b11);
        let c = _mm512_ternarylogic_epi32::<0xca>(low, bytes, outer);
        let inner = _mm512_permutexvar_epi8(c, inner);
        refused = _mm512_or_si512(refused, inner);
        let field = |from, row: usize| _mm512_and_si512(from, _mm512_set1_epi8(FIELDS[row] as i8));
        // Row 2 brings the fields of rows 0 and 1 along, whose sums are known in the end.
        let digits = [field(inner, 0), field(inner, 1), inner, field(outer, 3), field(outer, 4)];
        for (row, digits) in digits.into_iter().enumerate() {
            for b in 0..B {
                // At most 255 · 128 a product: 16,384 columns stay below 2³⁰.
                sums[b][row] = _mm512_dpbusd_epi32(sums[b][row], digits, load_codes(&units[b][k]));
            }
        }
    }
    let [p0, p1, p2, p3, p4] = PLACES.map(|place| place as i32);
    let mut last = [_mm512_setzero_si512(); TILE];
    for (b, [r0, r1, r2, r3, r4]) in sums.into_iter().enumerate() {
        let r2 = _mm512_sub_epi32(r2, _mm512_add_epi32(r0, r1));
        let four = _mm_srav_epi32(totals([r0, r1, r2, r3]), _mm_setr_epi32(p0, p1, p2, p3));
        out.rows(n, first + b)[..4].copy_from_slice(&array(four));
        last[b] = r4;
    }
    let last = array(totals(last));
    for (b, sum) in last.into_iter().enumerate().take(B) {
        out.rows(n, first + b)[4] = sum >> p4;
    }
    _mm512_movepi8_mask(refused) == 0
}

/// The sums of four vectors' elements.
#[target_feature(enable = "avx512f")]
fn totals([a, b, c, d]: [__m512i; 4]) -> __m128i {
    let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
    _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

#[target_feature(enable = "avx512f")]
fn array(four: __m128i) -> [i32; 4] {
    let mut array = [0; 4];
    // SAFETY: a reference to 16 bytes.
    unsafe { _mm_storeu_si128(array.as_mut_ptr().cast(), four) };
    array
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
