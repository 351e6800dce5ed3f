//! Checkpoint to `.sterna`, a tensor at a time.
//!
//! Sizes follow from the shape alone, so each matrix is ternarised, packed and written to its
//! final place as it is read; what depends on the whole model (the residual's unit, hence the
//! headers and the embedding rows) is written last.

mod constants;
mod gains;
mod host;
mod matrix;
mod table;

use std::path::Path;

use sha2::{Digest, Sha256};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::layout;
use sterna_model::lower_bounds::lower_bounds;
use sterna_model::numerics::formats::{LOWER_BOUND_FRAC, RESIDUAL_BITS, RESIDUAL_FRAC_MAX};

use crate::bounds;
use crate::error::{FirmwareError, Result};
use crate::file::{SectionKind, Writer};
use crate::isa::header::Body;
use crate::isa::{Header, Instruction, Matrix, Opcode, Start, UNIT, instructions};
use crate::model::Description;
use crate::shape::Shape;
use constants::{LayerUnits, Units};
use gains::Gains;
use matrix::Compiled;
pub use matrix::tensors;

/// How far a compilation has come, in elements of tensors.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// Elements done.
    pub done: u64,
    /// Elements of all tensors that take time: matrices once, embeddings twice.
    pub total: u64,
    /// What is being done.
    pub what: &'a str,
}

/// Compiles a checkpoint to a `.sterna` file.
///
/// Peak memory: the largest matrix as `f32`, as trits and packed, plus some tens of MB. The
/// file appears under its name when it is whole; on an error nothing is left behind.
pub fn compile(
    checkpoint: &Checkpoint,
    path: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Description> {
    let shape = Shape::of(checkpoint.config());
    Compiler {
        checkpoint,
        walk: instructions(&shape),
        shape,
        gains: Gains::read(checkpoint, checkpoint.config())?,
        lower_bounds: lower_bound_codes(checkpoint)?,
        writer: Writer::create(path)?,
        meter: Meter::new(&shape, progress),
        digest: Sha256::new(),
    }
    .run()
}

struct Compiler<'a> {
    checkpoint: &'a Checkpoint,
    shape: Shape,
    walk: Vec<Instruction>,
    gains: Gains,
    /// By layer, in units of 2⁻¹⁶.
    lower_bounds: Vec<Vec<u16>>,
    writer: Writer,
    meter: Meter<'a>,
    /// Of payloads, rows and headers, in this order: becomes the image's id.
    digest: Sha256,
}

impl Compiler<'_> {
    fn run(mut self) -> Result<Description> {
        let image_bytes = self.walk.last().expect("a pass ends with the head").end();
        if let Some(tokenizer) = self.checkpoint.tokenizer_json() {
            self.writer.section(SectionKind::Tokenizer, tokenizer)?;
        }
        let image = self.writer.reserve(SectionKind::Image, image_bytes as u64);
        let mut residual = table::channel_maxima(self.checkpoint, &mut self.meter)?;
        let mut compiled = Vec::with_capacity(self.walk.len());
        for instruction in self.walk.clone() {
            let done = self.payload(&instruction, image)?;
            if matches!(instruction.opcode, Opcode::MixO | Opcode::Down) {
                residual.iter_mut().zip(&done.bounds).for_each(|(sum, bound)| *sum += bound);
            }
            compiled.push(done);
        }
        let units = self.units(&compiled, &residual)?;
        table::write(&mut self, units.residual)?;
        let id = self.headers(&units, &compiled, image)?;
        host::write(self.checkpoint, &compiled, &mut self.writer)?;
        let reports = compiled.into_iter().filter_map(|c| c.report).collect();
        let description = Description::new(self.checkpoint, units.residual, id, reports)?;
        let json = serde_json::to_vec_pretty(&description).expect("a description is plain data");
        self.writer.section(SectionKind::Model, &json)?;
        self.writer.finish()?;
        Ok(description)
    }

    /// Writes operands and weights of one instruction.
    fn payload(&mut self, instruction: &Instruction, image: usize) -> Result<Compiled> {
        let mut payload = Vec::with_capacity(instruction.payload_bytes());
        for vector in self.operands(instruction) {
            payload.extend(vector);
            payload.resize(payload.len().next_multiple_of(UNIT), 0);
        }
        let mut compiled =
            matrix::compile(self.checkpoint, instruction, &mut payload, &mut self.meter)?;
        assert_eq!(payload.len(), instruction.payload_bytes(), "{}", instruction.opcode.name());
        compiled.payload_crc = crc32c::crc32c(&payload);
        self.digest.update(&payload);
        self.writer.write(image, instruction.payload_offset() as u64, &payload)?;
        Ok(compiled)
    }

    /// The operand vectors of an instruction, as bytes.
    fn operands(&self, instruction: &Instruction) -> Vec<Vec<u8>> {
        let bytes = |mants: &[i16]| mants.iter().flat_map(|m| m.to_le_bytes()).collect();
        let pair = |pair: &gains::Pair| -> Vec<Vec<u8>> {
            let products = pair.products.iter().map(|gain| bytes(&gain.mants));
            std::iter::once(bytes(&pair.outer.mants)).chain(products).collect()
        };
        let layer = instruction.layer;
        match instruction.opcode {
            // The statistics of layer 0 come with the embedding row: no need of w₁.
            Opcode::Start => pair(&self.gains.layers[0].mix).split_off(1),
            Opcode::MixI | Opcode::Head => Vec::new(),
            Opcode::MixF => {
                vec![self.lower_bounds[layer].iter().flat_map(|b| b.to_le_bytes()).collect()]
            }
            Opcode::MixG => {
                let gains = &self.gains.layers[layer];
                vec![bytes(&gains.w_g.mants), bytes(&gains.w_o.mants)]
            }
            Opcode::MixO => pair(&self.gains.layers[layer].mlp),
            Opcode::Glu => vec![bytes(&self.gains.layers[layer].w_d.mants)],
            Opcode::Down => pair(self.gains.after_down(layer)),
        }
    }

    /// Units from the bounds of everything.
    fn units(&self, compiled: &[Compiled], residual: &[f64]) -> Result<Units> {
        let bound = residual.iter().fold(0.0, |m: f64, b| m.max(*b));
        let refuse = |tensor: &str, bound: f64| FirmwareError::Unrepresentable {
            tensor: tensor.into(),
            reason: format!(
                "values up to {bound:.3e} do not fit the core's formats (docs/numerics.md); \
                 check the checkpoint's scales"
            ),
        };
        let added =
            self.walk.iter().zip(compiled).filter(|(instruction, _)| {
                matches!(instruction.opcode, Opcode::MixO | Opcode::Down)
            });
        let scale = added.fold(0.0, |m: f64, (_, compiled)| m.max(compiled.scale));
        let residual = bounds::fraction_bits(bound, scale, RESIDUAL_BITS, RESIDUAL_FRAC_MAX)
            .ok_or_else(|| refuse("residual stream", bound))?;
        let mut layers = vec![LayerUnits::default(); self.shape.layers];
        for (instruction, compiled) in self.walk.iter().zip(compiled) {
            let unit = match instruction.opcode {
                Opcode::MixI => &mut layers[instruction.layer].state,
                Opcode::MixG => &mut layers[instruction.layer].g,
                Opcode::Glu => &mut layers[instruction.layer].glu,
                _ => continue,
            };
            *unit = compiled.preactivation_frac().ok_or_else(|| {
                let report = compiled.report.as_ref().expect("a matrix");
                refuse(&report.name, compiled.bound())
            })?;
        }
        Ok(Units { residual, layers })
    }

    /// Writes every header, `START` last because it names all others; returns the image's id.
    fn headers(&mut self, units: &Units, compiled: &[Compiled], image: usize) -> Result<u64> {
        let eps = f64::from(self.checkpoint.config().rms_norm_eps);
        let header = |instruction: &Instruction, body: Body| Header {
            sequence: instruction.sequence as u32,
            payload_units: (instruction.payload_bytes() / UNIT) as u32,
            payload_crc: compiled[instruction.sequence].payload_crc,
            operand_units: (instruction.operands_bytes() / UNIT) as u16,
            body,
        };
        let (start, matrices) = self.walk.split_first().expect("a pass begins with START");
        for instruction in matrices {
            let report = compiled[instruction.sequence].report.as_ref().expect("a matrix");
            let norm =
                units.constants(instruction, &self.gains, eps, report.t).ok_or_else(|| {
                    FirmwareError::Unrepresentable {
                        tensor: report.name.clone(),
                        reason: "its scale is outside 2^-105 .. 2^151; check the checkpoint".into(),
                    }
                })?;
            let (frac, state_frac) = units.output(instruction);
            let body = Body::Matrix(Matrix {
                opcode: instruction.opcode,
                layer: instruction.layer as u16,
                rows: instruction.dimensions.0 as u32,
                columns: instruction.dimensions.1 as u16,
                group_start: 0,
                group_step: 1,
                frac: frac as i8,
                state_frac: state_frac as i8,
                norm,
            });
            let bytes = header(instruction, body).encode();
            self.digest.update(bytes);
            self.writer.write(image, instruction.offset as u64, &bytes)?;
        }
        let digest = self.digest.finalize_reset();
        let id = u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
        let body = Body::Start(Start {
            shape: self.shape,
            channel: 0,
            channels: 1,
            residual_frac: units.residual as i8,
            segments: self.walk.len() as u32,
            image_units: (self.walk[self.walk.len() - 1].end() / UNIT) as u32,
            id,
            row_stride: self.shape.row_stride() as u32,
        });
        self.writer.write(image, start.offset as u64, &header(start, body).encode())?;
        Ok(id)
    }
}

/// Lower bounds of every layer in units of 2⁻¹⁶; zero where the model has none.
fn lower_bound_codes(checkpoint: &Checkpoint) -> Result<Vec<Vec<u16>>> {
    let config = checkpoint.config();
    if !config.lower_bounds {
        return Ok(vec![vec![0; config.inner]; config.layers]);
    }
    let logits = checkpoint.read(layout::LOWER_BOUNDS)?;
    let one = f32::from(1u16 << (LOWER_BOUND_FRAC - 1)) * 2.0;
    let code = |bound: &f32| (bound * one).round_ties_even().min(one - 1.0) as u16;
    Ok(lower_bounds(&logits, config.layers, config.hidden)
        .chunks(config.hidden)
        .map(|layer| layer.iter().map(code).collect())
        .collect())
}

/// Counts elements done for [`Progress`].
struct Meter<'a> {
    done: u64,
    total: u64,
    report: &'a mut dyn FnMut(Progress<'_>),
}

impl<'a> Meter<'a> {
    fn new(shape: &Shape, report: &'a mut dyn FnMut(Progress<'_>)) -> Meter<'a> {
        // The embedding table is read twice: for its maxima and for its rows.
        let total = shape.weights() + 2 * (shape.vocab * shape.hidden) as u64;
        Meter { done: 0, total, report }
    }

    fn advance(&mut self, elements: usize, what: &str) {
        self.done += elements as u64;
        (self.report)(Progress { done: self.done, total: self.total, what });
    }
}
