//! The instruction that is inside: its fields, its scale, and which it is.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::inputs::Inputs;
use super::pipe::{When, at};
use crate::core::instruction::{Instruction, is, is_one_of};
use crate::slots;

/// The instruction that is inside.
pub(super) struct Held<'m> {
    /// There is one.
    running: Sig<'m>,
    fields: [Sig<'m>; 5],
    /// Of each slot what its accumulators are multiplied with, and shifted by.
    pub factor: Vec<Sig<'m>>,
    pub shift: Vec<Sig<'m>>,
    /// It is taken in this clock; it was in the one before; it was in the one before that, so that
    /// it is known by now what it is.
    pub load: Sig<'m>,
    pub load_1: Sig<'m>,
    pub load_2: Sig<'m>,
    /// The up projection, after the gate.
    pub part: Sig<'m>,
    pub now: Now<'m>,
}

impl<'m> Held<'m> {
    /// Registers for one, which is asked for whenever there is none.
    pub fn new(m: &'m Module, inputs: &Inputs<'m>, slots: u32) -> Held<'m> {
        let kept = |name: &str, width: u32| -> Vec<Sig<'m>> {
            (0..slots).map(|n| m.reg(slots::name(name, slots, n), UInt(width))).collect()
        };
        let running = m.reg("running", UInt(1)).reset(0);
        let fields = Instruction::registers(m, "now");
        let (factor, shift) = (kept("factor_now", 17), kept("shift_now", 6));
        inputs.next.ready.set(!running);
        let load = inputs.next.fires();
        let load_1 = load.register("loads_1").reset(0);
        let load_2 = load_1.register("loads_2").reset(0);
        let part = m.reg("part", UInt(1)).comment("The up projection, after the gate.");
        let now = Now::new(fields[0], part);
        Held { running, fields, factor, shift, load, load_1, load_2, part, now }
    }

    pub fn opcode(&self) -> Sig<'m> {
        self.fields[0]
    }

    pub fn rows(&self) -> Sig<'m> {
        self.fields[1]
    }

    /// Bits behind the point: of a pre-activation, and of the state.
    pub fn fracs(&self) -> [Sig<'m>; 2] {
        [self.fields[2], self.fields[3]]
    }

    /// It is of the last layer.
    pub fn last_layer(&self) -> Sig<'m> {
        self.fields[4]
    }

    /// Takes the next one.
    pub fn take(&self, m: &'m Module, inputs: &Inputs<'m>) {
        m.when(self.load, || {
            self.running.set(1);
            self.part.set(0);
            self.fields.iter().zip(inputs.next.fields).for_each(|(to, from)| to.set(from));
            self.factor.iter().zip(&inputs.factor).for_each(|(to, from)| to.set(*from));
            self.shift.iter().zip(&inputs.shift).for_each(|(to, from)| to.set(*from));
        });
    }

    /// Lets it go.
    pub fn end(&self, m: &'m Module, ends: Sig<'m>) {
        m.when(ends, || self.running.set(0));
    }
}

/// Which instruction is inside; each signal is constant from its first step to its last.
pub(super) struct Now<'m> {
    pub mix_i: Sig<'m>,
    pub mix_f: Sig<'m>,
    pub mix_g: Sig<'m>,
    /// The gate half of a GLU.
    pub gate: Sig<'m>,
    /// The up half.
    pub up: Sig<'m>,
    /// MIX_O or DOWN.
    pub adds: Sig<'m>,
    pub down: Sig<'m>,
    pub head: Sig<'m>,
}

impl<'m> Now<'m> {
    /// What a way has to know of it.
    pub fn to_way(&self) -> [(&'static str, Sig<'m>); 6] {
        [
            ("mix_i", self.mix_i),
            ("mix_f", self.mix_f),
            ("mix_g", self.mix_g),
            ("gate", self.gate),
            ("up", self.up),
            ("adds", self.adds),
        ]
    }

    /// What gives statistics to the quantiser, and when its elements are there.
    pub fn gathers(&self) -> [When<'m>; 3] {
        [(self.adds, at::RESIDUAL), (self.up, at::PRODUCT), (self.mix_g, at::V)]
    }

    fn new(opcode: Sig<'m>, part: Sig<'m>) -> Now<'m> {
        let of = |op: Opcode| is(opcode, op).register(format!("is_{}", op.name().to_lowercase()));
        let glu = of(Opcode::Glu);
        let adds = is_one_of(opcode, &[Opcode::MixO, Opcode::Down]).register("adds");
        Now {
            mix_i: of(Opcode::MixI),
            mix_f: of(Opcode::MixF),
            mix_g: of(Opcode::MixG),
            gate: (glu & !part).named("is_gate"),
            up: (glu & part).named("is_up"),
            adds,
            down: of(Opcode::Down),
            head: of(Opcode::Head),
        }
    }
}
