//! What a core finds wrong with an image on its way through it.

use sterna_firmware::isa::header::Body;
use sterna_firmware::isa::{Header, HeaderError, Instruction, Opcode, Start, UNIT, instructions};

use super::Fault;
use crate::memory::store::Store;

/// A fault, and the segment that it is at.
pub(super) type Stop = (Fault, u32);

/// Bytes of the memory.
pub(super) fn bytes(memory: &Store, at: u64, length: usize) -> Result<Vec<u8>, Fault> {
    if !memory.holds(at, length as u64) {
        return Err(Fault::ReadResponse);
    }
    let mut bytes = vec![0; length];
    memory.read(at, &mut bytes);
    Ok(bytes)
}

/// What `START` says, in the first unit of an image.
pub(super) fn start(unit: &[u8]) -> Result<Start, Stop> {
    let stop = |fault| (fault, 0);
    let header = header(unit).map_err(stop)?;
    match header.body {
        Body::Start(start) => Ok(start),
        Body::Matrix(_) => Err(stop(Fault::Opcode)),
    }
}

/// Checks every header and payload as they come, as far as the image goes.
pub(super) fn check(image: &[u8], start: &Start) -> Result<(), Stop> {
    let there = |instruction: &Instruction| instruction.end() <= image.len();
    for instruction in instructions(&start.shape).into_iter().take_while(there) {
        let stop = |fault| (fault, instruction.sequence as u32);
        let found = header(&image[instruction.offset..instruction.offset + UNIT]).map_err(stop)?;
        let lengths =
            (found.payload_units as usize * UNIT, usize::from(found.operand_units) * UNIT);
        let expected = (instruction.payload_bytes(), instruction.operands_bytes());
        if found.opcode() != instruction.opcode {
            return Err(stop(Fault::Opcode));
        }
        if found.sequence as usize != instruction.sequence || lengths != expected {
            return Err(stop(Fault::Field));
        }
        if let Body::Matrix(matrix) = &found.body
            && (matrix.rows as usize, usize::from(matrix.columns)) != instruction.dimensions
        {
            return Err(stop(Fault::Field));
        }
        let payload = &image[instruction.payload_offset()..instruction.end()];
        if crc32c::crc32c(payload) != found.payload_crc {
            return Err(stop(Fault::PayloadCrc));
        }
    }
    Ok(())
}

/// Units before the head, and of the whole image.
pub(super) fn units(start: &Start) -> [u64; 2] {
    let walk = instructions(&start.shape);
    let head = walk.iter().find(|instruction| instruction.opcode == Opcode::Head);
    let whole = walk.last().map_or(0, |instruction| instruction.end());
    [head.map_or(0, |head| head.offset), whole].map(|bytes| (bytes / UNIT) as u64)
}

fn header(bytes: &[u8]) -> Result<Header, Fault> {
    Header::decode(bytes.try_into().expect("a unit")).map_err(|error| match error {
        HeaderError::Crc { .. } => Fault::HeaderCrc,
        HeaderError::Opcode(_) => Fault::Opcode,
        HeaderError::Version(_) => Fault::Version,
        HeaderError::Field(_) => Fault::Field,
    })
}
