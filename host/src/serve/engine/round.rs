//! What the engine's thread does.

use std::time::{Duration, Instant};

use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_model::Tokenizer;

use super::prefix::Prefixes;
use super::sequence::{Job, Reason, Sequence};
use super::{Health, Limits, PIECE, Shared};
use crate::error::{HostError, Result};
use crate::output;
use crate::power::beside::Power;

/// A state of a prompt is kept after every so many tokens.
const KEPT: usize = 64;
/// An answer whose state holds fewer tokens is as quickly made again.
const SHORT: usize = 32;
/// Between two looks at the device's counters and at an idle meter.
const LOOK: Duration = Duration::from_millis(500);
/// Energy is shared out at least so often.
const SHARE: Duration = Duration::from_millis(100);
/// Until a device that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The slots of a device, and who has them.
pub(super) struct Rounds<'a> {
    device: &'a mut dyn Device,
    tokenizer: Option<&'a Tokenizer>,
    power: &'a Power,
    shared: &'a Shared,
    slots: Vec<Option<Sequence<'a>>>,
    prefixes: Prefixes,
    /// The slot whose prompt was looked at last.
    turn: usize,
    shared_out: Duration,
    looked: Instant,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        device: &'a mut dyn Device,
        tokenizer: Option<&'a Tokenizer>,
        limits: Limits,
        power: &'a Power,
        shared: &'a Shared,
    ) -> Rounds<'a> {
        Rounds {
            device,
            tokenizer,
            power,
            shared,
            slots: (0..shared.slots).map(|_| None).collect(),
            prefixes: Prefixes::new(limits.prefixes),
            turn: 0,
            shared_out: power.now(),
            looked: Instant::now(),
        }
    }

    /// Until the engine is ended and everything is answered.
    pub(super) fn work(&mut self) {
        while self.is_wanted() {
            let done = self.admit().and_then(|()| self.read()).and_then(|()| self.pass());
            if let Err(error) = done {
                self.fail(&error);
            }
            self.look();
        }
    }

    /// Waits for something to do; false if there will be none.
    fn is_wanted(&mut self) -> bool {
        for slot in &mut self.slots {
            slot.take_if(|sequence| sequence.is_left());
        }
        self.tell();
        let busy = self.slots.iter().any(Option::is_some);
        let mut waiting = self.shared.lock();
        while !busy && waiting.jobs.is_empty() {
            if waiting.ending {
                return false;
            }
            let woken = self.shared.wake.wait_timeout(waiting, LOOK);
            waiting = woken.unwrap_or_else(std::sync::PoisonError::into_inner).0;
            if waiting.jobs.is_empty() {
                drop(waiting);
                self.look();
                waiting = self.shared.lock();
            }
        }
        true
    }

    /// Gives free slots to those who wait.
    fn admit(&mut self) -> Result<()> {
        for slot in 0..self.slots.len() {
            while self.slots[slot].is_none() {
                let Some(job) = self.next() else { break };
                if !job.reply.is_closed() {
                    self.begin(slot, job)?;
                }
            }
        }
        self.tell();
        Ok(())
    }

    /// How many have a slot.
    fn tell(&self) {
        let running = self.slots.iter().flatten().count();
        self.shared.metrics.running.set(running as i64);
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.shared.lock();
        let job = waiting.jobs.pop();
        self.shared.metrics.waiting.set(waiting.jobs.len() as i64);
        job
    }

    fn begin(&mut self, slot: usize, job: Job) -> Result<()> {
        // What was drawn before is no matter of this one.
        self.share_out();
        let found = self.prefixes.longest(&job.prompt);
        let cached = found.as_ref().map_or(0, |(length, _)| *length);
        // First the slot, so that a failure is told to whom it concerns.
        let sequence = self.slots[slot].insert(Sequence::new(job, self.tokenizer, cached));
        let count = |kind, tokens| self.shared.metrics.count(kind, tokens);
        count("cached", cached);
        count("prompt", sequence.prompt().len() + 1);
        match found {
            Some((_, state)) => self.device.restore(slot, state)?,
            None => self.device.clear(slot)?,
        }
        Ok(())
    }

    /// Lets a piece of one prompt enter, the next in turn.
    fn read(&mut self) -> Result<()> {
        let slots = self.slots.len();
        let mut order = (1..=slots).map(|n| (self.turn + n) % slots);
        let reads = |slot: &usize| {
            self.slots[*slot].as_ref().is_some_and(|sequence| !sequence.prompt().is_empty())
        };
        let Some(slot) = order.find(reads) else { return Ok(()) };
        self.turn = slot;
        let Some(sequence) = &mut self.slots[slot] else { return Ok(()) };
        let until = KEPT - sequence.entered().len() % KEPT;
        let piece = sequence.prompt();
        let piece = &piece[..piece.len().min(PIECE).min(until)];
        let count = piece.len();
        self.device.prompt(slot, piece, Want::State)?;
        sequence.enter(count);
        self.power.entered(count);
        if count == until {
            self.keep(slot)?;
        }
        Ok(())
    }

    /// One token of everyone whose prompt has entered.
    fn pass(&mut self) -> Result<()> {
        let steps: Vec<Step> = (0..self.slots.len())
            .filter_map(|slot| {
                let token = self.slots[slot].as_ref()?.next()?;
                Some(Step { slot, token, want: Want::Top })
            })
            .collect();
        if steps.is_empty() {
            return Ok(());
        }
        let heads = self.device.pass(&steps)?;
        self.power.entered(steps.len());
        for (Step { slot, .. }, head) in steps.iter().zip(&heads) {
            self.take(*slot, head)?;
        }
        Ok(())
    }

    fn take(&mut self, slot: usize, head: &Head) -> Result<()> {
        let Some(sequence) = &mut self.slots[slot] else { return Ok(()) };
        sequence.enter(1);
        self.power.token();
        match sequence.take(head) {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => self.end(slot, reason),
            // The tokenizer does not know what to do; the device and the others are well.
            Err(error) => {
                if let Some(sequence) = self.slots[slot].take() {
                    sequence.fail(&told(&error));
                }
                Ok(())
            }
        }
    }

    fn end(&mut self, slot: usize, reason: Reason) -> Result<()> {
        self.share_out();
        let Some(sequence) = &self.slots[slot] else { return Ok(()) };
        let kept = if sequence.entered().len() >= SHORT { self.keep(slot) } else { Ok(()) };
        let Some(sequence) = self.slots[slot].take() else { return kept };
        // Whether the state could be kept is no concern of who got the answer.
        let end = sequence.end(reason);
        let metrics = &self.shared.metrics;
        metrics.count("completion", end.completion);
        metrics.waited.observe(end.waited.as_secs_f64());
        metrics.first.observe(end.first.as_secs_f64());
        metrics.whole.observe(end.whole.as_secs_f64());
        if end.completion > 1 {
            let rest = end.whole.saturating_sub(end.first).as_secs_f64();
            metrics.each.observe(rest / (end.completion - 1) as f64);
        }
        let mut waiting = self.shared.lock();
        waiting.seconds += (end.whole.as_secs_f64() - waiting.seconds) / 8.0;
        kept
    }

    /// Keeps the state of a slot, if it is a new one.
    fn keep(&mut self, slot: usize) -> Result<()> {
        let Some(sequence) = &self.slots[slot] else { return Ok(()) };
        let shape = self.device.shape();
        if self.prefixes.wants(sequence.entered(), shape.layers * shape.inner) {
            let state = self.device.save(slot)?;
            self.prefixes.keep(sequence.entered(), state);
        }
        Ok(())
    }

    /// Shares the energy since the last time out among those whose tokens entered since.
    fn share_out(&mut self) {
        let joules = self.power.between(self.shared_out, self.power.now());
        self.shared_out = self.power.now();
        self.shared.metrics.joules.inc_by(joules.unwrap_or(0.0).max(0.0));
        let all: u64 = self.slots.iter().flatten().map(|sequence| sequence.steps).sum();
        for sequence in self.slots.iter_mut().flatten() {
            if let (Some(joules), 1..) = (joules, sequence.steps) {
                let share = joules * sequence.steps as f64 / all as f64;
                *sequence.joules.get_or_insert(0.0) += share;
            }
            sequence.steps = 0;
        }
    }

    fn look(&mut self) {
        if self.power.now() - self.shared_out >= SHARE {
            self.share_out();
        }
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.power.look(self.device);
            self.shared.metrics.retries.set(self.device.retries() as i64);
        }
    }

    /// Tells everyone who has a slot, and brings the device to rest.
    fn fail(&mut self, error: &HostError) {
        output::failure(error);
        let message = told(error);
        self.shared.metrics.failures.inc();
        for sequence in self.slots.iter_mut().filter_map(Option::take) {
            sequence.fail(&message);
        }
        while let Err(error) = self.device.reset() {
            let why = told(&HostError::from(error));
            self.shared.health.send_replace(Health::Down(why.clone()));
            let mut waiting = self.shared.lock();
            // Nobody waits for a device that may never come back.
            for job in waiting.jobs.drain() {
                job.fail(&why);
            }
            if waiting.ending {
                return;
            }
            let woken = self.shared.wake.wait_timeout(waiting, AGAIN);
            drop(woken.unwrap_or_else(std::sync::PoisonError::into_inner));
        }
        self.shared.health.send_replace(Health::Up);
    }
}

/// As every error is told.
fn told(error: &HostError) -> String {
    format!("error[{}]: {error}", error.code())
}
