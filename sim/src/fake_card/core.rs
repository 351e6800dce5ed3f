//! The core of a fake card, and the thread that works on it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, Weak};
use std::thread;
use std::time::Duration;

use sterna_hdl::driver::Transport;
use sterna_hdl::registers::{self as regs, Reg, command, status};
use sterna_rtl::parts::Access;

use super::{Shared, errno, error};

/// A [`Transport`] of any kind, which fails as a bus does.
pub(super) trait Cable: Send {
    fn read_register(&mut self, offset: u32) -> io::Result<u32>;
    fn write_register(&mut self, offset: u32, value: u32) -> io::Result<()>;
    fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()>;
    fn write_memory(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    fn wait(&mut self, polls: u64) -> io::Result<bool>;
}

/// On the bus every error looks alike.
fn on_bus<R, E>(result: Result<R, E>) -> io::Result<R> {
    result.map_err(|_| error(errno::EIO))
}

impl<T: Transport + Send> Cable for T {
    fn read_register(&mut self, offset: u32) -> io::Result<u32> {
        on_bus(Transport::read_register(self, offset))
    }

    fn write_register(&mut self, offset: u32, value: u32) -> io::Result<()> {
        on_bus(Transport::write_register(self, offset, value))
    }

    fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        on_bus(Transport::read_memory(self, at, bytes))
    }

    fn write_memory(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        on_bus(Transport::write_memory(self, at, bytes))
    }

    fn wait(&mut self, polls: u64) -> io::Result<bool> {
        on_bus(Transport::wait(self, polls))
    }
}

pub(super) struct Core {
    cable: Box<dyn Cable>,
    /// Registers that read as something else, until the next reset.
    forced: BTreeMap<u32, u32>,
}

impl Core {
    pub fn new(cable: Box<dyn Cable>) -> Core {
        Core { cable, forced: BTreeMap::new() }
    }

    pub fn read_register(&mut self, offset: u32) -> io::Result<u32> {
        match self.forced.get(&offset) {
            Some(&value) => Ok(value),
            None => self.cable.read_register(offset),
        }
    }

    pub fn write_register(&mut self, offset: u32, value: u32) -> io::Result<()> {
        self.cable.write_register(offset, value)
    }

    pub fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.cable.read_memory(at, bytes)
    }

    pub fn write_memory(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.cable.write_memory(at, bytes)
    }

    /// Gives a command; returns the status after it.
    pub fn obey(&mut self, bits: u32) -> io::Result<u32> {
        if bits & command::RESET != 0 {
            self.forced.clear();
        } else if !self.forced.is_empty() {
            return Ok(0);
        }
        self.cable.write_register(regs::COMMAND.offset, bits)?;
        self.read_register(regs::STATUS.offset)
    }

    /// Has the core seem to be in a state until it is reset.
    pub fn force(&mut self, status: u32, code: u32) -> u32 {
        self.forced.insert(regs::STATUS.offset, status);
        self.forced.insert(regs::ERROR.offset, code);
        self.forced.insert(regs::ERROR_SEGMENT.offset, 3);
        // A command that begins counts anew: what another run has finished is no longer told.
        self.forced.insert(regs::TOKENS_DONE.offset, 0);
        if status & status::BUSY != 0 { 0 } else { status }
    }

    /// Every register as after power-up.
    pub fn foreign_reset(&mut self) {
        self.forced.clear();
        for reg in regs::ALL.iter().filter(|reg| reg.access == Access::Write) {
            let _ = self.cable.write_register(reg.offset, 0);
        }
        let _ = self.cable.write_register(regs::COMMAND.offset, command::RESET);
    }

    fn base(&mut self, low: &Reg, high: &Reg) -> u64 {
        let mut read = |reg: &Reg| u64::from(self.cable.read_register(reg.offset).unwrap_or(0));
        read(low) | read(high) << 32
    }

    /// Where the image is, or will be.
    pub fn image(&mut self) -> u64 {
        self.base(&regs::IMAGE_LO, &regs::IMAGE_HI).max(4096)
    }

    /// Whether a transfer from there is of result records.
    pub fn is_record(&mut self, at: u64) -> bool {
        let from = self.base(&regs::RESULT_LO, &regs::RESULT_HI);
        (from.max(1)..self.base(&regs::LOGITS_LO, &regs::LOGITS_HI)).contains(&at)
    }

    pub fn poke(&mut self, at: u64, change: &mut dyn FnMut(&mut u8)) {
        let mut byte = [0];
        if self.read_memory(at, &mut byte).is_ok() {
            change(&mut byte[0]);
            let _ = self.write_memory(at, &byte);
        }
    }

    /// Works a little; returns the status.
    fn step(&mut self, polls: u64) -> io::Result<u32> {
        self.cable.wait(polls)?;
        self.cable.read_register(regs::STATUS.offset)
    }
}

/// What the worker waits for, and whom it lets go first.
#[derive(Default)]
pub(super) struct Worker {
    pending: Mutex<bool>,
    came: Condvar,
    ahead: AtomicUsize,
}

/// How long the worker sleeps at most, so that it sees that the card is gone.
const NAP: Duration = Duration::from_millis(50);

impl Worker {
    /// Something is to be done.
    pub fn wake(&self) {
        *self.pending.lock().expect("nothing panics under this lock") = true;
        self.came.notify_one();
    }

    /// Goes before the worker, which would take the lock again and again.
    pub fn ahead<R>(&self, lock: impl FnOnce() -> R) -> R {
        self.ahead.fetch_add(1, Ordering::SeqCst);
        let guard = lock();
        self.ahead.fetch_sub(1, Ordering::SeqCst);
        guard
    }

    fn sleep(&self) -> bool {
        let pending = self.pending.lock().expect("nothing panics under this lock");
        let wait = self.came.wait_timeout_while(pending, NAP, |pending| !*pending);
        let mut pending = wait.expect("nothing panics under this lock").0;
        std::mem::take(&mut *pending)
    }
}

/// The worker: has the core work while it is busy, and raises the interrupt.
pub(super) fn work(card: &Weak<Shared>) {
    while let Some(shared) = card.upgrade() {
        if !shared.worker.sleep() {
            continue;
        }
        // A core that is looked at gets on: it may be done by any look, so every one counts.
        let mut told = false;
        for polls in 0.. {
            while shared.worker.ahead.load(Ordering::SeqCst) > 0 {
                thread::yield_now();
            }
            let mut core = shared.core.lock().expect("nothing panics under this lock");
            let status = core.step(polls).unwrap_or(status::FAILED);
            drop(core);
            let ended = status & status::BUSY == 0 && status & (status::DONE | status::FAILED) != 0;
            if ended && !told {
                shared.interrupt();
                told = true;
            }
            if status & (status::BUSY | status::DRAINING) == 0 {
                break;
            }
        }
    }
}
