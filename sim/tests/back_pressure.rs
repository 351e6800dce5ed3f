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
use sterna_rtl::{AxiKind, AxiWidths, Design, Generate, SInt, UInt};
use sterna_sim::memory::{Memory, MemoryOptions, Stalls};
use sterna_sim::{Input, MemoryPort, Options, Output, Simulator};

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

fn build(of: &dyn Generate) -> (Design, Simulator) {
    let design = of.build().unwrap();
    let mut sim = Simulator::build(&design, &options()).unwrap();
    sim.reset().unwrap();
    (design, sim)
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
    let (_, mut sim) = build(of);
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

/// Each pace beside memories that do, and do not, stall.
fn stalls(pace: Pace) -> Stalls {
    match pace {
        Pace::None | Pace::Alternate => Stalls::None,
        Pace::Random => Stalls::Random,
        Pace::Burst => Stalls::Burst,
    }
}

/// The memory of a master: at `Alternate` it answers a beat every other clock of the master's.
fn memory(pace: Pace, seed: u64) -> (Memory, Willing) {
    let options = MemoryOptions { bytes: 1 << 24, latency: 9, stalls: stalls(pace), seed };
    let pace = if matches!(pace, Pace::Alternate) { Pace::Alternate } else { Pace::None };
    (Memory::new(64, options), Willing::new(pace, seed))
}
