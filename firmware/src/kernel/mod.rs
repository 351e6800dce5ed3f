//! Ternary dot products on the host: exact integers, so every kernel gives the same bits.
//!
//! A row group (one byte a column, five rows) is unpacked once into five rows of digits
//! (trit + 1), then multiplied by the codes of each sequence of the batch; Σcode is
//! subtracted at the end. Weights stay packed in memory.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::prelude::*;

use crate::trits::{ROWS, padded_columns};

/// Which implementation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust.
    Portable,
    /// 256-bit integer SIMD; only where the processor has it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Kernel {
    /// The fastest kernel of this machine.
    pub fn detect() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            return Kernel::Avx2;
        }
        Kernel::Portable
    }

    /// Every kernel that this machine can run, for tests and benchmarks.
    pub fn available() -> Vec<Kernel> {
        let mut kernels = vec![Kernel::Portable];
        if Kernel::detect() != Kernel::Portable {
            kernels.push(Kernel::detect());
        }
        kernels
    }

    /// Unpacks a row group; `false` if a byte is not canonical.
    fn unpack(self, group: &[u8], digits: &mut [u8]) -> bool {
        match self {
            Kernel::Portable => portable::unpack(group, digits),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::unpack(group, digits),
        }
    }

    /// Σ digit·code of one row.
    fn dot(self, digits: &[u8], codes: &[i8]) -> i32 {
        match self {
            Kernel::Portable => portable::dot(digits, codes),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::dot(digits, codes),
        }
    }
}

/// Activation codes of one vector, padded with zeros to whole row groups.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    codes: Vec<i8>,
    sum: i32,
}

impl Codes {
    /// Replaces the codes, reusing the memory.
    pub fn fill(&mut self, codes: impl Iterator<Item = i8>) {
        self.codes.clear();
        self.codes.extend(codes);
        self.sum = self.codes.iter().map(|&code| i32::from(code)).sum();
        self.codes.resize(padded_columns(self.codes.len()), 0);
    }

    /// The codes, padding included.
    pub fn as_slice(&self) -> &[i8] {
        &self.codes
    }
}

/// Row groups a task works on: long enough to be worth a task, short enough to share.
const GROUPS_PER_TASK: usize = 32;

/// Accumulators of a batch: `out[group][slot]` holds five rows.
///
/// `weights` are `⌈rows/5⌉` row groups of the codes' padded length; `out` has one entry per
/// group and code vector. Returns the byte offset of the first byte that is not canonical.
pub fn multiply(
    kernel: Kernel,
    weights: &[u8],
    codes: &[&Codes],
    out: &mut [[i32; ROWS]],
) -> Result<(), usize> {
    let columns = codes.first().map_or(0, |c| c.codes.len());
    if columns == 0 {
        return Ok(());
    }
    let batch = codes.len();
    let bad = weights
        .par_chunks(columns * GROUPS_PER_TASK)
        .zip(out.par_chunks_mut(batch * GROUPS_PER_TASK))
        .enumerate()
        .filter_map(|(task, (weights, out))| {
            let mut digits = vec![0; ROWS * columns];
            for (n, (group, out)) in
                weights.chunks_exact(columns).zip(out.chunks_exact_mut(batch)).enumerate()
            {
                if !kernel.unpack(group, &mut digits) {
                    let at = group.iter().position(|&byte| crate::trits::decode(byte).is_none());
                    return Some((task * GROUPS_PER_TASK + n) * columns + at.unwrap_or(0));
                }
                for (codes, out) in codes.iter().zip(out) {
                    for (row, sum) in digits.chunks_exact(columns).zip(out) {
                        *sum = kernel.dot(row, &codes.codes) - codes.sum;
                    }
                }
            }
            None
        })
        .min();
    bad.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trits;
    use proptest::prelude::*;

    #[test]
    fn every_byte_unpacks_as_the_code_says() {
        for kernel in Kernel::available() {
            for byte in 0..=255u8 {
                // The byte in every position of a beat, beside canonical neighbours.
                for at in 0..64 {
                    let mut group = [trits::encode([1, -1, 0, 1, -1]); 64];
                    group[at] = byte;
                    let mut digits = [9; 320];
                    let canonical = kernel.unpack(&group, &mut digits);
                    let want = trits::decode(byte);
                    assert_eq!(canonical, want.is_some(), "{kernel:?} byte {byte}");
                    for (k, &b) in group.iter().enumerate() {
                        let Some(want) = trits::decode(b) else { continue };
                        let got = [0, 1, 2, 3, 4].map(|r| digits[r * 64 + k]);
                        assert_eq!(got, want, "{kernel:?} byte {b} at {k}");
                    }
                }
            }
        }
    }

    #[test]
    fn extreme_codes_do_not_overflow() {
        for columns in [64, 2048, 4160, 16384] {
            for (digit, code) in [(2u8, 127i8), (2, -127), (2, -128), (0, 127), (1, -127)] {
                let want = columns as i32 * i32::from(digit) * i32::from(code);
                for kernel in Kernel::available() {
                    let got = kernel.dot(&vec![digit; columns], &vec![code; columns]);
                    assert_eq!(got, want, "{kernel:?} {columns} {digit} {code}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn equals_the_plain_sum(
            rows in 1usize..400, units in 1usize..6, batch in 1usize..4, seed: u64, cut in 0usize..32,
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
                let mut out = vec![[0; ROWS]; rows.div_ceil(ROWS) * batch];
                prop_assert_eq!(multiply(kernel, &weights, &codes, &mut out), Ok(()));
                for (slot, vector) in vectors.iter().enumerate() {
                    for row in 0..rows {
                        let want: i32 = (0..columns)
                            .map(|k| i32::from(matrix[row * columns + k]) * i32::from(vector[k]))
                            .sum();
                        prop_assert_eq!(out[row / ROWS * batch + slot][row % ROWS], want);
                    }
                }
            }
            // A refused byte is found wherever it is.
            let at = (seed as usize) % weights.len();
            weights[at] = 0xff;
            let mut out = vec![[0; ROWS]; rows.div_ceil(ROWS) * batch];
            prop_assert_eq!(multiply(Kernel::detect(), &weights, &codes, &mut out), Err(at));
        }
    }
}
