//! What the parts of the core tell each other about an instruction.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Instance, Module, Sig, Type, UInt};

/// Bits of an opcode.
pub(crate) const OPCODE: u32 = 4;
/// Bits of a number of fraction bits.
pub(crate) const FRAC: u32 = 5;
/// Bits of a number of rows: up to 2^20.
pub(crate) const ROW_COUNT: u32 = 21;

/// An instruction under way: fields of its header, by name.
const FIELDS: [(&str, Type); 5] = [
    ("opcode", UInt(OPCODE)),
    ("rows", UInt(ROW_COUNT)),
    ("frac", UInt(FRAC)),
    ("state_frac", UInt(FRAC)),
    ("last_layer", UInt(1)),
];

/// The signals of an instruction that is handed on, with its handshake.
#[derive(Clone, Copy)]
pub(crate) struct Instruction<'m> {
    pub valid: Sig<'m>,
    pub ready: Sig<'m>,
    pub fields: [Sig<'m>; 5],
}

impl<'m> Instruction<'m> {
    pub fn opcode(&self) -> Sig<'m> {
        self.fields[0]
    }

    pub fn fires(&self) -> Sig<'m> {
        (self.valid & self.ready).named("instruction_taken")
    }

    /// Ports on the side that gives.
    pub fn output(m: &'m Module, prefix: &str) -> Instruction<'m> {
        Instruction {
            valid: m.output(format!("{prefix}_valid"), UInt(1)),
            ready: m.input(format!("{prefix}_ready"), UInt(1)),
            fields: FIELDS.map(|(name, ty)| m.output(format!("{prefix}_{name}"), ty)),
        }
    }

    /// Ports on the side that takes.
    pub fn input(m: &'m Module, prefix: &str) -> Instruction<'m> {
        Instruction {
            valid: m.input(format!("{prefix}_valid"), UInt(1)),
            ready: m.output(format!("{prefix}_ready"), UInt(1)),
            fields: FIELDS.map(|(name, ty)| m.input(format!("{prefix}_{name}"), ty)),
        }
    }

    /// The ports of an instance.
    pub fn of(instance: Instance<'m>, prefix: &str) -> Instruction<'m> {
        Instruction {
            valid: instance.port(&format!("{prefix}_valid")),
            ready: instance.port(&format!("{prefix}_ready")),
            fields: FIELDS.map(|(name, _)| instance.port(&format!("{prefix}_{name}"))),
        }
    }

    /// Registers for the fields, named with a prefix.
    pub fn registers(m: &'m Module, prefix: &str) -> [Sig<'m>; 5] {
        FIELDS.map(|(name, ty)| m.reg(format!("{prefix}_{name}"), ty))
    }

    /// Joins the side that takes with the side that gives.
    pub fn connect(&self, from: &Instruction<'m>) {
        self.valid.set(from.valid);
        from.ready.set(self.ready);
        for (to, from) in self.fields.iter().zip(from.fields) {
            to.set(from);
        }
    }
}

/// Whether an opcode signal names this opcode.
pub(crate) fn is<'m>(opcode: Sig<'m>, of: Opcode) -> Sig<'m> {
    opcode.eq(of as u8)
}

/// Whether it names one of these.
pub(crate) fn is_one_of<'m>(opcode: Sig<'m>, of: &[Opcode]) -> Sig<'m> {
    let m = opcode.module();
    let hits: Vec<Sig<'m>> = of.iter().map(|&one| is(opcode, one)).collect();
    m.cat(&hits).any()
}

/// Opcodes whose epilogue gathers statistics for a quantiser.
pub(crate) const GATHER: [Opcode; 4] = [Opcode::MixG, Opcode::MixO, Opcode::Glu, Opcode::Down];
