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

/// Comparison operators; operands have equal types, the result is `UInt(1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// Operators of two operands whose width is the result's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bin {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
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
    Cmp(Cmp, Id, Id),
    Reduce(Red, Id),
    Mux(Id, Id, Id),
    /// Selector, arms with distinct constants, default.
    Switch(Id, Vec<(Bits, Id)>, Id),
    /// Most significant first.
    Cat(Vec<Id>),
    /// As many bits as the node's type has, from a constant position.
    Slice(Id, u32),
    /// The same from a variable position, which the builder keeps within the operand.
    SliceAt(Id, Id),
    /// To the node's wider type, by the operand's sign.
    Extend(Id),
    /// Other signedness, same bits.
    Cast(Id),
    /// Another name for the same signal.
    Alias(Id),
    Shl(Id, Id),
    /// Arithmetic for `SInt`.
    Shr(Id, Id),
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
    /// Nodes that the operator's value depends on within the same clock; drives not included.
    pub fn operands(&self) -> Vec<Id> {
        match self {
            Op::Bin(_, a, b)
            | Op::Cmp(_, a, b)
            | Op::SliceAt(a, b)
            | Op::Shl(a, b)
            | Op::Shr(a, b) => {
                vec![*a, *b]
            }
            Op::Not(a) | Op::Reduce(_, a) | Op::Slice(a, _) => vec![*a],
            Op::Extend(a) | Op::Cast(a) | Op::Alias(a) => vec![*a],
            Op::Mux(c, a, b) => vec![*c, *a, *b],
            Op::Switch(s, arms, d) => {
                [*s].into_iter().chain(arms.iter().map(|a| a.1)).chain([*d]).collect()
            }
            Op::Cat(parts) => parts.clone(),
            Op::Input | Op::Const(_) | Op::Wire | Op::Reg => vec![],
            Op::MemRead(..) | Op::InstOut(..) | Op::Poison => vec![],
        }
    }

    /// The same operator on other nodes.
    pub fn mapped(&self, f: impl Fn(Id) -> Id) -> Op {
        match self {
            Op::Bin(bin, a, b) => Op::Bin(*bin, f(*a), f(*b)),
            Op::Cmp(cmp, a, b) => Op::Cmp(*cmp, f(*a), f(*b)),
            Op::SliceAt(a, b) => Op::SliceAt(f(*a), f(*b)),
            Op::Shl(a, b) => Op::Shl(f(*a), f(*b)),
            Op::Shr(a, b) => Op::Shr(f(*a), f(*b)),
            Op::Not(a) => Op::Not(f(*a)),
            Op::Reduce(red, a) => Op::Reduce(*red, f(*a)),
            Op::Slice(a, lo) => Op::Slice(f(*a), *lo),
            Op::Extend(a) => Op::Extend(f(*a)),
            Op::Cast(a) => Op::Cast(f(*a)),
            Op::Alias(a) => Op::Alias(f(*a)),
            Op::Mux(c, a, b) => Op::Mux(f(*c), f(*a), f(*b)),
            Op::Switch(s, arms, d) => {
                Op::Switch(f(*s), arms.iter().map(|(k, v)| (k.clone(), f(*v))).collect(), f(*d))
            }
            Op::Cat(parts) => Op::Cat(parts.iter().map(|&p| f(p)).collect()),
            other => other.clone(),
        }
    }

    /// What messages and generated names call it.
    pub fn word(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Const(_) => "literal",
            Op::Bin(Bin::Add, ..) => "sum",
            Op::Bin(Bin::Sub, ..) => "difference",
            Op::Bin(Bin::Mul, ..) => "product",
            Op::Bin(Bin::And, ..) => "and",
            Op::Bin(Bin::Or, ..) => "or",
            Op::Bin(Bin::Xor, ..) => "xor",
            Op::Not(_) => "not",
            Op::Cmp(..) => "compare",
            Op::Reduce(..) => "reduce",
            Op::Mux(..) => "mux",
            Op::Switch(..) => "switch",
            Op::Cat(_) => "cat",
            Op::Slice(..) | Op::SliceAt(..) => "slice",
            Op::Extend(_) => "extend",
            Op::Cast(_) => "cast",
            Op::Alias(_) => "alias",
            Op::Shl(..) | Op::Shr(..) => "shift",
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

#[derive(Clone, Debug, Default)]
pub(crate) struct RegInfo {
    pub reset: Option<Bits>,
    pub enable: Option<Id>,
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

#[derive(Clone, Debug)]
pub(crate) struct Inst {
    pub name: String,
    pub of: Component,
    /// One node per port of the component, in its order: a wire for inputs, else `InstOut`.
    pub pins: Vec<Id>,
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
    pub regs: BTreeMap<Id, RegInfo>,
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

    /// Nodes on which `id` depends within the same clock, outputs of instances through the
    /// component's own paths.
    pub fn fan_in(&self, id: Id) -> Vec<Id> {
        match &self.node(id).op {
            Op::Wire => {
                self.drives(id).iter().flat_map(|d| d.when.into_iter().chain([d.value])).collect()
            }
            Op::InstOut(inst, port) => {
                let inst = &self.insts[*inst];
                inst.of.paths(*port).iter().map(|&input| inst.pins[input]).collect()
            }
            op => op.operands(),
        }
    }

    /// Nodes that a register or memory read port takes in at the clock edge.
    pub fn clocked_fan_in(&self, id: Id) -> Vec<Id> {
        match &self.node(id).op {
            Op::Reg => {
                let enable = self.regs[&id].enable;
                let drives =
                    self.drives(id).iter().flat_map(|d| d.when.into_iter().chain([d.value]));
                enable.into_iter().chain(drives).collect()
            }
            Op::MemRead(mem, port) => {
                let read = &self.mems[*mem].reads[*port];
                vec![read.enable, read.addr]
            }
            _ => vec![],
        }
    }

    pub fn needs_clock(&self) -> bool {
        !self.regs.is_empty()
            || !self.mems.is_empty()
            || self.insts.iter().any(|i| i.of.needs_clock())
    }

    pub fn needs_reset(&self) -> bool {
        self.reset.is_some()
            || self.regs.values().any(|r| r.reset.is_some())
            || self.insts.iter().any(|i| i.of.needs_reset())
    }
}
