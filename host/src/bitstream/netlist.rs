//! Cells of a flat netlist, each counted to a module.
//!
//! Flattening makes better hardware, and forgets where a module ends. Yosys keeps enough to tell:
//! a register, a multiplier or a carry has the line of Verilog that it was written in, a memory its
//! place in the hierarchy. What was made from many lines has neither, such as a look-up table; it
//! counts to the module of the nearest cell that it feeds. So the counts add up to what is placed,
//! at no cost: a netlist that kept its modules takes Yosys longer than the flat one, and is larger.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::figures::class;

/// Cells of one module by itself, all its instances together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Where it is: names of instances with dots between; of several, what they have in common.
    pub path: String,
    /// Instances in the design.
    pub instances: u64,
    /// Cells by kind: `lut`, `mux`, `lutram`, `carry`, `ff`, `ram`, `dsp`, `other`; of its own,
    /// without sub-modules.
    pub cells: BTreeMap<&'static str, u64>,
    /// The same by the vendor's names for them.
    #[serde(skip)]
    pub kinds: BTreeMap<String, u64>,
}

/// A netlist, counted.
#[derive(Debug)]
pub struct Netlist {
    /// Every module that has cells, the largest first.
    pub modules: Vec<Module>,
    /// Cells by the vendor's names for them.
    pub kinds: BTreeMap<String, u64>,
    /// Place in `modules` of every cell's.
    pub homes: BTreeMap<String, usize>,
}

/// A design as Yosys and nextpnr write it, of whose cells `C` is wanted.
#[derive(Deserialize)]
pub(super) struct Design<C> {
    pub modules: BTreeMap<String, Flat<C>>,
}

/// A module without others in it.
#[derive(Deserialize)]
pub(super) struct Flat<C> {
    #[serde(default)]
    attributes: Attributes,
    #[serde(default = "BTreeMap::new")]
    pub cells: BTreeMap<String, C>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    port_directions: BTreeMap<String, String>,
    #[serde(default)]
    connections: BTreeMap<String, Vec<Bit>>,
}

#[derive(Default, Deserialize)]
struct Attributes {
    /// `file:line.column-line.column`, several with `|` between.
    src: Option<String>,
    /// Of a `$scopeinfo`, which is an instance that was flattened: its module.
    module: Option<String>,
    /// The same for the module's own lines.
    module_src: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bit {
    Net(u64),
    Constant(IgnoredAny),
}

impl Cell {
    /// Numbers of the nets at its ports of a direction.
    fn nets(&self, direction: &str) -> impl Iterator<Item = u64> {
        let ports = self.connections.iter();
        let ports = ports.filter(move |(port, _)| {
            self.port_directions.get(*port).is_some_and(|way| way == direction)
        });
        ports.flat_map(|(_, bits)| bits).filter_map(|bit| match bit {
            Bit::Net(net) => Some(*net),
            Bit::Constant(_) => None,
        })
    }

    /// Whether it was made from logic of many lines.
    fn is_logic(&self) -> bool {
        matches!(class(&self.kind), "lut" | "mux")
    }
}

/// File, first and last line of `file:line.column-line.column`.
fn lines(src: &str) -> Option<(&str, u64, u64)> {
    let (file, range) = src.rsplit_once(':')?;
    let (from, to) = range.split_once('-')?;
    let line = |place: &str| place.split('.').next()?.parse().ok();
    Some((file, line(from)?, line(to)?))
}

/// The modules that were flattened: their instances, and their lines.
struct Scopes<'a> {
    /// Module of each instance.
    instances: BTreeMap<&'a str, &'a str>,
    /// Per file: first line, last line, module.
    lines: BTreeMap<&'a str, Vec<(u64, u64, &'a str)>>,
    top: &'a str,
}

impl<'a> Scopes<'a> {
    fn of(flat: &'a Flat<Cell>, top: &'a str) -> Scopes<'a> {
        let mut scopes = Scopes { instances: BTreeMap::new(), lines: BTreeMap::new(), top };
        scopes.add(top, flat.attributes.src.as_deref());
        for (name, cell) in flat.cells.iter().filter(|(_, cell)| cell.kind == "$scopeinfo") {
            let Some(module) = &cell.attributes.module else { continue };
            let module = module.trim_start_matches('\\');
            if !scopes.instances.values().any(|known| *known == module) {
                scopes.add(module, cell.attributes.module_src.as_deref());
            }
            scopes.instances.insert(name, module);
        }
        scopes
    }

    fn add(&mut self, module: &'a str, src: Option<&'a str>) {
        if let Some((file, from, to)) = src.and_then(lines) {
            self.lines.entry(file).or_default().push((from, to, module));
        }
    }

    /// The module in one of whose lines a cell was written.
    fn written(&self, src: &str) -> Option<&'a str> {
        src.split('|').find_map(|part| {
            let (file, line, _) = lines(part)?;
            let modules = self.lines.get(file)?;
            modules.iter().find(|(from, to, _)| (from..=to).contains(&&line)).map(|found| found.2)
        })
    }

    /// The module of the innermost instance in a name.
    fn named(&self, name: &str) -> Option<&'a str> {
        let (outer, _) = name.rsplit_once('.')?;
        self.instances.get(outer).copied().or_else(|| self.named(outer))
    }

    /// What the paths of a module's instances have in common, and how many there are.
    fn place(&self, module: &str) -> (String, u64) {
        let paths = self.instances.iter().filter(|(_, of)| **of == module).map(|(path, _)| *path);
        let paths: Vec<Vec<&str>> = paths.map(|path| path.split('.').collect()).collect();
        let Some(first) = paths.first() else { return (String::new(), 1) };
        let shared =
            (0..first.len()).take_while(|&n| paths.iter().all(|p| p.get(n) == first.get(n)));
        (first[..shared.count()].join("."), paths.len() as u64)
    }
}

impl Netlist {
    /// Reads Yosys's JSON of a design that was flattened.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str, top: &str) -> Result<Netlist, String> {
        let mut design: Design<Cell> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let flat = design.modules.remove(top).ok_or_else(|| format!("it has no module {top}"))?;
        let scopes = Scopes::of(&flat, top);
        let homes = homes(&flat, &scopes);
        let mut sums: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for (name, module) in &homes {
            let kind = &flat.cells[*name].kind;
            *sums.entry(module).or_default().entry(kind.clone()).or_insert(0) += 1;
            *kinds.entry(kind.clone()).or_insert(0) += 1;
        }
        let mut modules: Vec<Module> = sums
            .into_iter()
            .map(|(name, kinds)| {
                let (path, instances) = scopes.place(name);
                let mut cells = BTreeMap::new();
                for (kind, n) in &kinds {
                    *cells.entry(class(kind)).or_insert(0) += n;
                }
                Module { name: name.into(), path, instances, cells, kinds }
            })
            .collect();
        let luts = |module: &Module| module.cells.get("lut").copied().unwrap_or(0);
        modules.sort_by(|a, b| luts(b).cmp(&luts(a)).then_with(|| a.name.cmp(&b.name)));
        let places: BTreeMap<&str, usize> =
            modules.iter().enumerate().map(|(place, module)| (&*module.name, place)).collect();
        let homes = homes.iter().map(|(name, module)| ((*name).into(), places[module])).collect();
        Ok(Netlist { modules, kinds, homes })
    }
}

/// The module of every cell.
fn homes<'a>(flat: &'a Flat<Cell>, scopes: &Scopes<'a>) -> BTreeMap<&'a str, &'a str> {
    let cells = || flat.cells.iter().filter(|(_, cell)| cell.kind != "$scopeinfo");
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    let mut drivers: HashMap<u64, &str> = HashMap::new();
    let mut next = VecDeque::new();
    for (name, cell) in cells() {
        drivers.extend(cell.nets("output").map(|net| (net, &**name)));
        if cell.is_logic() {
            continue;
        }
        let written = cell.attributes.src.as_deref().and_then(|src| scopes.written(src));
        if let Some(home) = written.or_else(|| scopes.named(name)) {
            homes.insert(name, home);
            next.push_back(&**name);
        }
    }
    // Backwards from these, all at once: who comes first is nearest.
    while let Some(name) = next.pop_front() {
        let home = homes[name];
        for driver in flat.cells[name].nets("input").filter_map(|net| drivers.get(&net)) {
            if !homes.contains_key(driver) {
                homes.insert(driver, home);
                next.push_back(driver);
            }
        }
    }
    // What feeds pins alone.
    for (name, _) in cells() {
        homes.entry(name).or_insert_with(|| scopes.named(name).unwrap_or(scopes.top));
    }
    homes
}
