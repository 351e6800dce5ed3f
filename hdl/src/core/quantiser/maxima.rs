//! The maxima of vectors, and the reciprocal of the one that is about to be quantised.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Instance, Module, Sig, UInt};

use super::inputs::Inputs;
use super::walk::Place;
use crate::core::instruction::is;
use crate::slots::{self, Slot};
use crate::units::Reciprocal;

/// Maxima that have come, until their vector's turn.
pub(super) struct Maxima<'m> {
    /// By consumer, then by slot.
    of: Vec<Vec<Sig<'m>>>,
    /// Of each slot whether nobody has used them.
    complete: Vec<Sig<'m>>,
    /// Those of the slot whose turn it is, by consumer.
    now: Vec<Sig<'m>>,
    /// The first gains of the pass are there, too.
    gains_there: Sig<'m>,
}

impl<'m> Maxima<'m> {
    pub fn new(m: &'m Module, slots: u32, inputs: &Inputs<'m>, turn: Slot<'m>) -> Maxima<'m> {
        let named = |name: &str, n: u32| slots::name(name, slots, n);
        let of = |i| move |n| m.reg(named(&format!("maximum_{i}"), n), UInt(32));
        let of: Vec<Vec<Sig<'m>>> = (0..3).map(|i| (0..slots).map(of(i)).collect()).collect();
        let complete = |n| {
            let complete = m.reg(named("complete", n), UInt(1)).reset(0);
            complete.comment("Maxima that nobody has used.")
        };
        let complete: Vec<Sig<'m>> = (0..slots).map(complete).collect();
        let now: Vec<Sig<'m>> = of.iter().map(|of| slots::pick(turn, of)).collect();
        let gains_there = m.reg("gains_there", UInt(1)).reset(0);
        m.when(inputs.loaded, || gains_there.set(1));
        Maxima { of, complete, now, gains_there }
    }

    /// Whether those of the slot whose turn it is are there, and gains to go with them.
    pub fn there(&self, waits: Sig<'m>, turn: Slot<'m>) -> Sig<'m> {
        waits & slots::pick(turn, &self.complete) & self.gains_there
    }

    /// They are used.
    pub fn used(&self, m: &'m Module, turn: Slot<'m>) {
        match turn {
            None => self.complete[0].set(0),
            Some(turn) => self.complete.iter().enumerate().for_each(|(n, complete)| {
                m.when(turn.eq(n), || complete.set(0));
            }),
        }
    }

    /// Takes those that come.
    pub fn take(&self, m: &'m Module, inputs: &Inputs<'m>) {
        for (n, &valid) in inputs.max_valid.iter().enumerate() {
            m.when(valid, || {
                self.complete[n].set(1);
                self.of.iter().zip(&inputs.max).for_each(|(to, from)| to[n].set(from[n]));
            });
        }
    }

    /// Nothing is there yet of the pass that begins.
    pub fn forget(&self) {
        self.gains_there.set(0);
        self.complete.iter().for_each(|complete| complete.set(0));
    }
}

/// The division that a vector's codes need once.
pub(super) struct Divider<'m> {
    pub unit: Instance<'m>,
    /// Begins one, of the maximum of the clock after.
    pub start: Sig<'m>,
    /// The vector is for f; for g. Their maxima are those that i's came with.
    pub forget: Sig<'m>,
    pub gate: Sig<'m>,
}

impl<'m> Divider<'m> {
    pub fn new(m: &'m Module, place: &Place<'m>, maxima: &Maxima<'m>) -> Divider<'m> {
        let forget = is(place.which, Opcode::MixF);
        let gate = is(place.which, Opcode::MixG);
        let now = &maxima.now;
        let max = gate.mux(now[2], forget.mux(now[1], now[0])).register("max_now");
        let unit = m.instance("u_reciprocal", &Reciprocal);
        let start = m.reg("start", UInt(1)).reset(0);
        start.set(0);
        unit.set("start", start.delay_valid("max_there", 1)).set("max", max);
        Divider { unit, start, forget, gate }
    }
}
