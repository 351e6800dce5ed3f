//! From a board to a bitstream: Verilog, constraints, the tools, and a report.
//!
//! ```text
//! DIR/board.bit (.fs)          what goes into the board
//!     report.html, report.json what it is
//!     geometry.json            the core's manifest
//!     logs/                    what each tool said
//!     work/                    everything that the tools read and wrote
//! ```
//!
//! | module | one sentence |
//! |---|---|
//! | [`top`] | the hardware of a board |
//! | [`tools`] | the programs: where they are, how they end |
//! | [`open`] | the open tools, step by step |
//! | [`vivado`] | a Vivado project |
//! | [`carry`] | what Yosys does not find in carry chains |
//! | [`figures`] | what the tools say, as numbers |
//! | [`netlist`] | cells by module |
//! | [`floorplan`] | cells by place |
//! | [`simulate`] | cycles of a token |
//! | [`report`] | what was built, for people and programs |

pub mod carry;
pub mod figures;
pub mod floorplan;
pub mod netlist;
pub mod open;
pub mod report;
pub mod simulate;
pub mod tools;
pub mod top;
pub mod vivado;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use open::ecp5_die;
use report::Report;
use simulate::Simulated;
use top::Hardware;

use crate::board::{Board, BoardError, FILE, Toolchain};
use crate::error::{HostError, Result};
use crate::output;

/// How to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of placement.
    pub seed: u64,
    /// Keep what is slower than the board's clock.
    pub allow_timing_failure: bool,
    /// Folders in which programs are looked for, as `PATH` has them.
    pub path: OsString,
    /// What is known of a token, for the report.
    pub simulated: Option<Simulated>,
}

/// What the tools read, by name.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Verilog: what is generated, and the board's top.
    pub verilog: BTreeMap<String, String>,
    /// What the Verilog reads.
    pub data: BTreeMap<String, String>,
    /// The module that is the top.
    pub top: String,
}

impl Sources {
    /// The generated Verilog and the board's own.
    pub fn of(board: &Board, hardware: &Hardware) -> Sources {
        let files = hardware.design.files.iter();
        let mut verilog: BTreeMap<String, String> =
            files.map(|file| (file.name.clone(), file.text.clone())).collect();
        let data = hardware.design.data.iter();
        let data = data.map(|file| (file.name.clone(), file.text.clone())).collect();
        let mut top = hardware.design.top.clone();
        if let Some((file, module)) = &board.top {
            verilog.insert(file.clone(), board.files[file].clone());
            top.clone_from(module);
        }
        Sources { verilog, data, top }
    }

    /// The command that has Yosys read them from a folder, whose name ends in `/` if it has one.
    pub fn read_verilog(&self, folder: &str) -> String {
        let names = self.verilog.keys().map(|name| format!(" {folder}{name}"));
        names.fold("read_verilog".into(), |command, name| command + &name)
    }
}

/// A file that says that the folder it is in was made here.
const MARK: &str = ".sterna";

/// What was built.
pub struct Built {
    /// The bitstream; none if Vivado is not here to make it.
    pub bit: Option<PathBuf>,
    /// The report.
    pub report: Report,
    /// Where the report is, for people.
    pub html: PathBuf,
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Builds a board's bitstream in a folder, which is made if it does not exist.
///
/// What an earlier build left there under the same names is removed first, so that after an error
/// nothing is taken for the result.
///
/// # Errors
/// B011 to B014, B017; F001 where the system refuses a file.
pub fn build(board: &Board, hardware: &Hardware, dir: &Path, options: &Options) -> Result<Built> {
    let (work, logs) = (dir.join("work"), dir.join("logs"));
    // What another board or geometry left must not be read again; what is not ours is left alone.
    if work.exists() {
        if !work.join(MARK).is_file() {
            return Err(BoardError::Foreign { folder: work }.into());
        }
        fs::remove_dir_all(&work).map_err(HostError::io(&work, "remove"))?;
    }
    for folder in [&work, &logs] {
        fs::create_dir_all(folder).map_err(HostError::io(folder, "create"))?;
    }
    output::write_file(&work.join(MARK), b"")?;
    for name in ["board.bit", "board.fs", "board.mcs", "report.html", "report.json"] {
        let file = dir.join(name);
        if file.exists() {
            fs::remove_file(&file).map_err(HostError::io(&file, "remove"))?;
        }
    }
    let sources = Sources::of(board, hardware);
    for (name, text) in sources.verilog.iter().chain(&sources.data) {
        output::write_file(&work.join(name), text.as_bytes())?;
    }
    for (name, text) in board.files.iter().filter(|(name, _)| *name != FILE) {
        output::write_file(&work.join(name), text.as_bytes())?;
    }
    let manifest = hardware.geometry.manifest();
    output::write_file(&dir.join("geometry.json"), manifest.as_bytes())?;

    let mut report = Report::new(board, hardware, &sources, options);
    let bit = match board.toolchain {
        Toolchain::Vivado => vivado::run(board, hardware, options, &work, &logs, &mut report)?,
        Toolchain::Ecp5 | Toolchain::Gowin => {
            let made = open::run(board, &sources, options, &work, &logs)?;
            let bit = dir.join(format!("board.{}", made.extension));
            output::write_file(&bit, &made.bit)?;
            report.made(board, made);
            Some(bit)
        }
    };
    let html = dir.join("report.html");
    output::write_file(&dir.join("report.json"), report.json().as_bytes())?;
    output::write_file(&html, report.html().as_bytes())?;
    Ok(Built { bit, report, html })
}
