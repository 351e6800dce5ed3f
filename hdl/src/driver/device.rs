//! The card as a device like any other.

use std::ops::ControlFlow;

use sterna_firmware::device::{
    Candidate, Counters, Device, Head, Reading, State, Step, TOP_K_MAX, Want, check_steps,
};
use sterna_firmware::shape::Shape;
use sterna_firmware::{FirmwareError, Result};

use super::answer::Answer;
use super::card::{Card, Place};
use super::error::CardError;
use super::run::STOPS;
use super::transport::Transport;
use crate::record::Record;

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

    /// The sequences of a pass take turns: the core holds one.
    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        check_steps(steps, self.places.len(), self.model.shape().vocab)?;
        if let Some(step) = steps.iter().find(|step| self.places[step.slot] == Place::Lost) {
            return Err(CardError::StateLost { slot: step.slot }.into());
        }
        let mut heads = Vec::with_capacity(steps.len());
        for step in steps {
            match self.step(step) {
                Ok(head) => heads.push(head),
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

    /// The core's own loop, in runs of as many tokens as there are records. A head has as many
    /// candidates as the core reports.
    fn generate(
        &mut self,
        slot: usize,
        token: u32,
        count: usize,
        stops: &[u32],
        emit: &mut dyn FnMut(Head) -> ControlFlow<()>,
    ) -> Result<()> {
        self.check_token(token)?;
        self.bring(slot)?;
        let (mut next, mut left) = (token, count);
        let (mut ended, mut broken) = (false, false);
        while left > 0 && !ended {
            // A core that cannot watch for every stop, or does not know the row of its next token,
            // takes one token at a time.
            let single = stops.len() > STOPS.len() || self.map.ring.is_some();
            let most = if single { 1 } else { self.map.records as usize };
            let count = left.min(most) as u32;
            let vocab = self.model.shape().vocab;
            let watched = stops.iter().copied().filter(|&stop| (stop as usize) < vocab);
            let watched: Vec<u32> = watched.take(STOPS.len()).collect();
            let (enters, mut given) = (next, 0);
            let mut each = |record: Record| {
                if ended {
                    return ControlFlow::Break(());
                }
                given += 1;
                next = record.top[0].0;
                let flow = emit(head(&Answer { record, accumulators: vec![] }, false));
                broken |= flow.is_break();
                ended |= broken || stops.contains(&next);
                flow
            };
            let done = self.several(enters, count, &watched, &mut each)?;
            // A run ends where it should, unless its caller has enough.
            if !broken && (done != given || done < count && !ended || done == 0) {
                return Err(CardError::Passes { count, done }.into());
            }
            left -= done as usize;
        }
        if broken {
            // The core has gone on to the end of its run.
            self.lose();
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

    fn step(&mut self, step: &Step) -> std::result::Result<Head, CardError> {
        self.bring(step.slot)?;
        if step.want == Want::State {
            return self.advance(step.token).map(|()| Head::default());
        }
        let answer = self.ask(step.token, self.reads_all(step.want))?;
        Ok(head(&answer, step.want == Want::Logits))
    }
}

/// What the golden model would say of the same accumulators.
fn head(answer: &Answer, all: bool) -> Head {
    let (mantissa, exponent) = answer.record.scale;
    let scale = libm::ldexp(f64::from(mantissa), exponent);
    let value = |accumulator: i32| (f64::from(accumulator) * scale) as f32;
    let candidate = |(token, accumulator)| Candidate { token, logit: value(accumulator) };
    let logits = if all { &answer.accumulators[..] } else { &[] };
    Head {
        top: answer.top().into_iter().map(candidate).collect(),
        logits: logits.iter().copied().map(value).collect(),
    }
}
