//! What is put around a design: a Verilog module above it, C functions around the model.

use std::fmt::Write;

use sterna_rtl::{Design, Direction};

/// The C++ around the model; the same for every design.
pub(crate) const SHIM: &str = include_str!("cpp/shim.cpp");
/// Only the shim's functions are seen from outside: two models in one process share nothing.
pub(crate) const EXPORTS: &str = include_str!("cpp/exports.map");
/// What the waveform writer includes of two libraries.
pub(crate) const HEADERS: [(&str, &str); 2] =
    [("lz4.h", include_str!("cpp/lz4.h")), ("zlib.h", include_str!("cpp/zlib.h"))];

/// Name of the module above the design.
pub(crate) const TOP: &str = "sterna_sim_top";

/// The module above the design, with ports `p0`, `p1`, ... in the design's order.
///
/// Verilator turns port names into C++ members and has to rename some (`new`, `a__b`, `eval`);
/// numbered ports need no knowledge of its rules. Waveforms show only what is below.
pub(crate) fn wrapper(design: &Design) -> String {
    let (mut ports, mut pins) = (vec![], vec![]);
    for (i, port) in design.ports.iter().enumerate() {
        let direction = if port.direction == Direction::Input { "input" } else { "output" };
        ports.push(format!("  {direction} wire [{}:0] p{i}", port.width.saturating_sub(1)));
        pins.push(format!("    .{}(p{i})", port.name));
    }
    format!(
        "// verilator lint_off DECLFILENAME\n\
         // verilator tracing_off\n\
         module {TOP} (\n{}\n);\n\
         // verilator tracing_on\n  {} dut (\n{}\n  );\nendmodule\n",
        ports.join(",\n"),
        design.top,
        pins.join(",\n")
    )
}

/// `ports.h`: the address of each port of the model by its number, and which one is the clock.
pub(crate) fn ports(design: &Design) -> String {
    let mut text = String::new();
    for (i, port) in design.ports.iter().enumerate() {
        let address = if port.width > 64 { format!("m->p{i}.data()") } else { format!("&m->p{i}") };
        let _ = writeln!(text, "    case {i}: return {address};");
    }
    text
}

/// The member that `step()` moves, as the shim's macro `CLOCK`.
pub(crate) fn clock(design: &Design) -> Option<String> {
    let clock = design.clock.as_deref()?;
    design.ports.iter().position(|p| p.name == clock).map(|i| format!("-DCLOCK=p{i}"))
}
