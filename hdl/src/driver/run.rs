//! Commands: how they are given, how they end, and what a run leaves.

use std::ops::ControlFlow;

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
use crate::registers::{self as regs, STOP_VALID, command, mode, status};

/// What is done at every look at the status; whether the core has got on.
pub(super) type Each<'a, T> = &'a mut dyn FnMut(&mut Card<T>) -> Result<bool, CardError>;

/// Calls what a run brings as it comes: whose it is, of those that entered, and the record.
pub(super) type Emit<'a> = &'a mut dyn FnMut(usize, Record) -> ControlFlow<()>;

/// A token that enters a run, and the seat of its sequence; of a chain the seats go up, from the
/// one of the sequence that all tokens are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enter {
    pub seat: usize,
    pub token: u32,
}

/// The records of a run as they come.
struct Harvest<'a, 'e> {
    enters: &'a [Enter],
    stops: &'a [u32],
    /// Passes that are wanted, and those that were seen.
    count: u32,
    seen: u32,
    /// Those of `enters` that still take part.
    active: Vec<usize>,
    /// `None` when the caller has enough.
    emit: Option<Emit<'e>>,
}

impl Harvest<'_, '_> {
    /// Takes what is there; whether the run has got on.
    fn take<T: Transport>(&mut self, card: &mut Card<T>) -> Result<bool, CardError> {
        let (count, done) = (self.count, card.read(&regs::TOKENS_DONE)?);
        if done > count {
            return Err(CardError::Passes { count, done });
        }
        let more = done > self.seen;
        if more && self.emit.is_some() {
            let first = self.seen;
            let bytes = card.records(first..done)?;
            for pass in first..done {
                if self.active.is_empty() {
                    return Err(CardError::Passes { count, done });
                }
                for n in self.active.clone() {
                    if self.emit.is_none() {
                        break;
                    }
                    let record = card.record(&bytes, first, pass, self.enters[n].seat)?;
                    self.each(n, record);
                }
            }
        }
        self.seen = self.seen.max(done);
        Ok(more)
    }

    fn each(&mut self, n: usize, record: Record) {
        if self.stops.contains(&record.top[0].0) {
            self.active.retain(|&other| other != n);
        }
        if self.emit.as_mut().is_some_and(|emit| emit(n, record).is_break()) {
            self.emit = None;
        }
    }

    /// Whether the run went as far as it should, which is not known of one that was left alone.
    fn ends_well(&self) -> bool {
        self.emit.is_none() || self.active.is_empty() || self.seen == self.count
    }
}

impl<T: Transport> Card<T> {
    /// Counters of the last run.
    pub fn counters(&mut self) -> Result<Counters, CardError> {
        bare::counters(|reg| self.read(reg))
    }

    /// A whole pass for nothing but the checks that the core makes on its way.
    pub(super) fn check_walk(&mut self) -> Result<(), CardError> {
        self.command("clear", command::CLEAR, 0)?;
        self.single(&[Enter { seat: 0, token: 0 }], 0)
    }

    /// One pass without the head; `modes` may have [`mode::CHAIN`].
    pub(super) fn advance(&mut self, enters: &[Enter], modes: u32) -> Result<(), CardError> {
        self.single(enters, modes | mode::NO_HEAD)
    }

    /// One pass with its head, and of the last token that enters, in the highest seat, all
    /// accumulators if `all`.
    pub(super) fn ask(
        &mut self,
        enters: &[Enter],
        modes: u32,
        all: bool,
    ) -> Result<Vec<Answer>, CardError> {
        self.single(enters, modes | if all { mode::LOGITS } else { 0 })?;
        let bytes = self.records(0..1)?;
        let record = |enter: &Enter| self.record(&bytes, 0, 0, enter.seat);
        let records = enters.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let answer = |record| Answer { record, accumulators: vec![] };
        let mut answers: Vec<Answer> = records.into_iter().map(answer).collect();
        if let Some(last) = answers.last_mut().filter(|_| all) {
            last.accumulators = self.accumulators(&last.record)?;
        }
        Ok(answers)
    }

    /// Runs one pass.
    fn single(&mut self, enters: &[Enter], modes: u32) -> Result<(), CardError> {
        let stream = self.prepare(enters, 1, modes, &[])?;
        let active = (0..enters.len()).collect();
        let harvest = Harvest { enters, stops: &[], count: 1, seen: 0, active, emit: None };
        // The slots behind a chain's first need no state of their own.
        let valid = if modes & mode::CHAIN == 0 { status::STATE_VALID } else { 0 };
        match self.run("pass", valid, stream, harvest)? {
            1 => Ok(()),
            done => Err(CardError::Passes { count: 1, done }),
        }
    }

    /// Up to `count` passes, at most the records that fit, each sequence until one of `stops` was
    /// its best; `emit` gets each record as it comes. Says how many passes there were.
    pub(super) fn several(
        &mut self,
        enters: &[Enter],
        count: u32,
        stops: &[u32],
        emit: Emit<'_>,
    ) -> Result<u32, CardError> {
        let stream = self.prepare(enters, count, 0, stops)?;
        let (active, emit) = ((0..enters.len()).collect(), Some(emit));
        let harvest = Harvest { enters, stops, count, seen: 0, active, emit };
        self.run("run", status::STATE_VALID, stream, harvest)
    }

    fn prepare(
        &mut self,
        enters: &[Enter],
        count: u32,
        modes: u32,
        stops: &[u32],
    ) -> Result<Option<Stream>, CardError> {
        let headless = modes & mode::NO_HEAD != 0;
        let units = if headless { headless_units(&self.walk) } else { image_units(&self.walk) };
        self.write(&regs::IMAGE_UNITS, units as u32)?;
        self.write(&regs::MODE, modes)?;
        self.write(&regs::COUNT, count)?;
        self.write(&regs::SLOT_MASK, enters.iter().fold(0, |mask, enter| mask | 1 << enter.seat))?;
        for enter in enters {
            self.write(&regs::TOKENS[enter.seat], enter.token)?;
        }
        for (n, reg) in regs::STOPS.iter().enumerate() {
            self.write(reg, stops.get(n).map_or(0, |stop| stop | STOP_VALID))?;
        }
        // Where it streams, one sequence has a seat.
        Stream::begin(self, enters.first().map_or(0, |enter| enter.token), units)
    }

    /// Runs what was prepared; records are read as soon as they are there.
    fn run(
        &mut self,
        what: &'static str,
        valid: u32,
        mut stream: Option<Stream>,
        mut harvest: Harvest<'_, '_>,
    ) -> Result<u32, CardError> {
        let mut early = |card: &mut Self| match &mut stream {
            Some(stream) => stream.go_on(card),
            None if harvest.count > 1 => harvest.take(card),
            None => Ok(false),
        };
        self.transport.expect((image_units(&self.walk) * UNIT) as u64);
        let result = self.obey(what, command::RUN, valid, &mut early);
        let result = result.and_then(|()| harvest.take(self)).and_then(|_| {
            let (count, done) = (harvest.count, harvest.seen);
            if harvest.ends_well() { Ok(done) } else { Err(CardError::Passes { count, done }) }
        });
        let done = self.account(result)?;
        self.saturated()?;
        Ok(done)
    }

    /// Gives a command other than a run, to one seat.
    pub(super) fn command(
        &mut self,
        what: &'static str,
        bits: u32,
        seat: usize,
    ) -> Result<(), CardError> {
        self.write(&regs::SLOT_MASK, 1 << seat)?;
        self.transport.expect(4 * self.model.shape().state() as u64);
        let result = self.obey(what, bits, status::STATE_VALID, &mut |_| Ok(false));
        self.account(result)
    }

    /// After an error the core is to be reset, and the sequences on chip are void.
    fn account<R>(&mut self, result: Result<R, CardError>) -> Result<R, CardError> {
        if result.is_err() {
            self.failed = true;
            self.lose();
        }
        result
    }

    /// Gives a command and waits for its end; `valid` is what STATUS should then say beside done.
    fn obey(
        &mut self,
        what: &'static str,
        bits: u32,
        valid: u32,
        each: Each<'_, T>,
    ) -> Result<(), CardError> {
        self.write(&regs::COMMAND, bits)?;
        let status = self.until(what, &mut |status| status & status::BUSY == 0, each)?;
        let wanted = status::DONE | valid;
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
}
