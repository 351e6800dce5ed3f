//! Several sequences by the core's registers: every mask, chains, runs of several passes.
//!
//! The driver of a card asks for some of this only; here everything can be asked for that the
//! registers can say. A session goes one way or the other: the driver knows nothing of what is
//! done here.

use sterna_firmware::Result;
use sterna_firmware::device::{Candidate, Device, Head, Step, Want};
use sterna_firmware::isa::UNIT;
use sterna_hdl::driver::Transport;
use sterna_hdl::record::{Record, stride};
use sterna_hdl::registers::{self as regs, Reg, command, mode, status};

use super::{Session, heads, number};
use crate::card::SimCard;
use crate::error::SimError;
use crate::lockstep::Pass;

/// A run of several slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The token that enters each slot; `None` for one that takes no part.
    pub tokens: Vec<Option<u32>>,
    /// They are tokens of one sequence, whose state is that of the lowest slot.
    pub chain: bool,
    /// What is wanted: with logits those of the highest slot.
    pub want: Want,
    /// Passes; 1 of a chain and without a head.
    pub count: usize,
    /// Tokens after which a slot takes no further part; four at most.
    pub stops: Vec<u32>,
}

/// Of each pass the heads, and the best token of each slot.
type Ahead = (Vec<Vec<Option<Head>>>, Vec<Option<u32>>);

/// The highest slot that takes part, and one more.
fn depth(tokens: &[Option<u32>]) -> usize {
    tokens.iter().rposition(Option::is_some).map_or(0, |highest| highest + 1)
}

/// A bit for each slot that takes part.
fn mask(tokens: &[Option<u32>]) -> u32 {
    let bits = tokens.iter().enumerate().filter(|(_, token)| token.is_some());
    bits.fold(0, |mask, (slot, _)| mask | 1 << slot)
}

impl Session {
    /// Runs a batch and compares everything; the best token of each slot that had a head.
    ///
    /// # Errors
    /// Those of golden and of the simulation.
    pub fn batch(&mut self, batch: &Batch) -> Result<Vec<Option<u32>>> {
        let lowest = batch.tokens.iter().position(Option::is_some).unwrap_or(0);
        let (expected, best) = self.ahead(batch)?;
        let units = self.units(batch.want);
        self.work(|card| {
            let card = card.transport();
            card.prepare(batch, units)?;
            Ok(card.command(command::RUN)?)
        })?;
        let clock = self.clock();
        let done = self.read(&regs::TOKENS_DONE)?;
        self.checker().number("passes", 0, number(expected.len()), Some(done.into()), clock);
        let clamped = self.clamped()?;
        let since = |n: usize| Some(clamped[n].wrapping_sub(self.clamped[n]).into());
        let pair = (since(0), since(1));
        self.checker().number_of(lowest, "saturations", 0, pair, clock);
        for (slot, &token) in best.iter().enumerate() {
            if let Some(token) = token.filter(|_| batch.want != Want::State) {
                let got = self.read(&regs::LAST_TOKENS[slot])?;
                let pair = (Some(token.into()), Some(got.into()));
                self.checker().number_of(slot, "last token", 0, pair, clock);
            }
        }
        if batch.want != Want::State {
            self.records(&expected, batch.want)?;
        }
        Ok(best)
    }

    /// What golden and the core say of clamped values.
    pub(super) fn clamped(&mut self) -> Result<[u32; 2]> {
        Ok([self.golden.saturations() as u32, self.read(&regs::SATURATIONS)?])
    }

    /// Has golden run a batch and the checker expect it: the heads of each pass, and the best token
    /// of each slot.
    pub(super) fn ahead(&mut self, batch: &Batch) -> Result<Ahead> {
        let lowest = batch.tokens.iter().position(Option::is_some).unwrap_or(0);
        let mut tokens = batch.tokens.clone();
        let mut best = vec![None; tokens.len()];
        // Of each pass the heads, up to the pass's highest slot.
        let mut expected: Vec<Vec<Option<Head>>> = vec![];
        while expected.len() < batch.count && tokens.iter().any(Option::is_some) {
            let slots = depth(&tokens);
            let (mut passes, mut outcomes) = (vec![], vec![]);
            for (slot, token) in tokens[..slots].iter().enumerate() {
                let observed = token.map(|token| {
                    let slot = if batch.chain { lowest } else { slot };
                    Pass::observe(&mut self.golden, Step { slot, token, want: batch.want })
                });
                let (pass, head) = observed.transpose()?.unzip();
                passes.push(pass);
                outcomes.push(head);
            }
            self.passes.push((tokens[..slots].to_vec(), batch.want));
            self.lockstep().expect(passes);
            for (slot, head) in outcomes.iter().enumerate() {
                if let Some(head) = head {
                    best[slot] = head.top.first().map(|best| best.token).or(best[slot]);
                    tokens[slot] = best[slot].filter(|token| !batch.stops.contains(token));
                }
            }
            expected.push(outcomes);
        }
        Ok((expected, best))
    }

    /// Compares the records of a run, and the logits of its last pass if they were wanted.
    fn records(&mut self, expected: &[Vec<Option<Head>>], want: Want) -> Result<()> {
        let (clock, slots) = (self.clock(), self.slots);
        let length = stride(self.top_k);
        for (pass, outcomes) in expected.iter().enumerate() {
            for (slot, head) in outcomes.iter().enumerate() {
                let Some(head) = head else { continue };
                let at = self.base(&regs::RESULT_LO)? + ((pass * slots + slot) * length) as u64;
                let mut bytes = vec![0; length];
                self.card.transport().read_memory(at, &mut bytes)?;
                let record = Record::decode(&bytes);
                let index = record.as_ref().map(|record| record.index.into());
                let pair = (number(pass), index);
                self.checker().number_of(slot, "record", 0, pair, clock);
                let logit = record.as_ref().map(Record::logit);
                let value = |acc| logit.as_ref().map_or(0.0, |logit| logit(acc));
                let top: Vec<Candidate> = record
                    .iter()
                    .flat_map(|record| &record.top)
                    .map(|&(token, acc)| Candidate { token, logit: value(acc) })
                    .collect();
                let mut got = Head { top, logits: vec![] };
                let all = want == Want::Logits && slot + 1 == outcomes.len();
                if all && pass + 1 == expected.len() {
                    let mut bytes = vec![0; 4 * head.logits.len()];
                    let at = self.base(&regs::LOGITS_LO)?;
                    self.card.transport().read_memory(at, &mut bytes)?;
                    let words = bytes
                        .chunks_exact(4)
                        .map(|word| i32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                    got.logits = words.map(value).collect();
                }
                let logits = if got.logits.is_empty() { vec![] } else { head.logits.clone() };
                let head = Head { top: head.top.clone(), logits };
                heads(self.checker(), &head, &got, clock);
            }
        }
        Ok(())
    }

    /// Clears slots, a bit each.
    ///
    /// # Errors
    /// Those of the simulation.
    pub fn clear_slots(&mut self, mask: u32) -> Result<()> {
        let card = self.card.transport();
        card.set(&regs::SLOT_MASK, mask)?;
        card.command(command::CLEAR)?;
        for slot in (0..self.slots).filter(|slot| mask >> slot & 1 == 1) {
            let zero = vec![0; self.golden.state(slot).len()];
            self.golden.set_state(slot, &zero);
        }
        Ok(())
    }

    /// Has a slot's state saved, compares it, and has it loaded into another slot, or the same.
    ///
    /// # Errors
    /// Those of the simulation.
    pub fn move_state(&mut self, from: usize, to: usize) -> Result<()> {
        let state = self.golden.state(from).to_vec();
        let mut bytes = vec![0; 4 * state.len()];
        let place = self.aside()?;
        let card = self.card.transport();
        card.set(&regs::SLOT_MASK, 1 << from)?;
        card.command(command::SAVE)?;
        card.read_memory(place, &mut bytes)?;
        let clock = self.clock();
        let words = bytes.chunks_exact(4);
        let got = words.map(|word| i32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        for (n, (expected, got)) in state.iter().zip(got).enumerate() {
            let pair = (Some((*expected).into()), Some(got.into()));
            self.checker().number_of(from, "final state", n, pair, clock);
        }
        self.checker().compared();
        if from != to {
            let card = self.card.transport();
            card.set(&regs::SLOT_MASK, 1 << to)?;
            card.command(command::LOAD)?;
            self.golden.set_state(to, &state);
        }
        Ok(())
    }

    /// Has states saved to the end of the memory, and loaded from there: the address.
    pub(super) fn aside(&mut self) -> Result<u64> {
        let bytes = 4 * self.golden.shape().state() as u64;
        let card = self.card.transport();
        let place = (card.memory_bytes() - bytes) / 4096 * 4096;
        card.set(&regs::STATE_LO, place as u32)?;
        card.set(&regs::STATE_HI, (place >> 32) as u32)?;
        Ok(place)
    }

    /// Units of the image that a pass reads.
    pub(super) fn units(&self, want: Want) -> u32 {
        let read = self.timing.read_by(want).last();
        read.map_or(0, |last| last.end() / UNIT) as u32
    }

    pub(super) fn read(&mut self, reg: &Reg) -> Result<u32> {
        Ok(self.card.transport().read_register(reg.offset)?)
    }

    /// An address that two registers hold, from the lower on.
    fn base(&mut self, low: &Reg) -> Result<u64> {
        let card = self.card.transport();
        let (low, high) = (card.read_register(low.offset)?, card.read_register(low.offset + 4)?);
        Ok(u64::from(high) << 32 | u64::from(low))
    }
}

impl SimCard {
    pub(super) fn set(&mut self, reg: &Reg, value: u32) -> std::result::Result<(), SimError> {
        self.write_register(reg.offset, value)
    }

    /// Gives a command and waits for its end.
    fn command(&mut self, bits: u32) -> std::result::Result<(), SimError> {
        self.set(&regs::COMMAND, bits)?;
        for polls in 0.. {
            let status = self.read_register(regs::STATUS.offset)?;
            if status & status::FAILED != 0 || !self.wait(polls)? {
                return Err(SimError::Register {
                    offset: regs::STATUS.offset,
                    why: "failed, or that it is busy for too long",
                });
            }
            if status & status::BUSY == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Tells the registers of a batch, but not to run it.
    pub(super) fn prepare(
        &mut self,
        batch: &Batch,
        units: u32,
    ) -> std::result::Result<(), SimError> {
        let mut bits = if batch.chain { mode::CHAIN } else { 0 };
        bits |= match batch.want {
            Want::State => mode::NO_HEAD,
            Want::Top => 0,
            Want::Logits => mode::LOGITS,
        };
        self.set(&regs::MODE, bits)?;
        self.set(&regs::IMAGE_UNITS, units)?;
        self.set(&regs::COUNT, batch.count as u32)?;
        self.set(&regs::SLOT_MASK, mask(&batch.tokens))?;
        for (reg, token) in regs::TOKENS.iter().zip(&batch.tokens) {
            self.set(reg, token.unwrap_or(0xf_ffff))?;
        }
        for (n, reg) in regs::STOPS.iter().enumerate() {
            let stop = batch.stops.get(n).map_or(0, |stop| stop | regs::STOP_VALID);
            self.set(reg, stop)?;
        }
        Ok(())
    }
}
