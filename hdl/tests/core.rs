//! The core as a whole, between its two buses: registers reach those whom they are for, and what
//! happens is told. What it computes is compared by the simulation of `sterna-sim`.

mod common;

use std::collections::VecDeque;
use std::sync::Arc;

use common::parts::{beats, geometry, model};
use common::seed;
use sterna_firmware::isa::UNIT;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::command::{CLEAR, RESET, RUN, SAVE};
use sterna_hdl::registers::{self as regs, Reg, mode, status};
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

const TOKEN: u32 = 5;
/// The image begins at the last page of its ring, above which all bits of an address are set.
const RING: u64 = 16 * 1024;
const IMAGE: u64 = (1 << 40) - 4096;
const ROWS: u64 = 0x21_0765_4000;
const STATE: u64 = 0x42_1234_5000;

/// Who may wait for the memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    /// A reader, by its ID: 0 for the image, 1 for rows.
    Reader(usize),
    Writer,
}

struct Bench {
    sim: Interpreter,
    rng: Rng,
    bus: u32,
    model: Arc<Model>,
    /// What the memory holds.
    image: Vec<u8>,
    row: Vec<u8>,
    /// Addresses of the beats that each reader is owed, and bursts that the writer is.
    owed: [VecDeque<u64>; 2],
    answers: usize,
    /// Whom the memory does not answer.
    silent: Option<Who>,
    /// How reads are answered.
    response: u64,
    /// Bursts that were asked for, by address and bytes.
    reads: Vec<(u64, u64)>,
}

impl Bench {
    fn new(bus: u32, name: &str) -> Bench {
        let spec = SynthSpec { intermediate: Some(32), ..SynthSpec::new(32, 3, 101) };
        let model = model(&format!("core_{name}"), &spec);
        let core = Core { geometry: geometry(bus, 1, &model.shape()) };
        let mut sim = mutate::bench(&core.build().unwrap());
        sim.reset();
        let mut row = vec![];
        model.row(TOKEN).unwrap().encode(&mut row);
        let mut bench = Bench {
            sim,
            rng: Rng::new(seed()),
            bus,
            image: model.image().bytes().to_vec(),
            model,
            row,
            owed: Default::default(),
            answers: 0,
            silent: None,
            response: 0,
            reads: vec![],
        };
        for channel in ["ar", "aw", "w"] {
            bench.sim.poke(&format!("m_axi_{channel}ready"), 1);
        }
        for answer in ["b", "r"] {
            bench.sim.poke(&format!("s_axi_{answer}ready"), 1);
        }
        bench.sim.poke("s_axi_wstrb", 15);
        bench.registers();
        bench
    }

    /// The beat of memory at an address.
    fn memory(&self, addr: u64) -> Bits {
        let row = ROWS + u64::from(TOKEN) * self.row.len() as u64;
        let (bytes, at) = if addr >= (1 << 40) - RING {
            (&self.image, addr.wrapping_sub(IMAGE) % RING)
        } else {
            assert!(addr >= row, "nothing is at {addr:#x}");
            (&self.row, addr - row)
        };
        let beat = bytes.get(at as usize..).and_then(|bytes| bytes.get(..self.bus as usize / 8));
        beat.map_or(Bits::zero(self.bus), |beat| beats(self.bus, beat).remove(0))
    }

    /// A clock, in which the memory answers, and takes what it is asked.
    fn clock(&mut self) {
        let waits =
            |id: &usize| self.silent != Some(Who::Reader(*id)) && !self.owed[*id].is_empty();
        let to = (0..2).find(waits);
        self.sim.poke("m_axi_rvalid", to.is_some());
        if let Some(id) = to {
            let addr = self.owed[id].pop_front().unwrap();
            let data = self.memory(addr);
            self.sim.poke("m_axi_rid", id);
            self.sim.poke("m_axi_rdata", data);
            self.sim.poke("m_axi_rresp", self.response);
        }
        let answers = self.answers > 0 && self.silent != Some(Who::Writer);
        self.answers -= usize::from(answers);
        self.sim.poke("m_axi_bvalid", answers);

        let bytes = u64::from(self.bus / 8);
        let mut port = |name: &str| self.sim.u64(&format!("m_axi_{name}"));
        assert_eq!(port("rready"), 1, "what it asked for it takes");
        for channel in ["ar", "aw"] {
            let mut port = |name: &str| port(&format!("{channel}{name}"));
            if port("valid") == 0 {
                continue;
            }
            // Bursts that go up, of whole beats of normal memory, with nothing special.
            let said = ["burst", "size", "cache", "prot", "lock", "qos"].map(&mut port);
            assert_eq!(said, [1, bytes.trailing_zeros().into(), 3, 0, 0, 0], "{channel}");
            if channel == "ar" {
                let (addr, count) = (port("addr"), port("len") + 1);
                self.reads.push((addr, count * bytes));
                self.owed[port("id") as usize].extend((0..count).map(|n| addr + n * bytes));
            }
        }
        self.answers += (port("wvalid") & port("wlast")) as usize;
        self.sim.step();
    }

    fn clocks(&mut self, count: usize) {
        (0..count).for_each(|_| self.clock());
    }

    fn set(&mut self, reg: &Reg, value: u64) {
        self.sim.poke("s_axi_awaddr", reg.offset);
        self.sim.poke("s_axi_wdata", value);
        for valid in [1, 0] {
            self.sim.poke("s_axi_awvalid", valid);
            self.sim.poke("s_axi_wvalid", valid);
            self.clock();
        }
    }

    fn get(&mut self, reg: &Reg) -> u64 {
        self.sim.poke("s_axi_araddr", reg.offset);
        for valid in [1, 0] {
            self.sim.poke("s_axi_arvalid", valid);
            self.clock();
        }
        assert_eq!((self.sim.u64("s_axi_rvalid"), self.sim.u64("s_axi_rresp")), (1, 0));
        let value = self.sim.u64("s_axi_rdata");
        self.clock();
        value
    }

    /// Of the image that was read last.
    fn id(&mut self) -> u64 {
        self.get(&regs::IMAGE_ID_HI) << 32 | self.get(&regs::IMAGE_ID_LO)
    }

    /// Registers that are legal for every command.
    fn registers(&mut self) {
        let units = |bytes: usize| (bytes / UNIT) as u64;
        for (reg, value) in [
            (&regs::IMAGE_UNITS, units(self.image.len())),
            (&regs::ROW_UNITS, units(self.row.len())),
            (&regs::STATE_UNITS, self.state_units()),
            (&regs::IMAGE_RING, (1 << 28) - RING / 4096),
            (&regs::COUNT, 1),
            (&regs::SLOT_MASK, 1),
            (&regs::TOKENS[0], TOKEN.into()),
        ] {
            self.set(reg, value);
        }
        for (low, high, base) in [
            (&regs::IMAGE_LO, &regs::IMAGE_HI, IMAGE),
            (&regs::EMBED_LO, &regs::EMBED_HI, ROWS),
            (&regs::STATE_LO, &regs::STATE_HI, STATE),
        ] {
            self.set(low, base & 0xffff_ffff);
            self.set(high, base >> 32);
        }
    }

    fn state_units(&self) -> u64 {
        let shape = self.model.shape();
        (shape.layers * shape.inner / 16) as u64
    }

    fn begin(&mut self, bits: u32) {
        self.set(&regs::COMMAND, bits.into());
    }

    fn status(&mut self) -> u32 {
        self.get(&regs::STATUS) as u32
    }

    /// Until nothing is under way.
    fn wait(&mut self) -> u32 {
        for _ in 0..2000 {
            let status = self.status();
            if status & status::BUSY == 0 {
                return status;
            }
            self.clocks(5);
        }
        panic!("it never ends");
    }

    /// Why a command fails, and at which segment.
    fn failure(&mut self, bits: u32) -> (Option<Fault>, u64) {
        self.begin(bits);
        assert_ne!(self.wait() & status::FAILED, 0);
        let code = self.get(&regs::ERROR) as u8;
        (Fault::from_code(code), self.get(&regs::ERROR_SEGMENT))
    }

    /// A state of zeros.
    fn clear(&mut self) {
        self.begin(CLEAR);
        assert_eq!(self.wait(), status::DONE | status::STATE_VALID);
    }
}

/// Each bit of the numbers that a command is judged by, alone.
#[test]
fn numbers_of_a_command() {
    let mut bench = Bench::new(64, "numbers");
    let runs = [(&regs::COUNT, 0..16), (&regs::ROW_UNITS, 1..10), (&regs::IMAGE_UNITS, 0..32)];
    for (reg, bits) in runs {
        for bit in bits {
            bench.set(reg, 1 << bit);
            // It is obeyed, so that the state is asked for.
            let why = bench.failure(RUN).0;
            assert_eq!(why, Some(Fault::StateInvalid), "{} has bit {bit}", reg.name);
        }
    }
    let most = bench.state_units();
    for units in (0..20).map(|bit| 1 << bit | 1) {
        bench.set(&regs::STATE_UNITS, units);
        let why = if units > most { Fault::Command } else { Fault::StateInvalid };
        assert_eq!(bench.failure(SAVE).0, Some(why), "{units} units");
    }
}

/// An image goes round its ring, and bursts are as long as may be.
#[test]
fn addresses_of_an_image() {
    let mut bench = Bench::new(512, "addresses");
    bench.clear();
    bench.silent = Some(Who::Reader(0));
    bench.begin(RUN);
    bench.clocks(16);
    let row = ROWS + u64::from(TOKEN) * bench.row.len() as u64;
    let of_image = |read: &(u64, u64)| read.0 >= IMAGE - RING;
    let (image, rows): (Vec<_>, Vec<_>) = bench.reads.iter().copied().partition(of_image);
    assert_eq!(image[..2], [(IMAGE, 4096), (IMAGE + 4096 - RING, 4096)]);
    // Its end is looked at before it enters.
    assert_eq!(rows[0], (row + bench.row.len() as u64 - 64, 64));
}

/// Whatever an answer says that is not OKAY.
#[test]
fn a_memory_that_fails() {
    let mut bench = Bench::new(64, "fails");
    for response in 1..4 {
        bench.clear();
        bench.set(&regs::IMAGE_UNITS, 1);
        bench.response = response;
        assert_eq!(bench.failure(RUN), (Some(Fault::ReadResponse), 0), "{response}");
        bench.response = 0;
    }
}

/// A reset waits for everybody who is owed something.
#[test]
fn a_reset_waits() {
    let mut bench = Bench::new(64, "waits");
    bench.set(&regs::IMAGE_UNITS, 1);
    for (who, command) in [(Who::Reader(0), RUN), (Who::Reader(1), RUN), (Who::Writer, SAVE)] {
        bench.clear();
        bench.silent = Some(who);
        bench.begin(command);
        let owed = |bench: &Bench| match who {
            Who::Reader(id) => bench.owed[id].len(),
            Who::Writer => bench.answers,
        };
        while owed(&bench) == 0 {
            bench.clock();
        }
        bench.begin(RESET);
        bench.clocks(40);
        assert_eq!(bench.status(), status::BUSY | status::DRAINING, "{who:?}");
        bench.silent = None;
        assert_eq!((bench.wait(), owed(&bench)), (0, 0), "{who:?}");
    }
}

/// An image may have any name, which is told.
#[test]
fn names_of_images() {
    let mut bench = Bench::new(64, "names");
    // Enough for its first header.
    bench.set(&regs::IMAGE_UNITS, 1);
    bench.set(&regs::MODE, mode::NO_HEAD.into());
    for id in [0, u64::MAX, bench.rng.next_u64()] {
        bench.image[44..52].copy_from_slice(&id.to_le_bytes());
        let crc = crc32c::crc32c(&bench.image[..UNIT - 4]);
        bench.image[UNIT - 4..UNIT].copy_from_slice(&crc.to_le_bytes());
        bench.clear();
        bench.begin(RUN);
        bench.clocks(50);
        assert_eq!(bench.id(), id);
        bench.begin(RESET);
        bench.wait();
    }
}

/// A fault is told with its segment.
#[test]
fn damage_in_the_last_segment() {
    let mut bench = Bench::new(64, "damage");
    let last = bench.model.image().segments().last().unwrap().instruction;
    bench.image[last.offset + 9] ^= 4;
    bench.clear();
    assert_eq!(bench.failure(RUN), (Some(Fault::HeaderCrc), last.sequence as u64));
}
