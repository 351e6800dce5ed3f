//! The best candidates of each slot.

use sterna_rtl::{Instance, Module, Sig, UInt};

use super::inputs::Inputs;
use crate::slots::{self, Slot};
use crate::units::TopK;

/// Of each slot its best candidates.
pub(super) struct Tops<'m> {
    tops: Vec<Instance<'m>>,
    turn: Slot<'m>,
    /// Empties all; shifts the best one out of that whose record is written.
    pub clear: Sig<'m>,
    pub shift: Sig<'m>,
}

impl<'m> Tops<'m> {
    pub fn new(m: &'m Module, k: u32, inputs: &Inputs<'m>, turn: Slot<'m>) -> Tops<'m> {
        let &Inputs { valid, token, .. } = inputs;
        let slots = inputs.accs.len() as u32;
        let tops: Vec<Instance<'m>> =
            (0..slots).map(|n| m.instance(slots::name("u_top", slots, n), &TopK { k })).collect();
        let clear = m.reg("clears", UInt(1)).reset(0);
        clear.set(0);
        let shift = m.reg("shift", UInt(1)).reset(0);
        for (n, (top, &acc)) in tops.iter().zip(&inputs.accs).enumerate() {
            top.set("clear", clear).set("valid", valid).set("acc", acc).set("token", token);
            top.set("shift", slots::only(shift, turn, n as u32));
        }
        Tops { tops, turn, clear, shift }
    }

    /// What each says of its best candidate.
    pub fn all(&self, name: &str) -> Vec<Sig<'m>> {
        self.tops.iter().map(|top| top.port(name)).collect()
    }

    /// What that says whose record is written.
    pub fn now(&self, name: &str) -> Sig<'m> {
        slots::pick(self.turn, &self.all(name))
    }
}
