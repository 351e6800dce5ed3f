//! What a module is once it has been described: nodes, drives, memories and instances.
//!
//! The builder keeps one invariant that makes everything after it simple: the operands of an
//! operator already have the width that the operator works at. Extension and truncation are nodes
//! of their own, so neither the emitter nor the interpreter ever has to know a width rule.

use std::collections::BTreeMap;

use crate::bits::Bits;
use crate::component::Component;
use crate::error::{At, Described};
use crate::types::Type;

/// Index of a node in its netlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub u32);

/// Operators of two operands. Comparisons give `UInt(1)`, shifts take any `UInt` as their second
/// operand; otherwise operands and result have one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bin {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Shl,
    /// Arithmetic for `SInt`.
    Shr,
}

impl Bin {
    /// Whether low bits of the result depend on low bits of the operands alone.
    pub fn is_modular(self) -> bool {
        matches!(self, Bin::Add | Bin::Sub | Bin::Mul | Bin::And | Bin::Or | Bin::Xor)
    }

    /// Whether the result is a truth value.
    pub fn is_comparison(self) -> bool {
        matches!(self, Bin::Eq | Bin::Ne | Bin::Lt | Bin::Le | Bin::Gt | Bin::Ge)
    }

    /// What generated names call it, and how Verilog spells it.
    pub fn spelling(self) -> (&'static str, &'static str) {
        match self {
            Bin::Add => ("sum", "+"),
            Bin::Sub => ("difference", "-"),
            Bin::Mul => ("product", "*"),
            Bin::And => ("and", "&"),
            Bin::Or => ("or", "|"),
            Bin::Xor => ("xor", "^"),
            Bin::Eq => ("compare", "=="),
            Bin::Ne => ("compare", "!="),
            Bin::Lt => ("compare", "<"),
            Bin::Le => ("compare", "<="),
            Bin::Gt => ("compare", ">"),
            Bin::Ge => ("compare", ">="),
            Bin::Shl => ("shift", "<<"),
            Bin::Shr => ("shift", ">>"),
        }
    }
}

/// Reductions to `UInt(1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Red {
    All,
    Any,
    Parity,
}

/// How a node's value comes about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// A port, or the reset.
    Input,
    Const(Bits),
    Bin(Bin, Id, Id),
    Not(Id),
    Reduce(Red, Id),
    Mux(Id, Id, Id),
    /// Selector, arms with distinct constants, default.
    Switch(Id, Vec<(Bits, Id)>, Id),
    /// Most significant first.
    Cat(Vec<Id>),
    /// As many bits as the node's type has, from a constant position.
    Slice(Id, u32),
    /// To the node's wider type, by the operand's sign.
    Extend(Id),
    /// Other signedness, same bits.
    Cast(Id),
    /// Another name for the same signal.
    Alias(Id),
    /// Driven through `Netlist::drives`: wires, outputs, inputs of instances.
    Wire,
    /// Driven through `Netlist::drives`, at the clock edge.
    Reg,
    /// Read port `.1` of memory `.0`.
    MemRead(usize, usize),
    /// Port `.1` of instance `.0`.
    InstOut(usize, usize),
    /// Stands for an expression that was refused.
    Poison,
}

impl Op {
    fn slots(&mut self) -> Vec<&mut Id> {
        match self {
            Op::Bin(_, a, b) => vec![a, b],
            Op::Not(a) | Op::Reduce(_, a) | Op::Slice(a, _) => vec![a],
            Op::Extend(a) | Op::Cast(a) | Op::Alias(a) => vec![a],
            Op::Mux(c, a, b) => vec![c, a, b],
            Op::Switch(on, arms, default) => {
                [on].into_iter().chain(arms.iter_mut().map(|a| &mut a.1)).chain([default]).collect()
            }
            Op::Cat(parts) => parts.iter_mut().collect(),
            Op::Input | Op::Const(_) | Op::Wire | Op::Reg => vec![],
            Op::MemRead(..) | Op::InstOut(..) | Op::Poison => vec![],
        }
    }

    /// Nodes that the operator's value depends on within the same clock; drives not included.
    pub fn operands(&self) -> Vec<Id> {
        self.clone().slots().into_iter().map(|id| *id).collect()
    }

    /// The same operator on other nodes.
    pub fn mapped(&self, f: impl Fn(Id) -> Id) -> Op {
        let mut op = self.clone();
        op.slots().into_iter().for_each(|id| *id = f(*id));
        op
    }

    /// What messages and generated names call it.
    pub fn word(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Const(_) => "literal",
            Op::Bin(bin, ..) => bin.spelling().0,
            Op::Not(_) => "not",
            Op::Reduce(..) => "reduce",
            Op::Mux(..) => "mux",
            Op::Switch(..) => "switch",
            Op::Cat(_) => "cat",
            Op::Slice(..) => "slice",
            Op::Extend(_) => "extend",
            Op::Cast(_) => "cast",
            Op::Alias(_) => "alias",
            Op::Wire => "wire",
            Op::Reg => "reg",
            Op::MemRead(..) => "read",
            Op::InstOut(..) => "instance_output",
            Op::Poison => "refused",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub ty: Type,
    pub op: Op,
    pub name: Option<String>,
    pub comment: Option<String>,
    pub at: At,
}

/// One `set()`: the last whose condition holds wins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drive {
    pub when: Option<Id>,
    pub value: Id,
    pub at: At,
}

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub enable: Id,
    pub addr: Id,
    pub data: Id,
    /// One bit per byte of the word.
    pub bytes: Option<Id>,
}

#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub enable: Id,
    pub addr: Id,
    pub out: Id,
}

#[derive(Clone, Debug)]
pub(crate) struct Mem {
    pub name: String,
    pub ty: Type,
    pub depth: usize,
    pub init: Option<Vec<Bits>>,
    pub no_rw_check: bool,
    pub ram_style: Option<String>,
    pub comment: Option<String>,
    pub write: Option<Write>,
    pub reads: Vec<Read>,
}

impl Mem {
    /// What the write port takes in.
    pub fn write_fan_in(&self) -> Vec<Id> {
        let write = self.write.iter();
        write.flat_map(|w| [w.enable, w.addr, w.data].into_iter().chain(w.bytes)).collect()
    }

    /// Every node at its ports.
    pub fn slots(&mut self) -> Vec<&mut Id> {
        let writes = self.write.iter_mut();
        let writes = writes.flat_map(|w| {
            [&mut w.enable, &mut w.addr, &mut w.data].into_iter().chain(&mut w.bytes)
        });
        let reads = self.reads.iter_mut();
        reads.flat_map(|r| [&mut r.enable, &mut r.addr, &mut r.out]).chain(writes).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Inst {
    pub name: String,
    pub of: Component,
    /// One node per port of the component, in its order: a wire for inputs, else `InstOut`.
    pub pins: Vec<Id>,
    /// What resets it, where that is not the parent's own reset.
    pub reset: Option<Id>,
    pub comment: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormalKind {
    Assert,
    Assume,
    Cover,
}

#[derive(Clone, Debug)]
pub(crate) struct Formal {
    pub kind: FormalKind,
    pub name: String,
    pub cond: Id,
}

/// Which way a port goes, seen from inside its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the module.
    Input,
    /// Out of the module.
    Output,
}

#[derive(Clone, Debug)]
pub(crate) struct PortDecl {
    pub name: String,
    pub direction: Direction,
    pub node: Id,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Netlist {
    pub name: String,
    pub doc: String,
    pub nodes: Vec<Node>,
    pub drives: BTreeMap<Id, Vec<Drive>>,
    /// Every register, with its value in reset.
    pub regs: BTreeMap<Id, Option<Bits>>,
    pub mems: Vec<Mem>,
    pub insts: Vec<Inst>,
    /// Without clock and reset.
    pub ports: Vec<PortDecl>,
    pub formals: Vec<Formal>,
    /// The reset as a signal, once something asked for it.
    pub reset: Option<Id>,
}

impl Netlist {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub fn ty(&self, id: Id) -> Type {
        self.node(id).ty
    }

    pub fn width(&self, id: Id) -> u32 {
        self.ty(id).width()
    }

    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    pub fn drives(&self, id: Id) -> &[Drive] {
        self.drives.get(&id).map_or(&[], Vec::as_slice)
    }

    pub fn describe(&self, id: Id) -> Described {
        let node = self.node(id);
        let name = match (&node.name, &node.op) {
            (Some(name), _) => name.clone(),
            (None, Op::Const(bits)) => bits.to_string(),
            (None, op) => op.word().to_string(),
        };
        Described { name, ty: node.ty }
    }

    fn drive_fan_in(&self, id: Id) -> Vec<Id> {
        self.drives(id).iter().flat_map(|d| d.when.into_iter().chain([d.value])).collect()
    }

    /// Nodes on which `id` depends within the same clock, outputs of instances through the
    /// component's own paths.
    pub fn fan_in(&self, id: Id) -> Vec<Id> {
        match &self.node(id).op {
            Op::Wire => self.drive_fan_in(id),
            Op::InstOut(inst, port) => {
                let inst = &self.insts[*inst];
                inst.of.paths(*port).iter().map(|&input| inst.pins[input]).collect()
            }
            op => op.operands(),
        }
    }

    /// Nodes that a register or memory read port takes in at the clock edge.
    pub fn clocked_fan_in(&self, id: Id) -> Vec<Id> {
        match self.node(id).op {
            Op::Reg => self.drive_fan_in(id),
            Op::MemRead(mem, port) => {
                let read = &self.mems[mem].reads[port];
                vec![read.enable, read.addr]
            }
            _ => vec![],
        }
    }

    /// All that `roots` depend on, with themselves: within a clock, or through state as well.
    pub fn reach(&self, roots: impl IntoIterator<Item = Id>, through_state: bool) -> Vec<bool> {
        let mut seen = vec![false; self.nodes.len()];
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            stack.extend(self.fan_in(id));
            if through_state {
                stack.extend(self.clocked_fan_in(id));
                if let Op::MemRead(mem, _) = self.node(id).op {
                    stack.extend(self.mems[mem].write_fan_in());
                }
            }
        }
        seen
    }

    /// The nodes of the ports that go this way.
    pub fn ports(&self, direction: Direction) -> impl Iterator<Item = Id> {
        self.ports.iter().filter(move |p| p.direction == direction).map(|p| p.node)
    }

    fn needs(&self, port: &str, own: bool) -> bool {
        let passed_on = |i: &Inst| port == "clk" || i.reset.is_none();
        own || self.insts.iter().any(|i| passed_on(i) && i.of.implicit().contains(&port))
    }

    pub fn needs_clock(&self) -> bool {
        self.needs("clk", !self.regs.is_empty() || !self.mems.is_empty())
    }

    pub fn needs_reset(&self) -> bool {
        self.needs("rst", self.reset.is_some() || self.regs.values().any(Option::is_some))
    }

    /// The ports that appear by themselves.
    pub fn implicit(&self) -> Vec<&'static str> {
        let needs = [("clk", self.needs_clock()), ("rst", self.needs_reset())];
        needs.into_iter().filter(|n| n.1).map(|n| n.0).collect()
    }
}
