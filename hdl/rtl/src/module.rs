//! The module under construction: ports, registers, wires, conditions.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use crate::bits::Bits;
use crate::component::{Component, Design};
use crate::error::{At, Fault, Problem, RtlError};
use crate::fold;
use crate::names;
use crate::netlist::{Direction, Formal, FormalKind, Id, Netlist, Node, Op, PortDecl};
use crate::sig::Sig;
use crate::types::{MAX_WIDTH, Number, Type};

/// A module that is being described.
///
/// Every method takes `&self` and hands out [`Sig`]s, which are `Copy`. Mistakes are collected,
/// each with its line of Rust, and come out of [`Module::build`].
pub struct Module {
    pub(crate) state: RefCell<State>,
}

/// Makes a signal of a bundle from its name, its type, and whether it goes forth from the source.
pub(crate) type Maker<'m> = Box<dyn Fn(String, Type, bool) -> Sig<'m> + 'm>;

/// What a description has gathered so far.
#[derive(Default)]
pub(crate) struct State {
    pub net: Netlist,
    pub problems: Vec<Problem>,
    /// Conjunction of the conditions of all `when`s that are open, innermost last.
    pub conditions: Vec<Id>,
    /// Condition under which a drivable node was made: a drive there needs no default.
    pub born: BTreeMap<Id, Id>,
    scopes: Vec<String>,
    taken: BTreeSet<String>,
}

impl Module {
    /// An empty module. `clk` and the synchronous, active-high `rst` appear as ports by themselves
    /// when something needs them.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Module {
        let net = Netlist { name: name.into(), ..Netlist::default() };
        let taken = ["clk", "rst"].map(String::from).into();
        let module = Module { state: RefCell::new(State { net, taken, ..State::default() }) };
        let name = module.name();
        if let Some(why) = names::refusal(&name) {
            module.problem(Location::caller(), Fault::Name { name, why });
        }
        module
    }

    /// The module's name.
    pub fn name(&self) -> String {
        self.net().name.clone()
    }

    /// Text for the head of the Verilog file: what the module is for, trusts and costs.
    pub fn doc(&self, text: impl Into<String>) {
        self.net().doc = text.into();
    }

    /// An input port.
    #[track_caller]
    pub fn input(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.port(name.into(), ty, Direction::Input, Location::caller())
    }

    /// An output port, to be driven with [`Sig::set`]; it can be read, too.
    #[track_caller]
    pub fn output(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.port(name.into(), ty, Direction::Output, Location::caller())
    }

    fn port(&self, name: String, ty: Type, direction: Direction, at: At) -> Sig<'_> {
        let op = if direction == Direction::Input { Op::Input } else { Op::Wire(vec![]) };
        let name = self.scoped(&name);
        let sig = self.declare(name.clone(), op, ty, at);
        self.net().ports.push(PortDecl { name, direction, node: sig.id });
        sig
    }

    /// Makes the ports of a bundle, of which some go forth from its source and some come back.
    pub(crate) fn side(&self, source: bool, at: At) -> Maker<'_> {
        Box::new(move |name, ty, forth| {
            let direction = if forth == source { Direction::Output } else { Direction::Input };
            self.port(name, ty, direction, at)
        })
    }

    /// A signal that is driven later, with [`Sig::set`].
    #[track_caller]
    pub fn wire(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.declare(self.scoped(&name.into()), Op::Wire(vec![]), ty, Location::caller())
    }

    /// A register on `clk`, to be driven with [`Sig::set`]; it holds its value where nothing is
    /// set, so an enable is a [`Module::when`] around it. Without [`Sig::reset`] its value after
    /// power-up is undefined.
    #[track_caller]
    pub fn reg(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.declare(self.scoped(&name.into()), Op::Reg(vec![], None), ty, Location::caller())
    }

    /// A literal of an explicit type.
    #[track_caller]
    pub fn lit(&self, ty: Type, value: impl Number) -> Sig<'_> {
        self.literal(ty, &value, Location::caller())
    }

    pub(crate) fn literal(&self, ty: Type, value: &dyn Number, at: At) -> Sig<'_> {
        if !self.width_ok("the literal", u64::from(ty.width()), at) {
            return self.poison(Type::UInt(1), at);
        }
        match self.number(value, ty, at) {
            Some(bits) => self.push(Op::Const(bits), ty, None, at),
            None => self.poison(ty, at),
        }
    }

    /// The bits of a number that `ty` has.
    pub(crate) fn number(&self, value: &dyn Number, ty: Type, at: At) -> Option<Bits> {
        let bits = value.to_bits(ty);
        if bits.is_none() {
            self.problem(at, Fault::LiteralRange { value: value.to_string(), ty });
        }
        bits
    }

    /// The synchronous reset as a signal: 1 while the module is held in reset.
    #[track_caller]
    pub fn rst(&self) -> Sig<'_> {
        if let Some(id) = self.net().reset {
            return Sig { m: self, id };
        }
        let sig = self.push(Op::Input, Type::UInt(1), Some("rst".into()), Location::caller());
        self.net().reset = Some(sig.id);
        sig
    }

    /// Concatenation, most significant part first.
    #[track_caller]
    pub fn cat<'m>(&'m self, parts: &[Sig<'m>]) -> Sig<'m> {
        let at = Location::caller();
        if parts.is_empty() {
            return self.refuse(Type::UInt(1), at, Fault::Empty { what: "the concatenation" });
        }
        let width = parts.iter().map(|p| u64::from(p.width())).sum();
        if !self.width_ok("the concatenation", width, at) {
            return self.poison(Type::UInt(1), at);
        }
        let parts = parts.iter().map(|&part| self.own(part, at).id).collect();
        self.op(Op::Cat(parts), Type::UInt(width as u32), at)
    }

    /// Runs `body` with `prefix_` before every name that it declares.
    pub fn scope<R>(&self, prefix: impl Into<String>, body: impl FnOnce() -> R) -> R {
        self.state.borrow_mut().scopes.push(prefix.into());
        let result = body();
        self.state.borrow_mut().scopes.pop();
        result
    }

    /// A property that must hold at every clock edge outside reset. It is checked by formal tools
    /// (under `FORMAL` in the Verilog) and by the interpreter; under [`Module::when`], only then.
    #[track_caller]
    pub fn assert<'m>(&'m self, name: impl Into<String>, condition: Sig<'m>) {
        self.formal(FormalKind::Assert, name.into(), condition, Location::caller());
    }

    /// A property of the inputs that formal tools may rely on.
    #[track_caller]
    pub fn assume<'m>(&'m self, name: impl Into<String>, condition: Sig<'m>) {
        self.formal(FormalKind::Assume, name.into(), condition, Location::caller());
    }

    /// A situation that formal tools shall show to be reachable.
    #[track_caller]
    pub fn cover<'m>(&'m self, name: impl Into<String>, condition: Sig<'m>) {
        self.formal(FormalKind::Cover, name.into(), condition, Location::caller());
    }

    fn formal<'m>(&'m self, kind: FormalKind, name: String, condition: Sig<'m>, at: At) {
        let condition = self.truth(condition, "a property", at);
        let cond = match (self.open(), kind) {
            (None, _) => condition,
            (Some(open), FormalKind::Cover) => open & condition,
            (Some(open), _) => !open | condition,
        };
        if !cond.is_poison() {
            let name = self.scoped(&name);
            self.net().formals.push(Formal { kind, name, cond: cond.id });
        }
    }

    /// Checks the module, writes its Verilog and makes it ready to be instantiated.
    pub fn finish(self) -> Component {
        crate::memory::promises(&self);
        let state = self.state.into_inner();
        Component::new(state.net, state.problems)
    }

    /// Checks the module and everything below it and writes the Verilog.
    pub fn build(self) -> Result<Design, RtlError> {
        self.finish().design()
    }

    /// Refuses the module, with the caller's line, where a parameter is not usable.
    #[track_caller]
    pub fn require(&self, what: &str, usable: bool, why: impl FnOnce() -> String) {
        if !usable {
            self.problem(Location::caller(), Fault::Parameter { what: what.into(), why: why() });
        }
    }

    // ----- what the other files of the builder use -----

    pub(crate) fn net(&self) -> RefMut<'_, Netlist> {
        RefMut::map(self.state.borrow_mut(), |state| &mut state.net)
    }

    pub(crate) fn problem(&self, at: At, fault: Fault) {
        let problem = self.net().problem(at, fault);
        self.state.borrow_mut().problems.push(problem);
    }

    pub(crate) fn poison(&self, ty: Type, at: At) -> Sig<'_> {
        let width = ty.width().clamp(1, MAX_WIDTH);
        self.push(Op::Poison, ty.with_width(width), None, at)
    }

    /// Notes a fault and gives the placeholder that silences its consequences.
    pub(crate) fn refuse(&self, ty: Type, at: At, fault: Fault) -> Sig<'_> {
        self.problem(at, fault);
        self.poison(ty, at)
    }

    /// Adds an operator, folded where that costs nothing; a refused operand spoils the result.
    pub(crate) fn op(&self, op: Op, ty: Type, at: At) -> Sig<'_> {
        let spoiled = |id: &Id| self.net().node(*id).op == Op::Poison;
        if op.operands().iter().any(spoiled) {
            return self.poison(ty, at);
        }
        let id = fold::node(&mut self.net(), op, ty, at);
        Sig { m: self, id }
    }

    /// Adds a node as it is.
    pub(crate) fn push(&self, op: Op, ty: Type, name: Option<String>, at: At) -> Sig<'_> {
        let mut state = self.state.borrow_mut();
        let id = fold::push(&mut state.net, Node { ty, op, name, comment: None, at });
        if let Some(&open) = state.conditions.last() {
            state.born.insert(id, open);
        }
        Sig { m: self, id }
    }

    /// Adds a named node; refuses bad widths and names.
    fn declare(&self, name: String, op: Op, ty: Type, at: At) -> Sig<'_> {
        let name = self.claim(name, at);
        if !self.width_ok(&format!("`{name}`"), u64::from(ty.width()), at) {
            return self.poison(ty, at);
        }
        self.push(op, ty, Some(name), at)
    }

    /// A name as it stands in the Verilog, with the open scopes before it.
    pub(crate) fn scoped(&self, name: &str) -> String {
        let state = self.state.borrow();
        let parts: Vec<&str> = state.scopes.iter().map(String::as_str).chain([name]).collect();
        parts.join("_")
    }

    /// Reserves a name.
    pub(crate) fn claim(&self, name: String, at: At) -> String {
        if let Some(why) = names::refusal(&name) {
            self.problem(at, Fault::Name { name: name.clone(), why });
        } else if !self.state.borrow_mut().taken.insert(name.clone()) {
            self.problem(at, Fault::NameTaken { name: name.clone() });
        }
        name
    }

    /// The same, with a number where the name is taken.
    pub(crate) fn claim_numbered(&self, name: String, at: At) -> String {
        let numbered = (1u32..).map(|n| format!("{name}_{n}"));
        let mut names = [name.clone()].into_iter().chain(numbered);
        let free = names.find(|name| !self.state.borrow().taken.contains(name));
        self.claim(free.unwrap_or(name), at)
    }

    pub(crate) fn width_ok(&self, what: &str, width: u64, at: At) -> bool {
        let ok = (1..=u64::from(MAX_WIDTH)).contains(&width);
        if !ok {
            self.problem(at, Fault::Width { what: what.to_string(), width });
        }
        ok
    }

    /// `sig`, or a placeholder for a signal of another module.
    pub(crate) fn own<'m>(&'m self, sig: Sig<'m>, at: At) -> Sig<'m> {
        if std::ptr::eq(self, sig.m) {
            return sig;
        }
        let (signal, other) = (sig.describe(), sig.m.name());
        self.refuse(sig.ty(), at, Fault::OtherModule { signal, other })
    }

    /// `sig` where it is a truth value, else a placeholder.
    pub(crate) fn truth<'m>(&'m self, sig: Sig<'m>, what: &str, at: At) -> Sig<'m> {
        self.typed(sig, Type::UInt(1), what, at)
    }

    /// `sig` where it has exactly the type, else a placeholder.
    pub(crate) fn typed<'m>(&'m self, sig: Sig<'m>, ty: Type, what: &str, at: At) -> Sig<'m> {
        let (sig, what) = (self.own(sig, at), what.to_string());
        if sig.ty() == ty {
            return sig;
        }
        sig.refuse(ty, at, |got| Fault::WrongType { what, expected: ty, got })
    }
}
