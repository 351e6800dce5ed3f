//! Where the cells of a routed design lie: a picture of the FPGA, a square a tile.
//!
//! A square's colour is the part of the design that has most cells in the tile, its strength how
//! full the tile is. Block RAM has a dark core, a multiplier a dark line. Parts are what is inside
//! the trunk, the instances that hold most of the design, each in the one before.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::figures::class;
use super::netlist::{Design, Netlist};

/// A part of the design.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its instance.
    pub name: String,
    /// Cells of it that were placed.
    pub cells: u64,
}

/// A tile with cells in it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tile {
    /// Cells of each part.
    parts: BTreeMap<usize, u64>,
    /// Look-up tables and carries, registers.
    logic: [u64; 2],
    ram: bool,
    dsp: bool,
}

/// A picture of the FPGA.
#[derive(Clone, Debug, PartialEq)]
pub struct Floorplan {
    /// Columns and rows of tiles.
    size: (usize, usize),
    /// The largest parts, and the rest of the design, which is the last.
    parts: Vec<Part>,
    /// By row and column.
    tiles: BTreeMap<(usize, usize), Tile>,
}

/// Colours of the parts, the largest first, and of the rest.
const COLOURS: [&str; 12] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a6fc9", "#b8a800",
    "#117733", "#882255", "#6fc7bb", "#8c8c8c",
];
/// Look-up tables, and registers, of a tile.
const PLACES: u64 = 8;
/// How many strengths of a colour there are.
const LEVELS: u64 = 4;

#[derive(Deserialize)]
struct Cell {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(rename = "NEXTPNR_BEL")]
    bel: Option<String>,
}

/// Column and row of a place: `X12/Y34/SLICEA.K0` or `X12Y34/LUT0`.
fn place(bel: &str) -> Option<(usize, usize)> {
    let (column, rest) = bel.strip_prefix('X')?.split_once('Y')?;
    let row = rest.split('/').next()?;
    Some((column.trim_end_matches('/').parse().ok()?, row.parse().ok()?))
}

/// Module of a placed cell. What nextpnr adds to a cell has its name with something behind it.
fn home(cell: &str, homes: &BTreeMap<String, usize>) -> Option<usize> {
    let shorter = |name: &&str| name.rfind(['_', '$']).map(|end| &cell[..end]);
    std::iter::successors(Some(cell), shorter).find_map(|name| homes.get(name).copied())
}

impl Floorplan {
    /// Reads nextpnr's JSON of a routed design; `size` is columns and rows of the FPGA.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str, netlist: &Netlist, size: (usize, usize)) -> Result<Floorplan, String> {
        let design: Design<Cell> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let cells = design.modules.values().flat_map(|module| &module.cells);
        let (of_module, mut parts) = parts(netlist);
        let rest = parts.len() - 1;
        let mut tiles: BTreeMap<(usize, usize), Tile> = BTreeMap::new();
        let (mut columns, mut rows) = size;
        for (name, cell) in cells {
            let kind = class(&cell.kind);
            let Some(bel) = &cell.attributes.bel else { continue };
            if kind == "other" {
                continue;
            }
            let (column, row) = place(bel)
                .ok_or_else(|| format!("cell {name} is at `{bel}`, which is no place"))?;
            (columns, rows) = (columns.max(column + 1), rows.max(row + 1));
            let home = home(name, &netlist.homes);
            let part = home.map_or(rest, |module| of_module[module]);
            parts[part].cells += 1;
            let tile = tiles.entry((row, column)).or_default();
            *tile.parts.entry(part).or_insert(0) += 1;
            match kind {
                "ram" => tile.ram = true,
                "dsp" => tile.dsp = true,
                "ff" => tile.logic[1] += 1,
                _ => tile.logic[0] += 1,
            }
        }
        Ok(Floorplan { size: (columns, rows), parts, tiles })
    }

    /// The largest parts, and the rest of the design, which is the last.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Colour of a part.
    pub fn colour(&self, part: usize) -> &'static str {
        let rest = part + 1 == self.parts.len();
        if rest { COLOURS[COLOURS.len() - 1] } else { COLOURS[part % (COLOURS.len() - 1)] }
    }

    /// As SVG, to be put into a page.
    pub fn svg(&self) -> String {
        let (columns, rows) = self.size;
        let mut text = format!(
            "<svg class=plan viewBox=\"0 0 {columns} {rows}\" role=img aria-label=\"Cells of the \
             FPGA by place\">"
        );
        // Tiles of one colour and strength are one line, from tile to tile of a row.
        let mut lines: BTreeMap<(usize, u64), Vec<(usize, usize)>> = BTreeMap::new();
        for (&at, tile) in &self.tiles {
            let most = tile.parts.iter().max_by_key(|(part, cells)| (**cells, usize::MAX - **part));
            let Some((&part, _)) = most else { continue };
            let fill = (tile.logic[0].max(tile.logic[1]) * LEVELS).div_ceil(PLACES);
            let level = if tile.ram || tile.dsp { LEVELS } else { fill.min(LEVELS) };
            lines.entry((part, level)).or_default().push(at);
        }
        for ((part, level), tiles) in lines {
            let strength = level as f64 / LEVELS as f64;
            let colour = self.colour(part);
            let _ = write!(text, "<path stroke=\"{colour}\" opacity={strength} d=\"");
            let mut tiles = tiles.into_iter().peekable();
            while let Some((row, column)) = tiles.next() {
                let mut end = column + 1;
                while tiles.next_if_eq(&(row, end)).is_some() {
                    end += 1;
                }
                let _ = write!(text, "M{column} {row}.5H{end}");
            }
            text += "\"/>";
        }
        // Marks: the core of block RAM, the line of a multiplier.
        for (kind, from, to) in [("ram", 0.25, 0.75), ("dsp", 0.0, 1.0)] {
            let is = |tile: &Tile| if kind == "ram" { tile.ram } else { tile.dsp };
            if !self.tiles.values().any(is) {
                continue;
            }
            let _ = write!(text, "<path class={kind} d=\"");
            for (row, column) in self.tiles.iter().filter(|(_, t)| is(t)).map(|(at, _)| at) {
                let (from, to) = (*column as f64 + from, *column as f64 + to);
                let _ = write!(text, "M{from} {row}.5H{to}");
            }
            text += "\"/>";
        }
        text + "</svg>"
    }
}

/// Part of each module, and the parts, without cells yet.
fn parts(netlist: &Netlist) -> (Vec<usize>, Vec<Part>) {
    let cells = |n: usize| netlist.modules[n].cells.values().sum::<u64>();
    let modules = || netlist.modules.iter().enumerate();
    let all: u64 = modules().map(|(n, _)| cells(n)).sum();
    let inside = |path: &str, outer: &str| {
        outer.is_empty() || path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
    };
    // Each instance right below another, with the cells of all that is in it.
    let below = |outer: &str| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (n, module) in modules().filter(|(_, m)| inside(&m.path, outer) && !m.path.is_empty()) {
            let skip = if outer.is_empty() { 0 } else { outer.len() + 1 };
            let end = module.path[skip..].find('.').map_or(module.path.len(), |end| skip + end);
            *sums.entry(module.path[..end].into()).or_insert(0) += cells(n);
        }
        sums
    };
    let mut sums = below("");
    // A branch with more than half of the design is the trunk: what is in it are the parts.
    while let Some((trunk, inner)) = sums
        .iter()
        .find(|(_, sum)| **sum * 2 > all)
        .map(|(path, _)| (path.clone(), below(path)))
        .filter(|(_, inner)| !inner.is_empty())
    {
        sums.remove(&trunk);
        sums.extend(inner);
    }
    let mut largest: Vec<(String, u64)> = sums.into_iter().collect();
    largest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    largest.truncate(COLOURS.len() - 1);
    let rest = largest.len();
    let of_module = netlist.modules.iter().map(|module| {
        let found =
            largest.iter().position(|(path, _)| module.path == *path || inside(&module.path, path));
        found.unwrap_or(rest)
    });
    let of_module = of_module.collect();
    let name = |path: &str| {
        let last = path.rsplit('.').next().unwrap_or(path);
        last.strip_prefix("u_").unwrap_or(last).replace('_', " ")
    };
    let mut parts: Vec<Part> =
        largest.iter().map(|(path, _)| Part { name: name(path), cells: 0 }).collect();
    parts.push(Part { name: "the rest".into(), cells: 0 });
    (of_module, parts)
}
