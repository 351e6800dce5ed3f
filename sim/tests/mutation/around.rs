//! What is not in a core of one slot: the serial link, the memories of boards, and what lies between.
//! The core's stages do not concern them; their own benches are asked first.

use sterna_hdl::sdram::SdramChip;
use sterna_rtl::parts::{RoundRobin, SkidBuffer};
use sterna_rtl::{Design, Generate, UInt};

use crate::common::around::{LINK, MUX, UNEVEN, block_memory, controller, serial_board};

/// Each with the parameters that its bench has.
pub fn designs() -> Vec<Design> {
    let sdram = controller(SdramChip::ULX3S, 60_000_000);
    let (memory, _) = block_memory(UNEVEN);
    let parts: [&dyn Generate; 7] = [
        &SkidBuffer { ty: UInt(64), last: true },
        &RoundRobin { count: 4 },
        &LINK,
        &sdram,
        &memory,
        &MUX,
        &serial_board(),
    ];
    parts.map(|part| part.build().unwrap()).into()
}
