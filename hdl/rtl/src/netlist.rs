//! What a module is once it has been described: nodes, drives, memories and instances.
//!
//! The builder keeps one invariant that makes everything after it simple: the operands of an
//! operator already have the width that the operator works at. Extension and truncation are nodes
//! of their own, so neither the emitter nor the interpreter ever has to know a width rule.

use derive_more::Display;
use strum::IntoStaticStr;

use crate::bits::Bits;
use crate::component::Component;
use crate::error::{At, Described, Fault, Problem};
pub(crate) use crate::node::{Bin, Drive, Id, Node, Op, Red};
use crate::types::Type;

#[derive(Clone, Debug)]
pub(crate) struct Mem {
    pub name: String,
    pub ty: Type,
    pub depth: usize,
    pub init: Option<Vec<Bits>>,
    pub no_rw_check: bool,
    pub ram_style: Option<String>,
    pub comment: Option<String>,
    /// The node of the write port.
    pub write: Option<Id>,
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

#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
#[display(rename_all = "lowercase")]
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
#[derive(Clone, Copy, Debug, IntoStaticStr, PartialEq, Eq)]
#[strum(serialize_all = "lowercase")]
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
    pub mems: Vec<Mem>,
    pub insts: Vec<Inst>,
    /// Without clock and reset.
    pub ports: Vec<PortDecl>,
    pub formals: Vec<Formal>,
    /// The reset as a signal, once something asked for it.
    pub reset: Option<Id>,
}

impl Netlist {
    pub fn problem(&self, at: At, fault: Fault) -> Problem {
        Problem { module: self.name.clone(), at, fault }
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
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

    /// The drives of a wire or register, in the order in which they were written.
    pub fn drives(&self, id: Id) -> &[Drive] {
        match &self.node(id).op {
            Op::Wire(drives) | Op::Reg(drives, _) => drives,
            _ => &[],
        }
    }

    /// The read ports of memory `mem`.
    pub fn reads(&self, mem: usize) -> impl Iterator<Item = Id> {
        let reads = move |op: &Op| matches!(op, Op::MemRead(of, ..) if *of == mem);
        self.ids().filter(move |&id| reads(&self.node(id).op))
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
            Op::InstOut(inst, port) => {
                let inst = &self.insts[*inst];
                inst.of.built.paths[*port].iter().map(|&input| inst.pins[input]).collect()
            }
            op if op.is_clocked() => vec![],
            op => op.operands(),
        }
    }

    /// All that `roots` depend on, with themselves: within a clock, or through state as well.
    pub fn reach(&self, roots: impl IntoIterator<Item = Id>, through_state: bool) -> Vec<bool> {
        let mut seen = vec![false; self.nodes.len()];
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            let op = &self.node(id).op;
            stack.extend(self.fan_in(id));
            if through_state && op.is_clocked() {
                stack.extend(op.operands());
            }
            if let (true, Op::MemRead(mem, ..)) = (through_state, op) {
                stack.extend(self.mems[*mem].write);
            }
        }
        seen
    }

    /// The nodes of the ports that go this way.
    pub fn ports(&self, direction: Direction) -> impl Iterator<Item = Id> {
        self.ports.iter().filter(move |p| p.direction == direction).map(|p| p.node)
    }

    /// Which of `clk` and `rst` something in or below the module needs: ports by themselves.
    pub fn implicit(&self) -> Vec<&'static str> {
        let any = |needs: fn(&Op) -> bool| self.nodes.iter().any(|n| needs(&n.op));
        let clk = any(Op::is_clocked);
        let rst = self.reset.is_some() || any(|op| matches!(op, Op::Reg(_, Some(_))));
        let below = |port| {
            let passed_on = |i: &&Inst| port == "clk" || i.reset.is_none();
            self.insts.iter().filter(passed_on).any(|i| i.of.built.implicit.contains(&port))
        };
        let ports = [("clk", clk), ("rst", rst)].into_iter();
        ports.filter(|&(port, own)| own || below(port)).map(|(port, _)| port).collect()
    }

    /// Whether `clk` or `rst` is among the ports.
    pub fn needs(&self, port: &str) -> bool {
        self.implicit().contains(&port)
    }
}
