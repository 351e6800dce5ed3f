//! Everything that can go wrong on a serial line, each with a code of its own.

use sterna_firmware::FirmwareError;
use sterna_firmware::error::DeviceError;
use thiserror::Error;

/// What went wrong, and the next step.
#[derive(Debug, Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum LinkError {
    #[error("the serial line cannot be {what}: {source}; is the board still plugged in?")]
    Line { what: &'static str, source: std::io::Error },
    #[error("the serial line was closed at the other end; plug the board in again")]
    Closed,
    #[error(
        "no answer to {what} after {tries} tries: {heard} bytes came, {damaged} damaged frames; \
         check that the board is configured, and the rate of the line"
    )]
    Silent { what: String, tries: u32, heard: u64, damaged: u64 },
    #[error("what answers is no Sterna board ({bytes:02x?}); is it the right port?")]
    Stranger { bytes: Vec<u8> },
    #[error(
        "the board speaks version {board} of the link, this program version {ours}; build both \
         from the same version"
    )]
    Version { board: u16, ours: u16 },
    #[error("the board refuses {what}; this is a fault of the driver: report it")]
    Refused { what: String },
    #[error(
        "register {offset:#05x} answers with an error; check that the board's design has the \
         core of this version"
    )]
    Register { offset: u32 },
    #[error("the memory answers with an error at {address:#x}; configure the board again")]
    Memory { address: u64 },
    #[error(
        "{length} bytes at {address:#x} are outside the board's memory of {bytes}; use a smaller \
         model"
    )]
    Outside { address: u64, length: usize, bytes: u64 },
    #[error("the reply to {what} is not one ({bytes} bytes, status {status}); report it")]
    Reply { what: String, bytes: usize, status: u8 },
}

impl LinkError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        match self {
            LinkError::Line { .. } => "U001",
            LinkError::Closed => "U002",
            LinkError::Silent { .. } => "U003",
            LinkError::Stranger { .. } => "U004",
            LinkError::Version { .. } => "U005",
            LinkError::Refused { .. } => "U006",
            LinkError::Register { .. } => "U007",
            LinkError::Memory { .. } => "U008",
            LinkError::Outside { .. } => "U009",
            LinkError::Reply { .. } => "U010",
        }
    }
}

impl DeviceError for LinkError {
    fn code(&self) -> &'static str {
        self.code()
    }
}

impl From<LinkError> for FirmwareError {
    fn from(error: LinkError) -> FirmwareError {
        FirmwareError::Device(Box::new(error))
    }
}
