//! The project for Vivado, read without Vivado: addresses, ports, widths, constraints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use sterna::bitstream::top::hardware;
use sterna::bitstream::vivado::{BUILD, memory_script, sensors_script, settings, wrapper};
use sterna::board::{Board, Toolchain, built_in};
use sterna_hdl::registers;
use sterna_rtl::Direction;

use super::Desk;
use super::tcl::{all, commands};

fn boards() -> Vec<Board> {
    let boards = built_in().into_iter().map(|name| Board::open(name).unwrap());
    let boards: Vec<Board> = boards.filter(|b| b.toolchain == Toolchain::Vivado).collect();
    assert_eq!(boards.len(), 3);
    boards
}

/// Variables of settings.tcl.
fn variables(board: &Board) -> BTreeMap<String, String> {
    let commands = commands(&settings(board)).unwrap();
    commands
        .into_iter()
        .map(|command| {
            assert_eq!((command[0].as_str(), command.len()), ("set", 3));
            (command[1].clone(), command[2].clone())
        })
        .collect()
}

#[test]
fn settings_and_wrapper() {
    for board in boards() {
        insta::assert_snapshot!(format!("settings_{}", board.name), settings(&board));
    }
    let board = Board::open("nitefury2").unwrap();
    let design = hardware(&board, None).unwrap_or_else(|e| panic!("{e}")).design;
    insta::assert_snapshot!("wrapper", wrapper(&design));
}

/// The wrapper has the core's ports, of their direction and width, and connects each.
#[test]
fn the_wrapper_has_the_cores_ports() {
    for board in boards() {
        let design = hardware(&board, None).unwrap_or_else(|e| panic!("{e}")).design;
        let text = wrapper(&design);
        let mut seen = 0;
        for port in
            design.ports.iter().filter(|port| port.name.contains("_axi_") || port.name == "irq")
        {
            let way = if port.direction == Direction::Input { "input " } else { "output" };
            let range = match port.width {
                1 => String::new(),
                width => format!("[{}:0] ", width - 1),
            };
            let line = format!("  {way} wire {range}{}", port.name);
            assert!(text.lines().any(|l| l.trim_end_matches(',') == line), "{line}");
            assert!(text.contains(&format!("    .{0}({0})", port.name)), "{}", port.name);
            seen += 1;
        }
        assert!(seen > 50, "{seen} ports");
        assert!(text.contains(&format!("[{}:0] m_axi_rdata", board.geometry.bus - 1)));
        assert!(text.contains("[11:0] s_axi_araddr") && registers::ADDRESS_BITS == 12);
        assert!(text.contains(".clk(aclk)") && text.contains(".rst(!aresetn)"));
    }
}

/// A second reader of Verilog takes wrapper and core together.
#[test]
fn icarus_accepts_the_wrapper() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("iverilog").is_file()) {
        // Where everything is installed, a check that did not run is a failure.
        assert!(std::env::var_os("CI").is_none(), "`iverilog` is missing: run scripts/setup");
        eprintln!("skipped: `iverilog` is not on PATH");
        return;
    }
    let tiny = sterna::board::fit::shape("tiny").unwrap();
    let board = Board::open("nitefury2").unwrap().with_core_for(&tiny);
    let design = hardware(&board, None).unwrap_or_else(|e| panic!("{e}")).design;
    let desk = tempfile::tempdir().unwrap();
    for file in &design.files {
        fs::write(desk.path().join(&file.name), &file.text).unwrap();
    }
    fs::write(desk.path().join("sterna_card.v"), wrapper(&design)).unwrap();
    let args = ["-g2005", "-Wall", "-y", ".", "-o", "out", "-s", "sterna_card", "sterna_card.v"];
    let out = Command::new("iverilog").args(args).current_dir(&desk).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    // The probes are left open, and nothing else.
    let others: Vec<&str> = said.lines().filter(|line| !line.contains("probe_")).collect();
    assert!(out.status.success() && others.is_empty(), "{said}");
}

/// Everything that a script names is there: variables, cells, ports.
#[test]
fn the_scripts_name_only_what_there_is() {
    for board in boards() {
        let memory = memory_script(&board.memory.kind).unwrap();
        let sensors = sensors_script(&board);
        let text = format!("{}\n{memory}\n{BUILD}\n{sensors}", settings(&board));
        let found = all(&text).unwrap_or_else(|e| panic!("{}: {e}", board.name));
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut cells = BTreeSet::new();
        for command in &found {
            match command[0].as_str() {
                "set" => drop(known.insert(command[1].clone())),
                "foreach" => known.extend(command[1].split_whitespace().map(String::from)),
                "create_bd_cell" => drop(cells.insert(command.last().unwrap().clone())),
                _ => {}
            }
        }
        let bare = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for line in bare {
            for part in line.split('$').skip(1) {
                let name = part.trim_start_matches('{');
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &name[..end.unwrap_or(name.len())];
                assert!(known.contains(name), "{}: ${name} is never set", board.name);
            }
        }
        let resets = ["axi_reset", "apb_reset"];
        for command in found.iter().filter(|c| c[0] == "get_bd_pins" || c[0] == "get_bd_intf_pins")
        {
            let pin = &command[1];
            if pin.contains('$') {
                continue;
            }
            let (cell, pin) = pin.split_once('/').expect("cell and pin");
            let there = cells.contains(cell) || resets.contains(&cell);
            assert!(there, "{}: there is no cell {cell}", board.name);
            if cell == "core" {
                let ports = ["aclk", "aresetn", "irq", "m_axi", "s_axi"];
                assert!(ports.contains(&pin), "the core has no {pin}");
            }
        }
        // What memory.tcl promises to build.tcl.
        for name in ["memory_axi", "memory_clock", "memory_ready", "core_clock", "memory_segments"]
        {
            let set = all(memory).unwrap().iter().any(|c| c[0] == "set" && c[1] == name);
            assert!(set, "{}: {name}", board.name);
        }
    }
}

/// Where the CMS has its registers, and how many bytes of them: as the meter has it.
const CMS: [u64; 2] = [0x4_0000, 0x4_0000];

/// The driver reaches memory from 0, as the core does, and registers from 0 of the user BAR.
#[test]
fn addresses_are_the_drivers() {
    let found = all(BUILD).unwrap();
    let after = |command: &[String], option: &str| {
        let at = command.iter().position(|word| word == option).expect("the option");
        command[at + 1].clone()
    };
    let assigned: Vec<_> = found.iter().filter(|c| c[0] == "assign_bd_address").collect();
    assert_eq!(assigned.len(), 2);
    let lines: Vec<[String; 4]> = assigned
        .iter()
        .map(|command| {
            let space = after(command, "-target_address_space");
            let (offset, range) = (after(command, "-offset"), after(command, "-range"));
            [offset, range, space, command.last().unwrap().clone()]
        })
        .collect();
    let [memory, bar] = [&lines[0], &lines[1]];
    assert_eq!(
        memory.join(" "),
        "$offset $share [get_bd_addr_spaces $space] [get_bd_addr_segs $segment]"
    );
    assert_eq!(
        bar.join(" "),
        "0x0 $register_bytes [get_bd_addr_spaces xdma/M_AXI_LITE] [get_bd_addr_segs core/s_axi/reg0]"
    );
    // Both masters, from 0, one segment after the other.
    assert!(
        BUILD.contains("\nset offset 0\n")
            && BUILD.contains("foreach space {core/m_axi xdma/M_AXI}")
    );
    assert!(BUILD.contains("incr offset $share"));
    assert!(BUILD.contains("[get_bd_pins core/irq] [get_bd_pins xdma/usr_irq_req]"));
    assert!(BUILD.contains("CONFIG.pciebar2axibar_axil_master {0x00000000}"));
    for board in boards() {
        let variables = variables(&board);
        let number = |name: &str| variables[name].parse::<u64>().unwrap();
        assert_eq!(number("memory_bytes"), board.memory.bytes);
        assert_eq!(number("register_bytes"), 1 << registers::ADDRESS_BITS);
        // The user BAR holds them, and the CMS behind them; its size is in KiB.
        assert!(BUILD.contains("CONFIG.axilite_master_size $user_kib"));
        let user = number("user_kib") << 10;
        assert!(user.is_power_of_two() && number("register_bytes") <= user.min(CMS[0]));
        if board.meters.iter().any(|meter| meter == "cms") {
            assert!(CMS[0] + CMS[1] <= user);
        }
        // Vivado's ranges are powers of two.
        let segments = if board.memory.kind == "hbm" { 32 } else { 1 };
        assert!((board.memory.bytes / segments).is_power_of_two());
        // XDMA's bus carries what the lanes do: bits · MHz / 8 against 250 MB/s a lane and Gen.
        let rate = match variables["pcie_speed"].as_str() {
            "5.0_GT/s" => 500,
            "8.0_GT/s" => 1000,
            other => panic!("{other}"),
        };
        let lanes = number("pcie_lanes") * rate;
        assert!(number("xdma_bits") * number("xdma_mhz") / 8 >= lanes, "{}", board.name);
        // Clocks: the period of the memory's has two transfers; MIG's is in mig.prj.
        let period = 2e6 / board.memory.mt_s.unwrap();
        assert!((number("memory_period_ps") as f64 - period).abs() < 1.0);
        if let Some(mig) = board.files.get("mig.prj") {
            assert!(mig.contains(&format!("<TimePeriod>{period}</TimePeriod>")));
            assert!(mig.contains(&format!("<C0_MEM_SIZE>{}</C0_MEM_SIZE>", board.memory.bytes)));
            let width = board.memory.width_bits.unwrap();
            assert!(mig.contains(&format!("<DataWidth>{width}</DataWidth>")));
            assert!(mig.contains(&format!("<InputClkFreq>{}</InputClkFreq>", board.input_mhz)));
            // The core is on the controller's clock, a quarter of the memory's, with its width.
            assert_eq!(board.core_mhz, board.memory.mt_s.unwrap() / 8.0);
            let axi = format!("<C0_S_AXI_DATA_WIDTH>{}<", board.geometry.bus);
            assert!(mig.contains(&axi));
        }
    }
}

/// Tcl itself runs the scripts; what Vivado would bring writes down what it was told.
const STUBS: &str = r#"
set told [open told w]
proc unknown args {
  puts $::told $args
  switch -glob -- $args {
    "get_property PROGRESS *" { return 100% }
    "get_property SLACK *" { return 0.125 }
    "get_property IP_DIR *" { return . }
    "get_property CONFIG.SENSITIVITY *" { return EDGE_RISING }
    "get_*" { return [lindex $args 1] }
    "version -short" { return 2022.2 }
  }
}
source build.tcl
close $told
"#;

/// The addresses that Vivado is told are those of the driver, and the last step is an image.
#[test]
fn tcl_runs_the_scripts() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("tclsh").is_file()) {
        // Where everything is installed, a check that did not run is a failure.
        assert!(std::env::var_os("CI").is_none(), "`tclsh` is missing: run scripts/setup");
        eprintln!("skipped: `tclsh` is not on PATH");
        return;
    }
    for board in boards() {
        let desk = Desk::new();
        let args = ["bitstream", "--board", &board.name, "-o", "out"];
        let (code, _, err) = desk.sterna(&args);
        assert_eq!(code, 0, "{err}");
        desk.write("out/work/stubs.tcl", STUBS);
        fs::create_dir_all(desk.path("out/work/project/card.runs/impl_1")).unwrap();
        desk.write("out/work/project/card.runs/impl_1/card_wrapper.bit", "bits");
        let work = desk.path("out/work");
        let out = Command::new("tclsh").arg("stubs.tcl").current_dir(&work).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.is_empty(), "{}: {said}", board.name);
        let told = commands(&fs::read_to_string(work.join("told")).unwrap()).unwrap();
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
            None => text.parse().unwrap(),
        };
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        let mut sensors = 0;
        for command in told.iter().filter(|command| command[0] == "assign_bd_address") {
            let [_, _, _, offset, _, range, _, space, segment] = &command[..] else {
                panic!("{command:?}")
            };
            if segment.starts_with("cms/") {
                assert_eq!(space, "xdma/M_AXI_LITE");
                assert_eq!([number(offset), number(range)], CMS);
                sensors += 1;
                continue;
            }
            let end = ends.entry(space).or_default();
            assert_eq!(number(offset), *end, "{}: a gap in {space}", board.name);
            *end += number(range);
        }
        let cms = board.meters.iter().filter(|meter| *meter == "cms").count();
        assert_eq!(sensors, cms, "{}", board.name);
        let memory = board.memory.bytes;
        assert_eq!(
            ends.into_iter().collect::<Vec<_>>(),
            [
                ("core/m_axi", memory),
                ("xdma/M_AXI", memory),
                ("xdma/M_AXI_LITE", 1 << registers::ADDRESS_BITS)
            ]
        );
        let last = told.last().unwrap();
        assert_eq!(
            (last[0].as_str(), &last[last.len() - 1]),
            ("write_cfgmem", &"packed.mcs".into())
        );
        let names: BTreeSet<&str> = told.iter().map(|command| command[0].as_str()).collect();
        for step in ["report_timing_summary", "report_utilization", "validate_bd_design"] {
            assert!(names.contains(step), "{}: no {step}", board.name);
        }
        assert_eq!(fs::read_to_string(work.join("slack.txt")).unwrap(), "0.125\n");
        assert_eq!(fs::read_to_string(work.join("version.txt")).unwrap(), "Vivado 2022.2\n");
        assert!(work.join("packed.bit").is_file());
    }
}

/// Ports of the finished design: what the scripts make, interfaces spelled out.
fn ports(board: &Board) -> BTreeSet<String> {
    let memory = memory_script(&board.memory.kind).unwrap();
    let variables = variables(board);
    let lanes: usize = variables["pcie_lanes"].parse().unwrap();
    let mut ports: BTreeSet<String> =
        variables["low_ports"].split_whitespace().map(String::from).collect();
    let sensors = sensors_script(board);
    for command in all(&format!("{memory}\n{BUILD}\n{sensors}")).unwrap() {
        let name = command.last().unwrap();
        if command[0] == "create_bd_port" && !name.contains('$') {
            match command.iter().position(|word| word == "-from") {
                Some(at) => {
                    let high: usize = command[at + 1].parse().unwrap();
                    ports.extend((0..=high).map(|bit| format!("{name}[{bit}]")));
                }
                None => drop(ports.insert(name.clone())),
            }
        }
        if command[0] != "create_bd_intf_port" {
            continue;
        }
        let kind = command.iter().find(|word| word.starts_with("xilinx.com:")).unwrap();
        let kind = kind.split(':').nth(2).unwrap();
        let signals: &[(&str, usize)] = match kind {
            "diff_clock_rtl" => &[("clk_p", 0), ("clk_n", 0)],
            "uart_rtl" => &[("rxd", 0), ("txd", 0)],
            "pcie_7x_mgt_rtl" => &[("rxp", lanes), ("rxn", lanes), ("txp", lanes), ("txn", lanes)],
            "ddr4_rtl" => &[
                ("adr", 17),
                ("ba", 2),
                ("bg", 1),
                ("ck_t", 1),
                ("ck_c", 1),
                ("cke", 1),
                ("cs_n", 1),
                ("odt", 1),
                ("dm_n", 8),
                ("dq", 64),
                ("dqs_t", 8),
                ("dqs_c", 8),
                ("act_n", 0),
                ("reset_n", 0),
            ],
            // Places are in mig.prj.
            "ddrx_rtl" => &[],
            other => panic!("an interface {other}"),
        };
        for (signal, width) in signals {
            match width {
                0 => drop(ports.insert(format!("{name}_{signal}"))),
                _ => ports.extend((0..*width).map(|bit| format!("{name}_{signal}[{bit}]"))),
            }
        }
    }
    ports
}

/// Every line of the constraints is a command that Vivado has, about something that there is.
#[test]
fn constraints_are_sound() {
    for board in boards() {
        let ports = ports(&board);
        let mut placed = BTreeMap::new();
        let mut sites = BTreeSet::new();
        let mut standards = BTreeSet::new();
        for command in commands(&board.files[&board.pins]).unwrap_or_else(|e| panic!("{e}")) {
            let line = command.join(" ");
            let known =
                ["set_property", "create_clock", "set_false_path", "set_operating_conditions"];
            assert!(known.contains(&command[0].as_str()), "{}: {line}", board.name);
            let target = command.last().unwrap();
            let port = target.strip_prefix("[get_ports {").and_then(|t| t.strip_suffix("}]"));
            if let Some(port) = port {
                assert!(ports.contains(port), "{}: there is no port {port}", board.name);
            }
            if command[0] != "set_property" {
                continue;
            }
            assert_eq!(command.len(), 4, "{line}");
            let (property, value) = (command[1].as_str(), &command[2]);
            match (property, port) {
                ("PACKAGE_PIN", Some(port)) => {
                    assert!(
                        placed.insert(port.to_string(), value.clone()).is_none(),
                        "{port} twice"
                    );
                    assert!(sites.insert(value.clone()), "{}: {value} twice", board.name);
                }
                ("IOSTANDARD", Some(port)) => assert!(standards.insert(port.to_string()), "{port}"),
                ("PULLUP" | "PULLDOWN", Some(_)) => assert_eq!(value, "true"),
                ("DRIVE", Some(_)) => assert!(value.parse::<u8>().is_ok(), "{line}"),
                ("LOC", None) => assert!(target.starts_with("[get_cells "), "{line}"),
                (name, None) => {
                    assert_eq!(target, "[current_design]", "{line}");
                    let known = ["CFGBVS", "CONFIG_VOLTAGE", "CONFIG_MODE"];
                    assert!(known.contains(&name) || name.starts_with("BITSTREAM."), "{line}");
                }
                (name, Some(port)) => panic!("{}: {name} of {port}", board.name),
            }
        }
        // What has a place has a standard, but for transceivers, and memories that AMD's block
        // brings.
        let own =
            |port: &&String| !port.starts_with("pcie_mgt_") && !port.starts_with("pcie_refclk_");
        let bare: Vec<&String> = placed
            .keys()
            .filter(own)
            .filter(|port| !port.starts_with("ddr4_") && !standards.contains(*port))
            .collect();
        assert_eq!(bare, Vec::<&String>::new(), "{}", board.name);
        // What has no place is a lane, which goes with its block, or in mig.prj.
        let lane = |port: &str| port.starts_with("pcie_mgt_");
        let missing: Vec<&String> =
            ports.iter().filter(|port| !placed.contains_key(*port) && !lane(port)).collect();
        match board.files.get("mig.prj") {
            Some(mig) => {
                assert_eq!(missing, ["sys_clk_clk_n", "sys_clk_clk_p"]);
                assert!(mig.contains("PADName=\"J19/H19(CC_P/N)\" name=\"sys_clk_p/n\""));
                let pads: Vec<&str> = mig.split("PADName=\"").skip(1).collect();
                let pads: Vec<&str> = pads.iter().map(|p| p.split('"').next().unwrap()).collect();
                let own: BTreeSet<&&str> = pads.iter().filter(|pad| !pad.contains(' ')).collect();
                // 16 + 3 of address, 16 + 2 + 4 of data, 8 of control, 2 of clock, and ours.
                assert_eq!(own.len(), 16 + 3 + 16 + 2 + 4 + 6 + 2 + 1, "{own:?}");
                assert!(own.iter().all(|pad| !sites.contains(**pad)));
            }
            None => assert_eq!(missing, Vec::<&String>::new(), "{}", board.name),
        }
    }
}

const YOSYS: &str = r#"echo '{"modules": {"sterna_core": {"cells": {"a": {"type": "LUT6"}, "b": {"type": "LUT6"}, "c": {"type": "RAM64M"},
"d": {"type": "SRL16E"}, "e": {"type": "RAMB18E1"}, "f": {"type": "RAMB36E1"}}}}}' > netlist.json"#;
const VIVADO: &str = "echo running; echo 0.25 > slack.txt; echo Vivado 0 > version.txt
echo bits > packed.bit; echo image > packed.mcs
echo '+--
| Instance | Module | Total LUTs | Logic LUTs | LUTRAMs | SRLs | FFs | RAMB36 | RAMB18 | DSP48 Blocks |
+--
| card_wrapper | (top) | 40000 | 39000 | 500 | 500 | 50000 | 80 | 51 | 76 |
|   card_i | card | 39999 | 39000 | 500 | 499 | 50000 | 80 | 51 | 76 |
+--' > utilisation.rpt";

#[test]
fn a_project_is_written_and_run_where_vivado_is() {
    let desk = Desk::new();
    // Without it: written, and said so; cells are counted where there is Yosys.
    let args = ["bitstream", "--board", "nitefury2", "--model", "tiny", "-o", "out"];
    let (code, out, err) = desk.sterna(&args);
    assert_eq!(code, 0, "{err}");
    insta::assert_snapshot!("not_run", format!("{out}\n{err}"));
    desk.program("yosys", YOSYS);
    let (code, out, err) = desk.sterna(&[&args[..], &["--json"]].concat());
    assert_eq!(code, 0, "{err}");
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&value["bit"], &value["fmax_mhz"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let script = fs::read_to_string(desk.path("out/work/netlist.ys")).unwrap();
    assert!(script.contains("synth_xilinx -family xc7 "), "{script}");
    let report = fs::read_to_string(desk.path("out/report.html")).unwrap();
    assert!(report.contains("synthesised, unrouted") && report.contains("2 lut, 2 lutram, 2 ram"));
    // 2 LUT6, a RAM64M of 4 and a shift register; 3 halves of a RAM.
    assert!(report.contains("LUT</td><td>7 of 134600 (0.0 %)"), "{report}");
    assert!(report.contains("RAMB36</td><td>2 of 365 (0.5 %)"), "{report}");
    for file in [
        "build.tcl",
        "memory.tcl",
        "sensors.tcl",
        "settings.tcl",
        "pins.xdc",
        "mig.prj",
        "rtl/sterna_card.v",
    ] {
        assert!(desk.path("out/work").join(file).is_file(), "{file}");
    }
    // With it.
    desk.program("vivado", VIVADO);
    let (code, out, err) = desk.sterna(&args);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("out/board.bit: 102.56 MHz of 100.00"), "{out}");
    assert_eq!(fs::read(desk.path("out/board.mcs")).unwrap(), b"image\n");
    let report = fs::read_to_string(desk.path("out/report.html")).unwrap();
    for text in [
        "LUT</td><td>40000 of 134600",
        "RAMB36</td><td>106 of 365",
        "DSP</td><td>76 of 740",
        "Vivado 0",
    ] {
        assert!(report.contains(text), "{text}: {report}");
    }
    // A report that is none costs the counts, not the bitstream.
    desk.program("vivado", &VIVADO.replace("Total", ""));
    let (code, out, _) = desk.sterna(&[&args[..], &["--json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &value["lut"]), (0, &serde_json::Value::Null));
    desk.program("vivado", &VIVADO.replace("0.25", "-0.25"));
    let (code, out, err) = desk.sterna(&args);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains(
            "error[B014]: nitefury2: the slowest path of clock of the worst path allows 97.56 MHz"
        ),
        "{err}"
    );
    assert!(!desk.path("out/board.bit").exists());
}
