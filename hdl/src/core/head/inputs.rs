//! What comes into the head.

use sterna_rtl::{Module, SInt, Sig, Stream, UInt};

use crate::core::instruction::ROW_COUNT;
use crate::core::{ACCUMULATOR, ADDRESS};
use crate::slots::{self, Slot};

/// What a pass is about, where its results go, and accumulators.
pub(super) struct Inputs<'m> {
    /// A pass starts; HEAD starts, and its scale is there.
    pub begins: Sig<'m>,
    pub starts: Sig<'m>,
    /// Every accumulator is wanted.
    pub logits: Sig<'m>,
    /// How many tokens there are.
    pub vocab: Sig<'m>,
    /// The pass was read and is sound.
    pub pass_ok: Sig<'m>,
    /// Number of the pass in its run, and the image.
    pub index: Sig<'m>,
    pub id: Sig<'m>,
    /// Of each slot what an accumulator is worth.
    pub mant: Vec<Sig<'m>>,
    pub exp: Vec<Sig<'m>>,
    /// Where the record of slot 0 goes, and the logits.
    pub record_addr: Sig<'m>,
    pub logits_addr: Sig<'m>,
    /// An accumulator of each slot, of the same token, and whether it is the last.
    pub valid: Sig<'m>,
    pub accs: Vec<Sig<'m>>,
    pub token: Sig<'m>,
    pub last: Sig<'m>,
    /// The highest slot that takes part, and all that do.
    pub highest: Slot<'m>,
    pub mask: Option<Sig<'m>>,
    pub writer_busy: Sig<'m>,
    /// Beats to the writer.
    pub out: Stream<'m>,
}

impl<'m> Inputs<'m> {
    pub fn new(m: &'m Module, bus: u32, slots: u32) -> Inputs<'m> {
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
        let starts = m.input("starts", UInt(1)).comment("HEAD starts; its scale is there.");
        let logits = m.input("logits", UInt(1)).comment("Every accumulator is wanted.");
        let logits = logits.register("logits_now").reset(0);
        let vocab = m.input("vocab", UInt(ROW_COUNT));
        let pass_ok = m.input("pass_ok", UInt(1)).comment("The pass was read and is sound.");
        let index = m.input("index", UInt(16)).comment("Number of the pass in its run.");
        let id = m.input("image_id", UInt(64));
        let mant = slots::lanes(m.input("mant", UInt(24 * slots)), slots);
        let exp = slots::lanes(m.input("exp", slots::ty(SInt(12), slots)), slots);
        let record_addr = m.input("record_addr", UInt(ADDRESS));
        let logits_addr = m.input("logits_addr", UInt(ADDRESS));
        let valid = m.input("valid", UInt(1));
        let accs = slots::lanes(m.input("acc", slots::ty(SInt(ACCUMULATOR), slots)), slots);
        let accs: Vec<Sig<'m>> = match slots {
            1 => accs,
            _ => accs.into_iter().map(|acc| acc.as_sint()).collect(),
        };
        Inputs {
            begins,
            starts,
            logits,
            vocab,
            pass_ok,
            index,
            id,
            mant,
            exp,
            record_addr,
            logits_addr,
            valid,
            accs,
            highest: slots::input(m, "highest", slots),
            mask: (slots > 1).then(|| m.input("mask", UInt(slots)).comment("Who takes part.")),
            token: m.input("token", UInt(20)),
            last: m.input("last", UInt(1)),
            writer_busy: m.input("writer_busy", UInt(1)),
            out: m.stream_out("m", UInt(bus), false),
        }
    }
}
