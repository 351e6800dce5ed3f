//! NEON with its dot products: 16 columns of five rows in about ten instructions.

use std::arch::aarch64::*;
use std::arch::asm;

use super::tables::{FIELDS, INNER, OUTER, PLACES, REFUSED, UPPER};
use crate::trits::ROWS;

/// Columns at a time.
const WIDTH: usize = 16;

/// Sequences whose five accumulators each fit the registers beside the tables.
const TILE: usize = 2;

/// Whether the processor has what this needs.
pub fn is_there() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
        && std::arch::is_aarch64_feature_detected!("dotprod")
}

/// See [`super::by_group`].
pub fn group(group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
    let mut canonical = true;
    for (codes, out) in codes.chunks(TILE).zip(out.chunks_mut(TILE)) {
        // SAFETY: this kernel is chosen only where `is_there`.
        canonical &= unsafe {
            match *codes {
                [a] => tile([a], group, out),
                [a, b] => tile([a, b], group, out),
                _ => true,
            }
        };
    }
    canonical
}

/// # Safety
/// Needs the features.
#[target_feature(enable = "neon,dotprod")]
unsafe fn tile<const B: usize>(codes: [&[i8]; B], group: &[u8], out: &mut [[i32; ROWS]]) -> bool {
    let length = group.len() / WIDTH * WIDTH;
    assert!(codes.iter().all(|codes| codes.len() >= length));
    // SAFETY: 64 and 32 entries are what these loads take.
    let (outer, inner) = unsafe { (vld1q_u8_x4(OUTER.as_ptr()), vld1q_u8_x2(INNER.as_ptr())) };
    let upper = vdupq_n_u8(UPPER);
    let fields = FIELDS.map(|field| vdupq_n_u8(field));
    let mut refused = vdupq_n_u8(0);
    let mut sums = [[vdupq_n_s32(0); B]; ROWS];
    for at in (0..length).step_by(WIDTH) {
        // SAFETY: at + 16 ≤ the length of the group.
        let bytes = unsafe { vld1q_u8(group.as_ptr().add(at)) };
        let outer = vqtbl4q_u8(outer, vshrq_n_u8::<2>(bytes));
        // An index past the table would read as 0, so c is all that is left.
        let c = vorrq_u8(vandq_u8(bytes, fields[0]), vandq_u8(outer, upper));
        let inner = vqtbl2q_u8(inner, c);
        refused = vorrq_u8(refused, inner);
        let from = [inner, inner, inner, outer, outer];
        for (row, sums) in sums.iter_mut().enumerate() {
            // At most 64, which a signed byte holds.
            let digits = vreinterpretq_s8_u8(vandq_u8(from[row], fields[row]));
            for (sum, codes) in sums.iter_mut().zip(codes) {
                // SAFETY: at + 16 ≤ the length of these codes; the feature is enabled.
                *sum = unsafe { dot(*sum, digits, vld1q_s8(codes.as_ptr().add(at))) };
            }
        }
    }
    for (b, out) in out.iter_mut().enumerate().take(B) {
        for (row, out) in out.iter_mut().enumerate() {
            *out = vaddvq_s32(sums[row][b]) >> PLACES[row];
        }
    }
    vmaxvq_u8(refused) & REFUSED == 0
}

/// `sum` and the products of four bytes each. (The intrinsic is not stable.)
///
/// # Safety
/// Needs the feature.
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: registers only.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
