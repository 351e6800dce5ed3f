//! Adding nodes to a netlist, without those that mean nothing.
//!
//! Only what keeps the Verilog readable and its lint clean is folded: literals, views of views and
//! comparisons that are true or false whatever their operand is. Logic is left to synthesis.

use crate::bits::Bits;
use crate::error::At;
use crate::eval::{compare, eval};
use crate::netlist::{Bin, Cmp, Id, Netlist, Node, Op};
use crate::types::Type;

pub(crate) fn push(net: &mut Netlist, node: Node) -> Id {
    net.nodes.push(node);
    Id(net.nodes.len() as u32 - 1)
}

/// The node that stands for `op`: an existing one where that means the same.
pub(crate) fn node(net: &mut Netlist, op: Op, ty: Type, at: At) -> Id {
    let operands = op.operands();
    let values: Vec<Option<Bits>> = operands.iter().map(|&id| known(net, id)).collect();
    // A name given to a literal stays, but what is computed from it is a literal again.
    if !operands.is_empty() && values.iter().all(Option::is_some) && !matches!(op, Op::Alias(_)) {
        let get = |id: Id| {
            let at = operands.iter().position(|&o| o == id);
            at.and_then(|at| values[at].as_ref()).expect("every operand is known")
        };
        let bits = eval(&op, ty, get, |id| net.ty(id));
        return push(net, Node { ty, op: Op::Const(bits), name: None, comment: None, at });
    }
    match simpler(net, &op, ty) {
        Some(Simpler::Same(id)) => id,
        Some(Simpler::Op(op)) => node(net, op, ty, at),
        None => push(net, Node { ty, op, name: None, comment: None, at }),
    }
}

fn same_literal(net: &Netlist, a: Id, b: Id) -> bool {
    known(net, a).is_some_and(|bits| known(net, b) == Some(bits))
}

enum Simpler {
    Same(Id),
    Op(Op),
}

fn simpler(net: &Netlist, op: &Op, ty: Type) -> Option<Simpler> {
    use Simpler::{Op as New, Same};
    // A name or comment is a wish to see the signal: views do not look through it.
    let inner = |id: Id| {
        Some(&net.node(id)).filter(|n| n.name.is_none() && n.comment.is_none()).map(|n| &n.op)
    };
    let is_zero = |id: Id| known(net, id).is_some_and(|bits| bits.is_zero());
    match op {
        Op::Cast(a) | Op::Extend(a) if net.ty(*a) == ty => Some(Same(*a)),
        Op::Extend(a) if net.width(*a) == ty.width() => Some(New(Op::Cast(*a))),
        Op::Cast(a) => match inner(*a) {
            Some(Op::Cast(b)) if net.ty(*b) == ty => Some(Same(*b)),
            Some(Op::Cast(b)) => Some(New(Op::Cast(*b))),
            _ => None,
        },
        Op::Extend(a) => match inner(*a) {
            Some(Op::Extend(b)) if net.ty(*b).is_signed() == net.ty(*a).is_signed() => {
                Some(New(Op::Extend(*b)))
            }
            _ => None,
        },
        Op::Slice(a, 0) if net.ty(*a) == ty => Some(Same(*a)),
        Op::Slice(a, 0) if net.width(*a) == ty.width() => Some(New(Op::Cast(*a))),
        Op::Slice(a, lo) => match inner(*a)? {
            Op::Slice(b, below) => Some(New(Op::Slice(*b, lo + below))),
            Op::Cast(b) => Some(New(Op::Slice(*b, *lo))),
            Op::Extend(b) if lo + ty.width() <= net.width(*b) => Some(New(Op::Slice(*b, *lo))),
            Op::Extend(b) if *lo == 0 => Some(New(Op::Extend(*b))),
            Op::Cat(parts) => {
                let mut base = net.width(*a);
                parts.iter().find_map(|&part| {
                    base -= net.width(part);
                    let within = *lo >= base && lo + ty.width() <= base + net.width(part);
                    within.then(|| New(Op::Slice(part, lo - base)))
                })
            }
            _ => None,
        },
        Op::SliceAt(a, at) => known(net, *at).map(|at| New(Op::Slice(*a, at.to_amount()))),
        Op::Cat(parts) if parts.len() == 1 => Some(New(Op::Cast(parts[0]))),
        Op::Not(a) => match inner(*a) {
            Some(Op::Not(b)) => Some(Same(*b)),
            _ => None,
        },
        Op::Mux(c, a, b) => match known(net, *c) {
            Some(bits) => Some(Same(if bits.is_zero() { *b } else { *a })),
            None => (a == b || same_literal(net, *a, *b)).then_some(Same(*a)),
        },
        Op::Switch(s, arms, default) => known(net, *s).map(|on| {
            let arm = arms.iter().find(|(key, _)| *key == on);
            Same(arm.map_or(*default, |a| a.1))
        }),
        Op::Bin(Bin::Sub | Bin::Xor, a, b) if a == b => {
            Some(New(Op::Const(Bits::zero(ty.width()))))
        }
        Op::Bin(Bin::And | Bin::Or, a, b) if a == b => retype(net, *a, ty),
        Op::Bin(Bin::Mul, a, b) if is_zero(*a) || is_zero(*b) => {
            Some(New(Op::Const(Bits::zero(ty.width()))))
        }
        Op::Cmp(cmp, a, b) if a == b => {
            let truth = compare(*cmp, std::cmp::Ordering::Equal);
            Some(New(Op::Const(Bits::from_u128(1, u128::from(truth)))))
        }
        Op::Bin(Bin::Add | Bin::Or | Bin::Xor, a, b) if is_zero(*b) => retype(net, *a, ty),
        Op::Bin(Bin::Add | Bin::Or | Bin::Xor, a, b) if is_zero(*a) => retype(net, *b, ty),
        Op::Bin(Bin::Sub, a, b) if is_zero(*b) => retype(net, *a, ty),
        Op::Bin(Bin::And, a, b) => {
            let is_ones = |id: Id| known(net, id).is_some_and(|l| l.not().is_zero());
            match () {
                () if is_ones(*b) || is_zero(*a) => retype(net, *a, ty),
                () if is_ones(*a) || is_zero(*b) => retype(net, *b, ty),
                () => None,
            }
        }
        Op::Shl(a, n) | Op::Shr(a, n) if is_zero(*n) || is_zero(*a) => Some(Same(*a)),
        Op::Cmp(cmp, a, b) => foregone(net, *cmp, *a, *b)
            .map(|truth| New(Op::Const(Bits::from_u128(1, u128::from(truth))))),
        _ => None,
    }
}

fn retype(net: &Netlist, id: Id, ty: Type) -> Option<Simpler> {
    Some(if net.ty(id) == ty { Simpler::Same(id) } else { Simpler::Op(Op::Cast(id)) })
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
    let (width, signed) = (net.width(id), net.ty(id).is_signed());
    if let Some(bits) = known(net, id) {
        return (bits.clone(), bits);
    }
    match net.node(id).op {
        Op::Alias(a) => range(net, a),
        // A sign-extended value that is read as unsigned again leaves its order.
        Op::Extend(a) if signed || !net.ty(a).is_signed() => {
            let (low, high) = range(net, a);
            let wide = |bits: Bits| bits.resize(width, net.ty(a).is_signed());
            (wide(low), wide(high))
        }
        _ => {
            let low =
                if signed { Bits::ones(width).shift_left(width - 1) } else { Bits::zero(width) };
            (low.clone(), low.not())
        }
    }
}

/// The result of a comparison that is the same whatever the signals are: lint would report it.
fn foregone(net: &Netlist, cmp: Cmp, a: Id, b: Id) -> Option<bool> {
    let signed = net.ty(a).is_signed();
    let ((low_a, high_a), (low_b, high_b)) = (range(net, a), range(net, b));
    let always = |x: &Bits, cmp, y: &Bits| compare(cmp, x.compare(y, signed));
    match cmp {
        Cmp::Lt if always(&high_a, Cmp::Lt, &low_b) => Some(true),
        Cmp::Lt if always(&low_a, Cmp::Ge, &high_b) => Some(false),
        Cmp::Le if always(&high_a, Cmp::Le, &low_b) => Some(true),
        Cmp::Le if always(&low_a, Cmp::Gt, &high_b) => Some(false),
        Cmp::Gt => foregone(net, Cmp::Lt, b, a),
        Cmp::Ge => foregone(net, Cmp::Le, b, a),
        Cmp::Eq | Cmp::Ne => {
            let apart = always(&high_a, Cmp::Lt, &low_b) || always(&high_b, Cmp::Lt, &low_a);
            apart.then_some(cmp == Cmp::Ne)
        }
        _ => None,
    }
}
