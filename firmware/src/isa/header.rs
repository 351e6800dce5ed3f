//! The 64-byte header of a segment.
//!
//! Sixteen little-endian words; the last is the CRC-32C of the first fifteen, checked before
//! anything in the header is obeyed. Unused words are zero.
//!
//! | word | `START` | matrix instructions |
//! |---|---|---|
//! | 0 | opcode, ISA version, 0 (16) | opcode, ISA version, layer (16) |
//! | 1 | sequence number | sequence number |
//! | 2 | payload, in units of 64 bytes | same |
//! | 3 | CRC-32C of the payload | same |
//! | 4 | vocabulary | rows of one matrix |
//! | 5 | hidden (16), operand units (16) | columns (16), operand units (16) |
//! | 6 | channel (16), channels (16) | first row group (16), step (16) |
//! | 7 | layers (16), residual fraction bits (s8), 0 | output (s8) and state (s8) fraction bits, 0 |
//! | 8 | inner (16), intermediate (16) | [`NormConstants::outer`] |
//! | 9 | segments | [`NormConstants::floor`] |
//! | 10 | units of the whole image | [`NormConstants::rescale`] |
//! | 11, 12 | image id, low and high | 0 |
//! | 13 | bytes from one embedding row to the next | 0 |
//! | 14 | 0 | 0 |

use sterna_model::numerics::{NormConstants, Scale};

use super::{ISA_VERSION, Opcode, UNIT};
use crate::shape::Shape;

/// A decoded header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Position of the segment in the image, from 0.
    pub sequence: u32,
    /// Length of the payload in units of 64 bytes.
    pub payload_units: u32,
    /// CRC-32C of the payload.
    pub payload_crc: u32,
    /// Length of the operands at the head of the payload, in units.
    pub operand_units: u16,
    /// What the segment does.
    pub body: Body,
}

/// The part of a header that depends on the opcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `START`.
    Start(Start),
    /// Every other opcode.
    Matrix(Matrix),
}

/// Requirements of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Dimensions of the model.
    pub shape: Shape,
    /// Which memory channel this image is for, and of how many.
    pub channel: u16,
    /// Number of memory channels that the row groups are dealt to.
    pub channels: u16,
    /// Fraction bits of the residual.
    pub residual_frac: i8,
    /// Segments of the image, this one included.
    pub segments: u32,
    /// Units of the whole image, headers included.
    pub image_units: u32,
    /// Names the image: the first eight bytes of the SHA-256 of every payload, every embedding
    /// row and every header but this one, in that order.
    pub id: u64,
    /// Bytes from one embedding row to the next.
    pub row_stride: u32,
}

/// A matrix instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// What it does; never `START`.
    pub opcode: Opcode,
    /// Layer, 0-based; `HEAD` has the number of layers.
    pub layer: u16,
    /// Rows of one of its matrices, without padding.
    pub rows: u32,
    /// Columns, without padding.
    pub columns: u16,
    /// First row group on this channel.
    pub group_start: u16,
    /// Distance between row groups on this channel.
    pub group_step: u16,
    /// Fraction bits of what the accumulators become (16 for `MIX_F`, 0 for `HEAD`).
    pub frac: i8,
    /// Fraction bits of the layer's state (`MIX_I`, `MIX_F`, `MIX_G`; 0 elsewhere).
    pub state_frac: i8,
    /// Constants of its norm and scale.
    pub norm: NormConstants,
}

/// Why a header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The stored checksum is not that of the header.
    #[error("its CRC-32C is {computed:#010x}, the header says {stored:#010x}")]
    Crc {
        /// In the header.
        stored: u32,
        /// Of the bytes read.
        computed: u32,
    },
    /// No such instruction.
    #[error("opcode {0:#04x} does not exist")]
    Opcode(u8),
    /// Written for another version of the instruction set.
    #[error("ISA version {0}, this program speaks version {ISA_VERSION}")]
    Version(u8),
    /// A field is outside its range or a reserved bit is set.
    #[error("field `{0}` is out of range")]
    Field(&'static str),
}

impl Header {
    /// The opcode.
    pub fn opcode(&self) -> Opcode {
        match &self.body {
            Body::Start(_) => Opcode::Start,
            Body::Matrix(matrix) => matrix.opcode,
        }
    }

    /// Encodes the header with its checksum.
    pub fn encode(&self) -> [u8; UNIT] {
        let mut words = [0u32; UNIT / 4];
        words[1] = self.sequence;
        words[2] = self.payload_units;
        words[3] = self.payload_crc;
        let opcode = u32::from(self.opcode() as u8) | u32::from(ISA_VERSION) << 8;
        let byte = |value: i8| u32::from(value as u8);
        match &self.body {
            Body::Start(start) => {
                let shape = &start.shape;
                words[0] = opcode;
                words[4] = shape.vocab as u32;
                words[5] = halves(shape.hidden as u16, self.operand_units);
                words[6] = halves(start.channel, start.channels);
                words[7] = shape.layers as u32 | byte(start.residual_frac) << 16;
                words[8] = halves(shape.inner as u16, shape.intermediate as u16);
                words[9] = start.segments;
                words[10] = start.image_units;
                words[11] = start.id as u32;
                words[12] = (start.id >> 32) as u32;
                words[13] = start.row_stride;
            }
            Body::Matrix(matrix) => {
                words[0] = opcode | u32::from(matrix.layer) << 16;
                words[4] = matrix.rows;
                words[5] = halves(matrix.columns, self.operand_units);
                words[6] = halves(matrix.group_start, matrix.group_step);
                words[7] = byte(matrix.frac) | byte(matrix.state_frac) << 8;
                words[8] = matrix.norm.outer.pack();
                words[9] = matrix.norm.floor.pack();
                words[10] = matrix.norm.rescale.pack();
            }
        }
        let mut bytes = [0; UNIT];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[..UNIT - 4]);
        bytes[UNIT - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Decodes and checks a header.
    pub fn decode(bytes: &[u8; UNIT]) -> Result<Header, HeaderError> {
        let w: [u32; UNIT / 4] =
            std::array::from_fn(|n| u32::from_le_bytes([0, 1, 2, 3].map(|b| bytes[4 * n + b])));
        let computed = crc32c::crc32c(&bytes[..UNIT - 4]);
        if computed != w[15] {
            return Err(HeaderError::Crc { stored: w[15], computed });
        }
        let [opcode, version, ..] = w[0].to_le_bytes();
        if version != ISA_VERSION {
            return Err(HeaderError::Version(version));
        }
        let opcode = Opcode::from_byte(opcode).ok_or(HeaderError::Opcode(opcode))?;
        let (low5, operand_units) = split(w[5]);
        let body = if opcode == Opcode::Start {
            Body::Start(decode_start(&w, low5)?)
        } else {
            Body::Matrix(decode_matrix(&w, opcode, low5)?)
        };
        let payload_units = w[2];
        if u32::from(operand_units) > payload_units {
            return Err(HeaderError::Field("operand units"));
        }
        Ok(Header { sequence: w[1], payload_units, payload_crc: w[3], operand_units, body })
    }
}

fn decode_start(w: &[u32; 16], hidden: u16) -> Result<Start, HeaderError> {
    let (inner, intermediate) = split(w[8]);
    let (channel, channels) = split(w[6]);
    let (layers, residual_frac) = split(w[7]);
    check(w[0] >> 16 == 0 && w[14] == 0, "reserved")?;
    check(channel < channels, "channel")?;
    check(hidden > 0 && inner > 0 && intermediate > 0 && layers > 0 && w[4] > 1, "shape")?;
    check(residual_frac <= 0xff, "residual fraction bits")?;
    let shape = Shape {
        hidden: hidden.into(),
        inner: inner.into(),
        intermediate: intermediate.into(),
        layers: layers.into(),
        vocab: w[4] as usize,
    };
    Ok(Start {
        shape,
        channel,
        channels,
        residual_frac: residual_frac as u8 as i8,
        segments: w[9],
        image_units: w[10],
        id: u64::from(w[11]) | u64::from(w[12]) << 32,
        row_stride: w[13],
    })
}

fn decode_matrix(w: &[u32; 16], opcode: Opcode, columns: u16) -> Result<Matrix, HeaderError> {
    let (group_start, group_step) = split(w[6]);
    check(w[11..15].iter().all(|&word| word == 0) && w[7] >> 16 == 0, "reserved")?;
    check(columns > 0 && w[4] > 0, "rows or columns")?;
    check(group_start < group_step, "row groups")?;
    let scale = |n: usize, name| Scale::unpack(w[n]).ok_or(HeaderError::Field(name));
    let [frac, state_frac, ..] = w[7].to_le_bytes();
    Ok(Matrix {
        opcode,
        layer: (w[0] >> 16) as u16,
        rows: w[4],
        columns,
        group_start,
        group_step,
        frac: frac as i8,
        state_frac: state_frac as i8,
        norm: NormConstants {
            outer: scale(8, "outer")?,
            floor: scale(9, "floor")?,
            rescale: scale(10, "rescale")?,
        },
    })
}

const fn halves(low: u16, high: u16) -> u32 {
    low as u32 | (high as u32) << 16
}

const fn split(word: u32) -> (u16, u16) {
    (word as u16, (word >> 16) as u16)
}

fn check(holds: bool, field: &'static str) -> Result<(), HeaderError> {
    if holds { Ok(()) } else { Err(HeaderError::Field(field)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scale() -> impl Strategy<Value = Scale> {
        prop_oneof![Just(0.0), 1e-20..1e20f64].prop_map(|v| Scale::from_f64(v).unwrap())
    }

    prop_compose! {
        fn matrix()(
            opcode in 1usize..8, layer: u16, rows in 1u32.., columns in 1u16..,
            group_start in 0u16..4, frac: i8, state_frac: i8,
            outer in scale(), floor in scale(), rescale in scale(),
        ) -> Body {
            Body::Matrix(Matrix {
                opcode: Opcode::ALL[opcode],
                layer, rows, columns, group_start, group_step: 4, frac, state_frac,
                norm: NormConstants { outer, floor, rescale },
            })
        }
    }

    prop_compose! {
        fn start()(
            hidden in 1usize..65536, inner in 1usize..65536, intermediate in 1usize..65536,
            layers in 1usize..65536, vocab in 2usize..1 << 32, channel in 0u16..8,
            residual_frac: i8, segments: u32, image_units: u32, id: u64, row_stride: u32,
        ) -> Body {
            let shape = Shape { hidden, inner, intermediate, layers, vocab };
            Body::Start(Start {
                shape, channel, channels: 8, residual_frac, segments, image_units, id, row_stride,
            })
        }
    }

    proptest! {
        #[test]
        fn headers_round_trip(
            body in prop_oneof![matrix(), start()], sequence: u32, operand_units: u16,
            extra in 0u32..1000, payload_crc: u32, bit in 0usize..512,
        ) {
            let payload_units = u32::from(operand_units) + extra;
            let header = Header { sequence, payload_units, payload_crc, operand_units, body };
            let mut bytes = header.encode();
            prop_assert_eq!(Header::decode(&bytes), Ok(header));
            bytes[bit / 8] ^= 1 << (bit % 8);
            let refused = matches!(Header::decode(&bytes), Err(HeaderError::Crc { .. }));
            prop_assert!(refused, "bit {bit} went unnoticed");
        }

        #[test]
        fn garbage_with_a_right_checksum_never_panics(words: [u32; 15], version: bool) {
            let mut bytes = [0u8; UNIT];
            for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
                to.copy_from_slice(&word.to_le_bytes());
            }
            if version {
                bytes[0] %= 10;
                bytes[1] = ISA_VERSION;
            }
            let crc = crc32c::crc32c(&bytes[..60]);
            bytes[60..].copy_from_slice(&crc.to_le_bytes());
            if let Ok(header) = Header::decode(&bytes) {
                prop_assert_eq!(header.encode(), bytes);
            }
        }
    }
}
