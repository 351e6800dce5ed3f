//! Which command stands at the pins in which clock: each as soon as the times of the data sheet let
//! it, and no other.

use sterna_hdl::sdram::{BANKS, Cell, SdramChip, command};
use sterna_rtl::random::Rng;
use sterna_sim::sdram::Pins;

use super::common::around::controller;
use super::common::axi::Burst;
use super::{Bench, MHZ};

const CHIP: SdramChip = SdramChip::ULX3S;
/// 16.67 ns a clock.
const HERTZ: u32 = 60 * MHZ;

// What the chip needs, in clocks.
/// 20 ns.
const RCD: u64 = 2;
/// 20 ns; this and `RAS` are the 66 ns of `rc` or more.
const RP: u64 = 2;
/// 45 ns, and as much of `rc` as `rp` leaves.
const RAS: u64 = 3;
/// 70 ns.
const RFC: u64 = 5;
/// Last word written to precharge: 15 ns, but two clocks at least.
const WR: u64 = 2;
/// Words of a command.
const BURST: u64 = 4;
const CAS: u64 = 2;
/// 64 ms for 8192 of them.
const REFRESH: u64 = 468;
/// 200 µs.
const POWER_UP: u64 = 12_000;

/// From the clock in which an address is offered to that of the first command at the pins, if that is
/// one of rows: two for the run, one for the pins.
const ROW: u64 = 3;
/// If it is one of columns, the run is taken over first.
const COLUMN: u64 = 4;
/// A write waits for its first beat, which is offered a clock later and goes through a register.
const WRITE: u64 = 2;

/// A command at the pins: clock, command, bank, address. Where all banks are meant, the bank is 0.
type Seen = (u64, u32, u32, u32);

fn act(at: u64, bank: u32, row: u32) -> Seen {
    (at, command::ACTIVATE, bank, row)
}

fn close(at: u64, bank: u32) -> Seen {
    (at, command::PRECHARGE, bank, 0)
}

fn close_all(at: u64) -> Seen {
    (at, command::PRECHARGE, 0, 1 << 10)
}

fn refresh(at: u64) -> Seen {
    (at, command::REFRESH, 0, 0)
}

/// So many beats that follow each other, and the first's number in its row.
fn beats(write: bool, at: u64, bank: u32, beat: u64, count: u64) -> Vec<Seen> {
    let what = if write { command::WRITE } else { command::READ };
    (0..count).map(|n| (at + BURST * n, what, bank, (BURST * (beat + n)) as u32)).collect()
}

/// A burst that is asked for in this clock, the first is 0.
#[derive(Clone, Copy)]
struct Access {
    at: u64,
    write: bool,
    addr: u64,
    beats: u64,
}

fn access(write: bool, at: u64, bank: u32, row: u32, beat: u64, beats: u64) -> Access {
    let addr = CHIP.address(Cell { bank, row, column: (BURST * beat) as u32 });
    Access { at, write, addr, beats }
}

/// Two rows that have no bit in common, others in each bank.
fn rows(bank: u32) -> [u32; 2] {
    let row = [0x1555, 0x0666, 0x1878, 0x0f80][bank as usize];
    [row, row ^ 0x1fff]
}

/// A bench that keeps what the pins show.
struct Traced {
    bench: Bench,
    pins: Vec<Pins>,
}

impl Traced {
    fn new() -> Traced {
        Traced { bench: Bench::new(&controller(CHIP, HERTZ), &CHIP, Rng::new(3)), pins: vec![] }
    }

    /// Started, and all banks closed.
    fn started() -> Traced {
        let mut traced = Traced::new();
        traced.bench.start().unwrap();
        traced.calm();
        traced.pins.clear();
        traced
    }

    fn clock(&mut self) {
        let Bench { sim, chip, port, bus, rng } = &mut self.bench;
        bus.clock(sim, rng).unwrap();
        self.pins.push(port.pins(sim).unwrap());
        port.clock(sim, chip).unwrap_or_else(|e| panic!("{e}"));
        sim.step().unwrap();
    }

    fn clocks(&mut self, count: u64) {
        (0..count).for_each(|_| self.clock());
    }

    /// Clocks to the next in which a refresh, or what it needs, is at the pins.
    fn to_refresh(&self) -> u64 {
        REFRESH - (self.bench.chip.clocks() - 1) % REFRESH
    }

    /// Until a while after a refresh, which has closed all banks.
    fn calm(&mut self) {
        self.clocks(self.to_refresh() + 20);
    }

    /// What the pins show from now on, until a while after everything that is asked for is done.
    fn commands(&mut self, accesses: &[Access]) -> Vec<Seen> {
        let from = self.pins.len();
        let mut left = accesses;
        while !left.is_empty() || !self.bench.bus.is_idle() {
            while let Some((first, rest)) = left.split_first()
                && first.at <= (self.pins.len() - from) as u64
            {
                let one = Burst { addr: first.addr, beats: first.beats, id: 0 };
                if first.write {
                    let data = (0..one.beats).map(|_| (self.bench.rng.next_u64(), 255)).collect();
                    self.bench.bus.to_write.push_back((one, data));
                } else {
                    self.bench.bus.to_read.push_back(one);
                }
                left = rest;
            }
            self.clock();
        }
        self.clocks(10);
        self.seen(from)
    }

    /// Commands since a clock.
    fn seen(&self, from: usize) -> Vec<Seen> {
        let commands = (0..).zip(&self.pins[from..]);
        let seen = |(at, pins): (u64, &Pins)| {
            let all = pins.command == command::REFRESH
                || (pins.command == command::PRECHARGE && pins.a != 0);
            let bank = if all { 0 } else { pins.ba };
            (pins.command != command::NOTHING).then_some((at, pins.command, bank, pins.a))
        };
        commands.filter_map(seen).collect()
    }
}

/// Words are driven with a write and at no other time; the masks are high until the chip is
/// initialised, and low behind that for whole beats.
fn check_data(pins: &[Pins], quiet: usize) {
    for (at, now) in pins.iter().enumerate() {
        let last = &pins[(at + 1).saturating_sub(BURST as usize)..=at];
        let writes = last.iter().any(|pins| pins.command == command::WRITE);
        assert_eq!(now.dq.is_some(), writes, "clock {at}: {now:?}");
        assert_eq!(now.dqm, if at < quiet { 3 } else { 0 }, "clock {at}: {now:?}");
        assert!(now.cke);
    }
}

/// From reset to the first read, which has waited: close all, eight refreshes, the mode.
#[test]
fn start_up() {
    let mut traced = Traced::new();
    let seen = traced.commands(&[access(false, 0, 1, rows(1)[0], 7, 1)]);
    // A clock behind the last of the power-up's; then as much time for each as a refresh needs.
    let first = POWER_UP + 1;
    let mut wanted = vec![close_all(first)];
    wanted.extend((1..=8).map(|n| refresh(first + RFC * n)));
    wanted.push((first + RFC * 9, command::MODE, 0, CHIP.mode(4)));
    let running = first + RFC * 10;
    wanted.push(act(running + 1, 1, rows(1)[0]));
    wanted.extend(beats(false, running + 1 + RCD, 1, 7, 1));
    assert_eq!(seen, wanted);
    // Then a refresh after every 468 clocks from reset, and no other command.
    let from = traced.pins.len();
    traced.clocks(4 * REFRESH);
    let next = from as u64 / REFRESH * REFRESH + REFRESH;
    let mut wanted = vec![close_all(next + 1)];
    wanted.extend((0..4).map(|n| refresh(next + 1 + REFRESH * n + if n == 0 { RP } else { 0 })));
    let seen = traced.seen(0);
    let behind = seen.into_iter().filter(|seen| seen.0 >= from as u64).collect::<Vec<_>>();
    assert_eq!(behind, wanted);
    check_data(&traced.pins, running as usize);
}

/// One bank: its row is opened, used again, closed for another one behind a read and behind a write.
#[test]
fn commands_of_a_bank() {
    let mut traced = Traced::started();
    for bank in 0..BANKS {
        let [one, other] = rows(bank);
        for write in [false, true] {
            traced.calm();
            let late = if write { WRITE } else { 0 };
            let kept = BURST + if write { WR - 1 } else { 0 };
            let at = |at, row, beat, count| access(write, at, bank, row, beat, count);
            // Without a row, then in it, then in another one.
            let seen = traced.commands(&[at(0, one, 3, 2), at(0, one, 90, 1), at(0, other, 37, 1)]);
            let first = ROW + late + RCD;
            let last = first + 2 * BURST;
            let wanted = [
                vec![act(ROW + late, bank, one)],
                beats(write, first, bank, 3, 2),
                beats(write, last, bank, 90, 1),
                vec![close(last + kept, bank), act(last + kept + RP, bank, other)],
                beats(write, last + kept + RP + RCD, bank, 37, 1),
            ];
            assert_eq!(seen, wanted.concat(), "bank {bank}");
            // A while later nothing keeps the row open.
            let seen = traced.commands(&[at(0, other, 127, 1)]);
            assert_eq!(seen, beats(write, COLUMN + late, bank, 127, 1), "bank {bank}");
            let seen = traced.commands(&[at(0, one, 64, 1)]);
            let first = ROW + late + RP;
            let wanted = [
                vec![close(ROW + late, bank), act(first, bank, one)],
                beats(write, first + RCD, bank, 64, 1),
            ];
            assert_eq!(seen, wanted.concat(), "bank {bank}");
            // The end of a row: the next bank's is opened while the burst is under way.
            if bank + 1 < BANKS {
                let seen = traced.commands(&[at(0, one, 112, 32)]);
                let first = COLUMN + late;
                let wanted = [
                    beats(write, first, bank, 112, 1),
                    vec![act(first + 1, bank + 1, one)],
                    beats(write, first + BURST, bank, 113, 15),
                    beats(write, first + 16 * BURST, bank + 1, 0, 16),
                ];
                assert_eq!(seen, wanted.concat(), "bank {bank}");
            }
        }
    }
    check_data(&traced.pins, 0);
}

/// While a burst of one bank is under way, the row of the next one is opened, in another bank.
#[test]
fn rows_are_opened_ahead() {
    let mut traced = Traced::started();
    let pairs = (0..BANKS).flat_map(|bank| (0..BANKS).map(move |next| (bank, next)));
    for (bank, next) in pairs.filter(|(bank, next)| bank != next) {
        traced.calm();
        let (row, [one, other]) = (rows(bank)[0], rows(next));
        let long = access(false, 0, bank, row, 20, 8);
        // The bank has no row, it has the right one, another one.
        let seen = traced.commands(&[long, access(false, 0, next, one, 5, 1)]);
        let first = ROW + RCD;
        let wanted = [
            vec![act(ROW, bank, row)],
            beats(false, first, bank, 20, 1),
            vec![act(first + 1, next, one)],
            beats(false, first + BURST, bank, 21, 7),
            beats(false, first + 8 * BURST, next, 5, 1),
        ];
        assert_eq!(seen, wanted.concat(), "banks {bank}, {next}");
        let seen = traced.commands(&[long, access(false, 0, next, one, 6, 1)]);
        let wanted =
            [beats(false, COLUMN, bank, 20, 8), beats(false, COLUMN + 8 * BURST, next, 6, 1)];
        assert_eq!(seen, wanted.concat(), "banks {bank}, {next}");
        let seen = traced.commands(&[long, access(false, 0, next, other, 7, 1)]);
        let wanted = [
            beats(false, COLUMN, bank, 20, 1),
            vec![close(COLUMN + 1, next), act(COLUMN + 1 + RP, next, other)],
            beats(false, COLUMN + BURST, bank, 21, 7),
            beats(false, COLUMN + 8 * BURST, next, 7, 1),
        ];
        assert_eq!(seen, wanted.concat(), "banks {bank}, {next}");
        // The run before it has waited, too: it is next a clock behind the last beat of the first.
        let short = access(false, 0, bank, row, 40, 1);
        let seen = traced.commands(&[long, short, access(false, 0, next, one, 8, 1)]);
        let last = COLUMN + 7 * BURST;
        let wanted = [
            beats(false, COLUMN, bank, 20, 8),
            vec![close(last + 1, next), act(last + 1 + RP, next, one)],
            beats(false, last + BURST, bank, 40, 1),
            beats(false, last + 2 * BURST, next, 8, 1),
        ];
        assert_eq!(seen, wanted.concat(), "banks {bank}, {next}");
    }
}

/// The same where the next bank was used right before, so that it may not be closed yet.
#[test]
fn rows_are_kept_as_long_as_they_are_used() {
    let mut traced = Traced::started();
    let pairs = (0..BANKS).flat_map(|bank| (0..BANKS).map(move |next| (bank, next)));
    for (bank, next) in pairs.filter(|(bank, next)| bank != next) {
        for write in [false, true] {
            traced.calm();
            let (row, [one, other]) = (rows(bank)[1], rows(next));
            let accesses = [
                access(write, 0, next, one, 1, 1),
                access(false, if write { 3 } else { 0 }, bank, row, 2, 8),
                access(false, if write { 3 } else { 0 }, next, other, 3, 1),
            ];
            let seen = traced.commands(&accesses);
            let opened = ROW + if write { WRITE } else { 0 };
            let used = opened + RCD;
            // A clock behind the first column of the other bank, or of the written words' time.
            let closed = used + BURST + 1;
            let wanted = [
                vec![act(opened, next, one)],
                beats(write, used, next, 1, 1),
                vec![act(used + 1, bank, row)],
                beats(false, used + BURST, bank, 2, 1),
                vec![close(closed, next), act(closed + RP, next, other)],
                beats(false, used + 2 * BURST, bank, 3, 7),
                beats(false, used + 9 * BURST, next, 3, 1),
            ];
            assert_eq!(seen, wanted.concat(), "banks {bank}, {next}");
        }
    }
}

/// The words of a read and a clock more lie between it and a write; none between a write and a read.
#[test]
fn the_bus_turns() {
    let mut traced = Traced::started();
    let at = |write, at, beat| access(write, at, 2, rows(2)[0], beat, 1);
    traced.commands(&[at(false, 0, 0)]);
    let seen = traced.commands(&[at(false, 0, 1), at(true, 0, 2)]);
    let wanted =
        [beats(false, COLUMN, 2, 1, 1), beats(true, COLUMN + CAS + BURST, 2, 2, 1)].concat();
    assert_eq!(seen, wanted);
    let seen = traced.commands(&[at(true, 0, 3), at(false, 3, 4)]);
    let first = COLUMN + WRITE;
    assert_eq!(seen, [beats(true, first, 2, 3, 1), beats(false, first + BURST, 2, 4, 1)].concat());
    check_data(&traced.pins, 0);
}

/// What is outside takes its time, and no bank is touched by it.
#[test]
fn no_command_for_what_is_outside() {
    let mut traced = Traced::started();
    for bank in 0..BANKS {
        for write in [false, true] {
            traced.calm();
            let [one, other] = rows(bank);
            let late = if write { WRITE } else { 0 };
            let mut outside = access(write, 0, bank, other, 9, 1);
            outside.addr += CHIP.bytes();
            assert_eq!(traced.commands(&[outside]), [], "bank {bank}");
            traced.commands(&[access(false, 0, bank, one, 0, 1)]);
            assert_eq!(traced.commands(&[outside]), [], "bank {bank}");
            let inside = access(false, if write { 3 } else { 0 }, bank, other, 10, 1);
            let seen = traced.commands(&[outside, inside]);
            // Its run is there two clocks later than if it had been alone.
            let closed = ROW + 2 + late;
            let wanted = [
                vec![close(closed, bank), act(closed + RP, bank, other)],
                beats(false, closed + RP + RCD, bank, 10, 1),
            ];
            assert_eq!(seen, wanted.concat(), "bank {bank}");
        }
    }
    check_data(&traced.pins, 0);
}

/// What comes of an access whose first command is due in the clock `at`, in a bank that has no row, or
/// another one, where a refresh is due as well.
fn around_refresh(write: bool, bank: u32, row: u32, at: u64, other: bool, due: u64) -> Vec<Seen> {
    let kept = BURST + if write { WR - 1 } else { 0 };
    let (mut seen, mut open, mut now) = (vec![], other, at);
    // Until when the banks may not be closed, or refreshed.
    let (mut keep, mut wait) = (0, 0);
    let mut refreshed = false;
    // Closes, opens, moves; the refresh comes before what is not done when it is due.
    for step in if other { 0 } else { 1 }..3 {
        if now >= due && !refreshed {
            let mut when = due.max(if open { keep } else { wait });
            if open {
                seen.push(close_all(when));
                when += RP;
            }
            seen.push(refresh(when));
            (refreshed, open, now) = (true, false, now.max(when + RFC));
            // What was opened for it is to be opened again.
            if step == 2 {
                seen.push(act(now, bank, row));
                now += RCD;
            }
        }
        match step {
            0 if refreshed => {}
            0 => {
                seen.push(close(now, bank));
                (open, wait, now) = (false, now + RP, now + RP);
            }
            1 => {
                seen.push(act(now, bank, row));
                (open, keep, now) = (true, now + RAS, now + RCD);
            }
            _ => {
                seen.extend(beats(write, now, bank, 11, 1));
                keep = now + kept;
            }
        }
    }
    if !refreshed {
        let when = due.max(keep);
        seen.extend([close_all(when), refresh(when + RP)]);
    }
    seen
}

/// A refresh comes when it is due, between any two commands of an access; it waits until rows may be
/// closed, and the access goes on behind it.
#[test]
fn a_refresh_comes_in_between() {
    let mut traced = Traced::started();
    for bank in 0..BANKS {
        for (write, other) in [(false, false), (true, false), (false, true), (true, true)] {
            for before in 2..17 {
                let row = rows(bank)[0];
                traced.calm();
                if other {
                    traced.commands(&[access(false, 0, bank, rows(bank)[1], 0, 1)]);
                }
                traced.clocks(traced.to_refresh() - before);
                let from = traced.pins.len();
                traced.commands(&[access(write, 0, bank, row, 11, 1)]);
                traced.clocks(20);
                let at = ROW + if write { WRITE } else { 0 };
                let wanted = around_refresh(write, bank, row, at, other, before);
                assert_eq!(traced.seen(from), wanted, "bank {bank}, {before} clocks before");
            }
        }
    }
}
