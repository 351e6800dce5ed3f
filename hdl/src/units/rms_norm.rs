use sterna_model::numerics::formats::{GAIN_BITS, GAIN_SHIFT, RESIDUAL_BITS};
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::{ORDER, PRODUCT, SQUARES_BITS, compare, greater, magnitude, product};
use crate::slots::{self, Slot};

/// Bits of the lower half of a sum of squares.
const LOW: u32 = SQUARES_BITS.div_ceil(2);
/// Consumers of a vector's statistics.
const CONSUMERS: usize = 3;

/// Statistics of a vector: two sums of squares and three maxima, exact (numerics.md, section 5).
///
/// ```text
///  value -+-[reg] * gain_j -[reg x3]- |round >> 15| -[reg]- max of the lanes -[reg]- [max] -> max_j
///         +-[reg] * side --[reg x3]-+
///         +-[reg]----------[reg x3]-+- a_gained ? - | | -[reg]- square -[reg]- sum of the lanes -+
///  other --- | | -[reg]- square - ...                                                              |
///                                   [reg] -> + -> [low half] -carry-> + -> [high half] -> a <------+
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_/9\_/10\_/11\_      one way
///  clear  1   0
///  value      A   B
///  max        0   0   0   0   0   0   0   A   AB
///  a                                              A   AB      of these the low half a clock earlier
/// ```
///
/// `clear` comes a clock or more before a vector's first element, and only when nothing is inside.
/// The maxima are those of the elements up to [`RmsNorm::max_latency`] clocks ago at every time; the
/// sums are whole once no element came for [`RmsNorm::sum_latency`] clocks. Gains are at most 32,767
/// in magnitude. A lane squares the magnitude as two halves of 16 bits, which takes three
/// multipliers of 18 x 18 instead of four and a single adder.
///
/// Vectors of several sequences may come interleaved: each element says whose it is, and each
/// sequence has sums and maxima of its own, a lane of the outputs, slot 0's lowest.
///
/// Cost (*synthesised*, ECP5, one way, in a core of 64 bits) 14 multipliers of 18 x 18, 415 LUT4,
/// 380 CCU2C, 1,814 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RmsNorm {
    /// Elements a clock: a power of two.
    pub ways: u32,
    /// Sequences.
    pub slots: u32,
}

impl RmsNorm {
    fn levels(&self) -> u32 {
        self.ways.max(1).ilog2()
    }

    /// Clocks from a valid element until the maxima include it.
    pub fn max_latency(&self) -> u32 {
        4 + PRODUCT + self.levels()
    }

    /// Clocks from a valid element until both sums include it.
    pub fn sum_latency(&self) -> u32 {
        7 + PRODUCT + self.levels()
    }
}

impl Generate for RmsNorm {
    fn name(&self) -> String {
        slots::name(&format!("rms_norm_v{}", self.ways), self.slots, self.slots)
    }

    fn describe(&self, m: &Module) {
        m.require("RmsNorm::ways", self.ways.is_power_of_two(), || {
            format!("{} is not a power of two", self.ways)
        });
        if !self.ways.is_power_of_two() {
            return;
        }
        m.doc(format!(
            "Sums of squares and maxima of a vector, {} elements a clock.\n\
             Latency {} to the maxima, {} to the sums.",
            self.ways,
            self.max_latency(),
            self.sum_latency()
        ));
        let (wide, narrow) = (UInt(RESIDUAL_BITS * self.ways), UInt(GAIN_BITS * self.ways));
        let clear = m.input("clear", UInt(1));
        let valid = m.input("valid", UInt(1));
        let slot = slots::input(m, "slot", self.slots);
        let value = m.input("value", wide);
        let other = m.input("other", wide).comment("What b squares.");
        let a_gained = m.input("a_gained", UInt(1)).comment("a squares gained values.");
        let side = m.input("side", narrow).comment("The gain of a.");
        let gains: Vec<_> = (0..CONSUMERS).map(|j| m.input(format!("gain_{j}"), narrow)).collect();

        let gained = a_gained.delay("a_gained", 1 + PRODUCT as usize);
        let mut sizes = vec![vec![]; CONSUMERS];
        let (mut a_squares, mut b_squares) = (vec![], vec![]);
        for i in 0..self.ways {
            m.scope(format!("lane{i}"), || {
                let x = value.lane(i, RESIDUAL_BITS).as_sint().register("value_1");
                for (j, gain) in gains.iter().enumerate() {
                    let gain = gain.lane(i, GAIN_BITS).as_sint();
                    let (floor, half) = gain_product(x, gain, &format!("gain_{j}"));
                    sizes[j].push(magnitude(floor, half).register(format!("size_{j}")));
                }
                let gain = side.lane(i, GAIN_BITS).as_sint();
                let (floor, half) = gain_product(x, gain, "side");
                let plain = x.delay("plain", PRODUCT as usize);
                let size = magnitude(gained.mux(floor, plain), gained & half);
                a_squares.push(m.scope("a", || square(size.register("size"))));
                let size = magnitude(other.lane(i, RESIDUAL_BITS).as_sint(), m.lit(UInt(1), 0));
                b_squares.push(m.scope("b", || square(size.register("size"))));
            });
        }

        let levels = self.levels() as usize;
        let latency = 2 + PRODUCT as usize + levels;
        let sized = valid.delay_valid("sized", latency);
        let whose = slot.map(|slot| slot.delay("sized_slot", latency));
        for (j, sizes) in sizes.into_iter().enumerate() {
            let running = m.scope(format!("max{j}"), || {
                let most = tree(sizes, |a, b| a.gt(b).mux(a, b));
                largest(m, clear, (sized, whose, self.slots), most)
            });
            let ty = UInt(RESIDUAL_BITS * self.slots);
            m.output(format!("max_{j}"), ty).set(slots::join(m, &running));
        }
        for (name, squares, latency) in
            [("a", a_squares, 5 + PRODUCT as usize), ("b", b_squares, 4)]
        {
            let total = m.scope(name, || {
                let squared = valid.delay_valid("squared", latency + levels);
                let whose = slot.map(|slot| slot.delay("squared_slot", latency + levels));
                let sum = tree(squares, |a, b| a + b);
                accumulate(m, clear, (squared, whose, self.slots), sum)
            });
            m.output(name, UInt(SQUARES_BITS * self.slots)).set(slots::join(m, &total));
        }
    }
}

/// A registered value times a gain, [`PRODUCT`] clocks after both: what stays of the product, and the bit
/// below, which rounds.
fn gain_product<'m>(x: Sig<'m>, gain: Sig<'m>, name: &str) -> (Sig<'m>, Sig<'m>) {
    let gain = gain.register(format!("{name}_in"));
    let product = product(x, gain, &format!("{name}_product"));
    // A gain below 2^15 leaves one sign too many at the top.
    let floor = product.slice(GAIN_SHIFT..GAIN_SHIFT + RESIDUAL_BITS).as_sint();
    (floor, product.bit(GAIN_SHIFT - 1))
}

/// The square of a magnitude of at most 2^31, three clocks later.
fn square(size: Sig<'_>) -> Sig<'_> {
    let half = RESIDUAL_BITS / 2;
    let (low, high) = (size.slice(0..half), size.slice(half..RESIDUAL_BITS));
    let ends = (high * high).delay("high", 2).cat((low * low).delay("low", 2));
    let middle = (high * low).delay("middle", 2) << (half + 1);
    ends.wrapping_add(middle).truncate(2 * RESIDUAL_BITS - 1).register("square")
}

/// One of a power of two of lanes, a register after every level.
fn tree<'m>(mut lanes: Vec<Sig<'m>>, of: impl Fn(Sig<'m>, Sig<'m>) -> Sig<'m>) -> Sig<'m> {
    for level in 1..=lanes.len().ilog2() {
        let pairs = lanes.chunks(2).map(|pair| of(pair[0], pair[1])).enumerate();
        lanes = pairs.map(|(i, one)| one.register(format!("of_{level}_{i}"))).collect();
    }
    lanes[0]
}

/// The largest so far of each slot, two clocks after a candidate: compared in the first, and with the
/// one before it as well, which may be on its way in; taken in the second.
fn largest<'m>(
    m: &'m Module,
    clear: Sig<'m>,
    (valid, slot, slots): (Sig<'m>, Slot<'m>, u32),
    candidate: Sig<'m>,
) -> Vec<Sig<'m>> {
    let name = |n| slots::name("running", slots, n);
    let running: Vec<Sig<'m>> = (0..slots).map(|n| m.reg(name(n), UInt(RESIDUAL_BITS))).collect();
    let (before, order) = (candidate.register("candidate"), m.reg("order", UInt(ORDER)));
    let before_slot = slot.map(|slot| slot.register("candidate_slot"));
    let takes = (valid.delay_valid("compared", 1) & greater(order)).named("takes");
    let same = slot.zip(before_slot).map(|(slot, before)| slot.eq(before));
    let passed = same.map_or(takes, |same| takes & same);
    let now = slots::pick(slot, &running);
    order.set(passed.mux(compare(candidate, before), compare(candidate, now)));
    for (n, &running) in running.iter().enumerate() {
        let takes = slots::only(takes, before_slot, n as u32);
        running.set(clear.mux(m.lit(running.ty(), 0), takes.mux(before, running)));
    }
    running
}

/// A sum in two halves, the upper a clock later, so that the carry chain is half as long; one for
/// each slot.
fn accumulate<'m>(
    m: &'m Module,
    clear: Sig<'m>,
    (valid, slot, slots): (Sig<'m>, Slot<'m>, u32),
    addend: Sig<'m>,
) -> Vec<Sig<'m>> {
    let mut all = vec![];
    let mut upper = None;
    for n in 0..slots {
        let name = |of: &str| slots::name(of, slots, n);
        let valid = slots::only(valid, slot, n);
        let low = m.reg(name("sum_low"), UInt(LOW));
        let carry = m.reg(name("carry"), UInt(1));
        let high = m.reg(name("sum_high"), UInt(SQUARES_BITS - LOW));
        let sum = (low + addend.slice(0..LOW)).named(name("sum"));
        let later = valid.delay_valid(&name("later"), 1);
        let upper =
            *upper.get_or_insert_with(|| addend.slice(LOW..addend.width()).register("upper"));
        // The carry stands below both operands: one adder.
        let raised = high.cat(carry).wrapping_add(upper.cat(carry)).named(name("raised"));
        m.when(clear, || {
            low.set(0);
            high.set(0);
        })
        .otherwise(|| {
            m.when(valid, || {
                low.set(sum.truncate(LOW));
                carry.set(sum.bit(LOW));
            });
            m.when(later, || high.set(raised.slice(1..SQUARES_BITS - LOW + 1)));
        });
        all.push(high.cat(low));
    }
    all
}
