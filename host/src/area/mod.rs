//! What a core costs on an FPGA, and how fast it can be clocked there.
//!
//! | module | one sentence |
//! |---|---|
//! | [`count`] | cells of a netlist, as each family counts them |
//! | [`build`] | runs the tools, or takes what they left |

pub mod build;
pub mod count;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use count::{Count, Family};

/// A core on one family of FPGAs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Name of the shape that its memories are for.
    pub shape: String,
    /// Bits of its bus.
    pub bus: u32,
    /// The FPGAs.
    pub family: Family,
    /// How the figures came about: `synthesised`.
    pub evidence: String,
    /// Programs, and what they say of their versions.
    pub tools: BTreeMap<String, String>,
    /// Yosys' command.
    pub command: String,
    /// The whole core, flat.
    pub core: Count,
    /// Of that each module's own, without sub-modules: of the flat core, so that it adds up.
    pub modules: Vec<Part>,
    /// The ternary unit by itself, decoders, selection and adder trees included.
    pub ternary_unit: Count,
    /// Its lanes: a weight times an activation in a clock each.
    pub lanes: u32,
    /// One of the two checksum units by itself.
    pub crc: Count,
    /// Where the core was placed and routed.
    pub placed: Vec<Placed>,
}

/// A module of a core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Names of instances; of several, what they have in common.
    pub path: String,
    /// How many there are.
    pub instances: u64,
    /// All of them together.
    #[serde(flatten)]
    pub count: Count,
}

/// A core that was placed and routed alone in an FPGA, inputs and outputs in shift registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The FPGA.
    pub part: String,
    /// Its speed grade.
    pub speed: String,
    /// How the figures came about: `placed and routed`.
    pub evidence: String,
    /// Of the placement.
    pub seed: u64,
    /// MHz that were asked for, which decides how hard the tools try.
    pub asked_mhz: f64,
    /// MHz that the slowest path allows.
    pub reached_mhz: f64,
    /// Cells by kind, shift registers included: used, and what there is.
    pub cells: BTreeMap<String, (u64, u64)>,
    /// nextpnr's arguments, without files.
    pub command: String,
}
