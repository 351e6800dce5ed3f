//! Signals: the handle, literals as operands, views (slices, casts).

use std::ops::Range;
use std::panic::Location;

use derive_more::Debug;

use crate::error::{At, Described, Fault};
use crate::module::Module;
use crate::netlist::{Id, Op, Red};
use crate::types::{Number, Type};

/// A signal of a module under construction: a port, register, wire or expression.
#[derive(Clone, Copy, Debug)]
#[debug("{}", self.describe())]
pub struct Sig<'m> {
    pub(crate) m: &'m Module,
    pub(crate) id: Id,
}

/// What an operator takes beside a signal: another signal, or a Rust number, which adopts the
/// other operand's type and is refused where it does not fit.
pub trait Operand<'m>: Sized {
    /// The type that the operand brings along; `None` for a bare number.
    fn own_type(&self) -> Option<Type> {
        None
    }
    /// The operand as a signal of `m`, a number as a literal of type `like`. What `m` cannot take
    /// becomes a placeholder.
    fn resolve(self, m: &'m Module, like: Type, at: At) -> Sig<'m>;
}

impl<'m> Operand<'m> for Sig<'m> {
    fn own_type(&self) -> Option<Type> {
        Some(self.ty())
    }

    fn resolve(self, m: &'m Module, _: Type, at: At) -> Sig<'m> {
        m.own(self, at)
    }
}

impl<'m, N: Number> Operand<'m> for N {
    fn resolve(self, m: &'m Module, like: Type, at: At) -> Sig<'m> {
        m.literal(like, &self, at)
    }
}

impl<'m> Sig<'m> {
    /// Its type.
    pub fn ty(self) -> Type {
        self.m.net().ty(self.id)
    }

    /// Its number of bits.
    pub fn width(self) -> u32 {
        self.ty().width()
    }

    /// The module that it belongs to: lets a function build on a signal alone.
    pub fn module(self) -> &'m Module {
        self.m
    }

    pub(crate) fn describe(self) -> Described {
        self.m.net().describe(self.id)
    }

    pub(crate) fn op(self) -> Op {
        self.m.net().node(self.id).op.clone()
    }

    pub(crate) fn is_poison(self) -> bool {
        self.m.net().node(self.id).op == Op::Poison
    }

    /// Refuses an expression over this signal, silently where it was refused itself.
    pub(crate) fn refuse(self, ty: Type, at: At, why: impl FnOnce(Described) -> Fault) -> Sig<'m> {
        if !self.is_poison() {
            self.m.problem(at, why(self.describe()));
        }
        self.m.poison(ty, at)
    }

    // ----- names and comments -----

    /// Names an intermediate signal in the Verilog; a number is appended where the name is taken.
    #[track_caller]
    pub fn named(self, name: impl AsRef<str>) -> Sig<'m> {
        let at = Location::caller();
        let name = self.m.claim_numbered(self.m.scoped(name.as_ref()), at);
        let named = self.m.net().node(self.id).name.is_some();
        if named || matches!(self.op(), Op::Const(_)) {
            // The new name becomes a wire of its own.
            return self.m.push(Op::Alias(self.id), self.ty(), Some(name), at);
        }
        self.m.net().nodes[self.id.index()].name = Some(name);
        self
    }

    /// A comment above the signal's declaration in the Verilog.
    pub fn comment(self, text: impl Into<String>) -> Sig<'m> {
        self.m.net().nodes[self.id.index()].comment = Some(text.into());
        self
    }

    // ----- casts and widths -----

    /// The same bits read as unsigned.
    #[track_caller]
    pub fn as_uint(self) -> Sig<'m> {
        self.m.op(Op::Cast(self.id), Type::UInt(self.width()), Location::caller())
    }

    /// The same bits read as two's complement.
    #[track_caller]
    pub fn as_sint(self) -> Sig<'m> {
        self.m.op(Op::Cast(self.id), Type::SInt(self.width()), Location::caller())
    }

    /// The same value as `SInt`; an unsigned signal grows by its sign bit.
    #[track_caller]
    pub fn to_sint(self) -> Sig<'m> {
        let width = self.width() + u32::from(!self.ty().is_signed());
        self.m.op(Op::Extend(self.id), Type::SInt(width), Location::caller())
    }

    /// The same value in more bits.
    #[track_caller]
    pub fn extend(self, width: u32) -> Sig<'m> {
        self.resized(width, width >= self.width(), ["extend", "truncate"], Location::caller())
    }

    /// The low `width` bits, whatever is lost.
    #[track_caller]
    pub fn truncate(self, width: u32) -> Sig<'m> {
        self.resized(width, width <= self.width(), ["truncate", "extend"], Location::caller())
    }

    /// What `op` makes of the signal, unless it is `instead` that would make it.
    fn resized(self, to: u32, usable: bool, [op, instead]: [&'static str; 2], at: At) -> Sig<'m> {
        let ty = self.ty().with_width(to);
        if !usable {
            return self.refuse(ty, at, |from| Fault::Resize { op, from, to, instead });
        }
        if !self.m.width_ok(&format!("the result of {op}()"), u64::from(to), at) {
            return self.m.poison(ty, at);
        }
        if to < self.width() { self.low(to, at) } else { self.m.op(Op::Extend(self.id), ty, at) }
    }

    /// `truncate` without its checks.
    pub(crate) fn low(self, width: u32, at: At) -> Sig<'m> {
        let bits = self.m.op(Op::Slice(self.id, 0), Type::UInt(width), at);
        bits.m.op(Op::Cast(bits.id), self.ty().with_width(width), at)
    }

    // ----- slices and reductions -----

    /// Bits `range.start` up to, not including, `range.end`, as `UInt`.
    #[track_caller]
    pub fn slice(self, range: Range<u32>) -> Sig<'m> {
        let at = Location::caller();
        let (lo, hi) = (range.start, range.end);
        if lo < hi && hi <= self.width() {
            return self.m.op(Op::Slice(self.id, lo), Type::UInt(hi - lo), at);
        }
        self.refuse(Type::UInt(hi.saturating_sub(lo)), at, |of| match lo < hi {
            true => Fault::SliceRange { of, lo, hi },
            false => Fault::EmptySlice { of, lo, hi },
        })
    }

    /// Bit `i`.
    #[track_caller]
    pub fn bit(self, i: u32) -> Sig<'m> {
        self.slice(i..i + 1)
    }

    /// The most significant bit: the sign of an `SInt`.
    #[track_caller]
    pub fn msb(self) -> Sig<'m> {
        self.bit(self.width() - 1)
    }

    /// Bits `i * width` up to `(i + 1) * width`: lane `i` of packed lanes.
    #[track_caller]
    pub fn lane(self, i: u32, width: u32) -> Sig<'m> {
        self.slice(i * width..(i + 1) * width)
    }

    /// `width` bits from position `lo`, a `UInt` signal, on; bits beyond the signal are zero.
    #[track_caller]
    pub fn slice_at(self, lo: Sig<'m>, width: u32) -> Sig<'m> {
        let at = Location::caller();
        if lo.ty().is_signed() {
            let op = "a position of slice_at()";
            return lo.refuse(Type::UInt(width), at, |of| Fault::Unsuitable { op, of });
        }
        // A width that is refused is that of this signal, not of the shifted one.
        let first = self.slice(0..width);
        if first.is_poison() { first } else { (self.as_uint() >> lo).slice(0..width) }
    }

    /// `self` above `low`.
    #[track_caller]
    pub fn cat(self, low: Sig<'m>) -> Sig<'m> {
        self.m.cat(&[self, low])
    }

    /// `n` copies side by side.
    #[track_caller]
    pub fn repeat(self, n: usize) -> Sig<'m> {
        self.m.cat(&vec![self; n])
    }

    fn reduce(self, red: Red, at: At) -> Sig<'m> {
        let op = if self.width() == 1 { Op::Cast(self.id) } else { Op::Reduce(red, self.id) };
        self.m.op(op, Type::UInt(1), at)
    }

    /// 1 when every bit is set.
    #[track_caller]
    pub fn all(self) -> Sig<'m> {
        self.reduce(Red::All, Location::caller())
    }

    /// 1 when a bit is set.
    #[track_caller]
    pub fn any(self) -> Sig<'m> {
        self.reduce(Red::Any, Location::caller())
    }

    /// 1 when an odd number of bits is set.
    #[track_caller]
    pub fn parity(self) -> Sig<'m> {
        self.reduce(Red::Parity, Location::caller())
    }
}
