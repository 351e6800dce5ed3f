//! The SDRAM controller against the model of the chip, and the model against controllers that
//! break its rules.

#[path = "sdram/commands.rs"]
mod commands;
mod common;

use common::around::{controller, simulator};
use common::axi::{Burst, Bus, beats, burst};
use sterna_hdl::sdram::{SdramChip, SdramController, Times, command};
use sterna_rtl::Generate;
use sterna_rtl::random::Rng;
use sterna_sim::sdram::{Broken, Pins, Rule, Sdram, SdramPort};
use sterna_sim::{SimError, Simulator};

const MHZ: u32 = 1_000_000;

/// A controller, a chip, a master.
struct Bench {
    sim: Simulator,
    chip: Sdram,
    port: SdramPort,
    bus: Bus,
    rng: Rng,
}

impl Bench {
    /// A controller for one chip in front of another, usually the same.
    fn new(controller: &SdramController, chip: &SdramChip, mut rng: Rng) -> Bench {
        let design = controller.build().unwrap_or_else(|e| panic!("{e}"));
        let mut sim = simulator(&design, &common::options()).unwrap();
        let mut chip = Sdram::new(chip, controller.hertz);
        let shadow: Vec<u8> =
            (0..controller.chip.bytes() / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
        assert!(chip.write(0, &shadow));
        let port = SdramPort::find(&sim, "sdram", controller.chip.data).unwrap();
        let bus = Bus::find(&mut sim, "s_axi", shadow).unwrap();
        Bench { sim, chip, port, bus, rng }
    }

    fn clock(&mut self) -> Result<(), SimError> {
        self.bus.clock(&mut self.sim, &mut self.rng)?;
        self.port.clock(&mut self.sim, &mut self.chip)?;
        self.sim.step()
    }

    /// Until everything that was asked for is done; the clocks it took.
    fn finish(&mut self) -> Result<u64, SimError> {
        let start = self.sim.clocks();
        while !self.bus.is_idle() {
            assert!(self.sim.clocks() - start < 500_000, "stuck");
            self.clock()?;
        }
        Ok(self.sim.clocks() - start)
    }

    /// A read that waits for the chip to be initialised.
    fn start(&mut self) -> Result<(), SimError> {
        self.bus.to_read.push_back(Burst { addr: 0, beats: 1, id: 0 });
        self.finish().map(|_| ())
    }

    /// So many bursts, some of them close to each other.
    fn traffic(&mut self, bursts: u32, write_in: u64) -> Result<(), SimError> {
        let bytes = self.bus.shadow.len() as u64;
        for _ in 0..bursts {
            let mut one = burst(&mut self.rng, bytes);
            if self.rng.one_in(2) {
                // The same few rows again, or as far behind the end.
                one.addr = one.addr % 0x8000 + one.addr / bytes * bytes;
            }
            let write = self.rng.one_in(write_in);
            let start = self.sim.clocks();
            while self.bus.meets(&one, write) || self.bus.to_read.len() > 3 {
                assert!(self.sim.clocks() - start < 100_000, "stuck");
                self.clock()?;
            }
            if write {
                let data = beats(&mut self.rng, one.beats);
                self.bus.to_write.push_back((one, data));
            } else {
                self.bus.to_read.push_back(one);
            }
            // Or no answers are taken for a while, so that they fill their places.
            self.bus.deaf = self.rng.one_in(2);
            for _ in 0..if self.rng.one_in(8) { self.rng.below(300) } else { 0 } {
                self.clock()?;
            }
            self.bus.deaf = false;
        }
        self.finish().map(|_| ())
    }
}

/// Everything that was written is in the chip, and nothing else.
fn whole(bench: &mut Bench) {
    // The last words may be answered, but not at the pins yet.
    (0..8).for_each(|_| bench.clock().unwrap());
    let mut all = vec![0; bench.bus.shadow.len()];
    assert!(bench.chip.read(0, &mut all));
    assert!(all == bench.bus.shadow, "the chip's bytes are not those that were written");
}

#[test]
fn random_traffic_reads_what_was_written() {
    let seed = common::seed();
    let slow = SdramChip { cas: 3, ..SdramChip::ULX3S };
    for (chip, hertz) in [
        (SdramChip::ULX3S, 60 * MHZ),
        (slow, 100 * MHZ),
        (SdramChip::GW2AR_18, 27 * MHZ),
        (SdramChip::GW2AR_18, 54 * MHZ),
        (SdramChip::GW2AR_18, 81 * MHZ),
    ] {
        let mut bench = Bench::new(&controller(chip, hertz), &chip, Rng::new(seed));
        bench.start().unwrap();
        for idle in [0, 3, 20] {
            bench.bus.idle = idle;
            for write_in in [2, 8] {
                bench.traffic(60, write_in).unwrap_or_else(|e| panic!("{hertz} Hz: {e}"));
            }
        }
        whole(&mut bench);
        let counts = bench.chip.counts();
        let refreshed = bench.chip.clocks() * 1_000_000_000_000 / u64::from(hertz);
        let due = refreshed / chip.refresh_picoseconds();
        assert!(counts.refreshes + 30 >= due, "{counts:?}, {due} due");
    }
}

/// A master whose beats come now and then.
#[test]
fn beats_are_waited_for() {
    let chip = SdramChip::ULX3S;
    let mut bench = Bench::new(&controller(chip, 60 * MHZ), &chip, Rng::new(common::seed()));
    bench.start().unwrap();
    bench.bus.idle = 2;
    bench.traffic(100, 1).unwrap_or_else(|e| panic!("{e}"));
    whole(&mut bench);
}

/// What share of a word a clock a stream reaches. The figures are in docs/sdram.md.
#[test]
fn streams_move_a_word_a_clock() {
    for (chip, hertz) in [(SdramChip::ULX3S, 60 * MHZ), (SdramChip::GW2AR_18, 54 * MHZ)] {
        let mut bench = Bench::new(&controller(chip, hertz), &chip, Rng::new(2));
        bench.start().unwrap();
        let total = 1 << 18;
        let words = f64::from(64 / chip.data);
        let share = |bench: &mut Bench, what: &str, kinds: &[bool], beats_each: u64| {
            let count = total / 8 / beats_each;
            for n in 0..count {
                let one = Burst { addr: n * beats_each * 8, beats: beats_each, id: 0 };
                if kinds[n as usize % kinds.len()] {
                    let data = beats(&mut bench.rng, beats_each);
                    bench.bus.to_write.push_back((one, data));
                } else {
                    bench.bus.to_read.push_back(one);
                }
            }
            let clocks = bench.finish().unwrap();
            let share = words * total as f64 / 8.0 / clocks as f64;
            println!(
                "{} bits, {hertz} Hz, {what}: {:.2} % of a word a clock",
                chip.data,
                100.0 * share
            );
            share
        };
        assert!(share(&mut bench, "reads of 256 beats", &[false], 256) > 0.95);
        assert!(share(&mut bench, "writes of 16 beats", &[true], 16) > 0.90);
        assert!(share(&mut bench, "reads and writes of 256", &[false, true], 256) > 0.90);
        assert!(share(&mut bench, "reads of 1 beat", &[false], 1) > 0.30);
        whole(&mut bench);
    }
}

/// Where both wait, however long each takes; the row is another one each time.
#[test]
fn reads_and_writes_take_turns() {
    let chip = SdramChip::ULX3S;
    let mut bench = Bench::new(&controller(chip, 60 * MHZ), &chip, Rng::new(2));
    for n in 0..20 {
        bench.bus.to_read.push_back(Burst { addr: 0x2000 * n, beats: 1, id: 0 });
        let data = beats(&mut bench.rng, 1);
        bench.bus.to_write.push_back((Burst { addr: 0x2000 * n + 0x1000, beats: 1, id: 0 }, data));
    }
    let mut order = String::new();
    while !bench.bus.is_idle() {
        let left = [bench.bus.to_read.len(), bench.bus.to_write.len()];
        bench.clock().unwrap();
        order += if bench.bus.to_read.len() < left[0] { "r" } else { "" };
        order += if bench.bus.to_write.len() < left[1] { "w" } else { "" };
    }
    assert_eq!(order, "rw".repeat(20));
}

/// Eight beats that were read, and four answers to writes.
#[test]
fn what_nobody_takes_waits() {
    let chip = SdramChip::ULX3S;
    let mut bench = Bench::new(&controller(chip, 60 * MHZ), &chip, Rng::new(2));
    bench.start().unwrap();
    let before = bench.chip.counts();
    (bench.bus.shut, bench.bus.deaf) = (true, true);
    for n in 0..20 {
        bench.bus.to_read.push_back(Burst { addr: 64 * n, beats: 1, id: 0 });
    }
    (0..300).for_each(|_| bench.clock().unwrap());
    assert_eq!(bench.chip.counts().words_read - before.words_read, 8 * 4);
    bench.bus.shut = false;
    bench.finish().unwrap();
    for n in 0..10 {
        let data = beats(&mut bench.rng, 1);
        bench.bus.to_write.push_back((Burst { addr: 64 * n, beats: 1, id: 0 }, data));
    }
    (0..300).for_each(|_| bench.clock().unwrap());
    assert_eq!(bench.chip.counts().words_written - before.words_written, 4 * 4);
    bench.bus.deaf = false;
    bench.finish().unwrap();
    whole(&mut bench);
}

/// Clocks from an address to its first beat, nothing else going on: in a bank without a row, in an
/// open row, in a bank with another row.
#[test]
fn latency() {
    let chip = SdramChip::ULX3S;
    let mut bench = Bench::new(&controller(chip, 60 * MHZ), &chip, Rng::new(2));
    bench.start().unwrap();
    // Not beside a refresh.
    while bench.chip.counts().refreshes < 40 {
        bench.clock().unwrap();
    }
    for _ in 0..20 {
        bench.clock().unwrap();
    }
    let mut wait = |addr| {
        bench.bus.to_read.push_back(Burst { addr, beats: 1, id: 1 });
        bench.finish().unwrap() - 1
    };
    assert_eq!((wait(0x1000), wait(0x1008), wait(0x2000)), (11, 10, 13));
}

/// A controller that believes in a faster chip than there is breaks exactly the rules that it
/// does not know.
#[test]
fn the_model_finds_what_a_controller_breaks() {
    let truth = SdramChip::ULX3S;
    let with = |change: fn(&mut SdramChip)| {
        let mut chip = truth;
        change(&mut chip);
        chip
    };
    let cases: [(SdramChip, &[Rule]); 7] = [
        (with(|c| c.times.rcd = 1), &[Rule::Rcd]),
        (with(|c| c.times.rp = 1), &[Rule::Rp, Rule::Rc]),
        (with(|c| (c.times.ras, c.times.rc) = (1, 1)), &[Rule::Ras]),
        (with(|c| c.times.rfc = 20), &[Rule::Rfc]),
        (with(|c| c.times.rrd = 1), &[Rule::Rrd]),
        (with(|c| c.refreshes = 4096), &[Rule::Refresh]),
        (with(|c| c.cas = 3), &[Rule::Mode]),
    ];
    let seed = common::seed();
    for (believed, rules) in cases {
        let unit = controller(believed, 100 * MHZ);
        let mut bench =
            Bench::new(&unit, &SdramChip { times: truth.times, ..truth }, Rng::new(seed));
        // The bytes do not matter here.
        let result = bench.start().and_then(|()| bench.traffic(4000, 3));
        match result {
            Err(SimError::Sdram { broken, .. }) => {
                assert!(rules.contains(&broken.rule), "{rules:?} expected: {broken}");
            }
            Err(other) => panic!("{rules:?}: {other}"),
            Ok(()) => panic!("{rules:?}: nothing was found"),
        }
    }
}

#[test]
fn a_broken_rule_is_told() {
    let truth = SdramChip::ULX3S;
    let believed = SdramChip { times: Times { rcd: 1, ..truth.times }, ..truth };
    let mut bench = Bench::new(&controller(believed, 100 * MHZ), &truth, Rng::new(1));
    let error = bench.start().unwrap_err();
    insta::assert_snapshot!(format!("{}: {error}", error.code()));
}

/// The chip by hand, at 100 MHz: 10 ns a clock.
struct Script {
    chip: Sdram,
    last: Result<(), Broken>,
}

impl Script {
    fn new() -> Script {
        // tRC longer than tRAS and tRP together, so that it can be broken alone.
        let times = Times { rc: 80, ..SdramChip::ULX3S.times };
        let chip = SdramChip { times, ..SdramChip::ULX3S };
        Script { chip: Sdram::new(&chip, 100 * MHZ), last: Ok(()) }
    }

    fn pins(mut self, pins: Pins) -> Script {
        if self.last.is_ok() {
            self.last = self.chip.clock(&pins);
        }
        self
    }

    fn wait(self, clocks: u32) -> Script {
        (0..clocks).fold(self, |script, _| script.pins(Pins::default()))
    }

    fn command(self, command: u32, ba: u32, a: u32) -> Script {
        self.pins(Pins { command, ba, a, ..Pins::default() })
    }

    /// Initialised, with bursts of 4.
    fn started() -> Script {
        let script = Script::new().wait(20_000).command(command::PRECHARGE, 0, 1 << 10).wait(2);
        let script = script.command(command::REFRESH, 0, 0).wait(7);
        let script = script.command(command::REFRESH, 0, 0).wait(7);
        script.command(command::MODE, 0, SdramChip::ULX3S.mode(4)).wait(2)
    }

    /// With a row of bank 1 open.
    fn opened() -> Script {
        Script::started().command(command::ACTIVATE, 1, 7).wait(2)
    }

    /// A burst of four words.
    fn write(self, words: [u32; 4]) -> Script {
        let first = Pins { command: command::WRITE, ba: 1, a: 8, ..Pins::default() };
        words.into_iter().enumerate().fold(self, |script, (n, word)| {
            let pins = if n == 0 { first } else { Pins::default() };
            script.pins(Pins { dq: Some(word), ..pins })
        })
    }
}

#[test]
fn each_rule_of_the_chip() {
    use command::*;
    let act = |script: Script| script.command(ACTIVATE, 1, 7);
    let cases: Vec<(Rule, Script)> = vec![
        (Rule::PowerUp, Script::new().wait(100).command(PRECHARGE, 0, 1 << 10)),
        (Rule::Initialisation, act(Script::new().wait(20_000))),
        (Rule::Initialisation, Script::new().wait(20_000).command(REFRESH, 0, 0)),
        (
            Rule::Initialisation,
            Script::new()
                .wait(20_000)
                .command(PRECHARGE, 0, 1 << 10)
                .wait(9)
                .command(MODE, 0, 0x22),
        ),
        (Rule::Mode, Script::started().command(MODE, 0, 0x32)),
        (Rule::ClockEnable, Script::started().pins(Pins { cke: false, ..Pins::default() })),
        (Rule::Unknown, Script::opened().command(STOP, 0, 0)),
        (Rule::Unknown, Script::opened().command(READ, 1, 1 << 10)),
        (Rule::ClosedBank, Script::opened().command(READ, 2, 0)),
        (Rule::OpenBank, act(Script::opened().wait(9))),
        (Rule::BanksClosed, Script::opened().wait(9).command(REFRESH, 0, 0)),
        (Rule::Column, Script::opened().command(READ, 1, 512)),
        (Rule::Row, Script::started().command(ACTIVATE, 0, 8192)),
        (Rule::Burst, Script::opened().command(READ, 1, 0).wait(2).command(READ, 1, 4)),
        (Rule::Burst, Script::opened().wait(9).command(READ, 1, 0).command(PRECHARGE, 1, 0)),
        (Rule::Rcd, act(Script::started()).command(READ, 1, 0)),
        (Rule::Rp, act(Script::opened().wait(9).command(PRECHARGE, 1, 0))),
        (Rule::Ras, Script::opened().command(PRECHARGE, 1, 0)),
        (Rule::Rc, act(Script::opened().wait(2).command(PRECHARGE, 1, 0).wait(1))),
        (Rule::Rrd, act(Script::started().command(ACTIVATE, 0, 7))),
        (Rule::Rfc, act(Script::started().command(REFRESH, 0, 0).wait(5))),
        (Rule::Wr, Script::opened().write([1, 2, 3, 4]).command(PRECHARGE, 1, 0)),
        (
            Rule::Mrd,
            Script::started().command(MODE, 0, SdramChip::ULX3S.mode(2)).command(ACTIVATE, 0, 0),
        ),
        (Rule::Refresh, Script::started().wait(8 * 782)),
        (
            Rule::Contention,
            Script::opened()
                .command(READ, 1, 0)
                .pins(Pins::default())
                .pins(Pins { dq: Some(0), ..Pins::default() }),
        ),
        (Rule::Contention, Script::opened().command(READ, 1, 0).wait(4).write([0; 4])),
        (Rule::NoData, Script::opened().command(WRITE, 1, 0)),
    ];
    let mut messages = String::new();
    for (rule, script) in &cases {
        let broken = script.last.clone().expect_err(&format!("{rule:?} is not broken"));
        assert_eq!(broken.rule, *rule, "{broken}");
        messages += &format!("{broken}\n");
    }
    let missing: Vec<&Rule> =
        Rule::ALL.iter().filter(|rule| !cases.iter().any(|(r, _)| r == *rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    insta::assert_snapshot!(messages);
}

/// What is just within the rules, and where the words go.
#[test]
fn the_chip_keeps_words() {
    let mut script = Script::opened().write([0x1111, 0x2222, 0x3333, 0x4444]);
    script = script.pins(Pins { command: command::READ, ba: 1, a: 10, ..Pins::default() });
    let mut seen = vec![];
    for _ in 0..6 {
        seen.push(script.chip.dq());
        script = script.wait(1);
    }
    // Behind the command's own clock, and around the end of its block.
    let words = [0x3333, 0x4444, 0x1111, 0x2222].map(Some);
    assert_eq!(seen, [&words[..], &[None, None]].concat());
    // The mask keeps a byte.
    let masked =
        Pins { command: command::WRITE, ba: 1, a: 8, dqm: 2, dq: Some(0xabcd), ..Pins::default() };
    script = script.pins(masked);
    script = (0..3).fold(script, |s, _| s.pins(Pins { dq: Some(0), dqm: 3, ..Pins::default() }));
    // Two clocks and 15 ns behind the last word, it may be closed.
    script =
        script.wait(1).command(command::PRECHARGE, 1, 0).wait(2).command(command::ACTIVATE, 1, 8);
    assert_eq!(script.last, Ok(()));
    let chip = SdramChip::ULX3S;
    let address = (7 * 4 + 1) * 1024 + 8 * 2;
    assert_eq!(chip.address(chip.cell(address)), address);
    let mut bytes = [0; 8];
    assert!(script.chip.read(address, &mut bytes));
    assert_eq!(bytes, [0xcd, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44]);
    assert!(
        !script.chip.read(chip.bytes() - 1, &mut [0; 2]) && !script.chip.write(chip.bytes(), &[0])
    );
}
