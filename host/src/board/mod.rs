//! Boards: a folder with a board.toml, its pins, and the Verilog between pins and hardware.
//!
//! | module | one sentence |
//! |---|---|
//! | [`schema`] | the keys of a board.toml |
//! | [`read`] | a file's values, each with its line |
//! | [`fit`] | which model a board can hold, and how fast it could be |
//! | [`error`] | what can be wrong with a board |

pub mod error;
pub mod fit;
pub mod read;
pub mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;

pub use error::BoardError;
use read::Values;

use crate::error::Result;
use crate::output;

/// Where the image lies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// `sdr`, `ddr3`, `ddr4`, `hbm` or `block`.
    pub kind: String,
    /// Its size.
    pub bytes: u64,
    /// Data wires; none for block RAM.
    pub width_bits: Option<u64>,
    /// Million transfers a second and wire; none for block RAM.
    pub mt_s: Option<f64>,
    /// The chip, where the board says.
    pub part: Option<String>,
}

/// How the host reaches the core.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "link", rename_all = "lowercase")]
pub enum Link {
    /// A serial line.
    Uart {
        /// Bits a second.
        baud: u64,
        /// What is at its other end.
        adapter: Option<String>,
    },
    /// PCIe, through AMD's XDMA.
    Xdma {
        /// Of PCIe, 1 to 4.
        generation: u64,
        /// 1, 2, 4, 8 or 16.
        lanes: u64,
    },
}

/// Which tools make the bitstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Toolchain {
    /// Yosys, nextpnr-ecp5, ecppack.
    Ecp5,
    /// Yosys, nextpnr-himbaechel for Gowin, gowin_pack.
    Gowin,
    /// Vivado.
    Vivado,
}

/// The configuration flash of a board with a Vivado project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlashImage {
    /// As `write_cfgmem` calls it.
    pub interface: String,
    /// Its size.
    pub megabytes: u64,
    /// Address of the bitstream.
    pub offset: u64,
}

/// A board: what its board.toml says, checked, and its files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    /// What `--board` calls it.
    pub name: String,
    /// In one line.
    pub description: String,
    /// The vendor's page.
    pub page: String,
    /// What one has to have beside the tools.
    pub needs: Vec<String>,
    /// FPGA family.
    pub family: String,
    /// The part, as its toolchain spells it.
    pub part: String,
    /// Package.
    pub package: String,
    /// Speed grade.
    pub speed: String,
    /// Port that brings the clock.
    pub clock_pin: String,
    /// Frequency of that clock.
    pub input_mhz: f64,
    /// Frequency of the core.
    pub core_mhz: f64,
    /// What makes it: `none`, `top`, `memory`.
    pub pll: String,
    /// Rates and sizes of the core.
    pub geometry: Geometry,
    /// Where the image lies.
    pub memory: Memory,
    /// How the host reaches the core.
    pub host: Link,
    /// Name of the file of constraints.
    pub pins: String,
    /// Verilog between pins and generated hardware: file and module.
    pub top: Option<(String, String)>,
    /// Which tools make the bitstream.
    pub toolchain: Toolchain,
    /// Of placement.
    pub seed: u64,
    /// Further options of synthesis.
    pub synthesis: Vec<String>,
    /// Further options of placement and routing.
    pub placement: Vec<String>,
    /// Further options of the packer.
    pub packing: Vec<String>,
    /// Arguments of openFPGALoader; none if it does not know the board.
    pub flash: Vec<String>,
    /// The configuration flash, for Vivado's image of it.
    pub image: Option<FlashImage>,
    /// What measures power.
    pub meters: Vec<String>,
    /// The files of the folder that matter, by name.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
}

/// Name of the file that makes a folder a board.
pub const FILE: &str = "board.toml";

macro_rules! built_in {
    ($($board:literal: $($file:literal),+;)+) => {
        &[$(($board, &[$(($file, include_str!(concat!("../../../constraints/", $board, "/", $file)))),+])),+]
    };
}

/// The folders of `constraints/`, as they are in the binary.
const BUILT_IN: &[(&str, &[(&str, &str)])] = built_in! {
    "ulx3s-85f": "board.toml", "pins.lpf", "top.v";
    "ulx3s-85f-block": "board.toml", "pins.lpf", "top.v";
    "versa-ecp5": "board.toml", "pins.lpf", "top.v";
    "tangnano20k": "board.toml", "pins.cst", "top.v";
    "nitefury2": "board.toml", "pins.xdc", "mig.prj";
    "kcu105": "board.toml", "pins.xdc";
    "alveo-u280": "board.toml", "pins.xdc";
};

/// Names of the boards that the binary has.
pub fn built_in() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

impl Board {
    /// A built-in board by its name, or a folder with a board.toml.
    ///
    /// # Errors
    /// B001 to B008, and F001 where a file cannot be read.
    pub fn open(name: &str) -> Result<Board> {
        if let Some((_, files)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            let get = |file: &str| {
                files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_string())
            };
            let file = Path::new("constraints").join(name).join(FILE);
            let text = get(FILE).expect("every board has one");
            return Ok(Board::read(&file, &text, &mut |file| Ok(get(file)))?);
        }
        let folder = Path::new(name);
        if !folder.is_dir() {
            let known = built_in().join(", ");
            return Err(BoardError::Unknown { name: name.into(), known }.into());
        }
        let file = folder.join(FILE);
        let text = output::read_text(&file)?;
        // A name that is refused must not be looked for; what cannot be read is no missing file.
        let mut failure = None;
        let board = Board::read(&file, &text, &mut |name| {
            let path = folder.join(name);
            if !path.is_file() {
                return Ok(None);
            }
            match output::read_text(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) => {
                    failure = Some(error);
                    Ok(None)
                }
            }
        });
        match failure {
            Some(error) => Err(error),
            None => Ok(board?),
        }
    }

    /// A board from the text of its board.toml; `get` brings the other files of its folder.
    ///
    /// # Errors
    /// B002 to B008.
    pub fn read(
        file: &Path,
        text: &str,
        get: &mut dyn FnMut(&str) -> std::result::Result<Option<String>, BoardError>,
    ) -> std::result::Result<Board, BoardError> {
        let values = Values::read(file, text)?;
        let text_of = |section: &str, name: &str| {
            values.text(section, name).expect("a required key of text is there")
        };
        let toolchain = match text_of("build", "toolchain").as_str() {
            "ecp5" => Toolchain::Ecp5,
            "gowin" => Toolchain::Gowin,
            _ => Toolchain::Vivado,
        };
        let top = top(&values, toolchain)?;
        let mut board = Board {
            name: text_of("", "name"),
            description: text_of("", "description"),
            page: text_of("", "page"),
            needs: values.list("", "needs"),
            family: text_of("fpga", "family"),
            part: text_of("fpga", "part"),
            package: text_of("fpga", "package"),
            speed: text_of("fpga", "speed"),
            clock_pin: text_of("clock", "pin"),
            input_mhz: values.number("clock", "input_mhz").expect("a required key"),
            core_mhz: values.number("clock", "core_mhz").expect("a required key"),
            pll: text_of("clock", "pll"),
            geometry: geometry(&values)?,
            memory: memory(&values)?,
            host: host(&values)?,
            pins: text_of("pins", "file"),
            top,
            toolchain,
            seed: values.integer("build", "seed").expect("a required key"),
            synthesis: values.list("build", "synthesis"),
            placement: values.list("build", "placement"),
            packing: values.list("build", "packing"),
            flash: values.list("flash", "arguments"),
            image: image(&values, toolchain)?,
            meters: values.list("sensors", "meters"),
            files: BTreeMap::from([(FILE.to_string(), text.to_string())]),
        };
        board.check(&values)?;
        let mut named = vec![("file", board.pins.clone())];
        named.extend(board.top.iter().map(|(file, _)| ("top", file.clone())));
        for (key, name) in named {
            let Some(text) = get(&name)? else {
                let (line, key) = (values.line("pins", key), schema::path("pins", key));
                return Err(BoardError::NoFile { file: values.file, line, key, named: name });
            };
            board.files.insert(name, text);
        }
        // Vivado's memory generator for series 7 has a file of its own.
        if board.memory.kind == "ddr3" && board.toolchain == Toolchain::Vivado {
            let Some(text) = get(MIG)? else {
                let (line, key) =
                    (values.line("memory", "kind"), "[memory] kind = \"ddr3\"".into());
                return Err(BoardError::NoFile { file: values.file, line, key, named: MIG.into() });
            };
            board.files.insert(MIG.into(), text);
        }
        Ok(board)
    }

    /// What goes together.
    fn check(&self, values: &Values) -> std::result::Result<(), BoardError> {
        let suits: &[&str] = match self.toolchain {
            Toolchain::Ecp5 => &["ecp5"],
            Toolchain::Gowin => &["gw2a-18c"],
            Toolchain::Vivado => &["artix7", "kintex-ultrascale", "virtex-ultrascale-plus"],
        };
        if !suits.contains(&self.family.as_str()) {
            let reason = format!("this toolchain is for {}; change either", suits.join(", "));
            return Err(values.conflict("build", "toolchain", reason));
        }
        let kind: &[&str] = match self.toolchain {
            Toolchain::Ecp5 => &[".lpf"],
            Toolchain::Gowin => &[".cst"],
            Toolchain::Vivado => &[".xdc"],
        };
        if !kind.iter().any(|end| self.pins.ends_with(end)) {
            let reason = format!("this toolchain reads {}; name such a file", kind.join(", "));
            return Err(values.conflict("pins", "file", reason));
        }
        if self.toolchain == Toolchain::Ecp5 && crate::bitstream::ecp5_die(&self.part).is_none() {
            let reason = "nextpnr knows LFE5U-12F, -25F, -45F, -85F, and LFE5UM- and LFE5UM5G-25F, \
                          -45F, -85F; write the part in full, as LFE5U-85F-6BG381C";
            return Err(values.conflict("fpga", "part", reason));
        }
        if matches!(self.host, Link::Xdma { .. }) != (self.toolchain == Toolchain::Vivado) {
            let reason = "XDMA is a block of Vivado's, and its boards have no other link here; \
                          change link or toolchain";
            return Err(values.conflict("host", "link", reason));
        }
        if self.memory.kind == "sdr" && self.memory.mt_s != Some(self.core_mhz) {
            let reason = "one clock runs core, controller and SDRAM, a word a clock; write the \
                          number of [clock] core_mhz";
            return Err(values.conflict("memory", "mt_s", reason));
        }
        let same = (self.input_mhz - self.core_mhz).abs() < 1e-9;
        if self.pll == "none" && !same {
            let reason = "without a PLL the core has the input's frequency; make input_mhz and \
                          core_mhz equal, or write who makes the clock";
            return Err(values.conflict("clock", "pll", reason));
        }
        Ok(())
    }

    /// The same board with a core for another model, and as many candidates and sequences as
    /// before.
    pub fn with_core_for(&self, shape: &Shape) -> Board {
        let Geometry { bus, top_k, slots, .. } = self.geometry;
        let geometry = Geometry { top_k, ..Geometry::for_shape(bus, shape).with_slots(slots) };
        Board { geometry, ..self.clone() }
    }

    /// Bytes a second that the memory could deliver if it did nothing else. *Projected.*
    pub fn memory_bandwidth(&self) -> f64 {
        match (self.memory.width_bits, self.memory.mt_s) {
            (Some(width), Some(mt_s)) => width as f64 / 8.0 * mt_s * 1e6,
            // Block RAM has a port of the core's width, at its clock.
            _ => self.core_bandwidth(),
        }
    }

    /// Bytes a second that the core could take, a beat a clock. *Projected.*
    pub fn core_bandwidth(&self) -> f64 {
        f64::from(self.geometry.bus) / 8.0 * self.core_mhz * 1e6
    }

    /// Path that errors and reports call a file of the board.
    pub fn path(&self, file: &str) -> PathBuf {
        Path::new(&self.name).join(file)
    }
}

/// Vivado's description of a DDR3 memory.
pub const MIG: &str = "mig.prj";

fn top(
    values: &Values,
    toolchain: Toolchain,
) -> std::result::Result<Option<(String, String)>, BoardError> {
    let (file, module) = (values.text("pins", "top"), values.text("pins", "top_module"));
    if toolchain == Toolchain::Vivado {
        return match file.or(module) {
            None => Ok(None),
            Some(_) => {
                let reason = "a Vivado project makes its top itself; leave `top` out";
                Err(values.conflict("pins", "top", reason))
            }
        };
    }
    Ok(Some((values.need("pins", "top", file)?, values.need("pins", "top_module", module)?)))
}

fn image(
    values: &Values,
    toolchain: Toolchain,
) -> std::result::Result<Option<FlashImage>, BoardError> {
    let interface = values.text("flash", "interface");
    let megabytes = values.integer("flash", "megabytes");
    let offset = values.integer("flash", "offset");
    if toolchain == Toolchain::Vivado {
        return Ok(Some(FlashImage {
            interface: values.need("flash", "interface", interface)?,
            megabytes: values.need("flash", "megabytes", megabytes)?,
            offset: offset.unwrap_or(0),
        }));
    }
    let given = [interface.is_some(), megabytes.is_some(), offset.is_some()];
    match ["interface", "megabytes", "offset"].into_iter().zip(given).find(|(_, given)| *given) {
        None => Ok(None),
        Some((name, _)) => {
            Err(values.conflict("flash", name, "does not go with this toolchain; leave it out"))
        }
    }
}

fn geometry(values: &Values) -> std::result::Result<Geometry, BoardError> {
    let bus = values.integer("core", "bus").expect("a required key") as u32;
    let slots = values.integer("core", "slots").map_or(1, |number| number as u32);
    let sized = values.text("core", "sizes");
    let base = sized.map(|name| {
        Geometry::for_shape(bus, &fit::shape(&name).expect("a choice")).with_slots(slots)
    });
    // With neither, what is missing is the shorter of the two.
    let any = ["hidden", "inner", "intermediate", "state"];
    if base.is_none() && any.iter().all(|name| values.integer("core", name).is_none()) {
        return Err(values.need::<()>("core", "sizes", None).expect_err("it is not there"));
    }
    let size = |name: &str, of: fn(&Geometry) -> usize| {
        let given = values.integer("core", name).map(|number| number as usize);
        values.need("core", name, given.or(base.as_ref().map(of)))
    };
    let rate = |name: &str, of: fn(&Geometry) -> u32| {
        let given = values.integer("core", name).map(|number| number as u32);
        values.need("core", name, given.or(base.as_ref().map(of)))
    };
    let geometry = Geometry {
        bus,
        ways: rate("ways", |g| g.ways)?,
        quantisers: rate("quantisers", |g| g.quantisers)?,
        top_k: rate("top_k", |g| g.top_k)?,
        slots,
        hidden: size("hidden", |g| g.hidden)?,
        inner: size("inner", |g| g.inner)?,
        intermediate: size("intermediate", |g| g.intermediate)?,
        state: size("state", |g| g.state)?,
        prefetch: size("prefetch", |g| g.prefetch)?,
    };
    match geometry.check() {
        Ok(()) => Ok(geometry),
        Err(FirmwareError::Geometry { field, reason }) => {
            Err(values.conflict("core", field, format!("{field} is {reason}; correct it")))
        }
        Err(error) => Err(values.conflict("core", "bus", error.to_string())),
    }
}

fn memory(values: &Values) -> std::result::Result<Memory, BoardError> {
    let kind = values.text("memory", "kind").expect("a required key");
    let bytes = values.integer("memory", "bytes").expect("a required key");
    let mut width_bits = values.integer("memory", "width_bits");
    let mut mt_s = values.number("memory", "mt_s");
    if kind == "block" {
        for (name, given) in [("width_bits", width_bits.is_some()), ("mt_s", mt_s.is_some())] {
            if given {
                let reason = "block RAM is as wide and as fast as the core; leave it out";
                return Err(values.conflict("memory", name, reason));
            }
        }
        if !bytes.is_multiple_of(4096) || bytes > 1 << 24 {
            let reason = "block RAM comes in units of 4096 bytes, up to 2^24; write such a number";
            return Err(values.conflict("memory", "bytes", reason));
        }
    } else {
        width_bits = Some(values.need("memory", "width_bits", width_bits)?);
        mt_s = Some(values.need("memory", "mt_s", mt_s)?);
    }
    Ok(Memory { kind, bytes, width_bits, mt_s, part: values.text("memory", "part") })
}

fn host(values: &Values) -> std::result::Result<Link, BoardError> {
    let uart = values.text("host", "link").as_deref() == Some("uart");
    let foreign: &[&str] = if uart { &["generation", "lanes"] } else { &["baud", "adapter"] };
    for name in foreign {
        if values.integer("host", name).is_some() || values.text("host", name).is_some() {
            let reason = "does not go with this link; leave it out";
            return Err(values.conflict("host", name, reason));
        }
    }
    if uart {
        let baud = values.need("host", "baud", values.integer("host", "baud"))?;
        return Ok(Link::Uart { baud, adapter: values.text("host", "adapter") });
    }
    let generation = values.need("host", "generation", values.integer("host", "generation"))?;
    let lanes = values.need("host", "lanes", values.integer("host", "lanes"))?;
    if !lanes.is_power_of_two() {
        return Err(values.conflict("host", "lanes", "there are 1, 2, 4, 8 or 16; write one"));
    }
    Ok(Link::Xdma { generation, lanes })
}
