//! A card beside the golden model, whose memory and registers can be damaged.

use std::sync::Arc;

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Instruction, Opcode, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, command, mode as modes, status};
use sterna_model::synth::SynthSpec;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{Memory, MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Options, SimCard};

/// The token whose row is damaged.
pub const TOKEN: u32 = 7;
/// What is in memory where nothing was written.
pub const BLANK: u8 = 0xa5;
/// Clocks of the watchdog: more than a memory pauses.
pub const WATCHDOG: u32 = 3000;

/// Clocks of a command at most.
const PATIENCE: u64 = 1 << 14;

pub struct Bench {
    pub card: Card<SimCard>,
    pub golden: Golden,
    pub model: Arc<Model>,
    pub walk: Vec<Instruction>,
}

/// Every address there is, in a memory that stalls. The driver gives up after more clocks than any
/// pass here takes, and the watchdog does.
pub fn options(model: Options, seed: u64) -> CardOptions {
    let memory = MemoryOptions { bytes: 1 << 40, latency: 20, stalls: Stalls::Mixed, seed };
    CardOptions { memory, model, patience: PATIENCE }
}

/// A small model with every kind of segment, and a layer above 0.
pub fn model(seed: u64) -> Arc<Model> {
    made_up(&SynthSpec { intermediate: Some(64), seed, ..SynthSpec::new(32, 2, 101) }).unwrap()
}

/// What every register reads as behind a reset by the pin, but those that say what the core is.
fn fresh(sim: &mut SimCard) {
    let several = sim.read_register(regs::SLOTS.offset).unwrap() > 1;
    for reg in regs::of(1).filter(|reg| reg.offset >= regs::IMAGE_LO.offset) {
        // Nobody looks at the image's id before an image was read.
        if ![regs::COMMAND, regs::IMAGE_ID_LO, regs::IMAGE_ID_HI].contains(reg) {
            let mut value = sim.read_register(reg.offset).unwrap();
            // Of several slots none is asked for yet, and all of none have a state.
            if reg == &regs::STATUS && several {
                value &= !status::STATE_VALID;
            }
            assert_eq!(value, 0, "{} behind a reset", reg.name);
        }
    }
    assert!(!sim.interrupts().unwrap());
}

impl Bench {
    pub fn new(mut sim: SimCard, model: &Arc<Model>, seed: u64) -> Bench {
        fresh(&mut sim);
        sim.hesitate(Stalls::Mixed, seed);
        let settings = Settings { watchdog: WATCHDOG, ..Settings::default() };
        let card = Card::open(sim, "sim", Arc::clone(model), &settings).unwrap();
        let golden = Golden::new(Arc::clone(model), 1).unwrap();
        Bench { card, golden, model: Arc::clone(model), walk: instructions(&model.shape()) }
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

    /// Gives a command, and looks at the status until it is obeyed: that, at once.
    pub fn command(&mut self, bits: u32) -> u32 {
        self.set(&regs::COMMAND, bits);
        self.settled()
    }

    /// Looks at the status until nothing is done: that, at once.
    pub fn settled(&mut self) -> u32 {
        let begin = self.card.transport().clocks();
        loop {
            let status = self.get(&regs::STATUS);
            if status & (status::BUSY | status::DRAINING) == 0 {
                return status;
            }
            let clocks = self.card.transport().clocks() - begin;
            assert!(clocks < PATIENCE, "busy for too long");
        }
    }

    /// Has states saved to, and loaded from, where the driver keeps the first.
    pub fn base_of_state(&mut self) {
        let state = self.card.map().state(0);
        self.set(&regs::STATE_LO, state as u32);
        self.set(&regs::STATE_HI, (state >> 32) as u32);
    }

    /// Behind a run that was given [`TOKEN`]: its best token and the state are golden's.
    pub fn entered(&mut self) {
        let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
        let best = self.golden.pass(&step).unwrap()[0].top[0].token;
        assert_eq!(self.get(&regs::LAST_TOKEN), best);
        self.saves();
    }

    /// Has the state saved; it is golden's, and there as soon as it is said to be.
    pub fn saves(&mut self) {
        self.base_of_state();
        self.scribble();
        self.obeys(command::SAVE, 0, 1);
        let (at, length) = (self.card.map().state(0), self.golden.state(0).len());
        assert_eq!(numbers(&self.bytes(at, 4 * length)), self.golden.state(0));
    }

    /// Overwrites the state in memory.
    pub fn scribble(&mut self) {
        let (at, length) = (self.card.map().state(0), self.golden.state(0).len());
        assert!(self.memory().write(at, &vec![BLANK; 4 * length]));
    }

    /// Begins a run of so many passes, of which [`TOKEN`] enters the first.
    pub fn begin_run(&mut self, count: u32) {
        self.set(&regs::TOKENS[0], TOKEN);
        self.set(&regs::MODE, 0);
        self.set(&regs::COUNT, count);
        self.set(&regs::COMMAND, command::RUN);
    }

    /// Gives a command with this mode and count, and it is obeyed.
    pub fn obeys(&mut self, bits: u32, mode: u32, count: u32) {
        self.set(&regs::MODE, mode);
        self.set(&regs::COUNT, count);
        assert_eq!(self.command(bits), status::DONE | status::STATE_VALID, "command {bits}");
    }

    /// A reset by the pin, in the middle of anything.
    pub fn restart(&mut self) {
        self.card.transport().restart().unwrap();
        fresh(self.card.transport());
    }

    /// Address of the row of [`TOKEN`].
    pub fn row(&self) -> u64 {
        self.card.map().embeddings + u64::from(TOKEN) * self.stride()
    }

    /// Bytes of a row.
    pub fn stride(&self) -> u64 {
        self.model.shape().row_stride() as u64
    }

    /// Address of a byte of the image.
    pub fn image(&self, offset: usize) -> u64 {
        self.card.map().image + offset as u64
    }

    /// Enters [`TOKEN`]: the core says what golden says.
    pub fn right(&mut self, want: Want) {
        self.right_of(TOKEN, want);
    }

    /// The same of another token.
    pub fn right_of(&mut self, token: u32, want: Want) {
        let step = [Step { slot: 0, token, want }];
        assert_eq!(self.card.pass(&step).unwrap(), self.golden.pass(&step).unwrap());
    }

    /// Loads the model again, and empties the sequence.
    pub fn mend(&mut self) {
        self.memory().heal();
        self.card.load().unwrap();
        Device::reset(&mut self.card).unwrap();
        self.golden.clear(0).unwrap();
    }

    /// Whatever was, it works as if nothing had been.
    pub fn works(&mut self) {
        self.mend();
        assert_eq!((self.get(&regs::ERROR), self.get(&regs::ERROR_SEGMENT)), (0, 0));
        self.right(Want::Top);
    }

    /// A pass that may fail; whether it did.
    pub fn bears(&mut self) -> bool {
        let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
        let failed = self.card.pass(&step).is_err();
        self.mend();
        failed
    }

    /// Overwrites all that a pass could leave.
    pub fn blank(&mut self) {
        let map = self.card.map().clone();
        let bytes = vec![BLANK; (map.end - map.results) as usize];
        assert!(self.memory().write(map.results, &bytes));
    }

    /// No record was left since [`Bench::blank`], nor anything else unless logits are asked for.
    pub fn is_blank(&mut self) -> bool {
        let map = self.card.map().clone();
        let logits = self.get(&regs::MODE) & modes::LOGITS != 0;
        let end = if logits { map.logits } else { map.end };
        let mut bytes = vec![0; (end - map.results) as usize];
        assert!(self.memory().read(map.results, &mut bytes));
        bytes.iter().all(|&byte| byte == BLANK)
    }

    /// Enters [`TOKEN`], and the core stops for one of these reasons, at this segment, without having
    /// said anything; then the model is as it should be again.
    pub fn refused(&mut self, faults: &[Fault], segment: Option<usize>) {
        self.refused_where(Want::Top, faults, segment);
    }

    /// The same where this is wanted of the pass.
    pub fn refused_where(&mut self, want: Want, faults: &[Fault], segment: Option<usize>) {
        self.stops(TOKEN, want, faults, segment);
        self.mend();
    }

    /// Enters a token, and the core stops for one of these reasons, at this segment, without having
    /// said anything.
    pub fn stops(&mut self, token: u32, want: Want, faults: &[Fault], segment: Option<usize>) {
        self.blank();
        let step = [Step { slot: 0, token, want }];
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
        assert!(self.card.transport().interrupts().unwrap());
        let code = self.get(&regs::ERROR);
        assert!(faults.iter().any(|&fault| fault as u32 == code), "{code}, not {faults:?}");
        if let Some(segment) = segment {
            assert_eq!(self.get(&regs::ERROR_SEGMENT), segment as u32);
        }
    }

    /// A command was refused, before the state was touched.
    pub fn stopped_with_state(&mut self, fault: Fault) {
        assert_eq!(self.get(&regs::STATUS), status::FAILED | status::STATE_VALID);
        assert_eq!(self.get(&regs::ERROR), fault as u32);
    }

    /// What the memory holds.
    pub fn bytes(&mut self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        assert!(self.memory().read(at, &mut bytes));
        bytes
    }

    /// The first segment of a kind.
    pub fn segment(&self, opcode: Opcode) -> Instruction {
        *self.walk.iter().find(|instruction| instruction.opcode == opcode).unwrap()
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

/// Four bytes each.
pub fn numbers(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
