//! Everything beside the ternary products, a slice at a time: codes and the epilogues.
//!
//! The loops below are plain Rust over the functions of `sterna_model::numerics`, each compiled
//! once for every width of SIMD that a kernel stands for. So a wider machine computes by the same
//! source as a narrow one, and no value can differ.

use sterna_model::numerics::formats::{PREACTIVATION_BITS, RESIDUAL_BITS};
use sterna_model::numerics::sigmoid::{ARG_MAX, Sigmoid};
use sterna_model::numerics::{Reciprocal, Rescale, Sums, gain, glu, mlgru, saturate};

use super::Kernel;

/// What an epilogue found out about a part of its vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Sums of the part.
    pub sums: Sums,
    /// Values that were clamped.
    pub saturations: u64,
}

impl std::ops::AddAssign for Found {
    fn add_assign(&mut self, other: Found) {
        self.sums += other.sums;
        self.saturations += other.saturations;
    }
}

/// The constants of one matrix instruction for one sequence.
#[derive(Clone, Copy, Debug)]
pub struct Scaled {
    /// From accumulators to the output's unit.
    pub rescale: Rescale,
    /// Fraction bits of what enters a sigmoid.
    pub frac: i32,
}

/// A method of `Kernel` that runs a loop of `plain` as it is compiled for that kernel.
macro_rules! compiled_for_each {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Kernel { $(
            $(#[$doc])*
            pub fn $name(self, $($arg: $type),*) -> $result {
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) -> $result {
                    plain::$name($($arg),*)
                }
                #[cfg(target_arch = "x86_64")]
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) -> $result {
                    plain::$name($($arg),*)
                }
                match self {
                    // SAFETY: these kernels exist only where the processor has their features.
                    #[cfg(target_arch = "x86_64")]
                    Kernel::Avx2 | Kernel::AvxVnni | Kernel::Vnni => unsafe { avx2($($arg),*) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Kernel::Avx512 => unsafe { avx512($($arg),*) },
                    _ => plain::$name($($arg),*),
                }
            }
        )* }
    };
}

compiled_for_each! {
    /// Codes of a vector; returns their sum. All slices have one length.
    quantise(values: &[i32], gains: &[i16], reciprocal: Reciprocal, codes: &mut [i8]) -> i32;
    /// `MIX_I`: a, into `mix`.
    input(acc: &[i32], of: Scaled, mix: &mut [i32]) -> Found;
    /// `MIX_F`: the recurrence; `mix` has a, and gets the new state.
    forget(acc: &[i32], of: Scaled, lower: &[i16], mix: &mut [i32], state: &mut [i32]) -> Found;
    /// `MIX_G`: `mix` has the new state, and gets v.
    output_gate(acc: &[i32], of: Scaled, w_g: &[i16], w_o: &[i16], mix: &mut [i32]) -> Found;
    /// `MIX_O` and `DOWN`: adds to the residual; `outer` is w₁ of the next norm, `next` the gains
    /// of those who will quantise it.
    add(acc: &[i32], of: Scaled, outer: &[i16], next: [&[i16]; 3], residual: &mut [i32]) -> Found;
    /// `GLU`: p of the gate's and up's accumulators.
    glu(gate: &[i32], up: &[i32], of: Scaled, w_d: &[i16], product: &mut [i32]) -> Found;
}

mod plain {
    use super::*;

    /// Σ of squares in two halves, neither of which overflows within a vector: no wide addition
    /// stands in the way of SIMD.
    #[derive(Clone, Copy, Default)]
    struct Squares {
        low: u64,
        high: u64,
    }

    impl Squares {
        #[inline(always)]
        fn add(&mut self, value: i32) {
            let square = (i64::from(value) * i64::from(value)) as u64;
            self.low += square & 0xffff_ffff;
            self.high += square >> 32;
        }

        #[inline(always)]
        fn sum(self) -> u128 {
            u128::from(self.low) + (u128::from(self.high) << 32)
        }
    }

    #[inline(always)]
    pub fn quantise(
        values: &[i32],
        gains: &[i16],
        reciprocal: Reciprocal,
        codes: &mut [i8],
    ) -> i32 {
        let mut sum = 0;
        for ((&x, &gain), code) in values.iter().zip(gains).zip(codes) {
            *code = reciprocal.code(gain::apply(x, gain));
            sum += i32::from(*code);
        }
        sum
    }

    /// A pre-activation, and whether it was clamped.
    #[inline(always)]
    fn preactivation(rescale: Rescale, acc: i32) -> (i32, u64) {
        let mut saturations = 0;
        (rescale.apply_saturating(acc, PREACTIVATION_BITS, &mut saturations), saturations)
    }

    #[inline(always)]
    pub fn input(acc: &[i32], of: Scaled, mix: &mut [i32]) -> Found {
        let mut found = Found::default();
        for (&acc, a) in acc.iter().zip(mix) {
            let (value, saturated) = preactivation(of.rescale, acc);
            found.saturations += saturated;
            *a = value;
        }
        found
    }

    #[inline(always)]
    pub fn forget(
        acc: &[i32],
        of: Scaled,
        lower: &[i16],
        mix: &mut [i32],
        state: &mut [i32],
    ) -> Found {
        let sigmoid = Sigmoid::new();
        for (((&acc, &lower), mix), state) in acc.iter().zip(lower).zip(mix).zip(state) {
            // The sigmoid clamps its argument anyway: not a saturation.
            let wide = of.rescale.apply(acc);
            let b = wide.clamp(-i64::from(ARG_MAX), i64::from(ARG_MAX)) as i32;
            let rate = mlgru::one_minus_f(sigmoid, b, lower as u16);
            *state = mlgru::recur(*state, mlgru::silu(sigmoid, *mix, of.frac), rate);
            *mix = *state;
        }
        Found::default()
    }

    #[inline(always)]
    pub fn output_gate(
        acc: &[i32],
        of: Scaled,
        w_g: &[i16],
        w_o: &[i16],
        mix: &mut [i32],
    ) -> Found {
        let sigmoid = Sigmoid::new();
        let (mut a, mut b) = (Squares::default(), Squares::default());
        let (mut max, mut saturations) = (0, 0);
        for (((&acc, &w_g), &w_o), mix) in acc.iter().zip(w_g).zip(w_o).zip(mix) {
            let (g, saturated) = preactivation(of.rescale, acc);
            saturations += saturated;
            let v = mlgru::output_gate(g, w_g, mlgru::silu(sigmoid, *mix, of.frac));
            a.add(v);
            b.add(g);
            max = gain::apply(v, w_o).unsigned_abs().max(max);
            *mix = v;
        }
        Found { sums: Sums { a: a.sum(), b: b.sum(), max: [max, 0, 0] }, saturations }
    }

    #[inline(always)]
    pub fn add(
        acc: &[i32],
        of: Scaled,
        outer: &[i16],
        next: [&[i16]; 3],
        residual: &mut [i32],
    ) -> Found {
        let (mut a, mut b) = (Squares::default(), Squares::default());
        let mut saturations = 0;
        for ((&acc, &outer), residual) in acc.iter().zip(outer).zip(&mut *residual) {
            let wide = i64::from(*residual) + of.rescale.apply(acc);
            let x = saturate(wide, RESIDUAL_BITS) as i32;
            saturations += u64::from(i64::from(x) != wide);
            a.add(gain::apply(x, outer));
            b.add(x);
            *residual = x;
        }
        // There is one gain or there are three: a loop each.
        let max = next.map(|gains| {
            let gained = residual.iter().zip(gains).map(|(&x, &gain)| gain::apply(x, gain));
            gained.fold(0, |max, z| max.max(z.unsigned_abs()))
        });
        Found { sums: Sums { a: a.sum(), b: b.sum(), max }, saturations }
    }

    #[inline(always)]
    pub fn glu(gate: &[i32], up: &[i32], of: Scaled, w_d: &[i16], product: &mut [i32]) -> Found {
        let sigmoid = Sigmoid::new();
        let mut a = Squares::default();
        let (mut max, mut saturations) = (0, 0);
        for (((&gate, &up), &w_d), product) in gate.iter().zip(up).zip(w_d).zip(product) {
            let (gate, first) = preactivation(of.rescale, gate);
            let (up, second) = preactivation(of.rescale, up);
            saturations += first + second;
            let p = glu::product(sigmoid, gate, up, of.frac);
            a.add(p);
            max = gain::apply(p, w_d).unsigned_abs().max(max);
            *product = p;
        }
        Found { sums: Sums { a: a.sum(), b: 0, max: [max, 0, 0] }, saturations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sterna_model::numerics::Scale;
    use sterna_model::numerics::formats::ACCUMULATOR_BITS;

    #[test]
    fn what_parts_found_adds_up() {
        let of = |v: i32, saturations| {
            let mut sums = Sums::default();
            sums.add(v, v, [v, 0, 2 * v]);
            Found { sums, saturations }
        };
        let mut found = of(3, 2);
        found += of(-4, 3);
        assert_eq!(found.saturations, 5);
        let statistics = found.sums.finish();
        assert_eq!((statistics.a.to_f64(), statistics.max), (25.0, [4, 0, 8]));
    }

    /// Vectors of one length with the corners of their formats among the elements.
    #[derive(Clone, Debug)]
    struct Vectors {
        acc: [Vec<i32>; 2],
        /// Residuals: all of 32 bits.
        wide: Vec<i32>,
        /// Pre-activations and states: 24 bits.
        narrow: [Vec<i32>; 2],
        gains: [Vec<i16>; 4],
        of: Scaled,
        max: u32,
    }

    fn signed(bits: u32, length: usize) -> impl Strategy<Value = Vec<i32>> {
        let (least, most) = ((-1i64 << (bits - 1)) as i32, ((1i64 << (bits - 1)) - 1) as i32);
        let corners = prop::sample::select(vec![least, -1, 0, 1, most]);
        let any = (any::<i32>(), 0..32u32).prop_map(move |(n, drop)| n >> (32 - bits) >> drop);
        prop::collection::vec(prop_oneof![1 => corners, 7 => any], length)
    }

    fn gains(length: usize) -> impl Strategy<Value = Vec<i16>> {
        prop::collection::vec(prop_oneof![Just(-32767), Just(32767), -32767..=32767i16], length)
    }

    fn vectors() -> impl Strategy<Value = Vectors> {
        (1usize..150).prop_flat_map(|length| {
            let pair = |bits| [signed(bits, length), signed(bits, length)];
            (
                pair(ACCUMULATOR_BITS),
                signed(32, length),
                pair(24),
                [gains(length), gains(length), gains(length), gains(length)],
                (0..1 << 23, -60..20i32, 0..=20),
                0u32..=1 << 31,
            )
                .prop_map(|(acc, wide, narrow, gains, (mant, exp, frac), max)| {
                    let scale = f64::from((1 << 23) + mant) * f64::exp2(f64::from(exp - 23));
                    let rescale = Rescale::new(Scale::from_f64(scale).expect("in range"));
                    Vectors { acc, wide, narrow, gains, of: Scaled { rescale, frac }, max }
                })
        })
    }

    /// The formulas of docs/numerics.md, an element at a time.
    fn preactivation(of: Scaled, acc: i32, found: &mut Found) -> i32 {
        of.rescale.apply_saturating(acc, PREACTIVATION_BITS, &mut found.saturations)
    }

    proptest! {
        #[test]
        fn every_kernel_follows_the_formulas(v in vectors()) {
            let length = v.wide.len();
            let sigmoid = Sigmoid::new();
            let reciprocal = Reciprocal::new(v.max);
            let [w0, w1, w2, w3] = &v.gains;
            let frac = v.of.frac;
            for kernel in Kernel::available() {
                let mut codes = vec![0; length];
                let sum = kernel.quantise(&v.wide, w0, reciprocal, &mut codes);
                for k in 0..length {
                    prop_assert_eq!(codes[k], reciprocal.code(gain::apply(v.wide[k], w0[k])));
                }
                prop_assert_eq!(sum, codes.iter().map(|&code| i32::from(code)).sum::<i32>());

                let (mut got, mut want) = (vec![0; length], Found::default());
                let found = kernel.input(&v.acc[0], v.of, &mut got);
                for (got, &acc) in got.into_iter().zip(&v.acc[0]) {
                    prop_assert_eq!(got, preactivation(v.of, acc, &mut want));
                }
                prop_assert_eq!(found, want, "{:?}: input", kernel);

                let (mut mix, mut state) = (v.narrow[0].clone(), v.narrow[1].clone());
                kernel.forget(&v.acc[0], v.of, w0, &mut mix, &mut state);
                for k in 0..length {
                    let limit = i64::from(ARG_MAX);
                    let b = v.of.rescale.apply(v.acc[0][k]).clamp(-limit, limit) as i32;
                    let rate = mlgru::one_minus_f(sigmoid, b, w0[k] as u16);
                    let a = mlgru::silu(sigmoid, v.narrow[0][k], frac);
                    let next = mlgru::recur(v.narrow[1][k], a, rate);
                    prop_assert_eq!((mix[k], state[k]), (next, next), "{:?}: forget", kernel);
                }

                let (mut mix, mut want) = (v.narrow[0].clone(), Found::default());
                let found = kernel.output_gate(&v.acc[0], v.of, w0, w1, &mut mix);
                for k in 0..length {
                    let g = preactivation(v.of, v.acc[0][k], &mut want);
                    let gated = mlgru::silu(sigmoid, v.narrow[0][k], frac);
                    prop_assert_eq!(mix[k], mlgru::output_gate(g, w0[k], gated));
                    want.sums.add(mix[k], g, [gain::apply(mix[k], w1[k]), 0, 0]);
                }
                prop_assert_eq!(found, want, "{:?}: output_gate", kernel);

                for next in [[&w1[..], w2, w3], [w1, &[], &[]]] {
                    let (mut residual, mut want) = (v.wide.clone(), Found::default());
                    let found = kernel.add(&v.acc[0], v.of, w0, next, &mut residual);
                    for k in 0..length {
                        let wide = i64::from(v.wide[k]) + v.of.rescale.apply(v.acc[0][k]);
                        let x = saturate(wide, RESIDUAL_BITS) as i32;
                        want.saturations += u64::from(i64::from(x) != wide);
                        prop_assert_eq!(residual[k], x);
                        let z = next.map(|w| w.get(k).map_or(0, |&w| gain::apply(x, w)));
                        want.sums.add(gain::apply(x, w0[k]), x, z);
                    }
                    prop_assert_eq!(found, want, "{:?}: add", kernel);
                }

                let (mut product, mut want) = (vec![0; length], Found::default());
                let found = kernel.glu(&v.acc[0], &v.acc[1], v.of, w0, &mut product);
                for k in 0..length {
                    let gate = preactivation(v.of, v.acc[0][k], &mut want);
                    let up = preactivation(v.of, v.acc[1][k], &mut want);
                    prop_assert_eq!(product[k], glu::product(sigmoid, gate, up, frac));
                    want.sums.add(product[k], 0, [gain::apply(product[k], w0[k]), 0, 0]);
                }
                prop_assert_eq!(found, want, "{:?}: glu", kernel);
            }
        }
    }
}
