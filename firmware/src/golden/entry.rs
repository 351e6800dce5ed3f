//! The vectors of one token on its way through a pass.

use sterna_model::numerics::{Reciprocal, Rescale, Scale, Statistics};

use super::operands::Operands;
use super::{Observation, gathers};
use crate::image::Segment;
use crate::isa::{Matrix, Opcode};
use crate::kernel::elementwise::Found;
use crate::kernel::{Codes, Kernel};
use crate::rows::Row;
use crate::shape::Shape;

/// Vectors and statistics of one step of a pass: all that a token has on chip but the state.
pub struct Entry {
    /// The sequence whose state it advances.
    pub slot: usize,
    /// Residual stream, `[hidden]`.
    residual: Vec<i32>,
    /// Pre-activation a, the layer's new state, the gated vector v: `[inner]`.
    mix: Vec<i32>,
    /// The GLU's product p: `[intermediate]`.
    product: Vec<i32>,
    /// The head's accumulators, `[vocab]`; empty until they are wanted.
    logits: Vec<i32>,
    /// Statistics of whichever vector is quantised next.
    statistics: Statistics,
    pub saturations: u64,
    /// What enters a matrix, by the consumer of its source.
    inputs: [Input; 3],
}

/// What enters a matrix.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub codes: Codes,
    pub scale: Scale,
    pub rescale: Rescale,
}

impl Entry {
    pub fn new(shape: &Shape) -> Entry {
        Entry {
            slot: 0,
            residual: vec![0; shape.hidden],
            mix: vec![0; shape.inner],
            product: vec![0; shape.intermediate],
            logits: vec![],
            statistics: Statistics::default(),
            saturations: 0,
            inputs: Default::default(),
        }
    }

    /// Takes an embedding row as residual, and its statistics, for a sequence.
    pub fn enter(&mut self, slot: usize, row: &Row) {
        self.slot = slot;
        for (k, x) in self.residual.iter_mut().enumerate() {
            *x = row.residual(k);
        }
        self.statistics = row.statistics;
    }

    /// Steps 1 and 2 of a matrix instruction: scale, then codes of the source vector.
    pub fn quantise(&mut self, kernel: Kernel, matrix: &Matrix, operands: &Operands<'_>) {
        let consumer = matrix.opcode.consumer();
        let input = &mut self.inputs[consumer];
        input.scale = matrix.norm.scale(&self.statistics, consumer);
        input.rescale = Rescale::new(input.scale);
        // The head's accumulators are compared as they are.
        let clamped = input.rescale.clamped() && matrix.opcode != Opcode::Head;
        self.saturations += u64::from(clamped);
        let source = match matrix.opcode {
            Opcode::MixO => &self.mix,
            Opcode::Down => &self.product,
            _ => &self.residual,
        };
        let reciprocal = Reciprocal::new(self.statistics.max[consumer]);
        input.codes.quantise(kernel, source, operands.gain(matrix.opcode), reciprocal);
    }

    /// What enters the matrices of a source, and the vector that they write.
    pub fn split(&mut self, opcode: Opcode, shape: &Shape) -> (&[Input; 3], &mut [i32]) {
        let result = match opcode {
            Opcode::MixI | Opcode::MixF | Opcode::MixG => &mut self.mix,
            Opcode::MixO | Opcode::Down => &mut self.residual,
            Opcode::Glu => &mut self.product,
            Opcode::Head | Opcode::Start => {
                self.logits.resize(shape.vocab, 0);
                &mut self.logits
            }
        };
        (&self.inputs, result)
    }

    /// Takes what an instruction's epilogue found out about its result.
    pub fn found(&mut self, opcode: Opcode, found: Found) {
        self.saturations += found.saturations;
        if gathers(opcode) {
            self.statistics = found.sums.finish();
        }
    }

    /// The head's accumulators, and what one unit of them is worth.
    pub fn logits(&self) -> (&[i32], f64) {
        (&self.logits, self.inputs[Opcode::Head.consumer()].scale.to_f64())
    }

    /// What the last instruction did.
    pub fn observation<'a>(&'a self, segment: &'a Segment, step: usize) -> Observation<'a> {
        let opcode = segment.instruction.opcode;
        let input = &self.inputs[opcode.consumer()];
        let output = match opcode {
            Opcode::MixI | Opcode::MixF | Opcode::MixG => &self.mix,
            Opcode::MixO | Opcode::Down => &self.residual,
            Opcode::Glu => &self.product,
            Opcode::Start | Opcode::Head => &self.logits,
        };
        Observation {
            segment,
            step,
            slot: self.slot,
            codes: input.codes.as_slice(),
            scale: input.scale,
            rescale: input.rescale,
            output,
            statistics: gathers(opcode).then_some(self.statistics),
        }
    }
}
