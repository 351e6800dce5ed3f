//! The AXI parts against a memory and a bus master that stall at random.

use std::collections::VecDeque;

use sterna_rtl::parts::{Access, LiteRegisters, ReadMaster, ReadMux, Register, WriteMaster};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, AxiWidths, Bits, Design, Generate, Interpreter, Module, UInt, mutate};

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
        let widths = AxiWidths { addr: 40, data, id: 1 };
        let design = ReadMaster { widths, length: 35, depth, number: 0 }.build().unwrap();
        let mut sim = mutate::bench(&design);
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
    let design = ReadMaster { widths, length: 16, depth: 128, number: 1 }.build().unwrap();
    insta::assert_snapshot!("read_master", design.file(&design.top).unwrap());
}

/// Goes round a ring that is filled while it is read, and never reads what is not there.
#[test]
fn a_read_goes_round_a_ring() {
    for data in [64, 512] {
        let widths = AxiWidths { addr: 40, data, id: 1 };
        let depth = if data == 64 { 512 } else { 128 };
        let design = ReadMaster { widths, length: 35, depth, number: 0 }.build().unwrap();
        let mut sim = mutate::bench(&design);
        sim.reset();
        let bytes = u64::from(data / 8);
        let page = 4096 / bytes;
        for seed in 0..12 {
            let mut rng = Rng::new(seed);
            let (pages, ring) = (1 + rng.below(9), 8192 << rng.below(2));
            let beats = (pages - 1) * page + 1 + rng.below(page);
            let base = ring * rng.below(100);
            let mut memory =
                Memory { width: data, pending: VecDeque::new(), offered: false, most: 0 };
            sim.poke("start", 1);
            sim.poke("addr", base);
            sim.poke("beats", beats);
            sim.poke("ring", !(ring - 1) & ((1 << 40) - 1));
            sim.poke("m_ready", 1);
            let (mut there, mut got, mut waited) = (0, 0, 0);
            let begin = sim.cycle();
            while got < beats {
                assert!(sim.cycle() - begin < 2000 + 40 * beats, "seed {seed}: stuck after {got}");
                sim.poke("owed", beats - there);
                memory.serve(&mut sim, &mut rng, [0, 2, 5][seed as usize % 3]);
                if sim.u64("m_valid") == 1 {
                    assert!(got < there, "seed {seed}: beat {got} is not there yet");
                    let at = base + got * bytes % ring;
                    assert_eq!(sim.peek("m_data"), word(data, at), "seed {seed}, beat {got}");
                    got += 1;
                }
                sim.step();
                sim.poke("start", 0);
                // Some time after all that is there has been read there is more.
                waited = if got == there { waited + 1 } else { 0 };
                if waited > 30 && there < beats {
                    there = beats.min(there + page * (1 + rng.below(ring / 4096)));
                }
            }
            assert_eq!(sim.u64("busy"), 0);
        }
    }
}

#[test]
fn a_halted_read_leaves_nothing_under_way() {
    let widths = AxiWidths { addr: 34, data: 512, id: 1 };
    let design = ReadMaster { widths, length: 24, depth: 128, number: 0 }.build().unwrap();
    let mut sim = mutate::bench(&design);
    sim.reset();
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut memory = Memory { width: 512, pending: VecDeque::new(), offered: false, most: 0 };
        sim.poke("start", 1);
        sim.poke("addr", 4096 * seed);
        sim.poke("beats", 1000);
        sim.poke("m_ready", 1);
        for clock in 0..1000 {
            if clock == 2 + seed * 3 {
                sim.poke("halt", 1);
            }
            memory.serve(&mut sim, &mut rng, 3);
            let halted = clock >= 2 + seed * 3;
            assert!(!halted || sim.u64("m_valid") == 0, "seed {seed}: a beat after the halt");
            if halted && sim.u64("busy") == 0 {
                break;
            }
            sim.step();
            sim.poke("start", 0);
        }
        assert_eq!(sim.u64("busy"), 0, "seed {seed}: it never ends");
        assert!(memory.pending.is_empty(), "seed {seed}: beats are still under way");
        assert_eq!(sim.u64("m_axi_arvalid"), 0);
        sim.poke("halt", 0);
        // The next job is as if nothing had been.
        job(&mut sim, &design, 512, (64 * seed, 70), 2, seed);
    }
}

/// A memory that takes writes at its own pace, and what it holds.
#[derive(Default)]
struct Sink {
    bursts: VecDeque<(u64, u64)>,
    beats: VecDeque<(Bits, bool)>,
    written: Vec<(u64, Bits)>,
    answers: u64,
}

impl Sink {
    fn serve(&mut self, sim: &mut Interpreter, rng: &mut Rng, idle: u64, resp: u64) {
        let pause = |rng: &mut Rng| idle > 0 && rng.one_in(idle);
        sim.poke("m_axi_awready", !pause(rng));
        sim.poke("m_axi_wready", !pause(rng));
        let answer = self.answers > 0 && !pause(rng);
        sim.poke("m_axi_bvalid", answer);
        sim.poke("m_axi_bresp", resp);
        if answer && sim.u64("m_axi_bready") == 1 {
            self.answers -= 1;
        }
        let fires = |sim: &mut Interpreter, channel: &str| {
            let bit = |sim: &mut Interpreter, s: &str| sim.u64(&format!("m_axi_{channel}{s}")) == 1;
            bit(sim, "valid") && bit(sim, "ready")
        };
        if fires(sim, "aw") {
            self.bursts.push_back((sim.u64("m_axi_awaddr"), sim.u64("m_axi_awlen") + 1));
        }
        if fires(sim, "w") {
            self.beats.push_back((sim.peek("m_axi_wdata"), sim.u64("m_axi_wlast") == 1));
        }
        let Some(&(addr, count)) = self.bursts.front() else { return };
        let bytes = u64::from(self.beats.front().map_or(8, |b| b.0.width() / 8));
        assert_eq!(addr / 4096, (addr + count * bytes - 1) / 4096, "{addr:#x} crosses 4 KiB");
        if self.beats.len() as u64 >= count {
            self.bursts.pop_front();
            for i in 0..count {
                let (data, last) = self.beats.pop_front().unwrap();
                assert_eq!(last, i + 1 == count, "wlast");
                self.written.push((addr + i * bytes, data));
            }
            self.answers += 1;
        }
    }
}

#[test]
fn write_master() {
    for data in [64, 512] {
        let widths = AxiWidths { addr: 40, data, id: 1 };
        let design = WriteMaster { widths, length: 35 }.build().unwrap();
        let mut sim = mutate::bench(&design);
        sim.reset();
        let bytes = u64::from(data / 8);
        for seed in 0..24 {
            let mut rng = Rng::new(seed);
            // Short jobs, whose data come when they are waited for, and long ones.
            let (most, late) = if seed % 4 == 0 { (2, 10) } else { (150, 0) };
            let (count, addr) = (1 + rng.below(most), bytes * rng.below(1000));
            // Every third job is halted in the middle.
            let halt = (seed % 3 == 2).then(|| rng.below(2 * count));
            let idle = [0, 2, 5][seed as usize / 3 % 3];
            let (mut sink, mut sent) = (Sink::default(), 0);
            // Whether an address is on offer, and beats of its burst that are not taken.
            let (mut offered, mut due) = (false, 0);
            let word = |i: u64| Rng::new(1000 * seed + i).bits(data);
            sim.poke("start", 1);
            sim.poke("addr", addr);
            sim.poke("beats", count);
            for clock in 0.. {
                assert!(clock < 10_000, "seed {seed}: stuck");
                sim.poke("halt", halt.is_some_and(|at| clock >= at));
                let gives = clock >= late && (idle == 0 || !rng.one_in(idle));
                sim.poke("s_valid", sent < count && gives);
                sim.poke("s_data", word(sent));
                sink.serve(&mut sim, &mut rng, idle, 2 * (seed % 2));
                let mut port = |name: &str| sim.u64(&format!("m_axi_{name}"));
                if port("awvalid") == 1 && !offered {
                    due = port("awlen") + 1;
                    // As long as may be: 16 beats, to the page's end or to the job's.
                    let at = port("awaddr");
                    let left = (addr + bytes * count - at) / bytes;
                    assert_eq!(due, left.min((4096 - at % 4096) / bytes).min(16), "seed {seed}");
                }
                offered = port("awvalid") == 1 && port("awready") == 0;
                let (valid, ready) = (port("wvalid"), port("wready"));
                assert_eq!(valid, u64::from(due > 0), "seed {seed}: the memory waits for data");
                due -= valid & ready;
                sent += sim.u64("s_valid") & sim.u64("s_ready");
                sim.step();
                sim.poke("start", 0);
                if sim.u64("busy") == 0 {
                    break;
                }
            }
            assert!(sink.bursts.is_empty() && sink.answers == 0, "seed {seed}: half a burst");
            for (i, written) in sink.written.iter().enumerate() {
                assert_eq!(*written, (addr + i as u64 * bytes, word(i as u64)), "seed {seed}");
            }
            let all = sink.written.len() as u64;
            assert!(all == count || (halt.is_some() && all < count), "seed {seed}: {all} beats");
            assert_eq!(sim.u64("error"), if all > 0 { seed % 2 } else { 0 }, "seed {seed}");
            sim.poke("halt", 0);
            sim.poke("s_valid", 0);
            if halt.is_some() {
                sim.reset();
            }
        }
    }
    let widths = AxiWidths { addr: 32, data: 64, id: 1 };
    let design = WriteMaster { widths, length: 16 }.build().unwrap();
    insta::assert_snapshot!("write_master", design.file(&design.top).unwrap());
}

/// A burst may begin when its youngest beat is in the FIFO, though not yet at its end.
#[test]
fn a_burst_whose_last_beat_has_just_come() {
    let widths = AxiWidths { addr: 40, data: 64, id: 1 };
    let mut sim = mutate::bench(&WriteMaster { widths, length: 35 }.build().unwrap());
    let mut rng = Rng::new(9);
    for (count, wait) in (1..=3).flat_map(|count| (0..8).map(move |wait| (count, wait))) {
        sim.reset();
        let (mut sink, mut sent) = (Sink::default(), 0);
        sim.poke("start", 1);
        sim.poke("addr", 4096);
        sim.poke("beats", count);
        for clock in 0.. {
            assert!(clock < 100, "stuck");
            // All but the last are there early.
            sim.poke("s_valid", sent + 1 < count || (sent < count && clock >= wait));
            sim.poke("s_data", sent);
            sink.serve(&mut sim, &mut rng, 0, 0);
            sent += sim.u64("s_valid") & sim.u64("s_ready");
            sim.step();
            sim.poke("start", 0);
            if sim.u64("busy") == 0 {
                break;
            }
        }
        let want = (0..count).map(|i| (4096 + 8 * i, Bits::from_u128(64, i.into())));
        assert_eq!(sink.written, want.collect::<Vec<_>>(), "{count} beats, {wait} clocks");
    }
}

/// Whenever it is halted it ends with a whole burst and begins none; a job may have any length.
#[test]
fn a_halted_write_leaves_nothing_under_way() {
    let widths = AxiWidths { addr: 40, data: 64, id: 1 };
    let mut sim = mutate::bench(&WriteMaster { widths, length: 35 }.build().unwrap());
    let long = (5..35).map(|bit| ((1 << bit) + 20, 120));
    for (count, halt) in (0..50).map(|clock| (20, clock)).chain(long) {
        sim.reset();
        let (mut sink, mut rng) = (Sink::default(), Rng::new(3));
        for (port, value) in [("start", 1), ("addr", 4096 - 120), ("beats", count), ("s_valid", 1)]
        {
            sim.poke(port, value);
        }
        for clock in 0..halt + 60 {
            sim.poke("halt", clock >= halt);
            sink.serve(&mut sim, &mut rng, 0, 2);
            sim.step();
            let rests = sim.u64("busy") == 0;
            // Another start is nothing meanwhile, nor is one under a halt.
            sim.poke("start", !rests || clock >= halt);
            sim.poke("addr", 0);
            sim.poke("beats", 1);
            let all = sink.written.len() as u64 == count;
            assert!(!rests || all || clock >= halt, "{count} beats: over after {clock} clocks");
            let owed = sink.bursts.len() + sink.beats.len() + sink.answers as usize;
            let asks = sim.u64("m_axi_awvalid") + sim.u64("m_axi_wvalid");
            assert!(!rests || (owed, asks) == (0, 0), "halt {halt}: something is under way");
        }
        assert_eq!(sim.u64("busy"), 0, "halt {halt}: it never ends");
        let astray = (0..).zip(&sink.written).find(|(n, beat)| beat.0 != 4096 - 120 + 8 * n);
        assert_eq!(astray, None, "halt {halt}");
        assert_eq!(sim.u64("error") == 1, !sink.written.is_empty(), "halt {halt}");
    }
}

#[test]
fn two_readers_share_a_port() {
    // Two readers behind the multiplexer, which sees their addresses and IDs.
    let widths = AxiWidths { addr: 34, data: 512, id: 1 };
    let m = Module::new("two_readers");
    let mux = m.instance("u_mux", &ReadMux { widths });
    for number in 0..2 {
        let reader = ReadMaster { widths, length: 24, depth: 64, number };
        let reader = m.instance(format!("u_reader_{number}"), &reader);
        for (port, ty) in [("start", UInt(1)), ("addr", UInt(34)), ("beats", UInt(24))] {
            reader.set(port, m.input(format!("{port}_{number}"), ty));
        }
        reader.set("halt", 0).set("owed", 0).set("ring", 0);
        m.output(format!("busy_{number}"), UInt(1)).set(reader.port("busy"));
        m.stream_out(&format!("m{number}"), UInt(512), true).connect(reader.stream("m"));
        let side = mux.axi(&format!("s{number}_axi"), AxiKind::Read, widths);
        side.connect(&reader.axi("m_axi", AxiKind::Read, widths));
        m.output(format!("error_{number}"), UInt(1)).set(reader.port("error"));
    }
    m.axi_master("m_axi", AxiKind::Read, widths).connect(&mux.axi("m_axi", AxiKind::Read, widths));
    let mut sim = mutate::bench(&m.build().unwrap());
    sim.reset();
    let mut rng = Rng::new(7);
    // Beats under way for each reader; a memory may answer different IDs in any order.
    let mut pending = [VecDeque::new(), VecDeque::new()];
    let (mut got, counts) = ([0u64; 2], [300u64, 77]);
    for (number, count) in counts.into_iter().enumerate() {
        sim.poke(&format!("start_{number}"), 1);
        sim.poke(&format!("addr_{number}"), 1 << (20 + number));
        sim.poke(&format!("beats_{number}"), count);
    }
    let mut offered: Option<usize> = None;
    while got != counts {
        assert!(sim.cycle() < 5000, "stuck at {got:?}");
        let ready: Vec<usize> = (0..2).filter(|&id| !pending[id].is_empty()).collect();
        if offered.is_none() && !ready.is_empty() && !rng.one_in(3) {
            offered = Some(ready[rng.below(ready.len() as u64) as usize]);
        }
        let id = offered.unwrap_or(0);
        let addr: u64 = pending[id].front().copied().unwrap_or(0);
        sim.poke("m_axi_rvalid", offered.is_some());
        sim.poke("m_axi_rid", id as u64);
        sim.poke("m_axi_rdata", word(512, addr));
        sim.poke("m_axi_arready", rng.one_in(2));
        if offered.is_some() && sim.u64("m_axi_rready") == 1 {
            pending[id].pop_front();
            offered = None;
        }
        if sim.u64("m_axi_arvalid") == 1 && sim.u64("m_axi_arready") == 1 {
            let (addr, beats) = (sim.u64("m_axi_araddr"), sim.u64("m_axi_arlen") + 1);
            let id = sim.u64("m_axi_arid") as usize;
            pending[id].extend((0..beats).map(|i| addr + 64 * i));
        }
        for (number, got) in got.iter_mut().enumerate() {
            sim.poke(&format!("m{number}_ready"), rng.one_in(2));
            let fires = ["valid", "ready"].iter().all(|s| sim.u64(&format!("m{number}_{s}")) == 1);
            if fires {
                let at = (1 << (20 + number)) + 64 * *got;
                assert_eq!(sim.peek(&format!("m{number}_data")), word(512, at), "reader {number}");
                *got += 1;
            }
        }
        sim.step();
        sim.poke("start_0", 0);
        sim.poke("start_1", 0);
    }
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
    let mut sim = mutate::bench(&design);
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
        let mut sim = mutate::bench(&table.build().unwrap());
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
    let mut sim = mutate::bench(&Wrapped.build().unwrap());
    sim.reset();
    let mut rng = Rng::new(2);
    assert_eq!(read(&mut sim, 0, &mut rng), (7, 0));
    assert_eq!(write(&mut sim, 8, 0xabcd, 1, &mut rng), 0);
    assert_eq!(read(&mut sim, 8, &mut rng), (0x1234_56cd, 0));
}

#[test]
fn a_pulse_lasts_one_clock() {
    let mut sim = mutate::bench(&Wrapped.build().unwrap());
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
