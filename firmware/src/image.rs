//! An image in memory, every header and payload checked.

use std::path::Path;

use rayon::prelude::*;
use sterna_model::numerics::formats::PREACTIVATION_FRAC_MAX;

use crate::error::{FirmwareError, Result};
use crate::isa::header::Body;
use crate::isa::{Header, Instruction, Matrix, Opcode, Start, UNIT, instructions};
use crate::trits;

/// A checked image: its bytes, and a header for every instruction of its pass.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    contents: &'a Contents,
}

/// The headers of an image, decoded and checked.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What the image requires.
    pub start: Start,
    /// Every segment, in the order of a pass.
    pub segments: Vec<Segment>,
}

/// One instruction and its header.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Where it is and how its payload is laid out.
    pub instruction: Instruction,
    /// What its header says.
    pub header: Header,
}

impl Segment {
    /// The matrix part of the header; `None` for `START`.
    pub fn matrix(&self) -> Option<&Matrix> {
        match &self.header.body {
            Body::Matrix(matrix) => Some(matrix),
            Body::Start(_) => None,
        }
    }
}

impl Contents {
    /// Checks an image; `path` stands in error messages.
    ///
    /// Verified: every header's checksum and fields against the layout that the shape in
    /// `START` demands, the sequence numbers, every payload's checksum, the length.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Contents> {
        let first = header(bytes, 0, 0, path)?;
        let Body::Start(start) = first.body else {
            return Err(segment(path, 0, Opcode::Start, 0, "an image begins with START".into()));
        };
        let fail = |reason: String| segment(path, 0, Opcode::Start, 0, reason);
        let shape = &start.shape;
        let columns = [shape.hidden, shape.inner, shape.intermediate];
        let most = sterna_model::numerics::formats::COLUMNS_MAX;
        if columns.iter().any(|&n| n > most || n % 32 != 0)
            || shape.layers > 512
            || shape.vocab > 1 << 20
        {
            return Err(fail(format!("{shape:?} is not a legal shape")));
        }
        if (start.channel, start.channels) != (0, 1) {
            return Err(fail(format!(
                "the image is for channel {} of {}; this program executes one channel",
                start.channel, start.channels
            )));
        }
        if start.row_stride as usize != shape.row_stride() {
            return Err(fail(format!(
                "row stride {} instead of {}",
                start.row_stride,
                shape.row_stride()
            )));
        }
        let walk = instructions(shape);
        let length = walk[walk.len() - 1].end();
        if start.segments as usize != walk.len()
            || start.image_units as usize != length / UNIT
            || bytes.len() != length
        {
            return Err(fail(format!(
                "{} segments in {} units in {} bytes; the shape demands {} in {}",
                start.segments,
                start.image_units,
                bytes.len(),
                walk.len(),
                length / UNIT
            )));
        }
        let segments = walk
            .into_par_iter()
            .map(|instruction| check(bytes, instruction, path))
            .collect::<Result<Vec<Segment>>>()?;
        Ok(Contents { start, segments })
    }
}

impl<'a> Image<'a> {
    /// Puts bytes and the contents parsed of them together.
    pub fn new(bytes: &'a [u8], contents: &'a Contents) -> Image<'a> {
        Image { bytes, contents }
    }

    /// What the image requires.
    pub fn start(&self) -> &'a Start {
        &self.contents.start
    }

    /// Every segment, in the order of a pass.
    pub fn segments(&self) -> &'a [Segment] {
        &self.contents.segments
    }

    /// Bytes of the whole image: what a pass reads.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Operand vector `n` of an instruction, as signed 16-bit values.
    pub fn operand(&self, instruction: &Instruction, n: usize) -> impl Iterator<Item = i16> + 'a {
        let start = instruction.payload_offset() + n * instruction.operand_bytes();
        let bytes = &self.bytes[start..start + instruction.operands.1 * 2];
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
    }

    /// Packed weights of an instruction's matrix number `part`.
    pub fn weights(&self, instruction: &Instruction, part: usize) -> &'a [u8] {
        let start = instruction.weights_offset() + part * instruction.part_bytes();
        &self.bytes[start..start + instruction.part_bytes()]
    }

    /// Offset in the image of the first byte of an instruction's weights that is no trit block.
    pub fn bad_byte(&self, instruction: &Instruction) -> Option<usize> {
        (instruction.weights_offset()..instruction.end())
            .find(|&at| trits::decode(self.bytes[at]).is_none())
    }
}

fn check(bytes: &[u8], instruction: Instruction, path: &Path) -> Result<Segment> {
    let Instruction { sequence, opcode, offset, .. } = instruction;
    let header = header(bytes, offset, sequence, path)?;
    let fail = |reason: String| Err(segment(path, sequence, opcode, offset, reason));
    if header.sequence as usize != sequence {
        return fail(format!("its sequence number is {}", header.sequence));
    }
    if header.opcode() != opcode {
        return fail(format!("its opcode is {}", header.opcode().name()));
    }
    if let Body::Matrix(matrix) = &header.body {
        let dimensions = (matrix.rows as usize, usize::from(matrix.columns));
        if dimensions != instruction.dimensions || usize::from(matrix.layer) != instruction.layer {
            return fail(format!("layer {}, {dimensions:?}, do not fit", matrix.layer));
        }
        if (matrix.group_start, matrix.group_step) != (0, 1) {
            return fail("row groups of several channels".into());
        }
        let most = PREACTIVATION_FRAC_MAX as i8;
        let used = match opcode {
            Opcode::MixI | Opcode::MixG => vec![matrix.frac, matrix.state_frac],
            Opcode::MixF => vec![matrix.state_frac],
            Opcode::Glu => vec![matrix.frac],
            _ => vec![],
        };
        if let Some(frac) = used.into_iter().find(|frac| !(0..=most).contains(frac)) {
            return fail(format!("{frac} fraction bits; a sigmoid's argument has 0 to {most}"));
        }
    }
    let lengths = (header.payload_units as usize * UNIT, usize::from(header.operand_units) * UNIT);
    if lengths != (instruction.payload_bytes(), instruction.operands_bytes()) {
        return fail(format!("payload and operand lengths {lengths:?} do not fit"));
    }
    let payload = &bytes[instruction.payload_offset()..instruction.end()];
    let computed = crc32c::crc32c(payload);
    if computed != header.payload_crc {
        return fail(format!(
            "payload CRC-32C is {computed:#010x}, the header says {:#010x}",
            header.payload_crc
        ));
    }
    Ok(Segment { instruction, header })
}

fn header(bytes: &[u8], offset: usize, segment: usize, path: &Path) -> Result<Header> {
    let Some(header) = bytes.get(offset..offset + UNIT).and_then(|b| b.try_into().ok()) else {
        return Err(self::segment(path, segment, Opcode::Start, offset, "the image ends".into()));
    };
    Header::decode(header).map_err(|source| FirmwareError::Header {
        path: path.into(),
        segment,
        offset,
        source,
    })
}

fn segment(
    path: &Path,
    segment: usize,
    opcode: Opcode,
    offset: usize,
    reason: String,
) -> FirmwareError {
    FirmwareError::Segment { path: path.into(), segment, opcode, offset, reason }
}
