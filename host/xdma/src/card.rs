//! A card: its lock, registers, memory and interrupts.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::access::{Access, Node, Window};
use crate::discover::{Found, discover};
use crate::dma::{Dma, Shared, open};
use crate::error::{Action, Result, XdmaError};
use crate::limits::Limits;

/// How a card is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How long something may take.
    pub limits: Limits,
    /// Reach registers by `pread` and `pwrite` even where they could be mapped.
    pub unmapped: bool,
}

/// Bytes of registers that are mapped.
const REGISTERS: usize = 4096;
/// What a bus reads as from which nobody answers.
const NOBODY: u32 = u32::MAX;

/// A card of which this process is the only user.
pub struct XdmaCard {
    access: Arc<dyn Access>,
    found: Found,
    options: Options,
    h2c: Dma,
    c2h: Dma,
    /// Held as long as the card is.
    _lock: Arc<dyn Node>,
    user: Arc<dyn Node>,
    window: Option<Box<dyn Window>>,
    events: Option<Arc<dyn Node>>,
}

impl XdmaCard {
    /// Takes card `index`, or without one the first.
    ///
    /// # Errors
    /// X001 to X008: there is no such card, a node is missing or denied, another process has it.
    pub fn open(access: Arc<dyn Access>, index: Option<u32>, options: Options) -> Result<XdmaCard> {
        let found = choose(&*access, index)?;
        if let Some(suffix) = found.missing().first() {
            return Err(XdmaError::Missing { path: access.path(&found.node(suffix)) });
        }
        let user_name = found.node("user");
        let lock_name = found.node(if found.control { "control" } else { "user" });
        let user = open(&*access, &user_name)?;
        let lock = if found.control { open(&*access, &lock_name)? } else { Arc::clone(&user) };
        match lock.lock() {
            Ok(true) => {}
            Ok(false) => return Err(XdmaError::Locked { path: access.path(&lock_name) }),
            Err(source) => {
                return Err(XdmaError::Lock { path: access.path(&lock_name), source });
            }
        }
        let names = |kind: &str, list: &[u32]| {
            list.iter().map(|n| found.node(&format!("{kind}_{n}"))).collect::<Vec<_>>()
        };
        let h2c = Dma::new(Arc::clone(&access), names("h2c", &found.h2c), Action::Write);
        let c2h = Dma::new(Arc::clone(&access), names("c2h", &found.c2h), Action::Read);
        let (window, events) = (None, None);
        let mut card =
            XdmaCard { access, found, options, h2c, c2h, _lock: lock, user, window, events };
        card.attach()?;
        Ok(card)
    }

    /// What there is of it.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Whether registers are mapped; otherwise each access is a call to the system.
    pub fn mapped(&self) -> bool {
        self.window.is_some()
    }

    /// Whether there are interrupts to wait for; otherwise registers are to be polled.
    pub fn interrupts(&self) -> bool {
        self.events.is_some()
    }

    /// Deadlines of transfers.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Pieces of transfers that were tried again, since it was taken.
    pub fn retries(&self) -> u64 {
        self.h2c.retries() + self.c2h.retries()
    }

    /// Has transfers to and from memory use one channel each way, by place in [`Found::h2c`] and
    /// [`Found::c2h`]; without one, or with one that is not there, all of them.
    pub fn use_channels(&mut self, h2c: Option<usize>, c2h: Option<usize>) {
        self.h2c.restrict(h2c);
        self.c2h.restrict(c2h);
    }

    /// Opens everything but the lock anew: what hung or was gone may be back.
    ///
    /// # Errors
    /// X004 to X006, X012.
    pub fn reopen(&mut self) -> Result<()> {
        self.h2c.close();
        self.c2h.close();
        self.window = None;
        self.user = open(&*self.access, &self.found.node("user"))?;
        self.attach()
    }

    fn attach(&mut self) -> Result<()> {
        self.h2c.open()?;
        self.c2h.open()?;
        // A file system in user space maps nothing; calls do as well.
        self.window = if self.options.unmapped { None } else { self.user.map(REGISTERS).ok() };
        let events = self.found.events.first().map(|n| self.found.node(&format!("events_{n}")));
        self.events = match events {
            Some(name) => Some(open(&*self.access, &name)?),
            None => None,
        };
        Ok(())
    }

    /// Reads a register.
    ///
    /// # Errors
    /// X009 to X012.
    pub fn read_register(&mut self, offset: u32) -> Result<u32> {
        let value = self.peek(offset)?;
        if value != NOBODY {
            return Ok(value);
        }
        // A card that has left the bus reads as ones everywhere, register 0 included.
        if self.peek(0)? == NOBODY {
            let how = "its registers read as 0xffffffff";
            return Err(XdmaError::Gone { path: self.user_path(), how });
        }
        // One that is there has ones in this register, or only this read was lost.
        self.peek(offset)
    }

    fn peek(&self, offset: u32) -> Result<u32> {
        if let Some(window) = &self.window {
            return Ok(window.read(offset));
        }
        let mut bytes = [0; 4];
        let mut read = || self.uninterrupted(|| self.user.read_at(&mut bytes, offset.into()));
        // Reading again does no harm.
        let result = match read() {
            Ok(4) => Ok(4),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            _ => read(),
        };
        match result {
            Ok(4) => Ok(u32::from_le_bytes(bytes)),
            result => Err(self.register(Action::ReadRegister, offset, result)),
        }
    }

    /// Calls again what a signal interrupted, which has done nothing, as long as there is time.
    fn uninterrupted(&self, mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
        let begin = Instant::now();
        loop {
            match call() {
                Err(error)
                    if error.kind() == ErrorKind::Interrupted
                        && begin.elapsed() < self.options.limits.base => {}
                result => return result,
            }
        }
    }

    /// Writes a register.
    ///
    /// # Errors
    /// X009, X010, X012.
    pub fn write_register(&mut self, offset: u32, value: u32) -> Result<()> {
        if let Some(window) = &self.window {
            window.write(offset, value);
            return Ok(());
        }
        // One that failed may have been written all the same: it is not written again.
        match self.uninterrupted(|| self.user.write_at(&value.to_le_bytes(), offset.into())) {
            Ok(4) => Ok(()),
            result => Err(self.register(Action::WriteRegister, offset, result)),
        }
    }

    fn register(&self, action: Action, offset: u32, result: io::Result<usize>) -> XdmaError {
        let (path, offset, length) = (self.user_path(), offset.into(), 4);
        match result {
            Ok(done) => XdmaError::Short { path, action, offset, length, done },
            Err(source) if XdmaError::is_loss(&source) => {
                XdmaError::Gone { path, how: "the driver has no device behind this node" }
            }
            Err(source) => XdmaError::Io { path, action, offset, length, done: 0, source },
        }
    }

    fn user_path(&self) -> PathBuf {
        self.access.path(&self.found.node("user"))
    }

    /// Reads the card's memory.
    ///
    /// # Errors
    /// X004 to X006 of a channel that is opened first now, X009 to X012.
    pub fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> Result<()> {
        self.c2h.read(at, bytes, &self.options.limits)
    }

    /// Writes the card's memory.
    ///
    /// # Errors
    /// As [`XdmaCard::read_memory`].
    pub fn write_memory(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        self.h2c.write(at, bytes, &self.options.limits)
    }

    /// Writes the card's memory without a copy, if the bytes begin at a page.
    ///
    /// # Errors
    /// As [`XdmaCard::read_memory`].
    pub fn write_shared(&mut self, at: u64, bytes: &Shared, range: Range<usize>) -> Result<()> {
        self.h2c.write_shared(at, bytes, range, &self.options.limits)
    }

    /// Waits for the interrupt, at most so long; `false` says that it did not come. Without
    /// interrupts this is a pause, at most as long.
    ///
    /// # Errors
    /// X009, X012.
    pub fn wait(&mut self, timeout: Duration) -> Result<bool> {
        const PAUSE: Duration = Duration::from_micros(50);
        let Some(events) = &self.events else {
            std::thread::sleep(timeout.min(PAUSE));
            return Ok(false);
        };
        let mut count = [0; 4];
        let result = match events.ready(timeout) {
            Ok(true) => events.read_at(&mut count, 0),
            Ok(false) => return Ok(false),
            Err(error) => Err(error),
        };
        match result {
            Ok(_) => Ok(true),
            Err(error) if XdmaError::is_loss(&error) => {
                Err(self.register(Action::Wait, 0, Err(error)))
            }
            // Whatever is the matter with interrupts: the registers say the truth as well.
            Err(_) => {
                std::thread::sleep(timeout.min(PAUSE));
                Ok(false)
            }
        }
    }
}

fn choose(access: &dyn Access, index: Option<u32>) -> Result<Found> {
    let mut cards = discover(access)?;
    let path = || access.path("");
    let Some(index) = index else {
        // The first that is whole, or the first, so that it is said what it lacks.
        let whole = cards.iter().position(|card| card.missing().is_empty());
        if cards.is_empty() {
            return Err(XdmaError::NoCard { path: path() });
        }
        return Ok(cards.swap_remove(whole.unwrap_or(0)));
    };
    match cards.iter().position(|card| card.index == index) {
        Some(at) => Ok(cards.swap_remove(at)),
        None if cards.is_empty() => Err(XdmaError::NoCard { path: path() }),
        None => {
            let there = cards.iter().map(|card| card.index).collect();
            Err(XdmaError::NoSuchCard { path: path(), index, there })
        }
    }
}
