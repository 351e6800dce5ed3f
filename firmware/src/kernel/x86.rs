//! AVX2. All `unsafe` of the kernels is here.

use std::arch::x86_64::*;

const WIDTH: usize = 32;

/// Columns after which 16-bit partial sums are widened: 2·2·128 a step, 63 steps.
const STRETCH: usize = 63 * WIDTH;

/// See [`super::portable::unpack`]; `group` is a multiple of 64 bytes.
pub fn unpack(group: &[u8], digits: &mut [u8]) -> bool {
    assert!(group.len().is_multiple_of(WIDTH) && digits.len() == 5 * group.len());
    // SAFETY: `Kernel::Avx2` exists only where the processor has AVX2, and the lengths that
    // the body relies on were just checked.
    unsafe { unpack_avx2(group, digits) }
}

/// See [`super::portable::dot`]; lengths are equal multiples of 64.
pub fn dot(digits: &[u8], codes: &[i8]) -> i32 {
    assert!(digits.len().is_multiple_of(WIDTH) && digits.len() == codes.len());
    // SAFETY: as for `unpack`.
    unsafe { dot_avx2(digits, codes) }
}

/// The decoder of [`crate::trits::decode`], 32 bytes at a time.
///
/// # Safety
/// Needs AVX2; `digits` must be five times as long as `group`, a multiple of 32.
#[target_feature(enable = "avx2")]
unsafe fn unpack_avx2(group: &[u8], digits: &mut [u8]) -> bool {
    let byte = |b: u8| _mm256_set1_epi8(b as i8);
    // Byte-wise right shift: the 16-bit shift drags in a neighbour's bits, the mask drops them.
    macro_rules! shr {
        ($v:expr, $n:literal, $mask:expr) => {
            _mm256_and_si256(_mm256_srli_epi16::<$n>($v), byte($mask))
        };
    }
    let equals =
        |v, mask: u8, value: u8| _mm256_cmpeq_epi8(_mm256_and_si256(v, byte(mask)), byte(value));
    let select = |mask, yes, no| _mm256_blendv_epi8(no, yes, mask);
    let two = byte(2);
    let mut refused = _mm256_setzero_si256();
    let length = group.len();
    for at in (0..length).step_by(WIDTH) {
        // SAFETY: at + 32 ≤ group.len().
        let t = unsafe { _mm256_loadu_si256(group.as_ptr().add(at).cast()) };
        let long = equals(t, 0x1c, 0x1c);
        let c_long = _mm256_or_si256(shr!(t, 3, 0x1c), _mm256_and_si256(t, byte(3)));
        let c = select(long, c_long, _mm256_and_si256(t, byte(0x1f)));
        let top = shr!(t, 7, 1);
        let high = equals(t, 0x60, 0x60);
        let d4 = select(_mm256_or_si256(long, high), two, top);
        let d3 = select(long, two, select(high, top, shr!(t, 5, 3)));
        let low = equals(c, 3, 3);
        let mid = equals(c, 0x0c, 0x0c);
        let c01 = _mm256_and_si256(c, byte(3));
        let c23 = shr!(c, 2, 3);
        let c4 = shr!(c, 4, 1);
        let d0 = select(low, c23, c01);
        let d1 = select(low, c4, select(mid, two, c23));
        let d2 = select(_mm256_or_si256(low, mid), two, c4);
        let bad = _mm256_or_si256(equals(c, 0x0f, 0x0f), equals(c, 0x1c, 0x1c));
        refused = _mm256_or_si256(refused, bad);
        for (row, digit) in [d0, d1, d2, d3, d4].into_iter().enumerate() {
            // SAFETY: row·length + at + 32 ≤ 5·length = digits.len().
            unsafe {
                _mm256_storeu_si256(digits.as_mut_ptr().add(row * length + at).cast(), digit);
            }
        }
    }
    _mm256_testz_si256(refused, refused) == 1
}

/// # Safety
/// Needs AVX2; equal lengths, a multiple of 32.
#[target_feature(enable = "avx2")]
unsafe fn dot_avx2(digits: &[u8], codes: &[i8]) -> i32 {
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    for (digits, codes) in digits.chunks(STRETCH).zip(codes.chunks(STRETCH)) {
        let mut part = _mm256_setzero_si256();
        for at in (0..digits.len()).step_by(WIDTH) {
            // SAFETY: at + 32 ≤ the length of both: stretches and totals are multiples of 32.
            let (d, c) = unsafe {
                (
                    _mm256_loadu_si256(digits.as_ptr().add(at).cast()),
                    _mm256_loadu_si256(codes.as_ptr().add(at).cast()),
                )
            };
            part = _mm256_add_epi16(part, _mm256_maddubs_epi16(d, c));
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(part, ones));
    }
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let all = _mm_add_epi32(quarter, _mm_shuffle_epi32::<0b10_11_00_01>(quarter));
    _mm_cvtsi128_si32(all)
}
