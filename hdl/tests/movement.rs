//! State that is saved and loaded, and the three who share the memory's port.

mod common;

use std::collections::{BTreeMap, VecDeque};

use common::parts::{Answers, Source, geometry, lanes, pulse, ready, signed_lanes};
use common::{seed, signed};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::{MemoryPort, READ, StateMover};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

const SHAPE: Shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 3, vocab: 2 };

struct Mover {
    sim: Interpreter,
    rng: Rng,
    bus: u32,
    ways: usize,
    state: Vec<i32>,
    answers: Answers,
}

impl Mover {
    fn new(bus: u32, ways: u32, most: usize) -> Mover {
        let geometry = Geometry { state: most, ..geometry(bus, ways, &SHAPE) };
        let unit = StateMover { geometry };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(seed());
        let state = (0..most).map(|_| signed(&mut rng, 24) as i32).collect();
        Mover {
            sim,
            rng,
            bus,
            ways: ways as usize,
            state,
            answers: Answers::new("state", 24 * ways).held(),
        }
    }

    fn start(&mut self, command: &str, elements: usize) {
        self.sim.poke("steps", elements / self.ways);
        self.sim.poke("s_valid", 0);
        self.sim.poke("m_ready", 0);
        assert_eq!(self.sim.u64("busy"), 0);
        pulse(&mut self.sim, command);
        let steps = self.rng.below(1 + elements as u64 / self.ways as u64);
        self.sim.poke("steps", steps);
        assert_eq!(self.sim.u64("busy"), 1);
    }

    /// Saves so many elements; what has come out.
    fn save(&mut self, elements: usize, zero: bool, idle: u64) -> Vec<i32> {
        self.sim.poke("zero", zero);
        self.start("save", elements);
        let Mover { sim, rng, bus, ways, state, answers } = self;
        let beats = elements * 32 / *bus as usize;
        let (mut got, mut reads) = (vec![], 0);
        let start = sim.cycle();
        // What comes the other way is not for a save.
        sim.poke("s_valid", 1);
        while got.len() < elements {
            let clock = sim.cycle() - start;
            assert!(clock < 200 + 40 * elements as u64, "stuck at {}", got.len());
            answers.give(sim, rng);
            // A sink that pauses takes nothing for some time at first.
            let ready = ready(rng, idle) && (idle == 0 || clock > 40);
            sim.poke("m_ready", ready);
            if sim.u64("m_valid") == 1 && ready {
                let words = signed_lanes(32, &sim.peek("m_data"));
                got.extend(words.iter().map(|&x| x as i32));
            }
            let read = sim.u64("read") == 1;
            reads += usize::from(read);
            let at = sim.u64("at") as usize * *ways;
            answers.ask(read.then(|| lanes(24, state[at..at + *ways].iter().map(|&x| x.into()))));
            assert_eq!(sim.u64("write") + sim.u64("s_ready"), 0, "it saves");
            sim.step();
        }
        assert_eq!(got.len() * 32 / *bus as usize, beats, "whole beats and no more");
        assert_eq!(reads, elements / *ways, "each step once");
        let clocks = sim.cycle() - start;
        let least = (reads * (READ + 2)) as u64;
        let due = least..=least + 4;
        assert!(idle > 0 || due.contains(&clocks), "{clocks} clocks for {reads} steps");
        if elements == 0 {
            sim.step();
        }
        for _ in 0..20 {
            assert_eq!(sim.u64("m_valid") + sim.u64("read") + sim.u64("busy"), 0);
            answers.give(sim, rng);
            answers.ask(None);
            sim.step();
        }
        got
    }

    /// Loads these elements; rubbish in the upper bytes of each is left out.
    fn load(&mut self, elements: &[i32], idle: u64) {
        self.start("load", elements.len());
        let Mover { sim, rng, bus, ways, state, .. } = self;
        let beat = |some: &[i32]| lanes(32, some.iter().map(|&x| x.into()));
        let per_beat = *bus as usize / 32;
        let mut source = Source::new(*bus, elements.chunks(per_beat).map(beat), idle);
        let (mut written, start) = (0, sim.cycle());
        while sim.u64("busy") == 1 {
            assert!(sim.cycle() - start < 200 + 40 * elements.len() as u64, "stuck at {written}");
            let last = source.offer(sim, rng, "s");
            sim.poke("s_last", last.unwrap_or_else(|| rng.one_in(2)));
            source.taken(sim, "s");
            if sim.u64("write") == 1 {
                let at = sim.u64("at") as usize * *ways;
                assert_eq!(at, written, "in order");
                let step = signed_lanes(24, &sim.peek("data"));
                for (to, x) in state[at..].iter_mut().zip(step) {
                    *to = x as i32;
                }
                written += *ways;
            }
            assert_eq!(sim.u64("read") + sim.u64("m_valid"), 0, "it loads");
            sim.step();
        }
        assert_eq!((written, source.words.len()), (elements.len(), 0));
        if idle == 0 {
            let clocks = sim.cycle() - start;
            assert!(clocks <= (elements.len() / *ways) as u64 + 4, "{clocks} clocks");
        }
    }
}

#[test]
fn state_goes_there_and_back() {
    let state = SHAPE.state();
    for (bus, ways, most) in
        [(64, 1, state), (64, 2, 128), (128, 4, state), (512, 1, state), (512, 8, state)]
    {
        let mut mover = Mover::new(bus, ways, most);
        // Nothing, a beat, and so many units of 16.
        let units = (1..=most / 16).map(|units| 16 * units);
        for elements in [0, bus as usize / 32].into_iter().chain(units) {
            for idle in [0, 3] {
                let before = mover.state.clone();
                let saved = mover.save(elements, false, idle);
                assert_eq!(
                    saved,
                    before[..elements],
                    "{elements} elements, {bus} bits, {ways} ways"
                );
                assert!(mover.save(elements, true, idle).iter().all(|&x| x == 0), "a zero state");
                // Something else in between, which the load undoes as far as it goes.
                let rng = &mut mover.rng;
                mover.state = (0..before.len()).map(|_| signed(rng, 24) as i32).collect();
                let rest = mover.state[elements..].to_vec();
                mover.load(&saved, idle);
                assert_eq!(mover.state[..elements], before[..elements]);
                assert_eq!(mover.state[elements..], rest, "no element more");
            }
        }
        // A memory may hold anything; the state takes 24 bits of it.
        let wild: Vec<i32> = (0..32).map(|_| mover.rng.next_u64() as i32).collect();
        mover.load(&wild, 2);
        let want: Vec<i32> = wild.iter().map(|x| x << 8 >> 8).collect();
        assert_eq!(mover.state[..32], want);
    }
    let design = StateMover { geometry: geometry(64, 1, &SHAPE) }.build().unwrap();
    insta::assert_snapshot!("state_mover", design.file("state_mover").unwrap());
}

/// A memory behind AXI4: what it owes, and what was written to it.
struct Memory {
    bus: u32,
    /// By ID: addresses of beats that are still to be answered, and whether each ends a burst.
    owed: [VecDeque<(u64, bool)>; 2],
    offered: Option<usize>,
    bursts: VecDeque<(u64, u64)>,
    beats: VecDeque<Bits>,
    answers: u64,
    answering: bool,
    written: BTreeMap<u64, Bits>,
    /// An address whose reads, and one whose writes, answer with an error.
    bad: [Option<u64>; 2],
    bad_answer: bool,
    /// What that error is.
    response: u64,
}

/// What the memory holds at an address.
fn word(bus: u32, addr: u64) -> Bits {
    let limbs: Vec<u64> = (0..bus / 64).map(|i| Rng::new(addr + u64::from(i)).next_u64()).collect();
    Bits::from_limbs(bus, &limbs)
}

impl Memory {
    fn new(bus: u32) -> Memory {
        Memory {
            bus,
            owed: [VecDeque::new(), VecDeque::new()],
            offered: None,
            bursts: VecDeque::new(),
            beats: VecDeque::new(),
            answers: 0,
            answering: false,
            written: BTreeMap::new(),
            bad: [None; 2],
            bad_answer: false,
            response: 2,
        }
    }

    fn bytes(&self) -> u64 {
        u64::from(self.bus / 8)
    }

    /// Before anything is looked at: offers and readies.
    fn offer(&mut self, sim: &mut Interpreter, rng: &mut Rng, idle: u64) {
        if self.offered.is_none() && ready(rng, idle) {
            let owing: Vec<usize> = (0..2).filter(|&id| !self.owed[id].is_empty()).collect();
            if !owing.is_empty() {
                self.offered = Some(owing[rng.below(owing.len() as u64) as usize]);
            }
        }
        let id = self.offered.unwrap_or(0);
        let (addr, last) = self.owed[id].front().copied().unwrap_or_default();
        sim.poke("m_axi_rvalid", self.offered.is_some());
        sim.poke("m_axi_rid", id);
        sim.poke("m_axi_rdata", word(self.bus, addr));
        sim.poke("m_axi_rlast", last);
        sim.poke("m_axi_rresp", self.response * u64::from(self.bad[0] == Some(addr)));
        sim.poke("m_axi_arready", ready(rng, idle));
        sim.poke("m_axi_awready", ready(rng, idle));
        sim.poke("m_axi_wready", ready(rng, idle));
        self.answering = self.answers > 0 && (self.answering || ready(rng, idle));
        sim.poke("m_axi_bvalid", self.answering);
        sim.poke("m_axi_bid", 0);
        sim.poke("m_axi_bresp", self.response * u64::from(self.bad_answer));
    }

    /// What moved in this clock.
    fn take(&mut self, sim: &mut Interpreter) {
        let mut fires = |channel: &str| {
            ["valid", "ready"].iter().all(|s| sim.u64(&format!("m_axi_{channel}{s}")) == 1)
        };
        let (r, ar, aw, w, b) = (fires("r"), fires("ar"), fires("aw"), fires("w"), fires("b"));
        if r && let Some(id) = self.offered.take() {
            self.owed[id].pop_front();
        }
        let bytes = self.bytes();
        let burst = |sim: &mut Interpreter, of: &str| {
            let mut get = |field: &str| sim.u64(&format!("m_axi_{of}{field}"));
            let (addr, beats) = (get("addr"), get("len") + 1);
            assert_eq!((1 << get("size"), get("burst")), (bytes, 1), "whole beats, rising");
            let plain = ["lock", "cache", "prot", "qos"].map(&mut get);
            assert_eq!(plain, [0, 3, 0, 0], "normal memory, and nothing special");
            assert_eq!(addr / 4096, (addr + beats * bytes - 1) / 4096, "{addr:#x} crosses 4 KiB");
            (addr, beats)
        };
        if ar {
            let (addr, beats) = burst(sim, "ar");
            let id = sim.u64("m_axi_arid") as usize;
            self.owed[id].extend((0..beats).map(|i| (addr + i * bytes, i + 1 == beats)));
        }
        if aw {
            self.bursts.push_back(burst(sim, "aw"));
        }
        if w {
            self.beats.push_back(sim.peek("m_axi_wdata"));
            assert_eq!(sim.peek("m_axi_wstrb").count_ones(), self.bus / 8);
        }
        if b {
            self.answers -= 1;
            self.answering = false;
        }
        if let Some(&(addr, beats)) = self.bursts.front()
            && self.beats.len() as u64 >= beats
        {
            self.bursts.pop_front();
            for i in 0..beats {
                let beat = self.beats.pop_front().expect("counted");
                self.written.insert(addr + i * bytes, beat);
            }
            self.bad_answer = self.bad[1] == Some(addr);
            self.answers += 1;
        }
    }

    fn owes_nothing(&self) -> bool {
        self.owed.iter().all(VecDeque::is_empty)
            && self.bursts.is_empty()
            && self.beats.is_empty()
            && self.answers == 0
    }
}

/// A reader's job under way: where, how many beats, how many have come, and the bytes of the ring
/// that it goes round, if it does.
#[derive(Clone, Copy, Default)]
struct Job {
    addr: u64,
    beats: u64,
    got: u64,
    ring: Option<u64>,
}

impl Job {
    fn start(&mut self, sim: &mut Interpreter, name: &str, addr: u64, beats: u64) {
        *self = Job { addr, beats, ..Job::default() };
        sim.poke(&format!("{name}_start"), 1);
        sim.poke(&format!("{name}_addr"), addr);
        sim.poke(&format!("{name}_beats"), beats);
    }

    /// Looks at a reader's stream.
    fn look(&mut self, sim: &mut Interpreter, name: &str, bus: u32) {
        let fires =
            ["valid", "ready"].iter().all(|signal| sim.u64(&format!("{name}_{signal}")) == 1);
        if fires {
            let at = self.addr + self.got * u64::from(bus / 8);
            let at = self.ring.map_or(at, |size| self.addr / size * size + at % size);
            assert_eq!(sim.peek(&format!("{name}_data")), word(bus, at), "{name} at {at:#x}");
            self.got += 1;
            assert_eq!(sim.u64(&format!("{name}_last")) == 1, self.got == self.beats, "{name}");
        }
    }
}

struct Port {
    sim: Interpreter,
    rng: Rng,
    bus: u32,
    memory: Memory,
}

impl Port {
    fn new(bus: u32) -> Port {
        let unit = MemoryPort { geometry: geometry(bus, 1, &SHAPE) };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        Port { sim, rng: Rng::new(seed()), bus, memory: Memory::new(bus) }
    }

    /// All three at once for a while: a long image, rows and results one after the other. With
    /// `halt`, everything is to come to rest some clocks on.
    fn run(&mut self, image_beats: u64, idle: u64, halt: Option<u64>) {
        let Port { sim, rng, bus, memory } = self;
        let bytes_a_beat = u64::from(*bus / 8);
        let (mut image, mut row) = (Job::default(), Job::default());
        for name in ["row_start", "result_start"] {
            sim.poke(name, 0);
        }
        image.start(sim, "image", rng.below(1 << 31) * bytes_a_beat, image_beats);
        let mut results: VecDeque<(u64, Bits)> = VecDeque::new();
        let mut due: Vec<(u64, Bits)> = vec![];
        let (mut rows, mut jobs, mut offered) = (0, 0, false);
        let start = sim.cycle();
        loop {
            let cycle = sim.cycle() - start;
            assert!(cycle < 2000 + 60 * image_beats + 4000 * idle, "the port is stuck");
            let halted = halt.is_some_and(|at| cycle >= at);
            sim.poke("halt", halted);
            memory.offer(sim, rng, idle);
            sim.poke("image_ready", ready(rng, idle));
            sim.poke("row_ready", ready(rng, idle));
            offered = !results.is_empty() && (offered || ready(rng, idle));
            sim.poke("result_valid", offered);
            let data = results.front().filter(|_| offered).map(|r| r.1.clone());
            sim.poke("result_data", data.unwrap_or_else(|| rng.bits(*bus)));
            image.look(sim, "image", *bus);
            row.look(sim, "row", *bus);
            memory.take(sim);
            if offered && sim.u64("result_ready") == 1 {
                results.pop_front();
                offered = false;
            }
            // A job that starts in this clock is under way, though it does not say so yet.
            let under_way = |name: &str| {
                ["start", "busy"].iter().any(|signal| sim.u64(&format!("{name}_{signal}")) == 1)
            };
            let busy = ["image", "row", "result"].map(under_way);
            if halted && busy == [false; 3] {
                break;
            }
            let over = rows == 6 && jobs == 4 && results.is_empty();
            let read = image.got == image_beats && row.got == row.beats;
            if !halted && over && read && busy == [false; 3] {
                break;
            }
            let mut begin: [Option<(u64, u64)>; 2] = [None; 2];
            if !halted && !busy[1] && row.got == row.beats && rows < 6 {
                rows += 1;
                begin[0] =
                    Some(((rng.below(1 << 20) << 6), [bytes_a_beat, 1, 300, 3, 40][rows % 5]));
            }
            if !halted && !busy[2] && results.is_empty() && jobs < 4 {
                jobs += 1;
                begin[1] = Some((rng.below(1 << 20) << 6, 1 + rng.below(40)));
            }
            sim.step();
            for name in ["image", "row", "result"] {
                sim.poke(&format!("{name}_start"), 0);
            }
            if let Some((addr, beats)) = begin[0] {
                row.start(sim, "row", addr, beats);
            }
            if let Some((addr, beats)) = begin[1] {
                sim.poke("result_start", 1);
                sim.poke("result_addr", addr);
                sim.poke("result_beats", beats);
                results = (0..beats).map(|i| (addr + i * bytes_a_beat, rng.bits(*bus))).collect();
                due.extend(results.iter().cloned());
            }
        }
        sim.step();
        assert!(memory.owes_nothing(), "something is still under way");
        assert_eq!(sim.u64("m_axi_arvalid") + sim.u64("m_axi_awvalid"), 0);
        if halt.is_none() {
            // Later jobs may lie where earlier ones did.
            let last: BTreeMap<u64, Bits> = due.into_iter().collect();
            assert_eq!(memory.written, last);
        }
        memory.written.clear();
    }
}

#[test]
fn three_share_a_port() {
    for bus in [64, 512] {
        let mut port = Port::new(bus);
        for (beats, idle) in [(700, 0), (300, 2), (400, 5)] {
            port.run(beats, idle, None);
        }
        assert_eq!(port.sim.u64("read_error") + port.sim.u64("write_error"), 0);
    }
    let design = MemoryPort { geometry: geometry(64, 1, &SHAPE) }.build().unwrap();
    insta::assert_snapshot!("memory_port", design.file(&design.top).unwrap());
}

/// Whenever it is told to, everything comes to rest, and works again after the engine's reset.
#[test]
fn a_halt_leaves_nothing_under_way() {
    let mut port = Port::new(64);
    for turn in 0..24 {
        let at = [turn, 20 * turn][turn as usize % 2] + port.rng.below(30);
        port.run(900, [0, 2, 5][turn as usize % 3], Some(at));
        port.sim.poke("halt", 0);
        port.sim.poke("result_valid", 0);
        port.sim.reset();
        if turn % 6 == 5 {
            port.run(60, 2, None);
        }
    }
}

/// An answer that is no OKAY shows, whoever asked, until that one asks again.
#[test]
fn errors_of_the_memory() {
    let mut port = Port::new(64);
    let Port { sim, rng, memory, .. } = &mut port;
    let mut response = 0;
    let mut run = |sim: &mut Interpreter, name: &str, addr: u64, beats: u64| {
        response = response % 3 + 1;
        memory.response = response;
        Job::default().start(sim, name, addr, beats);
        sim.poke("image_ready", 1);
        sim.poke("row_ready", 1);
        sim.poke("result_valid", 1);
        for clock in 0..200 {
            memory.bad = [Some(0x5_0040), Some(0x6_0080)];
            memory.offer(sim, rng, 2);
            memory.take(sim);
            if clock > 0 && sim.u64(&format!("{name}_busy")) == 0 {
                break;
            }
            sim.step();
            sim.poke(&format!("{name}_start"), 0);
        }
        (sim.u64("read_error"), sim.u64("write_error"))
    };
    for _ in 0..3 {
        assert_eq!(run(sim, "image", 0x5_0000, 16), (1, 0));
        assert_eq!(run(sim, "image", 0x5_0048, 8), (0, 0));
        assert_eq!(run(sim, "row", 0x5_0000, 9), (1, 0));
        assert_eq!(run(sim, "row", 0x5_0048, 9), (0, 0));
        assert_eq!(run(sim, "result", 0x6_0080, 4), (0, 1));
        assert_eq!(run(sim, "result", 0x6_0100, 4), (0, 0));
        // The next time each has another error.
        run(sim, "row", 0x7_0000, 1);
    }
    assert_eq!(run(sim, "row", 0x5_0000, 9), (1, 0));
    assert_eq!(run(sim, "image", 0x5_0000, 16), (1, 0));
    assert_eq!(run(sim, "row", 0x7_0000, 3), (1, 0), "the image's error stands");
    assert_eq!(run(sim, "image", 0x7_0000, 3), (0, 0));
}

/// Wherever an image lies, however long it is and whatever ring it goes round: what is there is
/// read, what is owed is not, and the reader is busy until the last beat has left.
#[test]
fn images_of_every_place_and_length() {
    let mut port = Port::new(64);
    let Port { sim, rng, memory, .. } = &mut port;
    sim.poke("image_ready", 1);
    // Over the end of a page, with a carry into each bit of the address.
    let places = (12..40).map(|bit| ((1 << bit) - 64, 16, 0, None));
    let rings = [((1 << 40) - 64, 16, 0, Some(8192)), (0x4_2fc0, 16, 0, Some(8192))];
    let short = (1..4).map(|beats| (0x5008, beats, 0, None));
    let long = (0..35).map(|bit| (0x7_0fc0, (1 << bit) + 8, 1 << bit, None));
    for (addr, beats, owed, ring) in places.chain(rings).chain(short).chain(long) {
        let mut image = Job::default();
        image.start(sim, "image", addr, beats);
        image.ring = ring;
        sim.poke("image_owed", owed);
        sim.poke("image_ring", ring.map_or(0, |size| ((1 << 40) - size) >> 12));
        let (mut clocks, mut quiet) = (0, 0);
        while quiet < 20 {
            memory.offer(sim, rng, 2);
            image.look(sim, "image", 64);
            memory.take(sim);
            sim.step();
            sim.poke("image_start", 0);
            assert_eq!(sim.u64("image_busy") == 1, image.got < beats, "{beats} beats at {addr:#x}");
            assert!(image.got <= beats - owed, "{addr:#x}: beat {} is owed", image.got);
            clocks += 1;
            assert!(clocks < 400, "{addr:#x}: stuck at {} of {beats} beats", image.got);
            quiet += u32::from(image.got == beats - owed);
        }
        assert!(memory.owes_nothing(), "{beats} beats at {addr:#x}: more was asked for");
        if owed > 0 {
            sim.poke("halt", 1);
            (0..4).for_each(|_| sim.step());
            assert_eq!(sim.u64("image_busy"), 0);
            sim.poke("halt", 0);
            sim.reset();
        }
    }
}
