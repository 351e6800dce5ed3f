//! The flow with programs of ours in the tools' place: what goes to them, and what goes wrong.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;

use sterna::bitstream::top::Hardware;
use sterna::bitstream::{Built, Options, build};
use sterna::{HostError, bitstream};
use sterna_rtl::Generate;

use super::{BOARD, Counter, Desk};

/// Yosys: a netlist; nextpnr: a report and places; ecppack: a bitstream of its input's seed.
const YOSYS: &str = r#"case "$*" in
  --version) echo 'Yosys 0 (ours)'; exit 0;;
esac
echo synthesis; cat ../../netlist > netlist.json"#;
const NEXTPNR: &str = r#"case "$*" in
  --version) echo 'nextpnr 0 (ours)'; exit 0;;
esac
echo "$*" > arguments
echo routed > routed.config
cat ../../routed > routed.json
echo '{"fmax": {"clk": {"achieved": 31.5, "constraint": 25.0}},
"utilization": {"TRELLIS_COMB": {"used": 11, "available": 24288}, "DP16KD": {"used": 0, "available": 56}}}' > routed-report.json"#;
/// The counter in its top, and a memory: registers know their lines, the memory its place, and a
/// look-up table what it feeds.
pub const NETLIST: &str = r#"{"modules": {"LUT4": {"attributes": {"blackbox": "1"}},
"mine_top": {"attributes": {"src": "top.v:1.1-5.10"}, "cells": {
"u_counter": {"type": "$scopeinfo", "attributes": {"module": "counter", "module_src": "counter.v:2.1-30.10"}},
"u_counter.ram.0": {"type": "DP16KD", "attributes": {"src": "/share/brams.v:1.1-2.2"}},
"rst_FF": {"type": "TRELLIS_FF", "attributes": {"src": "top.v:3.3-3.40|/share/cells.v:1.1-1.9"},
 "port_directions": {"CLK": "input", "DI": "input", "Q": "output"}, "connections": {"CLK": [2], "DI": ["0"], "Q": [3]}},
"count_FF": {"type": "TRELLIS_FF", "attributes": {"src": "/share/cells.v:1.1-1.9|counter.v:9.3-9.20"},
 "port_directions": {"CLK": "input", "DI": "input", "Q": "output"}, "connections": {"CLK": [2], "DI": [5], "Q": [4]}},
"rst_LUT4": {"type": "LUT4", "attributes": {"src": "/share/cells.v:1.1-1.9"},
 "port_directions": {"A": "input", "B": "input", "Z": "output"}, "connections": {"A": [3], "B": [6], "Z": [5]}},
"other_LUT4": {"type": "LUT4", "port_directions": {"A": "input", "Z": "output"}, "connections": {"A": [4], "Z": [6]}},
"led_LUT4": {"type": "LUT4", "port_directions": {"A": "input", "Z": "output"}, "connections": {"A": [4], "Z": [7]}}
}}}}"#;
const ROUTED: &str = r#"{"modules": {"top": {"cells": {
"u_counter.ram.0": {"type": "DP16KD", "attributes": {"NEXTPNR_BEL": "X4/Y3/EBR0"}},
"rst_FF": {"type": "TRELLIS_FF", "attributes": {"NEXTPNR_BEL": "X2/Y2/SLICEA.FF0"}},
"count_FF": {"type": "TRELLIS_FF", "attributes": {"NEXTPNR_BEL": "X3/Y2/SLICEA.FF0"}},
"rst_LUT4": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X3/Y2/SLICEA.K0"}},
"other_LUT4_pass_lut$": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X4Y2/LUT0"}},
"led_LUT4": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X2/Y2/SLICEA.K0"}},
"$PACKER_VCC": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X2/Y2/SLICEB.K0"}},
"led$tr_io": {"type": "TRELLIS_IO", "attributes": {"NEXTPNR_BEL": "X0/Y2/PIOA"}}
}}}}"#;
const ECPPACK: &str = r#"case "$*" in
  --version) echo 'ecppack 0 (ours)'; exit 0;;
esac
read -r line < routed.config; echo "bits of $line" > packed.bit"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("netlist", NETLIST);
    desk.write("routed", ROUTED);
    desk.program("yosys", YOSYS);
    desk.program("nextpnr-ecp5", NEXTPNR);
    desk.program("ecppack", ECPPACK);
    desk
}

fn run_at(desk: &Desk, dir: &str, allow: bool) -> Result<Built, HostError> {
    let path = OsString::from(desk.path("bin"));
    let options = Options { seed: 5, allow_timing_failure: allow, path, simulated: None };
    let board = desk.board();
    let design = Counter.build().unwrap_or_else(|e| panic!("{e}"));
    let geometry = board.geometry.clone();
    let hardware = Hardware { geometry, design, serial: None, holds: None };
    build(&board, &hardware, &desk.path(dir), &options)
}

fn run(desk: &Desk) -> Result<Built, HostError> {
    run_at(desk, "out", false)
}

#[test]
fn a_bitstream_and_its_report() {
    let desk = desk();
    let built = run(&desk).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(fs::read(built.bit.unwrap()).unwrap(), b"bits of routed\n");
    let report = built.report;
    assert_eq!((report.fmax_mhz, report.target_mhz, report.lut), (Some(31.5), 25.0, Some(11)));
    let arguments = fs::read_to_string(desk.path("out/work/arguments")).unwrap();
    assert_eq!(
        arguments.trim(),
        "--12k --package CABGA256 --speed 6 --lpf pins.lpf --json netlist.json --textcfg \
         routed.config --write routed.json --freq 25 --seed 5 --report routed-report.json --timing-allow-fail"
    );
    let script = fs::read_to_string(desk.path("out/work/netlist.ys")).unwrap();
    insta::assert_snapshot!("script", script);
    let json = fs::read_to_string(desk.path("out/report.json")).unwrap();
    let html = fs::read_to_string(&built.html).unwrap();
    insta::assert_snapshot!("report_json", json);
    insta::assert_snapshot!(
        "report_html",
        html.replace("<tr>", "\n<tr>").replace("<h2>", "\n\n<h2>").replace("<path", "\n<path")
    );
    // Nothing from outside, nothing that runs.
    assert!(!html.contains("src=") && !html.contains("href=") && !html.contains("<script"));
    // Nothing of when and where: the same again elsewhere is the same.
    run_at(&desk, "elsewhere", false).unwrap_or_else(|e| panic!("{e}"));
    for name in ["report.json", "report.html", "board.bit", "geometry.json"] {
        let [one, other] =
            ["out", "elsewhere"].map(|dir| fs::read(desk.path(dir).join(name)).unwrap());
        assert!(one == other, "{name} differs");
    }
    assert_eq!(report.outputs[0].sha256, bitstream::sha256(b"bits of routed\n"));
}

/// Programs of the Python registry come before the distribution's.
#[test]
fn the_pinned_tools_come_first() {
    let desk = desk();
    desk.program("yowasp-ecppack", &ECPPACK.replace("bits of $line", "other"));
    let built = run(&desk).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(fs::read(built.bit.unwrap()).unwrap(), b"other\n");
}

#[test]
fn what_goes_wrong_is_told() {
    let slow = NEXTPNR.replace("31.5", "24.9");
    let nowhere = NEXTPNR.replace("cat ../../routed", "true");
    let odd = NEXTPNR.replace("cat ../../routed", "sed s,X4/Y3/,R3C4/, ../../routed");
    let cases: [(&str, &str, Option<&str>); 14] = [
        ("no Yosys", "yosys", None),
        ("no nextpnr", "nextpnr-ecp5", None),
        ("no ecppack", "ecppack", None),
        ("Yosys fails", "yosys", Some("for n in 1 2 3 4 5 6 7 8 9; do echo line $n; done; exit 1")),
        ("nextpnr is killed", "nextpnr-ecp5", Some("echo ERROR: no BELs left >&2; kill -9 $$")),
        ("a report that is none", "nextpnr-ecp5", Some("echo '{' > routed-report.json")),
        ("no report", "nextpnr-ecp5", Some("true")),
        (
            "a report without a clock",
            "nextpnr-ecp5",
            Some("echo '{\"fmax\": {}, \"utilization\": {}}' > routed-report.json"),
        ),
        ("too slow", "nextpnr-ecp5", Some(&slow)),
        ("no netlist", "yosys", Some("true")),
        ("a netlist of something else", "yosys", Some("echo '{\"modules\": {}}' > netlist.json")),
        ("no places", "nextpnr-ecp5", Some(&nowhere)),
        ("a place that is none", "nextpnr-ecp5", Some(&odd)),
        ("no bitstream", "ecppack", Some("true")),
    ];
    let mut text = String::new();
    for (what, program, script) in cases {
        let desk = desk();
        // A good build before: nothing of it may be taken for the result of the bad one.
        run(&desk).unwrap_or_else(|e| panic!("{e}"));
        match script {
            Some(script) => desk.program(program, script),
            None => fs::remove_file(desk.path("bin").join(program)).unwrap(),
        }
        let Err(error) = run(&desk) else { panic!("{what}: no error") };
        let place = desk.path("").display().to_string();
        writeln!(text, "{what}\n[{}] {}\n", error.code(), error.to_string().replace(&place, ""))
            .unwrap();
        for name in ["board.bit", "report.html", "report.json"] {
            assert!(!desk.path("out").join(name).exists(), "{what}: {name} is left");
        }
    }
    let desk = desk();
    fs::create_dir_all(desk.path("out/work/thesis")).unwrap();
    let Err(error) = run(&desk) else { panic!("a folder of somebody's is emptied") };
    let place = desk.path("").display().to_string();
    writeln!(text, "[{}] {}", error.code(), error.to_string().replace(&place, "")).unwrap();
    assert!(desk.path("out/work/thesis").is_dir());
    insta::assert_snapshot!(text);
    fs::remove_dir_all(desk.path("out/work")).unwrap();
    desk.program("nextpnr-ecp5", &slow);
    let built = run_at(&desk, "out", true).unwrap_or_else(|e| panic!("{e}"));
    assert!(built.bit.unwrap().is_file());
    assert!(built.report.slack_ns.unwrap() < 0.0);
}

#[test]
fn commands_refuse_what_they_cannot_do() {
    let desk = Desk::new();
    let mut text = String::new();
    desk.write("board.bit", "bits");
    fs::create_dir(desk.path("ddr")).unwrap();
    for name in ["pins.lpf", "top.v"] {
        desk.write(&format!("ddr/{name}"), "");
    }
    let ddr = BOARD.replace("\"block\"", "\"ddr4\"\nwidth_bits = 16\nmt_s = 800");
    desk.write("ddr/board.toml", ddr);
    for args in [
        &["bitstream", "--board", "ulx3s-85", "-o", "out"][..],
        &["bitstream", "--board", "bin", "-o", "out"],
        &["bitstream", "--board", "ddr", "-o", "out"],
        &["bitstream", "--board", "board", "--model", "tiny", "-o", "out"],
        &["bitstream", "--board", "nitefury2", "--model", "7b", "-o", "out"],
        &["bitstream", "--board", "tangnano20k", "--model", "370m", "-o", "out"],
        &["flash", "--board", "nitefury2", "board.bit"],
        &["flash", "--board", "board", "missing.bit"],
        &["flash", "--board", "board", "board.bit"],
    ] {
        let (code, out, err) = desk.sterna(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        writeln!(text, "$ sterna {}\n{err}", args.join(" ")).unwrap();
    }
    insta::assert_snapshot!(text);
    assert!(!desk.path("out").exists());
}

#[test]
fn flashing_passes_on_what_the_loader_says() {
    let desk = Desk::new();
    desk.write("board.bit", "bits");
    let progress = "printf 'Load: [====    ] 50.0%%\\rLoad: [========] 100.0%%\\n' >&2";
    desk.program("openFPGALoader", &format!("echo \"loading $*\"; {progress}"));
    let (code, out, err) = desk.sterna(&["flash", "--board", "board", "board.bit"]);
    assert_eq!((code, out.as_str()), (0, "loading --cable mine board.bit\n"));
    assert_eq!(err, "Load: [====    ] 50.0%\rLoad: [========] 100.0%\n");
    let (_, out, _) = desk.sterna(&["flash", "--board", "board", "--keep", "board.bit"]);
    assert_eq!(out, "loading --cable mine --write-flash board.bit\n");
    desk.program("openFPGALoader", "echo no cable >&2; exit 7");
    let (code, _, err) = desk.sterna(&["flash", "--board", "board", "board.bit"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(err);
}
