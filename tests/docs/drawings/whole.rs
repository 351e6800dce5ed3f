//! The whole, and its crates.

use crate::sketch::{Kind, Sketch};

/// From a checkpoint to a report.
pub fn whole() -> Sketch {
    use Kind::{Computes, Holds, Moves, Outside};
    let mut s = Sketch::new("whole", "From a checkpoint to joules a token", 500.0);
    let y = 60.0;
    s.part(
        "checkpoint",
        Outside,
        (20.0, y, 140.0),
        "checkpoint",
        &["config.json", "model.safetensors", "tokenizer.json"],
    );
    s.part(
        "import",
        Computes,
        (210.0, y, 140.0),
        "import",
        &["weights to trits", "bounds choose units", "crates model, firmware"],
    );
    s.part(
        "image",
        Holds,
        (400.0, y, 150.0),
        "image (.sterna)",
        &["one linear program", "5 weights a byte", "a CRC each segment"],
    );
    s.part(
        "loop",
        Moves,
        (730.0, y, 150.0),
        "token loop",
        &["tokenizer, sampling", "run chat serve eval", "crate host"],
    );
    s.wire("checkpoint.r", "import.l", "");
    s.wire("import.r", "image.l", "");
    s.wire("image.r", "loop.l", "opened, every CRC");

    let y = 190.0;
    s.part(
        "golden",
        Computes,
        (210.0, y, 140.0),
        "golden, float",
        &["the specification,", "and the f32 model"],
    );
    s.part(
        "sim",
        Computes,
        (400.0, y, 150.0),
        "sim",
        &["the Verilog, clock", "by clock: Verilator"],
    );
    s.part(
        "card",
        Outside,
        (600.0, y, 140.0),
        "xdma, uart",
        &["a PCIe card, a board", "on a serial line"],
    );
    s.frame(
        (200.0, 160.0),
        (750.0, 268.0),
        "one trait, Device: a pass takes tokens and gives the best 64",
    );
    s.wire_by("loop.b+20", &[(825.0, 220.0)], "card.r", "tokens");
    s.path(&[(750.0, 240.0), (845.0, 240.0), (845.0, 136.0)], "");
    s.note((755.0, 256.0), "candidates");
    s.wire("golden.r", "sim.l", "");
    s.wire("sim.l+12", "golden.r+12", "");
    s.note((352.0, 264.0), "bit by bit");

    let y = 320.0;
    s.part(
        "board",
        Outside,
        (20.0, y, 140.0),
        "board.toml",
        &["memory, clock, core,", "pins: a folder"],
    );
    s.part(
        "generator",
        Computes,
        (210.0, y, 140.0),
        "generator",
        &["geometry to modules", "crates hdl/rtl, hdl"],
    );
    s.part(
        "verilog",
        Holds,
        (400.0, y, 150.0),
        "Verilog-2005",
        &["byte for byte", "the same each time"],
    );
    s.part("tools", Outside, (600.0, y, 140.0), "bitstream", &["Yosys, nextpnr,", "or Vivado"]);
    s.wire("board.r", "generator.l", "");
    s.wire("generator.r", "verilog.l", "");
    s.wire("verilog.r", "tools.l", "");
    s.wire("verilog.t", "sim.b", "");
    s.wire("tools.t", "card.b", "");

    let y = 425.0;
    s.part(
        "timing",
        Computes,
        (210.0, y, 140.0),
        "timing model",
        &["every clock of a pass", "plan, verify, fuzz"],
    );
    s.part(
        "meters",
        Moves,
        (600.0, y, 140.0),
        "meters",
        &["hwmon, CMS, RAPL,", "INA226, or a model"],
    );
    s.part("report", Holds, (770.0, y, 110.0), "report", &["joules a token,", "with error bars"]);
    s.wire("meters.r", "report.l", "");
    s.wire_by("loop.b+55", &[(860.0, 390.0), (825.0, 390.0)], "report.t", "");
    s.note((752.0, 384.0), "token times");
    s.path(&[(350.0, 448.0), (475.0, 448.0), (475.0, 381.0)], "");
    s.note((360.0, 466.0), "equal at every instruction");
    s
}

/// Who may use whom.
pub fn crates() -> Sketch {
    use Kind::{Computes, Moves, Outside};
    let mut s = Sketch::new("crates", "The crates: each may use those to its left", 250.0);
    let y = 60.0;
    s.part(
        "model",
        Computes,
        (20.0, y, 150.0),
        "model",
        &["checkpoints, trits,", "the fixed-point", "arithmetic, tokenizer"],
    );
    s.part(
        "firmware",
        Computes,
        (200.0, y, 150.0),
        "firmware",
        &["instructions, image,", "compiler, golden and", "float, trait Device"],
    );
    s.part(
        "hdl",
        Computes,
        (380.0, y, 150.0),
        "hdl",
        &["the core, registers,", "serial link, SDRAM,", "driver of a card"],
    );
    s.part(
        "sim",
        Computes,
        (560.0, y, 150.0),
        "sim",
        &["Verilator, memories,", "lockstep, timing", "model, fake card"],
    );
    s.part(
        "host",
        Moves,
        (740.0, y, 140.0),
        "host",
        &["the command sterna:", "devices, server,", "boards, bitstreams"],
    );
    for (from, to) in [("model", "firmware"), ("firmware", "hdl"), ("hdl", "sim"), ("sim", "host")]
    {
        s.wire(&format!("{from}.r"), &format!("{to}.l"), "");
    }
    let y = 175.0;
    s.part(
        "rtl",
        Computes,
        (380.0, y, 150.0),
        "hdl/rtl",
        &["Rust values in,", "Verilog out; no model"],
    );
    s.part("xdma", Moves, (560.0, y, 150.0), "host/xdma", &["the driver's nodes;", "stands alone"]);
    s.part(
        "power",
        Outside,
        (740.0, y, 140.0),
        "host/power",
        &["meters, recordings;", "stands alone"],
    );
    s.wire("rtl.t", "hdl.b", "");
    s.wire("xdma.t", "sim.b", "");
    s.wire("power.t", "host.b", "");
    s
}
