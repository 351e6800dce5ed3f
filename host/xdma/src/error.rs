//! Everything that can go wrong with a card's nodes, each with a code and the next step.

use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Result with an [`XdmaError`].
pub type Result<T> = std::result::Result<T, XdmaError>;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the card's memory.
    Read,
    /// Write the card's memory.
    Write,
    /// Read a register.
    ReadRegister,
    /// Write a register.
    WriteRegister,
    /// Wait for an interrupt.
    Wait,
}

impl Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::ReadRegister => "read a register",
            Action::WriteRegister => "write a register",
            Action::Wait => "wait for an interrupt",
        })
    }
}

/// An error of a card's nodes; the message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XdmaError {
    /// The directory of the nodes cannot be read.
    #[error("{path}: cannot look for cards: {source}; name the directory of the nodes with --root")]
    Root {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No card at all.
    #[error(
        "{path}: no card: there is no xdma0_user; `sterna doctor` says whether one is on the bus, \
         and what its driver is doing"
    )]
    NoCard {
        /// The directory.
        path: PathBuf,
    },
    /// No card of this number.
    #[error("{path}: there is no card {index}; there is {}: choose with --card", list(.there))]
    NoSuchCard {
        /// The directory.
        path: PathBuf,
        /// The number that was asked for.
        index: u32,
        /// Those that there are.
        there: Vec<u32>,
    },
    /// A node that is needed is not there.
    #[error(
        "{path}: missing, though other nodes of the card are there; the bitstream's XDMA needs a \
         channel each way and the AXI-Lite master, and the driver one load for all of them: \
         configure the card again, then load the driver again"
    )]
    Missing {
        /// The node.
        path: PathBuf,
    },
    /// A node may not be opened.
    #[error(
        "{path}: permission denied; install the udev rule of docs/card.md and join its group, or \
         run as root"
    )]
    Denied {
        /// The node.
        path: PathBuf,
    },
    /// A node cannot be opened.
    #[error("{path}: cannot open: {source}; check that the card is on the bus (`lspci -d 10ee:`)")]
    Open {
        /// The node.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process uses the card.
    #[error(
        "{path}: another process uses this card (`fuser {path}` says which); wait until it ends, \
         or choose another card with --card"
    )]
    Locked {
        /// The node that is locked.
        path: PathBuf,
    },
    /// The lock cannot be tried.
    #[error("{path}: cannot lock the card: {source}; use nodes on a file system that has flock")]
    Lock {
        /// The node.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The driver refused or failed.
    #[error(
        "{path}: cannot {action} at {offset:#x}, {done} of {length} bytes done: {source}; {}",
        remedy(*.action, .source)
    )]
    Io {
        /// The node.
        path: PathBuf,
        /// What was tried.
        action: Action,
        /// Card address, or offset of the register.
        offset: u64,
        /// Bytes wanted.
        length: usize,
        /// Of these, done before.
        done: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The driver transferred less than it was asked to and does not go on.
    #[error(
        "{path}: cannot {action} at {offset:#x}: it stopped after {done} of {length} bytes; check \
         that the card has memory there (--card-memory), then `dmesg`"
    )]
    Short {
        /// The node.
        path: PathBuf,
        /// What was tried.
        action: Action,
        /// Card address, or offset of the register.
        offset: u64,
        /// Bytes wanted.
        length: usize,
        /// Bytes done.
        done: usize,
    },
    /// It took too long.
    #[error(
        "{path}: the {action} of {length} bytes at {offset:#x} has not ended after {:.1} s; the \
         card's DMA engine hangs: configure the card again and load the driver again",
        limit.as_secs_f64()
    )]
    Deadline {
        /// The node.
        path: PathBuf,
        /// What was tried.
        action: Action,
        /// Card address.
        offset: u64,
        /// Bytes wanted.
        length: usize,
        /// The deadline.
        limit: Duration,
    },
    /// The card does not answer any more.
    #[error(
        "{path}: the card is gone: {how}; check its power and seating, then rescan the bus (echo 1 \
         > /sys/bus/pci/rescan) and load the driver again"
    )]
    Gone {
        /// The node.
        path: PathBuf,
        /// How one can tell.
        how: &'static str,
    },
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Numbers of errors as Linux has them.
pub(crate) mod errno {
    pub const EIO: i32 = 5;
    pub const ENXIO: i32 = 6;
    pub const EAGAIN: i32 = 11;
    pub const ENODEV: i32 = 19;
    pub const ETIMEDOUT: i32 = 110;
    /// ERESTARTSYS, which no program should see: a driver that lets it out was interrupted.
    pub const ERESTARTSYS: i32 = 512;
}

/// What helps against a number.
fn remedy(action: Action, source: &io::Error) -> &'static str {
    let memory = matches!(action, Action::Read | Action::Write);
    match source.raw_os_error() {
        Some(errno::EIO) if memory => {
            "the DMA met an error on the card's side, such as an address without memory: check \
             --card-memory, then `dmesg`"
        }
        Some(errno::ETIMEDOUT) => {
            "the card's DMA engine or memory does not answer: configure the card again"
        }
        Some(errno::ERESTARTSYS) => "the driver was interrupted by a signal: run again",
        _ => "see `dmesg` for what the driver says",
    }
}

impl XdmaError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use XdmaError::*;
        match self {
            Root { .. } => "X001",
            NoCard { .. } => "X002",
            NoSuchCard { .. } => "X003",
            Missing { .. } => "X004",
            Denied { .. } => "X005",
            Open { .. } => "X006",
            Locked { .. } => "X007",
            Lock { .. } => "X008",
            Io { .. } => "X009",
            Short { .. } => "X010",
            Deadline { .. } => "X011",
            Gone { .. } => "X012",
        }
    }

    /// Whether the card left the bus.
    pub(crate) fn is_loss(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(errno::ENODEV | errno::ENXIO))
    }
}
