use sterna_firmware::trits::ROWS;
use sterna_model::numerics::formats::CODE_BITS;
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{ACC_BITS, AddSub, TritDecode};
use crate::slots;

/// Five rows of a ternary matrix times the codes, a beat of weights a clock (numerics.md, section 8).
///
/// ```text
///  beat --> [TritDecode] x lanes -+- sign -> [reg] --+
///                                 +- zero            |
///                                     v clears       v
///  codes ---------------------------> [reg] -------[+/-]-[reg]- ... -[+/-]-+-> [sum] row 0
///                                             +- ...                       ^-> [acc]
/// ```
///
/// ```text
///  clk         _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_     bus 64: latency 5
///  valid       1   1   0   1   0
///  last        -   -       l
///  sums                                    S
///  bad             A's B's     C's
/// ```
///
/// A trit chooses 0, q or -q, and no lane has a multiplexer for it. Zero clears the lane's register.
/// Signs stay beside the values: an adder adds or subtracts as its two signs differ, and its result
/// has the first one's, so that the accumulator sees the last sign. `a - b` is `a + !b + 1`, the one
/// being the carry of a place below the lowest.
///
/// A group may be any number of beats from one on, with gaps, and groups may follow one another
/// without a gap: `last` sends the sum out and clears the accumulator. The five sums are exact modulo
/// 2^22, which they fit. A refused byte raises `bad` for a clock, [`TernaryUnit::BAD_LATENCY`] after
/// its beat; what it does to the sum is undefined.
///
/// Trusts `beat` and `codes` to come from registers: the decoder is the first thing they meet.
/// Latency [`TernaryUnit::latency`] from the last beat to its sums. A register after every level of
/// adders: the registers beside the carry chains would lie idle.
///
/// Several sequences share each beat: its digits are decoded once, and meet the codes of all of them
/// in trees of their own. Ports have a lane for each, slot 0's lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TernaryUnit {
    /// Bits of a beat: a lane for each byte; a power of two from 16 on.
    pub bus: u32,
    /// Sequences.
    pub slots: u32,
}

impl TernaryUnit {
    /// Clocks from a beat to its `bad`.
    pub const BAD_LATENCY: u32 = 2;

    /// Columns of a beat.
    pub fn lanes(&self) -> u32 {
        self.bus / CODE_BITS
    }

    fn levels(&self) -> u32 {
        self.lanes().max(2).ilog2()
    }

    /// Clocks from the valid beat with `last` to `sums_valid`: the lanes, the tree, the accumulator.
    pub fn latency(&self) -> u32 {
        1 + self.levels() + 1
    }
}

impl Generate for TernaryUnit {
    fn name(&self) -> String {
        slots::name(&format!("ternary_unit_w{}", self.bus), self.slots, self.slots)
    }

    fn describe(&self, m: &Module) {
        let lanes = self.lanes();
        let sound = lanes.is_power_of_two() && lanes >= 2 && self.bus.is_multiple_of(CODE_BITS);
        m.require("TernaryUnit::bus", sound, || format!("{} bits", self.bus));
        if !sound {
            return;
        }
        m.doc(format!(
            "Five rows of trits times {lanes} codes a clock, exact.\nLatency {} from the last beat.",
            self.latency()
        ));
        let valid = m.input("valid", UInt(1));
        let last = m.input("last", UInt(1));
        let beat = m.input("beat", UInt(self.bus));
        let codes = slots::lanes(m.input("codes", UInt(self.bus * self.slots)), self.slots);

        let decode = TritDecode.component();
        let lane = |i: u32| {
            let unit = m.instance_of(format!("u_decode_{i}"), &decode);
            unit.set("block", beat.lane(i, 8));
            let own = codes.iter().map(|codes| codes.lane(i, CODE_BITS).as_sint());
            (unit.port("digits"), own.collect::<Vec<_>>(), unit.port("bad"))
        };
        let (lanes, bad): (Vec<_>, Vec<_>) =
            (0..lanes).map(lane).map(|(digits, codes, bad)| ((digits, codes), bad)).unzip();

        let bad = m.cat(&bad.into_iter().rev().collect::<Vec<_>>()).register("refused");
        let here = valid.delay_valid("valid", 1);
        let refused = m.reg("bad_found", UInt(1)).reset(0);
        refused.set(here & bad.any());

        let depth = self.levels() as usize;
        let summed = here.delay_valid("summed", depth);
        let last = last.delay("last", depth + 1);
        let ends = (summed & last).delay_valid("ends", 1);
        let row = |slot: u32, r: u32| {
            m.scope(slots::name(&format!("row{r}"), self.slots, slot), || {
                let terms = lanes.iter().enumerate();
                let terms = terms
                    .map(|(i, (digits, codes))| Term::new(i, *digits, r, codes[slot as usize]));
                let sum = tree(m, terms.collect());
                let acc = m.reg("acc", SInt(ACC_BITS)).reset(0);
                let minus = (!sum.plus).register("minus");
                let adder = AddSub { a: ACC_BITS, b: sum.value.width() }.component();
                let unit = m.instance_of("u_total", &adder);
                unit.set("a", acc).set("b", sum.value).set("minus", minus);
                let total = unit.port("sum").truncate(ACC_BITS);
                m.when(summed, || acc.set(last.mux(0, total)));
                total.register("sum").as_uint()
            })
        };
        let rows: Vec<Sig<'_>> = (0..self.slots)
            .rev()
            .flat_map(|slot| (0..ROWS as u32).rev().map(move |r| (slot, r)))
            .map(|(slot, r)| row(slot, r))
            .collect();
        m.output("sums", UInt(ROWS as u32 * ACC_BITS * self.slots)).set(m.cat(&rows));
        m.output("sums_valid", UInt(1)).set(ends);
        m.output("bad", UInt(1)).set(refused);
    }
}

/// A number beside its sign.
#[derive(Clone, Copy)]
struct Term<'m> {
    /// Without the sign; a register.
    value: Sig<'m>,
    /// That the value counts as it is, not negated; a clock before the value.
    plus: Sig<'m>,
}

impl<'m> Term<'m> {
    /// Trit `r` times the code of lane `i`.
    fn new(i: usize, digits: Sig<'m>, r: u32, code: Sig<'m>) -> Term<'m> {
        // Digits 0, 1, 2 are -1, 0, +1.
        let (zero, plus) = (digits.bit(2 * r), digits.bit(2 * r + 1));
        Term { value: zero.mux(0, code).register(format!("term_{i}")), plus }
    }
}

/// The sum of a power of two of terms, a register after every level.
fn tree<'m>(m: &'m Module, mut terms: Vec<Term<'m>>) -> Term<'m> {
    for level in 1..=terms.len().ilog2() {
        let bits = terms[0].value.width();
        let adder = AddSub { a: bits, b: bits }.component();
        let sums = terms.chunks(2).enumerate().map(|(i, pair)| {
            let named = |what: &str| format!("{what}_{level}_{i}");
            let unit = m.instance_of(named("u_sum"), &adder);
            unit.set("a", pair[0].value).set("b", pair[1].value);
            unit.set("minus", (pair[0].plus ^ pair[1].plus).register(named("minus")));
            Term {
                value: unit.port("sum").register(named("sum")),
                plus: pair[0].plus.register(named("plus")),
            }
        });
        terms = sums.collect();
    }
    terms[0]
}
