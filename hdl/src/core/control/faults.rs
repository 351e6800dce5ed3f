//! Faults: what is found, what is told of it, and how the engine comes to rest.

use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::commands::Verdict;
use super::inputs::{Alarms, Heard};
use super::kept::Kept;
use crate::fault::Fault;

/// What is under way.
pub(super) struct Activity<'m> {
    pub busy: Sig<'m>,
    /// A command is obeyed, and nothing was wrong yet.
    pub working: Sig<'m>,
    /// A beat of the image is taken.
    pub image_fires: Sig<'m>,
}

impl<'m> Activity<'m> {
    pub fn new(heard: &Heard<'m>, kept: &Kept<'m>) -> Activity<'m> {
        let at = |of| kept.state.at(of);
        let busy = (!at(State::Idle)).named("busy");
        let working = (busy & !at(State::Drain) & !at(State::Clear)).named("working");
        let image_fires = (heard.image_valid & heard.image_want).named("image_fires");
        Activity { busy, working, image_fires }
    }
}

/// Whether nothing has made progress for too long.
pub(super) fn late<'m>(
    m: &'m Module,
    watchdog: Sig<'m>,
    heard: &Heard<'m>,
    kept: &Kept<'m>,
    activity: &Activity<'m>,
) -> Sig<'m> {
    let &Activity { working, image_fires, .. } = activity;
    let quiet = m.reg("quiet", UInt(32)).reset(0).comment("Clocks without progress.");
    let progress = image_fires | heard.moves | !working | kept.state.at(State::Check);
    let progress = progress.register("progressed").reset(1);
    quiet.set(progress.mux(m.lit(UInt(32), 0), quiet.wrapping_add(1)));
    (working & watchdog.ne(0) & quiet.ge(watchdog)).register("late").reset(0)
}

/// Ends a command at the first fault: one of those that control sees itself, each beside whether it is
/// there, or one of which it is told.
pub(super) fn stop<'m>(
    m: &'m Module,
    verdict: &Verdict<'m>,
    (late, unread): (Sig<'m>, Sig<'m>),
    alarms: &Alarms<'m>,
    kept: &Kept<'m>,
    working: Sig<'m>,
) {
    let code = |fault: Fault| m.lit(UInt(8), fault as u8);
    let kinds = [
        (verdict.refuse, Fault::Command),
        (verdict.stale, Fault::StateInvalid),
        (late, Fault::Watchdog),
        (unread, Fault::Command),
        (alarms.bad_write, Fault::WriteResponse),
        (alarms.bad_read, Fault::ReadResponse),
        (alarms.bad_row, Fault::Row),
        (alarms.bad_trit, Fault::TritBlock),
    ];
    // Later ones are more particular, and count where two come together.
    let found =
        kinds.iter().fold(m.lit(UInt(8), 0), |found, &(here, fault)| here.mux(code(fault), found));
    let &Alarms { front_fault, front_segment, bad_trit, trit_segment, segment, .. } = alarms;
    let found = front_fault.any().mux(front_fault, found).named("found");
    // By itself, for so much hangs on it.
    let mut fails: Vec<Sig<'_>> = kinds.iter().map(|&(here, _)| here).collect();
    fails.push(front_fault.any());
    let fails = (working & m.cat(&fails).any()).named("fails");
    let place = front_fault.any().mux(front_segment, bad_trit.mux(trit_segment, segment));
    let Kept { state, starts, outcome, sequences, .. } = kept;
    m.when(fails, || {
        outcome.failed.set(1);
        outcome.done.set(0);
        outcome.error.set(found);
        outcome.segment.set(place);
        // A command that was never begun has not touched the state.
        m.when(!verdict.refuse, || sequences.valid.set(0));
        starts.take_back();
        state.go(State::Drain);
    });
}

/// After a fault, and at a reset, lets all that was asked for arrive, and then clears the engine.
/// Returns whether it is at that.
pub(super) fn drain<'m>(
    m: &'m Module,
    reset: Sig<'m>,
    heard: &Heard<'m>,
    kept: &Kept<'m>,
) -> Sig<'m> {
    let Kept { state, starts, outcome, sequences, .. } = kept;
    let &Heard { image_busy, row_busy, writer_busy, .. } = heard;
    m.when(reset, || {
        outcome.forget();
        sequences.valid.set(0);
        starts.take_back();
        state.go(State::Drain);
    });
    let draining = state.at(State::Drain).named("draining");
    // Whoever was started in the first of its clocks is busy in the third.
    let settled = [draining.register("drains_1").reset(0), m.reg("drains_2", UInt(1)).reset(0)];
    settled[1].set(draining & settled[0]);
    let drained = settled[1] & !image_busy & !row_busy & !writer_busy;
    m.when(draining & drained & !reset, || state.go(State::Clear));
    m.when(state.at(State::Clear) & !reset, || state.go(State::Idle));
    m.output("halt", UInt(1)).set(draining | state.at(State::Clear));
    m.output("clear", UInt(1)).comment("Resets the engine.").set(state.at(State::Clear));
    draining
}
