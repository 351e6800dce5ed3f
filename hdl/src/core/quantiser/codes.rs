//! From elements to codes.

use sterna_rtl::{Module, Sig, UInt};

use super::buffers::Buffers;
use super::inputs::Inputs;
use super::maxima::Divider;
use super::words::Words;
use crate::core::READ;
use crate::slots::Slot;
use crate::units::Quantise;

/// A word of codes that is written: that there is one, and where in its buffer.
pub(super) struct Written<'m> {
    pub write: Sig<'m>,
    pub at: Sig<'m>,
}

/// Makes codes of the words that are read, and the ports that write them.
pub(super) fn make<'m>(
    m: &'m Module,
    quantisers: u32,
    inputs: &Inputs<'m>,
    divider: &Divider<'m>,
    words: &Words<'m>,
    buffers: &Buffers<'m>,
    turn: Slot<'m>,
) -> Written<'m> {
    let unit = divider.unit;
    let valid = (words.reads & words.inside).delay_valid("element", READ);
    let codes: Vec<Sig<'_>> = (0..quantisers)
        .map(|i| {
            let way = m.instance(format!("u_way_{i}"), &Quantise);
            way.set("valid", valid).set("x", inputs.vector.lane(i, 32).as_sint());
            way.set("gain", inputs.gain.lane(i, 16).as_sint());
            way.set("mant", unit.port("mant")).set("bits", unit.port("bits"));
            way.port("q")
        })
        .collect();
    let latency = READ + Quantise::LATENCY as usize;
    let real = valid.delay_valid("real", Quantise::LATENCY as usize);
    // Codes of padding columns are 0, whatever was read for them.
    let code = |i: usize| {
        let kept = real.repeat(8) & codes[i].as_uint();
        kept.register(format!("code_{i}"))
    };
    let codes: Vec<Sig<'_>> = (0..quantisers as usize).map(code).collect();
    let write = words.reads.delay_valid("word", latency + 1).named("write");
    let at = words.index.delay("write_at", latency + 1);
    let lanes: Vec<Sig<'_>> = codes.iter().rev().copied().collect();
    m.output("code_write", UInt(1)).set(write);
    m.output("code_write_at", at.ty()).set(at);
    m.output("code_buffer", UInt(1)).set(buffers.writing);
    if let Some(turn) = turn {
        m.output("code_slot", turn.ty()).set(turn);
    }
    m.output("codes", UInt(8 * quantisers)).set(m.cat(&lanes));
    Written { write, at }
}
