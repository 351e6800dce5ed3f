//! Writes a serial board's Verilog: `serial_board DIR [tiny|5m] [MHz]`.

use std::path::PathBuf;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::board::{BoardMemory, SerialBoard};
use sterna_hdl::sdram::SdramChip;
use sterna_rtl::Generate;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("which folder?")?);
    let shape = match words.next().as_deref() {
        Some("tiny") => Shape { hidden: 128, inner: 128, intermediate: 512, layers: 2, vocab: 512 },
        _ => Shape { hidden: 256, inner: 256, intermediate: 768, layers: 6, vocab: 512 },
    };
    let mhz: u32 = words.next().map_or(Ok(60), |word| word.parse())?;
    let geometry = Geometry::for_shape(64, &shape);
    let hertz = mhz * 1_000_000;
    let memory = BoardMemory::Sdram(SdramChip::ULX3S);
    let board = SerialBoard { geometry, memory, hertz, baud: 3_000_000 };
    std::fs::create_dir_all(&folder)?;
    for file in &board.build()?.files {
        std::fs::write(folder.join(&file.name), &file.text)?;
    }
    Ok(())
}
