//! What can go wrong with a card.

use sterna_firmware::FirmwareError;
use sterna_firmware::error::DeviceError;
use sterna_firmware::isa::Opcode;

use crate::fault::Fault;

/// What [`CardError::Stuck`] calls a reset.
pub(super) const RESET: &str = "reset";
const UNSTICK: &str = "run `sterna reset`, and if that does not help, configure the card again";

/// An error of a card; the message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Something else answers where the core should be.
    #[error(
        "this is no Sterna core: ID reads {id:#010x} instead of 0x4e525453; check that the card \
         is configured with a bitstream of Sterna's, and which card it is"
    )]
    Id {
        /// What ID reads as.
        id: u32,
    },
    /// The core executes another version of the instruction set.
    #[error(
        "the core speaks version {found} of the instruction set, this program version {}; \
         configure the card with a bitstream of this program's version",
        sterna_firmware::isa::ISA_VERSION
    )]
    Isa {
        /// Its version.
        found: u32,
    },
    /// A geometry register says something that this program cannot use.
    #[error(
        "the core's register {name} reads {value}, but {expected}; configure the card with a \
         bitstream of this program's version"
    )]
    Geometry {
        /// The register.
        name: &'static str,
        /// What it reads as.
        value: u32,
        /// What it should.
        expected: String,
    },
    /// The registers describe one geometry, the manifest's hash names another.
    #[error(
        "the core was made from manifest {found:016x}, but its registers describe manifest \
         {computed:016x}; configure the card with a bitstream of this program's version"
    )]
    Manifest {
        /// What the core says.
        found: u64,
        /// Of what its registers say.
        computed: u64,
    },
    /// The card has too little memory.
    #[error(
        "the model and {slots} sequences need {needed} bytes of the card's memory, it has {bytes}; \
         use fewer sequences or a smaller model, or send it for every token (--stream-weights)"
    )]
    Memory {
        /// Bytes needed.
        needed: u64,
        /// Sequences.
        slots: usize,
        /// Bytes there are.
        bytes: u64,
    },
    /// A command does not end.
    #[error(
        "the core does not end a {what}: STATUS reads {status:#04x}; {}",
        if *.what == RESET { "configure the card again" } else { UNSTICK }
    )]
    Stuck {
        /// The command.
        what: &'static str,
        /// STATUS.
        status: u32,
    },
    /// STATUS contradicts itself.
    #[error(
        "after a {what} STATUS reads {status:#04x}, which is neither success nor failure; run \
         `sterna reset`, and if that does not help, configure the card again"
    )]
    Status {
        /// The command.
        what: &'static str,
        /// STATUS.
        status: u32,
    },
    /// A result record contradicts itself or what was asked for.
    #[error(
        "result record {index} is void: {reason}; run again, and if it recurs test the memory with \
         `sterna validate`"
    )]
    Record {
        /// Number of the record.
        index: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// A number from the card is outside its range.
    #[error(
        "{what} {index} is {value}, outside {bits} bits; run again, and if it recurs test the \
         memory with `sterna validate`"
    )]
    Number {
        /// What it is.
        what: &'static str,
        /// Which of them.
        index: usize,
        /// Its value.
        value: i32,
        /// Bits that it should fit.
        bits: u32,
    },
    /// A run ended after another number of passes than it should have.
    #[error("a run of {count} passes ended after {done}; run `sterna reset`, then again")]
    Passes {
        /// Passes asked for.
        count: u32,
        /// TOKENS_DONE.
        done: u32,
    },
    /// The sequence's state went with an earlier error.
    #[error(
        "the state of slot {slot} was lost in an earlier error; clear it and enter its tokens \
         again, or restore a saved state"
    )]
    StateLost {
        /// The slot.
        slot: usize,
    },
    /// The core gives a reason that this program does not know.
    #[error(
        "the core stopped with error {code}, which this program does not know; configure the card \
         with a bitstream of this program's version"
    )]
    UnknownFault {
        /// ERROR.
        code: u32,
    },
    /// What was written to the card's memory is not what is read from it.
    #[error(
        "the card's memory at {address:#x} reads as {read:#04x} after {written:#04x} was written; \
         load again, and if it recurs test the memory with `sterna validate`"
    )]
    ReadBack {
        /// Where.
        address: u64,
        /// The byte written.
        written: u8,
        /// The byte read.
        read: u8,
    },
    /// Registers do not hold what this program wrote.
    #[error(
        "something else reset or configured the core during a {what}: its registers do not hold \
         what was written to them; run again, and leave the card to one program"
    )]
    Foreign {
        /// The command.
        what: &'static str,
    },
    /// What is read from the card's memory changes from one time to the next.
    #[error(
        "{length} bytes of the card's memory at {address:#x} read differently each time; run \
         again, and if it recurs configure the card again and test it with `sterna validate`"
    )]
    Unsteady {
        /// Where.
        address: u64,
        /// Bytes.
        length: usize,
    },
    /// Another core answers than before.
    #[error("the card came back with another core; configure it with one bitstream, and run again")]
    Changed,
    /// The core stopped.
    #[error("the core stopped{}: {}; {}", place(.at), fault.meaning(), next_step(*.fault))]
    Fault {
        /// Why.
        fault: Fault,
        /// The segment, where the fault has one: number, opcode and layer.
        at: Option<Place>,
    },
    /// The way to the card failed.
    #[error("{0}")]
    Transport(Box<dyn DeviceError>),
    /// The model was refused.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
}

/// A segment of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 0.
    pub segment: u32,
    /// What should be there; `None` where the image has no such segment.
    pub instruction: Option<(Opcode, usize)>,
}

fn place(at: &Option<Place>) -> String {
    match at {
        None => String::new(),
        Some(Place { segment, instruction: None }) => {
            format!(" at segment {segment}, which the image has not")
        }
        Some(Place { segment, instruction: Some((opcode, layer)) }) => {
            format!(" at segment {segment} ({}, layer {layer})", opcode.name())
        }
    }
}

/// What helps against a fault.
const fn next_step(fault: Fault) -> &'static str {
    match fault {
        Fault::HeaderCrc | Fault::PayloadCrc | Fault::TritBlock | Fault::Row => {
            "load the model again, and if it recurs test the memory with `sterna validate`"
        }
        Fault::Version | Fault::Opcode | Fault::Field => {
            "import the checkpoint again with the version of this program"
        }
        Fault::Geometry => "generate the core with a larger geometry",
        Fault::ReadResponse | Fault::WriteResponse => {
            "run `sterna reset`, and if it recurs configure the card again"
        }
        Fault::Watchdog => "configure the card again, and if it recurs check its memory's clock",
        Fault::StateInvalid => "clear the sequence and enter its tokens again",
        Fault::Command => "this is a fault of the driver: report it",
    }
}

impl CardError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use CardError::*;
        match self {
            Id { .. } => "C001",
            Isa { .. } => "C002",
            Geometry { .. } => "C003",
            Manifest { .. } => "C004",
            Memory { .. } => "C005",
            Stuck { .. } => "C006",
            Status { .. } => "C007",
            Record { .. } => "C008",
            Number { .. } => "C009",
            Passes { .. } => "C010",
            StateLost { .. } => "C011",
            UnknownFault { .. } => "C013",
            ReadBack { .. } => "C014",
            Changed => "C015",
            Foreign { .. } => "C016",
            Unsteady { .. } => "C017",
            Fault { fault, .. } => match fault {
                self::Fault::HeaderCrc => "C101",
                self::Fault::Version => "C102",
                self::Fault::Opcode => "C103",
                self::Fault::Field => "C104",
                self::Fault::Geometry => "C105",
                self::Fault::PayloadCrc => "C106",
                self::Fault::TritBlock => "C107",
                self::Fault::Row => "C108",
                self::Fault::ReadResponse => "C109",
                self::Fault::WriteResponse => "C110",
                self::Fault::Watchdog => "C111",
                self::Fault::StateInvalid => "C112",
                self::Fault::Command => "C113",
            },
            Transport(error) => error.code(),
            Firmware(error) => error.code(),
        }
    }

    /// For `map_err` on what a transport does.
    pub(super) fn transport<E: DeviceError + 'static>(error: E) -> CardError {
        CardError::Transport(Box::new(error))
    }
}

impl DeviceError for CardError {
    fn code(&self) -> &'static str {
        self.code()
    }
}

impl From<CardError> for FirmwareError {
    fn from(error: CardError) -> FirmwareError {
        match error {
            CardError::Firmware(error) => error,
            CardError::Transport(error) => FirmwareError::Device(error),
            error => FirmwareError::Device(Box::new(error)),
        }
    }
}
