//! What a board has beside the core: parameters that cannot be, and the Verilog of small parts.

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::board::{BlockMemory, BlockRam, BoardMemory, SerialBoard, Trial};
use sterna_hdl::core::Core;
use sterna_hdl::link::{Replies, Requests};
use sterna_hdl::sdram::{SdramChip, SdramController, SdramRuns};
use sterna_rtl::parts::SkidBuffer;
use sterna_rtl::{AxiWidths, Generate, SInt};

const WIDTHS: AxiWidths = AxiWidths { addr: 40, data: 64, id: 2 };

fn controller() -> SdramController {
    SdramController { chip: SdramChip::ULX3S, widths: WIDTHS, hertz: 60_000_000 }
}

#[test]
fn parameters_are_checked() {
    let good = controller();
    let chip = |change: fn(&mut SdramChip)| {
        let mut chip = good.chip;
        change(&mut chip);
        SdramController { chip, ..good }
    };
    let widths = |data, addr| SdramController { widths: AxiWidths { data, addr, id: 1 }, ..good };
    let mut messages = String::new();
    for unit in [
        chip(|c| c.data = 12),
        chip(|c| c.data = 0),
        chip(|c| c.row = 14),
        chip(|c| c.column = 11),
        chip(|c| c.cas = 1),
        widths(16, 40),
        widths(256, 40),
        widths(64, 24),
        SdramController { hertz: 1_000_000, ..good },
        SdramController { hertz: 200_000_000, ..good },
    ] {
        let error = unit.build().expect_err("it cannot be");
        for problem in &error.problems {
            messages += &format!("{}\n", problem.fault);
        }
    }
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 2, vocab: 100 };
    let geometry = Geometry::for_shape(128, &shape);
    let (memory, hertz) = (BoardMemory::Sdram(good.chip), good.hertz);
    let board = SerialBoard { geometry, memory, hertz, baud: 3_000_000 };
    for problem in &board.build().expect_err("a bus of 128 bits").problems {
        messages += &format!("{}\n", problem.fault);
    }
    for (data, bytes, contents) in
        [(128, 4096, 0), (64, 0, 0), (64, 4095, 0), (64, 1 << 25, 0), (64, 4096, 4097)]
    {
        let ram = BlockRam { bytes, contents: vec![1; contents].into() };
        let memory = BlockMemory { widths: AxiWidths { data, ..WIDTHS }, ram };
        for problem in &memory.build().expect_err("it cannot be").problems {
            messages += &format!("{}\n", problem.fault);
        }
    }
    insta::assert_snapshot!(messages);
}

/// Addresses and cells are each other's inverse, and rows that follow each other lie in banks that
/// do.
#[test]
fn addresses() {
    for chip in [SdramChip::ULX3S, SdramChip::GW2AR_18] {
        let word = u64::from(chip.data / 8);
        let row = word << chip.column;
        for at in [0, word, row - word, row, 5 * row + 3 * word, chip.bytes() - word] {
            assert_eq!(chip.address(chip.cell(at)), at);
            assert_eq!(u64::from(chip.cell(at).bank), at / row % 4);
        }
        assert_eq!(chip.bytes(), (row * 4) << chip.row);
    }
    assert_eq!(SdramChip::ULX3S.bytes(), 32 << 20);
    assert_eq!(SdramChip::GW2AR_18.bytes(), 8 << 20);
}

#[test]
fn verilog() {
    let memory = BlockMemory { widths: WIDTHS, ram: BlockRam::empty(12_288) };
    let trial = Trial { of: SkidBuffer { ty: SInt(2), last: false } };
    let units: [&dyn Generate; 5] =
        [&SdramRuns { controller: controller() }, &Requests, &Replies, &memory, &trial];
    for unit in units {
        let design = unit.build().unwrap_or_else(|e| panic!("{e}"));
        insta::assert_snapshot!(unit.name(), design.file(&design.top).unwrap());
    }
}

/// Nothing of the core but its probes is left open, and four pins are enough for it.
#[test]
fn trial_of_the_core() {
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 2, vocab: 100 };
    let core = Core { geometry: Geometry::for_shape(64, &shape) };
    let inside = core.build().unwrap_or_else(|e| panic!("{e}"));
    let trial = Trial { of: core }.build().unwrap_or_else(|e| panic!("{e}"));
    let pins: Vec<&str> = trial.ports.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(pins, ["clk", "rst", "x", "y"]);
    let text = trial.file(&trial.top).expect("the top is among the files");
    for port in inside.ports.iter().filter(|port| !["clk", "rst"].contains(&port.name.as_str())) {
        let registers = [format!(" to_{};", port.name), format!(" from_{};", port.name)];
        let joined = registers.iter().any(|register| text.contains(register.as_str()));
        assert_eq!(joined, !port.name.starts_with("probe_"), "{}", port.name);
    }
}

/// What cannot be built has no trial.
#[test]
fn trial_of_what_cannot_be() {
    let mut unit = controller();
    unit.hertz = 1_000_000;
    let error = Trial { of: unit }.build().expect_err("it cannot be");
    assert!(error.problems.iter().any(|problem| problem.fault.to_string().contains("Trial::of")));
}
