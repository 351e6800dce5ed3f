//! A byte on the line.

use sterna_hdl::link::{UartRx, UartTx};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

use crate::common::seed;

pub const HERTZ: u32 = 24_000_000;
pub const BAUD: u32 = 3_000_000;
/// Clocks of a bit.
pub const BIT: usize = (HERTZ / BAUD) as usize;

/// Start bit, byte and stop bit, a level for each clock.
pub fn levels(byte: u8, stop: bool) -> Vec<bool> {
    let bits = u32::from(stop) << 9 | u32::from(byte) << 1;
    (0..10 * BIT).map(|clock| bits >> (clock / BIT) & 1 == 1).collect()
}

/// Each bit is on the line for its time, whatever is offered meanwhile; then the next byte is taken.
#[test]
fn a_byte_leaves_bit_by_bit() {
    let mut sim = mutate::bench(&UartTx { hertz: HERTZ, baud: BAUD }.build().unwrap());
    let rng = &mut Rng::new(seed());
    sim.reset();
    for turn in 0..60 {
        let offer = |sim: &mut Interpreter, valid: bool, byte: u8| {
            sim.poke("s_valid", valid);
            sim.poke("s_data", byte);
            (sim.u64("tx"), sim.u64("s_ready"))
        };
        for _ in 0..[0, 1, 30][turn % 3] {
            assert_eq!(offer(&mut sim, false, rng.next_u64() as u8), (1, 1));
            sim.step();
        }
        let byte = rng.next_u64() as u8;
        assert_eq!(offer(&mut sim, true, byte), (1, 1));
        sim.step();
        let whole = levels(byte, true);
        // Now and then a reset comes: the line is high at once, and the next byte is as any.
        let end = if turn % 7 == 6 { rng.below(80) as usize } else { whole.len() };
        for &level in &whole[..end] {
            let seen = offer(&mut sim, rng.one_in(2), rng.next_u64() as u8);
            assert_eq!(seen, (u64::from(level), 0), "{byte:#x}");
            sim.step();
        }
        if end < whole.len() {
            sim.poke("s_valid", 0);
            sim.reset();
        }
    }
}

/// A line's levels, clock by clock, and what is to be heard: in which clock, with a stop bit or not.
#[derive(Default)]
struct Line {
    levels: Vec<bool>,
    heard: Vec<(usize, bool, u8)>,
}

/// Clocks from the first of a start bit to the one in which its byte is there: the middle of the
/// stop bit, and what the line goes through.
const LATENCY: usize = 9 * BIT + BIT / 2 + 5;

impl Line {
    fn stays(&mut self, level: bool, clocks: usize) {
        self.levels.extend(vec![level; clocks]);
    }

    /// A byte, with a spike in the middle of some bits.
    fn byte(&mut self, rng: &mut Rng, byte: u8, stop: bool) {
        self.heard.push((self.levels.len() + LATENCY, stop, byte));
        let mut levels = levels(byte, stop);
        for bit in levels.chunks_mut(BIT) {
            let at = BIT / 2 - 1 + rng.below(3) as usize;
            bit[at] ^= rng.one_in(2);
        }
        self.levels.extend(levels);
    }

    /// Hears it, from a reset on.
    fn is_heard(&self, sim: &mut Interpreter) {
        sim.poke("rx", 1);
        sim.reset();
        let mut heard = self.heard.iter().peekable();
        for (clock, &level) in self.levels.iter().enumerate() {
            sim.poke("rx", level);
            let due = heard.next_if(|of| of.0 == clock);
            let said = (sim.u64("valid") == 1, sim.u64("bad") == 1);
            assert_eq!(said, due.map_or((false, false), |of| (of.1, !of.1)), "clock {clock}");
            if let Some((_, _, byte)) = due {
                assert_eq!(sim.u64("data"), u64::from(*byte));
            }
            sim.step();
        }
        assert_eq!(heard.next(), None);
    }
}

/// Bytes with and without pauses, from the first clock on, with spikes that are outvoted.
#[test]
fn bytes_are_heard_when_they_come() {
    let mut sim = mutate::bench(&UartRx { hertz: HERTZ, baud: BAUD }.build().unwrap());
    let rng = &mut Rng::new(seed());
    for _ in 0..4 {
        let mut line = Line::default();
        for turn in 0..30 {
            let byte = rng.next_u64() as u8;
            line.byte(rng, byte, true);
            line.stays(true, [0, 1, 3, 40][turn % 4]);
        }
        line.stays(true, 2 * BIT);
        line.is_heard(&mut sim);
    }
}

/// The stop bit counts in its middle: who is early begins the next byte behind it, and a line that
/// falls just before it has broken.
#[test]
fn stop_bits_may_be_short() {
    let mut sim = mutate::bench(&UartRx { hertz: HERTZ, baud: BAUD }.build().unwrap());
    let rng = &mut Rng::new(seed());
    let mut line = Line::default();
    for clocks in BIT / 2..BIT {
        line.byte(rng, 0x3c, clocks > BIT / 2);
        line.levels.truncate(line.levels.len() - BIT);
        line.stays(true, clocks);
        if clocks == BIT / 2 {
            line.stays(false, 12 * BIT);
            line.stays(true, BIT);
        }
    }
    line.byte(rng, 0xc3, true);
    line.stays(true, 2 * BIT);
    line.is_heard(&mut sim);
}

/// A start bit that is over by its middle is none; behind a stop bit that is low, nothing is heard
/// before the line was high, for longer than a spike. A reset ends what has begun.
#[test]
fn glitches_and_breaks() {
    let mut sim = mutate::bench(&UartRx { hertz: HERTZ, baud: BAUD }.build().unwrap());
    let rng = &mut Rng::new(seed());
    for round in 0..8 {
        let mut line = Line::default();
        for turn in 0..16 {
            match (round + turn) % 4 {
                0 => {
                    line.stays(true, BIT);
                    line.stays(false, 1 + turn % (BIT / 2));
                    line.stays(true, BIT);
                }
                1 => {
                    line.byte(rng, [0, 0x5a, 255][turn % 3], false);
                    line.stays(true, [3, 12 * BIT][turn % 2]);
                }
                2 => {
                    line.byte(rng, [255, 0, 0xa5][turn % 3], false);
                    line.stays(false, turn * BIT);
                    line.stays(true, 1);
                    line.stays(false, 12 * BIT);
                    line.stays(true, 3);
                }
                _ => {}
            }
            line.byte(rng, 0x35 << (turn % 3), true);
        }
        line.stays(true, 2 * BIT);
        line.is_heard(&mut sim);
        // Part of a byte, or of a break.
        for &level in &levels([0, 0xff][round % 2], false)[..BIT + 9 * round] {
            sim.poke("rx", level);
            sim.step();
        }
    }
}
