//! The type of a signal, and the Rust numbers that may stand for one.

use std::fmt;

use derive_more::Display;
use num_bigint::BigInt;

use crate::bits::Bits;

/// The widest signal that is accepted: what every tool of the flow still takes.
pub const MAX_WIDTH: u32 = 65_535;

/// What a signal's bits mean. The width is a run-time value of at least 1.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[display("{self:?}")]
pub enum Type {
    /// An unsigned integer of so many bits; also every bundle of bits, and a truth value at one bit.
    UInt(u32),
    /// A two's complement integer of so many bits.
    SInt(u32),
}

impl Type {
    /// Number of bits.
    pub fn width(self) -> u32 {
        match self {
            Type::UInt(w) | Type::SInt(w) => w,
        }
    }

    /// True for `SInt`.
    pub fn is_signed(self) -> bool {
        matches!(self, Type::SInt(_))
    }

    /// The least and the greatest value.
    pub(crate) fn range(self) -> (Bits, Bits) {
        let w = self.width();
        let low = if self.is_signed() { Bits::ones(w).shift_left(w - 1) } else { Bits::zero(w) };
        (low.clone(), low.not())
    }

    /// The same interpretation at another width.
    pub fn with_width(self, width: u32) -> Type {
        if self.is_signed() { Type::SInt(width) } else { Type::UInt(width) }
    }
}

/// Number of bits that count `n` different things, at least 1: the width of an address of `n` words.
pub fn index_width(n: usize) -> u32 {
    (usize::BITS - n.saturating_sub(1).leading_zeros()).max(1)
}

/// A Rust number that can become a literal: every primitive integer, `bool` and [`Bits`].
pub trait Number: fmt::Display {
    /// The two's complement bits at `ty`, or `None` where the value is outside the type's range.
    fn to_bits(&self, ty: Type) -> Option<Bits>;
}

impl<T: Copy + fmt::Display> Number for T
where
    BigInt: From<T>,
{
    fn to_bits(&self, ty: Type) -> Option<Bits> {
        let value = BigInt::from(*self);
        // What is not a copy of the sign has to fit below it.
        let (negative, room) = (value < BigInt::ZERO, ty.width() - u32::from(ty.is_signed()));
        let magnitude = if negative { !&value } else { value.clone() };
        let fits = magnitude.bits() <= u64::from(room) && (ty.is_signed() || !negative);
        fits.then(|| Bits::from_big(ty.width(), value))
    }
}

/// Bits are taken as they are; only the width has to agree.
impl Number for Bits {
    fn to_bits(&self, ty: Type) -> Option<Bits> {
        (self.width() == ty.width()).then(|| self.clone())
    }
}
