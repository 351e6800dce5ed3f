use sterna_firmware::trits::ROWS;
use sterna_model::numerics::formats::CODE_BITS;
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::{ACC_BITS, TritDecode};
use crate::slots;

/// Five rows of a ternary matrix times the codes, a beat of weights a clock (numerics.md, section 8).
///
/// ```text
///  beat --> [TritDecode] x lanes -> [reg] -> digit * code -+-[+]-[reg]- ... -[+]-+-> [acc] row 0
///  codes -----------------------> [reg] ---------^         |                ^----+
///                                                          +- ...                -> [acc] row 4
///  sums = acc - sum_codes -> [reg]
/// ```
///
/// ```text
///  clk         _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_/9\_     bus 64: latency 6
///  valid       1   1   0   1   0
///  first,last  f       -   l
///  sum_codes                               X         taken here, a clock before the sums
///  sums                                        S
///  bad             A's B's     C's
/// ```
///
/// `Σ (digit - 1) · code = Σ digit · code - Σ code`: a lane never negates. A group may be any number
/// of beats from one on (`first` and `last` together), with gaps, and groups may follow one another
/// without a gap. The five accumulators are exact modulo 2^22, which the finished sum fits. A refused
/// byte raises `bad` for a clock, [`TernaryUnit::BAD_LATENCY`] after its beat; what it does to the
/// sum is undefined.
///
/// Trusts `beat` and `codes` to come from registers: the decoder is the first thing they meet.
/// Latency [`TernaryUnit::latency`] from the last beat to its sums. A register after every level of
/// adders: with two levels between them Yosys makes carry-save adders of LUTs (*synthesised*, ECP5,
/// bus 512: 8,425 LUT4 and 770 CCU2C instead of 3,845 and 1,880), and the registers beside the
/// carry chains lie idle. Cost (*synthesised*, ECP5) 578 LUT4, 300 CCU2C and 757 registers for a bus
/// of 64.
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

    /// Clocks from the valid beat with `last` to `sums_valid`: the digits, the tree, the
    /// accumulator, the subtraction.
    pub fn latency(&self) -> u32 {
        1 + self.levels() + 2
    }

    /// Clocks from that beat until `sum_codes` has to stand, for one clock.
    pub fn sum_codes_after(&self) -> u32 {
        self.latency() - 1
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
        let first = m.input("first", UInt(1));
        let last = m.input("last", UInt(1));
        let beat = m.input("beat", UInt(self.bus));
        let codes = slots::lanes(m.input("codes", UInt(self.bus * self.slots)), self.slots);
        let sum_ty = if self.slots == 1 { SInt(ACC_BITS) } else { UInt(ACC_BITS * self.slots) };
        let sum_codes = m
            .input("sum_codes", sum_ty)
            .comment("Of the whole vector; has to stand in the clock before the sums.");
        let sum_codes = slots::lanes(sum_codes, self.slots);

        let decode = TritDecode.component();
        let lane = |i: u32| {
            let unit = m.instance_of(format!("u_decode_{i}"), &decode);
            unit.set("block", beat.lane(i, 8));
            let digits = unit.port("digits").register(format!("digits_{i}"));
            let own = codes.iter().enumerate().map(|(slot, codes)| {
                let name = slots::name(&format!("code_{i}"), self.slots, slot as u32);
                codes.lane(i, CODE_BITS).as_sint().register(name)
            });
            let own: Vec<Sig<'_>> = own.collect();
            (digits, own, unit.port("bad"))
        };
        let (lanes, bad): (Vec<_>, Vec<_>) =
            (0..lanes).map(lane).map(|(digits, codes, bad)| ((digits, codes), bad)).unzip();

        let bad = m.cat(&bad.into_iter().rev().collect::<Vec<_>>()).register("refused");
        let here = valid.delay_valid("valid", 1);
        let refused = m.reg("bad_found", UInt(1)).reset(0);
        refused.set(here & bad.any());

        let depth = self.levels() as usize;
        let summed = here.delay_valid("summed", depth);
        let first = first.delay("first", depth + 1);
        let last = last.delay("last", depth + 1);
        let ends = (summed & last).delay_valid("ends", 2);
        let row = |slot: u32, r: u32| {
            m.scope(slots::name(&format!("row{r}"), self.slots, slot), || {
                let terms = lanes.iter().map(|(digits, codes)| {
                    let code = codes[slot as usize];
                    let once = digits.bit(2 * r).mux(code, 0);
                    digits.bit(2 * r + 1).mux(code << 1, once)
                });
                let sum = tree(terms.collect());
                let acc = m.reg("acc", SInt(ACC_BITS));
                let before = first.mux(0, acc);
                m.when(summed, || acc.set(before.wrapping_add(sum)));
                let sum_codes = sum_codes[slot as usize].as_sint();
                acc.wrapping_sub(sum_codes).register("sum").as_uint()
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

/// The sum of a power of two of lanes, a register after every level. (`AdderTree` would do the same
/// through ports as wide as all lanes, which simulators are slow at.)
fn tree(mut lanes: Vec<Sig<'_>>) -> Sig<'_> {
    for level in 1..=lanes.len().ilog2() {
        let sums = lanes.chunks(2).map(|pair| pair[0] + pair[1]).enumerate();
        lanes = sums.map(|(i, sum)| sum.register(format!("sum_{level}_{i}"))).collect();
    }
    lanes[0]
}
