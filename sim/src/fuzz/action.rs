//! What a session of a case does.

use sterna_firmware::device::Want;
use sterna_rtl::random::Rng;

use crate::session::{Batch, Session};

/// Something that a session does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A pass, of a token that is not the best if there is one.
    Pass(Want, Option<u32>),
    /// The core's own loop.
    Run(usize, Vec<u32>),
    /// The state out and in again.
    SaveAndLoad,
    /// Several sequences, each in its slot, or a chain of tokens.
    Batch(Batch),
    /// The state of a slot out, and into the same or another.
    Move(usize, usize),
    /// The states of slots are cleared, a bit each.
    Clear(u32),
}

impl Action {
    /// What a card with one sequence does, a pass first.
    pub fn of_one(rng: &mut Rng, vocab: u32) -> Vec<Action> {
        let token = |rng: &mut Rng| rng.below(vocab.into()) as u32;
        let mut actions = vec![Action::Pass(Want::Top, Some(token(rng)))];
        for _ in 0..rng.below(4) {
            actions.push(match rng.below(6) {
                0 => Action::Pass(Want::Top, None),
                1 => Action::Pass(Want::Logits, None),
                2 => Action::Pass(Want::State, Some(token(rng))),
                3 => Action::SaveAndLoad,
                _ => {
                    let count = 1 + rng.below(4) as usize;
                    Action::Run(count, (0..rng.below(5)).map(|_| token(rng)).collect())
                }
            });
        }
        actions
    }

    /// What is asked of a core of several slots, whose states are clear: all of them first, then
    /// any.
    pub fn of_several(rng: &mut Rng, vocab: u32, slots: usize) -> Vec<Action> {
        let slot = |rng: &mut Rng| rng.below(slots as u64) as usize;
        let mut actions = vec![Action::Batch(batch(rng, vocab, &vec![true; slots]))];
        for _ in 0..1 + rng.below(3) {
            actions.push(match rng.below(8) {
                0 => Action::Move(slot(rng), slot(rng)),
                1 => Action::Clear(1 + rng.below((1 << slots) - 1) as u32),
                2 => Action::Batch(batch(rng, vocab, &vec![true; slots])),
                _ => {
                    let mut mask: Vec<bool> = (0..slots).map(|_| rng.one_in(2)).collect();
                    mask[slot(rng)] = true;
                    Action::Batch(batch(rng, vocab, &mask))
                }
            });
        }
        actions
    }

    /// Keeps its tokens below a number.
    pub fn limit(&mut self, vocab: u32) {
        match self {
            Action::Pass(_, token) => token.iter_mut().for_each(|token| *token %= vocab),
            Action::Run(_, stops) => stops.iter_mut().for_each(|stop| *stop %= vocab),
            Action::Batch(Batch { tokens, stops, .. }) => {
                let tokens = tokens.iter_mut().flatten();
                tokens.chain(stops).for_each(|token| *token %= vocab);
            }
            Action::SaveAndLoad | Action::Move(..) | Action::Clear(_) => {}
        }
    }

    pub fn play(&self, session: &mut Session) -> sterna_firmware::Result<()> {
        match self {
            Action::Pass(want, token) => {
                if let Some(token) = token {
                    session.set_token(*token);
                }
                session.pass(*want)
            }
            Action::Run(count, stops) => session.run(*count, stops),
            Action::SaveAndLoad => session.save_and_load(),
            Action::Batch(batch) => session.batch(batch).map(|_| ()),
            Action::Move(from, to) => session.move_state(*from, *to),
            Action::Clear(mask) => session.clear_slots(*mask),
        }
    }
}

/// A run of some slots.
fn batch(rng: &mut Rng, vocab: u32, mask: &[bool]) -> Batch {
    let token = |rng: &mut Rng| rng.below(vocab.into()) as u32;
    let tokens = mask.iter().map(|&here| here.then(|| token(rng))).collect();
    let want = [Want::Top, Want::Top, Want::Logits, Want::State][rng.below(4) as usize];
    let chain = rng.one_in(2);
    let several = want == Want::Top && !chain && rng.one_in(2);
    let count = if several { 1 + rng.below(4) as usize } else { 1 };
    let stops = (0..rng.below(5)).map(|_| token(rng)).collect();
    Batch { tokens, chain, want, count, stops }
}
