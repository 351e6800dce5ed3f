//! Expressions, and the account of which bits of each declared signal they read.

use std::cell::RefCell;

use crate::bits::Bits;
use crate::netlist::{Bin, Id, Netlist, Op};
use crate::types::Type;

use super::literal::{bits_of, literal};
use super::plan::{Plan, uncast};

/// A piece of Verilog with what its surroundings have to know.
pub(super) struct Expr {
    pub text: String,
    /// No parentheses needed anywhere.
    atomic: bool,
    /// Signed by the rules of Verilog, taken by itself.
    signed: bool,
}

impl Expr {
    fn operand(self) -> String {
        if self.atomic { self.text } else { format!("({})", self.text) }
    }
}

fn atom(text: String, signed: bool) -> Expr {
    Expr { text, atomic: true, signed }
}

fn compound(text: String, signed: bool) -> Expr {
    Expr { text, atomic: false, signed }
}

fn copies(n: u32, text: &str) -> String {
    format!("{{{n}{{{text}}}}}")
}

/// Writes expressions of one module.
pub(super) struct Writer<'n> {
    pub net: &'n Netlist,
    pub plan: Plan,
    /// Bits of each declared node that the text so far reads.
    pub read: RefCell<Vec<Bits>>,
}

impl<'n> Writer<'n> {
    pub fn new(net: &'n Netlist) -> Writer<'n> {
        let read = net.nodes.iter().map(|n| Bits::zero(n.ty.width())).collect();
        Writer { net, plan: Plan::new(net), read: RefCell::new(read) }
    }

    pub fn name(&self, id: Id) -> &str {
        self.plan.names[id.index()].as_deref().unwrap_or("_undeclared")
    }

    /// `width` bits of a declared node from `lo` on, noted as read.
    pub fn bits(&self, id: Id, lo: u32, width: u32) -> String {
        let whole = self.net.width(id);
        let mask = Bits::ones(width).resize(whole, false).shift_left(lo);
        let read = &mut self.read.borrow_mut()[id.index()];
        *read = read.or(&mask);
        bits_of(self.name(id), whole, lo, width)
    }

    /// The node's text wherever an expression may stand.
    pub fn expr(&self, id: Id) -> String {
        self.get(id).text
    }

    /// The same where it stands beside an operator.
    pub fn operand(&self, id: Id) -> String {
        self.get(id).operand()
    }

    fn get(&self, id: Id) -> Expr {
        if self.plan.declared(id) {
            let text = self.bits(id, 0, self.net.width(id));
            return atom(text, self.net.ty(id).is_signed());
        }
        self.made(id)
    }

    /// The operand as an expression that Verilog takes as signed.
    fn signed(&self, id: Id) -> String {
        let expr = self.get(id);
        if expr.signed { expr.operand() } else { format!("$signed({})", expr.text) }
    }

    /// What makes the node, whether or not it has a name.
    pub fn made(&self, id: Id) -> Expr {
        let net = self.net;
        let node = net.node(id);
        let width = node.ty.width();
        match &node.op {
            Op::Const(bits) => {
                let (text, signed) = (literal(bits, node.ty), node.ty.is_signed());
                Expr { atomic: !text.starts_with('-'), text, signed }
            }
            Op::Bin(bin, a, b) => self.binary(*bin, *a, *b),
            Op::Not(a) => {
                let a = self.get(*a);
                let op = if width == 1 { "!" } else { "~" };
                let signed = a.signed && width > 1;
                atom(format!("{op}{}", a.operand()), signed)
            }
            Op::Reduce(red, a) => {
                // `|~` would be read as one operator.
                let a = self.operand(*a);
                let a = if a.starts_with(['~', '!']) { format!("({a})") } else { a };
                compound(format!("{red}{a}"), false)
            }
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.operand(*c), self.get(*a), self.get(*b));
                let signed = a.signed && b.signed;
                compound(format!("{c} ? {} : {}", a.operand(), b.operand()), signed)
            }
            Op::Cat(parts) if parts.iter().all(|p| p == &parts[0]) => {
                atom(copies(parts.len() as u32, &self.expr(parts[0])), false)
            }
            Op::Cat(parts) => {
                let parts: Vec<String> = parts.iter().map(|&p| self.expr(p)).collect();
                atom(format!("{{{}}}", parts.join(", ")), false)
            }
            Op::Slice(a, lo) => atom(self.bits(uncast(net, *a), *lo, width), false),
            Op::Extend(a) => self.extension(*a, node.ty),
            Op::Alias(a) => self.get(*a),
            Op::Cast(a) => {
                let a = self.get(*a);
                // Only the way out of signedness needs a word: where a signed operand is wanted,
                // `signed` supplies it.
                if a.signed && !node.ty.is_signed() {
                    return atom(format!("$unsigned({})", a.text), false);
                }
                a
            }
            Op::Wire(_) => compound(self.chain(id, " "), false),
            declared => unreachable!("{} is always declared", declared.word()),
        }
    }

    /// Where an operator depends on signedness, both operands are made signed where they stand.
    fn binary(&self, bin: Bin, a: Id, b: Id) -> Expr {
        let (op, signed) = (bin.spelling().1, self.net.ty(a).is_signed());
        match bin {
            Bin::Lt | Bin::Le | Bin::Gt | Bin::Ge | Bin::Mul if signed => {
                let (a, b) = (self.signed(a), self.signed(b));
                compound(format!("{a} {op} {b}"), bin == Bin::Mul)
            }
            Bin::Shr if signed => {
                // The argument of a function stands by itself: nothing outside makes it unsigned.
                atom(format!("$signed({} >>> {})", self.signed(a), self.operand(b)), signed)
            }
            _ => {
                let (a, b) = (self.get(a), self.get(b));
                let signed = a.signed && (bin.is_modular() && b.signed || bin == Bin::Shl);
                compound(format!("{} {op} {}", a.operand(), b.operand()), signed)
            }
        }
    }

    fn extension(&self, a: Id, to: Type) -> Expr {
        let (from, extra) = (self.net.ty(a), to.width() - self.net.width(a));
        if !from.is_signed() {
            let zeros = literal(&Bits::zero(extra), Type::UInt(extra));
            return atom(format!("{{{zeros}, {}}}", self.expr(a)), false);
        }
        let base = uncast(self.net, a);
        let sign = self.bits(base, from.width() - 1, 1);
        if from.width() == 1 {
            return atom(copies(to.width(), &sign), false);
        }
        let signs = if extra == 1 { sign } else { copies(extra, &sign) };
        atom(format!("{{{signs}, {}}}", self.bits(base, 0, from.width())), false)
    }

    /// A wire's drives as one expression, the last condition first, arms parted by `gap`.
    pub fn chain(&self, id: Id, gap: &str) -> String {
        let net = self.net;
        let arms = net.drives(id).iter().rev().map(|drive| match drive.when {
            Some(when) => format!("{} ? {} :{gap}", self.operand(when), self.operand(drive.value)),
            None => self.expr(drive.value),
        });
        arms.collect()
    }
}
