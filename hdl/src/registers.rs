//! The register map: one table, from which come the hardware, the accessors and
//! `docs/registers.md`.

use std::fmt::Write;

use sterna_firmware::geometry::{Geometry, SLOTS_MAX};
use sterna_firmware::isa::ISA_VERSION;
use sterna_rtl::parts::{Access, LiteRegisters, Register};

use crate::fault::Fault;

/// A register, by byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reg {
    /// Name in the manual; its port has the same in lower case.
    pub name: &'static str,
    /// Byte offset.
    pub offset: u32,
    /// Bits.
    pub width: u32,
    /// What the bus may do.
    pub access: Access,
    /// The sequence that it belongs to: a core with fewer has no such register. 0 for those of all
    /// cores.
    pub slot: u32,
    /// What it means.
    pub doc: &'static str,
}

macro_rules! registers {
    ($($offset:literal $name:ident $width:literal $access:ident $(of $slot:literal)? $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub const $name: Reg = Reg {
                name: stringify!($name),
                offset: $offset,
                width: $width,
                access: Access::$access,
                slot: 0 $(+ $slot)?,
                doc: $doc,
            };
        )*

        /// Every register of any core, by offset.
        pub const ALL: &[Reg] = &[$($name),*];
    };
}

registers! {
    0x000 ID 32 Read "Says that this is a Sterna core: 0x4e525453, `STRN`.";
    0x004 ISA 8 Read "Version of the instruction set.";
    0x008 MANIFEST_LO 32 Read "First eight bytes of the SHA-256 of the geometry's manifest, low word.";
    0x00c MANIFEST_HI 32 Read "The same, high word.";
    0x010 BUS 16 Read "Geometry: bits of a beat.";
    0x014 WAYS 8 Read "Geometry: elements a clock of the epilogue.";
    0x018 QUANTISERS 8 Read "Geometry: elements a clock of the quantiser.";
    0x01c TOP_K 8 Read "Geometry: candidates of the head.";
    0x020 SLOTS 8 Read "Geometry: sequences on chip.";
    0x024 CHANNELS 8 Read "Geometry: memory channels.";
    0x028 MAX_HIDDEN 16 Read "Geometry: most elements of the residual stream.";
    0x02c MAX_INNER 16 Read "Geometry: most elements of the recurrence.";
    0x030 MAX_INTERMEDIATE 16 Read "Geometry: most elements of the GLU.";
    0x034 MAX_STATE 24 Read "Geometry: most elements of recurrent state.";
    0x038 PREFETCH 24 Read "Geometry: beats of the prefetch FIFO.";

    0x040 IMAGE_LO 32 Write "Address of the image, a multiple of 4096, low word.";
    0x044 IMAGE_HI 8 Write "The same, high byte.";
    0x048 EMBED_LO 32 Write "Address of the embedding rows, a multiple of 4096, low word.";
    0x04c EMBED_HI 8 Write "The same, high byte.";
    0x050 STATE_LO 32 Write "Address that state is saved to and loaded from, a multiple of 4096, low word.";
    0x054 STATE_HI 8 Write "The same, high byte.";
    0x058 RESULT_LO 32 Write "Address of the result records, a multiple of 4096, low word.";
    0x05c RESULT_HI 8 Write "The same, high byte.";
    0x060 LOGITS_LO 32 Write "Address of the accumulators of all tokens, a multiple of 4096, low word.";
    0x064 LOGITS_HI 8 Write "The same, high byte.";
    0x068 IMAGE_UNITS 32 Write "Units of 64 bytes that a pass reads: the image, or with `no_head` all before the head.";
    0x06c ROW_UNITS 10 Write "Units of an embedding row: hidden / 32 + 1.";
    0x070 STATE_UNITS 20 Write "Units that a save or load moves: state elements / 16.";
    0x074 WATCHDOG 32 Write "Clocks without any progress after which a run fails; 0 for never.";

    0x078 IMAGE_RING 28 Write "Bits 12 to 39 of an address that stay those of IMAGE while the image is read: all above a ring that it streams through; 0 where the memory holds the whole image.";
    0x07c IMAGE_OWED 32 Write "Units at the image's end that the host has still to write, and the core waits for; what is before them is a multiple of 64 units. 0 where the memory holds the whole image.";

    0x080 MODE 3 Write "Bit 0 `no_head`: stop a pass before the head. Bit 1 `logits`: write the accumulators of all tokens, of the highest slot of SLOT_MASK. Bit 2 `chain`: the slots of SLOT_MASK hold consecutive tokens of one sequence, whose state is that of the lowest of them; COUNT must be 1.";
    0x084 COUNT 16 Write "Passes of a run: the first takes the TOKEN of each slot, each next the slot's best token of the one before.";
    0x088 SLOT_MASK 8 Write "Slots that take part in a run or a clear, a bit each: any that the core has, one at least. A save or load is of the lowest.";
    0x08c TOKEN_0 20 Write "Token that enters slot 0.";
    0x090 STOP_0 21 Write "Bit 20 set: a slot whose best token was this one takes no further part in the run, which ends when none is left.";
    0x094 STOP_1 21 Write "Another one.";
    0x098 STOP_2 21 Write "Another one.";
    0x09c STOP_3 21 Write "Another one.";
    0x0a0 COMMAND 5 Pulse "Bit 0 run, 1 clear the state of SLOT_MASK, 2 save it, 3 load it, 4 soft reset.";
    0x0a4 TOKEN_1 20 Write of 1 "Token that enters slot 1, in a core that has it.";
    0x0a8 TOKEN_2 20 Write of 2 "Token that enters slot 2, in a core that has it.";
    0x0ac TOKEN_3 20 Write of 3 "Token that enters slot 3, in a core that has it.";
    0x0b0 TOKEN_4 20 Write of 4 "Token that enters slot 4, in a core that has it.";
    0x0b4 TOKEN_5 20 Write of 5 "Token that enters slot 5, in a core that has it.";
    0x0b8 TOKEN_6 20 Write of 6 "Token that enters slot 6, in a core that has it.";
    0x0bc TOKEN_7 20 Write of 7 "Token that enters slot 7, in a core that has it.";

    0x0c0 STATUS 5 Read "Bit 0 busy, 1 done, 2 failed, 3 the state of every slot of SLOT_MASK is valid, 4 waiting for the memory after a failure.";
    0x0c4 ERROR 8 Read "Why it failed; see the list of faults.";
    0x0c8 ERROR_SEGMENT 32 Read "Segment at which it failed, from 0.";
    0x0cc TOKENS_DONE 16 Read "Passes that the run has finished.";
    0x0d0 LAST_TOKEN 20 Read "Best token of slot 0 in its last pass that had a head.";
    0x0d4 IMAGE_ID_LO 32 Read "Id of the image that was read last, low word.";
    0x0d8 IMAGE_ID_HI 32 Read "The same, high word.";
    0x0dc SATURATIONS 32 Read "Values clamped since reset.";
    0x0e0 LAST_TOKEN_1 20 Read of 1 "The same of slot 1, in a core that has it.";
    0x0e4 LAST_TOKEN_2 20 Read of 2 "The same of slot 2, in a core that has it.";
    0x0e8 LAST_TOKEN_3 20 Read of 3 "The same of slot 3, in a core that has it.";
    0x0ec LAST_TOKEN_4 20 Read of 4 "The same of slot 4, in a core that has it.";
    0x0f0 LAST_TOKEN_5 20 Read of 5 "The same of slot 5, in a core that has it.";
    0x0f4 LAST_TOKEN_6 20 Read of 6 "The same of slot 6, in a core that has it.";
    0x0f8 LAST_TOKEN_7 20 Read of 7 "The same of slot 7, in a core that has it.";

    0x100 CYCLES_LO 32 Read "Clocks of the run so far, low word.";
    0x104 CYCLES_HI 32 Read "The same, high word.";
    0x108 BEATS_LO 32 Read "Clocks in which a beat of the image was taken, low word.";
    0x10c BEATS_HI 32 Read "The same, high word.";
    0x110 STARVED_LO 32 Read "Clocks in which the core could have taken a beat and had none, low word.";
    0x114 STARVED_HI 32 Read "The same, high word.";
    0x118 BLOCKED_LO 32 Read "Clocks in which a beat waited for the core, low word.";
    0x11c BLOCKED_HI 32 Read "The same, high word.";
    0x120 IDLE_LO 32 Read "Clocks in which there was no beat and none was wanted, low word.";
    0x124 IDLE_HI 32 Read "The same, high word.";
}

/// The token that enters each slot.
pub const TOKENS: [Reg; SLOTS_MAX] =
    [TOKEN_0, TOKEN_1, TOKEN_2, TOKEN_3, TOKEN_4, TOKEN_5, TOKEN_6, TOKEN_7];
/// The best token of each slot.
pub const LAST_TOKENS: [Reg; SLOTS_MAX] = [
    LAST_TOKEN,
    LAST_TOKEN_1,
    LAST_TOKEN_2,
    LAST_TOKEN_3,
    LAST_TOKEN_4,
    LAST_TOKEN_5,
    LAST_TOKEN_6,
    LAST_TOKEN_7,
];
/// The tokens after which a slot stops.
pub const STOPS: [Reg; 4] = [STOP_0, STOP_1, STOP_2, STOP_3];

/// What [`ID`] reads as.
pub const ID_VALUE: u32 = u32::from_le_bytes(*b"STRN");
/// Bits of a byte address on the register bus.
pub const ADDRESS_BITS: u32 = 12;

/// Bits of [`MODE`].
pub mod mode {
    /// Stop before the head.
    pub const NO_HEAD: u32 = 1;
    /// Write every accumulator of the head, of the highest slot.
    pub const LOGITS: u32 = 2;
    /// The slots hold consecutive tokens of one sequence.
    pub const CHAIN: u32 = 4;
}

/// Bits of [`COMMAND`].
pub mod command {
    /// Start a run.
    pub const RUN: u32 = 1;
    /// Clear the state.
    pub const CLEAR: u32 = 2;
    /// Save the state.
    pub const SAVE: u32 = 4;
    /// Load the state.
    pub const LOAD: u32 = 8;
    /// Soft reset: end whatever runs, let the memory finish, forget the fault.
    pub const RESET: u32 = 16;
}

/// Bits of [`STATUS`].
pub mod status {
    /// A command is being obeyed.
    pub const BUSY: u32 = 1;
    /// The last command was obeyed.
    pub const DONE: u32 = 2;
    /// It failed; [`super::ERROR`] says why.
    pub const FAILED: u32 = 4;
    /// The recurrent state is what the passes since the last clear or load made of it.
    pub const STATE_VALID: u32 = 8;
    /// Reads or writes are still under way after a failure or soft reset.
    pub const DRAINING: u32 = 16;
}

/// The valid bit of a stop register.
pub const STOP_VALID: u32 = 1 << 20;

/// What the registers read as that say which core it is, and never change.
pub fn identity(geometry: &Geometry) -> Vec<(Reg, u32)> {
    let (g, hash) = (geometry, geometry.hash());
    vec![
        (ID, ID_VALUE),
        (ISA, ISA_VERSION.into()),
        (MANIFEST_LO, hash as u32),
        (MANIFEST_HI, (hash >> 32) as u32),
        (BUS, g.bus),
        (WAYS, g.ways),
        (QUANTISERS, g.quantisers),
        (TOP_K, g.top_k),
        (SLOTS, g.slots),
        (CHANNELS, 1),
        (MAX_HIDDEN, g.hidden as u32),
        (MAX_INNER, g.inner as u32),
        (MAX_INTERMEDIATE, g.intermediate as u32),
        (MAX_STATE, g.state as u32),
        (PREFETCH, g.prefetch as u32),
    ]
}

impl Reg {
    /// Name of its port.
    pub fn port(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// The registers that a core of so many slots has, by offset.
pub fn of(slots: u32) -> impl Iterator<Item = &'static Reg> {
    ALL.iter().filter(move |reg| reg.slot < slots)
}

/// The registers of a core of so many slots as hardware.
pub fn bank(slots: u32) -> LiteRegisters {
    let register = |r: &Reg| Register {
        name: r.port(),
        offset: r.offset,
        width: r.width,
        access: r.access,
        reset: 0,
        doc: r.doc.into(),
    };
    LiteRegisters {
        name: "sterna".into(),
        addr: ADDRESS_BITS,
        registers: of(slots).map(register).collect(),
    }
}

/// The register map as a page of the manual.
pub fn manual() -> String {
    let mut text = String::from(
        "# Registers\n\n\
         AXI4-Lite, 32 bits, little-endian; generated from `hdl/src/registers.rs`. An access to an\n\
         offset that is not listed, and a write to a register that is only read, answer SLVERR.\n\n\
         | offset | name | bits | | meaning |\n|---|---|---|---|---|\n",
    );
    for r in ALL {
        let access = match r.access {
            Access::Read => "read",
            Access::Write => "read, write",
            Access::Pulse => "write",
        };
        let _ = writeln!(
            text,
            "| {:#05x} | {} | {} | {access} | {} |",
            r.offset, r.name, r.width, r.doc
        );
    }
    text += "\n## Faults\n\nWhat ERROR reads as; 0 means none.\n\n| code | meaning |\n|---|---|\n";
    for fault in Fault::ALL {
        let _ = writeln!(text, "| {} | {} |", fault as u8, fault.meaning());
    }
    text
}
