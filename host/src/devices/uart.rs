//! A board on a serial line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
use sterna_firmware::FirmwareError;
use sterna_firmware::error::DeviceError;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, OnProgress, Settings, Transport};
use sterna_hdl::link::{LinkError, SerialLink, SerialSettings};

use crate::error::{HostError, Result};
use crate::output;

/// Where the help lists what is about serial lines.
const HEADING: &str = "Serial board";

/// A board, by its line.
#[derive(clap::Args, Clone, Debug)]
pub struct UartArgs {
    /// The serial port of a board, such as /dev/ttyUSB0
    #[arg(long, help_heading = HEADING, value_name = "PORT")]
    pub port: Option<PathBuf>,
    /// Bits a second of the line
    #[arg(long, help_heading = HEADING, value_name = "RATE", default_value_t = 3_000_000,
          value_parser = clap::value_parser!(u32).range(1200..=12_000_000))]
    pub baud: u32,
}

/// What is wrong with a port.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// No port was named.
    #[error("which serial port? name it with --port, such as --port /dev/ttyUSB0")]
    Unnamed,
    /// It cannot be opened.
    #[error(
        "{path}: cannot open the serial port: {source}; is the board plugged in, and are you in \
         the group of its port (`ls -l {path}`)?", path = path.display()
    )]
    Open {
        /// The port.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process uses it.
    #[error(
        "{path}: another process uses this serial port (`fuser {path}` says which); wait until \
         it ends", path = path.display()
    )]
    Locked {
        /// The port.
        path: PathBuf,
    },
    /// It cannot be set up.
    #[error(
        "{path}: cannot set the serial port to {baud} bits a second: {source}; is it a serial \
         port, and is --baud one of its rates?", path = path.display()
    )]
    Setup {
        /// The port.
        path: PathBuf,
        /// Its rate.
        baud: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The link over it failed.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl DeviceError for PortError {
    fn code(&self) -> &'static str {
        match self {
            PortError::Unnamed => "U011",
            PortError::Open { .. } => "U012",
            PortError::Locked { .. } => "U013",
            PortError::Setup { .. } => "U014",
            PortError::Link(error) => error.code(),
        }
    }
}

impl From<PortError> for HostError {
    fn from(error: PortError) -> HostError {
        HostError::Firmware(FirmwareError::Device(Box::new(error)))
    }
}

/// How long a read waits for a byte.
const NAP: Duration = Duration::from_millis(2);

/// An open serial port, of which this process is the only user.
pub struct Port {
    file: File,
}

impl Port {
    /// Opens a port: raw bytes, 8 data bits, no parity, one stop bit.
    ///
    /// # Errors
    /// U012 to U014.
    pub fn open(path: &Path, baud: u32) -> std::result::Result<Port, PortError> {
        let fail = |source| PortError::Open { path: path.into(), source };
        // Not the process's terminal, and not waiting for a carrier.
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).custom_flags(flags as i32).open(path);
        let file = file.map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PortError::Locked { path: path.into() }),
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        let setup = || -> rustix::io::Result<()> {
            let mut line = tcgetattr(&file)?;
            line.make_raw();
            line.set_speed(baud)?;
            tcsetattr(&file, OptionalActions::Now, &line)?;
            tcflush(&file, QueueSelector::IOFlush)
        };
        let path = path.into();
        setup().map_err(|error| PortError::Setup { path, baud, source: error.into() })?;
        Ok(Port { file })
    }

    /// Lets others open the port.
    fn release(&mut self) {
        let _ = self.file.unlock();
    }

    fn ready(&self, wanted: PollFlags, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        Ok(poll(&mut [PollFd::new(&self.file, wanted)], timeout.as_ref())? > 0)
    }
}

impl Read for Port {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.ready(PollFlags::IN, NAP)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.file.read(bytes)
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const PATIENCE: Duration = Duration::from_secs(2);
        if !self.ready(PollFlags::OUT, PATIENCE)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A board's registers and memory over its port.
pub struct UartTransport {
    path: PathBuf,
    baud: u32,
    link: SerialLink<Port>,
}

type Tried<T> = std::result::Result<T, PortError>;

impl UartTransport {
    /// Takes a board.
    ///
    /// # Errors
    /// U012 to U014 for the port; U001 to U005 where no board of this version answers.
    pub fn open(path: &Path, baud: u32) -> Tried<UartTransport> {
        let link = connect(path, baud)?;
        Ok(UartTransport { path: path.into(), baud, link })
    }
}

fn connect(path: &Path, baud: u32) -> Tried<SerialLink<Port>> {
    let settings = SerialSettings { baud, ..SerialSettings::default() };
    Ok(SerialLink::open(Port::open(path, baud)?, settings)?)
}

impl Transport for UartTransport {
    type Error = PortError;

    fn memory_bytes(&self) -> u64 {
        self.link.memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Tried<u32> {
        Ok(self.link.read_register(offset)?)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Tried<()> {
        Ok(self.link.write_register(offset, value)?)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Tried<()> {
        Ok(self.link.read_memory(address, bytes)?)
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Tried<()> {
        Ok(self.link.write_memory(address, bytes)?)
    }

    fn expect(&mut self, bytes: u64) {
        self.link.expect(bytes);
    }

    fn recover(&mut self) -> Tried<()> {
        // The port may have gone and come back. It is let go of first, as it has one user.
        self.link.recover()?;
        if self.link.read_register(sterna_hdl::registers::ID.offset).is_ok() {
            return Ok(());
        }
        self.link.stream().release();
        self.link = connect(&self.path, self.baud)?;
        Ok(())
    }

    fn wait(&mut self, polls: u64) -> Tried<bool> {
        Ok(self.link.wait(polls)?)
    }
}

impl UartArgs {
    /// Takes the board and loads the model, with a bar.
    ///
    /// # Errors
    /// Those of [`UartTransport::open`] and [`Card::open_with`]; U011 where no port is named.
    pub fn open(
        &self,
        model: &Arc<Model>,
        slots: usize,
        stream: bool,
    ) -> Result<Card<UartTransport>> {
        let path = self.port.as_deref().ok_or(PortError::Unnamed)?;
        let transport = UartTransport::open(path, self.baud)?;
        // A line is slow: a load that was ended goes on from a point not long ago.
        let settings = Settings { slots, stream, chunk: 64 << 10, ..Settings::default() };
        let bar = output::bar(0, "bytes");
        let progress: OnProgress<'_> = &mut |now| {
            bar.set_length(now.total);
            bar.set_position(now.done);
        };
        let card = Card::open_with(transport, "uart", Arc::clone(model), &settings, progress);
        bar.finish_and_clear();
        Ok(card.map_err(FirmwareError::from)?)
    }
}
