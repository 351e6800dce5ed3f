//! A Vivado project: the core, a wrapper that tells Vivado which ports belong together, scripts and
//! settings. Run where Vivado is, else left for somebody who has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sterna_hdl::registers;
use sterna_rtl::{Design, Direction};

use super::figures::{Usage, class};
use super::netlist::Netlist;
use super::report::Report;
use super::tools::{VIVADO, YOSYS};
use super::top::Hardware;
use super::{Options, Sources};
use crate::area::count::lutram;
use crate::board::{Board, BoardError, Link};
use crate::error::{HostError, Result};
use crate::output;

/// The script that every project has.
pub const BUILD: &str = include_str!("../../../scripts/vivado/build.tcl");

/// The script of a kind of memory.
pub fn memory_script(kind: &str) -> Option<&'static str> {
    match kind {
        "ddr3" => Some(include_str!("../../../scripts/vivado/ddr3.tcl")),
        "ddr4" => Some(include_str!("../../../scripts/vivado/ddr4.tcl")),
        "hbm" => Some(include_str!("../../../scripts/vivado/hbm.tcl")),
        _ => None,
    }
}

/// The script of the sensors that the design itself has to serve.
pub fn sensors_script(board: &Board) -> &'static str {
    if has_cms(board) {
        include_str!("../../../scripts/vivado/cms.tcl")
    } else {
        "# The board has none that the design has to serve.\n"
    }
}

fn has_cms(board: &Board) -> bool {
    board.meters.iter().any(|meter| meter == "cms")
}

/// The core as Vivado's block design takes it: AXI ports that it knows as such, an active-low
/// reset, no probes.
pub fn wrapper(design: &Design) -> String {
    let mut ports = String::new();
    let mut pins = String::from("    .clk(aclk),\n    .rst(!aresetn)");
    let kept =
        |name: &str| name.starts_with("m_axi_") || name.starts_with("s_axi_") || name == "irq";
    for port in design.ports.iter().filter(|port| kept(&port.name)) {
        let way = match port.direction {
            Direction::Input => "input ",
            Direction::Output => "output",
        };
        let range =
            if port.width == 1 { String::new() } else { format!("[{}:0] ", port.width - 1) };
        if port.name == "irq" {
            ports += "  (* X_INTERFACE_INFO = \"xilinx.com:signal:interrupt:1.0 irq INTERRUPT\" *)\n\
                      \x20 (* X_INTERFACE_PARAMETER = \"SENSITIVITY LEVEL_HIGH\" *)\n";
        }
        let _ = writeln!(ports, "  {way} wire {range}{},", port.name);
        let _ = write!(pins, ",\n    .{0}({0})", port.name);
    }
    let ports = ports.trim_end().trim_end_matches(',');
    format!(
        "// The core for Vivado's block design: names and attributes that it knows, no probes.\n\
         module sterna_card (\n\
         \x20 (* X_INTERFACE_INFO = \"xilinx.com:signal:clock:1.0 aclk CLK\" *)\n\
         \x20 (* X_INTERFACE_PARAMETER = \"ASSOCIATED_BUSIF m_axi:s_axi, ASSOCIATED_RESET aresetn\" *)\n\
         \x20 input  wire aclk,\n\
         \x20 (* X_INTERFACE_INFO = \"xilinx.com:signal:reset:1.0 aresetn RST\" *)\n\
         \x20 (* X_INTERFACE_PARAMETER = \"POLARITY ACTIVE_LOW\" *)\n\
         \x20 input  wire aresetn,\n\
         {ports}\n\
         );\n\
         \x20 {top} u_core (\n{pins}\n  );\n\
         endmodule\n",
        top = design.top
    )
}

/// The board in Tcl's words.
pub fn settings(board: &Board) -> String {
    let Link::Xdma { generation, lanes } = board.host else {
        unreachable!("a board with a serial line has no core of this kind")
    };
    let speed = ["2.5_GT/s", "5.0_GT/s", "8.0_GT/s", "16.0_GT/s"][generation as usize - 1];
    // What PCIe carries, in a bus that is as wide as it must be: bytes a second, in 1/4 GB.
    let rate = lanes << (generation - 1);
    let (bits, mhz) = match rate {
        0..=4 => (64, 125),
        5..=8 => (128, 125),
        9..=16 => (128, 250),
        17..=32 => (256, 250),
        _ => (512, 250),
    };
    let series = if board.family == "artix7" { "7" } else { "ultrascale" };
    let image = board.image.as_ref().expect("a board with a Vivado project has one");
    let low_ports =
        if board.files[&board.pins].contains("{pcie_clkreq_n}") { "pcie_clkreq_n" } else { "" };
    let pairs = [
        ("part", board.part.clone()),
        ("series", series.into()),
        ("sys_clk_hz", format!("{:.0}", board.input_mhz * 1e6)),
        ("sys_clk_period_ps", format!("{:.0}", (1e6 / board.input_mhz).floor())),
        ("core_mhz", format!("{}", board.core_mhz)),
        ("memory_bytes", board.memory.bytes.to_string()),
        ("memory_part", board.memory.part.clone().unwrap_or_else(|| "none".into())),
        ("memory_bits", board.memory.width_bits.unwrap_or(0).to_string()),
        // A period of the memory's clock has two transfers.
        (
            "memory_period_ps",
            format!("{:.0}", board.memory.mt_s.map_or(0.0, |mt| (2e6 / mt).floor())),
        ),
        ("register_bytes", format!("{}", 1u64 << registers::ADDRESS_BITS)),
        // The core's registers, and behind 256 KiB those of the CMS.
        ("user_kib", if has_cms(board) { "512" } else { "64" }.into()),
        ("pcie_lanes", lanes.to_string()),
        ("pcie_speed", speed.into()),
        ("xdma_bits", bits.to_string()),
        ("xdma_mhz", mhz.to_string()),
        ("low_ports", low_ports.into()),
        ("flash_interface", image.interface.clone()),
        ("flash_megabytes", image.megabytes.to_string()),
        ("flash_offset", format!("{:#x}", image.offset)),
        ("jobs", "4".into()),
    ];
    let mut text = format!("# {}: written by `sterna bitstream` from board.toml.\n", board.name);
    for (name, value) in pairs {
        let _ = writeln!(text, "set {name} {{{value}}}");
    }
    text
}

/// Writes the project into `work`; runs it if Vivado is here, else counts the core's cells.
///
/// # Errors
/// B012 to B014; F001 where the system refuses a file.
pub fn run(
    board: &Board,
    hardware: &Hardware,
    options: &Options,
    work: &Path,
    logs: &Path,
    report: &mut Report,
) -> Result<Option<PathBuf>> {
    let rtl = work.join("rtl");
    fs::create_dir_all(&rtl).map_err(HostError::io(&rtl, "create"))?;
    for file in &hardware.design.files {
        let from = work.join(&file.name);
        fs::rename(&from, rtl.join(&file.name)).map_err(HostError::io(&from, "move"))?;
    }
    let memory = memory_script(&board.memory.kind).expect("hardware is made for these alone");
    // build.tcl reads pins.xdc, whatever the board calls its file.
    let pins = &board.files[&board.pins];
    for (name, text) in [
        ("rtl/sterna_card.v", wrapper(&hardware.design)),
        ("settings.tcl", settings(board)),
        ("memory.tcl", memory.into()),
        ("sensors.tcl", sensors_script(board).into()),
        ("build.tcl", BUILD.into()),
        ("pins.xdc", pins.clone()),
    ] {
        output::write_file(&work.join(name), text.as_bytes())?;
    }
    let Some(_) = VIVADO.find(&options.path) else {
        output::note(&format!(
            "PATH has no vivado: the project is written but not run; where Vivado is, run \
             `vivado -mode batch -source build.tcl` in {}",
            work.display()
        ));
        estimate(board, hardware, options, work, logs, report)?;
        return Ok(None);
    };
    let vivado = VIVADO.need(&options.path)?;
    let args = ["-mode", "batch", "-nojournal", "-nolog", "-source", "build.tcl"];
    let args: Vec<String> = args.iter().map(|word| (*word).to_string()).collect();
    let log = logs.join("vivado.log");
    vivado.run("vivado", &args, work, &log)?;
    let unsound = |what: &str, reason: String| -> HostError {
        let (tool, log) = (vivado.name(), log.clone());
        BoardError::Output { tool, what: what.into(), reason, log }.into()
    };
    let slack = fs::read_to_string(work.join("slack.txt"))
        .map_err(|error| unsound("slack.txt", error.to_string()))?;
    let slack: f64 = slack.trim().parse().map_err(|_| {
        unsound("slack.txt", format!("`{}` is no number of nanoseconds", slack.trim()))
    })?;
    let reached = 1e3 / (1e3 / board.core_mhz - slack);
    if slack < 0.0 && !options.allow_timing_failure {
        return Err(BoardError::Timing {
            board: board.name.clone(),
            clock: "of the worst path".into(),
            reached: format!("{reached:.2}"),
            target: format!("{:.2}", board.core_mhz),
        }
        .into());
    }
    let dir = work.parent().unwrap_or(work);
    let mut bit = Vec::new();
    for (from, to) in [("packed.mcs", "board.mcs"), ("packed.bit", "board.bit")] {
        bit = fs::read(work.join(from)).unwrap_or_default();
        if bit.is_empty() {
            return Err(unsound(from, "there is none".into()));
        }
        output::write_file(&dir.join(to), &bit)?;
    }
    let left = |name: &str| fs::read_to_string(work.join(name)).unwrap_or_default();
    let version = left("version.txt").trim().to_string();
    let used = whole(&left("utilisation.rpt"));
    let usage = used.map_or_else(Vec::new, |used| usage(&board.part, used));
    let tool = (vivado.name(), version);
    report.vendor(tool, reached, used.map(|used| used[0]), usage, &bit);
    Ok(Some(dir.join("board.bit")))
}

/// Cells of the core by Yosys, neither placed nor routed; nothing where there is no Yosys.
fn estimate(
    board: &Board,
    hardware: &Hardware,
    options: &Options,
    work: &Path,
    logs: &Path,
    report: &mut Report,
) -> Result<()> {
    if YOSYS.find(&options.path).is_none() {
        output::note("PATH has no yosys either: the report counts no cells");
        return Ok(());
    }
    let yosys = YOSYS.need(&options.path)?;
    let family = match board.family.as_str() {
        "artix7" => "xc7",
        "kintex-ultrascale" => "xcu",
        _ => "xcup",
    };
    let top = &hardware.design.top;
    // Flat, as Vivado would have it; it makes the buffers of pins and clocks around the core.
    let script = format!(
        "{}\nsynth_xilinx -family {family} -flatten -noiopad -noclkbuf -top {top} -json netlist.json\n",
        Sources::of(board, hardware).read_verilog("rtl/")
    );
    output::write_file(&work.join("netlist.ys"), script.as_bytes())?;
    let log = logs.join("synthesis.log");
    yosys.run("count of cells", &["-q".into(), "netlist.ys".into()], work, &log)?;
    let unsound = |reason: String| -> HostError {
        let (tool, what) = (yosys.name(), "netlist".into());
        BoardError::Output { tool, what, reason, log: log.clone() }.into()
    };
    let text = fs::read_to_string(work.join("netlist.json"));
    let text = text.map_err(|error| unsound(error.to_string()))?;
    let netlist = Netlist::read(&text, top).map_err(unsound)?;
    let used = totals(&netlist.kinds);
    report.counted(&yosys, used[0], usage(&board.part, used), netlist.modules);
    Ok(())
}

/// What the FPGAs have: the start of the part's name; LUTs, registers, block RAMs of 36 kb, DSP
/// blocks. Written from memory: AMD's DS180, DS890 and DS963 have them, and nobody has compared.
const PARTS: [(&str, [u64; 4]); 3] = [
    ("xc7a200t", [134_600, 269_200, 365, 740]),
    ("xcku040", [242_400, 484_800, 600, 1_920]),
    ("xcu280", [1_303_680, 2_607_360, 2_016, 9_024]),
];

/// Share of a part that is used; nothing for one that is not in the table.
fn usage(part: &str, used: [u64; 4]) -> Vec<Usage> {
    let known = PARTS.iter().find(|(start, _)| part.starts_with(start));
    let kinds = ["LUT", "register", "RAMB36", "DSP"].into_iter().zip(used);
    let each = known.into_iter().flat_map(|(_, available)| kinds.clone().zip(*available));
    each.map(|((kind, used), available)| Usage { kind: kind.into(), used, available }).collect()
}

/// The whole design's row of `report_utilization -hierarchical`, as the table counts.
fn whole(report: &str) -> Option<[u64; 4]> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect();
    let mut lines = report.lines().filter(|line| line.starts_with('|'));
    let names: Vec<String> = cells(lines.find(|line| line.contains("Total LUTs"))?);
    let values: Vec<String> = cells(lines.next()?);
    let value = |name: &str| {
        let place = names.iter().position(|known| known.starts_with(name))?;
        values.get(place)?.parse::<u64>().ok()
    };
    let rams = value("RAMB36")? + value("RAMB18")?.div_ceil(2);
    Some([value("Total LUTs")?, value("FFs")?, rams, value("DSP")?])
}

/// Cells as the table counts them.
fn totals(kinds: &BTreeMap<String, u64>) -> [u64; 4] {
    // In halves, as a RAM of 18 kb is half of one.
    let mut halves = [0u64; 4];
    for (kind, n) in kinds {
        let (place, each) = match class(kind) {
            "lut" => (0, 2),
            "lutram" => (0, 2 * lutram(kind)),
            "ff" => (1, 2),
            "ram" => (2, if kind.starts_with("RAMB18") { 1 } else { 2 }),
            "dsp" => (3, 2),
            _ => continue,
        };
        halves[place] += n * each;
    }
    halves.map(|sum| sum.div_ceil(2))
}
