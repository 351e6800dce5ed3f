//! A card beside the golden model, with everything that can be done to it.

use std::sync::Arc;

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Instruction, Opcode, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, status};
use sterna_sim::memory::{Memory, MemoryOptions};
use sterna_sim::{CardOptions, SimCard};

use crate::common::{card_options, geometry};

/// What is in memory where no record was written.
const BLANK: u8 = 0xa5;
/// Clocks of the watchdog: more than a memory pauses.
const WATCHDOG: u32 = 3000;
/// Clocks after which the driver gives up: more than any pass here takes.
const PATIENCE: u64 = 1 << 16;

pub struct Bench {
    pub card: Card<SimCard>,
    pub golden: Golden,
    pub model: Arc<Model>,
    pub walk: Vec<Instruction>,
}

impl Bench {
    pub fn new(model: &Arc<Model>, bus: u32, memory: MemoryOptions) -> Bench {
        let settings = Settings { watchdog: WATCHDOG, ..Settings::default() };
        let options = CardOptions { patience: PATIENCE, ..card_options(memory) };
        let sim = SimCard::new(&geometry(bus), &options).unwrap();
        Bench {
            card: Card::open(sim, "sim", Arc::clone(model), &settings).unwrap(),
            golden: Golden::new(Arc::clone(model), 1).unwrap(),
            model: Arc::clone(model),
            walk: instructions(&model.shape()),
        }
    }

    pub fn get(&mut self, reg: &Reg) -> u32 {
        self.card.transport().read_register(reg.offset).unwrap()
    }

    pub fn set(&mut self, reg: &Reg, value: u32) {
        self.card.transport().write_register(reg.offset, value).unwrap();
    }

    pub fn memory(&mut self) -> &mut Memory {
        self.card.transport().memory()
    }

    pub fn steps(&mut self, clocks: u64) {
        for _ in 0..clocks {
            self.card.transport().step().unwrap();
        }
    }

    /// Enters a token: the core says what golden says.
    pub fn right(&mut self, token: u32) {
        let step = [Step { slot: 0, token, want: Want::Top }];
        assert_eq!(self.card.pass(&step).unwrap(), self.golden.pass(&step).unwrap());
    }

    /// An empty sequence, and two tokens.
    pub fn begin(&mut self) {
        self.card.clear(0).unwrap();
        self.golden.clear(0).unwrap();
        self.right(1);
        self.right(2);
    }

    /// Loads the model again, and begins again.
    pub fn recover(&mut self) {
        self.card.load().unwrap();
        self.begin();
        self.right(3);
    }

    /// Overwrites all that a pass could leave.
    pub fn blank(&mut self) {
        let map = self.card.map().clone();
        let bytes = vec![BLANK; (map.end - map.results) as usize];
        assert!(self.memory().write(map.results, &bytes));
    }

    /// Nothing was left since [`Bench::blank`].
    pub fn is_blank(&mut self) -> bool {
        let map = self.card.map().clone();
        let mut bytes = vec![0; (map.end - map.results) as usize];
        assert!(self.memory().read(map.results, &mut bytes));
        bytes.iter().all(|&byte| byte == BLANK)
    }

    /// Enters a token, and the core stops for one of these reasons without having said anything.
    pub fn refused(&mut self, token: u32, faults: &[Fault], segment: Option<usize>) {
        self.blank();
        let step = [Step { slot: 0, token, want: Want::Top }];
        let error = self.card.pass(&step).unwrap_err();
        let expected: Vec<String> = faults.iter().map(|&f| format!("C1{:02}", f as u8)).collect();
        assert!(expected.contains(&error.code().to_string()), "{error}, not {faults:?}");
        self.stopped(faults, segment);
        assert!(self.is_blank(), "something was written: {error}");
        assert_eq!(self.get(&regs::TOKENS_DONE), 0, "{error}");
        assert_eq!(self.card.pass(&step).unwrap_err().code(), "C011", "its state is lost");
    }

    /// What the registers say after a fault.
    pub fn stopped(&mut self, faults: &[Fault], segment: Option<usize>) {
        assert_eq!(self.get(&regs::STATUS), status::FAILED);
        let code = self.get(&regs::ERROR);
        assert!(faults.iter().any(|&fault| fault as u32 == code), "{code}, not {faults:?}");
        if let Some(segment) = segment {
            assert_eq!(self.get(&regs::ERROR_SEGMENT), segment as u32);
        }
    }

    /// The first segment of a kind.
    pub fn segment(&self, opcode: Opcode) -> Instruction {
        *self.walk.iter().find(|instruction| instruction.opcode == opcode).unwrap()
    }

    /// Address of a byte of the image.
    pub fn image(&self, offset: usize) -> u64 {
        self.card.map().image + offset as u64
    }

    /// Changes words of a segment's header, and makes its checksum right again.
    pub fn header(&mut self, of: &Instruction, edit: impl FnOnce(&mut [u32; UNIT / 4])) {
        let at = self.image(of.offset);
        let mut bytes = [0; UNIT];
        self.memory().read(at, &mut bytes);
        let word = |n: usize| u32::from_le_bytes([0, 1, 2, 3].map(|b| bytes[4 * n + b]));
        let mut words = std::array::from_fn(word);
        edit(&mut words);
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[..UNIT - 4]);
        bytes[UNIT - 4..].copy_from_slice(&crc.to_le_bytes());
        self.memory().write(at, &bytes);
    }

    /// Changes a byte of a segment's payload, and makes both checksums right again.
    pub fn payload(&mut self, of: &Instruction, byte: usize, value: u8) {
        let mut bytes = vec![0; of.payload_bytes()];
        let at = self.image(of.payload_offset());
        self.memory().read(at, &mut bytes);
        bytes[byte] = value;
        self.memory().write(at, &bytes);
        let crc = crc32c::crc32c(&bytes);
        self.header(of, |words| words[3] = crc);
    }
}
