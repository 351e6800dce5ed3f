//! Two's complement values of any width: what constants are made of, and what the interpreter
//! computes with.

use std::cmp::Ordering;

use derive_more::{Debug, Display, LowerHex};
use num_bigint::{BigInt, BigUint};

/// A value of `width` bits. Whether they are signed is the business of who holds it.
///
/// In messages it is a sized literal of Verilog; in hexadecimal, without the size.
#[derive(Clone, Debug, Display, LowerHex, PartialEq, Eq, Hash)]
#[debug("{self}")]
#[display("{width}'h{value:x}")]
#[lower_hex("{value:x}")]
pub struct Bits {
    width: u32,
    /// Below 2^width, always.
    value: BigUint,
}

#[allow(clippy::should_implement_trait)]
impl Bits {
    /// The low `width` bits of a number.
    fn low(width: u32, mut value: BigUint) -> Bits {
        if value.bits() > u64::from(width) {
            value &= Bits::ones(width).value;
        }
        Bits { width, value }
    }

    /// All bits zero.
    pub fn zero(width: u32) -> Bits {
        Bits { width, value: BigUint::ZERO }
    }

    /// All bits one.
    pub fn ones(width: u32) -> Bits {
        Bits { width, value: (BigUint::from(1u8) << width) - 1u8 }
    }

    /// One bit.
    pub(crate) fn truth(bit: bool) -> Bits {
        Bits { width: 1, value: bit.into() }
    }

    /// The low `width` bits of `value`.
    pub fn from_u128(width: u32, value: u128) -> Bits {
        Bits::low(width, value.into())
    }

    /// The low `width` bits of a two's complement number.
    pub(crate) fn from_big(width: u32, value: BigInt) -> Bits {
        let cut = value & BigInt::from(Bits::ones(width).value);
        Bits { width, value: cut.into_parts().1 }
    }

    /// The low `width` bits of little-endian limbs; missing limbs are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Bits {
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        Bits::low(width, BigUint::from_bytes_le(&bytes))
    }

    /// Number of bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Little-endian 64-bit limbs; bits above the width are zero.
    pub fn limbs(&self) -> Vec<u64> {
        let mut limbs = self.value.to_u64_digits();
        limbs.resize(self.width.div_ceil(64) as usize, 0);
        limbs
    }

    /// The unsigned value's low 64 bits.
    pub fn to_u64(&self) -> u64 {
        self.value.iter_u64_digits().next().unwrap_or(0)
    }

    /// The unsigned value's low 128 bits.
    pub fn to_u128(&self) -> u128 {
        let high = self.value.iter_u64_digits().nth(1).unwrap_or(0);
        u128::from(self.to_u64()) | u128::from(high) << 64
    }

    /// The signed value's low 64 bits, sign-extended from the width.
    pub fn to_i64(&self) -> i64 {
        self.to_i128() as i64
    }

    /// The signed value's low 128 bits, sign-extended from the width.
    pub fn to_i128(&self) -> i128 {
        self.resize(128, true).to_u128() as i128
    }

    /// Bit `i`; bits above the width read as zero.
    pub fn bit(&self, i: u32) -> bool {
        self.value.bit(i.into())
    }

    /// True when no bit is set.
    pub fn is_zero(&self) -> bool {
        self.value == BigUint::ZERO
    }

    /// Number of set bits.
    pub fn count_ones(&self) -> u32 {
        self.value.count_ones() as u32
    }

    fn sign(&self) -> bool {
        self.bit(self.width - 1)
    }

    /// Bitwise and of equal widths.
    pub fn and(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value & &other.value)
    }

    /// Bitwise or of equal widths.
    pub fn or(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value | &other.value)
    }

    /// Bitwise exclusive or of equal widths.
    pub fn xor(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value ^ &other.value)
    }

    /// Every bit inverted.
    pub fn not(&self) -> Bits {
        Bits::ones(self.width).xor(self)
    }

    /// Sum of equal widths, modulo 2^width.
    pub fn add(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value + &other.value)
    }

    /// Difference of equal widths, modulo 2^width.
    pub fn sub(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value + other.not().value + 1u8)
    }

    /// Product of equal widths, modulo 2^width.
    pub fn mul(&self, other: &Bits) -> Bits {
        Bits::low(self.width, &self.value * &other.value)
    }

    /// Order of equal widths.
    pub fn compare(&self, other: &Bits, signed: bool) -> Ordering {
        // Of two signed values the one with the sign bit is less.
        let signs = if signed { other.sign().cmp(&self.sign()) } else { Ordering::Equal };
        signs.then_with(|| self.value.cmp(&other.value))
    }

    /// Cut to `width`, or extended by zeros or the sign.
    pub fn resize(&self, width: u32, signed: bool) -> Bits {
        let bits = Bits::low(width, self.value.clone());
        if signed && width > self.width && self.sign() {
            return bits.or(&Bits::ones(width).shift_left(self.width));
        }
        bits
    }

    /// Shift towards the top at the same width.
    pub fn shift_left(&self, n: u32) -> Bits {
        Bits::low(self.width, &self.value << n)
    }

    /// Shift towards the bottom at the same width, filling with zeros or the sign.
    pub fn shift_right(&self, n: u32, signed: bool) -> Bits {
        self.resize(self.width.saturating_add(n), signed).slice(n, self.width)
    }

    /// `width` bits from bit `lo` on; bits above the width read as zero.
    pub fn slice(&self, lo: u32, width: u32) -> Bits {
        Bits::low(width, &self.value >> lo)
    }

    /// `self` above `low`.
    pub fn concat(&self, low: &Bits) -> Bits {
        let width = self.width + low.width;
        self.resize(width, false).shift_left(low.width).or(&low.resize(width, false))
    }
}
