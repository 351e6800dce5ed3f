//! From a command's bits to what is begun: whether it is legal, and whether its state is there.

use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::inputs::Wanted;
use super::kept::Kept;
use crate::registers::command;

/// What becomes of the command that has come.
pub(super) struct Verdict<'m> {
    /// RESET is asked for, which is obeyed at any time.
    pub reset: Sig<'m>,
    /// It runs passes.
    pub run: Sig<'m>,
    /// It is not legal.
    pub refuse: Sig<'m>,
    /// It needs a state that is not valid.
    pub stale: Sig<'m>,
}

/// Which command is obeyed, a bit each.
struct Kinds<'m> {
    run: Sig<'m>,
    clears: Sig<'m>,
    saves: Sig<'m>,
    loads: Sig<'m>,
}

/// Takes a command; a clock later its registers are checked, and another one later it is refused, or
/// begun. `most_units` is the greatest size of a state.
pub(super) fn obey<'m>(
    m: &'m Module,
    wanted: &Wanted<'m>,
    kept: &Kept<'m>,
    most_units: u32,
) -> Verdict<'m> {
    let state = &kept.state;
    let reset = wanted.commands.bit(command::RESET.trailing_zeros());
    let obey = (state.at(State::Idle) & wanted.commands.any() & !reset).named("obeys");
    m.when(obey, || {
        kept.command.take(wanted.commands);
        kept.outcome.forget();
        kept.run.tokens_done.set(0);
        state.go(State::Check);
    });
    let kinds = Kinds {
        run: kept.command.is(command::RUN),
        clears: kept.command.is(command::CLEAR),
        saves: kept.command.is(command::SAVE),
        loads: kept.command.is(command::LOAD),
    };
    let legal = legal(wanted, kept, &kinds, most_units).register("legal");
    let checked = m.reg("checked", UInt(1)).reset(0).comment("`legal` is of this command.");
    checked.set(state.at(State::Check) & !checked);
    let decide = (state.at(State::Check) & checked).named("decides");
    let refuse = (decide & !legal).named("refuses");
    let there = state_there(kept, &kinds);
    let absent = ((kinds.run | kinds.saves) & !there).register("state_absent");
    let stale = (decide & legal & absent).named("stale");
    m.when(decide & legal & !stale, || begin(m, wanted, kept, &kinds));
    Verdict { reset, run: kinds.run, refuse, stale }
}

/// Whether it is one command alone, whose registers say something that there is.
fn legal<'m>(wanted: &Wanted<'m>, kept: &Kept<'m>, kinds: &Kinds<'m>, most_units: u32) -> Sig<'m> {
    let &Kinds { run, clears, saves, loads } = kinds;
    let several = &kept.sequences.several;
    let (state_units, slot_mask) = (wanted.state_units, wanted.slot_mask);
    let (no_head, chain) = (kept.command.no_head, kept.command.chain);
    let only_one = kept.command.kinds();
    let only_one = (only_one & only_one.wrapping_sub(1)).eq(0).named("one_command");
    let state_fits = (state_units.ne(0) & state_units.le(most_units)).named("state_fits");
    let run_fits = (wanted.passes.ne(0)
        & several.as_ref().map_or(slot_mask.eq(1), |several| several.exist)
        & wanted.image_units.ne(0)
        & wanted.row_units.ge(2)
        & (!(no_head | chain) | wanted.passes.eq(1)))
    .named("run_fits");
    let legal = only_one & (!run | run_fits) & (!(saves | loads) | state_fits);
    match several {
        None => legal & (!clears | slot_mask.eq(1)),
        Some(several) => legal & several.exist,
    }
}

/// Whether the states that it goes on from are valid.
fn state_there<'m>(kept: &Kept<'m>, kinds: &Kinds<'m>) -> Sig<'m> {
    let valid = kept.sequences.valid;
    match &kept.sequences.several {
        None => valid,
        Some(several) => {
            let all = (kinds.saves | kept.command.chain).mux(several.asked_lowest, several.asked);
            (valid | !all).all()
        }
    }
}

/// Begins what is legal; clearing is done at once.
fn begin<'m>(m: &'m Module, wanted: &Wanted<'m>, kept: &Kept<'m>, kinds: &Kinds<'m>) {
    let Kept { state, starts, sequences, run, .. } = kept;
    if let Some(several) = &sequences.several {
        several.mask.set(several.asked);
    }
    m.when(kinds.clears, || {
        sequences.mark_valid(|several| several.asked, true);
        sequences.mark_fresh(|several| several.asked, true);
        kept.finish();
    });
    m.when(kinds.saves, || {
        starts.save.set(1);
        state.go(State::Save);
    });
    m.when(kinds.loads, || {
        starts.load.set(1);
        sequences.mark_valid(|several| several.asked_lowest, false);
        state.go(State::Load);
    });
    m.when(kinds.run, || {
        starts.pass.set(1);
        sequences.go_on_with(&wanted.first_tokens);
        run.left.set(wanted.passes);
        run.index.set(0);
        run.record_addr.set(wanted.result);
        run.begin_pass();
        state.go(State::Pass);
    });
}
