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

use crate::bitstream::sha256;
use crate::board::{Board, BoardError, Link};
use crate::error::{HostError, Result};

/// What is generated for a board.
pub struct Hardware {
    /// Of the core in it.
    pub geometry: Geometry,
    /// Its Verilog. A board's `pins.top` is around it, or Vivado's block design.
    pub design: Design,
    /// What was generated, if the board has a serial line; else it is the core alone.
    pub serial: Option<SerialBoard>,
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

/// The hardware between a board's pins, or between the vendor's blocks. Where the memory is block
/// RAM, a model is in it from the start.
///
/// # Errors
/// B009 for a memory and link that nobody has written hardware for; S018 for an illegal geometry;
/// C005, F017 for a model that does not fit.
pub fn hardware(board: &Board, model: Option<&Model>) -> Result<Hardware> {
    let geometry = board.geometry.clone();
    let mut holds = None;
    let memory = match (&board.host, board.memory.kind.as_str()) {
        // Memory controller and PCIe are the vendor's.
        (Link::Xdma { .. }, "ddr3" | "ddr4" | "hbm") => None,
        (Link::Uart { baud, .. }, "sdr") => Some((BoardMemory::Sdram(chip(board)?), *baud)),
        (Link::Uart { baud, .. }, "block") => {
            let mut ram = BlockRam::empty(board.memory.bytes);
            if let Some(model) = model {
                let bytes = contents(model, &geometry, ram.bytes).map_err(FirmwareError::from)?;
                holds = Some(Held {
                    image_id: format!("{:016x}", model.image().start().id),
                    bytes: bytes.len() as u64,
                    sha256: sha256(&bytes),
                });
                ram.contents = bytes.into();
            }
            Some((BoardMemory::Block(ram), *baud))
        }
        (link, memory) => {
            let link = match link {
                Link::Uart { .. } => "uart",
                Link::Xdma { .. } => "xdma",
            };
            let what = format!("memory `{memory}` with link `{link}`");
            let instead =
                "there is for sdr and block with uart, and for ddr3, ddr4 and hbm with xdma";
            return Err(no_top(board, what, instead.into()));
        }
    };
    let serial = memory.map(|(memory, baud)| {
        let (geometry, hertz) = (geometry.clone(), (board.core_mhz * 1e6).round() as u32);
        SerialBoard { geometry, memory, hertz, baud: baud as u32 }
    });
    let design = match &serial {
        Some(serial) => serial.build()?,
        None => Core { geometry: geometry.clone() }.build()?,
    };
    Ok(Hardware { geometry, design, serial, holds })
}

/// The SDRAM chip that a board has.
fn chip(board: &Board) -> Result<SdramChip> {
    let chips = [SdramChip::ULX3S, SdramChip::GW2AR_18];
    let wanted = (board.memory.width_bits, board.memory.bytes);
    let chip = chips.into_iter().find(|c| (Some(c.data.into()), c.bytes()) == wanted);
    chip.ok_or_else(|| {
        let what = format!("an SDRAM of {} bytes with this width", board.memory.bytes);
        let known = chips.map(|c| format!("{} bits, {} bytes", c.data, c.bytes()));
        no_top(board, what, format!("there is for {}", known.join("; ")))
    })
}

fn no_top(board: &Board, what: String, instead: String) -> HostError {
    BoardError::NoTop { board: board.name.clone(), what, instead }.into()
}
