//! The token mixer's elementwise arithmetic (docs/model.md §4).
//!
//! ```text
//! a ──► silu ─────────────┐ v
//! b ──► σ(−b)·(1−lb) ─► 1−f ─► h' = h + (1−f)·(v−h) ─► o = h' ─► silu ─┐
//! g ──► ·w_g ────────────────────────────────────────────────────────► × ─► v_o
//! ```

use super::formats::{LOWER_BOUND_FRAC, PRODUCT_SHIFT, SIGMA_ARG_FRAC, SIGMA_FRAC};
use super::sigmoid::Sigmoid;
use super::{gain, round_shift};

/// `x · σ(x)` in `x`'s own unit (`frac` fraction bits). Only σ's argument is clamped.
#[inline(always)]
pub fn silu(sigmoid: Sigmoid, x: i32, frac: i32) -> i32 {
    round_shift(i64::from(x) * i64::from(sigmoid.of_fixed(x, frac)), SIGMA_FRAC) as i32
}

/// `1 − f = (1 − lb) · σ(−b)` with 24 fraction bits.
///
/// `b` has the 16 fraction bits of the sigmoid's argument; `lower_bound` is `lb · 2¹⁶`.
#[inline(always)]
pub fn one_minus_f(sigmoid: Sigmoid, b: i32, lower_bound: u16) -> u32 {
    let span = (1i64 << LOWER_BOUND_FRAC) - i64::from(lower_bound);
    let sigma = i64::from(sigmoid.of_fixed(-b, SIGMA_ARG_FRAC as i32));
    round_shift(span * sigma, LOWER_BOUND_FRAC) as u32
}

/// `h' = f·h + (1−f)·v`, as `h + (1−f)·(v−h)`: one multiplication, and always between `h`
/// and `v`, so that a state that starts in range stays there.
#[inline(always)]
pub fn recur(h: i32, v: i32, one_minus_f: u32) -> i32 {
    h + round_shift(i64::from(one_minus_f) * i64::from(v - h), SIGMA_FRAC) as i32
}

/// `g · w_g · silu(o)`: the gated vector before o_proj's own norm.
///
/// The result's unit is `2^(15 − frac(w_g) + 16)` × unit(g) × unit(o).
#[inline(always)]
pub fn output_gate(g: i32, w_g: i16, silu_o: i32) -> i32 {
    let gained = i64::from(gain::apply(g, w_g));
    round_shift(gained * i64::from(silu_o), PRODUCT_SHIFT) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAC: i32 = 20;

    fn real(value: i32) -> f64 {
        f64::from(value) / f64::from(1 << FRAC)
    }

    #[test]
    fn silu_follows_the_formula() {
        let sigmoid = Sigmoid::new();
        for x in (-(1 << 23)..1 << 23).step_by(1009) {
            let exact = real(x) / (1.0 + (-real(x)).exp());
            assert!((real(silu(sigmoid, x, FRAC)) - exact).abs() < 2e-4, "{}", real(x));
        }
        assert_eq!(silu(sigmoid, 0, FRAC), 0);
    }

    #[test]
    fn a_slow_channel_converges() {
        // 1 − f = 2⁻¹² exactly: σ(0) = ½ and 1 − lb = 2⁻¹¹.
        let rate = one_minus_f(Sigmoid::new(), 0, (65536 - 32) as u16);
        assert_eq!(rate, 1 << 12);
        let (v, mut h, mut exact) = (1 << FRAC, 0, 0.0f64);
        for _ in 0..10_000 {
            h = recur(h, v, rate);
            exact += f64::exp2(-12.0) * (1.0 - exact);
        }
        assert!((real(h) - exact).abs() < 1e-3, "{} instead of {exact}", real(h));
    }

    #[test]
    fn no_lower_bound_is_exactly_sigma() {
        let sigmoid = Sigmoid::new();
        for b in (-20 << 16..20 << 16).step_by(4093) {
            assert_eq!(one_minus_f(sigmoid, b, 0), sigmoid.of(-b));
        }
    }

    proptest! {
        #[test]
        fn the_state_stays_between(h in -(1 << 23)..1 << 23i32, v in -(1 << 23)..1 << 23i32,
                                   rate in 0u32..1 << 24) {
            let next = recur(h, v, rate);
            prop_assert!((h.min(v)..=h.max(v)).contains(&next));
        }

        #[test]
        fn the_gate_fits_32_bits(g in -(1 << 23)..1 << 23i32, w in -32767..=32767i16,
                                 o in -(1 << 23)..1 << 23i32) {
            let exact = f64::from(g) * f64::from(w) / 32768.0 * f64::from(o) / 65536.0;
            prop_assert!((f64::from(output_gate(g, w, o)) - exact).abs() <= 65.0);
        }
    }
}
