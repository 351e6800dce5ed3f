//! The same netlist, run in Rust: unit tests need no simulator, and the differential fuzz has
//! something to compare with.

use std::collections::HashMap;
use std::panic::Location;

use thiserror::Error;

use crate::bits::Bits;
use crate::check;
use crate::component::{Component, Design};
use crate::error::At;
use crate::eval::eval;
use crate::netlist::{Direction, Drive, Formal, FormalKind, Id, Mem, Netlist, Node, Op};
use crate::types::{Number, Type};

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("property `{name}` does not hold in cycle {cycle}")]
pub struct Violation {
    /// The property, after the path of instances.
    pub name: String,
    /// The clock edge, counted from zero, at which it failed.
    pub cycle: u64,
}

/// Runs a design cycle by cycle. Registers and memories without a value of their own start at zero.
///
/// Signals are named as in the Verilog; those of instances as `instance.signal`.
#[derive(Default)]
pub struct Interpreter {
    /// The design and everything below it as one module, without memories.
    net: Netlist,
    names: HashMap<String, Id>,
    /// The name and condition of what must hold, and the reset outside which it must.
    properties: Vec<(String, Id, Id)>,
    memories: Vec<Vec<Bits>>,
    /// What is computed within a clock, in order.
    order: Vec<Id>,
    /// What happens at the clock edge.
    clocked: Vec<Id>,
    values: Vec<Bits>,
    stale: bool,
    cycle: u64,
}

const RST: Id = Id(0);

impl Interpreter {
    /// The design with all inputs, `rst` included, at zero.
    pub fn new(design: &Design) -> Interpreter {
        let mut sim = Interpreter { stale: true, ..Interpreter::default() };
        let (at, name) = (Location::caller(), Some("rst".to_string()));
        sim.push(Node { ty: Type::UInt(1), op: Op::Input, name, comment: None, at }, "");
        sim.flatten(&design.component, "", &[], RST, at);
        let net = &sim.net;
        let order = check::order(net).expect("a built design has no combinational loop");
        let order = order.into_iter().filter(|&id| net.node(id).op != Op::Input);
        (sim.clocked, sim.order) = order.partition(|&id| net.node(id).op.is_clocked());
        sim.values = net.nodes.iter().map(|n| Bits::zero(n.ty.width())).collect();
        sim
    }

    fn push(&mut self, node: Node, path: &str) {
        let id = Id(self.net.nodes.len() as u32);
        if let Some(name) = &node.name {
            self.names.entry(format!("{path}{name}")).or_insert(id);
        }
        self.net.nodes.push(node);
    }

    /// Copies a module and all below it into the netlist. Ports become wires: inputs of instances
    /// are driven by the parent's pins, whose outputs are driven by the instance's.
    fn flatten(&mut self, of: &Component, path: &str, pins: &[Id], reset: Id, at: At) {
        let net = &of.built.net;
        let (base, memories) = (self.net.nodes.len() as u32, self.memories.len());
        let to = |id: Id| Id(id.0 + base);
        for node in &net.nodes {
            let mut op = node.op.mapped(to);
            match &mut op {
                Op::InstOut(..) => op = Op::Wire(vec![]),
                Op::Reg(drives, Some(value)) => {
                    drives.push(Drive { when: Some(reset), value: *value, at });
                }
                Op::MemRead(mem, ..) | Op::MemWrite(mem, ..) => *mem += memories,
                _ => {}
            }
            self.push(Node { op, ..node.clone() }, path);
        }
        let contents =
            |m: &Mem| m.init.clone().unwrap_or_else(|| vec![Bits::zero(m.ty.width()); m.depth]);
        self.memories.extend(net.mems.iter().map(contents));
        let checked = net.formals.iter().filter(|f| f.kind != FormalKind::Cover);
        let property = |f: &Formal| (format!("{path}{}", f.name), to(f.cond), reset);
        self.properties.extend(checked.map(property));
        let mut join = |wire: Id, from: Id| {
            let drive = Drive { when: None, value: from, at };
            self.net.nodes[wire.index()].op = Op::Wire(vec![drive]);
        };
        if let Some(own) = net.reset {
            join(to(own), reset);
        }
        for (port, &pin) in net.ports.iter().zip(pins) {
            match port.direction {
                Direction::Input => join(to(port.node), pin),
                Direction::Output => join(pin, to(port.node)),
            }
        }
        for inst in &net.insts {
            let pins: Vec<Id> = inst.pins.iter().map(|&pin| to(pin)).collect();
            let path = format!("{path}{}.", inst.name);
            self.flatten(&inst.of, &path, &pins, inst.reset.map_or(reset, to), at);
        }
    }

    #[track_caller]
    fn find(&self, name: &str) -> Id {
        let Some(&id) = self.names.get(name) else { panic!("no signal `{name}` in the design") };
        id
    }

    /// Sets an input; the value must fit the port's type.
    #[track_caller]
    pub fn poke(&mut self, input: &str, value: impl Number) {
        let id = self.find(input);
        let ty = self.net.ty(id);
        assert!(self.net.node(id).op == Op::Input, "`{input}` is not an input of the top module");
        let Some(bits) = value.to_bits(ty) else { panic!("{value} does not fit `{input}`: {ty}") };
        self.values[id.index()] = bits;
        self.stale = true;
    }

    /// The present value of a port or named signal.
    #[track_caller]
    pub fn peek(&mut self, name: &str) -> Bits {
        let id = self.find(name);
        self.settle();
        self.values[id.index()].clone()
    }

    /// `peek` as an unsigned number of up to 64 bits.
    #[track_caller]
    pub fn u64(&mut self, name: &str) -> u64 {
        self.peek(name).to_u64()
    }

    /// `peek` as a signed number of up to 64 bits.
    #[track_caller]
    pub fn i64(&mut self, name: &str) -> i64 {
        self.peek(name).to_i64()
    }

    /// Clock edges so far.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// One clock with `rst` high, after which it is low.
    #[track_caller]
    pub fn reset(&mut self) {
        self.poke("rst", 1u8);
        self.step();
        self.poke("rst", 0u8);
    }

    /// One clock edge. Panics where an assertion or assumption does not hold.
    #[track_caller]
    pub fn step(&mut self) {
        if let Err(violation) = self.try_step() {
            panic!("{violation}");
        }
    }

    /// One clock edge, or the property that does not hold at it.
    pub fn try_step(&mut self) -> Result<(), Violation> {
        self.settle();
        let result = self.check();
        self.edge();
        self.cycle += 1;
        self.stale = true;
        result
    }

    fn is_set(&self, id: Id) -> bool {
        !self.values[id.index()].is_zero()
    }

    /// The value that the drives of a wire or register give, if any of them applies.
    fn driven(&self, drives: &[Drive]) -> Option<&Bits> {
        let drive = drives.iter().rev().find(|d| d.when.is_none_or(|c| self.is_set(c)));
        drive.map(|d| &self.values[d.value.index()])
    }

    fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for i in 0..self.order.len() {
            let id = self.order[i];
            let node = self.net.node(id);
            let value = match &node.op {
                Op::Wire(drives) => self.driven(drives).expect("a wire has a default").clone(),
                op => eval(&self.net, op, node.ty, |id| &self.values[id.index()]),
            };
            self.values[id.index()] = value;
        }
    }

    fn check(&self) -> Result<(), Violation> {
        let fails = |p: &&(String, Id, Id)| !self.is_set(p.1) && !self.is_set(p.2);
        let violation = |name: &String| Violation { name: name.clone(), cycle: self.cycle };
        self.properties.iter().find(fails).map_or(Ok(()), |p| Err(violation(&p.0)))
    }

    fn edge(&mut self) {
        let (mut next, mut written) = (vec![], vec![]);
        let value = |id: Id| &self.values[id.index()];
        let address = |id: Id| value(id).to_u64() as usize;
        for &id in &self.clocked {
            let node = self.net.node(id);
            match &node.op {
                Op::Reg(drives, _) => next.extend(self.driven(drives).map(|v| (id, v.clone()))),
                Op::MemRead(mem, enable, addr) if self.is_set(*enable) => {
                    let word = self.memories[*mem].get(address(*addr)).cloned();
                    next.push((id, word.unwrap_or(Bits::zero(node.ty.width()))));
                }
                Op::MemWrite(mem, [enable, addr, data], bytes) if self.is_set(*enable) => {
                    let (data, at) = (value(*data), address(*addr));
                    let Some(word) = self.memories[*mem].get(at) else { continue };
                    let mask = bytes.map_or(Bits::ones(data.width()), |b| spread(value(b)));
                    written.push((*mem, at, word.and(&mask.not()).or(&data.and(&mask))));
                }
                _ => {}
            }
        }
        for (id, value) in next {
            self.values[id.index()] = value;
        }
        for (mem, at, word) in written {
            self.memories[mem][at] = word;
        }
    }
}

/// Every bit eight times.
fn spread(bytes: &Bits) -> Bits {
    let byte = |i| if bytes.bit(i) { Bits::ones(8) } else { Bits::zero(8) };
    (0..bytes.width()).rev().fold(Bits::zero(0), |mask, i| mask.concat(&byte(i)))
}
