//! A card in this process: the Verilated core, a memory behind its master, a driver of its
//! registers.
//!
//! ```text
//!  Card -> registers -> [ AXI4-Lite ] -> core -> [ AXI4 ] -> Memory <- behind the bus <- Card
//!                                         |
//!                                      [ probe ] -> Lockstep
//! ```
//!
//! The core's clock runs during register accesses and [`wait`](Transport::wait) only; memory is
//! read and written behind the bus, which takes no time.

use std::path::PathBuf;

use sterna_firmware::geometry::Geometry;
use sterna_hdl::core::Core;
use sterna_hdl::driver::Transport;
use sterna_rtl::{AxiKind, Design, Generate};

use crate::bus::MemoryPort;
use crate::error::SimError;
use crate::lite::{Access, LitePort};
use crate::lockstep::Lockstep;
use crate::memory::{Memory, MemoryOptions, Stalls};
use crate::model::{Model, Options};
use crate::simulator::Simulator;
use crate::timing::{Seen, Traffic};

/// How a card is simulated.
#[derive(Clone, Debug)]
pub struct CardOptions {
    /// Its memory.
    pub memory: MemoryOptions,
    /// How the core is compiled.
    pub model: Options,
    /// Clocks after which a command that has not ended counts as stuck.
    pub patience: u64,
}

impl Default for CardOptions {
    fn default() -> CardOptions {
        CardOptions {
            memory: MemoryOptions::default(),
            model: Options::default(),
            patience: 1 << 33,
        }
    }
}

/// A stretch of clocks of which a recording is wanted.
#[derive(Clone, Debug)]
pub struct Window {
    /// First clock.
    pub from: u64,
    /// First clock that is not in it.
    pub to: u64,
    /// The file, FST or SAIF as the model was compiled.
    pub path: PathBuf,
}

/// A simulated card.
pub struct SimCard {
    sim: Simulator,
    memory: Memory,
    port: MemoryPort,
    lite: LitePort,
    lockstep: Option<Lockstep>,
    window: Option<Window>,
    tracing: bool,
    patience: u64,
}

/// Clocks between two looks at the status.
const POLL: u64 = 64;
/// Clocks that a register access may take.
const ACCESS: u64 = 1000;
/// Clocks of reset.
const RESET: u32 = 4;

impl SimCard {
    /// A card with a core of this geometry, out of reset.
    ///
    /// # Errors
    /// S018 where there is no such core; as [`Model::build`].
    pub fn new(geometry: &Geometry, options: &CardOptions) -> Result<SimCard, SimError> {
        let core = Core { geometry: geometry.clone() };
        let design = core.build().map_err(SimError::Core)?;
        SimCard::of(&design, geometry.bus, options)
    }

    /// A card with a design that has the core's AXI ports, such as a core that was damaged.
    ///
    /// # Errors
    /// S007 where it lacks a port; as [`Model::build`].
    pub fn of(design: &Design, bus: u32, options: &CardOptions) -> Result<SimCard, SimError> {
        SimCard::with(&Model::build(design, &options.model)?, bus, options)
    }

    /// The same with a model of such a design, whatever the options say of how to make one.
    ///
    /// # Errors
    /// S006, S007 where it lacks a port.
    pub fn with(model: &Model, bus: u32, options: &CardOptions) -> Result<SimCard, SimError> {
        let mut sim = model.simulator()?;
        let port = MemoryPort::find(&sim, "m_axi", AxiKind::Full, bus)?;
        let lite = LitePort::find(&sim, "s_axi")?;
        for _ in 0..RESET {
            sim.reset()?;
        }
        let memory = Memory::new(bus, &options.memory);
        let patience = options.patience;
        let (lockstep, window, tracing) = (None, None, false);
        Ok(SimCard { sim, memory, port, lite, lockstep, window, tracing, patience })
    }

    /// Sets an input that the core does not have, such as one that chooses a mutant, for good, and
    /// resets the card.
    ///
    /// # Errors
    /// S007, S010 where there is no such input or the value does not fit.
    pub fn hold(&mut self, input: &str, value: u64) -> Result<(), SimError> {
        self.sim.poke(input, value)?;
        (0..RESET).try_for_each(|_| self.sim.reset())
    }

    /// Clocks so far.
    pub fn clocks(&self) -> u64 {
        self.sim.clocks()
    }

    /// The memory.
    pub fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// Has the port of the registers pause as a memory's channels do, from now on.
    pub fn hesitate(&mut self, stalls: Stalls, seed: u64) {
        self.lite.hesitate(stalls, seed);
    }

    /// Resets core and memory by their pins: registers are at their first values, and what was
    /// under way never was. What the memory holds stays.
    ///
    /// # Errors
    /// S014: the design stopped.
    pub fn restart(&mut self) -> Result<(), SimError> {
        self.memory.restart(RESET);
        for _ in 0..RESET {
            self.sim.reset()?;
        }
        Ok(())
    }

    /// Resolves the probe of the core and hands it to a checker of every instruction.
    ///
    /// # Errors
    /// S007 where the design has no probe.
    pub fn watch(&mut self, geometry: &Geometry) -> Result<&mut Lockstep, SimError> {
        self.memory.log(self.sim.clocks());
        Ok(self.lockstep.insert(Lockstep::new(&self.sim, geometry)?))
    }

    /// Forgets the clocks of what has happened so far.
    pub fn forget(&mut self) {
        if let Some(traffic) = self.memory.logged() {
            traffic.clear();
        }
        if let Some(lockstep) = &mut self.lockstep {
            *lockstep.seen() = Seen::default();
        }
    }

    /// The clocks of what happened since, at the probe and on the memory's bus, where somebody
    /// watches.
    pub fn happened(&mut self) -> Option<(Seen, Traffic)> {
        let traffic = std::mem::take(self.memory.logged()?);
        Some((std::mem::take(self.lockstep.as_mut()?.seen()), traffic))
    }

    /// The checker, if there is one.
    pub fn lockstep(&mut self) -> Option<&mut Lockstep> {
        self.lockstep.as_mut()
    }

    /// Asks for a recording; the model must have been compiled with an [`Options::trace`].
    pub fn record(&mut self, window: Window) {
        self.window = Some(window);
    }

    /// Ends the recording that [`SimCard::record`] asked for, before its window does.
    ///
    /// # Errors
    /// As [`Simulator::trace_stop`].
    pub fn stop_recording(&mut self) -> Result<(), SimError> {
        self.window = None;
        if std::mem::take(&mut self.tracing) { self.sim.trace_stop() } else { Ok(()) }
    }

    /// One clock.
    ///
    /// # Errors
    /// S014, S016: the design stopped, or broke a rule of AXI.
    pub fn step(&mut self) -> Result<(), SimError> {
        self.settle()?;
        self.edge()
    }

    /// Writes those bytes of a register that have a bit of `strobes` each.
    ///
    /// # Errors
    /// S017: it is refused, or not answered; as [`SimCard::step`].
    pub fn write_bytes(&mut self, offset: u32, value: u32, strobes: u8) -> Result<(), SimError> {
        let access = self.lite.write(&mut self.sim, offset, value, strobes.into())?;
        self.access(access, offset).map(|_| ())
    }

    /// Whether the core interrupts.
    ///
    /// # Errors
    /// S007 where the design has no `irq`; S014: it stopped.
    pub fn interrupts(&mut self) -> Result<bool, SimError> {
        Ok(self.sim.peek("irq")?.to_u64() == 1)
    }

    /// Everything of a clock before its edge.
    fn settle(&mut self) -> Result<(), SimError> {
        if let Some(window) = &self.window
            && !self.tracing
            && self.sim.clocks() >= window.from
        {
            self.tracing = true;
            self.sim.trace_start(&window.path)?;
        }
        self.port.clock(&mut self.sim, &mut self.memory)?;
        match &mut self.lockstep {
            Some(lockstep) => lockstep.clock(&mut self.sim),
            None => Ok(()),
        }
    }

    fn edge(&mut self) -> Result<(), SimError> {
        self.sim.step()?;
        if self.window.as_ref().is_some_and(|window| self.sim.clocks() >= window.to) {
            self.stop_recording()?;
        }
        Ok(())
    }

    /// Steps until an access is answered.
    fn access(&mut self, mut access: Access, offset: u32) -> Result<u32, SimError> {
        for _ in 0..ACCESS {
            self.settle()?;
            let answer = self.lite.sample(&mut self.sim, &mut access)?;
            self.edge()?;
            self.lite.after(&mut self.sim, &mut access, answer.is_some())?;
            match answer {
                Some((0, value)) => return Ok(value),
                Some(_) => return Err(SimError::Register { offset, why: "SLVERR" }),
                None => {}
            }
        }
        Err(SimError::Register { offset, why: "nothing" })
    }
}

impl Transport for SimCard {
    type Error = SimError;

    fn memory_bytes(&self) -> u64 {
        self.memory.bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, SimError> {
        let access = self.lite.read(&mut self.sim, offset)?;
        self.access(access, offset)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), SimError> {
        self.write_bytes(offset, value, 15)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), SimError> {
        let length = bytes.len();
        if self.memory.read(address, bytes) { Ok(()) } else { Err(self.outside(address, length)) }
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), SimError> {
        let length = bytes.len();
        if self.memory.write(address, bytes) { Ok(()) } else { Err(self.outside(address, length)) }
    }

    fn wait(&mut self, polls: u64) -> Result<bool, SimError> {
        for _ in 0..POLL {
            self.step()?;
        }
        Ok(polls < self.patience / POLL)
    }
}

impl SimCard {
    fn outside(&self, address: u64, length: usize) -> SimError {
        SimError::Outside { address, length, bytes: self.memory.bytes() }
    }
}
