//! What one thread does of a matrix instruction: some rows, from packed weights to results.

use sterna_model::numerics::Rescale;

use super::operands::Operands;
use crate::image::{Image, Segment};
use crate::isa::{Matrix, Opcode};
use crate::kernel::elementwise::{Found, Scaled};
use crate::kernel::{Codes, Kernel};
use crate::trits::{ROWS, padded_columns};

/// Row groups whose accumulators are made before their epilogue: few enough to stay in the cache.
const BLOCK: usize = 32;

/// One of the instructions that are done together, and the codes that each entry brings.
pub struct Work<'a> {
    pub segment: &'a Segment,
    pub matrix: &'a Matrix,
    pub codes: Vec<&'a Codes>,
    pub rescales: Vec<Rescale>,
}

/// What every part of a job uses.
pub struct Job<'a> {
    pub kernel: Kernel,
    pub image: Image<'a>,
    pub operands: &'a Operands<'a>,
    pub works: &'a [Work<'a>],
    /// Of each entry, which of a part's states is its sequence's.
    pub owners: &'a [usize],
}

/// Rows of every entry's result.
pub struct Part<'a> {
    /// The first row; a multiple of five.
    pub first: usize,
    /// Of each entry, these rows of what the instructions produce.
    pub results: Vec<&'a mut [i32]>,
    /// Of each sequence, these rows of its layer's state; of `MIX_F` alone.
    pub states: Vec<&'a mut [i32]>,
}

/// Some byte of the weights is no trit block; which one is first, [`Image::bad_byte`] says.
pub struct BadByte;

impl Part<'_> {
    /// Does the instructions one after the other; returns what each entry's last one found.
    ///
    /// A row's results depend on nothing but its own weights and what the instruction before left
    /// in this row, so parts need not wait for each other.
    pub fn run(mut self, job: &Job<'_>) -> Result<Vec<Found>, BadByte> {
        let entries = self.results.len();
        let mut found = vec![Found::default(); entries];
        let rows = self.results.first().map_or(0, |rows| rows.len());
        let parts = job.works[0].segment.instruction.opcode.parts();
        let mut accumulators = vec![0; parts * entries * BLOCK * ROWS];
        for work in job.works {
            for at in (0..rows).step_by(BLOCK * ROWS) {
                let count = rows.min(at + BLOCK * ROWS) - at;
                let stride = count.next_multiple_of(ROWS);
                let size = entries * stride;
                for (part, out) in accumulators[..parts * size].chunks_exact_mut(size).enumerate() {
                    self.multiply(job, work, part, at, out)?;
                }
                for (n, found) in found.iter_mut().enumerate() {
                    let column = |part: usize| &accumulators[part * size + n * stride..][..count];
                    let columns = [column(0), column(parts - 1)];
                    *found += self.finish(job, work, n, at, columns);
                }
            }
        }
        Ok(found)
    }

    /// Accumulators `[entry][row]` of rows from `at`.
    fn multiply(
        &self,
        job: &Job<'_>,
        work: &Work<'_>,
        part: usize,
        at: usize,
        out: &mut [i32],
    ) -> Result<(), BadByte> {
        let instruction = &work.segment.instruction;
        let columns = padded_columns(instruction.dimensions.1);
        let start = (self.first + at) / ROWS * columns;
        let length = out.len() / self.results.len() / ROWS * columns;
        let weights = &job.image.weights(instruction, part)[start..start + length];
        job.kernel.rows(weights, &work.codes, out).map_err(|_| BadByte)
    }

    /// The epilogue of an entry's rows from `at`; of `GLU` the columns are gate and up.
    fn finish(
        &mut self,
        job: &Job<'_>,
        work: &Work<'_>,
        entry: usize,
        at: usize,
        [acc, up]: [&[i32]; 2],
    ) -> Found {
        let (kernel, operands, matrix) = (job.kernel, job.operands, work.matrix);
        let result = &mut self.results[entry][at..at + acc.len()];
        let rows = self.first + at..self.first + at + acc.len();
        let scaled = |frac: i8| Scaled { rescale: work.rescales[entry], frac: frac.into() };
        match matrix.opcode {
            Opcode::MixI => kernel.input(acc, scaled(matrix.frac), result),
            Opcode::MixF => {
                let state = &mut self.states[job.owners[entry]][at..at + acc.len()];
                let lower = &operands.lower_bounds[rows.clone()];
                kernel.forget(acc, scaled(matrix.state_frac), lower, result, state)
            }
            Opcode::MixG => {
                let (w_g, w_o) = (&operands.w_g[rows.clone()], &operands.w_o[rows.clone()]);
                kernel.output_gate(acc, scaled(matrix.state_frac), w_g, w_o, result)
            }
            Opcode::MixO | Opcode::Down => {
                let next = operands.next.map(|gains| gains.get(rows.clone()).unwrap_or(&[]));
                kernel.add(acc, scaled(matrix.frac), &operands.outer[rows.clone()], next, result)
            }
            Opcode::Glu => {
                kernel.glu(acc, up, scaled(matrix.frac), &operands.w_d[rows.clone()], result)
            }
            Opcode::Start | Opcode::Head => {
                result.copy_from_slice(acc);
                Found::default()
            }
        }
    }
}

/// What all parts found for each entry.
pub fn gathered(
    parts: Vec<Result<Vec<Found>, BadByte>>,
    entries: usize,
) -> Result<Vec<Found>, BadByte> {
    let mut found = vec![Found::default(); entries];
    for part in parts {
        found.iter_mut().zip(part?).for_each(|(found, part)| *found += part);
    }
    Ok(found)
}
