//! The tools themselves.

use std::env;
use std::fs;

use sterna::bitstream::report::Report;
use sterna::bitstream::tools::{ECPPACK, NEXTPNR_ECP5, YOSYS, search_path};
use sterna::bitstream::top::{Hardware, hardware};
use sterna::bitstream::{Options, build};
use sterna::board::Board;
use sterna_rtl::{Design, Generate};

use super::{Counter, Desk};

/// Whether everything for an ECP5 is here.
fn tools() -> bool {
    let here =
        [YOSYS, NEXTPNR_ECP5, ECPPACK].iter().all(|tool| tool.find(&search_path()).is_some());
    // Where everything is installed, a check that did not run is a failure.
    assert!(here || env::var_os("CI").is_none(), "a tool is missing: run scripts/setup");
    if !here {
        eprintln!("skipped: Yosys, nextpnr-ecp5 or ecppack is not on PATH");
    }
    here
}

/// A real bitstream, and the same one again.
#[test]
fn the_same_inputs_give_the_same_bytes() {
    if !tools() {
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
    if !tools() {
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

/// Builds a board as it is in `constraints/`, and says what it takes.
fn whole(name: &str) -> Option<Report> {
    if !tools() {
        return None;
    }
    let board = Board::open(name).unwrap();
    let hardware = hardware(&board, None).unwrap_or_else(|e| panic!("{e}"));
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        seed: board.seed,
        allow_timing_failure: false,
        path: search_path(),
        simulated: None,
    };
    let built = build(&board, &hardware, dir.path(), &options).unwrap_or_else(|e| panic!("{e}"));
    assert!(built.bit.is_some_and(|bit| bit.is_file()));
    let report = built.report;
    println!("{name}: {:.2} MHz, {} LUT", report.fmax_mhz.unwrap(), report.lut.unwrap());
    for usage in &report.usage {
        println!("{}: {} of {}", usage.kind, usage.used, usage.available);
    }
    Some(report)
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
