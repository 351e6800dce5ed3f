//! The module under construction: ports, registers, wires, conditions.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::Location;

use crate::bits::Bits;
use crate::component::{Component, Design};
use crate::error::{At, Fault, Problem, RtlError};
use crate::fold;
use crate::names;
use crate::netlist::{Direction, Drive, Formal, FormalKind, Id, Netlist, Node, Op, PortDecl};
use crate::sig::{Operand, Sig};
use crate::types::{MAX_WIDTH, Number, Type};

/// A module that is being described.
///
/// Every method takes `&self` and hands out [`Sig`]s, which are `Copy`. Mistakes are collected,
/// each with its line of Rust, and come out of [`Module::build`].
pub struct Module {
    pub(crate) state: RefCell<State>,
}

/// What a description has gathered so far.
pub(crate) struct State {
    pub net: Netlist,
    pub problems: Vec<Problem>,
    /// Conjunction of the conditions of all `when`s that are open, innermost last.
    conditions: Vec<Id>,
    /// Condition under which a drivable node was made: a drive there needs no default.
    born: std::collections::BTreeMap<Id, Option<Id>>,
    scopes: Vec<String>,
    taken: BTreeSet<String>,
}

impl Module {
    /// An empty module. `clk` and the synchronous, active-high `rst` appear as ports by themselves
    /// when something needs them.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Module {
        let net = Netlist { name: name.into(), ..Netlist::default() };
        let module = Module {
            state: RefCell::new(State {
                net,
                problems: vec![],
                conditions: vec![],
                born: Default::default(),
                scopes: vec![],
                taken: ["clk", "rst"].map(String::from).into(),
            }),
        };
        let name = module.name();
        if let Some(why) = names::refusal(&name) {
            module.problem(Location::caller(), Fault::Name { name, why });
        }
        module
    }

    /// The module's name.
    pub fn name(&self) -> String {
        self.state.borrow().net.name.clone()
    }

    /// Text for the head of the Verilog file: what the module is for, trusts and costs.
    pub fn doc(&self, text: impl Into<String>) {
        self.state.borrow_mut().net.doc = text.into();
    }

    /// An input port.
    #[track_caller]
    pub fn input(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.port(name.into(), ty, Direction::Input, Op::Input, Location::caller())
    }

    /// An output port, to be driven with [`Sig::set`]; it can be read, too.
    #[track_caller]
    pub fn output(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.port(name.into(), ty, Direction::Output, Op::Wire, Location::caller())
    }

    fn port(&self, name: String, ty: Type, direction: Direction, op: Op, at: At) -> Sig<'_> {
        let sig = self.declare(&name, op, ty, at);
        let mut state = self.state.borrow_mut();
        let name = state.net.node(sig.id).name.clone().unwrap_or(name);
        state.net.ports.push(PortDecl { name, direction, node: sig.id });
        sig
    }

    /// A signal that is driven later, with [`Sig::set`].
    #[track_caller]
    pub fn wire(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        self.declare(&name.into(), Op::Wire, ty, Location::caller())
    }

    /// A register on `clk`, to be driven with [`Sig::set`]; it holds its value where nothing is
    /// set. Without [`Sig::reset`] its value after power-up is undefined.
    #[track_caller]
    pub fn reg(&self, name: impl Into<String>, ty: Type) -> Sig<'_> {
        let sig = self.declare(&name.into(), Op::Reg, ty, Location::caller());
        self.state.borrow_mut().net.regs.insert(sig.id, None);
        sig
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
        match value.to_bits(ty) {
            Some(bits) => self.constant(ty, bits, at),
            None => {
                self.problem(at, Fault::LiteralRange { value: value.to_string(), ty });
                self.poison(ty, at)
            }
        }
    }

    /// The synchronous reset as a signal: 1 while the module is held in reset.
    #[track_caller]
    pub fn rst(&self) -> Sig<'_> {
        if let Some(id) = self.state.borrow().net.reset {
            return Sig { m: self, id };
        }
        let sig = self.push(Op::Input, Type::UInt(1), Some("rst".into()), Location::caller());
        self.state.borrow_mut().net.reset = Some(sig.id);
        sig
    }

    /// Concatenation, most significant part first.
    #[track_caller]
    pub fn cat<'m>(&'m self, parts: &[Sig<'m>]) -> Sig<'m> {
        let at = Location::caller();
        if parts.is_empty() {
            self.problem(at, Fault::Empty { what: "the concatenation" });
            return self.poison(Type::UInt(1), at);
        }
        let width = parts.iter().map(|p| u64::from(p.width())).sum();
        if !parts.iter().all(|p| self.owns(*p, at))
            || !self.width_ok("the concatenation", width, at)
        {
            return self.poison(Type::UInt(1), at);
        }
        self.op(Op::Cat(parts.iter().map(|p| p.id).collect()), Type::UInt(width as u32), at)
    }

    /// Runs `body` so that each `set()`, memory access and assertion in it happens only while
    /// `condition`, a `UInt(1)`, holds.
    #[track_caller]
    pub fn when<'m>(&'m self, condition: Sig<'m>, body: impl FnOnce()) -> When<'m> {
        let at = Location::caller();
        let condition = self.truth(condition, "when()", at);
        self.under(condition, body, at);
        When { m: self, rest: self.op(Op::Not(condition.id), Type::UInt(1), at) }
    }

    fn under<'m>(&'m self, condition: Sig<'m>, body: impl FnOnce(), at: At) {
        let whole = self.conjunction(Some(condition), at).unwrap_or(condition);
        self.state.borrow_mut().conditions.push(whole.id);
        body();
        self.state.borrow_mut().conditions.pop();
    }

    /// The condition of the open `when`s and `condition`; `None` is always true.
    pub(crate) fn conjunction<'m>(&'m self, condition: Option<Sig<'m>>, at: At) -> Option<Sig<'m>> {
        let open = self.state.borrow().conditions.last().map(|&id| Sig { m: self, id });
        match (open, condition) {
            (Some(a), Some(b)) => {
                Some(self.op(Op::Bin(crate::netlist::Bin::And, a.id, b.id), Type::UInt(1), at))
            }
            (one, other) => one.or(other),
        }
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
        let open = self.conjunction(None, at);
        let cond = match (open, kind) {
            (None, _) => condition,
            (Some(open), FormalKind::Cover) => open & condition,
            (Some(open), _) => !open | condition,
        };
        if cond.is_poison() {
            return;
        }
        let mut state = self.state.borrow_mut();
        let name = state.scoped(&name);
        state.net.formals.push(Formal { kind, name, cond: cond.id });
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

    pub(crate) fn problem(&self, at: At, fault: Fault) {
        let mut state = self.state.borrow_mut();
        let module = state.net.name.clone();
        state.problems.push(Problem { module, at, fault });
    }

    pub(crate) fn poison(&self, ty: Type, at: At) -> Sig<'_> {
        let width = ty.width().clamp(1, MAX_WIDTH);
        self.push(Op::Poison, ty.with_width(width), None, at)
    }

    pub(crate) fn constant(&self, ty: Type, bits: Bits, at: At) -> Sig<'_> {
        self.push(Op::Const(bits), ty, None, at)
    }

    /// Adds an operator, folded where that costs nothing; a refused operand spoils the result.
    pub(crate) fn op(&self, op: Op, ty: Type, at: At) -> Sig<'_> {
        let spoiled = {
            let net = &self.state.borrow().net;
            op.operands().iter().any(|&id| matches!(net.node(id).op, Op::Poison))
        };
        if spoiled {
            return self.poison(ty, at);
        }
        let id = fold::node(&mut self.state.borrow_mut().net, op, ty, at);
        Sig { m: self, id }
    }

    /// Adds a node as it is.
    pub(crate) fn push(&self, op: Op, ty: Type, name: Option<String>, at: At) -> Sig<'_> {
        let id =
            fold::push(&mut self.state.borrow_mut().net, Node { ty, op, name, comment: None, at });
        let mut state = self.state.borrow_mut();
        let open = state.conditions.last().copied();
        if open.is_some() {
            state.born.insert(id, open);
        }
        Sig { m: self, id }
    }

    /// Adds a named node; refuses bad widths and names.
    pub(crate) fn declare(&self, name: &str, op: Op, ty: Type, at: At) -> Sig<'_> {
        let name = self.claim(name, at);
        if !self.width_ok(&format!("`{name}`"), u64::from(ty.width()), at) {
            return self.poison(ty, at);
        }
        self.push(op, ty, Some(name), at)
    }

    /// Reserves a name in the current scope.
    pub(crate) fn claim(&self, name: &str, at: At) -> String {
        let name = self.state.borrow().scoped(name);
        self.claim_whole(name, at)
    }

    fn claim_whole(&self, name: String, at: At) -> String {
        if let Some(why) = names::refusal(&name) {
            self.problem(at, Fault::Name { name: name.clone(), why });
        } else if !self.state.borrow_mut().taken.insert(name.clone()) {
            self.problem(at, Fault::NameTaken { name: name.clone() });
        }
        name
    }

    /// Reserves the name of an intermediate signal, with a number where it is taken.
    pub(crate) fn claim_numbered(&self, name: &str, at: At) -> String {
        let name = self.state.borrow().scoped(name);
        self.claim_numbered_whole(name, at)
    }

    /// The same for a name that has its scope already.
    pub(crate) fn claim_numbered_whole(&self, mut name: String, at: At) -> String {
        let taken = |name: &str| self.state.borrow().taken.contains(name);
        if taken(&name) {
            let free = (1u32..).map(|n| format!("{name}_{n}")).find(|n| !taken(n));
            name = free.unwrap_or(name);
        }
        self.claim_whole(name, at)
    }

    pub(crate) fn width_ok(&self, what: &str, width: u64, at: At) -> bool {
        let ok = (1..=u64::from(MAX_WIDTH)).contains(&width);
        if !ok {
            self.problem(at, Fault::Width { what: what.to_string(), width });
        }
        ok
    }

    /// False, and noted, for a signal of another module.
    pub(crate) fn owns(&self, sig: Sig<'_>, at: At) -> bool {
        let ours = std::ptr::eq(self, sig.m);
        if !ours {
            self.problem(at, Fault::OtherModule { signal: sig.describe(), other: sig.m.name() });
        }
        ours
    }

    /// `sig` where it is a truth value, else a placeholder.
    pub(crate) fn truth<'m>(&'m self, sig: Sig<'m>, what: &str, at: At) -> Sig<'m> {
        self.typed(sig, Type::UInt(1), what, at)
    }

    /// `value` where it has exactly the type, else a placeholder.
    pub(crate) fn typed<'m>(
        &'m self,
        value: impl Operand<'m>,
        ty: Type,
        what: &str,
        at: At,
    ) -> Sig<'m> {
        let sig = value.resolve(self, ty, at);
        if !self.owns(sig, at) || sig.is_poison() {
            return self.poison(ty, at);
        }
        if sig.ty() != ty {
            let (what, got) = (what.to_string(), sig.describe());
            self.problem(at, Fault::WrongType { what, expected: ty, got });
            return self.poison(ty, at);
        }
        sig
    }

    pub(crate) fn drive<'m>(&'m self, target: Sig<'m>, value: impl Operand<'m>, at: At) {
        if target.is_poison() {
            return;
        }
        let described = target.describe();
        let drivable = matches!(self.state.borrow().net.node(target.id).op, Op::Wire | Op::Reg);
        if !drivable {
            return self.problem(at, Fault::NotDrivable { signal: described });
        }
        let value = self.typed(value, target.ty(), &format!("`{}`", described.name), at);
        let open = self.state.borrow().conditions.last().copied();
        let born = self.state.borrow().born.get(&target.id).copied().flatten();
        let when = open.filter(|_| open != born);
        let mut state = self.state.borrow_mut();
        let drives = state.net.drives.entry(target.id).or_default();
        let first = drives.first().map(|d| crate::error::place(d.at));
        drives.push(Drive { when, value: value.id, at });
        drop(state);
        if let (Some(first), None) = (first, when) {
            self.problem(at, Fault::DrivenTwice { signal: described, first });
        }
    }
}

impl State {
    fn scoped(&self, name: &str) -> String {
        let parts: Vec<&str> = self.scopes.iter().map(String::as_str).chain([name]).collect();
        parts.join("_")
    }
}

/// The rest of a [`Module::when`]: what happens while its conditions do not hold.
pub struct When<'m> {
    m: &'m Module,
    rest: Sig<'m>,
}

impl<'m> When<'m> {
    /// `body`, while none of the earlier conditions and `condition` holds.
    #[track_caller]
    pub fn elsewhen(self, condition: Sig<'m>, body: impl FnOnce()) -> When<'m> {
        let at = Location::caller();
        let condition = self.m.truth(condition, "elsewhen()", at);
        self.m.under(self.rest & condition, body, at);
        When { m: self.m, rest: self.rest & !condition }
    }

    /// `body`, while none of the earlier conditions holds.
    #[track_caller]
    pub fn otherwise(self, body: impl FnOnce()) {
        self.m.under(self.rest, body, Location::caller());
    }
}
