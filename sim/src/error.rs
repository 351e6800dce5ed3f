//! Everything that can go wrong between a design and its simulation, each with a code of its own.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// What went wrong, and the next step. The code at the head of the message never changes.
#[derive(Debug, Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum SimError {
    #[error("S001: {tool} is missing: {why}; run scripts/setup, then `source .tools/env`")]
    MissingTool { tool: &'static str, why: String },
    #[error("S002: Verilator refuses `{top}`:\n{said}")]
    Verilator { top: String, said: String },
    #[error("S003: the C++ compiler fails on the model of `{top}`:\n{said}")]
    Compiler { top: String, said: String },
    #[error("S004: cannot {what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("S005: no folder for compiled models: set STERNA_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    #[error(
        "S006: cannot load {}: {why}; delete it, and the next build makes it again", path.display()
    )]
    Load { path: PathBuf, why: String },
    #[error("S007: `{top}` has no port `{port}`; it has {ports}")]
    NoPort { top: String, port: String, ports: String },
    #[error("S008: `{port}` is an {is} of `{top}`, not an {wanted}")]
    Direction { top: String, port: String, is: &'static str, wanted: &'static str },
    #[error("S009: `{port}` has type {ty}, which {number} does not hold; use {instead}")]
    Unsuitable { port: String, ty: sterna_rtl::Type, number: &'static str, instead: &'static str },
    #[error("S010: the value {value} does not fit `{port}`: {ty}")]
    Range { port: String, ty: sterna_rtl::Type, value: String },
    #[error("S011: `{port}` takes {words} words of 32 bits, not {got}")]
    Words { port: String, words: usize, got: usize },
    #[error("S012: the handle belongs to another model than this one of `{top}`; resolve it here")]
    Foreign { top: String },
    #[error("S013: the model of `{top}` has no waveforms; build it with Options {{ trace: true }}")]
    NotTraced { top: String },
    #[error("S014: `{top}` stopped in clock {clock}: {why}")]
    Stopped { top: String, clock: u64, why: String },
    #[error("S015: `{port}` is the clock of `{top}`; step() moves it")]
    Clock { top: String, port: String },
}

impl SimError {
    /// The code at the head of the message: `"S001"`, unique for each kind of error.
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
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SimError {
        let path = path.to_path_buf();
        move |source| SimError::File { what, path, source }
    }
}
