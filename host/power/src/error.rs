//! Everything that can go wrong with meters and recordings, each with a code and the next step.

use std::io;
use std::path::{Path, PathBuf};

/// Result with a [`PowerError`].
pub type Result<T> = std::result::Result<T, PowerError>;

/// An error of a meter or a recording; the message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PowerError {
    /// A word that names no meter.
    #[error(
        "--meter `{word}`: {why}; `sterna power meters` lists what there is and how to name it"
    )]
    Spec {
        /// The word.
        word: String,
        /// What is wrong with it.
        why: String,
    },
    /// No such sensor on this machine.
    #[error("{place}: no {what}; {next}")]
    Absent {
        /// Where it was looked for.
        place: String,
        /// What is missing.
        what: String,
        /// What to do.
        next: &'static str,
    },
    /// A file that may not be read.
    #[error("{path}: permission denied; {next}", path = path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// What to do.
        next: &'static str,
    },
    /// A sensor's file that cannot be read any more.
    #[error(
        "{path}: cannot read the sensor: {source}; is the device still there, and its driver?",
        path = path.display()
    )]
    Sensor {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A sensor's file that holds something else than it should.
    #[error(
        "{path}: `{text}` is not {wanted}; is it the file of a sensor?", path = path.display()
    )]
    Value {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// A program that measures, and does not.
    #[error("{program}: {why}; install it, or choose another meter with --meter")]
    Program {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// Output of a program that lacks what it should have.
    #[error("{program}: its output {why}; this reads what XRT 2 prints")]
    Output {
        /// The program.
        program: String,
        /// What is wrong.
        why: String,
    },
    /// No CMS where one should be.
    #[error(
        "{path}: no CMS at {base:#x}: {why}; name its offset in the card's registers, as in \
         cms:0@0x40000, and see docs/power.md", path = path.display()
    )]
    Cms {
        /// The node of the registers.
        path: PathBuf,
        /// Where it was looked for.
        base: u64,
        /// What was found.
        why: String,
    },
    /// A pattern that cannot be used.
    #[error(
        "pattern `{pattern}`: {why}; it is a regular expression with a group named watts, \
         milliwatts, joules, or volts and amps, such as '(?<watts>[0-9.]+) W'"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A meter that prints lines, none of which matches.
    #[error(
        "{name}: {lines} lines, none of which matches the pattern; the last was `{last}`: \
         check pattern= and baud= of --meter"
    )]
    Unmatched {
        /// The meter.
        name: String,
        /// Lines that were read.
        lines: u64,
        /// The last of them.
        last: String,
    },
    /// An INA226 that does not answer, or something else that does.
    #[error("{bus}: address {address:#04x}: {why}; `i2cdetect -y N` shows who answers on a bus")]
    I2c {
        /// The bus.
        bus: String,
        /// The address on it.
        address: u16,
        /// What happened.
        why: String,
    },
    /// A line of a recording that makes no sense.
    #[error("{path}: line {line}: {why}; correct the line, or record again", path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A recording as a whole.
    #[error("{path}: {why}", path = path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A recording that cannot be written or read.
    #[error("{path}: cannot {action} the recording: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl PowerError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use PowerError::*;
        match self {
            Spec { .. } => "W001",
            Absent { .. } => "W002",
            Denied { .. } => "W003",
            Sensor { .. } => "W004",
            Value { .. } => "W005",
            Program { .. } => "W006",
            Output { .. } => "W007",
            Cms { .. } => "W008",
            Pattern { .. } => "W009",
            Unmatched { .. } => "W010",
            I2c { .. } => "W011",
            Line { .. } => "W012",
            Recording { .. } => "W013",
            File { .. } => "W014",
        }
    }

    /// Wraps an I/O error with the recording and what was tried.
    pub(crate) fn file(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> PowerError {
        let path = path.to_path_buf();
        move |source| PowerError::File { path, action, source }
    }
}
