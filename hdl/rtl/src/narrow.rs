//! Narrowing by name: saturation and rounding shifts. (`truncate` stands with the other views.)

use std::panic::Location;

use crate::bits::Bits;
use crate::sig::Sig;
use crate::types::Type;

impl<'m> Sig<'m> {
    /// The nearest value that `to` can hold.
    #[track_caller]
    pub fn saturate(self, to: Type) -> Sig<'m> {
        let at = Location::caller();
        if !self.m.width_ok("the saturation", u64::from(to.width()), at) || self.is_poison() {
            return self.m.poison(to, at);
        }
        // Both ranges as signed numbers of one width; the comparisons are folded where one end of
        // the source's range cannot be exceeded.
        let width = (self.width() + u32::from(!self.ty().is_signed())).max(to.width() + 1);
        let wide = self.to_sint().extend(width);
        let (low, high) = match to {
            Type::UInt(w) => (Bits::zero(width), Bits::ones(w).resize(width, false)),
            Type::SInt(w) => {
                let high = Bits::ones(w).shift_right(1, false).resize(width, false);
                (high.not(), high)
            }
        };
        let same = match (self.ty(), to) {
            // What cannot exceed `to` needs no comparison at all.
            (Type::UInt(a), Type::SInt(b)) => a < b,
            (Type::UInt(a), Type::UInt(b)) | (Type::SInt(a), Type::SInt(b)) => a <= b,
            (Type::SInt(_), Type::UInt(_)) => false,
        };
        let fit = |s: Sig<'m>| {
            let low = s.low(to.width(), at);
            if to.is_signed() { low.as_sint() } else { low.as_uint() }
        };
        if same {
            return fit(wide);
        }
        let end = |bits: &Bits| self.m.constant(to, bits.resize(to.width(), false), at);
        if !self.ty().is_signed() {
            let bound = self.m.constant(self.ty(), high.resize(self.width(), false), at);
            return self.gt(bound).mux(end(&high), fit(wide));
        }
        let signed = Type::SInt(width);
        let above = wide.gt(self.m.constant(signed, high.clone(), at));
        let clamped = above.mux(end(&high), fit(wide));
        let below = match to {
            Type::UInt(_) => self.msb(),
            Type::SInt(_) => wide.lt(self.m.constant(signed, low.clone(), at)),
        };
        below.mux(end(&low), clamped)
    }

    /// `self / 2^n` to the nearest integer, halves away from zero; exact but for that, so `n - 1`
    /// bits narrower (an `n` beyond the width gives zero).
    #[track_caller]
    pub fn round_half_away_shift(self, n: u32) -> Sig<'m> {
        self.rounded(n, true)
    }

    /// `floor(self / 2^n + 1/2)`; as wide as `round_half_away_shift`.
    #[track_caller]
    pub fn round_half_up_shift(self, n: u32) -> Sig<'m> {
        self.rounded(n, false)
    }

    #[track_caller]
    fn rounded(self, n: u32, away: bool) -> Sig<'m> {
        let at = Location::caller();
        let (ty, width) = (self.ty(), self.width());
        if n == 0 || self.is_poison() {
            return self;
        }
        // Beyond the width every value lies within a quarter of zero.
        if n > width {
            return self.m.literal(ty.with_width(1), &0, at);
        }
        let sum = ty.with_width(width + 1);
        let half = Bits::from_u128(width + 1, 1).shift_left(n - 1);
        let mut bias = self.m.constant(sum, half.clone(), at);
        if away && ty.is_signed() {
            // Flooring takes negative values one step further down, which is where their halves go.
            let less = self.m.constant(sum, half.sub(&Bits::from_u128(width + 1, 1)), at);
            bias = self.msb().mux(less, bias);
        }
        let moved = self.extend(width + 1).wrapping_add(bias);
        let kept = moved.slice(n..width + 1);
        if ty.is_signed() { kept.as_sint() } else { kept }
    }
}
