//! The open tools: Yosys, nextpnr, and the packers for ECP5 and Gowin.

use std::fs;
use std::path::Path;

use super::carry;
use super::figures::Routed;
use super::floorplan::Floorplan;
use super::netlist::Netlist;
use super::tools::{ECPPACK, GOWIN_PACK, NEXTPNR_ECP5, NEXTPNR_GOWIN, Program, YOSYS};
use super::{Options, Sources};
use crate::board::{Board, BoardError, Toolchain};
use crate::error::{HostError, Result};
use crate::output;

/// nextpnr's model of an ECP5 part, `--85k`, `--um5g-45k` and so on, and its columns and rows.
pub fn ecp5_die(part: &str) -> Option<(&'static str, (usize, usize))> {
    const SMALL: (usize, usize) = (73, 51);
    const MIDDLE: (usize, usize) = (91, 72);
    const LARGE: (usize, usize) = (127, 96);
    const DIES: [(&str, &str, (usize, usize)); 10] = [
        ("LFE5U-12F", "--12k", SMALL),
        ("LFE5U-25F", "--25k", SMALL),
        ("LFE5U-45F", "--45k", MIDDLE),
        ("LFE5U-85F", "--85k", LARGE),
        ("LFE5UM-25F", "--um-25k", SMALL),
        ("LFE5UM-45F", "--um-45k", MIDDLE),
        ("LFE5UM-85F", "--um-85k", LARGE),
        ("LFE5UM5G-25F", "--um5g-25k", SMALL),
        ("LFE5UM5G-45F", "--um5g-45k", MIDDLE),
        ("LFE5UM5G-85F", "--um5g-85k", LARGE),
    ];
    let die = DIES.iter().find(|(start, ..)| part.starts_with(start));
    die.map(|(_, option, size)| (*option, *size))
}

/// Columns and rows of a GW2A-18C.
const GW2A_18C: (usize, usize) = (56, 55);

/// What the tools left.
pub struct Made {
    /// Bytes of the bitstream.
    pub bit: Vec<u8>,
    /// End of its name.
    pub extension: &'static str,
    /// Clocks and cells of the routed design.
    pub routed: Routed,
    /// Cells of each module.
    pub netlist: Netlist,
    /// Where they lie.
    pub floorplan: Floorplan,
    /// Programs and what they say of their versions.
    pub versions: Vec<(String, String)>,
}

struct Flow<'a> {
    board: &'a Board,
    sources: &'a Sources,
    options: &'a Options,
    /// Absolute, as the programs run there.
    work: &'a Path,
    logs: &'a Path,
}

/// Runs the tools in `work`; their logs go to `logs`.
///
/// # Errors
/// B011 to B014.
pub fn run(
    board: &Board,
    sources: &Sources,
    options: &Options,
    work: &Path,
    logs: &Path,
) -> Result<Made> {
    let flow = Flow { board, sources, options, work, logs };
    match board.toolchain {
        Toolchain::Gowin => flow.gowin(),
        Toolchain::Ecp5 => flow.ecp5(),
        Toolchain::Vivado => unreachable!("Vivado has a project of its own"),
    }
}

impl Flow<'_> {
    fn ecp5(&self) -> Result<Made> {
        // All of them first: the last must not be found missing after minutes of the others.
        let path = &self.options.path;
        let yosys = YOSYS.need(path)?;
        let (nextpnr, pack) = (NEXTPNR_ECP5.need(path)?, ECPPACK.need(path)?);
        self.synthesise(&yosys, "synth_ecp5")?;
        let board = self.board;
        let (die, size) = ecp5_die(&board.part).expect("a board with another part is refused");
        let mut args = words(&[die, "--package", &board.package, "--speed", &board.speed]);
        args.extend(words(&["--lpf", &board.pins, "--json", "netlist.json"]));
        args.extend(words(&["--textcfg", "routed.config", "--write", "routed.json"]));
        self.route(&nextpnr, args)?;
        let routed = self.routed(&nextpnr)?;
        let mut args = board.packing.clone();
        args.extend(words(&["routed.config", "packed.bit"]));
        self.made([&yosys, &nextpnr, &pack], args, "bit", routed, size)
    }

    fn gowin(&self) -> Result<Made> {
        let path = &self.options.path;
        let yosys = YOSYS.need(path)?;
        let (nextpnr, pack) = (NEXTPNR_GOWIN.need(path)?, GOWIN_PACK.need(path)?);
        self.synthesise(&yosys, "synth_gowin -family gw2a")?;
        let board = self.board;
        let family = board.family.to_ascii_uppercase();
        let mut args = words(&["--device", &board.part, "--json", "netlist.json"]);
        args.extend(words(&["--vopt", &format!("family={family}")]));
        args.extend(words(&["--vopt", &format!("cst={}", board.pins)]));
        args.extend(words(&["--write", "routed.json"]));
        self.route(&nextpnr, args)?;
        let routed = self.routed(&nextpnr)?;
        let mut args = words(&["-d", &family]);
        args.extend(board.packing.iter().cloned());
        args.extend(words(&["-o", "packed.fs", "routed.json"]));
        self.made([&yosys, &nextpnr, &pack], args, "fs", routed, GW2A_18C)
    }

    fn synthesise(&self, yosys: &Program, command: &str) -> Result<()> {
        let (top, options) = (&self.sources.top, self.board.synthesis.join(" "));
        for (name, text) in carry::files(&self.sources.verilog) {
            output::write_file(&self.work.join(name), text.as_bytes())?;
        }
        let script = format!(
            "{}\n{}{command} {options} -top {top} -json netlist.json\n",
            self.sources.read_verilog(""),
            carry::commands(top, self.board.toolchain == Toolchain::Ecp5)
        );
        output::write_file(&self.work.join("netlist.ys"), script.as_bytes())?;
        yosys.run("synthesis", &words(&["-q", "netlist.ys"]), self.work, &self.log("synthesis"))
    }

    fn route(&self, nextpnr: &Program, mut args: Vec<String>) -> Result<()> {
        let (mhz, seed) = (self.board.core_mhz.to_string(), self.options.seed.to_string());
        args.extend(words(&["--freq", &mhz, "--seed", &seed, "--report", "routed-report.json"]));
        // Whether it is fast enough is looked at here, with a better message.
        args.push("--timing-allow-fail".into());
        args.extend(self.board.placement.iter().cloned());
        nextpnr.run("place and route", &args, self.work, &self.log("place-and-route"))
    }

    fn routed(&self, nextpnr: &Program) -> Result<Routed> {
        let text = self.left(nextpnr, "place-and-route", "routed-report.json")?;
        let routed = Routed::read(&text)
            .map_err(|reason| self.unsound(nextpnr, "place-and-route", "report", reason))?;
        let (clock, target) = routed.slowest(self.board.core_mhz);
        if clock.reached_mhz < target && !self.options.allow_timing_failure {
            return Err(BoardError::Timing {
                board: self.board.name.clone(),
                clock: clock.net.clone(),
                reached: format!("{:.2}", clock.reached_mhz),
                target: format!("{target:.2}"),
            }
            .into());
        }
        Ok(routed)
    }

    fn made(
        &self,
        tools: [&Program; 3],
        args: Vec<String>,
        extension: &'static str,
        routed: Routed,
        size: (usize, usize),
    ) -> Result<Made> {
        let [yosys, nextpnr, pack] = tools;
        pack.run("packing", &args, self.work, &self.log("packing"))?;
        let name = format!("packed.{extension}");
        let bit = fs::read(self.work.join(&name)).unwrap_or_default();
        if bit.is_empty() {
            let reason = "there is none".to_string();
            return Err(self.unsound(pack, "packing", "bitstream", reason));
        }
        let text = self.left(yosys, "synthesis", "netlist.json")?;
        let netlist = Netlist::read(&text, &self.sources.top)
            .map_err(|reason| self.unsound(yosys, "synthesis", "netlist", reason))?;
        let text = self.left(nextpnr, "place-and-route", "routed.json")?;
        let floorplan = Floorplan::read(&text, &netlist, size)
            .map_err(|reason| self.unsound(nextpnr, "place-and-route", "design", reason))?;
        let versions = tools.map(|tool| (tool.name(), tool.version())).to_vec();
        Ok(Made { bit, extension, routed, netlist, floorplan, versions })
    }

    fn log(&self, step: &str) -> std::path::PathBuf {
        self.logs.join(format!("{step}.log"))
    }

    /// A text that a program should have written.
    fn left(&self, tool: &Program, step: &str, name: &str) -> Result<String> {
        fs::read_to_string(self.work.join(name))
            .map_err(|error| self.unsound(tool, step, name, error.to_string()))
    }

    fn unsound(&self, tool: &Program, step: &str, what: &str, reason: String) -> HostError {
        let (tool, log) = (tool.name(), self.log(step));
        BoardError::Output { tool, what: what.into(), reason, log }.into()
    }
}

/// Arguments of a command line.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_string()).collect()
}
