//! Every stream module alone, under every pair of paces: nothing is lost, made twice, reordered or
//! changed while it waits.
//!
//! The short run is part of every test run; `cargo test -p sterna-sim --test back_pressure --release
//! -- --ignored --nocapture` sends a million beats for each pair and prints the table of
//! `docs/verification.md`.

use std::collections::VecDeque;
use std::path::PathBuf;

use sterna_rtl::parts::{Fifo, Pack, ReadMaster, SkidBuffer, Storage, Unpack, WriteMaster};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, AxiWidths, Generate, Module, UInt};
use sterna_sim::memory::{Memory, MemoryOptions, Stalls};
use sterna_sim::{Input, MemoryPort, Options, Output, Simulator};

/// Bytes of the memory behind a master.
const BYTES: u64 = 1 << 20;

/// When one end of a stream is willing.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Always.
    None,
    /// Every other clock.
    Alternate,
    /// Two clocks of three.
    Random,
    /// For up to 40 clocks, then not for up to 40.
    Burst,
}

const PACES: [Pace; 4] = [Pace::None, Pace::Alternate, Pace::Random, Pace::Burst];

struct Willing {
    pace: Pace,
    rng: Rng,
    now: bool,
    left: u64,
}

impl Willing {
    fn new(pace: Pace, seed: u64) -> Willing {
        Willing { pace, rng: Rng::new(seed), now: false, left: 0 }
    }

    fn next(&mut self) -> bool {
        match self.pace {
            Pace::None => true,
            Pace::Alternate => {
                self.now = !self.now;
                self.now
            }
            Pace::Random => !self.rng.one_in(3),
            Pace::Burst => {
                if self.left == 0 {
                    (self.now, self.left) = (!self.now, 1 + self.rng.below(40));
                }
                self.left -= 1;
                self.now
            }
        }
    }
}

/// A beat: its data, and whether a packet ends.
type Beat = (u64, bool);

/// What a stream of beats should come out as.
#[derive(Clone, Copy)]
enum Becomes {
    Same,
    /// So many words of so many bits a beat, the first lowest, fewer before the end of a packet.
    Wide(u32, u32),
    /// The reverse.
    Narrow(u32, u32),
}

impl Becomes {
    fn push(self, gathered: &mut Vec<u64>, (data, last): Beat, wanted: &mut VecDeque<Beat>) {
        match self {
            Becomes::Same => wanted.push_back((data, last)),
            Becomes::Wide(count, bits) => {
                gathered.push(data);
                if last || gathered.len() == count as usize {
                    let place = |(n, word): (u32, u64)| word << (n * bits);
                    let beat = (0..).zip(gathered.drain(..)).map(place).fold(0, |a, b| a | b);
                    wanted.push_back((beat, last));
                }
            }
            Becomes::Narrow(count, bits) => {
                let word = |n: u32| data >> (n * bits) & (u64::MAX >> (64 - bits));
                wanted.extend((0..count).map(|n| (word(n), false)));
            }
        }
    }
}

/// A stream of the design that the bench feeds.
struct Source {
    valid: Input<bool>,
    ready: Output<bool>,
    data: Input<u64>,
    last: Option<Input<bool>>,
}

/// A stream of the design that the bench takes from.
struct Sink {
    valid: Output<bool>,
    ready: Input<bool>,
    data: Output<u64>,
    last: Option<Output<bool>>,
    waiting: Option<Beat>,
}

impl Source {
    fn find(sim: &Simulator, last: bool) -> Source {
        Source {
            valid: sim.input("s_valid").unwrap(),
            ready: sim.output("s_ready").unwrap(),
            data: sim.input("s_data").unwrap(),
            last: last.then(|| sim.input("s_last").unwrap()),
        }
    }

    fn offer(&self, sim: &mut Simulator, beat: Option<Beat>) {
        sim.set(self.valid, beat.is_some()).unwrap();
        // What is not offered is rubbish, and must not be believed.
        let (data, end) = beat.unwrap_or((0x15, true));
        sim.set(self.data, data).unwrap();
        if let Some(last) = self.last {
            sim.set(last, end).unwrap();
        }
    }
}

impl Sink {
    fn find(sim: &Simulator, last: bool) -> Sink {
        Sink {
            valid: sim.output("m_valid").unwrap(),
            ready: sim.input("m_ready").unwrap(),
            data: sim.output("m_data").unwrap(),
            last: last.then(|| sim.output("m_last").unwrap()),
            waiting: None,
        }
    }

    /// The beat that moves in this clock; one that waits stays what it is.
    fn take(&mut self, sim: &mut Simulator, willing: bool) -> Option<Beat> {
        sim.set(self.ready, willing).unwrap();
        let offered = sim.get(self.valid).unwrap().then(|| {
            let last = self.last.map(|last| sim.get(last).unwrap()).unwrap_or(false);
            (sim.get(self.data).unwrap(), last)
        });
        if self.waiting.is_some() {
            assert_eq!(offered, self.waiting, "clock {}: changed while it waited", sim.clocks());
        }
        self.waiting = if willing { None } else { offered };
        offered.filter(|_| willing)
    }
}

fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
    Options { assertions: true, quick: true, cache: Some(cache), ..Options::default() }
}

fn build(of: &dyn Generate) -> Simulator {
    let mut sim = Simulator::build(&of.build().unwrap(), &options()).unwrap();
    sim.reset().unwrap();
    sim
}

/// A beat that tells its place.
fn beat(n: u64, width: u32) -> Beat {
    let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29) & (u64::MAX >> (64 - width)), mixed >> 61 == 0)
}

/// A module between a source and a sink; returns the beats that came out.
fn passes(
    of: &dyn Generate,
    width: u32,
    last: [bool; 2],
    becomes: Becomes,
    paces: [Pace; 2],
    beats: u64,
) -> u64 {
    let mut sim = build(of);
    let (source, mut sink) = (Source::find(&sim, last[0]), Sink::find(&sim, last[1]));
    let mut willing = [Willing::new(paces[0], beats), Willing::new(paces[1], beats + 1)];
    let (mut sent, mut got, mut idle) = (0, 0, 0);
    let (mut gathered, mut wanted) = (vec![], VecDeque::new());
    let mut offered = None;
    while got < beats {
        if offered.is_none() && willing[0].next() {
            let (data, end) = beat(sent, width);
            offered = Some((data, end && last[0]));
        }
        source.offer(&mut sim, offered);
        let out = sink.take(&mut sim, willing[1].next());
        idle = if out.is_some() { 0 } else { idle + 1 };
        assert!(idle < 1000, "{} {paces:?}: stuck after {got} beats", of.name());
        // Before the output is compared, as a beat may pass within a clock.
        if let Some(beat) = offered.filter(|_| sim.get(source.ready).unwrap()) {
            becomes.push(&mut gathered, beat, &mut wanted);
            (offered, sent) = (None, sent + 1);
        }
        if let Some(out) = out {
            assert_eq!(Some(out), wanted.pop_front(), "{} {paces:?}: beat {got}", of.name());
            got += 1;
        }
        sim.step().unwrap();
    }
    got
}

/// The memory of a master, and how it stalls.
fn memory(stalls: Stalls, seed: u64) -> Memory {
    let mut memory = Memory::new(64, &MemoryOptions { bytes: BYTES, latency: 9, stalls, seed });
    let words: Vec<u8> = (0..BYTES / 8).flat_map(|n| beat(n, 64).0.to_le_bytes()).collect();
    assert!(memory.write(0, &words));
    memory
}

/// Starts a job of a master at a random place that is not a page's.
fn start(sim: &mut Simulator, rng: &mut Rng, most: u64) -> (u64, u64) {
    let beats = 1 + rng.below(most);
    let first = rng.below(BYTES / 8 - beats);
    sim.poke("start", 1).unwrap();
    sim.poke("addr", first * 8).unwrap();
    sim.poke("beats", beats).unwrap();
    (first, beats)
}

/// Job after job of a read master.
fn reads(pace: Pace, stalls: Stalls, beats: u64) -> u64 {
    let widths = AxiWidths { addr: 34, data: 64, id: 2 };
    let mut sim = build(&ReadMaster { widths, length: 24, depth: 512, number: 1 });
    let mut port = MemoryPort::find(&sim, "m_axi", AxiKind::Read, 64).unwrap();
    let mut sink = Sink::find(&sim, true);
    let (mut memory, mut willing) = (memory(stalls, beats), Willing::new(pace, beats));
    let (mut rng, mut total) = (Rng::new(beats), 0);
    while total < beats {
        let (first, count) = start(&mut sim, &mut rng, 3000);
        let (mut got, mut idle) = (0, 0);
        while got < count {
            port.clock(&mut sim, &mut memory).unwrap();
            let out = sink.take(&mut sim, willing.next());
            idle = if out.is_some() { 0 } else { idle + 1 };
            assert!(idle < 2000, "read {pace:?} {stalls:?}: stuck after {got} of {count}");
            if let Some(out) = out {
                let want = (beat(first + got, 64).0, got + 1 == count);
                assert_eq!(out, want, "read {pace:?} {stalls:?}: beat {got} of {count}");
                got += 1;
            }
            sim.step().unwrap();
            sim.poke("start", 0).unwrap();
        }
        assert_eq!(sim.peek("busy").unwrap().to_u64(), 0, "all was given out");
        total += count;
    }
    total
}

/// Job after job of a write master; the memory then holds what was sent, and nothing else changed.
fn writes(pace: Pace, stalls: Stalls, beats: u64) -> u64 {
    let widths = AxiWidths { addr: 34, data: 64, id: 2 };
    let mut sim = build(&WriteMaster { widths, length: 24 });
    let mut port = MemoryPort::find(&sim, "m_axi", AxiKind::Write, 64).unwrap();
    let source = Source::find(&sim, false);
    let (mut memory, mut willing) = (memory(stalls, beats), Willing::new(pace, beats));
    let (mut rng, mut total) = (Rng::new(beats), 0);
    let word = |n: u64| beat(n ^ 1 << 40, 64).0;
    let busy = sim.output::<bool>("busy").unwrap();
    while total < beats {
        let (first, count) = start(&mut sim, &mut rng, 3000);
        let (mut sent, mut idle, mut offered) = (0, 0, None);
        loop {
            if offered.is_none() && sent < count && willing.next() {
                offered = Some((word(total + sent), false));
            }
            source.offer(&mut sim, offered);
            port.clock(&mut sim, &mut memory).unwrap();
            idle += 1;
            if offered.is_some() && sim.get(source.ready).unwrap() {
                (sent, offered, idle) = (sent + 1, None, 0);
            }
            assert!(idle < 4000, "write {pace:?} {stalls:?}: stuck after {sent} of {count}");
            sim.step().unwrap();
            sim.poke("start", 0).unwrap();
            if !sim.get(busy).unwrap() {
                break;
            }
        }
        // A beat before and one behind, too.
        let (from, to) = (first.max(1) - 1, (first + count + 1).min(BYTES / 8));
        let mut bytes = vec![0; (to - from) as usize * 8];
        assert!(memory.read(from * 8, &mut bytes));
        for (n, got) in (from..).zip(bytes.chunks_exact(8)) {
            let got = u64::from_le_bytes(got.try_into().unwrap());
            let inside = (first..first + count).contains(&n);
            let want = if inside { word(total + n - first) } else { beat(n, 64).0 };
            assert_eq!(got, want, "write {pace:?} {stalls:?}: word {n} of {first} + {count}");
        }
        // What is not in place any more is not looked at again.
        let old: Vec<u8> = (from..to).flat_map(|n| beat(n, 64).0.to_le_bytes()).collect();
        assert!(memory.write(from * 8, &old));
        total += count;
    }
    total
}

/// A module, the width of what enters it, whether its two streams have packets, what it does.
type Subject = (Box<dyn Generate>, u32, [bool; 2], Becomes);

/// Every module under every pair; what is printed is a row of the table.
fn all(beats: u64) {
    let streams: Vec<Subject> = vec![
        (Box::new(SkidBuffer { ty: UInt(17), last: true }), 17, [true, true], Becomes::Same),
        (fifo(2, Storage::Registers, true), 17, [true, true], Becomes::Same),
        (fifo(8, Storage::Registers, false), 17, [false, false], Becomes::Same),
        (fifo(2, Storage::Block, false), 17, [false, false], Becomes::Same),
        (fifo(16, Storage::Block, true), 17, [true, true], Becomes::Same),
        (Box::new(Pack { from: 8, to: 32 }), 8, [true, true], Becomes::Wide(4, 8)),
        (Box::new(Pack { from: 64, to: 64 }), 64, [true, true], Becomes::Wide(1, 64)),
        (Box::new(Unpack { from: 64, to: 16 }), 64, [false, false], Becomes::Narrow(4, 16)),
    ];
    println!("| module | pairs of paces | beats | lost, made, reordered or changed |");
    println!("|---|---|---|---|");
    for (of, width, last, becomes) in &streams {
        let pairs = PACES.iter().flat_map(|&a| PACES.map(|b| [a, b]));
        let sum: u64 = pairs.map(|p| passes(&**of, *width, *last, *becomes, p, beats)).sum();
        println!("| `{}` | 16 | {sum} | 0 |", of.name());
    }
    let memories = [Stalls::None, Stalls::Alternate, Stalls::Random, Stalls::Burst];
    for (name, run) in
        [("read_master", reads as fn(Pace, Stalls, u64) -> u64), ("write_master", writes)]
    {
        let pairs = PACES.iter().flat_map(|&a| memories.map(|b| (a, b)));
        let sum: u64 = pairs.map(|(pace, stalls)| run(pace, stalls, beats)).sum();
        println!("| `{name}` | 16 | {sum} | 0 |");
    }
}

fn fifo(depth: usize, storage: Storage, last: bool) -> Box<dyn Generate> {
    Box::new(Fifo { ty: UInt(17), depth, last, storage })
}

#[test]
fn nothing_is_lost_in_a_short_run() {
    all(3000);
}

#[test]
#[ignore = "minutes; a release build"]
fn nothing_is_lost_in_a_million_beats() {
    all(1_000_000);
}

/// A module that passes beats on, but for one of its seeded faults.
struct Faulty(&'static str);

impl Generate for Faulty {
    fn name(&self) -> String {
        format!("faulty_{}", self.0)
    }

    fn describe(&self, m: &Module) {
        let source = m.stream_in("s", UInt(17), false);
        let sink = m.stream_out("m", UInt(17), false);
        let (valid, data) = (m.reg("valid", UInt(1)).reset(0), m.reg("data", UInt(17)));
        let count = m.reg("count", UInt(8)).reset(0);
        let free = (sink.ready | !valid).named("free");
        let odd = count.eq(200).named("odd");
        source.ready.set(free);
        m.when(free, || valid.set(source.valid));
        m.when(source.fires(), || {
            count.set(count.wrapping_add(1));
            data.set(source.data);
        });
        match self.0 {
            "loses" => _ = m.when(source.fires() & odd, || valid.set(0)),
            "repeats" => _ = m.when(sink.fires() & odd & !source.valid, || valid.set(1)),
            "changes" => _ = m.when(valid & !sink.ready & odd, || data.set(source.data)),
            _ => {}
        }
        sink.valid.set(valid);
        sink.data.set(data);
    }
}

#[test]
fn a_fault_is_found() {
    let paces = [Pace::Random, Pace::Random];
    let run = |of: &Faulty| passes(of, 17, [false, false], Becomes::Same, paces, 3000);
    assert_eq!(run(&Faulty("never")), 3000);
    for fault in ["loses", "repeats", "changes"] {
        let result = std::panic::catch_unwind(|| run(&Faulty(fault)));
        assert!(result.is_err(), "a module that {fault} beats passed");
    }
}
