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
pub struct Component {
    pub(crate) built: Arc<Built>,
}

#[derive(Default)]
pub(crate) struct Built {
    pub net: Netlist,
    pub problems: Vec<Problem>,
    pub text: String,
    /// What is declared and nothing reads.
    unread: Vec<String>,
    /// What the text reads.
    data: Vec<DataFile>,
    /// For each port, the indices of the input ports that it depends on within a clock.
    pub paths: Vec<Vec<usize>>,
    /// Those of `clk` and `rst` that something in or below the module needs.
    pub implicit: Vec<&'static str>,
}

impl Component {
    pub(crate) fn new(net: Netlist, mut problems: Vec<Problem>) -> Component {
        for inst in &net.insts {
            problems.extend(inst.of.built.problems.iter().cloned());
        }
        // After a refused expression, what is not driven may only be its consequence.
        if !problems.iter().any(|p| p.module == net.name) {
            problems.extend(check::driven(&net));
        }
        if problems.is_empty() {
            problems.extend(check::order(&net).err().map(|problem| *problem));
        }
        let mut built = Built { net, problems, ..Built::default() };
        if built.problems.is_empty() {
            emit::narrow(&mut built.net);
            built.paths = check::paths(&built.net);
            let emit::Text { verilog, unread, data } = emit::module(&built.net);
            (built.text, built.unread, built.data) = (verilog, unread, data);
        }
        built.implicit = built.net.implicit();
        Component { built: Arc::new(built) }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.built.net.name
    }

    /// The ports in their order, clock and reset first.
    fn ports(&self) -> Vec<Port> {
        let port = |name: &str, direction, ty: Type| {
            let (width, signed) = (ty.width(), ty.is_signed());
            Port { name: name.to_string(), direction, width, signed }
        };
        let Built { net, implicit, .. } = &*self.built;
        let implicit = implicit.iter().map(|name| port(name, Direction::Input, Type::UInt(1)));
        let declared = net.ports.iter().map(|p| port(&p.name, p.direction, net.ty(p.node)));
        implicit.chain(declared).collect()
    }

    /// This module as the top of a design: its Verilog and that of every module below.
    pub fn design(&self) -> Result<Design, RtlError> {
        let mut problems = self.built.problems.clone();
        let mut modules = BTreeMap::new();
        self.gather(&mut modules, &mut problems);
        problems.dedup();
        if !problems.is_empty() {
            return Err(RtlError { module: self.name().to_string(), problems });
        }
        let file = |c: &Component| VerilogFile {
            name: format!("{}.v", c.name()),
            text: c.built.text.clone(),
        };
        let report = |c: &Component| WidthReport::new(&c.built.net, c.built.unread.clone());
        let implicit = |name: &str| self.built.implicit.contains(&name).then(|| name.to_string());
        Ok(Design {
            top: self.name().to_string(),
            files: modules.values().map(file).collect(),
            data: modules.values().flat_map(|c| c.built.data.clone()).collect(),
            ports: self.ports(),
            clock: implicit("clk"),
            reset: implicit("rst"),
            reports: modules.values().map(report).collect(),
            component: self.clone(),
        })
    }

    fn gather(&self, modules: &mut BTreeMap<String, Component>, problems: &mut Vec<Problem>) {
        let Built { net, text, data, .. } = &*self.built;
        match modules.insert(net.name.clone(), self.clone()) {
            Some(other) if Arc::ptr_eq(&other.built, &self.built) => return,
            Some(other) if (&other.built.text, &other.built.data) != (text, data) => {
                let fault = Fault::ModuleClash { name: net.name.clone() };
                let at = net.nodes.first().map_or(Location::caller(), |n| n.at);
                problems.push(net.problem(at, fault));
            }
            _ => {}
        }
        for inst in &net.insts {
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
        let index = self.net().insts.len();
        let pin = |(i, port): (usize, &PortDecl)| {
            let op = match port.direction {
                Direction::Input => Op::Wire(vec![]),
                Direction::Output => Op::InstOut(index, i),
            };
            let name = self.claim_numbered(format!("{name}_{}", port.name), at);
            self.push(op, of.built.net.ty(port.node), Some(name), at).id
        };
        let pins = of.built.net.ports.iter().enumerate().map(pin).collect();
        let inst = Inst { name, of: of.clone(), pins, reset: None, comment: None };
        self.net().insts.push(inst);
        Instance { m: self, index }
    }
}

impl<'m> Instance<'m> {
    /// The signal at a port: outputs are read, inputs are driven with [`Sig::set`].
    #[track_caller]
    pub fn port(self, name: &str) -> Sig<'m> {
        self.port_at(name, Location::caller())
    }

    /// The same, if there is a port of that name.
    pub(crate) fn pin(self, name: &str) -> Option<Sig<'m>> {
        let inst = &self.m.net().insts[self.index];
        let i = inst.of.built.net.ports.iter().position(|p| p.name == name)?;
        Some(Sig { m: self.m, id: inst.pins[i] })
    }

    pub(crate) fn port_at(self, name: &str, at: At) -> Sig<'m> {
        if let Some(sig) = self.pin(name) {
            return sig;
        }
        let Inst { name: instance, of, .. } = self.m.net().insts[self.index].clone();
        // A sub-module that could not be built may lack ports; its own problems say why.
        if !of.built.problems.is_empty() {
            return self.m.poison(Type::UInt(1), at);
        }
        let ports: Vec<&str> = of.built.net.ports.iter().map(|p| p.name.as_str()).collect();
        let (port, module, ports) = (name.to_string(), of.name().to_string(), ports.join(", "));
        let fault = Fault::NoPort { instance, module, port, ports };
        self.m.refuse(Type::UInt(1), at, fault)
    }

    /// Drives an input.
    #[track_caller]
    pub fn set(self, port: &str, value: impl Operand<'m>) -> Instance<'m> {
        self.port(port).set(value);
        self
    }

    /// Resets the instance with a signal of the parent's instead of the parent's own reset, which
    /// the signal has to include: `soft | m.rst()`, or a register that `rst` sets.
    #[track_caller]
    pub fn reset_by(self, reset: Sig<'m>) -> Instance<'m> {
        let reset = self.m.truth(reset, "a reset", Location::caller());
        self.m.net().insts[self.index].reset = Some(reset.id);
        self
    }

    /// A comment above the instance in the Verilog.
    pub fn comment(self, text: impl Into<String>) -> Instance<'m> {
        self.m.net().insts[self.index].comment = Some(text.into());
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

/// Contents of a memory that are too long for Verilog: what `$readmemh` reads, a word a line.
///
/// Verilog names it without a folder, so tools that read the Verilog run where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// `<module>_<memory>.hex`
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

/// A built design: Verilog, one file a module, what it reads, and what a test bench has to know.
#[derive(Clone, Debug)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// Every module once, sorted by name.
    pub files: Vec<VerilogFile>,
    /// What they read beside them, most often nothing.
    pub data: Vec<DataFile>,
    /// Ports of the top module in their order, clock and reset first.
    pub ports: Vec<Port>,
    /// `clk`, unless the design is purely combinational.
    pub clock: Option<String>,
    /// `rst`, synchronous and active high, if anything is reset.
    pub reset: Option<String>,
    /// Widths and storage of every module, sorted by name.
    pub reports: Vec<WidthReport>,
    pub(crate) component: Component,
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
}
