//! Statistics of a vector and the scalars that come of them.
//!
//! A block's RMSNorm (gain w₁, ε_n) followed by BitLinear's own (gain w₂, ε_b) collapses
//! (docs/model.md §6): with z = x·w₁·w₂ the code is `round(127·z / max|z|)` and one unit of a
//! code is worth
//!
//! ```text
//! 1/s = max|z| / (127 · √(mean((x·w₁)²) + ε_b·(mean(x²) + ε_n)))
//! ```
//!
//! The same form serves the output gate (x → v, x² → g²) and, without the middle term, the
//! GLU product. Units of the integers and √K are folded into three constants per matrix.

use super::Scale;

/// Running sums of one vector, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Σ(x·w₁)², Σv² or Σp² of the integers: at most 2⁷⁶.
    pub a: u128,
    /// Σx² or Σg² of the integers: at most 2⁷⁶; 0 where the consumer has no outer norm.
    pub b: u128,
    /// Largest |z| for each consumer (i, f, g; the others use slot 0).
    pub max: [u32; 3],
}

impl Sums {
    /// Adds an element: `a` and `b` squared, `z` to the maximum of `consumer`s 0, 1, 2.
    #[inline(always)]
    pub fn add(&mut self, a: i32, b: i32, z: [i32; 3]) {
        self.a += u128::from(i64::from(a).pow(2) as u64);
        self.b += u128::from(i64::from(b).pow(2) as u64);
        for (max, z) in self.max.iter_mut().zip(z) {
            *max = (*max).max(z.unsigned_abs());
        }
    }

    /// The sums as the scalar unit sees them.
    pub const fn finish(self) -> Statistics {
        Statistics { a: Scale::from_int(self.a), b: Scale::from_int(self.b), max: self.max }
    }
}

/// Exact, so the parts of a vector may be summed apart and in any order.
impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.a += other.a;
        self.b += other.b;
        for (max, other) in self.max.iter_mut().zip(other.max) {
            *max = (*max).max(other);
        }
    }
}

/// What the scalar unit knows of a vector; also carried by every embedding row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// [`Sums::a`], its 24 highest bits.
    pub a: Scale,
    /// [`Sums::b`], its 24 highest bits.
    pub b: Scale,
    /// [`Sums::max`].
    pub max: [u32; 3],
}

/// What a matrix instruction carries to turn statistics into its scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NormConstants {
    /// Factor of Σx² beside Σ(x·w₁)²: ε_b and the ratio of their units; 0 without outer norm.
    pub outer: Scale,
    /// What is added to both: K·ε_b·ε_n (or K·ε_b) in the unit of Σ(x·w₁)².
    pub floor: Scale,
    /// √K / (127·t) and the units of maximum and output.
    pub rescale: Scale,
}

impl NormConstants {
    /// Value of one accumulator unit in the output's unit, `1/(s·t)`; zero for a zero vector.
    ///
    /// One root, one reciprocal, three multiplications, two additions, in this order.
    pub const fn scale(&self, statistics: &Statistics, consumer: usize) -> Scale {
        let sum = statistics.a.add(statistics.b.mul(self.outer)).add(self.floor);
        let inverse_root = sum.sqrt().recip();
        Scale::from_int(statistics.max[consumer] as u128).mul(inverse_root).mul(self.rescale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_formula_in_floating_point() {
        let x: Vec<i32> = (0..256).map(|k| (k * 7919 % 20011 - 10000) * 9).collect();
        let mut sums = Sums::default();
        for &v in &x {
            sums.add(v / 2, v, [v / 3, 0, v]);
        }
        let constants = NormConstants {
            outer: Scale::from_f64(0.03).unwrap(),
            floor: Scale::from_f64(1e9).unwrap(),
            rescale: Scale::from_f64(0.125).unwrap(),
        };
        let square = |d: i32| x.iter().map(|v| f64::from(v / d).powi(2)).sum::<f64>();
        let root = (square(2) + 0.03 * square(1) + 1e9).sqrt();
        let max = x.iter().map(|v| (v / 3).abs()).max().unwrap();
        let got = constants.scale(&sums.finish(), 0).to_f64();
        let want = f64::from(max) / root * 0.125;
        assert!((got / want - 1.0).abs() < f64::exp2(-20.0), "{got} {want}");
        assert!(constants.scale(&sums.finish(), 1).is_zero(), "an all-zero consumer");
    }

    #[test]
    fn parts_of_a_vector_may_be_summed_apart() {
        let x: Vec<i32> = (0..100).map(|k| k * 7919 % 20011 - 10000).collect();
        let of = |x: &[i32]| {
            let mut sums = Sums::default();
            x.iter().for_each(|&v| sums.add(v, 2 * v, [v, v / 2, v / 3]));
            sums
        };
        for cut in [0, 1, 50, 100] {
            let mut sums = of(&x[..cut]);
            sums += of(&x[cut..]);
            assert_eq!(sums.finish(), of(&x).finish(), "cut at {cut}");
        }
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut sums = Sums::default();
        for _ in 0..super::super::formats::COLUMNS_MAX {
            sums.add(i32::MIN, i32::MIN, [i32::MIN; 3]);
        }
        assert!(sums.a < 1 << 78 && sums.max == [1 << 31; 3]);
        let statistics = sums.finish();
        assert_eq!(statistics.a.to_f64(), f64::exp2(76.0));
    }
}
