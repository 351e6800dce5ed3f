//! What toggles, and how often, while a token is made: counts for a model of the power.
//!
//! ```text
//!  core, Verilated with --trace-saif -> one token -> SAIF -> bits of nets -+
//!  the design's own netlist -> registers, logic, memories, products --------+-> Activity
//!  the simulated memory -> beats -------------------------------------------+
//! ```
//!
//! # What the counts are
//!
//! One sample a clock, when all has settled: a net toggles at most once a clock, and what it does
//! in between (glitches) is not seen. The first sample is compared with zero, so a bit that was
//! high before has one toggle too many. A signal counts once, at its driver, whatever names it has.
//! What has no name in the Verilog has no count; [`Place::unnamed_toggles`] says how much that may
//! be. Whether a memory was read or a factor changed is exact where the condition is a bit of a
//! net, and a range that certainly holds it where it is computed from several.

mod measure;
pub mod saif;
mod tally;

use serde::{Deserialize, Serialize};

pub use measure::{Measured, measure};
pub use tally::tally;

/// A count that lies between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// At least this.
    pub low: u64,
    /// At most this.
    pub high: u64,
}

impl std::ops::AddAssign for Bounds {
    fn add_assign(&mut self, other: Bounds) {
        self.low = self.low.saturating_add(other.low);
        self.high = self.high.saturating_add(other.high);
    }
}

/// What one instance of a module did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Names of the instances from the top down, with `/` between them; empty for the top.
    pub path: String,
    /// Its module.
    pub module: String,
    /// Bits of registers and of the read ports of memories: what the clock reaches.
    pub clocked_bits: u64,
    /// Toggles of these bits.
    pub clocked_toggles: u64,
    /// Bits of named operators, and of the top's inputs.
    pub logic_bits: u64,
    /// Toggles of these bits.
    pub logic_toggles: u64,
    /// Toggles of operators without a name, if each of their bits toggles as often as the average
    /// bit with one. A synthesiser may hide any of them inside a look-up table: at least 0.
    pub unnamed_toggles: u64,
    /// Bits of words that were read from or written to memories.
    pub memory_bits: Bounds,
    /// Of each product that was made, the bits of one factor times those of the other.
    pub product_bits: Bounds,
}

/// What a design did in a stretch of clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Clocks.
    pub clocks: u64,
    /// Every instance, the top first.
    pub places: Vec<Place>,
    /// Bits of nets with a driver that the recording does not have: Verilator found them constant
    /// or unused. They count as still.
    pub unseen_bits: u64,
}
