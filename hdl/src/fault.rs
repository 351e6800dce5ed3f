//! Why a core stopped: one list, for the hardware, the runtime and the manual.

/// A fault of the core. After any of them no token leaves, and the recurrent state is invalid
/// until it is cleared or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fault {
    /// A segment's header does not have the checksum that it says.
    HeaderCrc = 1,
    /// A segment for another version of the instruction set.
    Version = 2,
    /// An instruction that does not exist, or not at this place.
    Opcode = 3,
    /// A field of a header contradicts the shape in `START`, or is out of range.
    Field = 4,
    /// `START` requires more than this core has.
    Geometry = 5,
    /// A payload does not have the checksum that its header says.
    PayloadCrc = 6,
    /// A byte of weights is not a canonical trit block.
    TritBlock = 7,
    /// An embedding row has a wrong checksum, another token's number, or a field out of range.
    Row = 8,
    /// The memory answered a read with an error.
    ReadResponse = 9,
    /// The memory answered a write with an error.
    WriteResponse = 10,
    /// Nothing moved for as many clocks as the watchdog allows.
    Watchdog = 11,
    /// A run was asked for while the recurrent state is invalid.
    StateInvalid = 12,
    /// A command or register that cannot be obeyed: busy, no tokens, too much state.
    Command = 13,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 13] = [
        Fault::HeaderCrc,
        Fault::Version,
        Fault::Opcode,
        Fault::Field,
        Fault::Geometry,
        Fault::PayloadCrc,
        Fault::TritBlock,
        Fault::Row,
        Fault::ReadResponse,
        Fault::WriteResponse,
        Fault::Watchdog,
        Fault::StateInvalid,
        Fault::Command,
    ];

    /// The fault of a code; `None` for 0, which means that there is none, and for unknown codes.
    pub fn from_code(code: u8) -> Option<Fault> {
        Fault::ALL.into_iter().find(|&fault| fault as u8 == code)
    }

    /// What happened, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Fault::HeaderCrc => "the checksum of a segment's header is wrong",
            Fault::Version => "a segment is for another version of the instruction set",
            Fault::Opcode => "an instruction does not exist, or not at this place",
            Fault::Field => "a field of a header contradicts START or is out of range",
            Fault::Geometry => "START requires more than this core has",
            Fault::PayloadCrc => "the checksum of a payload is wrong",
            Fault::TritBlock => "a byte of weights is no canonical trit block",
            Fault::Row => "an embedding row is damaged or belongs to another token",
            Fault::ReadResponse => "the memory answered a read with an error",
            Fault::WriteResponse => "the memory answered a write with an error",
            Fault::Watchdog => "nothing moved for as long as the watchdog allows",
            Fault::StateInvalid => "a run was asked for while the state is invalid",
            Fault::Command => "a command or register cannot be obeyed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_there_and_back() {
        for (n, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, n + 1, "no gaps");
            assert_eq!(Fault::from_code(fault as u8), Some(fault));
        }
        assert_eq!(Fault::from_code(0), None);
        assert_eq!(Fault::from_code(14), None);
    }
}
