//! The ways side by side: from accumulator to result.

use sterna_model::numerics::formats::{SIGMA_ARG_FRAC, STATE_BITS};
use sterna_rtl::{Instance, Module, Sig, UInt};

use super::Way;
use super::inputs::Inputs;
use super::now::Held;
use super::pipe::{Pipe, at};
use super::steps::Steps;
use crate::core::ACCUMULATOR;
use crate::core::instruction::FRAC;
use crate::slots;
use crate::units::Rescale;

/// The ways, and their results, 32 bits each in a lane; `pipe.rs` says when they are there.
pub(super) struct Ways<'m> {
    all: Vec<Instance<'m>>,
    pub pres: Sig<'m>,
    pub silus: Sig<'m>,
    /// The new state, or the gated vector.
    pub gated: Sig<'m>,
    pub products: Sig<'m>,
    /// The new residual.
    pub sums: Sig<'m>,
    pub gs: Sig<'m>,
}

/// What a way has to have of the sequence whose step it is.
struct Own<'m> {
    /// There is a step, and its sequence takes part.
    counts: Sig<'m>,
    factor: Sig<'m>,
    shift: Sig<'m>,
    fresh: Sig<'m>,
}

impl<'m> Own<'m> {
    fn new(inputs: &Inputs<'m>, held: &Held<'m>, turn: slots::Slot<'m>, pipe: &Pipe<'m>) -> Self {
        let slots = inputs.groups.len() as u32;
        let in_matrix = pipe.valid[0];
        let counts = match turn.zip(inputs.mask) {
            None => in_matrix,
            Some((turn, mask)) => in_matrix & turn.select(&slots::lanes(mask, slots)),
        };
        let factor = slots::pick(turn, &held.factor);
        let shift = match slots {
            1 => held.shift[0],
            _ => {
                let at = |clock: usize| slots::pick(pipe.slot[clock], &held.shift);
                at(Rescale::SHIFT).slice(3..6).cat(at(Rescale::SHIFT + 1).truncate(3))
            }
        };
        let fresh = slots::pick(pipe.slot[at::SIGMA], &slots::lanes(inputs.fresh, slots));
        Own { counts, factor, shift, fresh }
    }
}

impl<'m> Ways<'m> {
    pub fn new(
        m: &'m Module,
        ways: u32,
        inputs: &Inputs<'m>,
        held: &Held<'m>,
        steps: &Steps<'m>,
        pipe: &Pipe<'m>,
    ) -> Ways<'m> {
        let now = &held.now;
        let [frac, state_frac] = held.fracs();
        let argument_frac = now
            .mix_f
            .mux(m.lit(UInt(FRAC), SIGMA_ARG_FRAC), now.mix_g.mux(state_frac, frac))
            .register("argument_frac");
        let own = Own::new(inputs, held, steps.turn, pipe);
        let way = |i: u32| {
            let way = m.instance(format!("u_way_{i}"), &Way);
            way.set("valid", own.counts);
            way.set("acc", steps.accs.lane(i, ACCUMULATOR).as_sint());
            way.set("factor", own.factor).set("shift", own.shift).set("frac", argument_frac);
            way.set("fresh", own.fresh);
            for (name, sig) in now.to_way() {
                way.set(name, sig);
            }
            for (name, sig, width) in inputs.operands.as_they_are() {
                way.set(name, sig.lane(i, width));
            }
            let of = inputs.operands.state.lane(i, STATE_BITS);
            let of = match inputs.mask {
                None => of,
                // MIX_F left the new one in the mix memory.
                Some(_) => now.mix_g.mux(inputs.operands.mix.lane(i, 32).truncate(STATE_BITS), of),
            };
            way.set("state", of);
            way
        };
        let all: Vec<Instance<'m>> = (0..ways).map(way).collect();
        let lanes = |name: &str| lanes(&all, name);
        let (pres, silus, gated) = (lanes("pre"), lanes("silu"), lanes("gated"));
        let (products, sums, gs) = (lanes("p"), lanes("sum"), lanes("g"));
        Ways { all, pres, silus, gated, products, sums, gs }
    }

    /// The new state, as the state memory has it.
    pub fn states(&self, m: &'m Module) -> Sig<'m> {
        let ways = self.all.iter().rev();
        let states: Vec<Sig<'m>> =
            ways.map(|way| way.port("gated").truncate(STATE_BITS).as_uint()).collect();
        m.cat(&states)
    }

    /// How many ways clamped something in this clock.
    pub fn clamps(&self, m: &'m Module) -> Sig<'m> {
        let none = m.lit(UInt(4), 0);
        self.all.iter().fold(none, |sum, way| (sum + way.port("clamps")).truncate(4))
    }
}

/// A result of every way, 32 bits each.
fn lanes<'m>(ways: &[Instance<'m>], name: &str) -> Sig<'m> {
    let parts: Vec<Sig<'m>> =
        ways.iter().rev().map(|way| way.port(name).extend(32).as_uint()).collect();
    ways[0].module().cat(&parts).named(format!("{name}_lanes"))
}
