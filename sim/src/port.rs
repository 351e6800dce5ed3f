//! Handles of ports, and the Rust numbers that pass through them.

use std::fmt;
use std::marker::PhantomData;

use sterna_rtl::Type;

/// An input of a design, resolved once from its name; good for every simulator of that model.
pub struct Input<T = u64>(pub(crate) Handle<T>);

/// An output of a design, resolved once from its name; good for every simulator of that model.
pub struct Output<T = u64>(pub(crate) Handle<T>);

pub(crate) struct Handle<T> {
    pub index: usize,
    /// The hash of the model, shortened.
    pub design: u64,
    pub number: PhantomData<fn(T) -> T>,
}

// Derived, these would ask the same of `T`.
impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> Clone for Input<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Input<T> {}
impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Output<T> {}

impl<T> fmt::Debug for Input<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({})", self.0.index)
    }
}
impl<T> fmt::Debug for Output<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({})", self.0.index)
    }
}

/// What a handle is typed with: a number, or [`Words`].
pub trait Carrier {
    /// How messages call it.
    const NAME: &'static str;

    /// Whether it holds every value of the type.
    fn suits(ty: Type) -> bool;
}

/// Words of 32 bits, least significant first: any port of any width and sign.
#[derive(Clone, Copy, Debug)]
pub struct Words;

impl Carrier for Words {
    const NAME: &'static str = "Words";

    fn suits(_: Type) -> bool {
        true
    }
}

/// A Rust number that passes through a port: `bool` for one bit, `u64` and `u128` for `UInt`,
/// `i64` and `i128` for `SInt`. Signed ports refuse unsigned numbers and the reverse.
pub trait Number: Carrier + Copy + fmt::Display {
    /// Whether 64 bits hold every value; these take the faster way.
    const SMALL: bool;

    /// The two's complement bits at the type's width, or `None` where the value does not fit.
    fn to_bits(self, ty: Type) -> Option<u128>;

    /// The number that the bits mean.
    fn from_bits(bits: u128, ty: Type) -> Self;
}

/// The bits of a type that 128 bits hold.
fn mask(ty: Type) -> u128 {
    u128::MAX >> (128 - ty.width().clamp(1, 128))
}

macro_rules! number {
    ($($t:ident, $variant:ident, $most:literal;)*) => {$(
        impl Carrier for $t {
            const NAME: &'static str = stringify!($t);

            fn suits(ty: Type) -> bool {
                matches!(ty, Type::$variant(1..=$most))
            }
        }

        impl Number for $t {
            const SMALL: bool = $most <= 64;

            #[inline]
            fn to_bits(self, ty: Type) -> Option<u128> {
                let bits = self as u128 & mask(ty);
                (Self::from_bits(bits, ty) == self).then_some(bits)
            }

            #[inline]
            fn from_bits(bits: u128, ty: Type) -> $t {
                // Up and down again: the shift down copies the sign of a signed number.
                let spare = $t::BITS - ty.width().clamp(1, $t::BITS);
                ((bits as $t) << spare) >> spare
            }
        }
    )*};
}
number! {
    u64, UInt, 64;
    i64, SInt, 64;
    u128, UInt, 128;
    i128, SInt, 128;
}

impl Carrier for bool {
    const NAME: &'static str = "bool";

    fn suits(ty: Type) -> bool {
        ty == Type::UInt(1)
    }
}

impl Number for bool {
    const SMALL: bool = true;

    #[inline]
    fn to_bits(self, _: Type) -> Option<u128> {
        Some(u128::from(self))
    }

    #[inline]
    fn from_bits(bits: u128, _: Type) -> bool {
        bits != 0
    }
}

/// The carriers that suit a type, for messages.
pub(crate) fn suitable(ty: Type) -> &'static str {
    match ty {
        Type::UInt(1) => "bool, u64 or u128",
        Type::UInt(0..=64) => "u64 or u128",
        Type::UInt(0..=128) => "u128",
        Type::SInt(0..=64) => "i64 or i128",
        Type::SInt(0..=128) => "i128",
        _ => "Words",
    }
}
