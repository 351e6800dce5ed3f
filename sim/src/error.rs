//! Everything that can go wrong between a design and its simulation, each with a code of its own.

use std::path::{Path, PathBuf};

use sterna_firmware::error::DeviceError;
use sterna_rtl::RtlError;
use thiserror::Error;

/// What went wrong, and the next step.
#[derive(Debug, Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum SimError {
    #[error("{tool} is missing: {why}; run scripts/setup, then `source .tools/env`")]
    MissingTool { tool: &'static str, why: String },
    #[error("Verilator refuses `{top}`:\n{said}")]
    Verilator { top: String, said: String },
    #[error("the C++ compiler fails on the model of `{top}`:\n{said}")]
    Compiler { top: String, said: String },
    #[error("cannot {what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("no folder for compiled models: set STERNA_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    #[error(
        "cannot load {}: {why}; delete it, and the next build makes it again", path.display()
    )]
    Load { path: PathBuf, why: String },
    #[error("`{top}` has no port `{port}`; it has {ports}")]
    NoPort { top: String, port: String, ports: String },
    #[error("`{port}` is an {is} of `{top}`, not an {wanted}")]
    Direction { top: String, port: String, is: &'static str, wanted: &'static str },
    #[error("`{port}` has type {ty}, which {number} does not hold; use {instead}")]
    Unsuitable { port: String, ty: sterna_rtl::Type, number: &'static str, instead: &'static str },
    #[error("the value {value} does not fit `{port}`: {ty}")]
    Range { port: String, ty: sterna_rtl::Type, value: String },
    #[error("`{port}` takes {words} words of 32 bits, not {got}")]
    Words { port: String, words: usize, got: usize },
    #[error("the handle belongs to another model than this one of `{top}`; resolve it here")]
    Foreign { top: String },
    #[error(
        "the model of `{top}` records nothing; build it with Options {{ trace: Trace::Waveform }}"
    )]
    NotTraced { top: String },
    #[error("`{top}` stopped in clock {clock}: {why}")]
    Stopped { top: String, clock: u64, why: String },
    #[error("`{port}` is the clock of `{top}`; step() moves it")]
    Clock { top: String, port: String },
    #[error("the master `{port}` breaks a rule of AXI in clock {clock}: {rule}; mend the design")]
    Protocol { port: String, clock: u64, rule: String },
    #[error("the controller `{port}` breaks a rule of its SDRAM, {broken}; mend the design")]
    Sdram { port: String, broken: crate::sdram::Broken },
    #[error(
        "register {offset:#05x} answers {why}; check the offset, and that the design has the \
         core's registers"
    )]
    Register { offset: u32, why: &'static str },
    #[error("there is no such core: {0}")]
    Core(RtlError),
    #[error(
        "{length} bytes at {address:#x} are outside the simulated memory of {bytes}; make it larger"
    )]
    Outside { address: u64, length: usize, bytes: u64 },
    #[error(
        "cannot show a fake card in {}: {source}; it needs an empty directory, /dev/fuse \
         (`modprobe fuse`) and the right to mount, which root has", path.display()
    )]
    Mount { path: PathBuf, source: std::io::Error },
    #[error(
        "cannot make the terminal {}: {source}; name a path that does not exist in a directory \
         that can be written", path.display()
    )]
    Terminal { path: PathBuf, source: std::io::Error },
    #[error(
        "{} line {line}: {why}; it is no activity that Verilator wrote: record it again",
        path.display()
    )]
    Activity { path: PathBuf, line: u64, why: String },
}

impl SimError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        match self {
            SimError::MissingTool { .. } => "S001",
            SimError::Verilator { .. } => "S002",
            SimError::Compiler { .. } => "S003",
            SimError::File { .. } => "S004",
            SimError::NoCache => "S005",
            SimError::Load { .. } => "S006",
            SimError::NoPort { .. } => "S007",
            SimError::Direction { .. } => "S008",
            SimError::Unsuitable { .. } => "S009",
            SimError::Range { .. } => "S010",
            SimError::Words { .. } => "S011",
            SimError::Foreign { .. } => "S012",
            SimError::NotTraced { .. } => "S013",
            SimError::Stopped { .. } => "S014",
            SimError::Clock { .. } => "S015",
            SimError::Protocol { .. } => "S016",
            SimError::Register { .. } => "S017",
            SimError::Core(_) => "S018",
            SimError::Outside { .. } => "S019",
            SimError::Mount { .. } => "S020",
            SimError::Sdram { .. } => "S021",
            SimError::Terminal { .. } => "S022",
            SimError::Activity { .. } => "S023",
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SimError {
        let path = path.to_path_buf();
        move |source| SimError::File { what, path, source }
    }
}

impl DeviceError for SimError {
    fn code(&self) -> &'static str {
        self.code()
    }
}
