//! Ternary dot products on the host: exact integers, so every kernel gives the same bits.
//!
//! Weights stay packed in memory. A row group (one byte a column, five rows) becomes digits
//! (trit + 1) in registers, which are multiplied by the codes of every sequence of the batch;
//! Σcode is subtracted at the end. All `unsafe` of the crate's arithmetic is in this module.

#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod elementwise;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod tables;
pub mod team;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::prelude::*;
use sterna_model::numerics::Reciprocal;

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

    /// Σ digit·code of row groups for every sequence's codes. `false` if a byte is not canonical;
    /// `out` is meaningless then.
    ///
    /// All codes have one length, a multiple of 64, and a group has as many bytes.
    fn sums(self, weights: &[u8], codes: &[&[i8]], out: &mut Sums<'_>) -> bool {
        match self {
            Kernel::Portable => by_group(weights, codes, out, portable::group),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => by_group(weights, codes, out, x86::avx2),
            #[cfg(target_arch = "x86_64")]
            Kernel::AvxVnni => by_group(weights, codes, out, x86::avx_vnni),
            #[cfg(target_arch = "x86_64")]
            Kernel::Vnni => by_group(weights, codes, out, x86::vnni),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::sums(weights, codes, out),
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => by_group(weights, codes, out, neon::group),
        }
    }

    /// Accumulators Σ trit·code of row groups: `out` is `[sequence][row]`, five rows a group.
    ///
    /// # Errors
    /// The offset of the first byte that is not canonical; `out` is meaningless then.
    pub fn rows(self, weights: &[u8], codes: &[&Codes], out: &mut [i32]) -> Result<(), usize> {
        let columns = codes.first().map_or(0, |codes| codes.codes.len());
        if columns == 0 {
            return Ok(());
        }
        let slices: Vec<&[i8]> = codes.iter().map(|codes| codes.as_slice()).collect();
        let stride = out.len() / codes.len();
        if !self.sums(weights, &slices, &mut Sums { out, stride }) {
            let bad = weights.iter().position(|&byte| crate::trits::decode(byte).is_none());
            return Err(bad.unwrap_or(0));
        }
        for (rows, codes) in out.chunks_exact_mut(stride).zip(codes) {
            rows.iter_mut().for_each(|row| *row -= codes.sum);
        }
        Ok(())
    }
}

/// Where a kernel puts its sums: `[sequence][row]`.
struct Sums<'a> {
    out: &'a mut [i32],
    /// Rows of a sequence.
    stride: usize,
}

impl Sums<'_> {
    /// Five rows of a sequence.
    #[inline(always)]
    fn rows(&mut self, group: usize, sequence: usize) -> &mut [i32] {
        &mut self.out[sequence * self.stride + group * ROWS..][..ROWS]
    }
}

/// Row groups one after the other, by a kernel that does one.
fn by_group(
    weights: &[u8],
    codes: &[&[i8]],
    out: &mut Sums<'_>,
    kernel: impl Fn(&[u8], &[&[i8]], &mut [[i32; ROWS]]) -> bool,
) -> bool {
    let columns = codes.first().map_or(1, |codes| codes.len());
    let mut sums = vec![[0; ROWS]; codes.len()];
    let mut canonical = true;
    for (n, group) in weights.chunks_exact(columns).enumerate() {
        canonical &= kernel(group, codes, &mut sums);
        for (sequence, sums) in sums.iter().enumerate() {
            out.rows(n, sequence).copy_from_slice(sums);
        }
    }
    canonical
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

    /// Replaces the codes by those of a vector with its gains.
    pub fn quantise(
        &mut self,
        kernel: Kernel,
        values: &[i32],
        gains: &[i16],
        reciprocal: Reciprocal,
    ) {
        self.codes.resize(padded_columns(values.len()), 0);
        let (codes, padding) = self.codes.split_at_mut(values.len());
        self.sum = kernel.quantise(values, gains, reciprocal, codes);
        padding.fill(0);
    }

    /// The codes, padding included.
    pub fn as_slice(&self) -> &[i8] {
        &self.codes
    }
}

/// Row groups a task works on: long enough to be worth a task, short enough to share.
const GROUPS_PER_TASK: usize = 32;

/// Accumulators of a batch by every thread: `out` is `[sequence][row]`.
///
/// `weights` are `⌈rows/5⌉` row groups of the codes' padded length; `out` has five rows a group
/// for every code vector. Returns the byte offset of the first byte that is not canonical.
pub fn multiply(
    kernel: Kernel,
    weights: &[u8],
    codes: &[&Codes],
    out: &mut [i32],
) -> Result<(), usize> {
    let columns = codes.first().map_or(0, |c| c.codes.len());
    if columns == 0 {
        return Ok(());
    }
    let task = |(task, weights): (usize, &[u8])| {
        let mut rows = vec![0; weights.len() / columns * ROWS * codes.len()];
        let at = |byte| task * GROUPS_PER_TASK * columns + byte;
        kernel.rows(weights, codes, &mut rows).map_err(at).map(|()| rows)
    };
    let tasks = weights.par_chunks(columns * GROUPS_PER_TASK).enumerate();
    let results: Vec<Result<Vec<i32>, usize>> = tasks.map(task).collect();
    let stride = out.len() / codes.len();
    for (task, rows) in results.into_iter().enumerate() {
        let rows = rows?;
        let parts = rows.chunks_exact(rows.len() / codes.len());
        for (out, part) in out.chunks_exact_mut(stride).zip(parts) {
            out[task * GROUPS_PER_TASK * ROWS..][..part.len()].copy_from_slice(part);
        }
    }
    Ok(())
}
