//! A whole board, pins to pins.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_hdl::board::SerialBoard;
use sterna_hdl::link::{LinkError, SerialLink, SerialSettings};
use sterna_hdl::sdram::SdramChip;
use sterna_rtl::{Design, Generate};

use crate::error::SimError;
use crate::model::Options;
use crate::sdram::{Sdram, SdramPort};
use crate::simulator::Simulator;
use crate::uart::Uart;

/// The Verilated board, with its SDRAM chip if it has one, as a stream of bytes; its clock runs while
/// somebody listens.
pub struct SimBoard {
    sim: Simulator,
    chip: Option<(Sdram, SdramPort)>,
    uart: Uart,
    clocks: Arc<AtomicU64>,
    hertz: u32,
    baud: u32,
}

/// Clocks that pass while somebody listens once.
const LISTEN: u64 = 100;
/// Clocks of reset.
const RESET: u32 = 4;

impl SimBoard {
    /// The board out of reset.
    ///
    /// # Errors
    /// S018 where there is no such core; as [`Model::build`](crate::Model::build).
    pub fn new(board: &SerialBoard, options: &Options) -> std::result::Result<SimBoard, SimError> {
        let design = board.build().map_err(SimError::Core)?;
        SimBoard::of(&design, board.memory.chip(), board.hertz, board.baud, options)
    }

    /// The same of any design with these pins, such as a board's netlist.
    ///
    /// # Errors
    /// As [`Model::build`](crate::Model::build); S007 where it lacks a pin.
    pub fn of(
        design: &Design,
        chip: Option<&SdramChip>,
        hertz: u32,
        baud: u32,
        options: &Options,
    ) -> std::result::Result<SimBoard, SimError> {
        let mut sim = Simulator::build(design, options)?;
        let uart = Uart::find(&mut sim, ["rx", "tx"], hertz, baud)?;
        for _ in 0..RESET {
            sim.reset()?;
        }
        let chip = chip.map(|chip| {
            let port = SdramPort::find(&sim, "sdram", chip.data)?;
            Ok((Sdram::new(chip, hertz), port))
        });
        Ok(SimBoard { chip: chip.transpose()?, sim, uart, clocks: Arc::default(), hertz, baud })
    }

    /// Sets an input that the board does not have, such as one that chooses a mutant, for good, and
    /// resets the board.
    ///
    /// # Errors
    /// S007, S010 where there is no such input or the value does not fit.
    pub fn hold(&mut self, input: &str, value: u64) -> std::result::Result<(), SimError> {
        self.sim.poke(input, value)?;
        (0..RESET).try_for_each(|_| self.sim.reset())
    }

    /// The host's end of its line, whose time is the board's.
    ///
    /// # Errors
    /// As [`SerialLink::open`].
    pub fn link(self) -> std::result::Result<SerialLink<SimBoard>, LinkError> {
        let (clocks, hertz) = (self.clocks(), f64::from(self.hertz));
        let clock = move || Duration::from_secs_f64(clocks.load(Ordering::Relaxed) as f64 / hertz);
        let (baud, clock) = (self.baud, Box::new(clock));
        SerialLink::open(self, SerialSettings { baud, clock, ..SerialSettings::default() })
    }

    /// Clocks so far.
    pub fn clocks(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.clocks)
    }

    /// What is in its SDRAM chip, by a back door.
    pub fn chip(&mut self) -> Option<&mut Sdram> {
        self.chip.as_mut().map(|(chip, _)| chip)
    }

    /// What an output shows, such as `irq`.
    ///
    /// # Errors
    /// S007 where there is no such output; S014 where the board stopped.
    pub fn peek(&mut self, output: &str) -> std::result::Result<u64, SimError> {
        self.sim.peek(output).map(|bits| bits.to_u64())
    }

    /// Bytes from the board that had no stop bit.
    pub fn broken(&self) -> u64 {
        self.uart.broken
    }

    fn step(&mut self) -> std::result::Result<(), SimError> {
        self.uart.clock(&mut self.sim)?;
        if let Some((chip, port)) = &mut self.chip {
            port.clock(&mut self.sim, chip)?;
        }
        self.sim.step()
    }
}

impl Read for SimBoard {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        for _ in 0..LISTEN {
            self.step().map_err(Error::other)?;
        }
        self.clocks.fetch_add(LISTEN, Ordering::Relaxed);
        let count = self.uart.from_design.len().min(bytes.len());
        for (to, byte) in bytes.iter_mut().zip(self.uart.from_design.drain(..count)) {
            *to = byte;
        }
        if count == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }
}

impl Write for SimBoard {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.uart.to_design.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
