//! What a board needs beside the core, before the tools that will read it: Verilator's lint,
//! Icarus, and Yosys' checks with and without `FORMAL`.

mod common;

use common::tools;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::board::{BlockMemory, BlockRam, BoardMemory, SerialBoard};
use sterna_hdl::core::memory_widths;
use sterna_hdl::link::HostLink;
use sterna_hdl::sdram::{SdramChip, SdramController};
use sterna_rtl::parts::AxiMux;
use sterna_rtl::{AxiWidths, Design, Generate};

/// The smallest core that the library's models have, on each memory.
fn boards() -> [SerialBoard; 3] {
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 2, vocab: 100 };
    let geometry = Geometry::for_shape(64, &shape);
    let (hertz, baud, chip) = (60_000_000, 3_000_000, SdramChip::ULX3S);
    let memory = BoardMemory::Sdram(chip);
    let ulx3s = SerialBoard { geometry, memory, hertz, baud };
    let memory = BoardMemory::Sdram(SdramChip::GW2AR_18);
    let tang = SerialBoard { memory, hertz: 27_000_000, ..ulx3s.clone() };
    let memory = BoardMemory::Block(ram(1 << 18));
    let block = SerialBoard { memory, ..ulx3s.clone() };
    [ulx3s, tang, block]
}

/// Block RAM that is not empty: five words, and zeros.
fn ram(bytes: u64) -> BlockRam {
    BlockRam { bytes, contents: (1..=40).collect() }
}

fn designs() -> Vec<(String, Design)> {
    let widths = AxiWidths { id: 2, ..memory_widths(64) };
    let units: Vec<Box<dyn Generate>> = vec![
        Box::new(SdramController { chip: SdramChip::ULX3S, widths, hertz: 60_000_000 }),
        Box::new(SdramController { chip: SdramChip::GW2AR_18, widths, hertz: 27_000_000 }),
        Box::new(BlockMemory { widths, ram: ram(311_296) }),
        Box::new(BlockMemory { widths, ram: BlockRam::empty(4096) }),
        Box::new(AxiMux { widths: memory_widths(64) }),
        Box::new(HostLink { hertz: 60_000_000, baud: 3_000_000, memory: 1 << 25 }),
        Box::new(SdramController {
            chip: SdramChip { cas: 3, ..SdramChip::ULX3S },
            widths: AxiWidths { data: 128, ..widths },
            hertz: 125_000_000,
        }),
    ];
    let build = |unit: &dyn Generate| unit.build().unwrap_or_else(|e| panic!("{e}"));
    let units = units.iter().map(|unit| (unit.name(), build(&**unit)));
    let boards = boards();
    let boards = (0..).zip(&boards).map(|(n, b): (u32, _)| (format!("board_{n}"), build(b)));
    units.chain(boards).collect()
}

#[test]
fn lint_finds_nothing() {
    tools::lint_finds_nothing(&designs());
}

#[test]
fn icarus_says_nothing() {
    tools::icarus_says_nothing(&designs());
}

#[test]
fn yosys_accepts() {
    tools::yosys_accepts("boards", &designs(), &["", "-formal"]);
}
