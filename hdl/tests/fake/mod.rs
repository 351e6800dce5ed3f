//! A card that has no hardware: registers that behave as the manual says, the golden model behind
//! them, and every way to fail.

// Each test binary uses some of it.
#![allow(dead_code)]

use std::collections::HashMap;
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::device::{Step, Want};
use sterna_firmware::error::DeviceError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_firmware::model::Model;
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::record::{HEADER, stride};
use sterna_hdl::registers::{self as regs, Reg, STOP_VALID, command, mode, status};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};

/// A made-up model.
pub fn model(spec: &SynthSpec) -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    synth::write(spec, &checkpoint, &mut |_, _| ()).unwrap();
    let path = directory.path().join("model.sterna");
    compile(&Checkpoint::open(&checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

/// What the way to the card can say.
#[derive(Debug, thiserror::Error)]
#[error("the cable is out")]
pub struct Unplugged;

impl DeviceError for Unplugged {
    fn code(&self) -> &'static str {
        "X001"
    }
}

/// The card.
pub struct Fake {
    pub geometry: Geometry,
    pub memory: Vec<u8>,
    pub golden: Golden,
    pub model: Arc<Model>,
    /// Registers that read as something else than they should.
    pub forced: HashMap<u32, u32>,
    /// The fault that the next run meets, and its segment.
    pub fault: Option<(Fault, u32)>,
    /// What is done to every record before it is written.
    pub tamper: Option<fn(&mut [u32])>,
    /// The same to accumulators and states.
    pub spoil: Option<fn(&mut [i32])>,
    /// Commands that are obeyed never end.
    pub stuck: bool,
    pub unplugged: bool,
    /// Stops are not heeded.
    pub deaf: bool,
    /// Commands so far, by their bits.
    pub commands: Vec<u32>,
    /// Registers that were written, by offset.
    pub writes: Vec<u32>,
    /// Stretches of memory that were written: address, bytes.
    pub loads: Vec<(u64, usize)>,
    /// Writes to memory that still work, if not all do.
    pub left_loads: Option<usize>,
    /// A byte of memory that is always zero.
    pub dead: Option<usize>,
    /// A byte of memory that changes on its way, so many times, by these bits.
    pub flip: Option<(u32, usize, u8)>,
    /// Memory that never reads the same twice.
    pub noise: bool,
    reads: u8,
    written: HashMap<u32, u32>,
    status: u32,
    error: (u32, u32),
    /// Slots whose state is valid, a bit each.
    valid: u32,
    /// Of the run: passes that are left, and those that are done.
    left: u32,
    done: u32,
    /// Slots that take part, and the tokens that enter next, of all slots.
    active: Vec<usize>,
    tokens: Vec<u32>,
    saturations: u32,
}

/// Looks at the status before a core that is stuck is given up.
const PATIENCE: u64 = 10;

impl Fake {
    pub fn new(model: &Arc<Model>, geometry: &Geometry, bytes: usize) -> Fake {
        Fake {
            geometry: geometry.clone(),
            memory: vec![0xee; bytes],
            golden: Golden::new(Arc::clone(model), geometry.slots as usize).unwrap(),
            model: Arc::clone(model),
            forced: HashMap::new(),
            fault: None,
            tamper: None,
            spoil: None,
            stuck: false,
            unplugged: false,
            deaf: false,
            commands: vec![],
            writes: vec![],
            loads: vec![],
            left_loads: None,
            dead: None,
            flip: None,
            noise: false,
            reads: 0,
            written: HashMap::new(),
            // What power-up leaves: somebody's run that failed.
            status: status::FAILED | status::DRAINING,
            error: (0, 0),
            valid: 0,
            left: 0,
            done: 0,
            active: vec![],
            tokens: vec![],
            saturations: 0,
        }
    }

    /// Configures it again: the memory stays.
    pub fn power_up(&mut self) {
        self.written.clear();
        (self.status, self.valid) = (0, 0);
    }

    fn get(&self, reg: &Reg) -> u32 {
        self.written.get(&reg.offset).copied().unwrap_or(0)
    }

    fn base(&self, low: &Reg, high: &Reg) -> usize {
        (u64::from(self.get(low)) | u64::from(self.get(high)) << 32) as usize
    }

    fn fail(&mut self, fault: Fault, segment: u32) {
        self.error = (fault as u32, segment);
        self.status = status::FAILED;
        (self.left, self.valid) = (0, 0);
    }

    fn words(&mut self, at: usize, words: &[u32]) {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes());
        for (to, byte) in self.memory[at..].iter_mut().zip(bytes) {
            *to = byte;
        }
    }

    fn obey(&mut self, bits: u32) {
        self.commands.push(bits);
        if bits == command::RESET {
            self.status = if self.stuck { status::DRAINING } else { 0 };
            (self.error, self.valid) = ((0, 0), 0);
            self.saturations = 0;
            return;
        }
        let mask = self.get(&regs::SLOT_MASK);
        if self.status & status::BUSY != 0 || mask == 0 || mask >> self.geometry.slots != 0 {
            return self.fail(Fault::Command, 0);
        }
        self.status = status::DONE;
        let elements = self.model.shape().state();
        let state = self.base(&regs::STATE_LO, &regs::STATE_HI);
        let slots: Vec<usize> = (0..8).filter(|slot| mask >> slot & 1 == 1).collect();
        let lowest = slots[0];
        match bits {
            command::RUN => self.begin(slots),
            command::CLEAR => {
                for slot in slots {
                    self.golden.set_state(slot, &vec![0; elements]);
                }
                self.valid |= mask;
            }
            command::SAVE => {
                assert_eq!(self.get(&regs::STATE_UNITS) as usize, (elements * 4).div_ceil(64));
                if self.valid >> lowest & 1 == 0 {
                    return self.fail(Fault::StateInvalid, 0);
                }
                let mut values = self.golden.state(lowest).to_vec();
                if let Some(spoil) = self.spoil {
                    spoil(&mut values);
                }
                let values: Vec<u32> = values.iter().map(|&v| v as u32).collect();
                self.words(state, &values);
            }
            command::LOAD => {
                let bytes = &self.memory[state..state + 4 * elements];
                let state: Vec<i32> = bytes
                    .chunks_exact(4)
                    .map(|b| i32::from_le_bytes(b.try_into().unwrap()))
                    .collect();
                self.golden.set_state(lowest, &state);
                self.valid |= 1 << lowest;
            }
            _ => self.fail(Fault::Command, 0),
        }
    }

    fn begin(&mut self, slots: Vec<usize>) {
        self.status = status::BUSY;
        (self.left, self.done) = (self.get(&regs::COUNT), 0);
        let modes = self.get(&regs::MODE);
        let chain = modes & mode::CHAIN != 0;
        // Of a chain the lowest alone has a state.
        let owners = if chain { &slots[..1] } else { &slots };
        if owners.iter().any(|slot| self.valid >> slot & 1 == 0) {
            return self.fail(Fault::StateInvalid, 0);
        }
        if self.left == 0 || self.left > 1 && (chain || modes & mode::NO_HEAD != 0) {
            return self.fail(Fault::Command, 0);
        }
        let tokens = &regs::TOKENS[..self.geometry.slots as usize];
        self.tokens = tokens.iter().map(|reg| self.get(reg)).collect();
        self.active = slots;
    }

    /// One pass, if one is to be done.
    fn work(&mut self) {
        if self.stuck || self.status & status::BUSY == 0 {
            return;
        }
        if let Some((fault, segment)) = self.fault.take() {
            return self.fail(fault, segment);
        }
        if let Some((fault, segment)) = self.damage() {
            return self.fail(fault, segment);
        }
        let modes = self.get(&regs::MODE);
        let head = modes & mode::NO_HEAD == 0;
        let want = if head { Want::Top } else { Want::State };
        let active = self.active.clone();
        let step = |&slot: &usize| Step {
            slot: if modes & mode::CHAIN == 0 { slot } else { active[0] },
            token: self.tokens[slot],
            want,
        };
        let steps: Vec<Step> = active.iter().map(step).collect();
        let mut heads = vec![];
        self.golden
            .observe(&steps, &mut |seen| {
                if seen.segment.instruction.opcode == Opcode::Head {
                    let scale = (seen.scale.mant(), seen.scale.exp());
                    heads.push((scale, seen.output.to_vec()));
                }
            })
            .unwrap();
        for (&slot, (scale, all)) in active.iter().zip(&heads) {
            self.record(slot, *scale, all);
        }
        if let (true, Some((_, all))) = (modes & mode::LOGITS != 0, heads.last_mut()) {
            if let Some(spoil) = self.spoil {
                spoil(all);
            }
            let all: Vec<u32> = all.iter().map(|&v| v as u32).collect();
            self.words(self.base(&regs::LOGITS_LO, &regs::LOGITS_HI), &all);
        }
        self.done += 1;
        self.left -= 1;
        self.saturations += 2;
        if head && !self.deaf {
            let stops = regs::STOPS.map(|reg| self.get(&reg));
            self.active.retain(|&slot| !stops.contains(&(self.tokens[slot] | STOP_VALID)));
        }
        if self.left == 0 || self.active.is_empty() {
            self.status = status::DONE;
        }
    }

    /// What is wrong in memory with what the pass reads.
    fn damage(&self) -> Option<(Fault, u32)> {
        let stride = self.model.shape().row_stride();
        let section = sterna_firmware::file::SectionKind::Embedding;
        let rows = self.model.container().section(section).unwrap();
        assert_eq!(self.get(&regs::ROW_UNITS) as usize * UNIT, stride);
        for &slot in &self.active {
            let first = stride * self.tokens[slot] as usize;
            let row = self.base(&regs::EMBED_LO, &regs::EMBED_HI) + first;
            if self.memory[row..row + stride] != rows[first..first + stride] {
                return Some((Fault::Row, 0));
            }
        }
        let image = self.base(&regs::IMAGE_LO, &regs::IMAGE_HI);
        let length = self.get(&regs::IMAGE_UNITS) as usize * UNIT;
        let expected = &self.model.image().bytes()[..length];
        let bytes = &self.memory[image..image + length];
        let at = bytes.iter().zip(expected).position(|(a, b)| a != b)?;
        let image = self.model.image();
        let segment = image.segments().iter().find(|s| s.instruction.end() > at)?;
        let header = at < segment.instruction.payload_offset();
        let fault = if header { Fault::HeaderCrc } else { Fault::PayloadCrc };
        Some((fault, segment.header.sequence))
    }

    fn record(&mut self, slot: usize, scale: (u32, i32), all: &[i32]) {
        let most = self.geometry.top_k as usize;
        let best = sterna_firmware::device::best(all, most, |a, b| a > b);
        let id = self.model.image().start().id;
        let length = stride(self.geometry.top_k);
        let mut words = vec![0; length / 4];
        let head = [
            self.done,
            best[0] as u32,
            best.len() as u32,
            scale.0,
            scale.1 as u32,
            0,
            id as u32,
            (id >> 32) as u32,
        ];
        words[..8].copy_from_slice(&head);
        for (n, &token) in best.iter().enumerate() {
            words[HEADER / 4 + 2 * n] = token as u32;
            words[HEADER / 4 + 2 * n + 1] = all[token] as u32;
        }
        if let Some(tamper) = self.tamper {
            tamper(&mut words);
        }
        let number = (self.done * self.geometry.slots) as usize + slot;
        let at = self.base(&regs::RESULT_LO, &regs::RESULT_HI) + number * length;
        self.words(at, &words);
        self.tokens[slot] = best[0] as u32;
    }
}

impl Transport for Fake {
    type Error = Unplugged;

    fn memory_bytes(&self) -> u64 {
        self.memory.len() as u64
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, Unplugged> {
        if self.unplugged {
            return Err(Unplugged);
        }
        let reg =
            regs::of(self.geometry.slots).find(|reg| reg.offset == offset).expect("a register");
        let identity = regs::identity(&self.geometry);
        let constant = identity.iter().find(|(constant, _)| constant == reg);
        let value = match reg.name {
            "STATUS" => {
                let all = self.get(&regs::SLOT_MASK) & !self.valid == 0;
                self.status | if all && self.valid != 0 { status::STATE_VALID } else { 0 }
            }
            "ERROR" => self.error.0,
            "ERROR_SEGMENT" => self.error.1,
            "TOKENS_DONE" => self.done,
            "SATURATIONS" => self.saturations,
            // One that carries between two reads of its halves.
            "CYCLES_LO" => 5,
            "CYCLES_HI" => 1,
            "BEATS_LO" => 4,
            "IDLE_LO" => 1,
            "IDLE_HI" => 1,
            _ => constant.map_or_else(|| self.get(reg), |(_, value)| *value),
        };
        Ok(self.forced.get(&offset).copied().unwrap_or(value))
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), Unplugged> {
        if self.unplugged {
            return Err(Unplugged);
        }
        let reg =
            regs::of(self.geometry.slots).find(|reg| reg.offset == offset).expect("a register");
        assert!(reg.width == 32 || value >> reg.width == 0, "{value:#x} in {}", reg.name);
        self.writes.push(offset);
        match reg.name {
            "COMMAND" => self.obey(value),
            _ => drop(self.written.insert(offset, value)),
        }
        Ok(())
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Unplugged> {
        bytes.copy_from_slice(&self.memory[address as usize..][..bytes.len()]);
        if self.noise {
            self.reads += 1;
            bytes[0] ^= self.reads;
        }
        if let Some((times, at, bits)) = &mut self.flip
            && let Some(byte) = at.checked_sub(address as usize).and_then(|at| bytes.get_mut(at))
            && *times > 0
        {
            *byte ^= *bits;
            *times -= 1;
        }
        Ok(())
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), Unplugged> {
        if let Some(left) = &mut self.left_loads {
            *left = left.checked_sub(1).ok_or(Unplugged)?;
        }
        self.loads.push((address, bytes.len()));
        self.memory[address as usize..][..bytes.len()].copy_from_slice(bytes);
        if let Some(dead) = self.dead {
            self.memory[dead] = 0;
        }
        Ok(())
    }

    fn wait(&mut self, polls: u64) -> Result<bool, Unplugged> {
        self.work();
        if !self.stuck {
            self.status &= !status::DRAINING;
        }
        Ok(!self.stuck || polls < PATIENCE)
    }
}
