//! The front end: the image as it streams.
//!
//! ```text
//! front_end    what it is, and the order of its parts
//! reader       what comes in, where in the image that is, its header
//! run          beats that belong together
//! payload      operand vectors, then row groups
//! stall        what weights wait for
//! walk         from state to state, and from segment to segment
//! checksum     whether payloads are sound
//! operands     which operand memory each vector goes to
//! outputs      what the others are told, and the weights
//! ```

mod checksum;
mod operands;
mod outputs;
mod payload;
mod reader;
mod run;
mod stall;
mod walk;

use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module, UInt};

use super::{HeaderCheck, groups};
use checksum::Checksum;
use payload::Payload;
use reader::{Header, Inputs, Reader};
use stall::Stall;
use walk::Walk;

/// Reads the image: headers, operands, weights, in this order, as they come.
///
/// ```text
///                  +-> [ CRC-32C ] ------------------------- equal? --> fault, pass_ok
///                  |
///  s (beats)-[reg]-+-> [ header check ] -> fields -----------> issue (scale, epilogue)
///      |           +-> operand_write, operand_at, operand_data -> operand memories
///      |           +-> [ delay READ ] -> beat, first, last -----> ternary unit
///      |                code_read, code_at --------------------> code memory
///      +-> which beat it is -> what is wanted next
/// ```
///
/// A header takes its beats and [`FrontEnd::HEADER`] clocks of checking. Operands are taken a beat a
/// clock; weights, too, as long as the codes that they meet are there (`code_there` says so of the
/// next beat of a vector's first row group, `code_taken` when it is taken) and fewer row groups wait
/// for the epilogue than have a place. Nothing else stalls the stream, so a pass is a fixed function
/// of the image and of when its codes are ready.
///
/// Whether a beat is wanted is decided in the clock before, and is a register. All that depends on
/// its being taken in the same clock is which beat comes next, in counters whose ends are known a
/// clock ahead, and whether that one is wanted; everything else sees a beat a clock later.
///
/// Trusts nothing in the stream. A payload's checksum is compared [`FrontEnd::SOUND`] clocks after
/// its last beat; `pass_ok` follows the last one. Cost a CRC unit, [`HeaderCheck`], some 670
/// registers, READ + 1 beats among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Clocks from a payload's last beat, in its register, to its checksum.
const CHECKSUM: usize = 2;

/// What is being read, a bit each; none of them while a header is checked, and between passes.
#[derive(Clone, Copy)]
enum State {
    Header,
    Operands,
    Weights,
}

impl FrontEnd {
    /// Clocks from the one in which a beat is taken to the one in which it is used.
    pub const STAGE: u32 = 1;
    /// Clocks from a header's last beat to its acceptance.
    pub const HEADER: u32 = Self::STAGE + HeaderCheck::LATENCY;
    /// Clocks from an image's last beat to `pass_ok`.
    pub const SOUND: u32 = Self::STAGE + CHECKSUM as u32 + 1;
    /// Clocks from the one in which the epilogue takes a row group to the one in which its place is
    /// free for another.
    pub const ROOM: u32 = 2;
}

impl Generate for FrontEnd {
    fn name(&self) -> String {
        "front_end".into()
    }

    fn describe(&self, m: &Module) {
        // Beats of 64 bytes: of a unit, and of a header.
        let beats = 512 / self.geometry.bus;
        m.doc("Reads the image: checks headers, hands out operands and weights.");
        let inputs = Inputs::new(m, self.geometry.bus);
        let reader = Reader::new(m, &inputs);
        let header = Header::new(m, &self.geometry, &inputs, &reader);
        let payload = Payload::new(m, &reader, &header, beats);
        payload.go_on(m, &reader);
        let places = groups(&self.geometry).depth;
        let stall = Stall::new(m, places, &inputs, &payload, reader.fires);
        let walk = Walk::new(m, &inputs, &reader, &header, &payload, &stall);
        let unit_shift = beats.trailing_zeros();
        let checksum = Checksum::new(m, &reader, &header, &payload, &walk, unit_shift);

        checksum.tell(m, &reader, &header, &walk);
        m.output("segment", UInt(32)).set(reader.segment);
        m.output("pass_ok", UInt(1))
            .comment("The pass was read to its end and is sound.")
            .set(checksum.pass_ok);
        let start_ends = payload.ends & payload.last_vector & header.starting;
        let loaded = start_ends.register("loaded").reset(0);
        m.output("start_loaded", UInt(1)).comment("START's operands are there.").set(loaded);
        m.output("want", UInt(1)).set(reader.want);
        outputs::to_issue(m, &inputs, &reader, &header, &stall);
        operands::write(m, &reader, &payload);
        outputs::to_ternary_unit(m, &reader, &payload, &walk);
    }
}
