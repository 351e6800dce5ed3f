//! Two's complement values of any width: what constants are made of, and what the interpreter
//! computes with.

use std::cmp::Ordering;
use std::fmt;

use derive_more::{Debug, Display};
use smallvec::{SmallVec, smallvec};

/// A value of `width` bits. Whether they are signed is the business of who holds it.
///
/// Limbs are little-endian; bits above the width are zero, always.
#[derive(Clone, Debug, Display, PartialEq, Eq, Hash)]
#[debug("{self}")]
#[display("{width}'h{self:x}")]
pub struct Bits {
    width: u32,
    limbs: SmallVec<[u64; 2]>,
}

impl Bits {
    /// All bits zero.
    pub fn zero(width: u32) -> Bits {
        Bits::of_limbs(width, |_| 0)
    }

    /// All bits one.
    pub fn ones(width: u32) -> Bits {
        Bits::of_limbs(width, |_| u64::MAX)
    }

    /// One bit.
    pub(crate) fn truth(bit: bool) -> Bits {
        Bits::from_u128(1, u128::from(bit))
    }

    /// The low `width` bits of `value`.
    pub fn from_u128(width: u32, value: u128) -> Bits {
        Bits::from_limbs(width, &[value as u64, (value >> 64) as u64])
    }

    /// The low `width` bits of `value`, sign-extended where wider than 128.
    pub fn from_i128(width: u32, value: i128) -> Bits {
        Bits::from_u128(128, value as u128).resize(width, true)
    }

    /// The low `width` bits of little-endian limbs; missing limbs are zero.
    pub fn from_limbs(width: u32, limbs: &[u64]) -> Bits {
        Bits::of_limbs(width, |i| limbs.get(i).copied().unwrap_or(0))
    }

    /// Limb after limb; what stands above the width is cleared.
    fn of_limbs(width: u32, limb: impl FnMut(usize) -> u64) -> Bits {
        let mut limbs: SmallVec<_> = (0..width.div_ceil(64) as usize).map(limb).collect();
        if let Some(top) = limbs.last_mut() {
            *top &= u64::MAX >> (width.wrapping_neg() % 64);
        }
        Bits { width, limbs }
    }

    /// Number of bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Little-endian 64-bit limbs; bits above the width are zero.
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    /// The unsigned value's low 64 bits.
    pub fn to_u64(&self) -> u64 {
        self.limbs[0]
    }

    /// The unsigned value's low 128 bits.
    pub fn to_u128(&self) -> u128 {
        u128::from(self.limbs[0]) | u128::from(self.limbs.get(1).copied().unwrap_or(0)) << 64
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
        i < self.width && self.limbs[(i / 64) as usize] >> (i % 64) & 1 == 1
    }

    /// True when no bit is set.
    pub fn is_zero(&self) -> bool {
        self.limbs.iter().all(|&l| l == 0)
    }

    /// The value as an amount to shift by: the builder keeps amounts below the greatest width.
    pub(crate) fn to_amount(&self) -> u32 {
        self.to_u64() as u32
    }

    /// Number of set bits.
    pub fn count_ones(&self) -> u32 {
        self.limbs.iter().map(|l| l.count_ones()).sum()
    }

    fn sign(&self) -> bool {
        self.bit(self.width - 1)
    }

    /// The 64 bits from position `from` on; there are zeros on either side.
    fn window(&self, from: i64) -> u64 {
        let limb = |i: i64| {
            let limb = usize::try_from(i).ok().and_then(|i| self.limbs.get(i));
            u128::from(limb.copied().unwrap_or(0))
        };
        let (i, shift) = (from.div_euclid(64), from.rem_euclid(64));
        ((limb(i) | limb(i + 1) << 64) >> shift) as u64
    }

    fn zip(&self, other: &Bits, mut f: impl FnMut(u64, u64) -> u64) -> Bits {
        debug_assert_eq!(self.width, other.width);
        Bits::of_limbs(self.width, |i| f(self.limbs[i], other.limbs[i]))
    }

    /// Bitwise and of equal widths.
    pub fn and(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a & b)
    }

    /// Bitwise or of equal widths.
    pub fn or(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a | b)
    }

    /// Bitwise exclusive or of equal widths.
    pub fn xor(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a ^ b)
    }

    /// Every bit inverted.
    #[allow(clippy::should_implement_trait)]
    pub fn not(&self) -> Bits {
        Bits::of_limbs(self.width, |i| !self.limbs[i])
    }

    fn add_with_carry(&self, other: &Bits, mut carry: u64) -> Bits {
        self.zip(other, |a, b| {
            let sum = u128::from(a) + u128::from(b) + u128::from(carry);
            carry = (sum >> 64) as u64;
            sum as u64
        })
    }

    /// Sum of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn add(&self, other: &Bits) -> Bits {
        self.add_with_carry(other, 0)
    }

    /// Difference of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn sub(&self, other: &Bits) -> Bits {
        self.add_with_carry(&other.not(), 1)
    }

    /// Product of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn mul(&self, other: &Bits) -> Bits {
        let mut product: SmallVec<[u64; 2]> = smallvec![0; self.limbs.len()];
        for (i, &a) in self.limbs.iter().enumerate() {
            let mut carry = 0u128;
            for (p, &b) in product[i..].iter_mut().zip(&other.limbs) {
                carry += u128::from(a) * u128::from(b) + u128::from(*p);
                *p = carry as u64;
                carry >>= 64;
            }
        }
        Bits::from_limbs(self.width, &product)
    }

    /// Order of equal widths.
    pub fn compare(&self, other: &Bits, signed: bool) -> Ordering {
        if signed && self.sign() != other.sign() {
            return other.sign().cmp(&self.sign());
        }
        self.limbs.iter().rev().cmp(other.limbs.iter().rev())
    }

    /// Cut to `width`, or extended by zeros or the sign.
    pub fn resize(&self, width: u32, signed: bool) -> Bits {
        let mut bits = Bits::from_limbs(width, &self.limbs);
        if signed && width > self.width && self.sign() {
            bits = bits.or(&Bits::ones(width).shift_left(self.width));
        }
        bits
    }

    /// Shift towards the top at the same width.
    pub fn shift_left(&self, n: u32) -> Bits {
        Bits::of_limbs(self.width, |i| self.window(64 * i as i64 - i64::from(n)))
    }

    /// Shift towards the bottom at the same width, filling with zeros or the sign.
    pub fn shift_right(&self, n: u32, signed: bool) -> Bits {
        let shifted = self.slice(n, self.width);
        if signed && self.sign() {
            return shifted.or(&Bits::ones(self.width).shift_left(self.width.saturating_sub(n)));
        }
        shifted
    }

    /// `width` bits from bit `lo` on; bits above the width read as zero.
    pub fn slice(&self, lo: u32, width: u32) -> Bits {
        Bits::of_limbs(width, |i| self.window(64 * i as i64 + i64::from(lo)))
    }

    /// `self` above `low`.
    pub fn concat(&self, low: &Bits) -> Bits {
        let width = self.width + low.width;
        self.resize(width, false).shift_left(low.width).or(&low.resize(width, false))
    }
}

/// Hexadecimal, most significant digit first, without leading zeros.
impl fmt::LowerHex for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.limbs.iter().rev().map(|l| format!("{l:016x}")).collect();
        let digits = text.trim_start_matches('0');
        f.write_str(if digits.is_empty() { "0" } else { digits })
    }
}
