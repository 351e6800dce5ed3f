//! The card as a device like any other.

use std::ops::ControlFlow;

use sterna_firmware::device::{
    Candidate, Counters, Device, Head, Reading, State, Step, TOP_K_MAX, Want, check_prompt,
    check_starts, check_steps,
};
use sterna_firmware::shape::Shape;
use sterna_firmware::{FirmwareError, Result};

use super::answer::Answer;
use super::card::Card;
use super::error::CardError;
use super::run::Enter;
use super::seats::Place;
use super::transport::Transport;
use crate::record::Record;
use crate::registers::{self as regs, mode};

impl<T: Transport> Device for Card<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn slots(&self) -> usize {
        self.places.len()
    }

    fn clear(&mut self, slot: usize) -> Result<()> {
        self.place(slot)?;
        self.places[slot] = Place::Zero;
        Ok(())
    }

    /// As many sequences share a run as the core has slots; the others take turns.
    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        check_steps(steps, self.places.len(), self.model.shape().vocab)?;
        if let Some(step) = steps.iter().find(|step| self.places[step.slot] == Place::Lost) {
            return Err(CardError::StateLost { slot: step.slot }.into());
        }
        let mut heads = Vec::with_capacity(steps.len());
        for steps_of_run in self.runs(steps) {
            match self.together(steps_of_run) {
                Ok(more) => heads.extend(more),
                Err(error) => {
                    // Some went on and some did not: none of them is what the caller thinks.
                    for step in steps {
                        self.places[step.slot] = Place::Lost;
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(heads)
    }

    /// Each slot of the core takes a token, the state goes from one to the next.
    fn prompt(&mut self, slot: usize, tokens: &[u32], want: Want) -> Result<Head> {
        check_prompt(slot, tokens, self.places.len(), self.model.shape().vocab)?;
        let result = self.chain(slot, tokens, want);
        if result.is_err() {
            self.places[slot] = Place::Lost;
        }
        Ok(result?)
    }

    /// The core's own loop, in runs of as many tokens as there are records, of as many sequences as
    /// the core has slots. A head has as many candidates as the core reports.
    fn generate_all(
        &mut self,
        starts: &[(usize, u32)],
        count: usize,
        stops: &[u32],
        emit: &mut dyn FnMut(usize, Head) -> ControlFlow<()>,
    ) -> Result<()> {
        check_starts(starts, self.places.len(), self.model.shape().vocab)?;
        let most = self.seats();
        for (n, starts) in starts.chunks(most).enumerate() {
            let mut each = |of: usize, head| emit(n * most + of, head);
            if self.loop_alone(starts, count, stops, &mut each)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn save(&mut self, slot: usize) -> Result<State> {
        Ok(State::Fixed(self.state(slot)?))
    }

    fn restore(&mut self, slot: usize, state: &State) -> Result<()> {
        self.place(slot)?;
        match state {
            State::Fixed(state) => Ok(self.set_state(slot, state)?),
            State::Float(_) => Err(FirmwareError::state(state, self.model.shape().state(), true)),
        }
    }

    fn reset(&mut self) -> Result<()> {
        Card::reset(self)?;
        self.places.fill(Place::Zero);
        Ok(())
    }

    fn counters(&mut self) -> Result<Option<Counters>> {
        Ok(Some(Card::counters(self)?))
    }

    fn streamed(&self) -> Option<u64> {
        Card::streamed(self)
    }

    fn sensors(&mut self) -> Vec<Reading> {
        self.transport.sensors()
    }

    fn retries(&self) -> u64 {
        self.transport.retries()
    }

    fn saturations(&self) -> u64 {
        self.saturations.0
    }
}

impl<T: Transport> Card<T> {
    /// Whether the core writes all accumulators for a step that wants this: one that reports few
    /// candidates gives them for the rest.
    pub fn reads_all(&self, want: Want) -> bool {
        let few = (self.geometry.top_k as usize) < TOP_K_MAX.min(self.model.shape().vocab);
        want == Want::Logits || (want == Want::Top && few)
    }

    /// The steps that share a run, in order. One that takes all accumulators has its own, as the
    /// core writes those of one slot.
    fn runs<'a>(&self, steps: &'a [Step]) -> Vec<&'a [Step]> {
        let mut runs = vec![];
        let shares = |step: &Step| !self.reads_all(step.want);
        for steps in steps.chunk_by(|a, b| shares(a) && shares(b)) {
            runs.extend(steps.chunks(self.seats()));
        }
        runs
    }

    /// One pass of several sequences.
    fn together(&mut self, steps: &[Step]) -> std::result::Result<Vec<Head>, CardError> {
        let slots: Vec<usize> = steps.iter().map(|step| step.slot).collect();
        let seats = self.bring(&slots)?;
        let enters: Vec<Enter> = seats
            .iter()
            .zip(steps)
            .map(|(&seat, step)| Enter { seat, token: step.token })
            .collect();
        if steps.iter().all(|step| step.want == Want::State) {
            self.advance(&enters, 0)?;
            return Ok(vec![Head::default(); steps.len()]);
        }
        let all = steps.iter().any(|step| self.reads_all(step.want));
        let answers = self.ask(&enters, 0, all)?;
        Ok(answers.iter().zip(steps).map(|(answer, step)| head(answer, step.want)).collect())
    }

    /// Tokens of one sequence, as many in a pass as there are slots.
    fn chain(
        &mut self,
        slot: usize,
        tokens: &[u32],
        want: Want,
    ) -> std::result::Result<Head, CardError> {
        let mut last = Head::default();
        let seats = self.seats();
        let mut left = tokens.len();
        for tokens in tokens.chunks(seats) {
            let (first, modes) = match tokens.len() {
                1 => (self.bring(&[slot])?[0], 0),
                _ => {
                    self.bring_first(slot)?;
                    (0, mode::CHAIN)
                }
            };
            let enter = |(n, &token): (usize, &u32)| Enter { seat: first + n, token };
            let enters: Vec<Enter> = tokens.iter().enumerate().map(enter).collect();
            left -= tokens.len();
            if left > 0 || want == Want::State {
                self.advance(&enters, modes)?;
            } else {
                let answers = self.ask(&enters, modes, self.reads_all(want))?;
                last = answers.last().map_or_else(Head::default, |answer| head(answer, want));
            }
        }
        Ok(last)
    }

    /// The core's own loop for sequences that share each pass.
    fn loop_alone(
        &mut self,
        starts: &[(usize, u32)],
        count: usize,
        stops: &[u32],
        emit: &mut dyn FnMut(usize, Head) -> ControlFlow<()>,
    ) -> std::result::Result<ControlFlow<()>, CardError> {
        let slots: Vec<usize> = starts.iter().map(|(slot, _)| *slot).collect();
        let seats = self.bring(&slots)?;
        // What enters next, of those that have not stopped.
        let mut active: Vec<(usize, u32)> =
            starts.iter().map(|(_, token)| *token).enumerate().collect();
        let mut left = count;
        // A core that cannot watch for every stop, or does not know the row of its next token,
        // takes one token at a time.
        let single = stops.len() > regs::STOPS.len() || self.map.ring.is_some();
        let most = if single { 1 } else { self.map.records as usize };
        let vocab = self.model.shape().vocab;
        let watched = stops.iter().copied().filter(|&stop| (stop as usize) < vocab);
        let watched: Vec<u32> = watched.take(regs::STOPS.len()).collect();
        while left > 0 && !active.is_empty() {
            let count = left.min(most) as u32;
            let enter = |&(n, token): &(usize, u32)| Enter { seat: seats[n], token };
            let enters: Vec<Enter> = active.iter().map(enter).collect();
            let mut flow = ControlFlow::Continue(());
            let mut each = |of: usize, record: Record| {
                let (n, next) = &mut active[of];
                *next = record.top[0].0;
                flow = emit(*n, head(&Answer { record, accumulators: vec![] }, Want::Top));
                flow
            };
            let done = self.several(&enters, count, &watched, &mut each)?;
            if flow.is_break() {
                // The core has gone on to the end of its run.
                for (n, _) in active {
                    self.places[slots[n]] = Place::Lost;
                }
                return Ok(flow);
            }
            active.retain(|(_, next)| !stops.contains(next));
            left -= done as usize;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// What the golden model would say of the same accumulators.
fn head(answer: &Answer, want: Want) -> Head {
    if want == Want::State {
        return Head::default();
    }
    let value = answer.record.logit();
    let candidate = |(token, accumulator)| Candidate { token, logit: value(accumulator) };
    let logits = if want == Want::Logits { &answer.accumulators[..] } else { &[] };
    Head {
        top: answer.top().into_iter().map(candidate).collect(),
        logits: logits.iter().copied().map(&value).collect(),
    }
}
