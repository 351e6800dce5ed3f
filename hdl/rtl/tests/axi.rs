//! The AXI parts against a memory and a bus master that stall at random.

use std::collections::VecDeque;

use sterna_rtl::parts::{Access, LiteRegisters, ReadMaster, Register};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, AxiWidths, Bits, Design, Generate, Interpreter, Module, UInt};

/// The word that the memory holds at a beat's address.
fn word(width: u32, addr: u64) -> Bits {
    Rng::new(addr).bits(width).xor(&Bits::from_u128(width, u128::from(addr)))
}

struct Memory {
    width: u32,
    /// Addresses of the beats that are still to be answered, with the mark of a burst's last.
    pending: VecDeque<(u64, bool)>,
    /// A word is on offer until it is taken.
    offered: bool,
    most: usize,
}

impl Memory {
    /// Before the clock edge: presents an answer, accepts a burst and checks it.
    fn serve(&mut self, sim: &mut Interpreter, rng: &mut Rng, idle: u64) {
        let pause = |rng: &mut Rng| idle > 0 && rng.one_in(idle);
        self.offered = !self.pending.is_empty() && (self.offered || !pause(rng));
        let (addr, last) = self.pending.front().copied().unwrap_or_default();
        sim.poke("m_axi_rvalid", self.offered);
        sim.poke("m_axi_rdata", word(self.width, addr));
        sim.poke("m_axi_rlast", last);
        sim.poke("m_axi_arready", !pause(rng));
        if self.offered {
            assert_eq!(sim.u64("m_axi_rready"), 1, "reserved space was not there");
            self.pending.pop_front();
            self.offered = false;
        }
        if sim.u64("m_axi_arvalid") == 1 && sim.u64("m_axi_arready") == 1 {
            let (addr, beats) = (sim.u64("m_axi_araddr"), sim.u64("m_axi_arlen") + 1);
            let bytes = u64::from(self.width / 8);
            let last = addr + beats * bytes - 1;
            assert_eq!(addr / 4096, last / 4096, "a burst of {beats} at {addr:#x} crosses 4 KiB");
            assert_eq!(1 << sim.u64("m_axi_arsize"), bytes);
            self.pending.extend((0..beats).map(|i| (addr + i * bytes, i + 1 == beats)));
            self.most = self.most.max(self.pending.len());
        }
    }
}

/// Runs one job and returns the clocks it took.
fn job(
    sim: &mut Interpreter,
    design: &Design,
    width: u32,
    (addr, beats): (u64, u64),
    idle: u64,
    seed: u64,
) -> u64 {
    assert!(design.clock.is_some());
    let mut rng = Rng::new(seed);
    let mut memory = Memory { width, pending: VecDeque::new(), offered: false, most: 0 };
    let (mut got, start) = (0, sim.cycle());
    sim.poke("start", 1);
    sim.poke("addr", addr);
    sim.poke("beats", beats);
    while got < beats || sim.u64("busy") == 1 {
        assert!(sim.cycle() - start < 2000 + 40 * beats, "seed {seed}: stuck after {got} beats");
        memory.serve(sim, &mut rng, idle);
        sim.poke("m_ready", idle == 0 || !rng.one_in(idle));
        if sim.u64("m_valid") == 1 && sim.u64("m_ready") == 1 {
            let at = addr + got * u64::from(width / 8);
            assert_eq!(sim.peek("m_data"), word(width, at), "seed {seed}, beat {got}");
            got += 1;
            assert_eq!(sim.u64("m_last") == 1, got == beats, "seed {seed}, beat {got}");
        }
        sim.step();
        sim.poke("start", 0);
    }
    sim.cycle() - start
}

#[test]
fn read_master() {
    for (data, depth) in [(64, 512), (512, 64), (512, 256), (128, 256)] {
        let widths = AxiWidths { addr: 34, data, id: 2 };
        let design = ReadMaster { widths, length: 24, depth }.build().unwrap();
        let mut sim = Interpreter::new(&design);
        sim.reset();
        let mut rng = Rng::new(u64::from(data));
        for seed in 0..24 {
            let beats = 1 + rng.below(if seed % 4 == 0 { 1500 } else { 40 });
            let addr = rng.below(1 << 20) * u64::from(data / 8);
            let clocks =
                job(&mut sim, &design, data, (addr, beats), [0, 2, 5][seed as usize % 3], seed);
            if seed % 3 == 0 && depth > 64 {
                assert!(clocks < beats + 40, "{clocks} clocks for {beats} beats of {data} bits");
            }
        }
        assert_eq!(sim.u64("error"), 0);
    }
    let widths = AxiWidths { addr: 32, data: 512, id: 1 };
    let design = ReadMaster { widths, length: 16, depth: 128 }.build().unwrap();
    insta::assert_snapshot!("read_master", design.file(&design.top).unwrap());
}

fn table() -> LiteRegisters {
    let register = |name: &str, offset, width, access, reset| Register {
        name: name.into(),
        offset,
        width,
        access,
        reset,
        doc: format!("The {name}."),
    };
    LiteRegisters {
        name: "demo".into(),
        addr: 12,
        registers: vec![
            register("id", 0, 32, Access::Read, 0),
            register("mode", 4, 5, Access::Write, 9),
            register("base", 8, 32, Access::Write, 0x1234_5678),
            register("command", 0x40, 9, Access::Pulse, 0),
        ],
    }
}

/// A write through the bus; address and data come `skew` clocks apart. Returns the response.
fn write(sim: &mut Interpreter, addr: u64, data: u64, strobes: u64, rng: &mut Rng) -> u64 {
    let (aw, w, b) = (rng.below(3), rng.below(3), rng.below(3));
    sim.poke("s_axi_awaddr", addr);
    sim.poke("s_axi_wdata", data);
    sim.poke("s_axi_wstrb", strobes);
    let (mut addressed, mut sent) = (false, false);
    for clock in 0.. {
        assert!(clock < 20, "no answer to a write");
        sim.poke("s_axi_awvalid", !addressed && clock >= aw);
        sim.poke("s_axi_wvalid", !sent && clock >= w);
        sim.poke("s_axi_bready", clock >= b);
        addressed |= sim.u64("s_axi_awvalid") & sim.u64("s_axi_awready") == 1;
        sent |= sim.u64("s_axi_wvalid") & sim.u64("s_axi_wready") == 1;
        if sim.u64("s_axi_bvalid") & sim.u64("s_axi_bready") == 1 {
            assert!(addressed && sent);
            let response = sim.u64("s_axi_bresp");
            sim.step();
            return response;
        }
        sim.step();
    }
    unreachable!()
}

fn read(sim: &mut Interpreter, addr: u64, rng: &mut Rng) -> (u64, u64) {
    let r = rng.below(4);
    sim.poke("s_axi_araddr", addr);
    let mut asked = false;
    for clock in 0.. {
        assert!(clock < 20, "no answer to a read");
        sim.poke("s_axi_arvalid", !asked);
        sim.poke("s_axi_rready", clock >= r);
        asked |= sim.u64("s_axi_arready") == 1;
        if sim.u64("s_axi_rvalid") & sim.u64("s_axi_rready") == 1 {
            let answer = (sim.u64("s_axi_rdata"), sim.u64("s_axi_rresp"));
            sim.step();
            return answer;
        }
        sim.step();
    }
    unreachable!()
}

#[test]
fn lite_registers() {
    let design = table().build().unwrap();
    let mut sim = Interpreter::new(&design);
    sim.reset();
    let mut rng = Rng::new(1);
    assert_eq!(read(&mut sim, 4, &mut rng), (9, 0));
    assert_eq!(read(&mut sim, 8, &mut rng), (0x1234_5678, 0));
    let mut base = 0x1234_5678u64;
    for _ in 0..300 {
        let (value, strobes) = (rng.below(1 << 32), rng.below(16));
        sim.poke("id", value);
        assert_eq!(read(&mut sim, 0, &mut rng), (value, 0));
        assert_eq!(write(&mut sim, 8, value, strobes, &mut rng), 0);
        for byte in (0..4).filter(|b| strobes >> b & 1 == 1) {
            base = base & !(0xff << (8 * byte)) | value & 0xff << (8 * byte);
        }
        assert_eq!(read(&mut sim, 8, &mut rng), (base, 0));
        assert_eq!(sim.u64("base"), base);
        assert_eq!(write(&mut sim, 4, value, 15, &mut rng), 0);
        assert_eq!(read(&mut sim, 4, &mut rng), (value & 31, 0));
    }
    // What does not exist, or cannot be written, says so.
    assert_eq!(read(&mut sim, 12, &mut rng), (0, 2));
    assert_eq!(write(&mut sim, 0, 1, 15, &mut rng), 2);
    assert_eq!(write(&mut sim, 0x80, 1, 15, &mut rng), 2);
    assert_eq!(read(&mut sim, 0x40, &mut rng), (0, 0));
    insta::assert_snapshot!("lite_registers", design.verilog());
}

/// A table that the bus cannot write, and one with nothing in it.
#[test]
fn nothing_to_write() {
    for count in [1, 0] {
        let mut table = table();
        table.registers.truncate(count);
        let mut sim = Interpreter::new(&table.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(3);
        if count == 1 {
            sim.poke("id", 77);
        }
        assert_eq!(read(&mut sim, 0, &mut rng), if count == 1 { (77, 0) } else { (0, 2) });
        assert_eq!(write(&mut sim, 0, 1, 15, &mut rng), 2);
    }
}

/// The same registers inside another module.
struct Wrapped;

impl Generate for Wrapped {
    fn name(&self) -> String {
        "wrapped".into()
    }

    fn describe(&self, m: &Module) {
        let table = table();
        let inner = m.instance("u_registers", &table);
        let bus = m.axi_slave("s_axi", AxiKind::Lite, table.widths());
        inner.axi("s_axi", AxiKind::Lite, table.widths()).connect(&bus);
        inner.set("id", m.lit(UInt(32), 7));
        m.output("command", UInt(9)).set(inner.port("command"));
    }
}

#[test]
fn buses_connect() {
    let mut sim = Interpreter::new(&Wrapped.build().unwrap());
    sim.reset();
    let mut rng = Rng::new(2);
    assert_eq!(read(&mut sim, 0, &mut rng), (7, 0));
    assert_eq!(write(&mut sim, 8, 0xabcd, 1, &mut rng), 0);
    assert_eq!(read(&mut sim, 8, &mut rng), (0x1234_56cd, 0));
}

#[test]
fn a_pulse_lasts_one_clock() {
    let mut sim = Interpreter::new(&Wrapped.build().unwrap());
    sim.reset();
    for (name, value) in [
        ("awaddr", 0x40),
        ("wdata", 0x1ff),
        ("wstrb", 1),
        ("awvalid", 1),
        ("wvalid", 1),
        ("bready", 1),
    ] {
        sim.poke(&format!("s_axi_{name}"), value);
    }
    sim.step();
    sim.poke("s_axi_awvalid", 0);
    assert_eq!(sim.u64("command"), 0xff);
    sim.step();
    assert_eq!(sim.u64("command"), 0);
}
