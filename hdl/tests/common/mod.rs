//! Elements through a unit, with gaps, against what they have to become.

// Each test binary uses some of it.
#![allow(dead_code)]

pub mod engine;
pub mod parts;
pub mod tools;

use std::collections::VecDeque;

use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Design, Direction, Interpreter, mutate};

/// `STERNA_SEED`, or a fixed one; printed, so that a failure can be replayed.
pub fn seed() -> u64 {
    let seed = std::env::var("STERNA_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    seed
}

/// One element: its inputs, and its outputs by port.
pub struct Case {
    pub inputs: Vec<(&'static str, i128)>,
    pub outputs: Vec<(&'static str, i128)>,
}

impl Case {
    pub fn new<const I: usize, const O: usize>(
        inputs: [(&'static str, i128); I],
        outputs: [(&'static str, i128); O],
    ) -> Case {
        Case { inputs: inputs.into(), outputs: outputs.into() }
    }
}

/// Some outputs with the `valid` beside them, so many clocks after their element.
pub struct Outputs {
    pub valid: &'static str,
    pub latency: u32,
    pub ports: &'static [&'static str],
}

/// A unit that takes an element a clock.
pub struct Stream {
    pub sim: Interpreter,
    design: Design,
    outputs: Vec<Outputs>,
    rng: Rng,
}

impl Stream {
    pub fn new(design: Design, outputs: Vec<Outputs>, seed: u64) -> Stream {
        let mut sim = mutate::bench(&design);
        sim.reset();
        Stream { sim, design, outputs, rng: Rng::new(seed) }
    }

    /// Sets inputs that stay as they are while elements are inside.
    pub fn hold(&mut self, inputs: &[(&str, i128)]) {
        inputs.iter().for_each(|&(name, value)| self.sim.poke(name, value));
    }

    /// Sends the elements, a gap full of rubbish before each once in `idle` (0: never), and compares
    /// every output at every clock until the last has left.
    pub fn run(&mut self, idle: u64, cases: impl IntoIterator<Item = Case>) {
        let mut cases = cases.into_iter();
        let last = self.outputs.iter().map(|o| o.latency).max().expect("outputs");
        let mut inside: VecDeque<Option<Case>> = VecDeque::new();
        let mut widths: Vec<(&'static str, u32)> = vec![];
        let mut left = last + 1;
        let mut sent = 0;
        while left > 0 {
            let gap = idle > 0 && self.rng.one_in(idle);
            let case = if gap { None } else { cases.next() };
            if !gap && case.is_none() {
                left -= 1;
            }
            if let (true, Some(case)) = (widths.is_empty(), &case) {
                let width = |name| {
                    let inputs = |p: &&sterna_rtl::Port| p.direction == Direction::Input;
                    let mut ports = self.design.ports.iter().filter(inputs);
                    ports.find(|p| p.name == name).expect("an input").width
                };
                widths = case.inputs.iter().map(|&(name, _)| (name, width(name))).collect();
            }
            self.sim.poke("valid", case.is_some());
            match &case {
                Some(case) => {
                    sent += 1;
                    case.inputs.iter().for_each(|&(name, value)| self.sim.poke(name, value));
                }
                None => {
                    for &(name, width) in &widths {
                        self.sim.poke(name, self.rng.bits(width));
                    }
                }
            }
            inside.push_front(case);
            for group in &self.outputs {
                let due = inside.get(group.latency as usize).and_then(Option::as_ref);
                let valid = self.sim.u64(group.valid) == 1;
                let cycle = self.sim.cycle();
                assert_eq!(valid, due.is_some(), "{} in cycle {cycle}", group.valid);
                let Some(case) = due else { continue };
                for &(name, want) in &case.outputs {
                    if !group.ports.contains(&name) {
                        continue;
                    }
                    let got = value(&self.design, name, &self.sim.peek(name));
                    let inputs = &case.inputs;
                    assert_eq!(got, want, "`{name}` in cycle {cycle}, {sent} sent, of {inputs:?}");
                }
            }
            inside.truncate(last as usize + 1);
            self.sim.step();
        }
    }
}

/// What a port says, by its type.
pub fn value(design: &Design, name: &str, bits: &Bits) -> i128 {
    let port = design.ports.iter().find(|p| p.name == name).expect("a port");
    if port.signed { bits.to_i128() } else { bits.to_u128() as i128 }
}

/// A signed number of so many bits, often an end of its range.
pub fn signed(rng: &mut Rng, width: u32) -> i64 {
    rng.bits(width).to_i64()
}

/// An unsigned number of so many bits, often an end of its range.
pub fn unsigned(rng: &mut Rng, width: u32) -> u64 {
    rng.bits(width).to_u64()
}

/// Starts an iterative unit, disturbs its other inputs meanwhile, and counts the clocks until `done`.
pub fn start(sim: &mut Interpreter, inputs: &[(&str, u64)]) -> u32 {
    sim.poke("start", 1);
    inputs.iter().for_each(|(name, value)| sim.poke(name, *value));
    let mut clocks = 0;
    while clocks == 0 || sim.u64("done") == 0 {
        sim.step();
        clocks += 1;
        sim.poke("start", 0);
        inputs.iter().for_each(|(name, _)| sim.poke(name, 1));
        assert!(clocks < 1000, "never done");
    }
    clocks
}
