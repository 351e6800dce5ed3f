//! Images of any shape, without a model: no configuration says a recurrence narrower than the residual.
//!
//! What a pass says of them is known all the same: all weights are 0 but those of two tokens in the head,
//! all gains but those of the norm before it, and all elements of the residual are one value. So all codes
//! before the head are 127, or -127, and a token has all columns for it, or all against it, or nothing.

use sterna_firmware::isa::header::{Body, Header};
use sterna_firmware::isa::{Instruction, Matrix, Opcode, Start, UNIT, instructions};
use sterna_firmware::rows::Row;
use sterna_firmware::shape::Shape;
use sterna_firmware::trits;
use sterna_model::numerics::{NormConstants, Scale, Statistics};

/// Where an element of the residual stands in a row, and what it is: 2047.
const VALUE: u16 = 0x7ff0;
/// Bytes of weights behind a beginning: more than are read of them.
const WEIGHTS: usize = 1 << 16;

/// An image that says this.
#[derive(Clone, Copy)]
pub struct Made {
    pub shape: Shape,
    /// Its id.
    pub id: u64,
    /// The token that all columns are for, and that all are against.
    pub best: usize,
    pub worst: usize,
    /// Gains are negative.
    pub negative: bool,
    /// Of the head's accumulators.
    pub scale: Scale,
}

impl Made {
    /// Tokens and accumulators, best first.
    pub fn top(&self, most: usize) -> Vec<(u32, i32)> {
        let (best, worst, all) =
            (self.best as u32, self.worst as u32, 127 * self.shape.hidden as i32);
        let others = (0..self.shape.vocab as u32).filter(|&token| token != best && token != worst);
        let others = others.map(|token| (token, 0));
        [(best, all)].into_iter().chain(others).chain([(worst, -all)]).take(most).collect()
    }
}

/// Units of the image of a shape.
pub fn units(shape: &Shape) -> u32 {
    (instructions(shape).last().unwrap().end() / UNIT) as u32
}

/// The header of a segment whose payload has this checksum.
fn header(made: &Made, of: &Instruction, payload_crc: u32) -> [u8; UNIT] {
    let one = Scale::from_int(1);
    let outer = if of.opcode == Opcode::Head { made.scale } else { one };
    let norm = NormConstants { outer, floor: one, rescale: one };
    let shape = &made.shape;
    let body = match of.opcode {
        Opcode::Start => Body::Start(Start {
            shape: *shape,
            channel: 0,
            channels: 1,
            residual_frac: 8,
            segments: instructions(shape).len() as u32,
            image_units: units(shape),
            id: made.id,
            row_stride: shape.row_stride() as u32,
        }),
        opcode => Body::Matrix(Matrix {
            opcode,
            layer: of.layer as u16,
            rows: of.dimensions.0 as u32,
            columns: of.dimensions.1 as u16,
            group_start: 0,
            group_step: 1,
            frac: 8,
            state_frac: 8,
            norm,
        }),
    };
    let (operand_units, payload_units) =
        ((of.operands_bytes() / UNIT) as u16, (of.payload_bytes() / UNIT) as u32);
    Header { sequence: of.sequence as u32, payload_units, payload_crc, operand_units, body }
        .encode()
}

/// The payload of a segment, without a weight or a gain.
fn empty(of: &Instruction) -> Vec<u8> {
    let mut payload = vec![0; of.operands_bytes()];
    payload.resize(of.payload_bytes(), trits::encode([0; trits::ROWS]));
    payload
}

/// The image, of one layer.
pub fn image(made: &Made) -> Vec<u8> {
    let shape = &made.shape;
    let columns = trits::padded_columns(shape.hidden);
    let mut image = vec![];
    for of in instructions(shape) {
        let mut payload = empty(&of);
        if of.opcode == Opcode::Down {
            // Behind the MLP's w1, the products with the next gain.
            let gain = if made.negative { -0x4000i16 } else { 0x4000 };
            let gains = &mut payload[of.operand_bytes()..][..2 * shape.hidden];
            gains.chunks_exact_mut(2).for_each(|to| to.copy_from_slice(&gain.to_le_bytes()));
        }
        if of.opcode == Opcode::Head {
            for group in [made.best, made.worst].map(|token| token / trits::ROWS) {
                let sign = if made.negative { -1 } else { 1 };
                let trit = |row: usize| match group * trits::ROWS + row {
                    token if token == made.best => sign,
                    token if token == made.worst => -sign,
                    _ => 0,
                };
                let byte = trits::encode([0, 1, 2, 3, 4].map(trit));
                payload[group * columns..][..shape.hidden].fill(byte);
            }
        }
        image.extend(header(made, &of, crc32c::crc32c(&payload)));
        image.extend(payload);
    }
    image
}

/// As much of an image as is read before the first weights of its first matrix, START and a header,
/// and its length; then the first of the weights.
pub fn beginning(made: &Made) -> (Vec<u8>, usize) {
    let walk = instructions(&made.shape);
    let payload = empty(&walk[0]);
    let start = header(made, &walk[0], crc32c::crc32c(&payload));
    let mut bytes = [&start[..], &payload, &header(made, &walk[1], 0)].concat();
    let length = bytes.len();
    bytes.resize(length + WEIGHTS, trits::encode([0; trits::ROWS]));
    (bytes, length)
}

/// A token's row; its maxima may be anything, as nothing is made of them where gains are 0.
pub fn row(shape: &Shape, token: u32, max: [u32; 3]) -> Vec<u8> {
    let one = Scale::from_int(1);
    let statistics = Statistics { a: one, b: one, max };
    let mut bytes = vec![];
    Row { values: vec![VALUE; shape.hidden], shift: 0, statistics, token }.encode(&mut bytes);
    bytes
}
