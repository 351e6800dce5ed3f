//! What a design is made of, instance by instance, before any synthesis: nets, memories, products.
//!
//! ```text
//!  names in the Verilog -> nets (one a driver) -> register | read port | logic | input | wiring
//! ```
//!
//! A signal has many names: where it is driven, at every port that it passes. Here it is one net,
//! at its driver, so that whoever counts something of it counts it once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::component::{Built, Component, Design};
use crate::emit::Plan;
use crate::netlist::{Bin, Drive, Id, Netlist, Node, Op};

/// Gates of two inputs in a look-up table of four.
const GATES: u64 = 3;

/// What drives a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetKind {
    /// A register.
    Register,
    /// The read port of a memory.
    Read,
    /// An operator.
    Logic,
    /// A port of the top.
    Input,
    /// Nothing of its own: parts of other nets side by side, literals, complements.
    Wiring,
}

/// A signal at its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    /// Index of the instance that holds the driver.
    pub instance: usize,
    /// What drives it.
    pub kind: NetKind,
    /// Bits.
    pub width: u32,
}

/// A truth value, in terms of bits of nets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always or never.
    Known(bool),
    /// A bit of the net of this index.
    Bit(usize, u32),
    /// The opposite.
    Not(Box<Condition>),
    /// Both.
    And(Box<[Condition; 2]>),
    /// One of the two or both.
    Or(Box<[Condition; 2]>),
    /// Something else.
    Other,
}

/// A memory of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Index of the instance.
    pub instance: usize,
    /// Its name.
    pub name: String,
    /// Bits of a word.
    pub width: u32,
    /// Words.
    pub depth: usize,
    /// When a word is written; never, for a ROM.
    pub write: Condition,
    /// When each read port reads a word.
    pub reads: Vec<Condition>,
}

/// A product of two variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Index of the instance.
    pub instance: usize,
    /// Bits of the factors, before they are extended to the result.
    pub widths: [u32; 2],
    /// Nets that are a factor: when one changes, there is another product.
    pub factors: Vec<usize>,
    /// Nets that the factors are computed from: when none changes, the product stays.
    pub sources: Vec<usize>,
}

/// An instance of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Names of the instances from the top down, with `/` between them; empty for the top.
    pub path: String,
    /// The module.
    pub module: String,
    /// Bits of the results of operators that have no name, and so no net: a synthesiser decides
    /// which of them exist. Gates count a third: a look-up table of four inputs holds three.
    pub unnamed_bits: u64,
}

/// What a design is made of, see [`Design::resources`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Every instance, the top first.
    pub places: Vec<Place>,
    /// Every net that has a name.
    pub nets: Vec<Net>,
    /// The net of a name in an instance: `path/name`, or `name` in the top.
    pub names: HashMap<String, usize>,
    /// Every memory.
    pub memories: Vec<MemoryUse>,
    /// Every product of which no factor is a literal.
    pub products: Vec<Product>,
}

impl Design {
    /// What the design is made of.
    pub fn resources(&self) -> Resources {
        let mut survey = Survey::default();
        survey.place(&self.component, String::new(), None);
        survey.gather();
        survey.found
    }
}

/// An instance, as the survey knows it.
struct Site {
    built: Arc<Built>,
    plan: Arc<Plan>,
    /// The instance above, and the number of this one in it.
    above: Option<(usize, usize)>,
    below: Vec<usize>,
}

#[derive(Default)]
struct Survey {
    sites: Vec<Site>,
    plans: BTreeMap<String, Arc<Plan>>,
    /// The net of a driver: instance, node.
    drivers: HashMap<(usize, Id), usize>,
    found: Resources,
}

impl Survey {
    fn place(&mut self, of: &Component, path: String, above: Option<(usize, usize)>) -> usize {
        let net = &of.built.net;
        let plan = self.plans.entry(net.name.clone()).or_insert_with(|| Arc::new(Plan::new(net)));
        let (built, plan) = (of.built.clone(), plan.clone());
        let unnamed_bits = unnamed(net, &plan);
        self.found.places.push(Place {
            path: path.clone(),
            module: net.name.clone(),
            unnamed_bits,
        });
        self.sites.push(Site { built, plan, above, below: vec![] });
        let own = self.sites.len() - 1;
        for (number, inst) in net.insts.iter().enumerate() {
            let below = join(&path, &inst.name);
            let below = self.place(&inst.of, below, Some((own, number)));
            self.sites[own].below.push(below);
        }
        own
    }

    fn gather(&mut self) {
        // All names come first: conditions speak of nets anywhere.
        for site in 0..self.sites.len() {
            let plan = self.sites[site].plan.clone();
            for (index, name) in plan.names.iter().enumerate() {
                let Some(name) = name else { continue };
                let pin =
                    matches!(self.node((site, Id(index as u32))).op, Op::InstOut(..) | Op::Input);
                if !pin && !plan.is_hardware(Id(index as u32)) {
                    continue;
                }
                let (driver, kind) = self.driver(site, Id(index as u32));
                let width = self.node(driver).ty.width();
                let found = &mut self.found;
                let net = *self.drivers.entry(driver).or_insert_with(|| {
                    found.nets.push(Net { instance: driver.0, kind, width });
                    found.nets.len() - 1
                });
                found.names.insert(join(&found.places[site].path, name), net);
            }
        }
        for site in 0..self.sites.len() {
            let built = self.sites[site].built.clone();
            self.memories(site, &built.net);
            self.products(site, &built.net);
        }
    }

    fn node(&self, (site, id): (usize, Id)) -> &Node {
        self.sites[site].built.net.node(id)
    }

    /// Follows a signal, all bits together, to what drives it.
    fn driver(&self, mut site: usize, mut id: Id) -> ((usize, Id), NetKind) {
        let kind = loop {
            let Site { built, above, below, .. } = &self.sites[site];
            match &built.net.node(id).op {
                Op::Cast(of) | Op::Alias(of) => id = *of,
                Op::Wire(drives) => match drives[..] {
                    [Drive { when: None, value, .. }] => id = value,
                    _ => break NetKind::Logic,
                },
                Op::InstOut(inst, port) => {
                    (site, id) =
                        (below[*inst], built.net.insts[*inst].of.built.net.ports[*port].node)
                }
                Op::Input => {
                    let port = built.net.ports.iter().position(|port| port.node == id);
                    match (port, above) {
                        (Some(port), Some((parent, inst))) => {
                            id = self.sites[*parent].built.net.insts[*inst].pins[port];
                            site = *parent;
                        }
                        (Some(_), None) => break NetKind::Input,
                        // The reset, which hardly ever changes.
                        (None, _) => break NetKind::Wiring,
                    }
                }
                Op::Reg(..) => break NetKind::Register,
                Op::MemRead(..) => break NetKind::Read,
                Op::Cat(_) | Op::Slice(..) | Op::Extend(_) | Op::Not(_) | Op::Const(_) => {
                    break NetKind::Wiring;
                }
                Op::Bin(..) | Op::Reduce(..) | Op::Mux(..) | Op::Switch(..) => {
                    break NetKind::Logic;
                }
                Op::MemWrite(..) | Op::Poison => break NetKind::Wiring,
            }
        };
        ((site, id), kind)
    }

    /// Bit `bit` of a signal.
    fn condition(&self, site: usize, id: Id, bit: u32) -> Condition {
        let (driver, _) = self.driver(site, id);
        if let Some(&net) = self.drivers.get(&driver) {
            return Condition::Bit(net, bit);
        }
        let (site, id) = driver;
        let net = &self.sites[site].built.net;
        let of = |id: Id, bit: u32| self.condition(site, id, bit);
        let not = |condition| Condition::Not(Box::new(condition));
        match &net.node(id).op {
            Op::Const(bits) => Condition::Known(bits.bit(bit)),
            Op::Not(a) => not(of(*a, bit)),
            Op::Bin(Bin::And, a, b) => Condition::And(Box::new([of(*a, bit), of(*b, bit)])),
            Op::Bin(Bin::Or, a, b) => Condition::Or(Box::new([of(*a, bit), of(*b, bit)])),
            Op::Slice(a, from) => of(*a, from + bit),
            Op::Extend(a) if bit < net.width(*a) => of(*a, bit),
            Op::Bin(same @ (Bin::Eq | Bin::Ne), a, b) if net.width(*a) == 1 => {
                match (of(*a, 0), of(*b, 0)) {
                    (one, Condition::Known(value)) | (Condition::Known(value), one) => {
                        if value == (*same == Bin::Eq) { one } else { not(one) }
                    }
                    _ => Condition::Other,
                }
            }
            Op::Cat(parts) => {
                let mut at = bit;
                for &part in parts.iter().rev() {
                    if at < net.width(part) {
                        return of(part, at);
                    }
                    at -= net.width(part);
                }
                Condition::Other
            }
            _ => Condition::Other,
        }
    }

    fn memories(&mut self, site: usize, net: &Netlist) {
        let plan = self.sites[site].plan.clone();
        for (index, memory) in net.mems.iter().enumerate() {
            let read = |id: Id| match net.node(id).op {
                Op::MemRead(_, enable, _) if plan.is_hardware(id) => {
                    Some(self.condition(site, enable, 0))
                }
                _ => None,
            };
            let reads: Vec<Condition> = net.reads(index).filter_map(read).collect();
            let write = match memory.write.map(|id| &net.node(id).op) {
                Some(Op::MemWrite(_, [enable, ..], _)) => self.condition(site, *enable, 0),
                _ => Condition::Known(false),
            };
            if !reads.is_empty() {
                let (name, width, depth) = (memory.name.clone(), memory.ty.width(), memory.depth);
                let instance = site;
                let memory = MemoryUse { instance, name, width, depth, write, reads };
                self.found.memories.push(memory);
            }
        }
    }

    fn products(&mut self, site: usize, net: &Netlist) {
        for id in net.ids().filter(|&id| self.sites[site].plan.is_hardware(id)) {
            let Op::Bin(Bin::Mul, a, b) = net.node(id).op else { continue };
            let (mut factors, mut sources, mut widths) = (vec![], vec![], [0; 2]);
            for (of, width) in [a, b].into_iter().zip(&mut widths) {
                let of = unextended(net, of);
                *width = net.width(of);
                match self.drivers.get(&self.driver(site, of).0) {
                    Some(&factor) => factors.push(factor),
                    None => self.sources(site, of, &mut sources),
                }
            }
            sources.extend(&factors);
            sources.sort_unstable();
            sources.dedup();
            // Without a source a factor is a literal.
            let literal = [a, b].map(|of| matches!(net.node(unextended(net, of)).op, Op::Const(_)));
            if literal == [false; 2] {
                self.found.products.push(Product { instance: site, widths, factors, sources });
            }
        }
    }

    /// The nets that a signal without a name is computed from.
    fn sources(&self, site: usize, id: Id, into: &mut Vec<usize>) {
        let ((site, id), _) = self.driver(site, id);
        match self.drivers.get(&(site, id)) {
            Some(&net) => into.push(net),
            None => {
                let net = &self.sites[site].built.net;
                net.fan_in(id).into_iter().for_each(|id| self.sources(site, id, into));
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}/{name}") }
}

fn unextended(net: &Netlist, mut id: Id) -> Id {
    while let Op::Extend(of) | Op::Cast(of) = net.node(id).op {
        id = of;
    }
    id
}

/// Bits of the results of operators of hardware without a name.
fn unnamed(net: &Netlist, plan: &Plan) -> u64 {
    let (mut gates, mut others) = (0, 0);
    for id in net.ids().filter(|&id| plan.is_hardware(id) && !plan.declared(id)) {
        let width = u64::from(net.width(id));
        match &net.node(id).op {
            // A product is not logic.
            Op::Bin(Bin::Mul, ..) => {}
            Op::Bin(Bin::And | Bin::Or | Bin::Xor, ..) => gates += width,
            Op::Bin(..) | Op::Reduce(..) | Op::Mux(..) | Op::Switch(..) => others += width,
            _ => {}
        }
    }
    gates.div_ceil(GATES) + others
}
