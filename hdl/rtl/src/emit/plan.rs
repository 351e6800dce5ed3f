//! What is written, and what gets a name: liveness, uses, and which expressions become wires.

use std::collections::BTreeSet;

use crate::check;
use crate::netlist::{Direction, Id, Netlist, Node, Op};

/// An expression of more operators than this becomes a wire, to keep lines readable.
const LARGEST_EXPRESSION: usize = 8;

/// Which part of the text a node belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Unwritten,
    /// Reached only from properties: written within `ifdef FORMAL`.
    Formal,
    /// Reached from outputs and instances.
    Hardware,
}

/// The decisions about a module, indexed by node.
pub(crate) struct Plan {
    /// In dependency order, all nodes.
    pub order: Vec<Id>,
    pub part: Vec<Part>,
    /// The identifier, for what is declared.
    pub names: Vec<Option<String>>,
}

/// How often each node is read, by those nodes for which `live` holds.
pub(super) fn uses(net: &Netlist, live: impl Fn(Id) -> bool) -> Vec<u32> {
    let mut uses = vec![0; net.nodes.len()];
    let mut count = |id: Id| uses[id.index()] += 1;
    for id in net.ids().filter(|&id| live(id)) {
        net.node(id).op.operands().into_iter().for_each(&mut count);
    }
    net.insts.iter().filter_map(|i| i.reset).for_each(&mut count);
    net.formals.iter().for_each(|f| count(f.cond));
    uses
}

/// Looks through casts that are not visible in the Verilog.
pub(super) fn uncast(net: &Netlist, mut id: Id) -> Id {
    while let Node { op: Op::Cast(of), name: None, comment: None, .. } = net.node(id) {
        id = *of;
    }
    id
}

impl Plan {
    pub fn new(net: &Netlist) -> Plan {
        let order = check::order(net).unwrap_or_default();
        let pins = net.insts.iter().flat_map(|i| i.pins.iter().copied().chain(i.reset));
        let live = net.reach(net.ports(Direction::Output).chain(pins), true);
        let formal = net.reach(net.formals.iter().map(|f| f.cond), true);
        let part = live.into_iter().zip(formal).map(|reached| match reached {
            (true, _) => Part::Hardware,
            (false, true) => Part::Formal,
            (false, false) => Part::Unwritten,
        });
        let mut plan = Plan { order, part: part.collect(), names: vec![None; net.nodes.len()] };
        plan.name(net);
        plan
    }

    /// Whether the node appears in the text at all.
    pub fn written(&self, id: Id) -> bool {
        self.part[id.index()] != Part::Unwritten
    }

    /// Whether it is hardware, rather than only part of a property.
    pub fn is_hardware(&self, id: Id) -> bool {
        self.part[id.index()] == Part::Hardware
    }

    pub fn declared(&self, id: Id) -> bool {
        self.names[id.index()].is_some()
    }

    fn name(&mut self, net: &Netlist) {
        let uses = uses(net, |id| self.written(id));
        let based = bases(net);
        let pins: BTreeSet<Id> = net.insts.iter().flat_map(|i| i.pins.clone()).collect();
        let mut taken: BTreeSet<String> = net.nodes.iter().filter_map(|n| n.name.clone()).collect();
        taken.extend(net.mems.iter().map(|m| m.name.clone()));
        taken.extend(net.insts.iter().map(|i| i.name.clone()));
        let mut sizes = vec![0usize; net.nodes.len()];
        let mut numbers = 1..;
        for &id in self.order.iter() {
            let node = net.node(id);
            if !self.written(id) && !matches!(node.op, Op::Input | Op::InstOut(..)) {
                continue;
            }
            let size = |id: &Id| if self.declared(*id) { 0 } else { sizes[id.index()] };
            let own = usize::from(!matches!(node.op, Op::Const(_) | Op::Cast(_) | Op::Slice(..)));
            let total = own + net.fan_in(id).iter().map(size).sum::<usize>();
            let wanted = match &node.op {
                Op::Input | Op::InstOut(..) | Op::Switch(..) => true,
                Op::Reg(..) | Op::MemRead(..) => true,
                // What drives an instance's input can stand at the port itself.
                Op::Wire(drives) => !pins.contains(&id) || uses[id.index()] > 0 || drives.len() > 1,
                Op::Const(_) => based.contains(&id),
                _ => {
                    let shared = uses[id.index()] > 1 && !self.cheap(net, id);
                    let visible = node.name.is_some() || node.comment.is_some();
                    visible || shared || based.contains(&id) || total > LARGEST_EXPRESSION
                }
            };
            sizes[id.index()] = total;
            if wanted {
                self.names[id.index()] = node.name.clone().or_else(|| {
                    let mut names = numbers.by_ref().map(|n| format!("{}_{n}", node.op.word()));
                    names.find(|name| taken.insert(name.clone()))
                });
            }
        }
    }

    /// Whether writing the expression twice is no worse than a name: views of what has one.
    fn cheap(&self, net: &Netlist, id: Id) -> bool {
        match net.node(id).op {
            Op::Slice(..) | Op::Const(_) => true,
            Op::Cast(a) | Op::Not(a) => self.declared(a) || self.cheap(net, a),
            Op::Extend(a) => self.declared(a),
            _ => false,
        }
    }
}

/// Nodes that must be identifiers: the text selects bits of them, or they are an index. (Icarus 11
/// computes an index wider than it is written, so that a difference may leave its range.)
fn bases(net: &Netlist) -> BTreeSet<Id> {
    let compound = |id: &Id| {
        let op = &net.node(uncast(net, *id)).op;
        !matches!(op, Op::Const(_) | Op::Slice(..) | Op::Cat(_) | Op::Extend(_))
    };
    let mut found = vec![];
    for node in &net.nodes {
        match node.op {
            Op::Slice(a, _) => found.push(a),
            Op::Extend(a) if net.ty(a).is_signed() => found.push(a),
            Op::MemRead(_, _, addr) => found.extend(Some(addr).filter(compound)),
            Op::MemWrite(_, [_, addr, data], bytes) => {
                found.extend(Some(addr).filter(compound));
                found.extend(bytes.into_iter().flat_map(|bytes| [bytes, data]));
            }
            _ => {}
        }
    }
    found.into_iter().map(|id| uncast(net, id)).collect()
}
