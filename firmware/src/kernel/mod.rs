//! Ternary dot products on the host: exact integers, so every kernel gives the same bits.
//!
//! Weights stay packed in memory. A row group (one byte a column, five rows) becomes digits
//! (trit + 1) in registers, which are multiplied by the codes of every sequence of the batch;
//! Σcode is subtracted at the end. All `unsafe` of the crate's arithmetic is in this module.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::prelude::*;

use crate::trits::{ROWS, padded_columns};

/// Which implementation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust.
    Portable,
    /// 256-bit integer SIMD.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 256-bit integer SIMD with AVX-VNNI's dot product.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// 256-bit integer SIMD with AVX-512's dot product.
    #[cfg(target_arch = "x86_64")]
    Vnni,
    /// 512-bit integer SIMD with VNNI and VBMI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit integer SIMD with dot products.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Kernel {
    /// The fastest kernel of this machine.
    pub fn detect() -> Kernel {
        Kernel::available().pop().expect("the portable kernel is always there")
    }

    /// Every kernel that this machine can run, the fastest last.
    pub fn available() -> Vec<Kernel> {
        let mut kernels = vec![Kernel::Portable];
        #[cfg(target_arch = "x86_64")]
        kernels.extend(
            [
                (Kernel::Avx2, x86::has_avx2()),
                (Kernel::AvxVnni, x86::has_avx_vnni()),
                (Kernel::Vnni, x86::has_vnni()),
                (Kernel::Avx512, avx512::is_there()),
            ]
            .into_iter()
            .filter_map(|(kernel, there)| there.then_some(kernel)),
        );
        #[cfg(target_arch = "aarch64")]
        kernels.extend(neon::is_there().then_some(Kernel::Neon));
        kernels
    }

    /// Σ digit·code of a row group's five rows, for every sequence's codes: `out` has one entry a
    /// sequence. `false` if a byte is not canonical; `out` is meaningless then.
    ///
    /// The group and all codes have the same length, a multiple of 64.
    fn group(self, group: &[u8], codes: &[&[i8]], out: &mut [[i32; ROWS]]) -> bool {
        match self {
            Kernel::Portable => portable::group(group, codes, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::avx2(group, codes, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::AvxVnni => x86::avx_vnni(group, codes, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Vnni => x86::vnni(group, codes, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::group(group, codes, out),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => neon::group(group, codes, out),
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
    let slices: Vec<&[i8]> = codes.iter().map(|codes| codes.as_slice()).collect();
    let bad = weights
        .par_chunks(columns * GROUPS_PER_TASK)
        .zip(out.par_chunks_mut(batch * GROUPS_PER_TASK))
        .enumerate()
        .filter_map(|(task, (weights, out))| {
            let groups = weights.chunks_exact(columns).zip(out.chunks_exact_mut(batch));
            for (n, (group, out)) in groups.enumerate() {
                if !kernel.group(group, &slices, out) {
                    let at = group.iter().position(|&byte| crate::trits::decode(byte).is_none());
                    return Some((task * GROUPS_PER_TASK + n) * columns + at.unwrap_or(0));
                }
                for (codes, out) in codes.iter().zip(out) {
                    *out = out.map(|sum| sum - codes.sum);
                }
            }
            None
        })
        .min();
    bad.map_or(Ok(()), Err)
}
