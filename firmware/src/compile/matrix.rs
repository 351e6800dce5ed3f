//! One ternary matrix: read, ternarise, bound, pack.

use sterna_model::checkpoint::Checkpoint;
use sterna_model::layout;
use sterna_model::numerics::formats::{PREACTIVATION_BITS, PREACTIVATION_FRAC_MAX};
use sterna_model::ternary::ternarise;

use super::Meter;
use crate::bounds;
use crate::error::Result;
use crate::isa::{Instruction, Opcode};
use crate::model::MatrixReport;
use crate::trits;

/// What remains of an instruction's payload once it is written.
pub struct Compiled {
    /// CRC-32C of the payload.
    pub payload_crc: u32,
    /// Bound of |output| by row; empty for `START`.
    pub bounds: Vec<f64>,
    /// Bound of what a unit of the accumulator is worth.
    pub scale: f64,
    /// The matrix; `None` for `START`.
    pub report: Option<MatrixReport>,
}

impl Compiled {
    /// Bound of |output| over all rows.
    pub fn bound(&self) -> f64 {
        self.bounds.iter().fold(0.0, |m, b| m.max(*b))
    }

    /// Fraction bits of a pre-activation with this bound.
    pub fn preactivation_frac(&self) -> Option<i32> {
        let (bits, limit) = (PREACTIVATION_BITS, PREACTIVATION_FRAC_MAX);
        bounds::fraction_bits(self.bound(), self.scale, bits, limit)
    }
}

/// Names of an instruction's matrix and of its BitLinear norm in the checkpoint.
pub fn tensors(instruction: &Instruction) -> Option<(String, String)> {
    let tail = match instruction.opcode {
        Opcode::Start => return None,
        Opcode::Head => return Some((layout::HEAD.into(), layout::HEAD_NORM.into())),
        Opcode::MixI => "attn.i_proj",
        Opcode::MixF => "attn.f_proj",
        Opcode::MixG => "attn.g_proj",
        Opcode::MixO => "attn.o_proj",
        Opcode::Glu => "mlp.gate_proj",
        Opcode::Down => "mlp.down_proj",
    };
    let name = layout::layer(instruction.layer, tail);
    Some((format!("{name}.weight"), format!("{name}.norm.weight")))
}

/// Appends an instruction's packed weights to `payload`.
pub fn compile(
    checkpoint: &Checkpoint,
    instruction: &Instruction,
    payload: &mut Vec<u8>,
    meter: &mut Meter<'_>,
) -> Result<Compiled> {
    let Some((name, norm)) = tensors(instruction) else {
        return Ok(Compiled { payload_crc: 0, bounds: Vec::new(), scale: 0.0, report: None });
    };
    let (rows, columns) = instruction.dimensions;
    let parts = instruction.opcode.parts();
    let gains = checkpoint.read(&norm)?;
    let weights = checkpoint.read(&name)?;
    let matrix = ternarise(&weights, rows * parts, columns);
    drop(weights);
    for part in matrix.trits.chunks(rows * columns) {
        trits::pack(part, columns, payload);
    }
    let bounds = bounds::rows(&matrix.trits, &gains, matrix.t);
    meter.advance(matrix.trits.len(), &name);
    let report = MatrixReport {
        name,
        rows: matrix.rows,
        columns,
        t: matrix.t,
        histogram: matrix.histogram,
        already_ternary: matrix.already_ternary,
    };
    let scale = bounds::scale(&gains, matrix.t);
    Ok(Compiled { payload_crc: 0, bounds, scale, report: Some(report) })
}
