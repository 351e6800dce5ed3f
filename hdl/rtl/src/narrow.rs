//! Narrowing by name: saturation and rounding shifts. (`truncate` stands with the other views.)

use std::panic::Location;

use crate::bits::Bits;
use crate::netlist::Op;
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
        // Wide enough for every value and the ends that it may exceed, of which an unsigned one has
        // only the upper; what it cannot exceed is folded away.
        let signed = self.ty().is_signed();
        let upper = to.width() - u32::from(to.is_signed());
        let width = self.width().max(if signed { to.width() + 1 } else { upper });
        let wide = self.extend(width);
        let (low, high) = to.range();
        let bound = |end: &Bits| self.m.literal(wide.ty(), &end.resize(width, to.is_signed()), at);
        let kept = self.extend(width.max(to.width())).low(to.width(), at);
        let kept = kept.m.op(Op::Cast(kept.id), to, at);
        let clamped = wide.gt(bound(&high)).mux(self.m.literal(to, &high, at), kept);
        let below = match to {
            _ if !signed => return clamped,
            Type::UInt(_) => self.msb(),
            Type::SInt(_) => wide.lt(bound(&low)),
        };
        below.mux(self.m.literal(to, &low, at), clamped)
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
        let mut bias = self.m.literal(sum, &half, at);
        if away && ty.is_signed() {
            // Flooring takes negative values one step further down, which is where their halves go.
            let less = self.m.literal(sum, &half.sub(&Bits::from_u128(width + 1, 1)), at);
            bias = self.msb().mux(less, bias);
        }
        let moved = self.extend(width + 1).wrapping_add(bias);
        let kept = moved.slice(n..width + 1);
        if ty.is_signed() { kept.as_sint() } else { kept }
    }
}
