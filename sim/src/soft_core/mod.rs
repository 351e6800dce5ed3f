//! A core without hardware: registers that behave as the manual says, a memory, and the golden
//! model of whatever image is in it.
//!
//! ```text
//!  Card -> registers (this file) -> passes (pass) -> image and rows checked (walk) -> golden
//!              |                                                                       |
//!           memory  <------------------------- records, logits, states ----------------+
//! ```
//!
//! Nothing is told to it beside its geometry: the model is what was loaded, and it stops with the
//! faults that a core stops with. It is no model of time: a pass takes as long as golden does, and
//! the counters say that nothing waited.

mod pass;
mod ring;
mod walk;

use std::collections::BTreeMap;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::UNIT;
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, command, status};
use sterna_rtl::parts::Access;

use crate::error::SimError;
use crate::memory::store::Store;
use pass::Held;

/// What computes a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// The golden model.
    Golden,
    /// Nothing: the best token is the one after the token that entered, and a command is over
    /// when it was given. For measuring what everything else costs.
    Canned,
}

/// The core with its memory.
pub struct SoftCore {
    geometry: Geometry,
    /// What the registers read as that never change.
    identity: Vec<(Reg, u32)>,
    arithmetic: Arithmetic,
    memory: Store,
    written: BTreeMap<u32, u32>,
    status: u32,
    error: (u32, u32),
    /// Passes of the run that are left, and those that are done.
    left: u32,
    done: u32,
    /// Units that a pass of the run reads.
    units: u64,
    token: u32,
    last_token: u32,
    image_id: u64,
    saturations: u32,
    /// The recurrent state; empty is zero.
    state: Vec<i32>,
    /// What the memory was found to hold; `None` after it was written.
    held: Option<Held>,
    /// What came through a ring of the image of this pass.
    arrived: Vec<u8>,
}

impl SoftCore {
    /// A core of a geometry with so many bytes of memory, as it is after it was configured.
    pub fn new(geometry: &Geometry, bytes: u64, arithmetic: Arithmetic) -> SoftCore {
        SoftCore {
            geometry: geometry.clone(),
            identity: regs::identity(geometry),
            arithmetic,
            memory: Store::new(bytes),
            written: BTreeMap::new(),
            status: 0,
            error: (0, 0),
            left: 0,
            done: 0,
            units: 0,
            token: 0,
            last_token: 0,
            image_id: 0,
            saturations: 0,
            state: vec![],
            held: None,
            arrived: vec![],
        }
    }

    /// Configures it again: every register is as after power-up, the memory is left.
    pub fn power_up(&mut self) {
        let memory = std::mem::replace(&mut self.memory, Store::new(0));
        *self = SoftCore { memory, ..SoftCore::new(&self.geometry, 0, self.arithmetic) };
    }

    /// Has the run that is under way stop with a fault.
    pub fn fail(&mut self, fault: Fault, segment: u32) {
        self.error = (fault as u32, segment);
        self.status = status::FAILED;
        self.left = 0;
        self.arrived.clear();
    }

    /// Whether a command is being obeyed.
    pub fn is_busy(&self) -> bool {
        self.status & status::BUSY != 0
    }

    fn get(&self, reg: &Reg) -> u32 {
        self.written.get(&reg.offset).copied().unwrap_or(0)
    }

    fn base(&self, low: &Reg, high: &Reg) -> u64 {
        u64::from(self.get(low)) | u64::from(self.get(high)) << 32
    }

    fn obey(&mut self, bits: u32) {
        if bits & command::RESET != 0 {
            self.status = 0;
            self.error = (0, 0);
            self.left = 0;
            self.arrived.clear();
            return;
        }
        // Commands other than reset are ignored while one is obeyed.
        if self.is_busy() {
            return;
        }
        let valid = self.status & status::STATE_VALID;
        self.error = (0, 0);
        self.status = valid | status::BUSY;
        let result = match bits {
            command::RUN => self.begin(),
            command::CLEAR => {
                self.state.clear();
                self.finish(status::STATE_VALID)
            }
            command::SAVE => self.save().and_then(|()| self.finish(valid)),
            command::LOAD => self.restore(),
            _ => Err(Fault::Command),
        };
        if let Err(fault) = result {
            self.fail(fault, 0);
            if fault == Fault::Command {
                // What was never begun has not touched the state.
                self.status |= valid;
            }
        }
    }

    fn finish(&mut self, valid: u32) -> Result<(), Fault> {
        self.status = valid | status::DONE;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        (self.left, self.done) = (self.get(&regs::COUNT), 0);
        self.token = self.get(&regs::TOKEN_0);
        self.units = self.get(&regs::IMAGE_UNITS).into();
        if self.left == 0 || self.get(&regs::SLOT_MASK) != 1 || self.units == 0 {
            return Err(Fault::Command);
        }
        if self.status & status::STATE_VALID == 0 {
            return Err(Fault::StateInvalid);
        }
        if self.arithmetic == Arithmetic::Canned && self.get(&regs::IMAGE_OWED) == 0 {
            while self.is_busy() {
                self.pass();
            }
        }
        Ok(())
    }

    /// Elements of state that a save or load moves.
    fn state_elements(&self) -> Result<usize, Fault> {
        let elements = self.get(&regs::STATE_UNITS) as usize * UNIT / 4;
        let most = self.geometry.state.next_multiple_of(UNIT / 4);
        if elements == 0 || elements > most { Err(Fault::Command) } else { Ok(elements) }
    }

    fn save(&mut self) -> Result<(), Fault> {
        let mut state = self.state.clone();
        state.resize(self.state_elements()?, 0);
        let words: Vec<u32> = state.iter().map(|&value| value as u32).collect();
        self.words(self.base(&regs::STATE_LO, &regs::STATE_HI), &words)
    }

    fn restore(&mut self) -> Result<(), Fault> {
        let mut bytes = vec![0; 4 * self.state_elements()?];
        let at = self.base(&regs::STATE_LO, &regs::STATE_HI);
        if !self.memory.holds(at, bytes.len() as u64) {
            return Err(Fault::ReadResponse);
        }
        self.memory.read(at, &mut bytes);
        let word = |b: &[u8]| i32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        self.state = bytes.chunks_exact(4).map(word).collect();
        self.finish(status::STATE_VALID)
    }

    /// Writes words to memory, as the core does.
    fn words(&mut self, at: u64, words: &[u32]) -> Result<(), Fault> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        if !self.memory.holds(at, bytes.len() as u64) {
            return Err(Fault::WriteResponse);
        }
        self.put(at, &bytes);
        Ok(())
    }

    /// Writes memory that is there.
    fn put(&mut self, at: u64, bytes: &[u8]) {
        self.memory.write(at, bytes);
        if self.held.as_ref().is_some_and(|held| held.reads(at, bytes.len() as u64)) {
            self.held = None;
        }
    }

    fn value(&self, reg: &Reg) -> u32 {
        if let Some((_, value)) = self.identity.iter().find(|(constant, _)| constant == reg) {
            return *value;
        }
        let read = self.units * u64::from(self.done) * UNIT as u64 + self.arrived.len() as u64;
        let beats = read / u64::from(self.geometry.bus / 8);
        match reg.name {
            "STATUS" => self.status,
            "ERROR" => self.error.0,
            "ERROR_SEGMENT" => self.error.1,
            "TOKENS_DONE" => self.done,
            "LAST_TOKEN" => self.last_token,
            "IMAGE_ID_LO" => self.image_id as u32,
            "IMAGE_ID_HI" => (self.image_id >> 32) as u32,
            "SATURATIONS" => self.saturations,
            "CYCLES_LO" | "BEATS_LO" => beats as u32,
            "CYCLES_HI" | "BEATS_HI" => (beats >> 32) as u32,
            _ => self.get(reg),
        }
    }

    fn register(&self, offset: u32) -> Result<&'static Reg, SimError> {
        let found = regs::of(self.geometry.slots).find(|reg| reg.offset == offset);
        found.ok_or(SimError::Register { offset, why: "SLVERR" })
    }

    fn inside(&self, address: u64, length: usize) -> Result<(), SimError> {
        let bytes = self.memory.bytes();
        let holds = self.memory.holds(address, length as u64);
        if holds { Ok(()) } else { Err(SimError::Outside { address, length, bytes }) }
    }
}

impl Transport for SoftCore {
    type Error = SimError;

    fn memory_bytes(&self) -> u64 {
        self.memory.bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, SimError> {
        Ok(self.value(self.register(offset)?))
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), SimError> {
        let reg = self.register(offset)?;
        match reg.access {
            Access::Read => return Err(SimError::Register { offset, why: "SLVERR" }),
            Access::Pulse => self.obey(value),
            Access::Write => {
                let mask = u32::MAX >> (32 - reg.width);
                self.written.insert(offset, value & mask);
            }
        }
        Ok(())
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), SimError> {
        self.inside(address, bytes.len())?;
        self.memory.read(address, bytes);
        Ok(())
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), SimError> {
        self.inside(address, bytes.len())?;
        self.put(address, bytes);
        Ok(())
    }

    /// A pass, if one is to be done.
    fn wait(&mut self, _: u64) -> Result<bool, SimError> {
        if self.is_busy() {
            self.pass();
        }
        Ok(true)
    }
}
