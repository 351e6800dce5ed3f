//! The same netlist, run in Rust: unit tests need no simulator, and the differential fuzz has
//! something to compare with.

use std::collections::HashMap;
use std::fmt;

use crate::bits::Bits;
use crate::check;
use crate::component::{Component, Design};
use crate::eval::eval;
use crate::netlist::{Direction, Drive, Formal, FormalKind, Id, Mem, Netlist, Node, Op};
use crate::types::{Number, Type};

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property, after the path of instances.
    pub name: String,
    /// The clock edge, counted from zero, at which it failed.
    pub cycle: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "property `{}` does not hold in cycle {}", self.name, self.cycle)
    }
}

/// Runs a design cycle by cycle. Registers and memories without a value of their own start at zero.
///
/// Signals are named as in the Verilog; those of instances as `instance.signal`.
pub struct Interpreter {
    net: Netlist,
    /// What has to be computed, in order.
    order: Vec<Id>,
    values: Vec<Bits>,
    memories: Vec<Vec<Bits>>,
    /// What resets each node's module.
    resets: Vec<Id>,
    names: HashMap<String, Id>,
    stale: bool,
    cycle: u64,
}

const RST: Id = Id(0);

impl Interpreter {
    /// The design with all inputs, `rst` included, at zero.
    pub fn new(design: &Design) -> Interpreter {
        let mut net = Netlist::default();
        let at = std::panic::Location::caller();
        let name = Some("rst".to_string());
        net.nodes.push(Node { ty: Type::UInt(1), op: Op::Input, name, comment: None, at });
        let mut names = HashMap::from([("rst".to_string(), RST)]);
        let mut resets = vec![RST];
        flatten(&mut net, &mut names, &mut resets, design.component(), "", None, RST);
        let order = check::order(&net).expect("a built design has no combinational loop");
        let computed = |id: &Id| !matches!(net.node(*id).op, Op::Input | Op::Reg | Op::MemRead(..));
        let order = order.into_iter().filter(computed).collect();
        let values = net.nodes.iter().map(|n| Bits::zero(n.ty.width())).collect();
        let contents =
            |m: &Mem| m.init.clone().unwrap_or_else(|| vec![Bits::zero(m.ty.width()); m.depth]);
        let memories = net.mems.iter().map(contents).collect();
        Interpreter { net, order, values, memories, resets, names, stale: true, cycle: 0 }
    }

    #[track_caller]
    fn find(&self, name: &str) -> Id {
        match self.names.get(name) {
            Some(&id) => id,
            None => panic!("no signal `{name}` in the design"),
        }
    }

    /// Sets an input; the value must fit the port's type.
    #[track_caller]
    pub fn poke(&mut self, input: &str, value: impl Number) {
        let id = self.find(input);
        let ty = self.net.ty(id);
        assert!(self.net.node(id).op == Op::Input, "`{input}` is not an input of the top module");
        let Some(bits) = value.to_bits(ty) else { panic!("{value} does not fit `{input}`: {ty}") };
        self.values[id.0 as usize] = bits;
        self.stale = true;
    }

    /// The present value of a port or named signal.
    #[track_caller]
    pub fn peek(&mut self, name: &str) -> Bits {
        let id = self.find(name);
        self.settle();
        self.values[id.0 as usize].clone()
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
        let result = self.properties();
        self.edge();
        self.cycle += 1;
        self.stale = true;
        result
    }

    fn is_set(&self, id: Id) -> bool {
        !self.values[id.0 as usize].is_zero()
    }

    /// The value that the drives of a wire or register give, if any of them applies.
    fn driven(&self, id: Id) -> Option<&Bits> {
        let drive =
            self.net.drives(id).iter().rev().find(|d| d.when.is_none_or(|c| self.is_set(c)));
        drive.map(|d| &self.values[d.value.0 as usize])
    }

    fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for i in 0..self.order.len() {
            let id = self.order[i];
            let node = self.net.node(id);
            let value = match &node.op {
                Op::Wire => self.driven(id).expect("a wire has a default").clone(),
                op => eval(op, node.ty, |id| &self.values[id.0 as usize], |id| self.net.ty(id)),
            };
            self.values[id.0 as usize] = value;
        }
    }

    fn in_reset(&self, id: Id) -> bool {
        self.is_set(self.resets[id.0 as usize])
    }

    fn properties(&self) -> Result<(), Violation> {
        let checked = self.net.formals.iter().filter(|f| f.kind != FormalKind::Cover);
        let fails = |f: &Formal| !self.is_set(f.cond) && !self.in_reset(f.cond);
        match checked.into_iter().find(|f| fails(f)) {
            Some(f) => Err(Violation { name: f.name.clone(), cycle: self.cycle }),
            None => Ok(()),
        }
    }

    fn edge(&mut self) {
        let mut next: Vec<(Id, Bits)> = vec![];
        for (&id, reset) in &self.net.regs {
            match reset {
                Some(value) if self.in_reset(id) => next.push((id, value.clone())),
                _ => next.extend(self.driven(id).map(|v| (id, v.clone()))),
            }
        }
        let value = |id: Id| &self.values[id.0 as usize];
        for (mem, words) in self.net.mems.iter().zip(&mut self.memories) {
            let address = |id| value(id).to_u64() as usize;
            for read in mem.reads.iter().filter(|r| !value(r.enable).is_zero()) {
                let word = words.get(address(read.addr)).cloned();
                next.push((read.out, word.unwrap_or(Bits::zero(mem.ty.width()))));
            }
            let write = mem.write.as_ref().filter(|w| !value(w.enable).is_zero());
            let Some(write) = write else { continue };
            let Some(word) = words.get_mut(address(write.addr)) else { continue };
            let data = value(write.data);
            let mask = match write.bytes {
                None => Bits::ones(data.width()),
                Some(bytes) => spread(value(bytes)),
            };
            *word = word.and(&mask.not()).or(&data.and(&mask));
        }
        for (id, value) in next {
            self.values[id.0 as usize] = value;
        }
    }
}

/// Every bit eight times.
fn spread(bytes: &Bits) -> Bits {
    let width = 8 * bytes.width();
    let byte = Bits::from_u128(width, 0xff);
    let set = (0..bytes.width()).filter(|&i| bytes.bit(i));
    set.fold(Bits::zero(width), |mask, i| mask.or(&byte.shift_left(8 * i)))
}

/// Copies a module and all below it into one netlist. Ports become wires: inputs of instances are
/// driven by the parent's pins, whose outputs are driven by the instance's.
fn flatten(
    flat: &mut Netlist,
    names: &mut HashMap<String, Id>,
    resets: &mut Vec<Id>,
    of: &Component,
    path: &str,
    pins: Option<&[Id]>,
    reset: Id,
) {
    let net = of.net();
    let base = flat.nodes.len() as u32;
    let to = |id: Id| Id(id.0 + base);
    let mem_base = flat.mems.len();
    for node in &net.nodes {
        let op = match &node.op {
            Op::MemRead(mem, port) => Op::MemRead(mem + mem_base, *port),
            Op::InstOut(..) => Op::Wire,
            op => op.mapped(to),
        };
        if let Some(name) = &node.name {
            names.entry(format!("{path}{name}")).or_insert(Id(flat.nodes.len() as u32));
        }
        flat.nodes.push(Node { op, ..node.clone() });
        resets.push(reset);
    }
    for (&id, drives) in &net.drives {
        let drive = |d: &Drive| Drive { when: d.when.map(to), value: to(d.value), at: d.at };
        flat.drives.insert(to(id), drives.iter().map(drive).collect());
    }
    flat.regs.extend(net.regs.iter().map(|(&id, reset)| (to(id), reset.clone())));
    for mem in &net.mems {
        let mut mem = mem.clone();
        mem.slots().into_iter().for_each(|id| *id = to(*id));
        flat.mems.push(mem);
    }
    for formal in &net.formals {
        let (kind, name) = (formal.kind, format!("{path}{}", formal.name));
        flat.formals.push(Formal { kind, name, cond: to(formal.cond) });
    }
    let at = std::panic::Location::caller();
    let join = |flat: &mut Netlist, wire: Id, from: Id| {
        flat.nodes[wire.0 as usize].op = Op::Wire;
        flat.drives.insert(wire, vec![Drive { when: None, value: from, at }]);
    };
    if let Some(own) = net.reset {
        join(flat, to(own), reset);
    }
    for (port, &pin) in net.ports.iter().zip(pins.unwrap_or_default()) {
        match port.direction {
            Direction::Input => join(flat, to(port.node), pin),
            Direction::Output => join(flat, pin, to(port.node)),
        }
    }
    for inst in &net.insts {
        let pins: Vec<Id> = inst.pins.iter().map(|&pin| to(pin)).collect();
        let reset = inst.reset.map_or(reset, to);
        let path = format!("{path}{}.", inst.name);
        flatten(flat, names, resets, &inst.of, &path, Some(&pins), reset);
    }
}
