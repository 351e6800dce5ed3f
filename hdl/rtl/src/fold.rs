//! Adding nodes to a netlist, without those that mean nothing.
//!
//! Only what keeps the Verilog readable and its lint clean is folded: literals, views of views and
//! comparisons that are true or false whatever their operand is. Logic is left to synthesis.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::bits::Bits;
use crate::error::At;
use crate::eval::{eval, holds};
use crate::netlist::{Bin, Id, Netlist, Node, Op};
use crate::types::Type;

pub(crate) fn push(net: &mut Netlist, node: Node) -> Id {
    net.nodes.push(node);
    Id(net.nodes.len() as u32 - 1)
}

/// The node that stands for `op`: an existing one where that means the same.
pub(crate) fn node(net: &mut Netlist, op: Op, ty: Type, at: At) -> Id {
    let operands = op.operands();
    let values: Option<BTreeMap<Id, Bits>> =
        operands.into_iter().map(|id| Some((id, known(net, id)?))).collect();
    // A name given to a literal stays, but what is computed from it is a literal again.
    let computed = !matches!(op, Op::Alias(_));
    if let Some(values) = values.filter(|values| computed && !values.is_empty()) {
        let bits = eval(net, &op, ty, |id| &values[&id]);
        return push(net, Node { ty, op: Op::Const(bits), name: None, comment: None, at });
    }
    match op {
        Op::Cast(a) | Op::Extend(a) if net.ty(a) == ty => a,
        op => match simpler(net, &op, ty) {
            Some(op) => node(net, op, ty, at),
            None => push(net, Node { ty, op, name: None, comment: None, at }),
        },
    }
}

/// An operator that means the same and is simpler; a cast stands for its operand.
fn simpler(net: &Netlist, op: &Op, ty: Type) -> Option<Op> {
    use Op::{Cast, Cat, Extend, Mux, Not, Slice, Switch};
    // A name or comment is a wish to see the signal: views do not look through it.
    let inner = op.operands().first().map(|&id| net.node(id));
    let inner = inner.filter(|n| n.name.is_none() && n.comment.is_none()).map(|n| &n.op);
    let simpler = match (op, inner) {
        (Extend(a), _) if net.width(*a) == ty.width() => Cast(*a),
        (Slice(a, 0), _) if net.width(*a) == ty.width() => Cast(*a),
        (Cat(parts), _) if parts.len() == 1 => Cast(parts[0]),
        (Cast(_), Some(Cast(b))) | (Not(_), Some(Not(b))) => Cast(*b),
        (Extend(a), Some(Extend(b))) if net.ty(*b).is_signed() == net.ty(*a).is_signed() => {
            Extend(*b)
        }
        (Slice(_, lo), Some(Slice(b, below))) => Slice(*b, lo + below),
        (Slice(_, lo), Some(Cast(b))) => Slice(*b, *lo),
        (Slice(_, lo), Some(Extend(b))) if lo + ty.width() <= net.width(*b) => Slice(*b, *lo),
        (Slice(_, 0), Some(Extend(b))) => Extend(*b),
        (Slice(a, lo), Some(Cat(parts))) => {
            let mut base = net.width(*a);
            parts.iter().find_map(|&part| {
                base -= net.width(part);
                let within = *lo >= base && lo + ty.width() <= base + net.width(part);
                within.then(|| Slice(part, lo - base))
            })?
        }
        (Mux(_, a, b), _) if a == b || same_literal(net, *a, *b) => Cast(*a),
        (Mux(c, a, b), _) => Cast(if known(net, *c)?.is_zero() { *b } else { *a }),
        (Switch(on, arms, default), _) => {
            let on = known(net, *on)?;
            Cast(arms.iter().find(|(key, _)| *key == on).map_or(*default, |a| a.1))
        }
        (Op::Bin(bin, a, b), _) => binary(net, *bin, *a, *b)?,
        _ => return None,
    };
    Some(simpler)
}

fn binary(net: &Netlist, bin: Bin, a: Id, b: Id) -> Option<Op> {
    use Bin::{Add, And, Mul, Or, Shl, Shr, Sub, Xor};
    let is_zero = |id: Id| known(net, id).is_some_and(|bits| bits.is_zero());
    let is_ones = |id: Id| known(net, id).is_some_and(|bits| bits.not().is_zero());
    match bin {
        Sub | Xor if a == b => Some(Op::Const(Bits::zero(net.width(a)))),
        And | Or if a == b => Some(Op::Cast(a)),
        Mul | And if is_zero(a) || is_zero(b) => Some(Op::Const(Bits::zero(net.width(a)))),
        Add | Sub | Or | Xor | Shl | Shr if is_zero(b) => Some(Op::Cast(a)),
        Add | Or | Xor if is_zero(a) => Some(Op::Cast(b)),
        Shl | Shr if is_zero(a) => Some(Op::Cast(a)),
        And if is_ones(b) => Some(Op::Cast(a)),
        And if is_ones(a) => Some(Op::Cast(b)),
        Add | Sub | Mul | And | Or | Xor | Shl | Shr => None,
        compared => foregone(net, compared, a, b).map(|truth| Op::Const(Bits::truth(truth))),
    }
}

fn same_literal(net: &Netlist, a: Id, b: Id) -> bool {
    known(net, a).is_some_and(|bits| known(net, b) == Some(bits))
}

/// A literal's bits, seen through names and views: lint sees through them, too.
fn known(net: &Netlist, id: Id) -> Option<Bits> {
    let node = net.node(id);
    match node.op {
        Op::Const(ref bits) => Some(bits.clone()),
        Op::Alias(a) | Op::Cast(a) => known(net, a),
        Op::Extend(a) => known(net, a).map(|b| b.resize(node.ty.width(), net.ty(a).is_signed())),
        _ => None,
    }
}

/// The least and greatest value that a signal can have, as far as its type and extensions tell.
fn range(net: &Netlist, id: Id) -> (Bits, Bits) {
    if let Some(bits) = known(net, id) {
        return (bits.clone(), bits);
    }
    match net.node(id).op {
        Op::Alias(a) => range(net, a),
        // A sign-extended value that is read as unsigned again leaves its order.
        Op::Extend(a) if net.ty(id).is_signed() || !net.ty(a).is_signed() => {
            let (low, high) = range(net, a);
            let wide = |bits: Bits| bits.resize(net.width(id), net.ty(a).is_signed());
            (wide(low), wide(high))
        }
        _ => net.ty(id).range(),
    }
}

/// The result of a comparison that is the same whatever the signals are: lint would report it.
fn foregone(net: &Netlist, compared: Bin, a: Id, b: Id) -> Option<bool> {
    if a == b {
        return Some(holds(compared, Ordering::Equal));
    }
    let signed = net.ty(a).is_signed();
    let ((low_a, high_a), (low_b, high_b)) = (range(net, a), range(net, b));
    // How `a` stands to `b` at one end and the other of what is possible.
    let (least, most) = (low_a.compare(&high_b, signed), high_a.compare(&low_b, signed));
    if matches!(compared, Bin::Eq | Bin::Ne) {
        return (least.is_gt() || most.is_lt()).then_some(compared == Bin::Ne);
    }
    let (first, last) = (holds(compared, least), holds(compared, most));
    (first == last).then_some(first)
}
