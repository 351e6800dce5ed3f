//! The probe ports of the core as events.

use sterna_firmware::geometry::Geometry;

use super::checker::Event;
use crate::error::SimError;
use crate::port::{Output, Words};
use crate::simulator::Simulator;
use crate::timing::Seen;

/// Handles of every probe port, and room for what they say.
pub(super) struct Probe {
    codes_valid: Output<bool>,
    codes: Output<Words>,
    code_words: Vec<u32>,
    code_values: Vec<i8>,
    scale_valid: Output<bool>,
    factor: [Output<u64>; 3],
    exp: Output<i64>,
    out_valid: Output<bool>,
    out: Output<Words>,
    out_words: Vec<u32>,
    out_values: Vec<i32>,
    head_valid: Output<bool>,
    head: Output<i64>,
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

impl Probe {
    pub fn find(sim: &Simulator, geometry: &Geometry) -> Result<Probe, SimError> {
        let bit = |name: &str| sim.output(&format!("probe_{name}"));
        let number = |name: &str| sim.output(&format!("probe_{name}"));
        let signed = |name: &str| sim.output(&format!("probe_{name}"));
        let wide = |name: &str| sim.output(&format!("probe_{name}"));
        let (codes, ways) = (geometry.quantisers as usize, geometry.ways as usize);
        Ok(Probe {
            codes_valid: bit("codes_valid")?,
            codes: wide("codes")?,
            code_words: vec![0; codes.div_ceil(4)],
            code_values: vec![0; codes],
            scale_valid: bit("scale_valid")?,
            factor: [number("factor")?, number("shift")?, number("mant")?],
            exp: signed("exp")?,
            out_valid: bit("out_valid")?,
            out: wide("out")?,
            out_words: vec![0; ways],
            out_values: vec![0; ways],
            head_valid: bit("head_valid")?,
            head: signed("head")?,
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

    /// Hands on every event of this clock; says whether a pass ended in it.
    pub fn clock(
        &mut self,
        sim: &mut Simulator,
        mut emit: impl FnMut(Event<'_>, u64),
    ) -> Result<bool, SimError> {
        let clock = sim.clocks();
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
            emit(Event::Codes(&self.code_values), clock);
        }
        if sim.get(self.scale_valid)? {
            self.seen.handed.push(clock);
            let mut scale = [0; 4];
            for (to, port) in scale.iter_mut().zip(self.factor) {
                *to = sim.get(port)? as i64;
            }
            scale[3] = sim.get(self.exp)?;
            emit(Event::Scale(scale), clock);
        }
        if sim.get(self.out_valid)? {
            sim.get_words(self.out, &mut self.out_words)?;
            for (value, &word) in self.out_values.iter_mut().zip(&self.out_words) {
                *value = word as i32;
            }
            emit(Event::Output(&self.out_values), clock);
        }
        if sim.get(self.head_valid)? {
            let value = sim.get(self.head)? as i32;
            emit(Event::Head(value), clock);
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
            emit(Event::Statistics(all), clock);
        }
        Ok(done)
    }
}
