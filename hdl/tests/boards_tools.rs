//! What a board needs beside the core, before the tools that will read it: Verilator's lint,
//! Icarus, and Yosys' checks with and without `FORMAL`.

mod common;

use common::tools;
use sterna_hdl::core::memory_widths;
use sterna_hdl::sdram::{SdramChip, SdramController};
use sterna_rtl::{AxiWidths, Design, Generate};

fn designs() -> Vec<(String, Design)> {
    let widths = AxiWidths { id: 2, ..memory_widths(64) };
    let units: Vec<Box<dyn Generate>> = vec![
        Box::new(SdramController { chip: SdramChip::ULX3S, widths, hertz: 60_000_000 }),
        Box::new(SdramController { chip: SdramChip::GW2AR_18, widths, hertz: 27_000_000 }),
        Box::new(SdramController {
            chip: SdramChip { cas: 3, ..SdramChip::ULX3S },
            widths: AxiWidths { data: 128, ..widths },
            hertz: 125_000_000,
        }),
    ];
    let build = |unit: &dyn Generate| unit.build().unwrap_or_else(|e| panic!("{e}"));
    units.iter().map(|unit| (unit.name(), build(&**unit))).collect()
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
