//! Operators. `+`, `-` and `*` are exact: their results grow until every value fits. What keeps a
//! width says so in its name.

use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Neg, Not, Shl, Shr, Sub};
use std::panic::Location;

use crate::error::{At, Fault};
use crate::netlist::{Bin, Id, Op};
use crate::sig::{Operand, Sig};
use crate::types::{MAX_WIDTH, Type};

impl<'m> Sig<'m> {
    /// The other operand if the two belong together, with the wider of their types.
    fn pair(self, rhs: impl Operand<'m>, op: &'static str, at: At) -> Option<(Sig<'m>, Type)> {
        let rhs = rhs.resolve(self.m, self.ty(), at);
        if self.is_poison() || rhs.is_poison() {
            return None;
        }
        if self.ty().is_signed() != rhs.ty().is_signed() {
            let (left, right) = (self.describe(), rhs.describe());
            self.m.problem(at, Fault::MixedSigns { op, left, right });
            return None;
        }
        Some((rhs, self.ty().with_width(self.width().max(rhs.width()))))
    }

    /// The operand of an operator that works at type `ty`.
    fn at_type(self, ty: Type, at: At) -> Id {
        self.m.op(Op::Extend(self.id), ty, at).id
    }

    /// A binary operator that works at type `work(wider operand, left width, right width)`.
    fn binary(
        self,
        rhs: impl Operand<'m>,
        (bin, word): (Bin, &'static str),
        work: impl Fn(Type, u32, u32) -> Type,
        at: At,
    ) -> Sig<'m> {
        let result = |ty| if bin.is_comparison() { Type::UInt(1) } else { ty };
        let Some((rhs, wider)) = self.pair(rhs, word, at) else {
            return self.m.poison(result(self.ty()), at);
        };
        let ty = work(wider, self.width(), rhs.width());
        if !self.m.width_ok(word, u64::from(ty.width()), at) {
            return self.m.poison(ty, at);
        }
        self.m.op(Op::Bin(bin, self.at_type(ty, at), rhs.at_type(ty, at)), result(ty), at)
    }

    /// `then` while this truth value holds, else `otherwise`, at the wider of their types.
    #[track_caller]
    pub fn mux(self, then: impl Operand<'m>, otherwise: impl Operand<'m>) -> Sig<'m> {
        let (at, op) = (Location::caller(), "mux()");
        // A literal adopts the type of the arm that has one.
        let Some(like) = then.own_type().or(otherwise.own_type()) else {
            return self.m.refuse(Type::UInt(1), at, Fault::UntypedLiteral { op });
        };
        let select = self.m.truth(self, "the condition of mux()", at);
        let then = then.resolve(self.m, like, at);
        let Some((otherwise, ty)) = then.pair(otherwise, op, at) else {
            return self.m.poison(like, at);
        };
        self.m.op(Op::Mux(select.id, then.at_type(ty, at), otherwise.at_type(ty, at)), ty, at)
    }

    /// Shift to the left at the same width; bits that leave at the top are lost.
    #[track_caller]
    pub fn wrapping_shl(self, amount: Sig<'m>) -> Sig<'m> {
        self.shifted(Bin::Shl, amount, Location::caller())
    }

    fn shifted(self, bin: Bin, amount: Sig<'m>, at: At) -> Sig<'m> {
        let mut amount = self.m.own(amount, at);
        if amount.ty().is_signed() {
            let op = "a shift amount";
            return amount.refuse(self.ty(), at, |of| Fault::Unsuitable { op, of });
        }
        // Simulators differ on amounts of more than 32 bits, so what exceeds the greatest width is
        // folded into one bit that says so.
        let enough = u32::BITS - MAX_WIDTH.leading_zeros();
        if amount.width() > enough + 1 {
            let beyond = amount.slice(enough..amount.width()).any();
            amount = beyond.cat(amount.low(enough, at));
        }
        self.m.op(Op::Bin(bin, self.id, amount.id), self.ty(), at)
    }

    fn grow_left(self, zeros: u64, at: At) -> Option<Type> {
        let width = u64::from(self.width()) + zeros;
        let fits = self.m.width_ok("the left shift", width, at);
        fits.then(|| self.ty().with_width(width as u32))
    }
}

macro_rules! named_operator {
    ($($(#[$doc:meta])* $method:ident $bin:ident;)*) => {
        impl<'m> Sig<'m> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(self, rhs: impl Operand<'m>) -> Sig<'m> {
                let word = concat!(stringify!($method), "()");
                self.binary(rhs, (Bin::$bin, word), |ty, _, _| ty, Location::caller())
            }
        )*}
    };
}
named_operator! {
    /// Sum of the wider operand's width; a carry is lost.
    wrapping_add Add;
    /// Difference of the wider operand's width; a borrow is lost.
    wrapping_sub Sub;
    /// Equal.
    eq Eq;
    /// Different.
    ne Ne;
    /// Less than.
    lt Lt;
    /// Less than or equal.
    le Le;
    /// Greater than.
    gt Gt;
    /// Greater than or equal.
    ge Ge;
}

macro_rules! operator {
    ($($op:ident $method:ident $bin:ident $word:literal $result:expr;)*) => {$(
        impl<'m, R: Operand<'m>> $op<R> for Sig<'m> {
            type Output = Sig<'m>;

            #[track_caller]
            fn $method(self, rhs: R) -> Sig<'m> {
                self.binary(rhs, (Bin::$bin, $word), $result, Location::caller())
            }
        }
    )*};
}
operator! {
    Add add Add "`+`" |ty, _, _| ty.with_width(ty.width() + 1);
    // The difference of two unsigned values may be negative, so it is signed.
    Sub sub Sub "`-`" |ty, _, _| Type::SInt(ty.width() + 1);
    Mul mul Mul "`*`" |ty, a, b| ty.with_width(a + b);
    BitAnd bitand And "`&`" |ty, _, _| ty;
    BitOr bitor Or "`|`" |ty, _, _| ty;
    BitXor bitxor Xor "`^`" |ty, _, _| ty;
}

impl<'m> Not for Sig<'m> {
    type Output = Sig<'m>;

    /// Every bit inverted.
    #[track_caller]
    fn not(self) -> Sig<'m> {
        self.m.op(Op::Not(self.id), self.ty(), Location::caller())
    }
}

impl<'m> Neg for Sig<'m> {
    type Output = Sig<'m>;

    /// The negative as `SInt`, one bit wider.
    #[track_caller]
    fn neg(self) -> Sig<'m> {
        self.m.lit(self.ty(), 0) - self
    }
}

/// By a constant: exact, the result grows.
impl<'m> Shl<u32> for Sig<'m> {
    type Output = Sig<'m>;

    #[track_caller]
    fn shl(self, n: u32) -> Sig<'m> {
        let at = Location::caller();
        match self.grow_left(u64::from(n), at) {
            None => self.m.poison(self.ty(), at),
            Some(_) if n == 0 => self,
            Some(ty) => {
                let shifted = self.cat(self.m.lit(Type::UInt(n), 0));
                shifted.m.op(Op::Cast(shifted.id), ty, at)
            }
        }
    }
}

/// By a signal: exact, the result grows by the greatest amount.
impl<'m> Shl<Sig<'m>> for Sig<'m> {
    type Output = Sig<'m>;

    #[track_caller]
    fn shl(self, amount: Sig<'m>) -> Sig<'m> {
        let at = Location::caller();
        // Beyond 32 bits it is merely too large.
        let greatest = (1u64 << amount.width().min(33)) - 1;
        let Some(ty) = self.grow_left(greatest, at) else {
            return self.m.poison(self.ty(), at);
        };
        self.m.op(Op::Extend(self.id), ty, at).shifted(Bin::Shl, amount, at)
    }
}

/// By a constant: the width stays, the low bits are lost, zeros or the sign come in.
impl<'m> Shr<u32> for Sig<'m> {
    type Output = Sig<'m>;

    #[track_caller]
    fn shr(self, n: u32) -> Sig<'m> {
        let (ty, width) = (self.ty(), self.width());
        if n == 0 || self.is_poison() {
            return self;
        }
        if n >= width && !ty.is_signed() {
            return self.m.lit(ty, 0);
        }
        let kept = self.slice(n.min(width - 1)..width);
        if ty.is_signed() { kept.as_sint().extend(width) } else { kept.extend(width) }
    }
}

/// By a signal: the width stays, the low bits are lost, zeros or the sign come in.
impl<'m> Shr<Sig<'m>> for Sig<'m> {
    type Output = Sig<'m>;

    #[track_caller]
    fn shr(self, amount: Sig<'m>) -> Sig<'m> {
        self.shifted(Bin::Shr, amount, Location::caller())
    }
}
