//! The channel mixer's gated product (docs/model.md §5).

use super::formats::PRODUCT_SHIFT;
use super::mlgru::silu;
use super::round_shift;
use super::sigmoid::Sigmoid;

/// `silu(gate) · up`, both with `frac` fraction bits; the result has `2·frac − 16`.
#[inline(always)]
pub fn product(sigmoid: Sigmoid, gate: i32, up: i32, frac: i32) -> i32 {
    let gated = i64::from(silu(sigmoid, gate, frac));
    round_shift(gated * i64::from(up), PRODUCT_SHIFT) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn follows_the_formula(gate in -(1 << 23)..1 << 23i32, up in -(1 << 23)..1 << 23i32) {
            let frac = 19;
            let real = |v: i32| f64::from(v) / f64::from(1 << frac);
            let exact = real(gate) / (1.0 + (-real(gate)).exp()) * real(up);
            let got = f64::from(product(Sigmoid::new(), gate, up, frac)) * f64::exp2(16.0 - 38.0);
            prop_assert!((got - exact).abs() < 2e-4 * (1.0 + real(up).abs()), "{got} {exact}");
        }
    }
}
