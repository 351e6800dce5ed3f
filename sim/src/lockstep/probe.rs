//! The probe ports of the core as events.

use sterna_firmware::geometry::Geometry;

use super::checker::Event;
use crate::error::SimError;
use crate::port::{Output, Words};
use crate::simulator::Simulator;
use crate::timing::Seen;

/// Handles of every probe port, and room for what they say.
pub(super) struct Probe {
    slots: usize,
    /// Whose codes, output and statistics are shown, in a core of several slots.
    turns: Option<[Output<u64>; 3]>,
    codes_valid: Output<bool>,
    codes: Output<Words>,
    code_words: Vec<u32>,
    code_values: Vec<i8>,
    scale_valid: Output<bool>,
    /// Factor, shift, mantissa, exponent: a lane for each slot.
    scale: [Lanes; 4],
    out_valid: Output<bool>,
    out: Output<Words>,
    out_words: Vec<u32>,
    out_values: Vec<i32>,
    head_valid: Output<bool>,
    head: Lanes,
    stats_valid: Output<bool>,
    sums: [(Output<u64>, Output<i64>); 2],
    maxima: [Output<u64>; 3],
    pass_done: Output<bool>,
    begins: Output<bool>,
    beat: Output<bool>,
    ended: Output<bool>,
    /// When what happened.
    pub seen: Seen,
}

/// A port with a lane for each slot.
struct Lanes {
    port: Output<Words>,
    width: u32,
    signed: bool,
    words: Vec<u32>,
}

impl Lanes {
    fn new(port: Output<Words>, width: u32, signed: bool, slots: usize) -> Lanes {
        Lanes { port, width, signed, words: vec![0; (width as usize * slots).div_ceil(32)] }
    }

    /// Takes what the port says.
    fn sample(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        sim.get_words(self.port, &mut self.words)
    }

    /// What it said of a slot.
    fn of(&self, slot: usize) -> i64 {
        let from = slot * self.width as usize;
        let word = |n: usize| u64::from(self.words.get(n).copied().unwrap_or(0));
        let value = (word(from / 32) | word(from / 32 + 1) << 32) >> (from % 32);
        let above = 64 - self.width;
        let high = value << above;
        if self.signed { high as i64 >> above } else { (high >> above) as i64 }
    }
}

impl Probe {
    pub fn find(sim: &Simulator, geometry: &Geometry) -> Result<Probe, SimError> {
        let bit = |name: &str| sim.output(&format!("probe_{name}"));
        let number = |name: &str| sim.output(&format!("probe_{name}"));
        let signed = |name: &str| sim.output(&format!("probe_{name}"));
        let wide = |name: &str| sim.output(&format!("probe_{name}"));
        let (codes, ways) = (geometry.quantisers as usize, geometry.ways as usize);
        let slots = geometry.slots as usize;
        let lanes = |name: &str, width, signed| {
            Ok::<_, SimError>(Lanes::new(wide(name)?, width, signed, slots))
        };
        let turns = match slots {
            1 => None,
            _ => Some([number("codes_slot")?, number("out_slot")?, number("stats_slot")?]),
        };
        Ok(Probe {
            slots,
            turns,
            codes_valid: bit("codes_valid")?,
            codes: wide("codes")?,
            code_words: vec![0; codes.div_ceil(4)],
            code_values: vec![0; codes],
            scale_valid: bit("scale_valid")?,
            scale: [
                lanes("factor", 17, false)?,
                lanes("shift", 6, false)?,
                lanes("mant", 24, false)?,
                lanes("exp", 12, true)?,
            ],
            out_valid: bit("out_valid")?,
            out: wide("out")?,
            out_words: vec![0; ways],
            out_values: vec![0; ways],
            head_valid: bit("head_valid")?,
            head: lanes("head", 22, true)?,
            stats_valid: bit("stats_valid")?,
            sums: [(number("a_mant")?, signed("a_exp")?), (number("b_mant")?, signed("b_exp")?)],
            maxima: [number("max_0")?, number("max_1")?, number("max_2")?],
            pass_done: bit("pass_done")?,
            begins: bit("begins")?,
            beat: bit("beat")?,
            ended: bit("ended")?,
            seen: Seen::default(),
        })
    }

    /// Hands on every event of this clock, in a pass of so many slots, with its slot; says whether a
    /// pass ended in it.
    pub fn clock(
        &mut self,
        sim: &mut Simulator,
        slots: usize,
        mut emit: impl FnMut(usize, Event<'_>, u64),
    ) -> Result<bool, SimError> {
        let slots = slots.min(self.slots);
        let turns = self.turns;
        let clock = sim.clocks();
        let turn = |sim: &mut Simulator, which: usize| -> Result<usize, SimError> {
            turns.map_or(Ok(0), |turns| Ok(sim.get(turns[which])? as usize))
        };
        let mut happens = |port, clocks: &mut Vec<u64>| -> Result<bool, SimError> {
            let here = sim.get(port)?;
            if here {
                clocks.push(clock);
            }
            Ok(here)
        };
        happens(self.begins, &mut self.seen.begins)?;
        happens(self.beat, &mut self.seen.beats)?;
        happens(self.ended, &mut self.seen.ended)?;
        let done = happens(self.pass_done, &mut self.seen.done)?;
        if happens(self.codes_valid, &mut self.seen.codes)? {
            sim.get_words(self.codes, &mut self.code_words)?;
            let bytes = self.code_words.iter().flat_map(|word| word.to_le_bytes());
            for (value, byte) in self.code_values.iter_mut().zip(bytes) {
                *value = byte as i8;
            }
            emit(turn(sim, 0)?, Event::Codes(&self.code_values), clock);
        }
        if sim.get(self.scale_valid)? {
            self.seen.handed.push(clock);
            for lanes in &mut self.scale {
                lanes.sample(sim)?;
            }
            for slot in 0..slots {
                let scale = std::array::from_fn(|n| self.scale[n].of(slot));
                emit(slot, Event::Scale(scale), clock);
            }
        }
        if sim.get(self.out_valid)? {
            sim.get_words(self.out, &mut self.out_words)?;
            for (value, &word) in self.out_values.iter_mut().zip(&self.out_words) {
                *value = word as i32;
            }
            emit(turn(sim, 1)?, Event::Output(&self.out_values), clock);
        }
        if sim.get(self.head_valid)? {
            self.head.sample(sim)?;
            for slot in 0..slots {
                emit(slot, Event::Head(self.head.of(slot) as i32), clock);
            }
        }
        if sim.get(self.stats_valid)? {
            let mut all = [0; 7];
            for (n, (mant, exp)) in self.sums.into_iter().enumerate() {
                all[2 * n] = sim.get(mant)? as i64;
                all[2 * n + 1] = sim.get(exp)?;
            }
            for (to, port) in all[4..].iter_mut().zip(self.maxima) {
                *to = sim.get(port)? as i64;
            }
            emit(turn(sim, 2)?, Event::Statistics(all), clock);
        }
        Ok(done)
    }
}
