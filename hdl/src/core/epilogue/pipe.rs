//! The clocks of the epilogue: what is where, and when memories are asked.

use sterna_rtl::{Module, Sig, UInt};

use crate::core::READ;
use crate::slots::Slot;
use crate::units::{Glu, Mlgru, Rescale, Residual, Sigmoid};

/// Clocks after an element's step, by what is there then.
pub(super) mod at {
    use super::{Glu, Mlgru, Rescale, Residual, Sigmoid};

    /// The rescaled value.
    pub const Y: usize = Rescale::LATENCY as usize;
    /// The pre-activation, saturated.
    pub const PRE: usize = Y + 1;
    pub const SIGMA: usize = PRE + Sigmoid::SIGMA_LATENCY as usize;
    pub const SILU: usize = PRE + Sigmoid::SILU_LATENCY as usize;
    /// The new state.
    pub const STATE: usize = SIGMA + Mlgru::LATENCY as usize;
    /// The gated vector.
    pub const V: usize = SILU + Mlgru::LATENCY as usize;
    pub const PRODUCT: usize = PRE + Glu::LATENCY as usize;
    pub const RESIDUAL: usize = Y + Residual::LATENCY as usize;
    /// The longest of all.
    pub const LAST: usize = V;
}

/// Steps in the pipeline: whether there is one, where in the vector, and of which sequence, at each
/// clock.
pub(super) struct Pipe<'m> {
    pub valid: Vec<Sig<'m>>,
    last: Vec<Sig<'m>>,
    index: Vec<Sig<'m>>,
    pub slot: Vec<Slot<'m>>,
}

/// A step somewhere in the pipeline.
pub(super) struct Step<'m> {
    pub valid: Sig<'m>,
    pub index: Sig<'m>,
    pub slot: Slot<'m>,
}

impl Step<'_> {
    /// A clock later.
    fn registered(self, name: &str) -> Self {
        Step {
            valid: self.valid.register(name).reset(0),
            index: self.index.register(format!("{name}_at")),
            slot: self.slot.map(|slot| slot.register(format!("{name}_of"))),
        }
    }
}

impl<'m> Pipe<'m> {
    pub fn new(valid: Sig<'m>, last: Sig<'m>, index: Sig<'m>, slot: Slot<'m>) -> Pipe<'m> {
        let mut pipe =
            Pipe { valid: vec![valid], last: vec![last], index: vec![index], slot: vec![slot] };
        for n in 1..=at::LAST {
            let (valid, last, index) = (pipe.valid[n - 1], pipe.last[n - 1], pipe.index[n - 1]);
            pipe.valid.push(valid.register(format!("valid_{n}")).reset(0));
            pipe.last.push(last.register(format!("last_{n}")).reset(0));
            pipe.index.push(index.register(format!("index_{n}")));
            let slot = pipe.slot[n - 1];
            pipe.slot.push(slot.map(|slot| slot.register(format!("slot_{n}"))));
        }
        pipe
    }
}

/// When something happens: for which instructions, and at which clock after the step.
pub(super) type When<'m> = (Sig<'m>, usize);

impl<'m> Pipe<'m> {
    /// Whether any of the cases has a step at its clock less `early`, and which.
    pub fn at(&self, cases: &[When<'m>], early: usize) -> Step<'m> {
        let (first, clock) = cases[0];
        let (mut valid, mut index) = (first & self.valid[clock - early], self.index[clock - early]);
        let mut slot = self.slot[clock - early];
        for &(here, clock) in &cases[1..] {
            valid = valid | (here & self.valid[clock - early]);
            index = here.mux(self.index[clock - early], index);
            slot = slot.zip(self.slot[clock - early]).map(|(other, slot)| here.mux(slot, other));
        }
        Step { valid, index, slot }
    }

    /// Ports that ask a memory for a step's operands, READ clocks before they are used; from
    /// registers, since memories are far away.
    pub fn reads(&self, m: &'m Module, name: &str, cases: &[When<'m>]) {
        let step = Step { slot: None, ..self.at(cases, READ + 1) };
        self.ask(m, &format!("{name}_read"), step.registered(&format!("{name}_reads")));
    }

    /// The same of a memory that has a place for each sequence.
    pub fn reads_own(&self, m: &'m Module, name: &str, cases: &[When<'m>]) {
        let step = self.at(cases, READ + 1).registered(&format!("{name}_reads"));
        self.ask(m, &format!("{name}_read"), step);
    }

    fn ask(&self, m: &'m Module, name: &str, Step { valid, index, slot }: Step<'m>) {
        m.output(name, UInt(1)).set(valid);
        m.output(format!("{name}_at"), index.ty()).set(index);
        if let Some(slot) = slot {
            m.output(format!("{name}_slot"), slot.ty()).set(slot);
        }
    }

    /// Ports that write a step's results to a memory.
    pub fn writes(&self, m: &'m Module, name: &str, cases: &[When<'m>], data: Sig<'m>) {
        self.ask(m, &format!("{name}_write"), self.at(cases, 0));
        m.output(format!("{name}_data"), data.ty()).set(data);
    }

    /// The last step of the instruction, in any of the cases.
    pub fn last_at(&self, cases: &[When<'m>]) -> Sig<'m> {
        let ends = |&(here, clock): &When<'m>| here & self.valid[clock] & self.last[clock];
        cases[1..].iter().fold(ends(&cases[0]), |any, case| any | ends(case))
    }
}
