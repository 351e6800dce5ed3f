//! The ternary dot product in `sterna-rtl`.
//!
//! A lane is `+x`, `-x` or 0 by its two weight bits (bit 0: not zero, bit 1: negative). Products
//! and every level of the tree are registered and grow by a bit; eight clocks from `x` to `acc`
//! at 64 lanes.

use sterna_rtl::{Generate, Module, SInt, UInt};

pub struct TernaryDot {
    /// A power of two.
    pub lanes: u32,
    pub x_bits: u32,
    pub acc_bits: u32,
}

impl Generate for TernaryDot {
    fn name(&self) -> String {
        format!("ternary_dot_{}x{}_acc{}", self.lanes, self.x_bits, self.acc_bits)
    }

    fn describe(&self, m: &Module) {
        let valid = m.input("valid", UInt(1));
        let clear = m.input("clear", UInt(1));
        let x = m.input("x", UInt(self.lanes * self.x_bits));
        let w = m.input("w", UInt(self.lanes * 2));

        let product = |i: u32| {
            let x = x.lane(i, self.x_bits).as_sint();
            let signed = w.bit(2 * i + 1).mux(-x, x);
            w.bit(2 * i).mux(signed, 0).register(format!("product_{i}"))
        };
        let mut sums: Vec<_> = (0..self.lanes).map(product).collect();
        let mut clocks = 1;
        while sums.len() > 1 {
            let pairs = sums.chunks(2).enumerate();
            sums = pairs.map(|(i, p)| (p[0] + p[1]).register(format!("sum{clocks}_{i}"))).collect();
            clocks += 1;
        }
        let mut valid = valid;
        for i in 1..=clocks {
            let reg = m.reg(format!("valid_{i}"), UInt(1)).reset(0);
            reg.set(valid);
            valid = reg;
        }
        let clear = clear.delay("clear", clocks);

        let acc = m.reg("total", SInt(self.acc_bits)).reset(0);
        let sum = sums[0].extend(self.acc_bits);
        m.when(valid, || acc.set(clear.mux(sum, acc.wrapping_add(sum))));
        m.output("acc", SInt(self.acc_bits)).set(acc);
        let acc_valid = m.reg("total_valid", UInt(1)).reset(0);
        acc_valid.set(valid);
        m.output("acc_valid", UInt(1)).set(acc_valid);
    }
}
