//! Small faults by the hundred, to see whether tests notice them.
//!
//! [`Design::mutants`] chooses faults of a module: another operator, swapped operands, a literal
//! off by one, a bit that is stuck, a condition negated or dropped, a sign or a top bit lost.
//! [`Design::mutated`] builds a design that has any number of them, each at rest until the input
//! `mutant` is its number, so that one compiled model has them all.
//!
//! ```text
//!  a --+-> [ + ] --> y        a --+-> [ + ] --+-> [mutant == 7 ?] --> y
//!  b --+                      b --+-> [ - ] --+
//! ```
//!
//! A mutant is known by what it says: the signal, the line of Rust that made it, the change, and which
//! one it is of several alike. So [`bench()`] finds it again in a module's own bench, where the module
//! may have other parameters. Logic that only properties read is left alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::bits::Bits;
use crate::component::{Component, Design};
use crate::emit::Plan;
use crate::error::{RtlError, place};
use crate::fold::push;
use crate::interp::Interpreter;
use crate::netlist::{Bin, Direction, Drive, Id, Netlist, Node, Op, PortDecl, Red};
use crate::random::Rng;
use crate::types::Type;

/// The input that chooses a mutant; at 0 the design is as it was.
pub const INPUT: &str = "mutant";
const NUMBER: Type = Type::UInt(16);

/// A fault that a module may have.
#[derive(Clone, Debug)]
pub struct Mutant {
    module: String,
    node: Id,
    change: Change,
    said: String,
    /// Which one it is of those that say the same.
    nth: usize,
}

impl Mutant {
    /// The module.
    pub fn module(&self) -> &str {
        &self.module
    }
}

/// Module, signal, line of Rust, change.
impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.module, self.said)?;
        if self.nth > 0 { write!(f, ", {}", self.nth + 1) } else { Ok(()) }
    }
}

/// What becomes of a node, or of one of its operands.
#[derive(Clone, Debug)]
enum Change {
    /// The node is made in another way of the same operands.
    Node(Op),
    /// Only so many low bits of the node are kept.
    Low(u32),
    Operand(usize, Value),
}

/// What an operand becomes.
#[derive(Clone, Copy, Debug)]
enum Value {
    Stuck(u32, bool),
    Not,
    Always(bool),
    /// A literal one more or less, modulo its width.
    More,
    Less,
}

impl Design {
    /// Up to `most` faults of one of the design's modules, chosen by `seed`; all there are, where
    /// they are fewer; none of a module that is not in it.
    pub fn mutants(&self, module: &str, most: usize, seed: u64) -> Vec<Mutant> {
        let mut all = self.every_mutant(module);
        let mut rng = Rng::new(seed);
        for at in 0..all.len() {
            let left = (all.len() - at) as u64;
            all.swap(at, at + rng.below(left) as usize);
        }
        all.truncate(most);
        all
    }

    /// All of them, in the order of the netlist.
    fn every_mutant(&self, module: &str) -> Vec<Mutant> {
        let mut modules = BTreeMap::new();
        modules_of(&self.component, &mut modules);
        let Some(net) = modules.get(module).map(|of| &of.built.net) else { return vec![] };
        let mut alike: HashMap<String, usize> = HashMap::new();
        let named = |(node, change): (Id, Change)| {
            let said = said(net, node, &change);
            let count = alike.entry(said.clone()).or_default();
            let nth = std::mem::replace(count, *count + 1);
            Mutant { module: module.into(), node, change, said, nth }
        };
        candidates(net).into_iter().map(named).collect()
    }

    /// Names of all modules, sorted.
    pub fn modules(&self) -> Vec<String> {
        let mut modules = BTreeMap::new();
        modules_of(&self.component, &mut modules);
        modules.into_keys().collect()
    }

    /// The design with all of these faults: the input [`INPUT`] chooses the one that is at work,
    /// 1 for the first, 0 for none.
    ///
    /// # Errors
    /// Where the design cannot be built with them.
    pub fn mutated(&self, mutants: &[Mutant]) -> Result<Design, RtlError> {
        let mut of: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for (n, mutant) in mutants.iter().enumerate() {
            of.entry(&mutant.module).or_default().push((n + 1, mutant));
        }
        rebuilt(&self.component, &of, &mut BTreeMap::new()).design()
    }
}

/// What a bench is to run: a mutant, as it is displayed; or `?`, to say on a line of its own which
/// modules it runs.
pub const VARIABLE: &str = "STERNA_MUTANT";

/// A file of mutants, a line each, all of which a bench that compiles its design is to have in one
/// build.
pub const TOGETHER: &str = "STERNA_MUTANTS";

/// The design in the interpreter, as a module's own bench has it: where it has the mutant that
/// [`VARIABLE`] says, with that at work.
///
/// # Panics
/// With [`BROKEN`] where the mutant cannot be built.
pub fn bench(design: &Design) -> Interpreter {
    let Some((mutated, number)) = wanted(design, str::to_string) else {
        return Interpreter::new(design);
    };
    let mut sim = Interpreter::new(&mutated);
    sim.poke(INPUT, number);
    sim
}

/// The design as a module's own bench compiles it, and what its [`INPUT`] is to be: where it has the
/// module of the mutant that [`VARIABLE`] says, with all of [`TOGETHER`], at rest if that one is not
/// among them; `None` where it has none of them, or nobody asked.
///
/// # Panics
/// With [`BROKEN`] where the mutants cannot be built, or the file cannot be read.
pub fn compiled(design: &Design) -> Option<(Design, u64)> {
    wanted(design, |alone| {
        let Some(path) = std::env::var_os(TOGETHER) else { return alone.into() };
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{BROKEN}: {error}"))
    })
}

/// The design with those of a list that it has, and the number of the one that is wanted.
fn wanted(design: &Design, list: impl Fn(&str) -> String) -> Option<(Design, u64)> {
    let wanted = std::env::var(VARIABLE).ok()?;
    if wanted == "?" {
        println!("\nruns {}", design.modules().join(" "));
        return None;
    }
    let module = wanted.split(':').next().unwrap_or_default();
    let list = list(&wanted);
    let list: HashSet<&str> = list.lines().collect();
    let mut mutants = design.every_mutant(module);
    mutants.retain(|mutant| list.contains(mutant.to_string().as_str()));
    if mutants.is_empty() {
        return None;
    }
    let number = mutants.iter().position(|mutant| mutant.to_string() == wanted);
    let mutated = design.mutated(&mutants).unwrap_or_else(|error| panic!("{BROKEN}: {error}"));
    Some((mutated, number.map_or(0, |number| number as u64 + 1)))
}

/// What a bench says that could not run a mutant.
pub const BROKEN: &str = "the mutant is broken";

fn modules_of(of: &Component, into: &mut BTreeMap<String, Component>) {
    if into.insert(of.name().into(), of.clone()).is_none() {
        of.built.net.insts.iter().for_each(|inst| modules_of(&inst.of, into));
    }
}

/// A module with its faults and those of the modules in it.
fn rebuilt(
    of: &Component,
    mutants: &BTreeMap<&str, Vec<(usize, &Mutant)>>,
    done: &mut BTreeMap<String, Component>,
) -> Component {
    if let Some(done) = done.get(of.name()) {
        return done.clone();
    }
    let mut net = of.built.net.clone();
    for inst in &mut net.insts {
        inst.of = rebuilt(&inst.of, mutants, done);
    }
    let own = mutants.get(of.name()).map_or(&[][..], Vec::as_slice);
    let chosen = |of: &Component| of.built.net.ports.last().is_some_and(|p| p.name == INPUT);
    let below = net.insts.iter().any(|inst| chosen(&inst.of));
    let after = if own.is_empty() && !below { of.clone() } else { with(net, own) };
    done.insert(of.name().into(), after.clone());
    after
}

fn with(mut net: Netlist, mutants: &[(usize, &Mutant)]) -> Component {
    let at = net.nodes[0].at;
    let node = |op, ty| Node { ty, op, name: None, comment: None, at };
    let name = Some(INPUT.to_string());
    let input = push(&mut net, Node { name, ..node(Op::Input, NUMBER) });
    for n in 0..net.insts.len() {
        if net.insts[n].of.built.net.ports.len() > net.insts[n].pins.len() {
            let drive = Drive { when: None, value: input, at };
            let pin = push(&mut net, node(Op::Wire(vec![drive]), NUMBER));
            net.insts[n].pins.push(pin);
        }
    }
    net.ports.push(PortDecl { name: INPUT.into(), direction: Direction::Input, node: input });
    // Operands first: a node that moves takes them along.
    let of_node = |mutant: &Mutant| !matches!(mutant.change, Change::Operand(..));
    for moves in [false, true] {
        for &(number, mutant) in mutants.iter().filter(|m| of_node(m.1) == moves) {
            apply(&mut net, input, number, mutant);
        }
    }
    Component::new(net, vec![])
}

fn apply(net: &mut Netlist, input: Id, number: usize, mutant: &Mutant) {
    let (id, at) = (mutant.node, net.node(mutant.node).at);
    let node = |op, ty| Node { ty, op, name: None, comment: None, at };
    let number = Bits::from_u128(NUMBER.width(), number as u128);
    let number = push(net, node(Op::Const(number), NUMBER));
    let active = push(net, node(Op::Bin(Bin::Eq, input, number), Type::UInt(1)));
    match &mutant.change {
        Change::Operand(slot, value) => {
            let before = net.node(id).op.operands()[*slot];
            let ty = net.ty(before);
            let faulty = changed(net, before, *value);
            let chosen = push(net, node(Op::Mux(active, faulty, before), ty));
            *net.nodes[id.index()].op.slots()[*slot] = chosen;
        }
        change => {
            let ty = net.ty(id);
            let op = net.node(id).op.clone();
            let before = push(net, node(op, ty));
            let faulty = match change {
                Change::Node(op) => push(net, node(op.clone(), ty)),
                Change::Low(bits) => {
                    let mask = Bits::ones(*bits).resize(ty.width(), false);
                    let mask = push(net, node(Op::Const(mask), ty));
                    push(net, node(Op::Bin(Bin::And, before, mask), ty))
                }
                Change::Operand(..) => before,
            };
            net.nodes[id.index()].op = Op::Mux(active, faulty, before);
        }
    }
}

/// A node that has the changed value.
fn changed(net: &mut Netlist, of: Id, value: Value) -> Id {
    let (ty, at) = (net.ty(of), net.node(of).at);
    let mut node = |op| push(net, Node { ty, op, name: None, comment: None, at });
    let one = Bits::from_u128(ty.width(), 1);
    match value {
        Value::Not => node(Op::Not(of)),
        Value::Always(bit) => node(Op::Const(Bits::truth(bit))),
        Value::Stuck(bit, high) => {
            let bit = one.shift_left(bit);
            let (bin, mask) = if high { (Bin::Or, bit) } else { (Bin::And, bit.not()) };
            let mask = node(Op::Const(mask));
            node(Op::Bin(bin, of, mask))
        }
        Value::More | Value::Less => {
            let by = if matches!(value, Value::More) { one } else { Bits::ones(ty.width()) };
            let by = node(Op::Const(by));
            node(Op::Bin(Bin::Add, of, by))
        }
    }
}

/// Every fault that a module can have; of an operand's bits one is stuck.
fn candidates(net: &Netlist) -> Vec<(Id, Change)> {
    let plan = Plan::new(net);
    let mut all = vec![];
    for id in net.ids().filter(|&id| plan.is_hardware(id)) {
        let (op, ty) = (&net.node(id).op, net.ty(id));
        all.extend(others(net, op, ty).into_iter().map(|other| (id, Change::Node(other))));
        let kept = match op {
            Op::Bin(Bin::Add | Bin::Sub | Bin::Mul | Bin::Shl, ..) => Some(ty.width() - 1),
            Op::Extend(a) if net.ty(*a).is_signed() => Some(net.width(*a)),
            _ => None,
        };
        all.extend(kept.filter(|&bits| bits > 0).map(|bits| (id, Change::Low(bits))));
        for (slot, (operand, is_truth)) in op.operands().into_iter().zip(truths(op)).enumerate() {
            let width = net.width(operand);
            let values = match (&net.node(operand).op, is_truth) {
                (Op::Const(_), _) if width == 1 => vec![Value::Not],
                (Op::Const(_), _) => vec![Value::More, Value::Less],
                (_, Some(true)) => vec![Value::Not, Value::Always(false), Value::Always(true)],
                (_, Some(false)) => {
                    // Any bit, but the same one wherever the module is.
                    let named = format!("{} {slot}", signal(net, id));
                    let mut rng = Rng::new(named.bytes().fold(width.into(), |seed, byte| {
                        Rng::new(seed ^ u64::from(byte)).next_u64()
                    }));
                    vec![Value::Stuck(rng.below(width.into()) as u32, rng.one_in(2))]
                }
                (_, None) => vec![],
            };
            all.extend(values.into_iter().map(|value| (id, Change::Operand(slot, value))));
        }
    }
    all
}

/// Of each operand whether it is a condition; of one that is only looked at in another way, nothing.
fn truths(op: &Op) -> Vec<Option<bool>> {
    let drives = |drives: &[Drive]| -> Vec<Option<bool>> {
        let of = |d: &Drive| d.when.map(|_| Some(true)).into_iter().chain([Some(false)]);
        drives.iter().flat_map(of).collect()
    };
    match op {
        Op::Not(_) | Op::Reduce(..) | Op::Slice(..) => vec![None],
        Op::Extend(_) | Op::Cast(_) | Op::Alias(_) => vec![None],
        Op::Mux(..) | Op::MemRead(..) | Op::MemWrite(..) => {
            let mut all = vec![Some(false); op.operands().len()];
            all[0] = Some(true);
            all
        }
        Op::Wire(of) => drives(of),
        Op::Reg(of, reset) => [drives(of), reset.iter().map(|_| Some(false)).collect()].concat(),
        op => vec![Some(false); op.operands().len()],
    }
}

/// Other operators of the same operands and the same type.
fn others(net: &Netlist, op: &Op, ty: Type) -> Vec<Op> {
    use Bin::{Add, And, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Shl, Shr, Sub, Xor};
    match op {
        &Op::Bin(bin, a, b) => {
            let (bins, swap): (&[Bin], _) = match bin {
                Add => (&[Sub], false),
                Sub => (&[Add], true),
                Mul => (&[Add], false),
                And => (&[Or, Xor], false),
                Or => (&[And, Xor], false),
                Xor => (&[Or, And], false),
                Eq => (&[Ne, Ge], false),
                Ne => (&[Eq, Lt], false),
                Lt => (&[Le, Ge], true),
                Le => (&[Lt, Gt], true),
                Gt => (&[Ge, Le], true),
                Ge => (&[Gt, Lt], true),
                Shl => (&[Shr], false),
                Shr => (&[Shl], false),
            };
            let swapped = (swap && net.ty(a) == net.ty(b)).then_some(Op::Bin(bin, b, a));
            bins.iter().map(|&bin| Op::Bin(bin, a, b)).chain(swapped).collect()
        }
        // A bit too high, or too low where there is none above.
        &Op::Slice(a, low) if low + ty.width() < net.width(a) => vec![Op::Slice(a, low + 1)],
        &Op::Slice(a, low) if low > 0 => vec![Op::Slice(a, low - 1)],
        &Op::Not(a) => vec![Op::Alias(a)],
        &Op::Reduce(red, a) if net.width(a) > 1 => vec![match red {
            Red::All | Red::Parity => Op::Reduce(Red::Any, a),
            Red::Any => Op::Reduce(Red::All, a),
        }],
        Op::Switch(on, arms, default) => {
            let swapped = |n: usize| {
                let mut arms = arms.clone();
                let (a, b) = (arms[n].1, arms[n + 1].1);
                (arms[n].1, arms[n + 1].1) = (b, a);
                Op::Switch(*on, arms, *default)
            };
            (1..arms.len()).map(|n| swapped(n - 1)).collect()
        }
        Op::Cat(parts) => {
            let alike =
                |n: &usize| net.ty(parts[*n]) == net.ty(parts[n + 1]) && parts[*n] != parts[n + 1];
            let swapped = |n: usize| {
                let mut parts = parts.clone();
                parts.swap(n, n + 1);
                Op::Cat(parts)
            };
            (0..parts.len().saturating_sub(1)).filter(alike).map(swapped).collect()
        }
        _ => vec![],
    }
}

fn said(net: &Netlist, id: Id, change: &Change) -> String {
    let node = net.node(id);
    let what = match change {
        Change::Node(Op::Bin(bin, ..)) if !matches!(node.op, Op::Bin(was, ..) if was == *bin) => {
            let was = if let Op::Bin(was, ..) = node.op { was.spelling().1 } else { "" };
            format!("`{}` for `{was}`", bin.spelling().1)
        }
        Change::Node(Op::Alias(_)) => "not inverted".into(),
        Change::Node(Op::Reduce(red, _)) => format!("`{red}` for another reduction"),
        Change::Node(Op::Slice(..)) => "cut at a neighbour".into(),
        Change::Node(_) => "operands swapped".into(),
        Change::Low(bits) => format!("{bits} low bits kept"),
        Change::Operand(slot, value) => {
            let operand = net.describe(node.op.operands()[*slot]).name;
            let how = match value {
                Value::Stuck(bit, high) => format!("bit {bit} stuck at {}", u8::from(*high)),
                Value::Not => "inverted".into(),
                Value::Always(high) => format!("always {}", u8::from(*high)),
                Value::More => "one more".into(),
                Value::Less => "one less".into(),
            };
            format!("operand {slot}, `{operand}`, {how}")
        }
    };
    format!("{}: {what}", signal(net, id))
}

fn signal(net: &Netlist, id: Id) -> String {
    format!("`{}` of {}", net.describe(id).name, place(net.node(id).at))
}
