//! The meaning of the operators, once: the builder folds constants with it and the interpreter
//! runs on it.

use std::cmp::Ordering;

use crate::bits::Bits;
use crate::netlist::{Bin, Id, Netlist, Op, Red};
use crate::types::Type;

/// Value of an operator without state, of which `get` gives the operands' bits.
///
/// Calling it for a stateful or driven node is an error of the caller.
pub(crate) fn eval<'a>(net: &Netlist, op: &Op, ty: Type, get: impl Fn(Id) -> &'a Bits) -> Bits {
    match op {
        Op::Const(bits) => bits.clone(),
        Op::Bin(bin, a, b) => {
            let (signed, a, b) = (net.ty(*a).is_signed(), get(*a), get(*b));
            match bin {
                Bin::Add => a.add(b),
                Bin::Sub => a.sub(b),
                Bin::Mul => a.mul(b),
                Bin::And => a.and(b),
                Bin::Or => a.or(b),
                Bin::Xor => a.xor(b),
                // The builder keeps amounts below the greatest width.
                Bin::Shl => a.shift_left(b.to_u64() as u32),
                Bin::Shr => a.shift_right(b.to_u64() as u32, signed),
                compared => Bits::truth(holds(*compared, a.compare(b, signed))),
            }
        }
        Op::Not(a) => get(*a).not(),
        Op::Reduce(red, a) => {
            let (a, set) = (get(*a), get(*a).count_ones());
            Bits::truth(match red {
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
        Op::Cat(parts) => parts.iter().fold(Bits::zero(0), |high, &low| high.concat(get(low))),
        Op::Slice(a, lo) => get(*a).slice(*lo, ty.width()),
        Op::Extend(a) => get(*a).resize(ty.width(), net.ty(*a).is_signed()),
        Op::Cast(a) | Op::Alias(a) => get(*a).clone(),
        other => unreachable!("{} has no value of its own", other.word()),
    }
}

/// Whether a comparison holds between operands of this order.
pub(crate) fn holds(compared: Bin, order: Ordering) -> bool {
    match compared {
        Bin::Eq => order.is_eq(),
        Bin::Ne => order.is_ne(),
        Bin::Lt => order.is_lt(),
        Bin::Le => order.is_le(),
        Bin::Gt => order.is_gt(),
        Bin::Ge => order.is_ge(),
        other => unreachable!("{other:?} does not compare"),
    }
}
