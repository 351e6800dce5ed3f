use sterna_rtl::{Generate, Module, SInt, UInt};

/// `a + b`, or `a - b` where `minus` says so.
///
/// ```text
///  a     ---> [ + ] -> sum
///  b ----xor---^
///  minus -^----^ carry in
/// ```
///
/// `a - b` is `a + !b + 1`; the one is the carry of a place below the lowest, so that it takes no
/// adder of its own. Combinational. A module by itself because synthesis may know better: a carry
/// chain of most FPGAs has room for the exclusive or, which Yosys does not find, and
/// `sterna bitstream` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddSub {
    /// Bits of `a`.
    pub a: u32,
    /// Bits of `b`, not more.
    pub b: u32,
}

impl AddSub {
    /// Bits of `sum`: one more than `a` has, so that it is exact.
    pub fn width(&self) -> u32 {
        self.a + 1
    }

    /// The one whose module has a name.
    pub fn named(module: &str) -> Option<AddSub> {
        let (a, b) = module.strip_prefix("add_sub_")?.split_once('_')?;
        Some(AddSub { a: a.parse().ok()?, b: b.parse().ok()? })
    }
}

impl Generate for AddSub {
    fn name(&self) -> String {
        format!("add_sub_{}_{}", self.a, self.b)
    }

    fn describe(&self, m: &Module) {
        m.require("AddSub::b", self.b <= self.a, || format!("{} of {}", self.b, self.a));
        m.doc("a + b, or a - b.\nCombinational.");
        let a = m.input("a", SInt(self.a));
        let b = m.input("b", SInt(self.b));
        let minus = m.input("minus", UInt(1));
        let b = b.as_uint() ^ minus.repeat(self.b as usize);
        let sum = a.cat(minus).as_sint() + b.cat(minus).as_sint();
        m.output("sum", SInt(self.width())).set(sum.slice(1..sum.width()).as_sint());
    }
}
