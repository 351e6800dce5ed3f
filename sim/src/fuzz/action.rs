//! What a session of a case does.

use sterna_firmware::device::Want;
use sterna_rtl::random::Rng;

use crate::session::{Batch, Interrupt, Session, Under};

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
    /// A reset in the middle of something, after which all states are clear.
    Reset(Interrupt),
}

impl Action {
    /// What is asked of a core of so many slots that has just been given a model of so many tokens,
    /// a `light` one or one that takes its time.
    pub fn of(rng: &mut Rng, vocab: u32, slots: usize, light: bool) -> Vec<Action> {
        let source = &mut Source { rng, vocab, slots, light };
        // A run tells how long one takes, and of several slots none must have been cleared.
        let mut actions = vec![match slots {
            1 => Action::Pass(Want::Top, Some(source.token())),
            _ => Action::Batch(source.batch(true)),
        }];
        for _ in 0..source.rng.below(5) {
            actions.push(match slots {
                _ if source.rng.one_in(6) => Action::Reset(source.interrupt()),
                1 => source.of_one(),
                _ => source.of_several(),
            });
        }
        // What a reset leaves is for a run to show.
        if let Some(Action::Reset(_)) = actions.last() {
            let again = actions[0].clone();
            actions.push(again);
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
            Action::Reset(Interrupt { under: Under::Run(Batch { tokens, stops, .. }), .. }) => {
                let tokens = tokens.iter_mut().flatten();
                tokens.chain(stops).for_each(|token| *token %= vocab);
            }
            Action::SaveAndLoad | Action::Move(..) | Action::Clear(_) | Action::Reset(_) => {}
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
            Action::Reset(interrupt) => session.interrupt(interrupt),
        }
    }
}

/// Where actions come from.
struct Source<'a> {
    rng: &'a mut Rng,
    vocab: u32,
    slots: usize,
    light: bool,
}

impl Source<'_> {
    fn token(&mut self) -> u32 {
        self.rng.below(self.vocab.into()) as u32
    }

    fn slot(&mut self) -> usize {
        self.rng.below(self.slots as u64) as usize
    }

    fn stops(&mut self) -> Vec<u32> {
        (0..self.rng.below(5)).map(|_| self.token()).collect()
    }

    /// Passes of a run.
    fn count(&mut self) -> usize {
        let most = if self.light && self.rng.one_in(6) { 40 } else { 4 };
        1 + self.rng.below(most) as usize
    }

    fn of_one(&mut self) -> Action {
        match self.rng.below(6) {
            0 => Action::Pass(Want::Top, None),
            1 => Action::Pass(Want::Logits, None),
            2 => Action::Pass(Want::State, Some(self.token())),
            3 => Action::SaveAndLoad,
            _ => Action::Run(self.count(), self.stops()),
        }
    }

    fn of_several(&mut self) -> Action {
        match self.rng.below(8) {
            0 => Action::Move(self.slot(), self.slot()),
            1 => Action::Clear(1 + self.rng.below((1 << self.slots) - 1) as u32),
            2 => Action::Batch(self.batch(true)),
            _ => Action::Batch(self.batch(false)),
        }
    }

    /// A run of all slots, or of some.
    fn batch(&mut self, all: bool) -> Batch {
        let (one, slots) = (self.slot(), self.slots);
        let mut token = |slot| (all || slot == one || self.rng.one_in(2)).then(|| self.token());
        let tokens = (0..slots).map(&mut token).collect();
        let want = [Want::Top, Want::Top, Want::Logits, Want::State][self.rng.below(4) as usize];
        let chain = self.slots > 1 && self.rng.one_in(2);
        let several = want == Want::Top && !chain && self.rng.one_in(2);
        let count = if several { self.count() } else { 1 };
        Batch { tokens, chain, want, count, stops: self.stops() }
    }

    fn interrupt(&mut self) -> Interrupt {
        let under = match self.rng.below(6) {
            0 => Under::Save(self.slot()),
            1 => Under::Load(self.slot()),
            _ => Under::Run(self.batch(false)),
        };
        Interrupt { under, after: self.rng.below(1000) as u32, pin: self.rng.one_in(3) }
    }
}
