//! Commands: how they are given, how they end, and what a run leaves.

use std::ops::ControlFlow;

use sterna_firmware::FirmwareError;
use sterna_firmware::device::Counters;
use sterna_firmware::isa::UNIT;

use super::answer::Answer;
use super::bare;
use super::card::Card;
use super::error::{CardError, Place};
use super::load::is_damage;
use super::map::{headless_units, image_units};
use super::stream::Stream;
use super::transport::Transport;
use crate::fault::Fault;
use crate::record::Record;
use crate::registers::{self as regs, Reg, STOP_VALID, command, mode, status};

/// Stop registers of the core.
pub(super) const STOPS: [&Reg; 4] = [&regs::STOP_0, &regs::STOP_1, &regs::STOP_2, &regs::STOP_3];

/// What is done at every look at the status; whether the core has got on.
pub(super) type Each<'a, T> = &'a mut dyn FnMut(&mut Card<T>) -> Result<bool, CardError>;

/// Calls what a run brings as it comes.
pub(super) type Emit<'a> = &'a mut dyn FnMut(Record) -> ControlFlow<()>;

impl<T: Transport> Card<T> {
    /// Counters of the last run.
    pub fn counters(&mut self) -> Result<Counters, CardError> {
        bare::counters(|reg| self.read(reg))
    }

    /// A whole pass for nothing but the checks that the core makes on its way.
    pub(super) fn check_walk(&mut self) -> Result<(), CardError> {
        self.command("clear", command::CLEAR)?;
        let stream = self.prepare(0, 1, 0, &[])?;
        self.single(stream)
    }

    /// One pass of the sequence on chip without the head.
    pub(super) fn advance(&mut self, token: u32) -> Result<(), CardError> {
        let stream = self.prepare(token, 1, mode::NO_HEAD, &[])?;
        self.single(stream)
    }

    /// One pass of the sequence on chip with its head, and all accumulators if `all`.
    pub(super) fn ask(&mut self, token: u32, all: bool) -> Result<Answer, CardError> {
        let stream = self.prepare(token, 1, if all { mode::LOGITS } else { 0 }, &[])?;
        self.single(stream)?;
        let record = self.records(0..1)?.remove(0);
        let accumulators = if all { self.accumulators(&record)? } else { vec![] };
        Ok(Answer { record, accumulators })
    }

    /// Runs one prepared pass.
    fn single(&mut self, stream: Option<Stream>) -> Result<(), CardError> {
        match self.run("pass", 1, stream, None)? {
            1 => Ok(()),
            done => Err(CardError::Passes { count: 1, done }),
        }
    }

    /// Up to `count` passes, at most the records that fit; `emit` gets each record as it comes.
    /// Says how many there were.
    pub(super) fn several(
        &mut self,
        token: u32,
        count: u32,
        stops: &[u32],
        emit: Emit<'_>,
    ) -> Result<u32, CardError> {
        let stream = self.prepare(token, count, 0, stops)?;
        self.run("run", count, stream, Some(emit))
    }

    fn prepare(
        &mut self,
        token: u32,
        count: u32,
        mode: u32,
        stops: &[u32],
    ) -> Result<Option<Stream>, CardError> {
        let headless = mode & mode::NO_HEAD != 0;
        let units = if headless { headless_units(&self.walk) } else { image_units(&self.walk) };
        self.write(&regs::IMAGE_UNITS, units as u32)?;
        self.write(&regs::MODE, mode)?;
        self.write(&regs::COUNT, count)?;
        self.write(&regs::TOKEN_0, token)?;
        for (n, reg) in STOPS.into_iter().enumerate() {
            self.write(reg, stops.get(n).map_or(0, |stop| stop | STOP_VALID))?;
        }
        Stream::begin(self, token, units)
    }

    /// Runs what was prepared; records are read as soon as they are there.
    fn run(
        &mut self,
        what: &'static str,
        count: u32,
        mut stream: Option<Stream>,
        mut emit: Option<Emit<'_>>,
    ) -> Result<u32, CardError> {
        let mut seen = 0;
        let mut look = |card: &mut Self| -> Result<bool, CardError> {
            let done = card.read(&regs::TOKENS_DONE)?;
            if done > count {
                return Err(CardError::Passes { count, done });
            }
            let more = done > seen;
            if let (true, Some(call)) = (more, &mut emit) {
                let flow = card.records(seen..done)?.into_iter().try_for_each(call);
                if flow.is_break() {
                    emit = None;
                }
            }
            seen = seen.max(done);
            Ok(more)
        };
        let mut early = |card: &mut Self| match &mut stream {
            Some(stream) => stream.go_on(card),
            None if count > 1 => look(card),
            None => Ok(false),
        };
        self.transport.expect((image_units(&self.walk) * UNIT) as u64);
        let result = self.obey(what, command::RUN, &mut early).and_then(|()| look(self));
        self.account(result)?;
        self.saturated()?;
        Ok(seen)
    }

    /// Gives a command other than a run.
    pub(super) fn command(&mut self, what: &'static str, bits: u32) -> Result<(), CardError> {
        self.transport.expect(4 * self.model.shape().state() as u64);
        let result = self.obey(what, bits, &mut |_| Ok(false));
        self.account(result)
    }

    /// After an error the core is to be reset, and the sequence on chip is void.
    fn account<R>(&mut self, result: Result<R, CardError>) -> Result<R, CardError> {
        if result.is_err() {
            self.failed = true;
            self.lose();
        }
        result
    }

    fn obey(&mut self, what: &'static str, bits: u32, each: Each<'_, T>) -> Result<(), CardError> {
        self.write(&regs::COMMAND, bits)?;
        let status = self.until(what, &mut |status| status & status::BUSY == 0, each)?;
        let wanted = status::DONE | status::STATE_VALID;
        if status & status::FAILED == 0 && status & wanted == wanted {
            return Ok(());
        }
        let error = match status & status::FAILED {
            0 => CardError::Status { what, status },
            _ => self.fault()?,
        };
        // What no driver causes, somebody else may have.
        let odd = match error {
            CardError::Status { .. } => true,
            CardError::Fault { fault, .. } => matches!(fault, Fault::Command | Fault::StateInvalid),
            _ => false,
        };
        if odd && self.is_foreign()? {
            return Err(self.foreign(what));
        }
        Err(error)
    }

    /// Polls STATUS, with something to do at every look, until it is as wanted. What is done says
    /// whether the core has got on.
    pub(super) fn until(
        &mut self,
        what: &'static str,
        wanted: &mut dyn FnMut(u32) -> bool,
        each: Each<'_, T>,
    ) -> Result<u32, CardError> {
        let mut polls = 0;
        loop {
            let status = self.read(&regs::STATUS)?;
            if wanted(status) {
                return Ok(status);
            }
            if each(self)? {
                polls = 0;
            }
            let result = self.transport.wait(polls);
            if !self.way(result)? {
                return Err(CardError::Stuck { what, status });
            }
            polls += 1;
        }
    }

    /// Why the core stopped.
    fn fault(&mut self) -> Result<CardError, CardError> {
        let code = self.read(&regs::ERROR)?;
        let segment = self.read(&regs::ERROR_SEGMENT)?;
        let fault = u8::try_from(code).ok().and_then(Fault::from_code);
        let Some(fault) = fault else { return Ok(CardError::UnknownFault { code }) };
        if is_damage(fault) {
            self.doubt_memory();
        }
        let nowhere = matches!(
            fault,
            Fault::Row | Fault::WriteResponse | Fault::StateInvalid | Fault::Command
        );
        let instruction = self.walk.get(segment as usize).map(|i| (i.opcode, i.layer));
        let at = (!nowhere).then_some(Place { segment, instruction });
        Ok(CardError::Fault { fault, at })
    }

    /// Counts what the core clamped since it was last asked.
    fn saturated(&mut self) -> Result<(), CardError> {
        let now = self.read(&regs::SATURATIONS)?;
        let (sum, before) = self.saturations;
        // A reset of the core makes its register begin again.
        let more = now.checked_sub(before).unwrap_or(now);
        self.saturations = (sum + u64::from(more), now);
        Ok(())
    }

    /// The check of a token that every device makes.
    pub(super) fn check_token(&self, token: u32) -> Result<(), CardError> {
        let vocab = self.model.shape().vocab;
        if (token as usize) < vocab {
            return Ok(());
        }
        Err(FirmwareError::Token { token, vocab }.into())
    }
}
