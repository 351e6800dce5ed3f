//! An image as a listing: one line an instruction.

use std::fmt;

use serde::Serialize;
use sterna_model::numerics::Scale;

use crate::image::Image;
use crate::isa::header::Body;

/// The listing of an image.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// The image's id, in hexadecimal.
    pub image_id: String,
    /// Bytes of the image.
    pub bytes: usize,
    /// One line per segment.
    pub instructions: Vec<Line>,
}

/// One instruction.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Byte offset of the header in the image.
    pub offset: usize,
    /// Position in the pass.
    pub sequence: u32,
    /// Opcode.
    pub opcode: &'static str,
    /// Layer.
    pub layer: usize,
    /// Rows and columns of one matrix.
    pub dimensions: (usize, usize),
    /// Matrices in the payload.
    pub parts: usize,
    /// Operand vectors and their length.
    pub operands: (usize, usize),
    /// Bytes of the payload.
    pub payload_bytes: usize,
    /// CRC-32C of the payload.
    pub payload_crc: u32,
    /// Fraction bits of the output.
    pub frac: i8,
    /// Factor of Σx², constant under the root, scale: exact values.
    pub norm: [f64; 3],
}

impl Listing {
    /// Lists an image.
    pub fn new(image: &Image<'_>) -> Listing {
        let instructions = image
            .segments()
            .iter()
            .map(|segment| {
                let instruction = &segment.instruction;
                let (frac, norm) = match &segment.header.body {
                    Body::Start(start) => (start.residual_frac, [Scale::ZERO; 3]),
                    Body::Matrix(m) => (m.frac, [m.norm.outer, m.norm.floor, m.norm.rescale]),
                };
                Line {
                    offset: instruction.offset,
                    sequence: segment.header.sequence,
                    opcode: instruction.opcode.name(),
                    layer: instruction.layer,
                    dimensions: instruction.dimensions,
                    parts: instruction.opcode.parts(),
                    operands: instruction.operands,
                    payload_bytes: instruction.payload_bytes(),
                    payload_crc: segment.header.payload_crc,
                    frac,
                    norm: norm.map(Scale::to_f64),
                }
            })
            .collect();
        let start = image.start();
        Listing { image_id: format!("{:016x}", start.id), bytes: image.bytes().len(), instructions }
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "; image {}, {} bytes", self.image_id, self.bytes)?;
        writeln!(
            f,
            "; {:>8}  {:>4} {:<6} {:>5}  {:<14} {:<9} {:>10}  {:<10} {:>4}  norm: outer, floor, scale",
            "offset", "seq", "opcode", "layer", "rows x cols", "operands", "payload", "crc", "frac"
        )?;
        for line in &self.instructions {
            let (rows, columns) = line.dimensions;
            let matrix = match line.parts {
                0 => String::new(),
                1 => format!("{rows} x {columns}"),
                parts => format!("{parts} x {rows} x {columns}"),
            };
            let operands = match line.operands {
                (0, _) => String::new(),
                (count, length) => format!("{count} x {length}"),
            };
            let [outer, floor, scale] = line.norm;
            writeln!(
                f,
                "{:#010x}  {:>4} {:<6} {:>5}  {matrix:<14} {operands:<9} {:>10}  {:08x}   {:>4}  \
                 {outer:.3e} {floor:.3e} {scale:.3e}",
                line.offset,
                line.sequence,
                line.opcode,
                line.layer,
                line.payload_bytes,
                line.payload_crc,
                line.frac,
            )?;
        }
        Ok(())
    }
}
