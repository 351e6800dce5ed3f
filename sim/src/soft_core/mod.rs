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

use sterna_firmware::geometry::{Geometry, SLOTS_MAX};
use sterna_firmware::isa::UNIT;
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, command, mode, status};
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
    /// All of STATUS but whether states are valid.
    status: u32,
    error: (u32, u32),
    /// Passes of the run that are left, and those that are done.
    left: u32,
    done: u32,
    /// Units that a pass of the run reads.
    units: u64,
    /// Slots that take part in the run, and the token that enters each.
    active: Vec<(usize, u32)>,
    /// Best tokens, by slot.
    last_tokens: [u32; SLOTS_MAX],
    image_id: u64,
    saturations: u32,
    /// The recurrent state of each slot: empty is zero, `None` is not valid.
    states: Vec<Option<Vec<i32>>>,
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
            active: vec![],
            last_tokens: [0; SLOTS_MAX],
            image_id: 0,
            saturations: 0,
            states: vec![None; geometry.slots as usize],
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
        self.states.fill(None);
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
            self.states.fill(None);
            self.error = (0, 0);
            self.left = 0;
            self.arrived.clear();
            return;
        }
        // Commands other than reset are ignored while one is obeyed.
        if self.is_busy() {
            return;
        }
        self.error = (0, 0);
        self.status = status::BUSY;
        let slots = self.mask();
        let result = match bits {
            _ if slots.is_empty() => Err(Fault::Command),
            command::RUN => self.begin(&slots),
            command::CLEAR => {
                slots.iter().for_each(|&slot| self.states[slot] = Some(vec![]));
                self.finish()
            }
            command::SAVE => self.save(slots[0]),
            command::LOAD => self.restore(slots[0]),
            _ => Err(Fault::Command),
        };
        match result {
            // What was never begun has not touched a state.
            Err(Fault::Command) => {
                (self.error, self.status) = ((Fault::Command as u32, 0), status::FAILED);
            }
            Err(fault) => self.fail(fault, 0),
            Ok(()) => {}
        }
    }

    /// The slots of SLOT_MASK, the lowest first; none where it names one that is not there.
    fn mask(&self) -> Vec<usize> {
        let mask = self.get(&regs::SLOT_MASK);
        let slots = (0..SLOTS_MAX).filter(|slot| mask >> slot & 1 == 1);
        if mask >> self.states.len() == 0 { slots.collect() } else { vec![] }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.status = status::DONE;
        Ok(())
    }

    fn begin(&mut self, slots: &[usize]) -> Result<(), Fault> {
        (self.left, self.done) = (self.get(&regs::COUNT), 0);
        let tokens = slots.iter().map(|&slot| (slot, self.get(&regs::TOKENS[slot])));
        self.active = tokens.collect();
        self.units = self.get(&regs::IMAGE_UNITS).into();
        let modes = self.get(&regs::MODE);
        let one = modes & (mode::NO_HEAD | mode::CHAIN) != 0;
        if self.left == 0 || (one && self.left > 1) || self.units == 0 {
            return Err(Fault::Command);
        }
        // Of a chain the lowest alone has a state.
        let owners = if modes & mode::CHAIN == 0 { slots } else { &slots[..1] };
        if owners.iter().any(|&slot| self.states[slot].is_none()) {
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

    fn save(&mut self, slot: usize) -> Result<(), Fault> {
        let elements = self.state_elements()?;
        let mut state = self.states[slot].clone().ok_or(Fault::StateInvalid)?;
        state.resize(elements, 0);
        let words: Vec<u32> = state.iter().map(|&value| value as u32).collect();
        self.words(self.base(&regs::STATE_LO, &regs::STATE_HI), &words)?;
        self.finish()
    }

    fn restore(&mut self, slot: usize) -> Result<(), Fault> {
        let mut bytes = vec![0; 4 * self.state_elements()?];
        let at = self.base(&regs::STATE_LO, &regs::STATE_HI);
        if !self.memory.holds(at, bytes.len() as u64) {
            return Err(Fault::ReadResponse);
        }
        self.memory.read(at, &mut bytes);
        let word = |b: &[u8]| i32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        self.states[slot] = Some(bytes.chunks_exact(4).map(word).collect());
        self.finish()
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
        if let Some(slot) = regs::LAST_TOKENS.iter().position(|last| last == reg) {
            return self.last_tokens[slot];
        }
        let read = self.units * u64::from(self.done) * UNIT as u64 + self.arrived.len() as u64;
        let beats = read / u64::from(self.geometry.bus / 8);
        match reg.name {
            "STATUS" => {
                let slots = self.mask();
                let valid = slots.iter().all(|&slot| self.states[slot].is_some());
                let valid = valid && !slots.is_empty();
                self.status | if valid { status::STATE_VALID } else { 0 }
            }
            "ERROR" => self.error.0,
            "ERROR_SEGMENT" => self.error.1,
            "TOKENS_DONE" => self.done,
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
