//! Errors of the runtime.

use std::net::SocketAddr;
use std::path::PathBuf;

use sterna_firmware::FirmwareError;
use sterna_model::ModelError;
use sterna_power::PowerError;
use sterna_rtl::RtlError;
use sterna_sim::SimError;

use crate::board::BoardError;
use crate::hub::HubError;
use crate::tasks::TaskError;

/// Result with a [`HostError`].
pub type Result<T> = std::result::Result<T, HostError>;

/// An error of a command; the message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Standard output was closed or is full.
    #[error("cannot write to standard output: {0}; check where it is redirected to")]
    Output(std::io::Error),
    /// The model has no tokenizer and the command got text.
    #[error("{0}: the model has no tokenizer; give token numbers: `sterna run --tokens 1,2,3`")]
    NoTokenizer(PathBuf),
    /// Nothing to start from.
    #[error("the prompt has no tokens; give a longer prompt or --tokens")]
    EmptyPrompt,
    /// Words of a `--tokens` list that are no numbers.
    #[error("--tokens: `{word}` is not a token number; write 1,2,3 or name a file of numbers")]
    BadTokens {
        /// The word.
        word: String,
    },
    /// A text too short to predict anything.
    #[error(
        "{what}: {tokens} tokens do not fill one window of {window} inputs and its last target; \
         use a longer text or a smaller --window"
    )]
    ShortText {
        /// The text.
        what: String,
        /// Its tokens.
        tokens: usize,
        /// Inputs of a window.
        window: usize,
    },
    /// `--skip-chars` goes past the end of the text.
    #[error("--skip-chars {skip}: the text has {chars} characters; skip fewer")]
    SkipPastEnd {
        /// What was asked for.
        skip: usize,
        /// What there is.
        chars: usize,
    },
    /// A text file that is not UTF-8.
    #[error("{path}: not UTF-8 at byte {offset}; convert the file to UTF-8")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First bad byte.
        offset: usize,
    },
    /// A geometry's manifest that cannot be read.
    #[error("{path}: not a geometry manifest: {reason}; `sterna hdl --bus 64` writes one")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The core and the golden model do not agree.
    #[error("the core differs from the golden model: {0}")]
    Differs(String),
    /// Random tests of the hardware failed.
    #[error("{failures} of {cases} cases failed; replay one by the command beside it")]
    Fuzz {
        /// Cases that failed.
        failures: u64,
        /// All cases.
        cases: u64,
    },
    /// A card has not passed its test.
    #[error(
        "{failed} of {steps} steps failed; mend the first of them first, docs/card.md says how, \
         and validate again"
    )]
    Validate {
        /// Steps that failed.
        failed: usize,
        /// All steps.
        steps: usize,
    },
    /// The system is not ready for a card.
    #[error("{failed} of {checks} checks failed; do what the lines say, and look again")]
    Doctor {
        /// Checks that failed.
        failed: usize,
        /// All checks.
        checks: usize,
    },
    /// A folder to write that has something in it, or is none.
    #[error(
        "{dir}: is there already, and no empty folder; name a new one, or delete it",
        dir = dir.display()
    )]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// Nothing that measures, and no model to stand in for it.
    #[error(
        "no meter:\n  {}\n  attach one and name it with --meter; docs/power.md says which there are",
        .missing.join("\n  ")
    )]
    NoMeter {
        /// Why each is not there.
        missing: Vec<String>,
    },
    /// A table of energies that cannot be used.
    #[error("{file}: {reason}; docs/power-estimate.md says what a table of energies holds")]
    Energies {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An address that others reach, and no key.
    #[error(
        "{address}: others reach this address, and there is no key; give one with --key-file or \
         STERNA_KEY, or listen on 127.0.0.1"
    )]
    NoKey {
        /// Where to listen.
        address: SocketAddr,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}; name another with --bind")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server's engine is no more.
    #[error("the engine ended by itself; what it said last is above, start the server again")]
    EngineEnded,
    /// A key that protects nothing.
    #[error(
        "{place}: a key has 16 characters or more, and no spaces; `openssl rand -hex 24` makes one"
    )]
    BadKey {
        /// Where it is.
        place: String,
    },
    /// The model's chat template is wrong.
    #[error(
        "the model's chat template, line {line}: {reason}; correct chat_template in \
         tokenizer_config.json, or take it out, and import the checkpoint again"
    )]
    Template {
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The model's chat template does not take these messages.
    #[error(
        "the model's chat template refuses the conversation: {reason}; \
         change the messages, their order or their roles"
    )]
    Conversation {
        /// The template's words.
        reason: String,
    },
    /// The model's chat template does not come to an end.
    #[error(
        "the model's chat template takes more than {steps} steps, or that times 64 bytes; \
         shorten the conversation, or correct the template and import the checkpoint again"
    )]
    Endless {
        /// How many there may be.
        steps: u64,
    },
    /// A file that is no state, or makes no sense.
    #[error(
        "{path}: not a state: {reason}; `sterna state save` and `sterna run --save-state` write them"
    )]
    StateFile {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        reason: String,
    },
    /// A state of another version of the format.
    #[error("{path}: a state of version {found}, this program reads version 1; save it again")]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: String,
    },
    /// A state file that was damaged.
    #[error(
        "{path}: damaged: the CRC-32C of the state is {computed}, the file says {stored}; \
         copy the file again, or save the state again"
    )]
    StateChecksum {
        /// The file.
        path: PathBuf,
        /// In the file.
        stored: String,
        /// Of what was read.
        computed: String,
    },
    /// A state of another model.
    #[error(
        "{path}: a state of image {found}, but {model} is image {wanted}; \
         name the model that it was saved with"
    )]
    StateModel {
        /// The state's file.
        path: PathBuf,
        /// Its image.
        found: String,
        /// The model's file.
        model: PathBuf,
        /// Its image.
        wanted: String,
    },
    /// An element that a device's format has no room for.
    #[error(
        "element {index} of the state is {value}, which does not fit 24 bits; \
         the device is faulty: `sterna validate` tests a card"
    )]
    StateRange {
        /// Which element.
        index: usize,
        /// Its value.
        value: i32,
    },
    /// A state without what was said.
    #[error(
        "{path}: a state without a conversation; `/save` in `sterna chat` writes one, \
         `sterna run --state` goes on from this"
    )]
    NoConversation {
        /// The file.
        path: PathBuf,
    },
    /// A conversation that has not begun.
    #[error("there is no conversation yet that could be saved; ask something first")]
    NothingSaid,
    /// A file of defaults that is no TOML.
    #[error("{file}, line {line}: {reason}; docs/cli.md#configuration says what the file may hold", file = file.display())]
    ConfigSyntax {
        /// The file.
        file: PathBuf,
        /// Where.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A default of an option, or for a command, that there is not.
    #[error("{file}, line {line}: there is no {kind} {key}; {hint}", file = file.display())]
    ConfigKey {
        /// The file.
        file: PathBuf,
        /// Where.
        line: usize,
        /// What is not there.
        key: String,
        /// An option, or a command.
        kind: &'static str,
        /// What to do.
        hint: String,
    },
    /// A default that its option does not take.
    #[error(
        "{file}, line {line}: {key}: {reason}; correct the line, or leave the file out with \
         STERNA_CONFIG=",
        file = file.display()
    )]
    ConfigValue {
        /// The file.
        file: PathBuf,
        /// Where.
        line: usize,
        /// The option.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A command to explain that there is not.
    #[error("there is no command `{name}`; {hint}")]
    NoCommand {
        /// What was asked for.
        name: String,
        /// What to do.
        hint: String,
    },
    /// A board, or the making of its bitstream.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The hub, or the folder of models.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A data set of questions, or results.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A meter, or a recording of one.
    #[error(transparent)]
    Power(#[from] PowerError),
    /// The image, file or device was refused.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
}

impl From<ModelError> for HostError {
    fn from(error: ModelError) -> HostError {
        HostError::Firmware(error.into())
    }
}

/// Of a core that cannot be generated.
impl From<RtlError> for HostError {
    fn from(error: RtlError) -> HostError {
        HostError::Firmware(SimError::Core(error).into())
    }
}

impl HostError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use HostError::*;
        match self {
            Output(_) => "H001",
            NoTokenizer(_) => "H002",
            EmptyPrompt => "H003",
            BadTokens { .. } => "H004",
            ShortText { .. } => "H005",
            SkipPastEnd { .. } => "H006",
            NotUtf8 { .. } => "H007",
            Manifest { .. } => "H008",
            Differs(_) => "H009",
            Fuzz { .. } => "H010",
            Validate { .. } => "H011",
            Doctor { .. } => "H012",
            NotEmpty { .. } => "H013",
            NoMeter { .. } => "H016",
            Energies { .. } => "H020",
            NoKey { .. } => "H040",
            Listen { .. } => "H041",
            EngineEnded => "H042",
            BadKey { .. } => "H043",
            Template { .. } => "H030",
            Conversation { .. } => "H031",
            Endless { .. } => "H032",
            StateFile { .. } => "H033",
            StateVersion { .. } => "H034",
            StateChecksum { .. } => "H035",
            StateModel { .. } => "H036",
            StateRange { .. } => "H037",
            NoConversation { .. } => "H038",
            NothingSaid => "H039",
            ConfigSyntax { .. } => "H060",
            ConfigKey { .. } => "H061",
            ConfigValue { .. } => "H062",
            NoCommand { .. } => "H063",
            Board(error) => error.code(),
            Hub(error) => error.code(),
            Task(error) => error.code(),
            Power(error) => error.code(),
            Firmware(error) => error.code(),
        }
    }

    /// Wraps an I/O error with the file and what was tried.
    pub fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = FirmwareError::io(path, action);
        |error| HostError::Firmware(wrap(error))
    }
}
