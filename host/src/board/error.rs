//! What can be wrong with a board, its tools, or what they made of it.

use std::path::PathBuf;

/// An error of a board; the message says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// No board of this name, and no folder either.
    #[error("there is no board `{name}`; there are {known}, or name a folder with a board.toml")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Not TOML.
    #[error("{file}:{line}: {reason}; docs/boards.md shows a whole board")]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A section or key that no board has.
    #[error("{file}:{line}: there is no `{key}`; {hint}")]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Section and key.
        key: String,
        /// What it might have been meant for.
        hint: String,
    },
    /// A key that every such board has.
    #[error("{file}: `{key}` is missing; {meaning}")]
    Missing {
        /// The file.
        file: PathBuf,
        /// Section and key.
        key: String,
        /// What it says.
        meaning: String,
    },
    /// A value of another type.
    #[error("{file}:{line}: `{key}` is of type {found}; write {wanted}")]
    Type {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Section and key.
        key: String,
        /// Type of what is there.
        found: &'static str,
        /// What should be.
        wanted: String,
    },
    /// A value that is not among those that are possible.
    #[error("{file}:{line}: `{key}` is {value}; write {wanted}")]
    Range {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Section and key.
        key: String,
        /// What is there.
        value: String,
        /// What should be.
        wanted: String,
    },
    /// Two keys that do not go together.
    #[error("{file}:{line}: `{key}`: {reason}")]
    Conflict {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Section and key.
        key: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A file of the board's folder that is not there.
    #[error("{file}:{line}: `{key}` names {named}, which is not in the folder; add it")]
    NoFile {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Section and key.
        key: String,
        /// The file that is missing.
        named: String,
    },
    /// Hardware that nobody has written.
    #[error("{board}: there is no hardware for {what}; {instead}")]
    NoTop {
        /// The board.
        board: String,
        /// Memory and link.
        what: String,
        /// What there is.
        instead: String,
    },
    /// A model that the board's core or memory is too small for.
    #[error("{board}: {model} does not fit: {reason}; `sterna boards` says what does")]
    Model {
        /// The board.
        board: String,
        /// The model.
        model: String,
        /// Why not.
        reason: String,
    },
    /// A program that is not installed.
    #[error("PATH has none of {names}; {install}")]
    NoTool {
        /// What was looked for.
        names: String,
        /// How to get it.
        install: String,
    },
    /// A program that failed.
    #[error("{tool} failed ({status}); its log is {log}, and ends:\n{tail}")]
    Tool {
        /// The program.
        tool: String,
        /// Exit status.
        status: String,
        /// The log.
        log: PathBuf,
        /// Last lines of the log.
        tail: String,
    },
    /// What a program wrote is not what it should be.
    #[error("{tool} left no sound {what} ({reason}); its log is {log}")]
    Output {
        /// The program.
        tool: String,
        /// What it should have written.
        what: String,
        /// What is wrong with it.
        reason: String,
        /// The log.
        log: PathBuf,
    },
    /// The design is slower than the board's clock.
    #[error(
        "{board}: the slowest path of clock {clock} allows {reached} MHz, the board runs at \
         {target} MHz; try another --seed, or a lower core_mhz in board.toml, or keep what there \
         is with --allow-timing-failure"
    )]
    Timing {
        /// The board.
        board: String,
        /// The clock's net.
        clock: String,
        /// MHz, in words.
        reached: String,
        /// MHz, in words.
        target: String,
    },
    /// A board that openFPGALoader cannot write.
    #[error("{board}: openFPGALoader does not know this board; {instead}")]
    NoLoader {
        /// The board.
        board: String,
        /// What to do instead.
        instead: String,
    },
    /// A folder that would have to be emptied, but was not made here.
    #[error("{folder}: not made by `sterna bitstream`, and not touched; choose another directory")]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// openFPGALoader failed; it has said why.
    #[error(
        "{board}: openFPGALoader failed ({status}), as it says above; check cable and power, and \
         that you may open the USB device"
    )]
    Loader {
        /// The board.
        board: String,
        /// Exit status.
        status: String,
    },
}

impl BoardError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use BoardError::*;
        match self {
            Unknown { .. } => "B001",
            Syntax { .. } => "B002",
            UnknownKey { .. } => "B003",
            Missing { .. } => "B004",
            Type { .. } => "B005",
            Range { .. } => "B006",
            Conflict { .. } => "B007",
            NoFile { .. } => "B008",
            NoTop { .. } => "B009",
            Model { .. } => "B010",
            NoTool { .. } => "B011",
            Tool { .. } => "B012",
            Output { .. } => "B013",
            Timing { .. } => "B014",
            NoLoader { .. } => "B015",
            Loader { .. } => "B016",
            Foreign { .. } => "B017",
        }
    }
}
