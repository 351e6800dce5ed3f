//! A run of passes, token after token, and the moves of a state.

use sterna_rtl::{Module, Sig};

use super::State;
use super::inputs::{Heard, Wanted};
use super::kept::{Kept, Starts};
use crate::core::{ADDRESS, Control};
use crate::registers::STOP_VALID;
use crate::slots;

/// Ends passes and begins the next ones, with the best tokens of the last. Returns whether one ended
/// whose image was not read to its end.
pub(super) fn run<'m>(
    m: &'m Module,
    wanted: &Wanted<'m>,
    heard: &Heard<'m>,
    kept: &Kept<'m>,
) -> Sig<'m> {
    let Kept { state, starts, sequences, run, .. } = kept;
    let no_head = kept.command.no_head;
    m.when(heard.pass_ok, || run.sound.set(1));
    m.when(heard.layers_ended, || run.layers_done.set(1));
    let state_only = (state.at(State::Pass) & no_head & run.sound & run.layers_done & !starts.pass)
        .named("state_only_ends");
    let state_only = state_only.delay_valid("state_only", Control::LAST as usize);
    let pass_ends = (state.at(State::Pass) & (heard.best_given | state_only)).named("pass_ends");
    let unread = (pass_ends & heard.image_busy).delay_valid("image_unread", 1);
    let stops_here = stops_here(m, wanted, heard);
    // Who goes on, where there are several.
    let several = &sequences.several;
    let others = several.as_ref().map(|several| several.mask & !slots::join(m, &stops_here));
    let ended = others.map_or(stops_here[0], |others| !others.any());
    let over = (no_head | run.left.eq(1) | ended).register("over");
    m.when(pass_ends, || {
        sequences.mark_fresh(|several| several.owners, false);
        run.left.set(run.left.wrapping_sub(1));
        m.when(!no_head, || sequences.keep_best(&heard.best));
        m.when(over | heard.image_busy, || state.go(State::Record)).otherwise(|| {
            starts.pass.set(1);
            sequences.go_on_with(&heard.best);
            if let Some((several, others)) = several.as_ref().zip(others) {
                several.mask.set(others);
            }
            run.begin_pass();
        });
    });
    unread
}

/// Of each slot whether its best token is one of the stops.
fn stops_here<'m>(m: &'m Module, wanted: &Wanted<'m>, heard: &Heard<'m>) -> Vec<Sig<'m>> {
    let stops_here = heard.best.iter().enumerate().map(|(n, best)| {
        let stops = wanted.stops.iter();
        let stops: Vec<Sig<'_>> = stops.map(|stop| stop.eq(best.extend(21) | STOP_VALID)).collect();
        let name = slots::name("stops_here", heard.best.len() as u32, n as u32);
        m.cat(&stops).register(name).any()
    });
    stops_here.collect()
}

/// Counts records, which are `stride` bytes apart, and is done behind the last.
pub(super) fn record<'m>(
    m: &'m Module,
    heard: &Heard<'m>,
    bad_write: Sig<'m>,
    kept: &Kept<'m>,
    stride: u32,
) {
    let Kept { state, run, .. } = kept;
    // After a fault the writer comes to rest as well, its record written or not.
    let written = state.at(State::Pass) | state.at(State::Record);
    let recorded = heard.recorded.delay_valid("was_recorded", 1);
    m.when(recorded & written & !bad_write, || {
        run.tokens_done.set(run.tokens_done.wrapping_add(1));
        run.index.set(run.index.wrapping_add(1));
        run.record_addr.set((run.record_addr + stride).truncate(ADDRESS));
    });
    m.when(state.at(State::Record) & heard.head_idle & !heard.best_given, || {
        m.when(kept.command.no_head, || run.tokens_done.set(1));
        kept.finish();
    });
}

/// Waits for a state to be saved or loaded.
pub(super) fn move_state<'m>(m: &'m Module, heard: &Heard<'m>, kept: &Kept<'m>) {
    let Kept { state, sequences, .. } = kept;
    let &Heard { mover_busy, writer_busy, row_busy, .. } = heard;
    let Starts { save, load, .. } = kept.starts;
    let moves_state = state.at(State::Save) | state.at(State::Load);
    let moved = moves_state & !mover_busy & !save & !load & !writer_busy & !row_busy;
    let moved = moved.delay_valid("moved", 1);
    m.when(state.at(State::Save) & moved, || kept.finish());
    m.when(state.at(State::Load) & moved, || {
        sequences.mark_valid(|several| several.lowest, true);
        sequences.mark_fresh(|several| several.lowest, false);
        kept.finish();
    });
}
