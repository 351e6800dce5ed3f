//! Finished modules: what `finish()` gives, what parents instantiate, what `build()` hands out.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

use crate::check;
use crate::emit;
use crate::error::{At, Fault, Problem, RtlError};
use crate::module::Module;
use crate::netlist::{Direction, Inst, Netlist, Op, PortDecl};
use crate::report::WidthReport;
use crate::sig::{Operand, Sig};
use crate::types::Type;

/// Parameters that describe a module: the usual way to write one.
///
/// Two values with equal names must describe equal modules; the Verilog then has one of them.
pub trait Generate {
    /// Name of the Verilog module, with every parameter that changes it folded in.
    fn name(&self) -> String;

    /// Describes the module.
    fn describe(&self, m: &Module);

    /// The module, ready to be instantiated.
    #[track_caller]
    fn component(&self) -> Component {
        let m = Module::new(self.name());
        self.describe(&m);
        m.finish()
    }

    /// The module and everything below it as Verilog.
    #[track_caller]
    fn build(&self) -> Result<Design, RtlError> {
        self.component().design()
    }
}

/// A finished module. Cloning is cheap.
#[derive(Clone, derive_more::Debug)]
#[debug("Component({})", self.name())]
pub struct Component(Arc<Inner>);

struct Inner {
    net: Netlist,
    problems: Vec<Problem>,
    text: String,
    /// For each port, the indices of the input ports that it depends on within a clock.
    paths: Vec<Vec<usize>>,
    report: Option<WidthReport>,
    implicit: Vec<&'static str>,
}

impl Component {
    pub(crate) fn new(mut net: Netlist, mut problems: Vec<Problem>) -> Component {
        for inst in &net.insts {
            problems.extend(inst.of.0.problems.iter().cloned());
        }
        // After a refused expression, what is not driven may only be its consequence.
        if !problems.iter().any(|p| p.module == net.name) {
            problems.extend(check::driven(&net));
        }
        if problems.is_empty() {
            problems.extend(check::order(&net).err().map(|problem| *problem));
        }
        let (mut text, mut paths, mut report) = (String::new(), vec![], None);
        if problems.is_empty() {
            emit::narrow(&mut net);
            paths = check::paths(&net);
            let written = emit::module(&net);
            report = Some(WidthReport::new(&net, written.unread));
            text = written.text;
        }
        paths.resize(net.ports.len(), vec![]);
        let implicit = net.implicit();
        Component(Arc::new(Inner { net, problems, text, paths, report, implicit }))
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.0.net.name
    }

    pub(crate) fn net(&self) -> &Netlist {
        &self.0.net
    }

    pub(crate) fn paths(&self, port: usize) -> &[usize] {
        &self.0.paths[port]
    }

    /// Those of `clk` and `rst` that something in or below the module needs.
    pub(crate) fn implicit(&self) -> &[&'static str] {
        &self.0.implicit
    }

    /// The ports in their order, clock and reset first.
    fn ports(&self) -> Vec<Port> {
        let implicit = self.0.implicit.iter().map(|name| (*name, Direction::Input, Type::UInt(1)));
        let net = self.net();
        let declared = net.ports.iter().map(|p| (p.name.as_str(), p.direction, net.ty(p.node)));
        let port = |(name, direction, ty): (&str, _, Type)| {
            let (width, signed) = (ty.width(), ty.is_signed());
            Port { name: name.to_string(), direction, width, signed }
        };
        implicit.chain(declared).map(port).collect()
    }

    /// This module as the top of a design: its Verilog and that of every module below.
    pub fn design(&self) -> Result<Design, RtlError> {
        let mut problems = self.0.problems.clone();
        let mut modules = BTreeMap::new();
        self.gather(&mut modules, &mut problems);
        problems.dedup();
        if !problems.is_empty() {
            return Err(RtlError { module: self.name().to_string(), problems });
        }
        let files =
            |c: &Component| VerilogFile { name: format!("{}.v", c.name()), text: c.0.text.clone() };
        let implicit = |name: &str| self.implicit().contains(&name).then(|| name.to_string());
        Ok(Design {
            top: self.name().to_string(),
            files: modules.values().map(files).collect(),
            ports: self.ports(),
            clock: implicit("clk"),
            reset: implicit("rst"),
            reports: modules.values().filter_map(|c| c.0.report.clone()).collect(),
            component: self.clone(),
        })
    }

    fn gather(&self, modules: &mut BTreeMap<String, Component>, problems: &mut Vec<Problem>) {
        match modules.get(self.name()) {
            None => {
                modules.insert(self.name().to_string(), self.clone());
            }
            Some(other) if Arc::ptr_eq(&other.0, &self.0) => return,
            Some(other) if other.0.text == self.0.text => {}
            Some(_) => {
                let fault = Fault::ModuleClash { name: self.name().to_string() };
                let at = self.0.net.nodes.first().map_or(Location::caller(), |n| n.at);
                problems.push(self.0.net.problem(at, fault));
            }
        }
        for inst in &self.0.net.insts {
            inst.of.gather(modules, problems);
        }
    }
}

/// A module inside a module.
#[derive(Clone, Copy)]
pub struct Instance<'m> {
    m: &'m Module,
    index: usize,
}

impl Module {
    /// Places a module. Clock and reset are connected; every other input is to be driven.
    #[track_caller]
    pub fn instance(&self, name: impl Into<String>, of: &impl Generate) -> Instance<'_> {
        self.instance_of(name, &of.component())
    }

    /// Places a module that is finished already.
    #[track_caller]
    pub fn instance_of(&self, name: impl Into<String>, of: &Component) -> Instance<'_> {
        let at = Location::caller();
        let name = self.claim(self.scoped(&name.into()), at);
        let index = self.state.borrow().net.insts.len();
        let pin = |(i, port): (usize, &PortDecl)| {
            let op = match port.direction {
                Direction::Input => Op::Wire(vec![]),
                Direction::Output => Op::InstOut(index, i),
            };
            let name = self.claim_numbered(format!("{name}_{}", port.name), at);
            self.push(op, of.net().ty(port.node), Some(name), at).id
        };
        let pins = of.net().ports.iter().enumerate().map(pin).collect();
        let inst = Inst { name, of: of.clone(), pins, reset: None, comment: None };
        self.state.borrow_mut().net.insts.push(inst);
        Instance { m: self, index }
    }
}

impl<'m> Instance<'m> {
    /// The signal at a port: outputs are read, inputs are driven with [`Sig::set`].
    #[track_caller]
    pub fn port(self, name: &str) -> Sig<'m> {
        self.port_at(name, Location::caller())
    }

    pub(crate) fn port_at(self, name: &str, at: At) -> Sig<'m> {
        let m = self.m;
        let inst = m.state.borrow().net.insts[self.index].clone();
        let mut ports = inst.of.net().ports.iter();
        if let Some(i) = ports.position(|p| p.name == name) {
            return Sig { m, id: inst.pins[i] };
        }
        // A sub-module that could not be built may lack ports; its own problems say why.
        if !inst.of.0.problems.is_empty() {
            return m.poison(Type::UInt(1), at);
        }
        let ports: Vec<&str> = inst.of.net().ports.iter().map(|p| p.name.as_str()).collect();
        let (module, ports) = (inst.of.name().to_string(), ports.join(", "));
        let fault = Fault::NoPort { instance: inst.name, module, port: name.to_string(), ports };
        m.refuse(Type::UInt(1), at, fault)
    }

    /// Drives an input.
    #[track_caller]
    pub fn set(self, port: &str, value: impl Operand<'m>) -> Instance<'m> {
        let at = Location::caller();
        self.m.drive(self.port_at(port, at), value, at);
        self
    }

    /// Resets the instance with a signal of the parent's instead of the parent's own reset, which
    /// the signal has to include: `soft | m.rst()`, or a register that `rst` sets.
    #[track_caller]
    pub fn reset_by(self, reset: Sig<'m>) -> Instance<'m> {
        let reset = self.m.truth(reset, "a reset", Location::caller());
        self.m.state.borrow_mut().net.insts[self.index].reset = Some(reset.id);
        self
    }

    /// Whether there is a port of that name.
    pub(crate) fn has(self, name: &str) -> bool {
        let state = self.m.state.borrow();
        state.net.insts[self.index].of.net().ports.iter().any(|p| p.name == name)
    }

    /// A comment above the instance in the Verilog.
    pub fn comment(self, text: impl Into<String>) -> Instance<'m> {
        self.m.state.borrow_mut().net.insts[self.index].comment = Some(text.into());
        self
    }

    /// The module that holds the instance.
    pub fn module(self) -> &'m Module {
        self.m
    }
}

/// One Verilog file with one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerilogFile {
    /// `<module>.v`
    pub name: String,
    /// The whole text, ending in a newline.
    pub text: String,
}

/// A port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the Verilog.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Number of bits.
    pub width: u32,
    /// Whether it is declared `signed`.
    pub signed: bool,
}

/// A built design: Verilog, one file a module, and what a test bench has to know.
#[derive(Clone, Debug)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// Every module once, sorted by name.
    pub files: Vec<VerilogFile>,
    /// Ports of the top module in their order, clock and reset first.
    pub ports: Vec<Port>,
    /// `clk`, unless the design is purely combinational.
    pub clock: Option<String>,
    /// `rst`, synchronous and active high, if anything is reset.
    pub reset: Option<String>,
    /// Widths and storage of every module, sorted by name.
    pub reports: Vec<WidthReport>,
    component: Component,
}

impl Design {
    /// The Verilog of one module.
    pub fn file(&self, module: &str) -> Option<&str> {
        let name = format!("{module}.v");
        self.files.iter().find(|f| f.name == name).map(|f| f.text.as_str())
    }

    /// All modules in one text.
    pub fn verilog(&self) -> String {
        self.files.iter().map(|f| f.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn component(&self) -> &Component {
        &self.component
    }
}
