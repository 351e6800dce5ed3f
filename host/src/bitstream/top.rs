//! The hardware of a board: the one place where board.toml meets the hardware's own types.

use serde::Serialize;
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::board::{BlockRam, BoardMemory, SerialBoard};
use sterna_hdl::core::Core;
use sterna_hdl::driver::contents;
use sterna_hdl::sdram::SdramChip;
use sterna_rtl::{Design, Generate};
use sterna_sim::SimError;

use crate::bitstream::sha256;
use crate::board::{Board, BoardError, Link};
use crate::error::{HostError, Result};

/// What is generated for a board.
pub struct Hardware {
    /// Of the core in it.
    pub geometry: Geometry,
    /// Its Verilog. A board's `pins.top` is around it, or Vivado's block design.
    pub design: Design,
    /// What its memory holds when it is configured, if anything.
    pub holds: Option<Held>,
}

/// A model that a memory holds from its start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Of its image, as `sterna inspect` shows it: 16 hexadecimal digits.
    pub image_id: String,
    /// Bytes of the memory with the loader's label, image and rows.
    pub bytes: u64,
    /// SHA-256 of these.
    pub sha256: String,
}

/// Whether the memory can hold a model from its start.
pub fn can_hold(board: &Board) -> bool {
    board.memory.kind == "block"
}

/// The hardware between a board's pins, or between the vendor's blocks; a model is in its memory
/// from the start, if the memory [can hold](can_hold) one.
///
/// # Errors
/// As [`serial`]; S018 for an illegal geometry.
pub fn hardware(board: &Board, model: Option<&Model>) -> Result<Hardware> {
    let geometry = board.geometry.clone();
    let serial = serial(board, model)?;
    let held = serial.as_ref().and_then(|serial| match &serial.memory {
        BoardMemory::Block(ram) if !ram.contents.is_empty() => Some(&ram.contents),
        _ => None,
    });
    let holds = model.zip(held).map(|(model, bytes)| Held {
        image_id: format!("{:016x}", model.image().start().id),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    });
    let design = match &serial {
        Some(serial) => serial.build(),
        None => Core { geometry: geometry.clone() }.build(),
    };
    let design = design.map_err(|error| HostError::Firmware(SimError::Core(error).into()))?;
    Ok(Hardware { geometry, design, holds })
}

/// A whole board with a serial line. Of one with PCIe there is the core alone: memory controller and
/// PCIe are the vendor's.
///
/// # Errors
/// B009 for a memory and link that nobody has written hardware for; C005, F017 for a model that does
/// not fit.
pub fn serial(board: &Board, model: Option<&Model>) -> Result<Option<SerialBoard>> {
    let (memory, baud) = match (&board.host, board.memory.kind.as_str()) {
        (Link::Xdma { .. }, "ddr3" | "ddr4" | "hbm") => return Ok(None),
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
            (BoardMemory::Sdram(chip), *baud)
        }
        (Link::Uart { baud, .. }, "block") => {
            let mut ram = BlockRam::empty(board.memory.bytes);
            if let Some(model) = model {
                let bytes = contents(model, &board.geometry, ram.bytes);
                ram.contents = bytes.map_err(FirmwareError::from)?.into();
            }
            (BoardMemory::Block(ram), *baud)
        }
        (link, memory) => {
            let link = match link {
                Link::Uart { .. } => "uart",
                Link::Xdma { .. } => "xdma",
            };
            let board = board.name.clone();
            let what = format!("memory `{memory}` with link `{link}`");
            let instead =
                "there is for sdr and block with uart, and for ddr3, ddr4 and hbm with xdma";
            let instead = instead.into();
            return Err(BoardError::NoTop { board, what, instead }.into());
        }
    };
    let (geometry, hertz) = (board.geometry.clone(), (board.core_mhz * 1e6).round() as u32);
    Ok(Some(SerialBoard { geometry, memory, hertz, baud: baud as u32 }))
}
