//! Two's complement values of any width: what constants are made of, and what the interpreter
//! computes with.

use std::cmp::Ordering;
use std::fmt;

use smallvec::{SmallVec, smallvec};

/// A value of `width` bits. Whether they are signed is the business of who holds it.
///
/// Limbs are little-endian; bits above the width are zero, always.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bits {
    width: u32,
    limbs: SmallVec<[u64; 2]>,
}

impl Bits {
    /// All bits zero.
    pub fn zero(width: u32) -> Bits {
        Bits { width, limbs: smallvec![0; width.div_ceil(64) as usize] }
    }

    /// All bits one.
    pub fn ones(width: u32) -> Bits {
        Bits::zero(width).not()
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
        let mut bits = Bits::zero(width);
        for (to, from) in bits.limbs.iter_mut().zip(limbs) {
            *to = *from;
        }
        bits.trimmed()
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

    /// The value as an amount to shift by, which stops at `u32::MAX`.
    pub(crate) fn to_amount(&self) -> u32 {
        if self.limbs[1..].iter().all(|&l| l == 0) {
            u32::try_from(self.limbs[0]).unwrap_or(u32::MAX)
        } else {
            u32::MAX
        }
    }

    /// Number of set bits.
    pub fn count_ones(&self) -> u32 {
        self.limbs.iter().map(|l| l.count_ones()).sum()
    }

    fn sign(&self) -> bool {
        self.bit(self.width - 1)
    }

    /// Clears what stands above the width.
    fn trimmed(mut self) -> Bits {
        let spare = self.limbs.len() as u32 * 64 - self.width;
        if let Some(top) = self.limbs.last_mut()
            && spare > 0
        {
            *top &= u64::MAX >> spare;
        }
        self
    }

    fn zip(&self, other: &Bits, f: impl Fn(u64, u64) -> u64) -> Bits {
        debug_assert_eq!(self.width, other.width);
        let limbs = self.limbs.iter().zip(&other.limbs).map(|(&a, &b)| f(a, b)).collect();
        Bits { width: self.width, limbs }.trimmed()
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
        Bits { width: self.width, limbs: self.limbs.iter().map(|l| !l).collect() }.trimmed()
    }

    fn add_with_carry(&self, other: &Bits, invert: bool) -> Bits {
        debug_assert_eq!(self.width, other.width);
        let mut carry = invert;
        let mut sum = self.clone();
        for (a, &b) in sum.limbs.iter_mut().zip(&other.limbs) {
            let (s, c1) = a.overflowing_add(if invert { !b } else { b });
            let (s, c2) = s.overflowing_add(u64::from(carry));
            (*a, carry) = (s, c1 | c2);
        }
        sum.trimmed()
    }

    /// Sum of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn add(&self, other: &Bits) -> Bits {
        self.add_with_carry(other, false)
    }

    /// Difference of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn sub(&self, other: &Bits) -> Bits {
        self.add_with_carry(other, true)
    }

    /// Product of equal widths, modulo 2^width.
    #[allow(clippy::should_implement_trait)]
    pub fn mul(&self, other: &Bits) -> Bits {
        let mut product = Bits::zero(self.width);
        for (i, &a) in self.limbs.iter().enumerate() {
            let mut carry = 0u128;
            for (p, &b) in product.limbs[i..].iter_mut().zip(&other.limbs) {
                carry += u128::from(a) * u128::from(b) + u128::from(*p);
                *p = carry as u64;
                carry >>= 64;
            }
        }
        product.trimmed()
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
        let mut bits = Bits::zero(self.width);
        if n < self.width {
            let (limbs, part) = ((n / 64) as usize, n % 64);
            for i in (limbs..bits.limbs.len()).rev() {
                let low = if part > 0 && i > limbs {
                    self.limbs[i - limbs - 1] >> (64 - part)
                } else {
                    0
                };
                bits.limbs[i] = self.limbs[i - limbs] << part | low;
            }
        }
        bits.trimmed()
    }

    /// Shift towards the bottom at the same width, filling with zeros or the sign.
    pub fn shift_right(&self, n: u32, signed: bool) -> Bits {
        let fill = signed && self.sign();
        let mut bits = Bits::zero(self.width);
        if n < self.width {
            let (limbs, part) = ((n / 64) as usize, n % 64);
            for i in 0..self.limbs.len() - limbs {
                let high = self.limbs.get(i + limbs + 1).copied().unwrap_or(0);
                let high = if part > 0 { high << (64 - part) } else { 0 };
                bits.limbs[i] = self.limbs[i + limbs] >> part | high;
            }
        }
        if fill {
            bits = bits.or(&Bits::ones(self.width).shift_left(self.width.saturating_sub(n)));
        }
        bits
    }

    /// `width` bits from bit `lo` on.
    pub fn slice(&self, lo: u32, width: u32) -> Bits {
        self.shift_right(lo, false).resize(width, false)
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

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h{self:x}", self.width)
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
