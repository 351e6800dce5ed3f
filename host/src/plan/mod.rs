//! The budget of a pass, by the timing model: clocks, shares, and what they are worth.
//!
//! | module | one sentence |
//! |---|---|
//! | [`waits`] | where the clocks without a beat are, in an instruction |
//! | [`timeline`] | the picture of a token |

pub mod timeline;
pub mod waits;

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_firmware::trits::ROWS;
use sterna_sim::timing::{Ideal, Pass, Source, Timing};

use crate::error::Result;

/// The memory of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Clocks from an address to the first beat, at least 1.
    pub latency: u32,
    /// Clock of core and memory bus in MHz, if there is one.
    pub clock: Option<f64>,
    /// GB (10^9 bytes) a second, at most a beat a clock; `None` is a beat a clock. Counts only
    /// with a clock.
    pub bandwidth: Option<f64>,
}

/// The first pass of a run on a core, a token in every slot, with the best tokens and without the
/// other logits.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of the model: a file, or a shape's name.
    pub name: String,
    /// Of the model.
    pub shape: Shape,
    /// Of the core.
    pub geometry: Geometry,
    /// Behind the core.
    pub memory: Memory,
    /// Every clock.
    pub pass: Pass,
    timing: Timing,
}

impl Plan {
    /// Computes the pass.
    ///
    /// # Errors
    /// F016, F017 where the core has no room for the model, those of an illegal geometry.
    pub fn new(name: &str, shape: Shape, geometry: Geometry, memory: Memory) -> Result<Plan> {
        let timing = Timing::new(&geometry, &shape)?;
        let pass = timing.tokens(ideal(&geometry, memory), geometry.slots as usize);
        Ok(Plan { name: name.into(), shape, geometry, memory, pass, timing })
    }

    /// The clock in which each beat of the image is taken.
    pub fn beats(&self) -> Vec<u64> {
        let mut run = self.timing.run(Source::Ideal(ideal(&self.geometry, self.memory)), 0);
        run.trace = Some(vec![]);
        run.batch(&vec![Some(0); self.geometry.slots as usize], Want::Top);
        run.trace.unwrap_or_default()
    }

    /// Cycles alone are what RTL simulation gives; a clock or a bandwidth is only assumed.
    pub fn evidence(&self) -> &'static str {
        match self.memory.clock {
            None => "simulated-exact timing model",
            Some(_) => "projected",
        }
    }

    /// The memory in words.
    pub fn behind(&self) -> String {
        let rate = match self.memory.bandwidth {
            Some(bandwidth) => format!("{bandwidth} GB/s"),
            None => "a beat a clock".into(),
        };
        format!("{rate} after {} clocks", self.memory.latency)
    }

    /// Clocks as milliseconds, with a clock.
    pub fn milliseconds(&self, cycles: u64) -> Option<f64> {
        self.memory.clock.map(|clock| cycles as f64 / (clock * 1e3))
    }

    /// Tokens of a pass: of as many sequences, or of one prompt.
    pub fn tokens(&self) -> u32 {
        self.geometry.slots
    }

    /// With a clock; of all sequences together.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let pass = self.milliseconds(self.pass.counters.cycles);
        pass.map(|ms| 1e3 * f64::from(self.tokens()) / ms)
    }

    /// Clocks of a pass for each of its tokens.
    pub fn cycles_per_token(&self) -> f64 {
        self.pass.counters.cycles as f64 / f64::from(self.tokens())
    }

    /// Weights, a lane each and clock, of what the lanes could have done; each slot has its own.
    pub fn utilisation(&self) -> f64 {
        let lanes = (self.geometry.columns() * ROWS) as f64;
        self.shape.weights() as f64 / lanes / self.pass.counters.cycles as f64
    }
}

fn ideal(geometry: &Geometry, memory: Memory) -> Ideal {
    Ideal { latency: memory.latency, spacing: spacing(geometry, memory) }
}

/// Clocks from beat to beat as [`Ideal`] has them.
fn spacing(geometry: &Geometry, memory: Memory) -> u64 {
    let (Some(clock), Some(bandwidth)) = (memory.clock, memory.bandwidth) else {
        return 1 << Ideal::FRACTION;
    };
    let beat = f64::from(geometry.bus / 8);
    let clocks = beat * clock * 1e6 / (bandwidth * 1e9);
    (clocks.max(1.0) * f64::from(1u32 << Ideal::FRACTION)).round() as u64
}

/// Of a whole.
pub fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
