//! What is in a `.sterna` file, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::isa::Opcode;
use crate::model::{MatrixReport, Model};
use crate::shape::Shape;

/// The report of `sterna inspect`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Bytes of the checkpoint's tensors as they were stored.
    pub checkpoint_bytes: u64,
    /// The image's id.
    pub image_id: String,
    /// Dimensions.
    pub shape: Shape,
    /// Fraction bits of the residual.
    pub residual_frac: i32,
    /// Ternary weights of a pass.
    pub weights: u64,
    /// Bytes of the image: what a token reads.
    pub image_bytes: u64,
    /// Bits of image per ternary weight, everything included.
    pub bits_per_weight: f64,
    /// Instructions by opcode: count and bytes with headers.
    pub instructions: Vec<OpcodeSum>,
    /// Sections with their checksums, all verified.
    pub sections: Vec<SectionReport>,
    /// Every ternary matrix.
    pub matrices: Vec<MatrixReport>,
    /// Bandwidth assumed for the bound, in GB/s.
    pub bandwidth: f64,
    /// Upper bound in tokens/s at that bandwidth: the image read once per token. *Projected.*
    pub bound_tokens_per_second: f64,
}

/// One opcode's share.
#[derive(Debug, Serialize)]
pub struct OpcodeSum {
    /// Assembler name.
    pub opcode: &'static str,
    /// How many.
    pub count: usize,
    /// Bytes of headers and payloads.
    pub bytes: u64,
}

/// One section.
#[derive(Debug, Serialize)]
pub struct SectionReport {
    /// What it holds.
    pub kind: String,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes used.
    pub bytes: u64,
    /// CRC-32C, verified.
    pub crc: u32,
}

impl Report {
    /// Reports on an opened (hence verified) model; `bandwidth` is in GB/s.
    pub fn new(model: &Model, bandwidth: f64) -> Report {
        let description = model.description();
        let image = model.image();
        let image_bytes = image.bytes().len() as u64;
        let weights = description.shape.weights();
        let instructions = Opcode::ALL
            .into_iter()
            .map(|opcode| {
                let of = image.segments().iter().map(|s| &s.instruction);
                let of: Vec<_> = of.filter(|i| i.opcode == opcode).collect();
                let bytes = of.iter().map(|i| (i.end() - i.offset) as u64).sum();
                OpcodeSum { opcode: opcode.name(), count: of.len(), bytes }
            })
            .collect();
        let sections = model
            .container()
            .sections()
            .iter()
            .map(|section| SectionReport {
                kind: section.kind.to_string(),
                offset: section.offset,
                bytes: section.length,
                crc: section.crc,
            })
            .collect();
        Report {
            file: model.path().display().to_string(),
            bytes: model.container().length(),
            checkpoint_bytes: description.checkpoint_bytes,
            image_id: description.image_id.clone(),
            shape: description.shape,
            residual_frac: description.residual_frac,
            weights,
            image_bytes,
            bits_per_weight: image_bytes as f64 * 8.0 / weights as f64,
            instructions,
            sections,
            matrices: description.matrices.clone(),
            bandwidth,
            bound_tokens_per_second: bandwidth * 1e9 / image_bytes as f64,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = &self.shape;
        writeln!(f, "{}", self.file)?;
        writeln!(
            f,
            "  hidden {}, inner {}, intermediate {}, layers {}, vocab {}; residual in 2^-{}",
            s.hidden, s.inner, s.intermediate, s.layers, s.vocab, self.residual_frac
        )?;
        writeln!(
            f,
            "  {} bytes; the checkpoint's tensors took {} ({:.2} x)",
            self.bytes,
            self.checkpoint_bytes,
            self.checkpoint_bytes as f64 / self.bytes as f64
        )?;
        writeln!(
            f,
            "  image {}: {} bytes for {} ternary weights, {:.3} bits each with everything",
            self.image_id, self.image_bytes, self.weights, self.bits_per_weight
        )?;
        writeln!(
            f,
            "  projected upper bound at {} GB/s: {:.1} tokens/s (image read once per token)",
            self.bandwidth, self.bound_tokens_per_second
        )?;
        writeln!(f, "\nsections (checksums hold)")?;
        for section in &self.sections {
            writeln!(
                f,
                "  {:<10} {:>12} bytes at {:>12}  crc {:08x}",
                section.kind, section.bytes, section.offset, section.crc
            )?;
        }
        writeln!(f, "\ninstructions")?;
        for sum in &self.instructions {
            writeln!(f, "  {:<6} {:>4} {:>14} bytes", sum.opcode, sum.count, sum.bytes)?;
        }
        writeln!(
            f,
            "\n{:<42} {:>13} {:>7} {:>7} {:>7}  {:>9}  bytes/bf16",
            "matrices", "rows x cols", "-1", "0", "+1", "1/t"
        )?;
        for matrix in &self.matrices {
            let total = (matrix.rows * matrix.columns) as f64;
            let share = |n: usize| matrix.histogram[n] as f64 * 100.0 / total;
            let packed = crate::shape::packed_bytes(matrix.rows, matrix.columns) as f64;
            writeln!(
                f,
                "{:<42} {:>13} {:>6.2}% {:>6.2}% {:>6.2}%  {:>9.3e}  {:.4}{}",
                matrix.name,
                format!("{} x {}", matrix.rows, matrix.columns),
                share(0),
                share(1),
                share(2),
                1.0 / matrix.t,
                packed / (2.0 * total),
                if matrix.already_ternary { "  already ternary in the checkpoint" } else { "" },
            )?;
        }
        Ok(())
    }
}
