//! What can go wrong between a file and a token.

use std::path::PathBuf;

use sterna_model::ModelError;

use crate::device::State;
use crate::file::SectionKind;
use crate::isa::{HeaderError, Opcode};
use crate::rows::BadRow;

/// What helps against a damaged or outdated file.
const AGAIN: &str = "import the checkpoint again";

/// Result with a [`FirmwareError`].
pub type Result<T> = std::result::Result<T, FirmwareError>;

/// An error of this crate; the message names the file, the place and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirmwareError {
    /// Reading or writing failed.
    #[error(
        "{path}: cannot {action}: {source}; check that the path exists, is a file and that you may \
         use it"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// "open", "read", "write", ….
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not one of our files.
    #[error("{path}: not a .sterna file: {reason}{}", next_step(.hint))]
    NotSterna {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// Written by another version of the format.
    #[error(
        "{path}: file format {found}, this program reads format {supported}; \
         import the checkpoint again"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Version understood.
        supported: u32,
    },
    /// A checksum of the container does not hold.
    #[error(
        "{path}: damaged: CRC-32C of the {what} is {computed:#010x}, the file says \
         {stored:#010x}; copy the file again or import the checkpoint again"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// "header" or a section.
        what: String,
        /// In the file.
        stored: u32,
        /// Of what was read.
        computed: u32,
    },
    /// The container's tables contradict one another or the file.
    #[error("{path}: damaged at byte {offset}: {reason}; import the checkpoint again")]
    Layout {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A section that this use needs is absent.
    #[error("{path}: has no {section} section: {hint}")]
    MissingSection {
        /// The file.
        path: PathBuf,
        /// Which.
        section: SectionKind,
        /// What to do.
        hint: &'static str,
    },
    /// A segment's header was refused.
    #[error("{path}: segment {segment} at image byte {offset}: {source}; {AGAIN}")]
    Header {
        /// The file.
        path: PathBuf,
        /// Number of the segment.
        segment: usize,
        /// Byte offset in the image.
        offset: usize,
        /// Why.
        source: HeaderError,
    },
    /// A segment differs from what the image's shape demands.
    #[error(
        "{path}: segment {segment} ({}) at image byte {offset}: {reason}; {AGAIN}",
        opcode.name()
    )]
    Segment {
        /// The file.
        path: PathBuf,
        /// Number of the segment.
        segment: usize,
        /// Expected opcode.
        opcode: Opcode,
        /// Byte offset in the image.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// A byte of packed weights is one of the 13 that are refused.
    #[error(
        "{path}: segment {segment} at image byte {offset}: byte {byte:#04x} is not a canonical \
         trit block; {AGAIN}"
    )]
    TritBlock {
        /// The file.
        path: PathBuf,
        /// Number of the segment.
        segment: usize,
        /// Byte offset in the image.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// An embedding row was refused.
    #[error("{path}: embedding row of token {token}: {reason}; import the checkpoint again")]
    Row {
        /// The file.
        path: PathBuf,
        /// The token asked for.
        token: u32,
        /// Why.
        reason: BadRow,
    },
    /// A token that the model does not have.
    #[error("token {token} is out of range: the model has {vocab} tokens, 0 to {}; encode the text \
             with the model's own tokenizer", vocab - 1)]
    Token {
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// A sequence slot that the device does not have.
    #[error("slot {slot} is out of range: the device has {slots}, 0 to {}", slots - 1)]
    Slot {
        /// The slot.
        slot: usize,
        /// Number of slots.
        slots: usize,
    },
    /// One pass named the same slot twice.
    #[error("slot {0} appears twice in one pass; a pass advances each sequence by one token")]
    SlotTwice(usize),
    /// No slot at all was asked for.
    #[error("a device needs at least one slot")]
    NoSlots,
    /// A value of the model cannot be represented.
    #[error("{tensor}: {reason}")]
    Unrepresentable {
        /// The tensor.
        tensor: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A geometry that no core can have.
    #[error("geometry: {field} is {reason}; correct the manifest")]
    Geometry {
        /// Which field.
        field: &'static str,
        /// What it is, and what it may be.
        reason: String,
    },
    /// A model that a core is too small for.
    #[error("the model does not fit the core: {0}; generate the core with a larger geometry")]
    TooSmall(String),
    /// A state that is restored is of another model or arithmetic.
    #[error("a state of {found} does not fit {wanted}; restore it where it was saved")]
    State {
        /// What it is.
        found: String,
        /// What the device has.
        wanted: String,
    },
    /// The checkpoint or tokenizer was refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A device that another crate drives failed.
    #[error("{0}")]
    Device(Box<dyn DeviceError>),
}

/// An error of a device that another crate drives, such as a card.
pub trait DeviceError: std::error::Error + Send + Sync {
    /// A stable code, unique among all errors of the project.
    fn code(&self) -> &'static str;
}

fn next_step(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("; {hint}") }
}

impl FirmwareError {
    /// A state that does not fit a device which has so many elements.
    pub fn state(found: &State, elements: usize, fixed: bool) -> FirmwareError {
        let say = |elements, fixed| {
            let arithmetic = if fixed { "fixed" } else { "floating" };
            format!("{elements} elements in {arithmetic} point")
        };
        let found = say(found.elements(), matches!(found, State::Fixed(_)));
        FirmwareError::State { found, wanted: say(elements, fixed) }
    }

    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use FirmwareError::*;
        match self {
            Io { .. } => "F001",
            NotSterna { .. } => "F002",
            Format { .. } => "F003",
            Checksum { .. } => "F004",
            Layout { .. } => "F005",
            MissingSection { .. } => "F006",
            Header { .. } => "F007",
            Segment { .. } => "F008",
            TritBlock { .. } => "F009",
            Row { .. } => "F010",
            Token { .. } => "F011",
            Slot { .. } => "F012",
            SlotTwice(_) => "F013",
            NoSlots => "F014",
            Unrepresentable { .. } => "F015",
            Geometry { .. } => "F016",
            TooSmall(_) => "F017",
            State { .. } => "F018",
            Model(error) => error.code(),
            Device(error) => error.code(),
        }
    }

    /// Wraps an I/O error with the file and what was tried.
    pub fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| FirmwareError::Io { path, action, source: plain(error) }
    }
}

/// The plain kind of error: `tempfile` wraps it and adds a random name that tells nobody
/// anything.
fn plain(error: std::io::Error) -> std::io::Error {
    if error.get_ref().is_some() { error.kind().into() } else { error }
}
