//! A card that is not there: the nodes of the XDMA driver with a core behind them.
//!
//! ```text
//!  sterna-xdma --+-- local: the nodes in this process --+
//!                |                                      +-- FakeCard -- faults -- core, memory
//!                +-- mount: the nodes as files (FUSE) --+        |
//!                                                             events
//! ```
//!
//! The core is anything that is a [`Transport`]: the [soft core](crate::soft_core), or the
//! Verilated one. A thread works on it while it is busy. [`Fault`]s are made at the nodes, as the
//! host would meet them.

mod core;
mod events;
mod fault;
mod local;
mod mount;

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use sterna_hdl::driver::Transport;
use sterna_hdl::registers::{self as regs, command, status};

use self::core::{Core, Worker};
use self::events::Events;
use self::fault::{Plan, Site};
pub use fault::{Fault, Kind, Phase};
pub use local::Local;
pub use mount::Mounted;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
    /// Host to card.
    H2c,
    /// Card to host.
    C2h,
    User,
    Control,
    Events,
}

/// The nodes of a card, by suffix.
const NODES: [(&str, NodeKind); 11] = [
    ("h2c_0", NodeKind::H2c),
    ("h2c_1", NodeKind::H2c),
    ("h2c_2", NodeKind::H2c),
    ("h2c_3", NodeKind::H2c),
    ("c2h_0", NodeKind::C2h),
    ("c2h_1", NodeKind::C2h),
    ("c2h_2", NodeKind::C2h),
    ("c2h_3", NodeKind::C2h),
    ("user", NodeKind::User),
    ("control", NodeKind::Control),
    ("events_0", NodeKind::Events),
];

/// Numbers of errors.
mod errno {
    pub const EINTR: i32 = 4;
    pub const EIO: i32 = 5;
    pub const EACCES: i32 = 13;
    pub const ENODEV: i32 = 19;
    pub const EINVAL: i32 = 22;
    pub const ENOTCONN: i32 = 107;
    pub const ETIMEDOUT: i32 = 110;
    pub const ERESTARTSYS: i32 = 512;
}

fn error(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

/// How an operation ends.
enum End {
    /// So many bytes were done, or none.
    Now(io::Result<usize>),
    /// After so long, with an error.
    Late(Duration),
}

/// Moves the first so many bytes, with something going wrong.
type Transfer<'a> = &'a mut dyn FnMut(&mut Core, usize, Option<Kind>) -> io::Result<()>;

/// The card. A clone is the same card; it ends with the last of them.
#[derive(Clone)]
pub struct FakeCard {
    shared: Arc<Shared>,
}

struct Shared {
    core: Mutex<Core>,
    worker: Worker,
    events: Arc<Events>,
    plan: Mutex<Plan>,
    /// In this process; files are locked by the system.
    locked: AtomicBool,
    index: u32,
}

impl FakeCard {
    /// A card with a core, as number `index`.
    pub fn new<T: Transport + Send + 'static>(core: T, index: u32) -> FakeCard {
        let shared = Arc::new(Shared {
            core: Mutex::new(Core::new(Box::new(core))),
            worker: Worker::default(),
            events: Arc::default(),
            plan: Mutex::new(Plan::default()),
            locked: AtomicBool::new(false),
            index,
        });
        let weak = Arc::downgrade(&shared);
        thread::Builder::new()
            .name("fake-card".into())
            .spawn(move || core::work(&weak))
            .expect("the system has room for a thread");
        FakeCard { shared }
    }

    /// Plans a fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.plan().add(fault);
    }

    /// Forgets all faults that were planned; a card that was gone is back.
    pub fn heal(&self) {
        self.shared.plan().clear();
    }

    /// Operations that a fault hit since the last [`FakeCard::heal`].
    pub fn hits(&self) -> u32 {
        self.shared.plan().hits
    }

    /// Changes the card's memory behind its back.
    pub fn poke(&self, address: u64, change: &mut dyn FnMut(&mut u8)) {
        self.shared.core().poke(address, change);
    }

    /// The nodes in this process.
    pub fn local(&self) -> Local {
        Local::new(self.clone())
    }
}

impl Shared {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.worker.ahead(|| self.core.lock().expect("nothing panics under this lock"))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("nothing panics under this lock")
    }

    /// What goes wrong with an operation: an error of its own, or something else than an error.
    fn meet(&self, phase: Option<Phase>, site: Site) -> Result<Option<Kind>, io::Error> {
        let Some(kind) = self.plan().meet(phase, site) else { return Ok(None) };
        match kind {
            Kind::Eio => Err(error(errno::EIO)),
            Kind::Timeout => Err(error(errno::ETIMEDOUT)),
            Kind::Restart => Err(error(errno::ERESTARTSYS)),
            Kind::Gone => {
                self.core().foreign_reset();
                Err(error(errno::ENODEV))
            }
            Kind::Denied => Err(error(errno::EACCES)),
            Kind::Reset => {
                self.core().foreign_reset();
                Ok(None)
            }
            Kind::Memory => {
                let at = self.core().image() + DAMAGED;
                self.core().poke(at, &mut |byte| *byte ^= 8);
                Ok(None)
            }
            kind => Ok(Some(kind)),
        }
    }

    fn open(&self, _: NodeKind) -> io::Result<()> {
        self.meet(Some(Phase::Open), Site::Open).map(|_| ())
    }

    fn close(&self) {
        // Nobody hears of an error.
        let _ = self.meet(Some(Phase::Close), Site::Close);
    }

    fn read(&self, node: NodeKind, at: u64, bytes: &mut [u8]) -> End {
        match node {
            NodeKind::C2h => {
                let site = Site::Dma { from_card: true, records: self.core().is_record(at) };
                self.dma(Phase::Read, site, bytes.len(), &mut |core, length, kind| {
                    core.read_memory(at, &mut bytes[..length])?;
                    match kind {
                        Some(Kind::ReadBack) => flip(bytes, 4),
                        Some(Kind::Image) => flip(bytes, 24),
                        _ => {}
                    }
                    Ok(())
                })
            }
            NodeKind::User => End::Now(self.read_user(at, bytes, true)),
            NodeKind::Control => End::Now(Ok(bytes.len())),
            NodeKind::H2c | NodeKind::Events => End::Now(Err(error(errno::EINVAL))),
        }
    }

    fn write(&self, node: NodeKind, at: u64, bytes: &[u8]) -> End {
        match node {
            NodeKind::H2c => {
                let site = Site::Dma { from_card: false, records: false };
                self.dma(Phase::Load, site, bytes.len(), &mut |core, length, _| {
                    core.write_memory(at, &bytes[..length])
                })
            }
            NodeKind::User => End::Now(self.write_user(at, bytes, true)),
            NodeKind::Control => End::Now(Ok(bytes.len())),
            NodeKind::C2h | NodeKind::Events => End::Now(Err(error(errno::EINVAL))),
        }
    }

    fn dma(&self, phase: Phase, site: Site, length: usize, what: Transfer<'_>) -> End {
        let kind = match self.meet(Some(phase), site) {
            Ok(Some(Kind::Hang(time))) => return End::Late(time),
            Ok(kind) => kind,
            Err(error) => return End::Now(Err(error)),
        };
        let length = if kind == Some(Kind::Short) { length.div_ceil(2) } else { length };
        End::Now(what(&mut self.core(), length, kind).map(|()| length))
    }

    /// Reads a register, by a call or mapped.
    fn read_user(&self, at: u64, bytes: &mut [u8], call: bool) -> io::Result<usize> {
        let offset = register(at, bytes.len())?;
        let phase = if offset < regs::IMAGE_LO.offset { Phase::Identify } else { Phase::Run };
        let kind = self.meet(Some(phase), Site::ReadRegister { offset, call })?;
        let value = match kind {
            Some(Kind::Ones) => u32::MAX,
            Some(Kind::Geometry) => self.core().read_register(offset)? ^ 0x60,
            _ => self.core().read_register(offset)?,
        };
        bytes.copy_from_slice(&value.to_le_bytes());
        Ok(4)
    }

    fn write_user(&self, at: u64, bytes: &[u8], call: bool) -> io::Result<usize> {
        let offset = register(at, bytes.len())?;
        self.meet(Some(Phase::Start), Site::WriteRegister { call })?;
        let value = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if offset != regs::COMMAND.offset {
            self.core().write_register(offset, value)?;
            return Ok(4);
        }
        let resets = value & command::RESET != 0;
        let kind = match resets {
            true => None,
            false => self.meet(None, Site::Command { run: value == command::RUN })?,
        };
        let mut core = self.core();
        let status = match kind {
            Some(Kind::Stuck) => core.force(status::BUSY, 0),
            Some(Kind::Core(code)) => core.force(status::FAILED, code.into()),
            _ => core.obey(value)?,
        };
        drop(core);
        if status & status::BUSY != 0 {
            self.worker.wake();
        } else if status & (status::DONE | status::FAILED) != 0 {
            self.interrupt();
        }
        Ok(4)
    }

    /// The core says that it is done.
    fn interrupt(&self) {
        let kind = self.plan().meet(None, Site::Interrupt);
        match kind {
            Some(Kind::LostIrq) => {}
            Some(Kind::LateIrq(time)) => {
                let events = Arc::clone(&self.events);
                thread::spawn(move || {
                    thread::sleep(time);
                    events.raise();
                });
            }
            _ => self.events.raise(),
        }
    }

    /// Before interrupts are read.
    fn begin_event(&self) -> io::Result<()> {
        self.meet(Some(Phase::Run), Site::Event).map(|_| ())
    }
}

/// Where in the image memory is damaged: in the payload of the first matrix.
const DAMAGED: u64 = 1000;

fn flip(bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
}

/// Registers are read and written one at a time.
fn register(at: u64, length: usize) -> io::Result<u32> {
    match u32::try_from(at) {
        Ok(offset) if length == 4 && offset % 4 == 0 => Ok(offset),
        _ => Err(error(errno::EINVAL)),
    }
}
