use super::*;
use crate::trits;
use proptest::prelude::*;

fn sums(kernel: Kernel, weights: &[u8], codes: &[&[i8]], out: &mut [i32]) -> bool {
    let stride = out.len() / codes.len();
    kernel.sums(weights, codes, &mut Sums { out, stride })
}

#[test]
fn every_byte_is_the_code_s() {
    for kernel in Kernel::available() {
        for byte in 0..=255u8 {
            // The byte in every position of a beat, beside canonical neighbours.
            for at in 0..64 {
                let mut group = [trits::encode([1, -1, 0, 1, -1]); 64];
                group[at] = byte;
                // One sequence sees the byte alone, the other everything but it.
                let (mut alone, mut others) = ([0; 64], [1; 64]);
                (alone[at], others[at]) = (1, 0);
                let mut out = [9; 2 * ROWS];
                let canonical = sums(kernel, &group, &[&alone, &others], &mut out);
                let want = trits::decode(byte);
                assert_eq!(canonical, want.is_some(), "{kernel:?} byte {byte} at {at}");
                let Some(want) = want else { continue };
                assert_eq!(out[..5], want.map(i32::from), "{kernel:?} byte {byte} at {at}");
                assert_eq!(out[5..], [126, 0, 63, 126, 0], "{kernel:?} beside {byte} at {at}");
            }
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    for columns in [64, 2048, 4160, 16384] {
        for trit in [-1, 0, 1] {
            let group = vec![trits::encode([trit; ROWS]); columns];
            // -128 never occurs; the kernels have room for it all the same.
            for code in [127i8, -127, -128] {
                let want = columns as i32 * i32::from(trit + 1) * i32::from(code);
                for kernel in Kernel::available() {
                    let mut out = [1; ROWS];
                    assert!(sums(kernel, &group, &[&vec![code; columns]], &mut out));
                    assert_eq!(out, [want; ROWS], "{kernel:?} {columns} {trit} {code}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn equals_the_plain_sum(
        rows in 1usize..200, units in 1usize..20, batch in 1usize..20, seed: u64, cut in 0usize..32,
    ) {
        let columns = units * 64 - cut;
        let mut state = seed;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        let matrix: Vec<i8> = (0..rows * columns).map(|_| random(3) as i8 - 1).collect();
        let vectors: Vec<Vec<i8>> = (0..batch)
            .map(|_| (0..columns).map(|_| (random(255) as i32 - 127) as i8).collect())
            .collect();
        let mut weights = Vec::new();
        trits::pack(&matrix, columns, &mut weights);
        let codes: Vec<Codes> = vectors.iter().map(|v| {
            let mut codes = Codes::default();
            codes.fill(v.iter().copied());
            codes
        }).collect();
        let codes: Vec<&Codes> = codes.iter().collect();
        for kernel in Kernel::available() {
            let stride = rows.next_multiple_of(ROWS);
            let mut out = vec![0; stride * batch];
            prop_assert_eq!(multiply(kernel, &weights, &codes, &mut out), Ok(()));
            for (slot, vector) in vectors.iter().enumerate() {
                for row in 0..rows {
                    let want: i32 = (0..columns)
                        .map(|k| i32::from(matrix[row * columns + k]) * i32::from(vector[k]))
                        .sum();
                    prop_assert_eq!(out[slot * stride + row], want);
                }
            }
        }
        // A refused byte is found wherever it is.
        let at = (seed as usize) % weights.len();
        weights[at] = 0xff;
        let mut out = vec![0; rows.next_multiple_of(ROWS) * batch];
        for kernel in Kernel::available() {
            prop_assert_eq!(multiply(kernel, &weights, &codes, &mut out), Err(at));
        }
    }
}
