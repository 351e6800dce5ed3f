//! Netlists for ECP5 in their designs' place: what Yosys makes of the Verilog, with Yosys' models
//! of the FPGA's cells and ours of those that Yosys leaves empty.

#[path = "../sim/tests/common/axi.rs"]
#[allow(dead_code, reason = "made for the tests of memories")]
mod axi;
#[path = "core/common.rs"]
#[allow(dead_code, reason = "made for the tests of the core")]
mod common;

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axi::{Burst, Bus, beats, burst};
use sterna::bitstream::tools::{Program, YOSYS, search_path};
use sterna::bitstream::top::hardware;
use sterna::bitstream::{carry, sha256};
use sterna::board::Board;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_hdl::board::{BlockMemory, BlockRam};
use sterna_hdl::driver::{Card, MemoryMap, Settings, Transport, contents};
use sterna_hdl::link::{LinkError, SerialLink};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiWidths, Design, Generate};
use sterna_sim::board::SimBoard;
use sterna_sim::{Simulator, ecp5};

/// Yosys, and its models of ECP5's cells.
struct Tool {
    yosys: Program,
    cells: PathBuf,
}

impl Tool {
    fn find() -> Option<Tool> {
        let Some(path) = YOSYS.find(&search_path()) else {
            // Where everything is installed, a check that did not run is a failure.
            assert!(env::var_os("CI").is_none(), "Yosys is missing: run scripts/setup");
            eprintln!("skipped: Yosys is not on PATH");
            return None;
        };
        let cells = ecp5::cells(&path).unwrap_or_else(|e| panic!("{e}"));
        let yosys = YOSYS.need(&search_path()).unwrap_or_else(|e| panic!("{e}"));
        Some(Tool { yosys, cells })
    }

    /// The netlist of a design; one that was made before is taken again.
    fn netlist(&self, design: &Design, options: &str) -> String {
        let files = design.files.iter().map(|file| (&file.name, &file.text));
        let files = files.chain(design.data.iter().map(|file| (&file.name, &file.text)));
        let verilog = design.files.iter().map(|file| (file.name.clone(), file.text.clone()));
        let ours = carry::files(&verilog.collect()).map(|(name, text)| (name.to_string(), text));
        let files = files.chain(ours.iter().map(|(name, text)| (name, text)));
        let mut all = format!("{} {options}", self.yosys.version());
        for (name, text) in files.clone() {
            all += &format!("\n{name} {}", sha256(text.as_bytes()));
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("netlists");
        let place = folder.join(sha256(all.as_bytes()));
        if let Ok(text) = fs::read_to_string(place.join("netlist.v")) {
            return text;
        }
        fs::create_dir_all(&folder).unwrap();
        let work = tempfile::tempdir_in(&folder).unwrap();
        let mut script = String::from("read_verilog");
        for (name, text) in files {
            fs::write(work.path().join(name), text).unwrap();
        }
        for file in &design.files {
            script += &format!(" {}", file.name);
        }
        script += &format!(
            // Yosys' names are hundreds of letters long, which every tool behind it has to read.
            "\n{}synth_ecp5 {options} -top {1}\nrename -hide\nwrite_verilog -noattr netlist.v\n",
            carry::commands(&design.top, true),
            design.top
        );
        fs::write(work.path().join("netlist.ys"), script).unwrap();
        let args = ["-q", "netlist.ys"].map(String::from);
        let log = work.path().join("yosys.log");
        self.yosys.run("synthesis", &args, work.path(), &log).unwrap_or_else(|e| panic!("{e}"));
        // Whole or not at all; who comes second has made the same.
        let _ = fs::rename(work.keep(), &place);
        fs::read_to_string(place.join("netlist.v")).unwrap()
    }

    /// A design of the netlist's cells.
    fn design(&self, design: &Design, netlist: &str) -> Design {
        ecp5::netlist(design, netlist, &self.cells).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Bytes of the memory that is small enough for every run.
const SMALL: u64 = 12_288;

/// Random bursts against an array of bytes; the first thing that is wrong is a panic.
fn traffic(design: &Design, held: &[u8]) {
    let mut shadow = held.to_vec();
    shadow.resize(SMALL as usize, 0);
    let mut sim = Simulator::build(design, &common::options()).unwrap_or_else(|e| panic!("{e}"));
    sim.reset().unwrap();
    let mut bus = Bus::find(&mut sim, "s_axi", shadow).unwrap();
    let mut rng = Rng::new(11);
    let mut clock = |bus: &mut Bus, rng: &mut Rng| {
        bus.clock(&mut sim, rng).unwrap();
        sim.step().unwrap_or_else(|e| panic!("{e}"));
        assert!(sim.clocks() < 100_000, "stuck");
    };
    // All of it as it is after power-up, then whatever comes.
    for addr in (0..SMALL).step_by(2048) {
        bus.to_read.push_back(Burst { addr, beats: 256, id: 0 });
    }
    for n in 0..400 {
        bus.idle = [0, 5][n / 200];
        let one = burst(&mut rng, SMALL);
        let write = rng.one_in(2);
        while bus.meets(&one, write) || bus.to_read.len() > 3 {
            clock(&mut bus, &mut rng);
        }
        if write {
            let data = beats(&mut rng, one.beats);
            bus.to_write.push_back((one, data));
        } else {
            bus.to_read.push_back(one);
        }
    }
    while !bus.is_idle() {
        clock(&mut bus, &mut rng);
    }
}

/// The netlist with another bit in a parameter: of the value of that number among those that begin
/// with `start`, in that one of its hexadecimal digits.
fn mutated(netlist: &str, start: &str, number: usize, digit: usize) -> String {
    let (at, _) = netlist.match_indices(start).nth(number).expect("there are as many");
    let place = at + start.len() + digit;
    let old = netlist[place..].chars().next().and_then(|c| c.to_digit(16)).expect("hexadecimal");
    let new = char::from_digit(old ^ 1, 16).expect("a digit");
    format!("{}{new}{}", &netlist[..place], &netlist[place + 1..])
}

/// The block memory's netlist is the block memory, and one bit of a table or of its contents makes
/// it another.
#[test]
fn a_memory_of_cells() {
    let Some(tool) = Tool::find() else { return };
    let mut rng = Rng::new(3);
    let held: Vec<u8> = (0..SMALL - 99).map(|_| rng.next_u64() as u8).collect();
    let ram = BlockRam { bytes: SMALL, contents: held.as_slice().into() };
    let memory = BlockMemory { widths: AxiWidths { addr: 40, data: 64, id: 2 }, ram };
    let rtl = memory.build().unwrap_or_else(|e| panic!("{e}"));
    traffic(&rtl, &held);
    let netlist = tool.netlist(&rtl, "-abc9");
    for cell in ["DP16KD #(", "LUT4 #(", "TRELLIS_FF #(", "CCU2C #("] {
        assert!(netlist.contains(cell), "no {cell}");
    }
    assert_eq!(netlist.matches("  DP16KD #(").count(), 6, "12 KiB are six of 2 KiB");
    traffic(&tool.design(&rtl, &netlist), &held);
    let seen = |start: &str, number: usize, digit: usize| {
        let broken = tool.design(&rtl, &mutated(&netlist, start, number, digit));
        std::panic::catch_unwind(|| traffic(&broken, &held)).is_err()
    };
    assert!(seen(".INITVAL_05(320'h", 1, 79), "contents of another value: nobody sees it");
    assert!(seen(".INIT(16'h", 40, 0), "a table of another value: nobody sees it");
    // Of a carry's two tables most bits never matter, as inputs of it are constant.
    let carries = netlist.matches(".INIT0(16'h").count();
    assert!((0..carries).any(|n| seen(".INIT0(16'h", n, 3)), "a carry: nobody sees it");
}

/// The serial line, but for what is known: a line of 3 Mbaud takes 200 clocks a byte, and this
/// simulation runs a few thousand a second. The host's sample of a memory that holds a model is
/// answered from what it holds; the core's checksums look at every byte of it.
struct Line {
    link: SerialLink<SimBoard>,
    map: MemoryMap,
    held: Vec<u8>,
}

impl Transport for Line {
    type Error = LinkError;

    fn memory_bytes(&self) -> u64 {
        self.link.memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, LinkError> {
        self.link.read_register(offset)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), LinkError> {
        self.link.write_register(offset, value)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), LinkError> {
        let end = address as usize + bytes.len();
        if address < self.map.image || end > self.held.len() {
            return self.link.read_memory(address, bytes);
        }
        bytes.copy_from_slice(&self.held[address as usize..end]);
        Ok(())
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), LinkError> {
        self.link.write_memory(address, bytes)
    }

    fn wait(&mut self, polls: u64) -> Result<bool, LinkError> {
        self.link.wait(polls)
    }
}

/// The whole board `ulx3s-85f-block` but for its PLL, with the tiny demo model in its memory: the
/// netlist's tokens, through the pins of the serial line, are golden's.
#[test]
#[ignore = "eight minutes: Yosys, Verilator and a compiler on 40,000 cells"]
fn a_board_of_cells() {
    let Some(tool) = Tool::find() else { return };
    let model = common::tiny();
    let board = Board::open("ulx3s-85f-block").unwrap();
    let hardware = hardware(&board, Some(&model)).unwrap_or_else(|e| panic!("{e}"));
    let netlist = tool.netlist(&hardware.design, &board.synthesis.join(" "));
    let design = tool.design(&hardware.design, &netlist);
    let serial = hardware.serial.unwrap();

    let stream = SimBoard::of(&design, None, serial.hertz, serial.baud, &common::options());
    let stream = stream.unwrap_or_else(|e| panic!("{e}"));
    let clocks = stream.clocks();
    let link = stream.link().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(link.memory_bytes(), board.memory.bytes);
    let held = contents(&model, &board.geometry, board.memory.bytes).unwrap();
    let (shape, walk) = (model.shape(), sterna_firmware::isa::instructions(&model.shape()));
    let map =
        MemoryMap::plan(&shape, &walk, &board.geometry, 1, board.memory.bytes, false).unwrap();
    let card =
        Card::open(Line { link, map, held }, "uart", Arc::clone(&model), &Settings::default());
    let mut card = card.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(card.loaded().written, 0, "the board does not hold the model");

    let count = env::var("STERNA_TOKENS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    let mut token = 7;
    let mut seen = 0;
    let mut check = |head: sterna_firmware::device::Head| {
        let wanted = golden.pass(&[Step { slot: 0, token, want: Want::Top }]).unwrap();
        assert_eq!(head.top, wanted[0].top[..head.top.len()], "token {seen}");
        assert_eq!(head.top.len(), board.geometry.top_k as usize);
        token = head.top[0].token;
        seen += 1;
        ControlFlow::Continue(())
    };
    card.generate(0, 7, count, &[], &mut check).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(seen, count);
    println!("{} clocks for {count} tokens", clocks.load(Ordering::Relaxed));
}
