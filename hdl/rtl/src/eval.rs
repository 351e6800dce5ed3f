//! The meaning of the operators, once: the builder folds constants with it and the interpreter
//! runs on it.

use std::cmp::Ordering;

use crate::bits::Bits;
use crate::netlist::{Bin, Cmp, Id, Op, Red};
use crate::types::Type;

/// Value of an operator without state. `get` gives an operand's bits, `ty_of` its type.
///
/// Calling it for a stateful or driven node is an error of the caller.
pub(crate) fn eval<'a>(
    op: &Op,
    ty: Type,
    get: impl Fn(Id) -> &'a Bits,
    ty_of: impl Fn(Id) -> Type,
) -> Bits {
    let truth = |b: bool| Bits::from_u128(1, u128::from(b));
    match op {
        Op::Const(bits) => bits.clone(),
        Op::Bin(bin, a, b) => {
            let (a, b) = (get(*a), get(*b));
            match bin {
                Bin::Add => a.add(b),
                Bin::Sub => a.sub(b),
                Bin::Mul => a.mul(b),
                Bin::And => a.and(b),
                Bin::Or => a.or(b),
                Bin::Xor => a.xor(b),
            }
        }
        Op::Not(a) => get(*a).not(),
        Op::Cmp(cmp, a, b) => truth(compare(*cmp, get(*a).compare(get(*b), ty_of(*a).is_signed()))),
        Op::Reduce(red, a) => {
            let (a, set) = (get(*a), get(*a).count_ones());
            truth(match red {
                Red::All => set == a.width(),
                Red::Any => set > 0,
                Red::Parity => set % 2 == 1,
            })
        }
        Op::Mux(c, a, b) => get(if get(*c).is_zero() { *b } else { *a }).clone(),
        Op::Switch(s, arms, default) => {
            let on = get(*s);
            let arm = arms.iter().find(|(value, _)| value == on);
            get(arm.map_or(*default, |a| a.1)).clone()
        }
        Op::Cat(parts) => {
            let mut low = ty.width();
            parts.iter().fold(Bits::zero(ty.width()), |all, part| {
                let part = get(*part);
                low -= part.width();
                all.or(&part.resize(ty.width(), false).shift_left(low))
            })
        }
        Op::Slice(a, lo) => get(*a).slice(*lo, ty.width()),
        Op::SliceAt(a, at) => get(*a).slice(get(*at).to_amount(), ty.width()),
        Op::Extend(a) => get(*a).resize(ty.width(), ty_of(*a).is_signed()),
        Op::Cast(a) | Op::Alias(a) => get(*a).clone(),
        Op::Shl(a, n) => get(*a).shift_left(get(*n).to_amount()),
        Op::Shr(a, n) => get(*a).shift_right(get(*n).to_amount(), ty.is_signed()),
        Op::Input | Op::Wire | Op::Reg | Op::MemRead(..) | Op::InstOut(..) | Op::Poison => {
            unreachable!("{} has no value of its own", op.word())
        }
    }
}

pub(crate) fn compare(cmp: Cmp, order: Ordering) -> bool {
    match cmp {
        Cmp::Eq => order.is_eq(),
        Cmp::Ne => order.is_ne(),
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        Cmp::Ge => order.is_ge(),
    }
}
