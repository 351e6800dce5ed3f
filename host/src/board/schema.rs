//! The keys of a board.toml: one table, which the reader, its errors and the manual share.

use std::fmt::Write as _;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text of one line, not empty.
    Text,
    /// A web address.
    Url,
    /// The name of a file beside board.toml.
    File,
    /// A whole number in a range.
    Integer(u64, u64),
    /// A number in a range.
    Number(f64, f64),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A list of text.
    List,
}

/// A key of a board.toml.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section; empty for the keys before the first one.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether every board has it.
    pub required: bool,
    /// What it says.
    pub meaning: &'static str,
}

const fn key(
    section: &'static str,
    name: &'static str,
    kind: Kind,
    required: bool,
    meaning: &'static str,
) -> Key {
    Key { section, name, kind, required, meaning }
}

/// FPGA families.
pub const FAMILIES: &[&str] =
    &["ecp5", "gw2a-18c", "artix7", "kintex-ultrascale", "virtex-ultrascale-plus"];
/// Models that memories can be made for.
pub const MODELS: &[&str] = &["tiny", "5m", "370m", "1.3b", "2.7b"];

use Kind::*;

/// Every key, in the order of the manual.
pub const KEYS: &[Key] = &[
    key("", "name", Text, true, "what `--board` calls it; for a built-in board, its folder's name"),
    key("", "description", Text, true, "the board in one line"),
    key("", "page", Url, true, "the vendor's page"),
    key("", "needs", List, true, "what one has to have beside the tools: cables, cards, slots"),
    key("fpga", "family", Choice(FAMILIES), true, "family, for synthesis"),
    key("fpga", "part", Text, true, "the part, as its toolchain spells it"),
    key("fpga", "package", Text, true, "package, as the toolchain spells it"),
    key("fpga", "speed", Text, true, "speed grade"),
    key("clock", "pin", Text, true, "port of the board's top that brings the clock"),
    key("clock", "input_mhz", Number(1.0, 1000.0), true, "frequency of that clock"),
    key(
        "clock",
        "core_mhz",
        Number(1.0, 600.0),
        true,
        "frequency of the core: what timing has to meet",
    ),
    key(
        "clock",
        "pll",
        Choice(&["none", "top", "memory"]),
        true,
        "what makes the core's clock: nothing, a PLL in `pins.top`, the memory controller",
    ),
    key("core", "bus", Choice(&["64", "128", "256", "512"]), true, "bits of a beat"),
    key(
        "core",
        "sizes",
        Choice(MODELS),
        false,
        "memories on chip for this model; else all of the keys below",
    ),
    key("core", "ways", Integer(1, 8), false, "elements a clock of the epilogue"),
    key("core", "quantisers", Integer(2, 32), false, "elements a clock of the quantiser"),
    key("core", "top_k", Choice(&["1", "8", "64"]), false, "candidates in a record"),
    key("core", "slots", Choice(&["1", "2", "4", "8"]), false, "sequences on chip; 1 if left out"),
    key("core", "hidden", Integer(32, 16384), false, "longest residual stream"),
    key("core", "inner", Integer(32, 16384), false, "longest recurrence of a layer"),
    key("core", "intermediate", Integer(32, 16384), false, "longest GLU"),
    key("core", "state", Integer(32, 8_388_608), false, "elements of recurrent state, all layers"),
    key("core", "prefetch", Integer(8, 65536), false, "beats of the prefetch FIFO"),
    key(
        "memory",
        "kind",
        Choice(&["sdr", "ddr3", "ddr4", "hbm", "block"]),
        true,
        "where the image lies: SDRAM, DDR, HBM, or block RAM inside the FPGA",
    ),
    key("memory", "bytes", Integer(4096, 1 << 40), true, "its size, as the host sees it"),
    key("memory", "width_bits", Integer(8, 4096), false, "data wires; not for `block`"),
    key(
        "memory",
        "mt_s",
        Number(1.0, 20000.0),
        false,
        "million transfers a second and wire; not for `block`",
    ),
    key("memory", "part", Text, false, "the chip"),
    key("host", "link", Choice(&["uart", "xdma"]), true, "how the host reaches it"),
    key("host", "baud", Integer(9600, 12_000_000), false, "bits a second; for `uart`"),
    key("host", "adapter", Text, false, "what is at the other end of the serial line; for `uart`"),
    key("host", "generation", Integer(1, 4), false, "of PCIe; for `xdma`"),
    key("host", "lanes", Integer(1, 16), false, "of PCIe: 1, 2, 4, 8 or 16; for `xdma`"),
    key("pins", "file", File, true, "constraints: .lpf, .cst or .xdc"),
    key(
        "pins",
        "top",
        File,
        false,
        "Verilog between pins and generated hardware; not for `vivado`",
    ),
    key("pins", "top_module", Text, false, "the module in it that is the top"),
    key(
        "build",
        "toolchain",
        Choice(&["ecp5", "gowin", "vivado"]),
        true,
        "which tools make the bitstream",
    ),
    key(
        "build",
        "seed",
        Integer(0, 4_294_967_295),
        true,
        "of placement, unless `--seed` says another",
    ),
    key("build", "synthesis", List, false, "further options of `synth_ecp5` or `synth_gowin`"),
    key("build", "placement", List, false, "further options of nextpnr"),
    key("build", "packing", List, false, "further options of ecppack or gowin_pack"),
    key(
        "flash",
        "arguments",
        List,
        false,
        "arguments of openFPGALoader; without them it does not know the board",
    ),
    key(
        "flash",
        "interface",
        Choice(&["SPIx4", "SPIx8"]),
        false,
        "of the configuration flash; for `vivado`",
    ),
    key("flash", "megabytes", Integer(1, 1024), false, "of the configuration flash; for `vivado`"),
    key(
        "flash",
        "offset",
        Integer(0, 1 << 30),
        false,
        "address of the bitstream in it, 0 if not given; for `vivado`",
    ),
    key(
        "sensors",
        "meters",
        List,
        true,
        "what measures power: `cms`, `pmbus`, `sysmon`, `external`; may be empty",
    ),
];

/// The key of this place.
pub fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

impl Key {
    /// Section and name, as errors spell it.
    pub fn path(&self) -> String {
        path(self.section, self.name)
    }

    /// What a value should look like.
    pub fn wanted(&self) -> String {
        match self.kind {
            Text => "a line of text".into(),
            Url => "an address, https://…".into(),
            File => "the name of a file in the folder of board.toml".into(),
            Integer(low, high) => format!("a whole number from {low} to {high}"),
            Number(low, high) => format!("a number from {low} to {high}"),
            Choice(words) => words.join(", "),
            List => "a list of text, [\"…\"]".into(),
        }
    }
}

/// Section and name, as errors spell it.
pub fn path(section: &str, name: &str) -> String {
    if section.is_empty() { name.into() } else { format!("[{section}] {name}") }
}

/// The table of keys, as docs/boards.md has it.
pub fn manual() -> String {
    let mut text = String::from("| key | value | |\n|---|---|---|\n");
    for key in KEYS {
        let optional = if key.required { "" } else { "; optional" };
        let value = key.wanted().replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {value}{optional} | {} |", key.path(), key.meaning);
    }
    text
}
