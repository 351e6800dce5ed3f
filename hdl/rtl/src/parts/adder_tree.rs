use super::short;
use crate::{Generate, Module, Sig, Type, UInt};

/// The exact sum of many lanes, one sum a clock.
///
/// ```text
///  x[0] -+
///        +-[+]-+
///  x[1] -+     +-[reg]-[+]- ... -> sum
///  x[2] -+     |
///        +-[+]-+       a register after every `levels_per_stage` levels and after the last
///  x[3] -+
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_
///  x      A   B   C            8 lanes, one level a stage: three clocks
///  sum    -   -   -   A   B
/// ```
///
/// Latency [`AdderTree::latency`]; `valid` travels along. Cost about one LUT per bit of every sum,
/// `lanes - 1` sums in all. Lanes arrive packed, lane 0 lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdderTree {
    /// Type of a lane.
    pub ty: Type,
    /// Number of lanes, at least 1.
    pub lanes: usize,
    /// Levels of adders between registers, at least 1.
    pub levels_per_stage: usize,
}

impl AdderTree {
    /// Levels of adders: the base-2 logarithm of the lanes, rounded up.
    pub fn levels(&self) -> usize {
        self.lanes.next_power_of_two().trailing_zeros() as usize
    }

    /// Clocks from `x` to `sum`.
    pub fn latency(&self) -> usize {
        self.levels().div_ceil(self.levels_per_stage.max(1)).max(1)
    }

    /// Type of the sum: one bit more a level.
    pub fn sum_type(&self) -> Type {
        self.ty.with_width(self.ty.width() + self.levels() as u32)
    }
}

/// Sums neighbours until one is left; `stage` sees the lanes after every level, counted from one.
pub(crate) fn reduce<'m>(
    mut lanes: Vec<Sig<'m>>,
    mut stage: impl FnMut(usize, Vec<Sig<'m>>) -> Vec<Sig<'m>>,
) -> Sig<'m> {
    let mut level = 0;
    while lanes.len() > 1 {
        level += 1;
        let pair = |pair: &[Sig<'m>]| match pair {
            [a, b] => *a + *b,
            // An odd one grows along, so that a level has one type.
            one => one[0].extend(one[0].width() + 1),
        };
        lanes = stage(level, lanes.chunks(2).map(pair).collect());
    }
    lanes[0]
}

impl Generate for AdderTree {
    fn name(&self) -> String {
        format!("adder_tree_{}x{}_s{}", self.lanes, short(self.ty), self.levels_per_stage)
    }

    fn describe(&self, m: &Module) {
        let sound = self.lanes >= 1 && self.levels_per_stage >= 1;
        m.require("AdderTree", sound, || "lanes and levels_per_stage are at least 1".into());
        let (lanes, ty) = (self.lanes.max(1), self.ty);
        m.doc(format!("Sum of {lanes} lanes of {ty}.\nLatency {}.", self.latency()));
        let x = m.input("x", UInt(lanes as u32 * ty.width()));
        let valid = m.input("valid", UInt(1));
        let lane = |i: usize| {
            let bits = x.lane(i as u32, ty.width());
            if ty.is_signed() { bits.as_sint() } else { bits }
        };
        let last = self.levels();
        let per_stage = self.levels_per_stage.max(1);
        let mut sum = reduce((0..lanes).map(lane).collect(), |level, lanes| {
            if !level.is_multiple_of(per_stage) && level != last {
                return lanes;
            }
            let named = lanes.into_iter().enumerate();
            named.map(|(i, s)| s.register(format!("sum_{level}_{i}"))).collect()
        });
        if lanes == 1 {
            sum = sum.register("sum_0_0");
        }
        m.output("sum", self.sum_type()).set(sum);
        m.output("sum_valid", UInt(1)).set(valid.delay_valid("valid", self.latency()));
    }
}
