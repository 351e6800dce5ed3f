//! What the golden model did in a pass.

use sterna_firmware::Result;
use sterna_firmware::device::{Head, Step};
use sterna_firmware::golden::{Golden, Observation};
use sterna_firmware::isa::Opcode;
use sterna_model::numerics::{Rescale, Scale, Statistics};

/// One instruction, as golden executed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Number in the image.
    pub sequence: usize,
    /// What it does.
    pub opcode: Opcode,
    /// Layer.
    pub layer: usize,
    /// Codes that entered the matrix, padding included.
    pub codes: Vec<i8>,
    /// Scale of the accumulators.
    pub scale: Scale,
    /// The same as the multiplier has it.
    pub rescale: Rescale,
    /// a, state, v, residual, p or accumulators.
    pub output: Vec<i32>,
    /// Statistics of the output, where it has some.
    pub statistics: Option<Statistics>,
}

impl Expected {
    fn new(seen: &Observation<'_>) -> Expected {
        let instruction = &seen.segment.instruction;
        Expected {
            sequence: instruction.sequence,
            opcode: instruction.opcode,
            layer: instruction.layer,
            codes: seen.codes.to_vec(),
            scale: seen.scale,
            rescale: seen.rescale,
            output: seen.output.to_vec(),
            statistics: seen.statistics,
        }
    }

    /// How many of the maxima somebody uses.
    pub fn maxima(&self, layers: usize) -> usize {
        if self.opcode == Opcode::Down && self.layer + 1 < layers { 3 } else { 1 }
    }

    /// Name of the output.
    pub fn output_name(&self) -> &'static str {
        match self.opcode {
            Opcode::MixI => "a",
            Opcode::MixF => "state",
            Opcode::MixG => "v",
            Opcode::MixO | Opcode::Down => "residual",
            Opcode::Glu => "p",
            Opcode::Start | Opcode::Head => "accumulators",
        }
    }
}

/// One pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// Every instruction with a matrix, in the order of the pass.
    pub instructions: Vec<Expected>,
    /// Layers of the model.
    pub layers: usize,
}

impl Pass {
    /// Advances the golden model by a step and keeps what it did.
    ///
    /// # Errors
    /// As [`Golden::observe`].
    pub fn observe(golden: &mut Golden, step: Step) -> Result<(Pass, Head)> {
        let mut instructions = vec![];
        let mut heads =
            golden.observe(&[step], &mut |seen| instructions.push(Expected::new(&seen)))?;
        let layers = instructions.iter().filter(|i| i.opcode == Opcode::Down).count();
        Ok((Pass { instructions, layers }, heads.pop().unwrap_or_default()))
    }
}
