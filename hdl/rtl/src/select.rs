//! Choosing among many: `switch`, tables, lists.

use std::panic::Location;

use crate::bits::Bits;
use crate::error::{At, Fault};
use crate::netlist::Op;
use crate::sig::{Operand, Sig};
use crate::types::{Number, Type};

/// A `case` under construction; see [`Sig::switch`].
pub struct Switch<'m> {
    on: Sig<'m>,
    arms: Vec<(Bits, Sig<'m>)>,
    default: Sig<'m>,
    at: At,
}

impl<'m> Switch<'m> {
    /// `value`, of the default's type, where the selector equals `key`.
    #[track_caller]
    pub fn case(mut self, key: impl Number, value: impl Operand<'m>) -> Switch<'m> {
        let at = Location::caller();
        let m = self.on.m;
        let ty = self.default.ty();
        let value = m.typed(value.resolve(m, ty, at), ty, "a case of switch()", at);
        let Some(bits) = m.number(&key, self.on.ty(), at) else { return self };
        if self.arms.iter().any(|(other, _)| *other == bits) {
            let (value, on) = (key.to_string(), self.on.describe());
            m.problem(at, Fault::DuplicateCase { value, on });
        }
        self.arms.push((bits, value));
        self
    }

    /// The selected value.
    pub fn end(self) -> Sig<'m> {
        if self.arms.is_empty() {
            return self.default;
        }
        let arms = self.arms.iter().map(|(bits, value)| (bits.clone(), value.id)).collect();
        let ty = self.default.ty();
        self.on.m.op(Op::Switch(self.on.id, arms, self.default.id), ty, self.at)
    }
}

impl<'m> Sig<'m> {
    /// Starts a choice by this signal's value; `default` stands for all values without a case.
    ///
    /// `op.switch(m.lit(UInt(8), 0)).case(1, a).case(2, b).end()`
    #[track_caller]
    pub fn switch(self, default: Sig<'m>) -> Switch<'m> {
        let at = Location::caller();
        Switch { on: self, arms: vec![], default: self.m.own(default, at), at }
    }

    /// Element number `self` of `items`, which have one type; beyond their end the last.
    #[track_caller]
    pub fn select(self, items: &[Sig<'m>]) -> Sig<'m> {
        let at = Location::caller();
        // Elements that the selector cannot name are left out.
        let reachable = 1usize.checked_shl(self.width()).unwrap_or(usize::MAX).min(items.len());
        let Some((&last, rest)) = items[..reachable].split_last() else {
            return self.m.refuse(Type::UInt(1), at, Fault::Empty { what: "the list of select()" });
        };
        let switch = self.switch(last);
        rest.iter().enumerate().fold(switch, |s, (i, &item)| s.case(i, item)).end()
    }
}
