//! An image that streams through a ring of the memory.

use sterna_firmware::isa::header::{Body, Matrix};
use sterna_firmware::isa::{Header, Opcode, Start, UNIT, instructions};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::ADDRESS;
use sterna_hdl::registers as regs;
use sterna_model::numerics::{NormConstants, Scale};

use super::SoftCore;
use super::walk::{Stop, bytes};

/// Bytes that are taken at a time, so that the host sees that the core takes its time.
const SIP: u64 = 64 << 10;
const PAGE_BITS: u32 = 12;

impl SoftCore {
    /// Takes some of what the host has written of the image; whether the pass can be done.
    pub(super) fn gather(&mut self) -> bool {
        let stays = u64::from(self.get(&regs::IMAGE_RING)) << PAGE_BITS;
        if stays == 0 {
            return true;
        }
        let there = self.units.saturating_sub(self.get(&regs::IMAGE_OWED).into()) * UNIT as u64;
        let base = self.base(&regs::IMAGE_LO, &regs::IMAGE_HI);
        let from = self.arrived.len() as u64;
        // A page at a time, so that no piece goes round the end.
        for offset in (from..there.min(from + SIP)).step_by(1 << PAGE_BITS) {
            let at = (base & stays) | ((base + offset) & !stays);
            let length = (there - offset).min(1 << PAGE_BITS);
            match bytes(&self.memory, at, length as usize) {
                Ok(page) => self.arrived.extend(page),
                Err(fault) => {
                    self.fail(fault, 0);
                    return false;
                }
            }
        }
        self.arrived.len() as u64 == self.units * UNIT as u64
    }

    /// Rows of which only those of the tokens that enter are there.
    pub(super) fn only_rows(&self, rows: u64, shape: &Shape) -> Result<Vec<u8>, Stop> {
        let stride = shape.row_stride();
        let mut all = vec![0; stride * shape.vocab];
        for (_, token) in &self.active {
            let first = *token as usize * stride;
            if let Some(row) = all.get_mut(first..first + stride) {
                let at = rows.wrapping_add(first as u64) & ((1 << ADDRESS) - 1);
                row.copy_from_slice(&bytes(&self.memory, at, stride).map_err(|fault| (fault, 0))?);
            }
        }
        Ok(all)
    }
}

/// An image with a head. A pass without one is not sent it, but golden wants a whole image.
pub(super) fn whole(mut image: Vec<u8>, start: &Start) -> Vec<u8> {
    let walk = instructions(&start.shape);
    let head = walk.iter().find(|of| of.opcode == Opcode::Head && of.offset == image.len());
    let Some(head) = head else { return image };
    let one = Scale::from_int(1);
    let matrix = Matrix {
        opcode: Opcode::Head,
        layer: start.shape.layers as u16,
        rows: head.dimensions.0 as u32,
        columns: head.dimensions.1 as u16,
        group_start: 0,
        group_step: 1,
        frac: 0,
        state_frac: 0,
        norm: NormConstants { outer: one, floor: one, rescale: one },
    };
    let payload = vec![0; head.payload_bytes()];
    let header = Header {
        sequence: head.sequence as u32,
        payload_units: (payload.len() / UNIT) as u32,
        payload_crc: crc32c::crc32c(&payload),
        operand_units: (head.operands_bytes() / UNIT) as u16,
        body: Body::Matrix(matrix),
    };
    image.extend(header.encode());
    image.extend(payload);
    image
}
