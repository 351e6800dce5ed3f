//! The width report: what a module declares, and how many bits it stores.

use std::fmt;

use crate::netlist::{Netlist, Op};
use crate::types::Type;

/// Widths and storage of one module, its sub-modules not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidthReport {
    /// The module.
    pub module: String,
    /// Every named signal: what it is, its name, its type.
    pub signals: Vec<(&'static str, String, Type)>,
    /// Every memory: its name, the type of a word, the number of words.
    pub memories: Vec<(String, Type, usize)>,
    /// Number of register bits, read ports of memories included.
    pub register_bits: u64,
    /// Number of memory bits.
    pub memory_bits: u64,
    /// Signals, or parts of them, that nothing reads.
    pub unread: Vec<String>,
}

impl WidthReport {
    pub(crate) fn new(net: &Netlist, unread: Vec<String>) -> WidthReport {
        let port = |id| net.ports.iter().find(|p| p.node == id).map(|p| p.direction.into());
        let kind = |id, op: &Op| match op {
            Op::Reg(..) => "reg",
            Op::MemRead(..) => "read",
            _ => port(id).unwrap_or("wire"),
        };
        let named = net
            .ids()
            .zip(&net.nodes)
            .filter_map(|(id, node)| Some((kind(id, &node.op), node.name.clone()?, node.ty)));
        let signals: Vec<_> = named.collect();
        let stored = net.nodes.iter().filter(|n| matches!(n.op, Op::Reg(..) | Op::MemRead(..)));
        let register_bits = stored.map(|n| u64::from(n.ty.width())).sum();
        let memories: Vec<_> = net.mems.iter().map(|m| (m.name.clone(), m.ty, m.depth)).collect();
        let memory_bits = memories.iter().map(|m| u64::from(m.1.width()) * m.2 as u64).sum();
        let module = net.name.clone();
        WidthReport { module, signals, memories, register_bits, memory_bits, unread }
    }
}

impl fmt::Display for WidthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (regs, mems) = (self.register_bits, self.memory_bits);
        writeln!(f, "{}: {regs} register bits, {mems} memory bits", self.module)?;
        for (kind, name, ty) in &self.signals {
            writeln!(f, "  {kind:<6} {name}: {ty}")?;
        }
        for (name, ty, depth) in &self.memories {
            writeln!(f, "  memory {name}: {depth} x {ty}")?;
        }
        self.unread.iter().try_for_each(|part| writeln!(f, "  unread {part}"))
    }
}
