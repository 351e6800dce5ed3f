//! The hardware of a board: the one place where board.toml meets the hardware's own types.

use sterna_firmware::geometry::Geometry;
use sterna_hdl::board::SerialBoard;
use sterna_hdl::core::Core;
use sterna_hdl::sdram::SdramChip;
use sterna_rtl::{Design, Generate};
use sterna_sim::SimError;

use crate::board::{Board, BoardError, Link};
use crate::error::{HostError, Result};

/// What is generated for a board.
pub struct Hardware {
    /// Of the core in it.
    pub geometry: Geometry,
    /// Its Verilog. A board's `pins.top` is around it, or Vivado's block design.
    pub design: Design,
}

/// The hardware between a board's pins, or between the vendor's blocks.
///
/// # Errors
/// B009 for a memory and link that nobody has written hardware for; S018 for an illegal geometry.
pub fn hardware(board: &Board) -> Result<Hardware> {
    let geometry = board.geometry.clone();
    let design = match serial(board)? {
        Some(serial) => serial.build(),
        None => Core { geometry: geometry.clone() }.build(),
    };
    let design = design.map_err(|error| HostError::Firmware(SimError::Core(error).into()))?;
    Ok(Hardware { geometry, design })
}

/// The whole board, if it has a serial line; else it is the core alone, as memory controller and
/// PCIe are the vendor's.
///
/// # Errors
/// B009.
pub fn serial(board: &Board) -> Result<Option<SerialBoard>> {
    match (&board.host, board.memory.kind.as_str()) {
        (Link::Xdma { .. }, "ddr3" | "ddr4" | "hbm") => Ok(None),
        (Link::Uart { baud, .. }, "sdr") => {
            let chips = [SdramChip::ULX3S, SdramChip::GW2AR_18];
            let wanted = (board.memory.width_bits, board.memory.bytes);
            let chip = chips.into_iter().find(|c| (Some(c.data.into()), c.bytes()) == wanted);
            let Some(chip) = chip else {
                let what = format!("an SDRAM of {} bytes with this width", board.memory.bytes);
                let known = chips.map(|c| format!("{} bits, {} bytes", c.data, c.bytes()));
                let (board, instead) =
                    (board.name.clone(), format!("there is for {}", known.join("; ")));
                return Err(BoardError::NoTop { board, what, instead }.into());
            };
            let (hertz, baud) = ((board.core_mhz * 1e6).round() as u32, *baud as u32);
            Ok(Some(SerialBoard { geometry: board.geometry.clone(), chip, hertz, baud }))
        }
        (link, memory) => {
            let link = match link {
                Link::Uart { .. } => "uart",
                Link::Xdma { .. } => "xdma",
            };
            let board = board.name.clone();
            let what = format!("memory `{memory}` with link `{link}`");
            let instead = "there is for sdr with uart, and for ddr3, ddr4 and hbm with xdma".into();
            Err(BoardError::NoTop { board, what, instead }.into())
        }
    }
}
