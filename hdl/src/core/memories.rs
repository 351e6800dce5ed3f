//! The on-chip memories: which there are, and who reads and writes them when.
//!
//! Each has one read port, shared by quantiser and epilogue, which never want the same memory in
//! the same instruction: while f's and g's codes are made of the residual, the epilogue works on
//! MIX_I and MIX_F, which do not touch it.

use sterna_firmware::geometry::Geometry;
use sterna_model::numerics::formats::STATE_BITS;
use sterna_rtl::{Instance, Module, Sig};

use super::{LaneMemory, READ};

/// A memory of 32-bit elements, written V at a time.
pub(crate) fn vector(g: &Geometry, lanes: usize) -> LaneMemory {
    let (v, q) = (g.ways, g.quantisers);
    LaneMemory { width: 32, lanes, store: q, write: v, narrow: v, wide: q }
}

/// Lanes of a row of operands: those of a beat, or of a quantiser's word where that is wider.
fn operand_row(g: &Geometry) -> u32 {
    g.quantisers.max(g.bus / 16)
}

/// Where the second half of an operand memory begins: after the longest vector of the first.
pub(crate) fn second_half(g: &Geometry, memory: usize) -> usize {
    let longest = match memory {
        3 => g.hidden.max(g.inner),
        _ => g.hidden,
    };
    longest.next_multiple_of(operand_row(g) as usize)
}

/// An operand memory: 16-bit elements, written a beat at a time.
pub(crate) fn operand(g: &Geometry, memory: usize) -> LaneMemory {
    let second = match memory {
        0 => g.inner.max(g.intermediate),
        3 => g.hidden.max(g.inner),
        _ => 0,
    };
    LaneMemory {
        width: 16,
        lanes: second_half(g, memory) + second,
        store: operand_row(g),
        write: g.bus / 16,
        narrow: g.ways,
        wide: g.quantisers,
    }
}

/// Words of a beat's codes in one of the two buffers.
pub(crate) fn code_words(g: &Geometry) -> usize {
    let longest = g.hidden.max(g.inner).max(g.intermediate).next_multiple_of(64);
    longest / g.columns()
}

/// The codes of two vectors, a word of Q written, a beat's columns read.
pub(crate) fn codes(g: &Geometry) -> LaneMemory {
    let columns = g.columns() as u32;
    LaneMemory {
        width: 8,
        lanes: 2 * code_words(g) * g.columns(),
        store: columns,
        write: g.quantisers,
        narrow: g.quantisers,
        wide: columns,
    }
}

/// The recurrent state.
pub(crate) fn state(g: &Geometry) -> LaneMemory {
    let v = g.ways;
    LaneMemory { width: STATE_BITS, lanes: g.state, store: v, write: v, narrow: v, wide: v }
}

/// One who reads: when, where (in groups of V lanes), and whether Q lanes are wanted.
pub(crate) struct Reader<'m> {
    pub read: Sig<'m>,
    pub at: Sig<'m>,
    pub wide: bool,
}

/// Joins readers to a memory's one port; the first that wants it has it, and the others must not.
pub(crate) fn share<'m>(
    m: &'m Module,
    memory: Instance<'m>,
    of: &LaneMemory,
    readers: &[Reader<'m>],
) {
    let zero = m.lit(sterna_rtl::UInt(1), 0);
    let fit = |at: Sig<'m>| {
        let bits = of.read_bits();
        if at.width() > bits { at.truncate(bits) } else { at.extend(bits) }
    };
    let any =
        |wide: bool| readers.iter().filter(|r| r.wide == wide).fold(zero, |any, r| any | r.read);
    memory.set("read_narrow", any(false)).set("read_wide", any(true));
    let last = fit(readers[readers.len() - 1].at);
    let at = readers.iter().rev().skip(1).fold(last, |at, r| r.read.mux(fit(r.at), at));
    memory.set("read_at", at);
    for (i, a) in readers.iter().enumerate() {
        for b in &readers[..i] {
            m.assert("one_reader_at_a_time", !(a.read & b.read));
        }
    }
}

/// A signal as a reader sees it whose data come READ clocks later.
pub(crate) fn with_data<'m>(sig: Sig<'m>, name: &str) -> Sig<'m> {
    sig.delay(name, READ)
}
