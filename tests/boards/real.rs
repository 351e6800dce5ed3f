//! The tools themselves.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;

use sterna::bitstream::report::Report;
use sterna::bitstream::tools::{
    ECPPACK, GOWIN_PACK, NEXTPNR_ECP5, NEXTPNR_GOWIN, Tool, YOSYS, search_path,
};
use sterna::bitstream::top::{Hardware, hardware};
use sterna::bitstream::{Options, build, carry};
use sterna::board::{Board, Toolchain};
use sterna_hdl::core::memory_widths;
use sterna_hdl::link::{BUS, HostLink};
use sterna_hdl::registers::ADDRESS_BITS;
use sterna_hdl::sdram::{SdramChip, SdramController};
use sterna_hdl::units::AddSub;
use sterna_rtl::parts::{Access, LiteRegisters, Register};
use sterna_rtl::{AxiKind, Design, Generate, Module, UInt};

use super::{Counter, Desk};

const ECP5: [Tool; 3] = [YOSYS, NEXTPNR_ECP5, ECPPACK];
const GOWIN: [Tool; 3] = [YOSYS, NEXTPNR_GOWIN, GOWIN_PACK];

/// Whether all of these programs are here.
fn tools(wanted: &[Tool]) -> bool {
    let missing = wanted.iter().find(|tool| tool.find(&search_path()).is_none());
    let Some(missing) = missing else { return true };
    // Where everything is installed, a check that did not run is a failure.
    let install = missing.install;
    assert!(env::var_os("CI").is_none(), "no {}; {install}", missing.names[0]);
    eprintln!("skipped: PATH has no {}; {install}", missing.names[0]);
    false
}

/// Yosys' own cell adds and subtracts as the module does that it is put in the place of.
#[test]
fn an_adder_of_carries_is_the_adder() {
    if !tools(&[YOSYS]) {
        return;
    }
    for unit in [AddSub { a: 4, b: 4 }, AddSub { a: 9, b: 9 }, AddSub { a: 22, b: 11 }] {
        let design = unit.build().unwrap_or_else(|e| panic!("{e}"));
        let (name, file) = (&design.top, &design.files[0]);
        let text = carry::carries(&BTreeMap::from([(file.name.clone(), file.text.clone())]));
        let work = tempfile::tempdir().unwrap();
        fs::write(work.path().join(&file.name), &file.text).unwrap();
        let prove = |text: &str| {
            fs::write(work.path().join(carry::CARRIES), text).unwrap();
            let script = format!(
                "read_verilog {}; rename {name} gold; read_verilog -icells {}; rename {name} gate; \
                 proc; miter -equiv -make_assert -flatten gold gate miter; \
                 sat -verify -prove-asserts miter",
                file.name,
                carry::CARRIES
            );
            let yosys = YOSYS.need(&search_path()).unwrap();
            let log = work.path().join("log");
            yosys.run("proof", &["-q".into(), "-p".into(), script], work.path(), &log)
        };
        prove(&text).unwrap_or_else(|e| panic!("{unit:?}: {e}"));
        let wrong = text.replace(".BI(minus)", ".BI(1'b0)");
        assert!(prove(&wrong).is_err(), "{unit:?}: proves anything");
    }
}

/// A comparison by the sign of a difference is the comparison, of signed and unsigned numbers, of
/// equal and of different widths.
#[test]
fn a_comparison_of_carries_is_the_comparison() {
    if !tools(&[YOSYS]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let mut text =
        String::from("module compares (input [8:0] a, input [6:0] b, output [15:0] y);\n");
    let mut bit = 0;
    for of in ["<", "<=", ">", ">="] {
        for (a, b) in [
            ("a", "b"),
            ("b", "a"),
            ("$signed(a)", "$signed(b)"),
            ("$signed(b)", "$signed(a[6:0])"),
        ] {
            writeln!(text, "assign y[{bit}] = {a} {of} {b};").unwrap();
            bit += 1;
        }
    }
    fs::write(work.path().join("compares.v"), text + "endmodule\n").unwrap();
    let prove = |map: &str| {
        fs::write(work.path().join(carry::COMPARE), map).unwrap();
        let script = "read_verilog compares.v; copy compares gold; rename compares gate; \
                      techmap -map compare.v gate; select -assert-none gate/t:$lt gate/t:$gt \
                      gate/t:$le gate/t:$ge; miter -equiv -make_assert -flatten gold gate miter; \
                      sat -verify -prove-asserts miter";
        let yosys = YOSYS.need(&search_path()).unwrap();
        let args = ["-q", "-p", script].map(String::from);
        yosys.run("proof", &args, work.path(), &work.path().join("log"))
    };
    prove(carry::COMPARES).unwrap_or_else(|e| panic!("{e}"));
    let wrong = carry::COMPARES.replace("SIGNED ? B[B_WIDTH-1] : 1'b0", "1'b0");
    assert!(prove(&wrong).is_err(), "proves anything");
}

/// A real bitstream, and the same one again.
#[test]
fn the_same_inputs_give_the_same_bytes() {
    if !tools(&ECP5) {
        return;
    }
    let desk = Desk::new();
    let board = desk.board();
    let mut bits = Vec::new();
    for (dir, seed) in [("one", 1), ("again", 1), ("other", 2)] {
        let design = Counter.build().unwrap_or_else(|e| panic!("{e}"));
        let geometry = board.geometry.clone();
        let hardware = Hardware { geometry, design, serial: None, holds: None };
        let options =
            Options { seed, allow_timing_failure: false, path: search_path(), simulated: None };
        let built =
            build(&board, &hardware, &desk.path(dir), &options).unwrap_or_else(|e| panic!("{e}"));
        let report = built.report;
        assert!(report.fmax_mhz.unwrap() > 25.0 && report.lut.unwrap() >= 4, "{report:?}");
        let counter = report.modules.iter().find(|module| module.name == "counter").unwrap();
        assert_eq!(counter.cells["ff"], 4);
        let parts = report.floorplan.as_ref().unwrap().parts();
        assert!(parts[0].name == "counter" && parts[0].cells >= 7, "{parts:?}");
        let read = |name| fs::read(desk.path(dir).join(name)).unwrap();
        bits.push((read("board.bit"), read("report.json"), read("report.html")));
    }
    assert!(bits[0] == bits[1], "two builds of one design differ");
    assert!(bits[0].0 != bits[2].0, "the seed changes nothing");
}

/// Counts of a small design for each of AMD's families, by Yosys itself.
#[test]
fn yosys_counts_for_amd() {
    if !tools(&ECP5) {
        return;
    }
    for name in ["nitefury2", "kcu105", "alveo-u280"] {
        let design = Counter.build().unwrap_or_else(|e| panic!("{e}"));
        let report = counts(name, design);
        let counter = report.modules.iter().find(|module| module.name == "counter").unwrap();
        assert_eq!(counter.cells["ff"], 4, "{name}");
        let registers = report.usage.iter().find(|usage| usage.kind == "register").unwrap();
        assert_eq!(registers.used, 4, "{name}");
        assert!(report.lut.is_some_and(|lut| lut >= 1), "{name}");
    }
}

/// A design's cells on a board whose tools are not here.
fn counts(name: &str, design: Design) -> Report {
    let (board, dir) = (Board::open(name).unwrap(), tempfile::tempdir().unwrap());
    let geometry = board.geometry.clone();
    let hardware = Hardware { geometry, design, serial: None, holds: None };
    // Vivado may be here.
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let yosys = YOSYS.find(&search_path()).unwrap();
    std::os::unix::fs::symlink(&yosys, bin.join(yosys.file_name().unwrap())).unwrap();
    let options =
        Options { seed: 1, allow_timing_failure: false, path: bin.into(), simulated: None };
    let built = build(&board, &hardware, &dir.path().join("out"), &options);
    let built = built.unwrap_or_else(|e| panic!("{e}"));
    let html = fs::read_to_string(&built.html).unwrap();
    assert!(html.contains("Modules (synthesised, unrouted)"), "{html}");
    let report = built.report;
    assert_eq!((&built.bit, report.fmax_mhz, report.clocks.len()), (&None, None, 0));
    report
}

#[test]
#[ignore = "the cores of three boards, some minutes each"]
fn the_cores_fit_amds_parts() {
    for name in ["nitefury2", "kcu105", "alveo-u280"] {
        let design =
            hardware(&Board::open(name).unwrap(), None).unwrap_or_else(|e| panic!("{e}")).design;
        let report = counts(name, design);
        for usage in &report.usage {
            println!("{name}: {} {} of {}", usage.kind, usage.used, usage.available);
            assert!(usage.used > 0 && usage.used < usage.available, "{name}: {usage:?}");
        }
        let sum: u64 = report.modules.iter().filter_map(|module| module.cells.get("ff")).sum();
        assert_eq!(sum, report.usage[1].used, "{name}: a register in no module");
    }
}

/// Builds a board as it is in `constraints/`, around hardware, and says what it takes.
fn built(board: &Board, hardware: &Hardware, allow_timing_failure: bool) -> Option<Report> {
    let wanted = if board.toolchain == Toolchain::Gowin { GOWIN } else { ECP5 };
    if !tools(&wanted) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let (seed, path) = (board.seed, search_path());
    let options = Options { seed, allow_timing_failure, path, simulated: None };
    let built = build(board, hardware, dir.path(), &options).unwrap_or_else(|e| panic!("{e}"));
    let size = built.bit.and_then(|bit| fs::metadata(bit).ok()).map(|file| file.len());
    assert!(size.is_some_and(|bytes| bytes > 100_000), "{size:?} bytes are no bitstream");
    let report = built.report;
    println!("{}: {:.2} MHz, {} LUT", board.name, report.fmax_mhz.unwrap(), report.lut.unwrap());
    for usage in &report.usage {
        println!("{}: {} of {}", usage.kind, usage.used, usage.available);
    }
    Some(report)
}

fn whole(name: &str) -> Option<Report> {
    let board = Board::open(name).unwrap();
    let hardware = hardware(&board, None).unwrap_or_else(|e| panic!("{e}"));
    built(&board, &hardware, false)
}

#[test]
fn ulx3s_meets_its_clock() {
    if let Some(report) = whole("ulx3s-85f") {
        assert!(report.fmax_mhz.unwrap() >= 60.0);
    }
}

#[test]
#[ignore = "ten minutes"]
fn block_meets_its_clock() {
    if let Some(report) = whole("ulx3s-85f-block") {
        assert!(report.fmax_mhz.unwrap() >= 60.0);
        let memory = &report.usage.iter().find(|usage| usage.kind == "DP16KD").unwrap();
        // 160 of them are the memory's: none is wasted.
        assert!((160..=208).contains(&memory.used), "{memory:?}");
    }
}

#[test]
#[ignore = "a quarter of an hour"]
fn versa_meets_its_clock() {
    if let Some(report) = whole("versa-ecp5") {
        assert!(report.fmax_mhz.unwrap() >= 60.0);
    }
}

/// A serial board without its core: the host reads and writes the memory, and one register.
struct Coreless {
    hertz: u32,
    baud: u32,
}

impl Generate for Coreless {
    fn name(&self) -> String {
        "sterna_serial_board".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("SDRAM and a serial link.");
        let (chip, hertz, baud) = (SdramChip::GW2AR_18, self.hertz, self.baud);
        let link = m.instance("u_link", &HostLink { hertz, baud, memory: chip.bytes() });
        link.set("rx", m.input("rx", UInt(1)));
        m.output("tx", UInt(1)).set(link.port("tx"));
        let (name, doc) = ("light".to_string(), "Whether it burns.".to_string());
        let (width, access) = (1, Access::Write);
        let light = Register { name, offset: 0, width, access, reset: 0, doc };
        let (name, addr) = ("coreless".into(), ADDRESS_BITS);
        let bank = LiteRegisters { name, addr, registers: vec![light] };
        let lite = bank.widths();
        let bank = m.instance("u_bank", &bank);
        let slave = bank.axi("s_axi", AxiKind::Lite, lite);
        slave.connect(&link.axi("m_lite", AxiKind::Lite, lite));
        m.output("irq", UInt(1)).set(bank.port("light"));
        let widths = memory_widths(BUS);
        let memory = m.instance("u_memory", &SdramController { chip, widths, hertz });
        let slave = memory.axi("s_axi", AxiKind::Full, widths);
        slave.connect(&link.axi("m_axi", AxiKind::Full, widths));
        for pin in SdramController::PINS {
            let name = format!("sdram_{pin}");
            let pin = memory.port(&name);
            m.output(name, pin.ty()).set(pin);
        }
        memory.set("sdram_dq_in", m.input("sdram_dq_in", UInt(chip.data)));
    }
}

/// The Tang Nano's pins, clocks, memory in the package and host, down to a bitstream.
#[test]
#[ignore = "some minutes, and wants the tools of scripts/setup --long"]
fn tangnano_packs_without_its_core() {
    let board = Board::open("tangnano20k").unwrap();
    let design = Coreless { hertz: 54_000_000, baud: 3_000_000 }.build();
    let design = design.unwrap_or_else(|e| panic!("{e}"));
    let geometry = board.geometry.clone();
    let hardware = Hardware { geometry, design, serial: None, holds: None };
    built(&board, &hardware, false);
}

/// The core has more registers than the FPGA: nextpnr refuses it. The day it fits, this fails.
#[test]
#[ignore = "some minutes, and wants the tools of scripts/setup --long"]
fn tangnano_does_not_hold_its_core() {
    if !tools(&GOWIN) {
        return;
    }
    let board = Board::open("tangnano20k").unwrap();
    let hardware = hardware(&board, None).unwrap_or_else(|e| panic!("{e}"));
    let dir = tempfile::tempdir().unwrap();
    let (seed, path) = (board.seed, search_path());
    let options = Options { seed, allow_timing_failure: true, path, simulated: None };
    let Err(error) = build(&board, &hardware, dir.path(), &options) else { panic!("it fits now") };
    assert_eq!(error.code(), "B012", "{error}");
    let log = fs::read_to_string(dir.path().join("logs/place-and-route.log")).unwrap();
    assert!(log.contains("legal placement"), "{error}");
}
