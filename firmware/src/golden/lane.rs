//! The vectors of one token on its way through a pass, and what a matrix instruction does to them.

use sterna_model::numerics::{Reciprocal, Rescale, Scale, Statistics, Sums, gain};

use super::epilogue::{Column, Operands};
use super::{Observation, gathers};
use crate::image::Segment;
use crate::isa::{Matrix, Opcode};
use crate::kernel::Codes;
use crate::rows::Row;
use crate::shape::Shape;

/// Vectors and statistics of one step of a pass: all that a token has on chip but the state.
pub struct Lane {
    /// The sequence whose state it advances.
    pub slot: usize,
    /// Residual stream, `[hidden]`.
    pub(super) residual: Vec<i32>,
    /// Pre-activation a, silu(a), the layer's new state, the gated vector v: `[inner]`.
    pub(super) mix: Vec<i32>,
    /// 1 − f, `[inner]`.
    pub(super) rate: Vec<u32>,
    /// The GLU's gate, then its product p: `[intermediate]`.
    pub(super) product: Vec<i32>,
    /// Statistics of whichever vector is quantised next.
    pub(super) statistics: Statistics,
    pub(super) saturations: u64,
    codes: Codes,
    scale: Scale,
    rescale: Rescale,
}

impl Lane {
    pub fn new(shape: &Shape) -> Lane {
        Lane {
            slot: 0,
            residual: vec![0; shape.hidden],
            mix: vec![0; shape.inner],
            rate: vec![0; shape.inner],
            product: vec![0; shape.intermediate],
            statistics: Statistics::default(),
            saturations: 0,
            codes: Codes::default(),
            scale: Scale::ZERO,
            rescale: Rescale::default(),
        }
    }

    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    pub fn saturations(&self) -> u64 {
        self.saturations
    }

    /// Takes an embedding row as residual, and its statistics, for a sequence.
    pub fn enter(&mut self, slot: usize, row: &Row) {
        self.slot = slot;
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
    pub fn observation<'a>(&'a self, segment: &'a Segment, step: usize) -> Observation<'a> {
        let opcode = segment.instruction.opcode;
        let output = match opcode {
            Opcode::MixI | Opcode::MixF | Opcode::MixG => &self.mix,
            Opcode::MixO | Opcode::Down => &self.residual[..],
            Opcode::Glu => &self.product,
            Opcode::Start | Opcode::Head => &[],
        };
        Observation {
            segment,
            step,
            slot: self.slot,
            codes: self.codes.as_slice(),
            scale: self.scale,
            rescale: self.rescale,
            output,
            statistics: gathers(opcode).then_some(self.statistics),
        }
    }
}
