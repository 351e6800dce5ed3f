//! What Yosys and nextpnr say of a design, as numbers.

use serde::Serialize;
use serde_json::Value;

/// A clock of the routed design.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clock {
    /// Its net.
    pub net: String,
    /// MHz that the slowest path allows.
    pub reached_mhz: f64,
    /// MHz that were asked for.
    pub wanted_mhz: f64,
}

/// A kind of cell of the FPGA.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// The vendor's name for it.
    pub kind: String,
    /// Of these there are in the design.
    pub used: u64,
    /// Of these there are in the FPGA.
    pub available: u64,
}

/// What nextpnr's `--report` has.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Routed {
    /// Every clock.
    pub clocks: Vec<Clock>,
    /// Every kind of cell that is used.
    pub usage: Vec<Usage>,
}

impl Routed {
    /// Reads the report.
    ///
    /// # Errors
    /// What is missing from it.
    pub fn read(text: &str) -> Result<Routed, String> {
        let report: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let entries = |name: &str| {
            report[name].as_object().cloned().ok_or_else(|| format!("it has no `{name}`"))
        };
        let mut clocks = Vec::new();
        for (net, value) in entries("fmax")? {
            let mhz =
                |name: &str| value[name].as_f64().ok_or_else(|| format!("{net}: no `{name}`"));
            let (reached_mhz, wanted_mhz) = (mhz("achieved")?, mhz("constraint")?);
            clocks.push(Clock { net: net.clone(), reached_mhz, wanted_mhz });
        }
        let mut usage = Vec::new();
        for (kind, value) in entries("utilization")? {
            let count =
                |name: &str| value[name].as_u64().ok_or_else(|| format!("{kind}: no `{name}`"));
            let (used, available) = (count("used")?, count("available")?);
            if used > 0 {
                usage.push(Usage { kind: kind.clone(), used, available });
            }
        }
        if clocks.is_empty() {
            return Err("it has no clock: the design has no register".into());
        }
        Ok(Routed { clocks, usage })
    }

    /// The clock that is furthest below what the board needs: at least what was asked for it, and
    /// the core's frequency for a clock that is as fast as the core's.
    pub fn slowest(&self, core_mhz: f64) -> (&Clock, f64) {
        let target = |clock: &Clock| {
            // nextpnr rounds periods to picoseconds.
            if (clock.wanted_mhz / core_mhz - 1.0).abs() < 0.01 {
                core_mhz
            } else {
                clock.wanted_mhz
            }
        };
        let ratio = |clock: &Clock| clock.reached_mhz / target(clock);
        let worst = self.clocks.iter().min_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let worst = worst.expect("a report without a clock is refused");
        (worst, target(worst))
    }

    /// How many cells of a kind there are.
    pub fn used(&self, kind: &str) -> u64 {
        self.usage.iter().find(|usage| usage.kind == kind).map_or(0, |usage| usage.used)
    }
}

/// What a vendor's cell is, in a word.
pub fn class(kind: &str) -> &'static str {
    let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if is(&["DP16KD", "PDPW16KD", "RAMB", "URAM", "SDPB", "SDPX9", "DPB", "DPX9", "pROM", "SPX9"])
        || ["SP", "DP", "SDP", "ROM"].contains(&kind)
    {
        "ram"
    } else if is(&["MULT18X18", "ALU54", "DSP48", "MULT9X9", "MULT36", "MULTALU"]) {
        "dsp"
    } else if is(&["CCU2", "CARRY"]) || kind == "ALU" {
        "carry"
    } else if is(&["DPR16X4", "TRELLIS_RAMW", "RAM16", "RAM32", "RAM64", "SRL"]) {
        "lutram"
    } else if is(&["PFUMX", "L6MUX", "MUX"]) {
        "mux"
    } else if is(&["LUT", "TRELLIS_COMB"]) || kind == "INV" {
        "lut"
    } else if is(&["TRELLIS_FF", "DFF", "FDRE", "FDSE", "FDCE", "FDPE"]) {
        "ff"
    } else {
        "other"
    }
}
