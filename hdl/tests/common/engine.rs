//! An engine that only says what an engine would, for tests of the control.

use std::collections::BTreeMap;

use sterna_firmware::shape::Shape;
use sterna_hdl::core::Control;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::command::{RESET, RUN};
use sterna_hdl::registers::{mode, status};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

use super::parts::geometry;
use super::seed;

pub const SHAPE: Shape = Shape { hidden: 64, inner: 32, intermediate: 32, layers: 3, vocab: 100 };
pub const RESULT: u64 = 0xc5_6789_a000;
/// Units of state that the core has.
pub const STATE_UNITS: u64 = 6;

/// Signals of the engine that last a clock.
pub const PULSES: [&str; 11] = [
    "pass_ok",
    "layers_ended",
    "best_given",
    "recorded",
    "moves",
    "bad_trit",
    "bad_row",
    "bad_read",
    "bad_write",
    "front_fault",
    "clamps",
];
/// And those that stay.
pub const LEVELS: [&str; 5] = ["head_idle", "mover_busy", "image_busy", "row_busy", "writer_busy"];
pub const COUNTERS: [&str; 5] = ["cycles", "beats", "starved", "blocked", "idle"];

/// The control, and an engine that only says what an engine would.
pub struct Bench {
    pub sim: Interpreter,
    pub rng: Rng,
    /// What the engine will say, by clock.
    pub plan: BTreeMap<u64, Vec<(&'static str, u64)>>,
    /// Best tokens of the passes to come; anything without one.
    pub tokens: Vec<u64>,
    /// When the record of the last pass will be in memory.
    pub recorded: u64,
    pub no_head: bool,
    pub halting: bool,
    /// Whether the image's stream and other progress are random; else there is none.
    pub moves: bool,
    /// Clears of the engine, and what begins said of each pass.
    pub clears: u64,
    pub passes: Vec<(u64, u64)>,
    pub counters: [u64; 5],
    pub saturations: u64,
}

impl Bench {
    pub fn new() -> Bench {
        let mut sim =
            mutate::bench(&Control { geometry: geometry(64, 1, &SHAPE) }.build().unwrap());
        sim.reset();
        let mut bench = Bench {
            sim,
            rng: Rng::new(seed()),
            plan: BTreeMap::new(),
            tokens: vec![],
            recorded: 0,
            no_head: false,
            halting: false,
            moves: true,
            clears: 0,
            passes: vec![],
            counters: [0; 5],
            saturations: 0,
        };
        bench.rest();
        bench.registers(&[]);
        bench
    }

    /// The engine as it is after its reset.
    fn rest(&mut self) {
        self.plan.clear();
        self.recorded = 0;
        for level in LEVELS {
            self.sim.poke(level, level == "head_idle");
        }
    }

    /// Registers that are legal for every command, but for those named.
    pub fn registers(&mut self, other: &[(&str, u64)]) {
        for (name, value) in [
            ("mode", 0),
            ("count", 1),
            ("slot_mask", 1),
            ("token_0", 7),
            ("stop_0", 0),
            ("stop_1", 0),
            ("stop_2", 0),
            ("stop_3", 0),
            ("watchdog", 0),
            ("image_units", 100),
            ("row_units", 3),
            ("state_units", STATE_UNITS),
            ("result", RESULT),
        ] {
            let value = other.iter().find(|o| o.0 == name).map_or(value, |o| o.1);
            self.sim.poke(name, value);
            if name == "mode" {
                self.no_head = value & u64::from(mode::NO_HEAD) != 0;
            }
        }
    }

    pub fn at(&mut self, clocks: u64, signal: &'static str, value: u64) -> u64 {
        let when = self.sim.cycle() + clocks;
        self.plan.entry(when).or_default().push((signal, value));
        when
    }

    /// One clock; the engine answers what it is told.
    pub fn clock(&mut self) {
        for pulse in PULSES {
            self.sim.poke(pulse, 0);
        }
        let (valid, want) = (self.moves && self.rng.one_in(2), self.moves && self.rng.one_in(3));
        self.sim.poke("image_valid", valid);
        self.sim.poke("image_want", want);
        let clamps = if self.rng.one_in(4) { self.rng.below(16) } else { 0 };
        self.sim.poke("clamps", clamps);
        self.sim.poke("moves", self.moves && self.rng.one_in(4));
        for (signal, value) in self.plan.remove(&self.sim.cycle()).unwrap_or_default() {
            self.sim.poke(signal, value);
        }
        if self.sim.u64("counting") == 1 {
            let kinds = [true, valid & want, want & !valid, valid & !want, !valid & !want];
            for (counter, counts) in self.counters.iter_mut().zip(kinds) {
                *counter += u64::from(counts);
            }
        }
        self.saturations += clamps;
        self.engine();
        self.sim.step();
        assert_eq!(self.sim.u64("saturations"), self.saturations);
        let flags = self.sim.u64("status");
        let ended = flags & u64::from(status::DONE | status::FAILED) != 0;
        assert_eq!(self.sim.u64("irq") == 1, ended);
        assert_ne!(flags & 6, 6, "done or failed");
    }

    fn engine(&mut self) {
        let says = |sim: &mut Interpreter, name: &str| sim.u64(name) == 1;
        if says(&mut self.sim, "clear") {
            assert!(self.plan.is_empty(), "the memory is not at rest");
            self.clears += 1;
            self.halting = false;
            self.rest();
        } else if says(&mut self.sim, "halt") && !self.halting {
            self.halting = true;
            self.plan.clear();
            for level in ["image_busy", "row_busy", "writer_busy"] {
                if self.sim.u64(level) == 1 {
                    let clocks = 1 + self.rng.below(20);
                    self.at(clocks, level, 0);
                }
            }
        }
        if says(&mut self.sim, "begins") {
            let pass = (self.sim.u64("token"), self.sim.u64("fresh"));
            self.passes.push(pass);
            let read = 10 + self.rng.below(40);
            self.at(1, "image_busy", 1);
            self.at(read, "image_busy", 0);
            let layers = 1 + self.rng.below(2 * read);
            self.at(layers, "layers_ended", 1);
            let sound = read + 1 + self.rng.below(4);
            self.at(sound, "pass_ok", 1);
            if !self.no_head {
                self.head(sound);
            }
        }
        let (save, load) = (says(&mut self.sim, "save"), says(&mut self.sim, "load"));
        assert!(!(save && load));
        if save || load {
            let (mover, port) = (2 + self.rng.below(30), 2 + self.rng.below(30));
            let name = if save { "writer_busy" } else { "row_busy" };
            for (level, clocks) in [("mover_busy", mover), (name, port)] {
                self.at(1, level, 1);
                self.at(clocks, level, 0);
            }
        }
    }

    /// A head that gives its token when the pass is sound and the last record is written.
    fn head(&mut self, sound: u64) {
        let best = if self.tokens.is_empty() { self.rng.below(100) } else { self.tokens.remove(0) };
        let free = self.recorded.saturating_sub(self.sim.cycle()) + 2;
        let given = sound.max(free) + 1 + self.rng.below(10);
        self.at(given - 1, "head_idle", 0);
        self.at(given, "best", best);
        self.at(given, "best_given", 1);
        let clocks = given + 1 + self.rng.below(60);
        self.recorded = self.at(clocks, "recorded", 1);
        self.at(clocks + 1, "head_idle", 1);
    }

    pub fn command(&mut self, bits: u32) {
        // A run, be it refused, counts from 0.
        if self.status() & status::BUSY == 0 && bits & (RUN | RESET) == RUN {
            self.counters = [0; 5];
        }
        self.sim.poke("command", bits);
        self.clock();
        self.sim.poke("command", 0);
    }

    pub fn status(&mut self) -> u32 {
        self.sim.u64("status") as u32
    }

    /// Until nothing goes on.
    pub fn wait(&mut self) {
        for _ in 0..20_000 {
            if self.status() & (status::BUSY | status::DRAINING) == 0 {
                return;
            }
            self.clock();
        }
        panic!("it never ends");
    }

    /// A command that is obeyed.
    #[track_caller]
    pub fn done(&mut self, bits: u32) {
        self.passes.clear();
        self.command(bits);
        assert_eq!(self.status() & 7, status::BUSY, "neither done nor failed any more");
        self.wait();
        assert_eq!(self.status() & 7, status::DONE, "command {bits:#x}, {:?}", self.fault());
        assert_eq!(self.fault(), None);
    }

    /// A command that is refused before anything has begun.
    #[track_caller]
    pub fn refused(&mut self, bits: u32, fault: Fault) {
        self.passes.clear();
        let (clears, state) = (self.clears, self.status() & status::STATE_VALID);
        self.command(bits);
        self.wait();
        assert_eq!(self.fault(), Some(fault), "command {bits:#x}");
        assert_eq!(self.status() & 7, status::FAILED);
        assert_eq!(self.status() & status::STATE_VALID, state, "the state is as it was");
        assert!(self.passes.is_empty());
        assert_eq!(self.clears, clears + 1);
    }

    pub fn fault(&mut self) -> Option<Fault> {
        Fault::from_code(self.sim.u64("error") as u8)
    }

    pub fn state_valid(&mut self) -> bool {
        self.status() & status::STATE_VALID != 0
    }

    pub fn check_counters(&mut self) {
        let get = |sim: &mut Interpreter, name: &str| {
            sim.u64(&format!("{name}_hi")) << 32 | sim.u64(&format!("{name}_lo"))
        };
        let got = COUNTERS.map(|name| get(&mut self.sim, name));
        assert_eq!(got, self.counters);
        assert_eq!(got[0], got[1..].iter().sum::<u64>(), "every clock is of one kind");
    }
}
