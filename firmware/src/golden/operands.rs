//! The operand vectors of a pass, and which of them an instruction uses.

use crate::isa::Opcode;

/// Operand vectors that are in force: each waits here from the segment that brings it to
/// the one that uses it.
#[derive(Default)]
pub struct Operands<'a> {
    mix: [&'a [i16]; 3],
    pub(super) lower_bounds: &'a [i16],
    pub(super) w_g: &'a [i16],
    pub(super) w_o: &'a [i16],
    mlp: &'a [i16],
    pub(super) w_d: &'a [i16],
    /// w₁ of the norm whose statistics the residual's epilogue gathers.
    pub(super) outer: &'a [i16],
    /// Gains of those who will quantise the residual: one, the others empty, or three.
    pub(super) next: [&'a [i16]; 3],
}

impl<'a> Operands<'a> {
    /// Takes the operands of a segment.
    pub fn load(&mut self, opcode: Opcode, vectors: &'a [Vec<i16>]) {
        match opcode {
            Opcode::Start => self.mix = std::array::from_fn(|n| &vectors[n][..]),
            Opcode::MixF => self.lower_bounds = &vectors[0],
            Opcode::MixG => (self.w_g, self.w_o) = (&vectors[0], &vectors[1]),
            Opcode::Glu => self.w_d = &vectors[0],
            Opcode::MixO | Opcode::Down => {
                self.outer = &vectors[0];
                self.next = std::array::from_fn(|n| vectors.get(n + 1).map_or(&[][..], |v| v));
                if opcode == Opcode::MixO {
                    self.mlp = &vectors[1];
                } else {
                    // Before the head there is one gain; it waits in slot 0.
                    for (slot, gains) in self.mix.iter_mut().zip(&vectors[1..]) {
                        *slot = gains;
                    }
                }
            }
            Opcode::MixI | Opcode::Head => {}
        }
    }

    /// The gain with which an instruction quantises its source.
    pub fn gain(&self, opcode: Opcode) -> &'a [i16] {
        match opcode {
            Opcode::MixO => self.w_o,
            Opcode::Glu => self.mlp,
            Opcode::Down => self.w_d,
            _ => self.mix[opcode.consumer()],
        }
    }
}
