use crate::{Generate, Module, SInt, Type, UInt};

/// A function as a table of points with straight lines between them.
///
/// ```text
///  x = { index, fraction }
///  index ---> [ ROMs: base, slope ] -> [reg] - base --> [reg] -> + -> [reg] -> y
///  fraction -> [reg] ----------------> [reg] * slope -> [reg] ---^
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_/5\_
///  x      A   B   C
///  y      -   -   -   -   A   B
/// ```
///
/// `y = base + floor(slope * fraction / 2^f + 1/2)` with `slope` the difference of neighbouring
/// points; [`LinearTable::eval`] is the same in Rust, for the golden model. Latency [`LinearTable::LATENCY`]: a
/// multiplier cannot follow a block RAM within a clock. Cost two ROMs of `2^index` words, one
/// multiplier, one adder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearTable {
    /// Name of the function, part of the module's name.
    pub function: String,
    /// Bits of `x` that choose a segment.
    pub index: u32,
    /// Bits of `x` within a segment, at least 1.
    pub fraction: u32,
    /// Type of `y`, which holds every point.
    pub ty: Type,
    /// `2^index + 1` points, the last one the end of the last segment.
    pub points: Vec<i64>,
}

impl LinearTable {
    /// Clocks from `x` to `y`.
    pub const LATENCY: u32 = 4;

    /// The table of `f(i)` at the segments' ends, `i` from 0 to `2^index`.
    pub fn of(
        function: &str,
        index: u32,
        fraction: u32,
        ty: Type,
        f: impl Fn(usize) -> i64,
    ) -> LinearTable {
        let points = (0..=1usize << index).map(f).collect();
        LinearTable { function: function.into(), index, fraction, ty, points }
    }

    /// What the hardware computes for `x`.
    pub fn eval(&self, x: u64) -> i64 {
        let (i, part) = ((x >> self.fraction) as usize, x & ((1 << self.fraction) - 1));
        let (base, slope) = (self.points[i], self.points[i + 1] - self.points[i]);
        base + ((slope * part as i64 + (1 << (self.fraction - 1))) >> self.fraction)
    }

    /// Bits that hold every slope.
    fn slope_width(&self) -> u32 {
        let slopes = self.points.windows(2).map(|p| p[1] - p[0]);
        let bits = slopes.map(|s| 65 - (if s < 0 { !s } else { s }).leading_zeros());
        bits.max().unwrap_or(1)
    }
}

impl Generate for LinearTable {
    fn name(&self) -> String {
        format!(
            "table_{}_{}_{}_{}",
            self.function,
            self.index,
            self.fraction,
            super::short(self.ty)
        )
    }

    fn describe(&self, m: &Module) {
        let whole =
            self.points.len() == (1 << self.index) + 1 && self.fraction >= 1 && self.index >= 1;
        m.require("LinearTable", whole, || {
            format!("{} points for {} index bits", self.points.len(), self.index)
        });
        if !whole {
            return;
        }
        m.doc(format!(
            "{} by a table of 2^{} segments.\nLatency {}.",
            self.function,
            self.index,
            Self::LATENCY
        ));
        let x = m.input("x", UInt(self.index + self.fraction));
        let valid = m.input("valid", UInt(1));
        let (slope_width, width) = (self.slope_width(), self.ty.width());

        let on = m.lit(UInt(1), 1);
        let index = x.slice(self.fraction..self.index + self.fraction);
        let bases = m.rom("bases", self.ty, 1 << self.index, |i| self.points[i]);
        let slopes = m.rom("slopes", SInt(slope_width), 1 << self.index, |i| {
            self.points[i + 1] - self.points[i]
        });
        let base = bases.read_registered(on, index);
        let slope = slopes.read_registered(on, index);
        let fraction = x.slice(0..self.fraction).delay("fraction", 2);

        let product = (slope * fraction.to_sint()).register("product");
        let base = base.register("base");
        let step = product.round_half_up_shift(self.fraction);
        // A point between two that fit does fit.
        let sum = (base.to_sint() + step).truncate(width);
        let y = if self.ty.is_signed() { sum } else { sum.as_uint() };
        m.output("y", self.ty).set(y.register("result"));
        m.output("y_valid", UInt(1)).set(valid.delay_valid("valid", Self::LATENCY as usize));
    }
}
