//! The trait that every device implements: same commands, same tests, on all of them.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::error::{FirmwareError, Result};
use crate::shape::Shape;

/// Candidates that a device reports for a token: sampling is defined on these, so one seed
/// gives one text everywhere.
pub const TOP_K_MAX: usize = 64;

/// One sequence's share of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which sequence (slot of recurrent state).
    pub slot: usize,
    /// The token that enters.
    pub token: u32,
    /// What is wanted of the head.
    pub want: Want,
}

/// How far a pass goes for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Advance the state; stop before the head.
    State,
    /// The best [`TOP_K_MAX`] tokens.
    Top,
    /// The best tokens and every logit.
    Logits,
}

/// A token that may come next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The token.
    pub token: u32,
    /// Its logit.
    pub logit: f32,
}

/// What the head says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// The best tokens, best first; of equal ones the lowest first. Empty for [`Want::State`].
    pub top: Vec<Candidate>,
    /// All logits, `[vocab]`; empty unless [`Want::Logits`].
    pub logits: Vec<f32>,
}

/// The recurrent state of a sequence, `[layers, inner]`.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// As the hardware has it, in each layer's unit.
    Fixed(Vec<i32>),
    /// As the published model has it.
    Float(Vec<f32>),
}

impl State {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        match self {
            State::Fixed(state) => state.len(),
            State::Float(state) => state.len(),
        }
    }
}

/// What a core counted in its last pass or run; `cycles` = `beats` + `starved` + `blocked` +
/// `idle`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Clocks.
    pub cycles: u64,
    /// Clocks in which a beat of the image was taken.
    pub beats: u64,
    /// Clocks in which the core could have taken a beat and had none.
    pub starved: u64,
    /// Clocks in which a beat waited for the core.
    pub blocked: u64,
    /// Clocks in which there was no beat and none was wanted.
    pub idle: u64,
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Counters) {
        self.cycles += other.cycles;
        self.beats += other.beats;
        self.starved += other.starved;
        self.blocked += other.blocked;
        self.idle += other.idle;
    }
}

/// What one of a device's own sensors says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// What the sensor is called.
    pub name: String,
    /// In the unit.
    pub value: f64,
    /// `W`, `V`, `A`, `°C`.
    pub unit: &'static str,
}

/// Something that executes an image.
pub trait Device {
    /// What the user calls it: `golden`, `float`, ….
    fn name(&self) -> &'static str;

    /// Dimensions of the loaded model.
    fn shape(&self) -> Shape;

    /// Sequences that can be in flight.
    fn slots(&self) -> usize;

    /// Forgets a sequence: its state becomes zero.
    fn clear(&mut self, slot: usize) -> Result<()>;

    /// Advances each named sequence by one token, all in one pass over the weights.
    ///
    /// Returns one [`Head`] per step, in order. Steps are checked before anything changes; on
    /// a later error the states of the named slots are undefined and must be cleared.
    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>>;

    /// Advances a sequence by several tokens, which share passes over the weights where the device
    /// can do that; no value depends on how many.
    ///
    /// Returns the head of the last one, as far as it is wanted; of no tokens an empty one. Slot
    /// and tokens are checked before anything changes; after a later error the sequence is
    /// undefined and must be cleared.
    fn prompt(&mut self, slot: usize, tokens: &[u32], want: Want) -> Result<Head> {
        check_prompt(slot, tokens, self.slots(), self.shape().vocab)?;
        let mut head = Head::default();
        for (n, &token) in tokens.iter().enumerate() {
            let want = if n + 1 == tokens.len() { want } else { Want::State };
            head = self.pass(&[Step { slot, token, want }])?.pop().unwrap_or_default();
        }
        Ok(head)
    }

    /// Advances a sequence by up to `count` tokens, each the best one after the token before,
    /// without the caller choosing: what a core does by itself.
    ///
    /// `token` enters first. `emit` gets the head of every pass, of which the first candidate
    /// enters next; after one that is in `stops` nothing enters. A sequence whose `emit` breaks
    /// off, or that fails, is undefined and must be cleared.
    fn generate(
        &mut self,
        slot: usize,
        token: u32,
        count: usize,
        stops: &[u32],
        emit: &mut dyn FnMut(Head) -> ControlFlow<()>,
    ) -> Result<()> {
        self.generate_all(&[(slot, token)], count, stops, &mut |_, head| emit(head))
    }

    /// The same for several sequences, each up to `count` tokens or its own stop, which share
    /// passes over the weights where the device can do that.
    ///
    /// `starts` are slots, none twice, and the tokens that enter them first. `emit` also gets whose
    /// head it is, as a place in `starts`; those of one sequence come in order. After it breaks
    /// off, or an error, all of them are undefined.
    fn generate_all(
        &mut self,
        starts: &[(usize, u32)],
        count: usize,
        stops: &[u32],
        emit: &mut dyn FnMut(usize, Head) -> ControlFlow<()>,
    ) -> Result<()> {
        check_starts(starts, self.slots(), self.shape().vocab)?;
        let mut active: Vec<(usize, Step)> =
            starts.iter().copied().map(start).enumerate().collect();
        for _ in 0..count {
            if active.is_empty() {
                break;
            }
            let steps: Vec<Step> = active.iter().map(|(_, step)| *step).collect();
            for ((n, step), head) in active.iter_mut().zip(self.pass(&steps)?) {
                step.token = head.top.first().map_or(step.token, |best| best.token);
                if emit(*n, head).is_break() {
                    return Ok(());
                }
            }
            active.retain(|(_, step)| !stops.contains(&step.token));
        }
        Ok(())
    }

    /// A copy of a sequence's state.
    fn save(&mut self, slot: usize) -> Result<State>;

    /// Gives a sequence a state that one of this model had, on a device with this arithmetic.
    fn restore(&mut self, slot: usize, state: &State) -> Result<()>;

    /// Brings the device to rest, whatever it does, and clears every sequence.
    fn reset(&mut self) -> Result<()> {
        (0..self.slots()).try_for_each(|slot| self.clear(slot))
    }

    /// What the core counted in the last pass or run; `None` for a device without clocks.
    fn counters(&mut self) -> Result<Option<Counters>> {
        Ok(None)
    }

    /// Bytes that are sent to the device for every token, because its memory is too small for the
    /// model; `None` where it holds the model.
    fn streamed(&self) -> Option<u64> {
        None
    }

    /// What the device's own sensors say now; none for one that has none.
    fn sensors(&mut self) -> Vec<Reading> {
        vec![]
    }

    /// Transfers to the device that were tried again, since it was opened.
    fn retries(&self) -> u64 {
        0
    }

    /// Values clamped since the device was made; a sound image has none.
    fn saturations(&self) -> u64;
}

/// The checks that every device makes before a pass.
pub fn check_steps(steps: &[Step], slots: usize, vocab: usize) -> Result<()> {
    let mut seen = vec![false; slots];
    for step in steps {
        let free = seen.get_mut(step.slot).ok_or(FirmwareError::Slot { slot: step.slot, slots })?;
        if std::mem::replace(free, true) {
            return Err(FirmwareError::SlotTwice(step.slot));
        }
        if step.token as usize >= vocab {
            return Err(FirmwareError::Token { token: step.token, vocab });
        }
    }
    Ok(())
}

/// The first step of a sequence that goes on by itself.
fn start((slot, token): (usize, u32)) -> Step {
    Step { slot, token, want: Want::Top }
}

/// The checks that every device makes before sequences go on by themselves.
pub fn check_starts(starts: &[(usize, u32)], slots: usize, vocab: usize) -> Result<()> {
    let steps: Vec<Step> = starts.iter().copied().map(start).collect();
    check_steps(&steps, slots, vocab)
}

/// The checks that every device makes before a prompt.
pub fn check_prompt(slot: usize, tokens: &[u32], slots: usize, vocab: usize) -> Result<()> {
    if slot >= slots {
        return Err(FirmwareError::Slot { slot, slots });
    }
    match tokens.iter().find(|&&token| token as usize >= vocab) {
        Some(&token) => Err(FirmwareError::Token { token, vocab }),
        None => Ok(()),
    }
}

/// What each step's slot holds, with its place in the batch, in batch order; no slot twice.
pub(crate) fn select<'a, T>(held: &'a mut [T], slots: &[usize]) -> Vec<(usize, &'a mut T)> {
    let mut place = vec![None; held.len()];
    for (n, &slot) in slots.iter().enumerate() {
        place[slot] = Some(n);
    }
    let mut active: Vec<_> =
        place.into_iter().zip(held).filter_map(|(n, held)| Some((n?, held))).collect();
    active.sort_unstable_by_key(|(n, _)| *n);
    active
}

/// Indices of the best values, best first, of equal ones the lowest first.
///
/// `before(a, b)` says whether value `a` beats value `b`; it must be a strict order.
pub fn best<T: Copy>(values: &[T], count: usize, before: impl Fn(T, T) -> bool) -> Vec<usize> {
    let order = |a: &usize, b: &usize| {
        if before(values[*a], values[*b]) {
            std::cmp::Ordering::Less
        } else if before(values[*b], values[*a]) {
            std::cmp::Ordering::Greater
        } else {
            a.cmp(b)
        }
    };
    // A value behind `count` others never comes back, so few are looked at twice.
    let mut kept: Vec<usize> = Vec::with_capacity(2 * count.max(1));
    let mut least = None;
    for (n, chunk) in values.chunks(CHUNK).enumerate() {
        // Without a branch in it, the compiler vectorises this.
        let any = |least| chunk.iter().fold(false, |any, &value| any | before(value, least));
        if least.is_some_and(|least| !any(least)) {
            continue;
        }
        for at in n * CHUNK..n * CHUNK + chunk.len() {
            if least.is_some_and(|least| !before(values[at], least)) {
                continue;
            }
            kept.push(at);
            if kept.len() >= 2 * count.max(1) {
                kept.select_nth_unstable_by(count, order);
                kept.truncate(count);
                least = kept.iter().max_by(|a, b| order(a, b)).map(|&at| values[at]);
            }
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(count);
    kept
}

/// Values of which [`best`] asks at once whether any matters.
const CHUNK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up() {
        let mut sum = Counters { cycles: 14, beats: 2, starved: 3, blocked: 4, idle: 5 };
        sum += Counters { cycles: 26, beats: 5, starved: 6, blocked: 7, idle: 8 };
        assert_eq!(sum, Counters { cycles: 40, beats: 7, starved: 9, blocked: 11, idle: 13 });
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        let values = [3, 9, 9, -1, 9, 3];
        assert_eq!(best(&values, 4, |a, b| a > b), [1, 2, 4, 0]);
        assert_eq!(best(&values, 64, |a, b| a > b), [1, 2, 4, 0, 5, 3]);
        assert!(best(&values, 0, |a, b| a > b).is_empty());
    }

    #[test]
    fn the_best_are_those_that_sorting_gives() {
        let mut state = 1u64;
        for (length, spread) in [(1, 9), (63, 9), (200, 2), (5000, 40), (5000, 1 << 30)] {
            let values: Vec<i32> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (state >> 33) as i32 % spread
                })
                .collect();
            let mut want: Vec<usize> = (0..length).collect();
            want.sort_by_key(|&at| (-values[at], at));
            for count in [1, 8, 64] {
                let want = &want[..count.min(length)];
                assert_eq!(best(&values, count, |a, b| a > b), want, "{length} {spread} {count}");
            }
        }
    }

    #[test]
    fn steps_are_checked() {
        let step = |slot, token| Step { slot, token, want: Want::Top };
        assert!(check_steps(&[step(0, 9), step(1, 9)], 2, 10).is_ok());
        let codes = [
            check_steps(&[step(2, 0)], 2, 10),
            check_steps(&[step(0, 0), step(0, 0)], 2, 10),
            check_steps(&[step(0, 10)], 2, 10),
        ]
        .map(|result| result.unwrap_err().code());
        assert_eq!(codes, ["F012", "F013", "F011"]);
        assert!(check_prompt(1, &[9, 9, 0], 2, 10).is_ok());
        let codes = [check_prompt(2, &[], 2, 10), check_prompt(0, &[1, 10], 2, 10)]
            .map(|result| result.unwrap_err().code());
        assert_eq!(codes, ["F012", "F011"]);
    }
}
