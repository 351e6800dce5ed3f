//! What the head takes, what clamped, and what a simulation sees.

use sterna_rtl::{Module, SInt, Sig, UInt};

use super::now::Now;
use super::pipe::{Pipe, When, at};
use super::steps::Steps;
use super::ways::Ways;
use crate::core::ACCUMULATOR;
use crate::slots;

/// The head's accumulators, as they come.
pub(super) fn to_head<'m>(m: &'m Module, steps: &Steps<'m>, head_ends: Sig<'m>) {
    let slots = steps.firsts.len() as u32;
    m.output("head_valid", UInt(1)).set(steps.in_head);
    m.output("head_acc", slots::ty(SInt(ACCUMULATOR), slots)).set(slots::join(m, &steps.firsts));
    m.output("head_token", UInt(20)).set(steps.count.truncate(20));
    m.output("head_last", UInt(1)).set(head_ends);
}

/// The result of each step, for a simulation beside golden, and how many ways clamped.
pub(super) fn show<'m>(m: &'m Module, now: &Now<'m>, pipe: &Pipe<'m>, ways: &Ways<'m>) {
    let clamps = ways.clamps(m);
    m.output("clamps", UInt(4)).set(clamps.register("clamps_now").reset(0));
    let shown = [
        (now.mix_i, at::PRE, ways.pres),
        (now.mix_f, at::STATE, ways.gated),
        (now.mix_g, at::V, ways.gated),
        (now.up, at::PRODUCT, ways.products),
        (now.adds, at::RESIDUAL, ways.sums),
    ];
    let cases: Vec<When<'m>> = shown.iter().map(|s| (s.0, s.1)).collect();
    let shows = pipe.at(&cases, 0);
    m.output("shown_valid", UInt(1)).set(shows.valid);
    if let Some(slot) = shows.slot {
        m.output("shown_slot", slot.ty()).set(slot);
    }
    let none = m.lit(ways.pres.ty(), 0);
    let shown = shown.iter().fold(none, |value, s| s.0.mux(s.2, value));
    m.output("shown", shown.ty()).set(shown);
}
