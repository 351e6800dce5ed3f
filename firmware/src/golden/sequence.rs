//! The on-chip memories of one sequence, and what a matrix instruction does to them.

use sterna_model::numerics::{Reciprocal, Rescale, Scale, Statistics, Sums, gain};

use super::epilogue::{Column, Operands};
use super::{Observation, gathers};
use crate::image::Segment;
use crate::isa::{Matrix, Opcode};
use crate::kernel::Codes;
use crate::rows::Row;
use crate::shape::Shape;

/// State, vectors and statistics of one sequence.
pub struct Sequence {
    /// Recurrent state, `[layers, inner]`.
    pub(super) state: Vec<i32>,
    /// Residual stream, `[hidden]`.
    pub(super) residual: Vec<i32>,
    /// Pre-activation a, then the gated vector v: `[inner]`.
    pub(super) mix: Vec<i32>,
    /// The g projection, `[inner]`.
    pub(super) gate: Vec<i32>,
    /// The GLU's gate, then its product p: `[intermediate]`.
    pub(super) product: Vec<i32>,
    /// Statistics of whichever vector is quantised next.
    pub(super) statistics: Statistics,
    pub(super) saturations: u64,
    codes: Codes,
    scale: Scale,
    rescale: Rescale,
}

impl Sequence {
    pub fn new(shape: &Shape) -> Sequence {
        Sequence {
            state: vec![0; shape.state()],
            residual: vec![0; shape.hidden],
            mix: vec![0; shape.inner],
            gate: vec![0; shape.inner],
            product: vec![0; shape.intermediate],
            statistics: Statistics::default(),
            saturations: 0,
            codes: Codes::default(),
            scale: Scale::ZERO,
            rescale: Rescale::default(),
        }
    }

    /// Forgets the past.
    pub fn clear(&mut self) {
        self.state.fill(0);
    }

    pub fn state(&self) -> &[i32] {
        &self.state
    }

    pub fn set_state(&mut self, state: &[i32]) {
        self.state.copy_from_slice(state);
    }

    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    pub fn saturations(&self) -> u64 {
        self.saturations
    }

    /// Takes an embedding row as residual, and its statistics.
    pub fn enter(&mut self, row: &Row) {
        for (k, x) in self.residual.iter_mut().enumerate() {
            *x = row.residual(k);
        }
        self.statistics = row.statistics;
    }

    /// Scale of an instruction's accumulators.
    pub fn scale(&self, matrix: &Matrix) -> Scale {
        matrix.norm.scale(&self.statistics, matrix.opcode.consumer())
    }

    /// Steps 1 and 2 of a matrix instruction: scale, then codes of the source vector.
    pub fn quantise(&mut self, matrix: &Matrix, operands: &Operands<'_>) {
        self.scale = self.scale(matrix);
        self.rescale = Rescale::new(self.scale);
        // The head's accumulators are compared as they are.
        self.saturations += u64::from(self.rescale.clamped() && matrix.opcode != Opcode::Head);
        let source = match matrix.opcode {
            Opcode::MixO => &self.mix,
            Opcode::Down => &self.product,
            _ => &self.residual,
        };
        let gains = operands.gain(matrix.opcode);
        let reciprocal = Reciprocal::new(self.statistics.max[matrix.opcode.consumer()]);
        let code = |(&x, &mant): (&i32, &i16)| reciprocal.code(gain::apply(x, mant));
        self.codes.fill(source.iter().zip(gains).map(code));
    }

    /// Step 4: the epilogue.
    pub fn finish(
        &mut self,
        segment: &Segment,
        matrix: &Matrix,
        operands: &Operands<'_>,
        column: Column<'_>,
    ) {
        let rescale = self.rescale;
        let mut sums = Sums::default();
        let rows = segment.instruction.dimensions.0;
        match matrix.opcode {
            Opcode::MixI => self.input(rescale, column),
            Opcode::MixF => self.forget(matrix, rescale, operands, column),
            Opcode::MixG => self.output_gate(matrix, rescale, operands, column, &mut sums),
            Opcode::MixO | Opcode::Down => self.add(rescale, operands, column, &mut sums),
            Opcode::Glu => self.glu(matrix, rescale, operands, column, rows, &mut sums),
            Opcode::Start | Opcode::Head => {}
        }
        if gathers(matrix.opcode) {
            self.statistics = sums.finish();
        }
    }

    /// What the last instruction did.
    pub fn observation<'a>(&'a self, segment: &'a Segment, slot: usize) -> Observation<'a> {
        let opcode = segment.instruction.opcode;
        let inner = self.mix.len();
        let output = match opcode {
            Opcode::MixI | Opcode::MixG => &self.mix,
            Opcode::MixF => &self.state[segment.instruction.layer * inner..][..inner],
            Opcode::MixO | Opcode::Down => &self.residual[..],
            Opcode::Glu => &self.product,
            Opcode::Start | Opcode::Head => &[],
        };
        Observation {
            segment,
            slot,
            codes: self.codes.as_slice(),
            scale: self.scale,
            rescale: self.rescale,
            output,
            statistics: gathers(opcode).then_some(self.statistics),
        }
    }
}
