//! The order of a pass, and where everything lies in it.
//!
//! An image's layout follows from its shape alone; compiler, reader, disassembler and timing
//! model all walk it with this iterator.

use super::{Opcode, UNIT};
use crate::shape::{Shape, packed_bytes};

/// One instruction of a pass, with the layout of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Position in the image, from 0.
    pub sequence: usize,
    /// What it does.
    pub opcode: Opcode,
    /// Layer, 0-based; the head has the number of layers, `START` 0.
    pub layer: usize,
    /// Byte offset of its header from the image's base.
    pub offset: usize,
    /// Number and length (in elements) of the operand vectors, all of 16 bits.
    pub operands: (usize, usize),
    /// Rows and columns of one of its matrices.
    pub dimensions: (usize, usize),
}

impl Instruction {
    /// Bytes of one operand vector, padded to a unit.
    pub const fn operand_bytes(&self) -> usize {
        (self.operands.1 * 2).next_multiple_of(UNIT)
    }

    /// Bytes of all operands.
    pub const fn operands_bytes(&self) -> usize {
        self.operands.0 * self.operand_bytes()
    }

    /// Bytes of the packed weights of one matrix.
    pub const fn part_bytes(&self) -> usize {
        packed_bytes(self.dimensions.0, self.dimensions.1)
    }

    /// Bytes of the payload: operands, then weights.
    pub const fn payload_bytes(&self) -> usize {
        self.operands_bytes() + self.opcode.parts() * self.part_bytes()
    }

    /// Byte offset of the payload from the image's base.
    pub const fn payload_offset(&self) -> usize {
        self.offset + UNIT
    }

    /// Byte offset of the packed weights from the image's base.
    pub const fn weights_offset(&self) -> usize {
        self.payload_offset() + self.operands_bytes()
    }

    /// Byte offset of what follows.
    pub const fn end(&self) -> usize {
        self.payload_offset() + self.payload_bytes()
    }
}

/// Every instruction of a pass over a model of this shape, in order.
pub fn instructions(shape: &Shape) -> Vec<Instruction> {
    const LAYER: [Opcode; 6] =
        [Opcode::MixI, Opcode::MixF, Opcode::MixG, Opcode::MixO, Opcode::Glu, Opcode::Down];
    let order = std::iter::once((Opcode::Start, 0))
        .chain((0..shape.layers).flat_map(|layer| LAYER.map(|opcode| (opcode, layer))))
        .chain([(Opcode::Head, shape.layers)]);
    let mut offset = 0;
    order
        .enumerate()
        .map(|(sequence, (opcode, layer))| {
            let instruction = Instruction {
                sequence,
                opcode,
                layer,
                offset,
                operands: operands(opcode, layer, shape),
                dimensions: opcode.dimensions(shape),
            };
            offset = instruction.end();
            instruction
        })
        .collect()
}

/// Number and length of an instruction's operand vectors.
fn operands(opcode: Opcode, layer: usize, shape: &Shape) -> (usize, usize) {
    match opcode {
        Opcode::Start => (3, shape.hidden),
        Opcode::MixI | Opcode::Head => (0, 0),
        Opcode::MixF => (1, shape.inner),
        Opcode::MixG => (2, shape.inner),
        Opcode::MixO => (2, shape.hidden),
        Opcode::Glu => (1, shape.intermediate),
        Opcode::Down if layer + 1 == shape.layers => (2, shape.hidden),
        Opcode::Down => (4, shape.hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_370m_layout() {
        let shape =
            Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32000 };
        let walk = instructions(&shape);
        assert_eq!(walk.len(), 1 + 24 * 6 + 1);
        assert_eq!(shape.weights(), 341_049_344);
        let operands: usize = walk.iter().map(Instruction::operands_bytes).sum();
        assert_eq!(operands, 2 * (24 * (9 * 1024 + 2816) + 1024), "9h + I a layer; w1 and head");
        let last = walk.last().unwrap();
        // 1.6 bits a weight, rows padded to five, 0.9 % of operands and headers.
        assert_eq!(last.end(), 68_871_296);
        assert!((last.end() as f64) < 1.01 * shape.weights() as f64 / 5.0);
    }

    #[test]
    fn segments_are_contiguous_and_aligned() {
        let shape = Shape { hidden: 32, inner: 64, intermediate: 96, layers: 3, vocab: 7 };
        let walk = instructions(&shape);
        for pair in walk.windows(2) {
            assert_eq!(pair[0].end(), pair[1].offset);
        }
        for instruction in &walk {
            assert_eq!(instruction.offset % UNIT, 0);
            assert_eq!(instruction.operand_bytes() % UNIT, 0);
            assert_eq!(instruction.part_bytes() % UNIT, 0);
        }
    }
}
