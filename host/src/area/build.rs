//! Runs the tools, or takes what they left.
//!
//! ```text
//! DIR/core-ecp5-64-370m/      a synthesis: Verilog, netlist.ys, log, counted.json
//!     trial-ecp5-64-370m/     the core with shift registers around it: the same, netlist.json,
//!                             and routed-PART.json for each FPGA that it was placed in
//! ```
//!
//! What was made is kept beside a hash of all that it was made from, and made again when that is
//! another one.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::trits::ROWS;
use sterna_hdl::board::Trial;
use sterna_hdl::core::Core;
use sterna_hdl::units::TernaryUnit;
use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Design, Generate};

use super::{Area, Count, Family, Part, Placed};
use crate::bitstream::figures::Routed;
use crate::bitstream::netlist::Netlist;
use crate::bitstream::tools::{NEXTPNR_ECP5, Program, YOSYS};
use crate::bitstream::{Sources, carry, ecp5_die, sha256};
use crate::board::BoardError;
use crate::error::{HostError, Result};
use crate::output;

/// FPGAs that a core is placed in: part, package, speed grade, MHz that are asked for.
pub const PARTS: [(&str, &str, &str, f64); 2] =
    [("LFE5U-85F", "CABGA756", "6", 110.0), ("LFE5UM5G-85F", "CABGA756", "8", 165.0)];

/// Which core, and what with it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Name of the shape that its memories are for.
    pub shape: String,
    /// Its rates and sizes.
    pub geometry: Geometry,
    /// The FPGAs.
    pub family: Family,
    /// Of the placement, if it is placed.
    pub seed: Option<u64>,
}

/// Where tools are and what they make goes.
pub struct Bench {
    yosys: Program,
    nextpnr: Option<Program>,
    dir: PathBuf,
}

/// What a synthesis left.
#[derive(Serialize, Deserialize)]
struct Counted {
    key: String,
    kinds: BTreeMap<String, u64>,
    modules: Vec<Cells>,
}

/// Cells of a module.
#[derive(Serialize, Deserialize)]
struct Cells {
    name: String,
    path: String,
    instances: u64,
    kinds: BTreeMap<String, u64>,
}

/// What a placement left.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    placed: Placed,
}

/// A synthesis that is there.
struct Made {
    folder: PathBuf,
    key: String,
    counted: Counted,
}

impl Bench {
    /// Finds the tools, nextpnr if something is to be placed.
    ///
    /// # Errors
    /// B011.
    pub fn new(dir: &Path, path: &OsStr, places: bool) -> Result<Bench> {
        let nextpnr = places.then(|| NEXTPNR_ECP5.need(path)).transpose()?;
        let dir = std::path::absolute(dir).map_err(HostError::io(dir, "find"))?;
        Ok(Bench { yosys: YOSYS.need(path)?, nextpnr, dir })
    }

    /// Everything about a core on a family.
    ///
    /// # Errors
    /// B012, B013; F001 where the system refuses a file.
    pub fn run(&self, wanted: &Wanted) -> Result<Area> {
        let (family, bus) = (wanted.family, wanted.geometry.bus);
        let core = Core { geometry: wanted.geometry.clone() };
        let of = |what: &str| format!("{what}-{}-{bus}-{}", family.name(), wanted.shape);
        let whole = self.synthesise(&of("core"), &core.build()?, family, false)?;
        let unit = TernaryUnit { bus, slots: 1 };
        let alone = |what: &str, design: &Design| -> Result<Count> {
            let made = self.synthesise(&of(what), design, family, false)?;
            Ok(Count::of(family, &made.counted.kinds))
        };
        let ternary_unit = alone("ternary-unit", &unit.build()?)?;
        let crc = alone("crc", &Crc32c { width: bus }.build()?)?;
        let mut tools = BTreeMap::from([(self.yosys.name(), self.yosys.version())]);
        let mut placed = vec![];
        if let (Some(seed), Some(nextpnr)) = (wanted.seed, &self.nextpnr) {
            let trial =
                self.synthesise(&of("trial"), &Trial { of: core }.build()?, family, true)?;
            tools.insert(nextpnr.name(), nextpnr.version());
            for part in PARTS {
                placed.push(self.place(nextpnr, &trial, part, seed)?);
            }
        }
        let part = |cells: &Cells| Part {
            name: cells.name.clone(),
            path: cells.path.clone(),
            instances: cells.instances,
            count: Count::of(family, &cells.kinds),
        };
        let mut modules: Vec<Part> = whole.counted.modules.iter().map(part).collect();
        modules.sort_by(|a, b| b.count.places.cmp(&a.count.places).then(a.name.cmp(&b.name)));
        Ok(Area {
            shape: wanted.shape.clone(),
            bus,
            family,
            evidence: "synthesised".into(),
            tools,
            command: family.command(),
            core: Count::of(family, &whole.counted.kinds),
            modules,
            ternary_unit,
            lanes: unit.lanes() * ROWS as u32,
            crc,
            placed,
        })
    }

    /// A flat netlist of a design, counted; the netlist itself only stays if it is to be placed.
    fn synthesise(&self, name: &str, design: &Design, family: Family, keep: bool) -> Result<Made> {
        let folder = self.dir.join(name);
        fs::create_dir_all(&folder).map_err(HostError::io(&folder, "create"))?;
        let verilog = design.files.iter().map(|file| (file.name.clone(), file.text.clone()));
        let data = design.data.iter().map(|file| (file.name.clone(), file.text.clone()));
        let (verilog, data) = (verilog.collect(), data.collect());
        let sources = Sources { verilog, data, top: design.top.clone() };
        let mut files = sources.verilog.clone();
        files.extend(sources.data.clone());
        let mut read = sources.read_verilog("") + "\n";
        if family == Family::Ecp5 {
            let ours = carry::files(&sources.verilog);
            files.extend(ours.map(|(name, text)| (name.to_string(), text)));
            read += &carry::commands(&design.top, true);
        }
        let command = family.command();
        let script = format!("{read}{command} -top {} -json netlist.json\n", design.top);
        files.insert("netlist.ys".into(), script);
        let mut all = self.yosys.version();
        for (name, text) in &files {
            all += &format!("\n{name} {}", sha256(text.as_bytes()));
        }
        let key = sha256(all.as_bytes());
        let (kept, netlist) = (folder.join("counted.json"), folder.join("netlist.json"));
        if let Some(counted) = left::<Counted>(&kept).filter(|of| of.key == key)
            && (!keep || netlist.is_file())
        {
            return Ok(Made { folder, key, counted });
        }
        for (name, text) in &files {
            output::write_file(&folder.join(name), text.as_bytes())?;
        }
        let log = folder.join("synthesis.log");
        let step = format!("synthesis of {name}");
        self.yosys.run(&step, &["-q".into(), "netlist.ys".into()], &folder, &log)?;
        let unsound = |reason: String| -> HostError {
            let (tool, what) = (self.yosys.name(), "netlist".into());
            BoardError::Output { tool, what, reason, log: log.clone() }.into()
        };
        let text = fs::read_to_string(&netlist).map_err(|error| unsound(error.to_string()))?;
        let found = Netlist::read(&text, &design.top).map_err(unsound)?;
        let modules = found.modules.into_iter().map(|module| Cells {
            name: module.name,
            path: module.path,
            instances: module.instances,
            kinds: module.kinds,
        });
        let counted = Counted { key: key.clone(), kinds: found.kinds, modules: modules.collect() };
        keep_as(&kept, &counted)?;
        if !keep {
            fs::remove_file(&netlist).map_err(HostError::io(&netlist, "remove"))?;
        }
        Ok(Made { folder, key, counted })
    }

    fn place(
        &self,
        nextpnr: &Program,
        made: &Made,
        (part, package, speed, mhz): (&str, &str, &str, f64),
        seed: u64,
    ) -> Result<Placed> {
        let (die, _) = ecp5_die(part).expect("the parts are of the table");
        let command = format!(
            "{die} --package {package} --speed {speed} --freq {mhz} --seed {seed} \
             --timing-allow-fail --lpf-allow-unconstrained"
        );
        let key = sha256(format!("{} {} {command}", made.key, nextpnr.version()).as_bytes());
        let kept = made.folder.join(format!("routed-{part}-{seed}.json"));
        if let Some(kept) = left::<Kept>(&kept).filter(|kept| kept.key == key) {
            return Ok(kept.placed);
        }
        let report = made.folder.join("report.json");
        let mut args: Vec<String> = command.split_whitespace().map(String::from).collect();
        args.extend(["--json", "netlist.json", "--report", "report.json"].map(String::from));
        let log = made.folder.join(format!("place-and-route-{part}.log"));
        nextpnr.run(&format!("place and route in {part}-{speed}"), &args, &made.folder, &log)?;
        let unsound = |reason: String| -> HostError {
            let (tool, what) = (nextpnr.name(), "report".into());
            BoardError::Output { tool, what, reason, log: log.clone() }.into()
        };
        let text = fs::read_to_string(&report).map_err(|error| unsound(error.to_string()))?;
        let routed = Routed::read(&text).map_err(unsound)?;
        let (slowest, _) = routed.slowest(mhz);
        let cells = routed.usage.iter().map(|of| (of.kind.clone(), (of.used, of.available)));
        let placed = Placed {
            part: part.into(),
            speed: speed.into(),
            evidence: "placed and routed".into(),
            seed,
            asked_mhz: mhz,
            reached_mhz: slowest.reached_mhz,
            cells: cells.collect(),
            command,
        };
        keep_as(&kept, &Kept { key, placed: placed.clone() })?;
        Ok(placed)
    }
}

/// What an earlier run left, if it can be read.
fn left<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn keep_as(path: &Path, what: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(what).expect("a report is plain data");
    output::write_file(path, &text)
}
