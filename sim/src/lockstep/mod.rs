//! Every intermediate vector of every instruction, the core's against the golden model's.
//!
//! ```text
//!  Golden::observe -> Pass -+
//!                           v
//!  probe ports -> Events -> Checker -> Report
//! ```
//!
//! The golden model runs a step ahead and leaves what it saw in a [`Pass`]. The core never sees
//! these values: they are compared with the events of its probe (`sterna_hdl::probe`), kind by
//! kind in the order of the pass. When a pass has ended everything must have come; what has not,
//! and what comes beyond it, is a mismatch, too.

mod checker;
mod pass;
mod probe;

use std::collections::VecDeque;

use serde::Serialize;
use sterna_firmware::geometry::Geometry;

use crate::error::SimError;
use crate::simulator::Simulator;
use crate::timing::Seen;

pub use checker::{Checker, Event, Passes};
pub use pass::{Expected, Pass};
use probe::Probe;

/// The first value that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Number of the pass, from 0.
    pub token: u64,
    /// The slot of its sequence.
    pub slot: usize,
    /// Number of the instruction in the image.
    pub instruction: usize,
    /// Its opcode.
    pub opcode: &'static str,
    /// Its layer.
    pub layer: usize,
    /// What differs: `codes`, `scale`, `rescale`, `a`, `state`, `v`, `residual`, `p`,
    /// `accumulators`, `statistics`; or what a run leaves: `passes`, `record`, `top`, `logits`,
    /// `last token`, `final state`, `saturations`, `counters`, `status` after a reset; or a clock that was not predicted: of `codes written`, a `beat taken`, `handed
    /// on`, `end`, `pass done`, `predicted counters`.
    pub vector: &'static str,
    /// Which element of it.
    pub element: usize,
    /// What golden has; `None` where it has nothing more.
    pub expected: Option<i64>,
    /// What the core has; `None` where it never came.
    pub got: Option<i64>,
    /// The core's clock.
    pub clock: u64,
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Tokens: passes, each counted for every sequence in it.
    pub tokens: u64,
    /// Instructions.
    pub instructions: u64,
    /// Vectors, scales and statistics.
    pub vectors: u64,
    /// Elements that differ, are missing or too many.
    pub mismatches: u64,
    /// The first of them.
    pub first_mismatch: Option<Mismatch>,
}

/// A checker at the probe of a running core.
pub struct Lockstep {
    probe: Probe,
    passes: VecDeque<Passes>,
    checker: Checker,
}

impl Lockstep {
    pub(crate) fn new(sim: &Simulator, geometry: &Geometry) -> Result<Lockstep, SimError> {
        let probe = Probe::find(sim, geometry)?;
        Ok(Lockstep { probe, passes: VecDeque::new(), checker: Checker::default() })
    }

    /// Expects a pass after those that are expected already.
    pub fn expect(&mut self, passes: Passes) {
        self.passes.push_back(passes);
    }

    /// What was compared so far.
    pub fn report(&self) -> &Report {
        self.checker.report()
    }

    /// The clocks of what happened, to be looked at and forgotten.
    pub fn seen(&mut self) -> &mut Seen {
        &mut self.probe.seen
    }

    /// Adds a comparison that the probe has no part in.
    pub fn checker(&mut self) -> &mut Checker {
        &mut self.checker
    }

    /// Ends a command: every pass that was expected has ended.
    pub fn settle(&mut self, clock: u64) {
        while let Some(pass) = self.passes.pop_front() {
            self.checker.end(&pass, clock);
        }
    }

    /// Expects nothing more of what was under way: a reset ended it.
    pub fn abandon(&mut self) {
        self.passes.clear();
        self.checker.abandon();
    }

    /// Compares what comes in this clock; called before its edge.
    pub(crate) fn clock(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        let passes = self.passes.front();
        let slots = passes.map_or(1, Vec::len);
        let ended = self.probe.clock(sim, slots, |slot, event, clock| {
            self.checker.event(passes, slot, event, clock);
        })?;
        if ended {
            let clock = sim.clocks();
            match self.passes.pop_front() {
                Some(pass) => self.checker.end(&pass, clock),
                None => self.checker.unexpected(clock),
            }
        }
        Ok(())
    }
}
