use sterna_rtl::{Generate, Module, UInt};

/// Five digits out of a byte of weights (image-format.md, section 4).
///
/// ```text
///  block -> [ t4 t3 t2 = 111 ? ] -> c (five bits) -> digits 0, 1, 2
///        -> [ t6 t5 = 11 ?     ] ------------------> digits 3, 4
/// ```
///
/// Combinational. Digit `r` (`trit + 1`: 0, 1, 2) stands in bits `2r` and `2r + 1` of `digits`, so
/// that a lane's term is one LUT4 a bit. `bad` marks the 13 bytes that name a pattern twice; their
/// digits mean nothing. Cost 16 LUT4s
/// (*synthesised*, ECP5 without wide multiplexers), fewer where they merge with what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TritDecode;

impl Generate for TritDecode {
    fn name(&self) -> String {
        "trit_decode".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Five digits (trit + 1) out of a byte of weights.\nCombinational.");
        let block = m.input("block", UInt(8));
        let two = m.lit(UInt(2), 2);

        let full = block.slice(2..5).all().named("full");
        let moved = block.slice(5..8).cat(block.slice(0..2));
        let c = full.mux(moved, block.slice(0..5)).named("c");
        let pair = block.slice(5..7).all().named("pair");
        let top = block.bit(7).extend(2);
        let d3 = full.mux(two, pair.mux(top, block.slice(5..7)));
        let d4 = (full | pair).mux(two, top);

        let low = c.slice(0..2).all().named("low");
        let high = c.slice(2..4).all().named("high");
        let last = c.bit(4).extend(2);
        let d0 = low.mux(c.slice(2..4), c.slice(0..2));
        let d1 = low.mux(last, high.mux(two, c.slice(2..4)));
        let d2 = (low | high).mux(two, last);
        m.output("digits", UInt(10)).set(m.cat(&[d4, d3, d2, d1, d0]));
        m.output("bad", UInt(1)).set((low & high) | c.slice(2..5).all());
    }
}
