//! The instruction set: what a segment says.
//!
//! A pass executes every segment once, in order. `START` names what the image requires;
//! each matrix instruction then
//!
//! 1. turns the statistics of its source vector into a scale ([`NormConstants`]),
//! 2. quantises the vector with a gain that an earlier segment brought,
//! 3. loads the operands at the head of its payload,
//! 4. multiplies, and hands each accumulator to its epilogue.
//!
//! | opcode | source → destination | operands (i16 vectors) | epilogue |
//! |---|---|---|---|
//! | `START` | | layer 0: gains i, f, g | |
//! | `MIX_I` | residual → a | | a |
//! | `MIX_F` | residual → state | lower bounds | h' = h + (1−f)(silu(a) − h) |
//! | `MIX_G` | residual → v | w_g, w_o | v = g·w_g·silu(h'); statistics of v |
//! | `MIX_O` | v → residual | MLP: w₁, gain | add; statistics of the residual |
//! | `GLU` | residual → p | w_d | gate, then p = silu(gate)·up; statistics of p |
//! | `DOWN` | p → residual | next w₁, gains i, f, g (or w₁, gain of the head) | add; statistics |
//! | `HEAD` | residual → logits | | arg-max, top-k |
//!
//! Gains of a norm pair are the products w₁·w₂ ([`NormConstants`]'s module tells why).
//!
//! [`NormConstants`]: sterna_model::numerics::NormConstants

pub mod header;
pub mod walk;

pub use header::{Header, HeaderError, Matrix, Start};
pub use walk::{Instruction, instructions};

use crate::shape::Shape;

/// Version of everything in this module, of packing and of numerics.
pub const ISA_VERSION: u8 = 1;

/// Bytes of a segment header, and the unit in which payloads are counted.
pub const UNIT: usize = 64;

/// What a segment does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Opcode {
    /// Requirements of the image; first segment of every image.
    Start = 1,
    /// Input projection of the mixer.
    MixI = 2,
    /// Forget projection; closes the recurrence.
    MixF = 3,
    /// Gate projection; closes the output gate.
    MixG = 4,
    /// Output projection; adds to the residual.
    MixO = 5,
    /// Gate and up projections of the channel mixer.
    Glu = 6,
    /// Down projection; adds to the residual.
    Down = 7,
    /// Logits; last segment of every image.
    Head = 8,
}

impl Opcode {
    /// Every opcode, in the order of a pass.
    pub const ALL: [Opcode; 8] = [
        Opcode::Start,
        Opcode::MixI,
        Opcode::MixF,
        Opcode::MixG,
        Opcode::MixO,
        Opcode::Glu,
        Opcode::Down,
        Opcode::Head,
    ];

    /// The opcode of a byte.
    pub fn from_byte(byte: u8) -> Option<Opcode> {
        Opcode::ALL.into_iter().find(|&op| op as u8 == byte)
    }

    /// Assembler name.
    pub const fn name(self) -> &'static str {
        match self {
            Opcode::Start => "START",
            Opcode::MixI => "MIX_I",
            Opcode::MixF => "MIX_F",
            Opcode::MixG => "MIX_G",
            Opcode::MixO => "MIX_O",
            Opcode::Glu => "GLU",
            Opcode::Down => "DOWN",
            Opcode::Head => "HEAD",
        }
    }

    /// Which maximum of the source's statistics this instruction quantises with.
    pub const fn consumer(self) -> usize {
        match self {
            Opcode::MixF => 1,
            Opcode::MixG => 2,
            _ => 0,
        }
    }

    /// Rows and columns of its matrix. `GLU` has two such matrices, gate before up;
    /// `START` has none.
    pub const fn dimensions(self, shape: &Shape) -> (usize, usize) {
        match self {
            Opcode::Start => (0, 0),
            Opcode::MixI | Opcode::MixF | Opcode::MixG => (shape.inner, shape.hidden),
            Opcode::MixO => (shape.hidden, shape.inner),
            Opcode::Glu => (shape.intermediate, shape.hidden),
            Opcode::Down => (shape.hidden, shape.intermediate),
            Opcode::Head => (shape.vocab, shape.hidden),
        }
    }

    /// How many matrices of these dimensions follow one another in the payload.
    pub const fn parts(self) -> usize {
        match self {
            Opcode::Start => 0,
            Opcode::Glu => 2,
            _ => 1,
        }
    }
}
