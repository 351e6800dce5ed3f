//! What weights wait for: codes, places for their row groups, and that the instruction is handed on.

use sterna_rtl::{Module, Sig, UInt, index_width};

use super::payload::Payload;
use super::reader::Inputs;

/// What may keep the next beat of weights waiting.
pub(super) struct Stall<'m> {
    /// `issue` has not taken the instruction yet.
    pub pending: Sig<'m>,
    /// The vector's codes were not all met yet: its first row group.
    new_codes: Sig<'m>,
    /// Weights may be taken in the next clock.
    pub weights_may: Sig<'m>,
}

impl<'m> Stall<'m> {
    /// `places` is how many row groups may wait for the epilogue.
    pub fn new(
        m: &'m Module,
        places: usize,
        inputs: &Inputs<'m>,
        payload: &Payload<'m>,
        fires: Sig<'m>,
    ) -> Stall<'m> {
        let &Payload { run, ends, group_ends, weight_fires, .. } = payload;
        let full_then = full_then(m, places, inputs.group_taken, payload);
        // An instruction is handed on before its payload: then the one two before it is done, and
        // its operands may be overwritten.
        let pending = m.reg("pending", UInt(1)).reset(0).comment("`issue` was not taken yet.");
        let new_codes =
            m.reg("new_codes", UInt(1)).comment("The vector's codes were not all met yet.");
        m.when(group_ends, || new_codes.set(0));
        let first_then = (ends | (run.first & !fires)).named("first_then");
        let codes_may = (inputs.code_there | !new_codes | group_ends).named("codes_may");
        let weights_may = (codes_may & !(first_then & full_then)).named("weights_may");
        m.output("code_taken", UInt(1))
            .comment("A beat takes codes that it meets first.")
            .set(weight_fires & new_codes);
        Stall { pending, new_codes, weights_may }
    }

    /// A payload begins, with a vector of codes of its own; START has nobody to be handed to.
    pub fn begin(&self, starting: Sig<'m>) {
        self.new_codes.set(1);
        self.pending.set(!starting);
    }
}

/// Counts the row groups that the epilogue has not taken; whether in the next clock they have no
/// place for another.
fn full_then<'m>(
    m: &'m Module,
    places: usize,
    group_taken: Sig<'m>,
    payload: &Payload<'m>,
) -> Sig<'m> {
    let waiting = m
        .reg("waiting", UInt(index_width(places + 1)))
        .reset(0)
        .comment("Row groups not yet taken.");
    let full = m.reg("full", UInt(1)).reset(0).comment("They have no place for another.");
    let group_taken = group_taken.delay_valid("group_gone", 1);
    let group_begins = (payload.weight_fires & payload.run.first).named("group_begins");
    let fills = (group_begins & waiting.eq(places - 1)).named("fills");
    let full_then = (!group_taken & (full | fills)).named("full_then");
    full.set(full_then);
    m.when(group_begins & !group_taken, || waiting.set(waiting.wrapping_add(1)));
    m.when(group_taken & !group_begins, || waiting.set(waiting.wrapping_sub(1)));
    m.assert("a_place_for_every_group", waiting.le(places));
    m.assert("full_as_waiting", full.eq(waiting.eq(places)));
    full_then
}
