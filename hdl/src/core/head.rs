//! The head: what a pass leaves.
//!
//! ```text
//! head         what it is, and the order of its parts
//! inputs       what a pass is about, accumulators
//! kept         how far it is, scales, what the writer is asked for
//! tops         the best candidates of each slot
//! words        logits, then the words of a record
//! ending       from the first accumulator to the last record
//! ```

mod ending;
mod inputs;
mod kept;
mod tops;
mod words;

use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module, UInt};

use super::ADDRESS;
use super::instruction::ROW_COUNT;
use crate::slots;
use crate::units::TopK;
use ending::Writer;
use inputs::Inputs;
use kept::Kept;
use tops::Tops;
use words::Words;

/// The end of a pass: the best tokens, every accumulator if wanted, and the record.
///
/// ```text
///  accumulators -+-> [ TopK ] -> best ----------------> next token
///                |      | shift
///                |      +-> record words -+
///                +-> logits --------------+-> [ Pack ] -> writer
/// ```
///
/// A record is begun when the last accumulator has come and the last checksum was right; the best
/// token is given out at the same moment, so that the next pass may start while the record is
/// written. `ready` is low while a record is written or the writer does not follow with logits.
/// Trusts that a record's header has left when HEAD of the next pass starts: it finds the writer
/// empty, and a pass takes far longer than its 16 words.
///
/// Of several sequences each has a [`TopK`] and a record; accumulators come side by side, one of each
/// a clock, and all best tokens are given out at once. Records are written one after the other, of
/// those in `mask`; logits are those of `highest`.
///
/// Cost: [`TopK`] for each sequence, one [`Pack`](sterna_rtl::parts::Pack) of 32 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    /// Accumulators come.
    Gather,
    /// The logits are still being written.
    Settle,
    /// The last checksum is not there yet, or the writer is not.
    Sound,
    /// The record's words go out.
    Record,
    /// The writer finishes.
    Write,
    /// Of several records the next is begun.
    Next,
}

/// Clocks in which the last candidate reaches the top.
const CANDIDATES: u32 = TopK::LATENCY + 1;

impl Head {
    /// Clocks from the one in which nothing is waited for any more, the instruction and the writer, to
    /// the first accumulator.
    pub const OPEN: u32 = 2;
    /// Clocks from the last accumulator to the best token, where nothing else is waited for.
    pub const BEST: u32 = CANDIDATES + 2;

    /// Clocks from the best token to the job of its record, and from the end of a record to the job
    /// of the next.
    pub fn record_begins(slots: u32) -> u32 {
        u32::from(slots > 1)
    }
}

impl Generate for Head {
    fn name(&self) -> String {
        "head".into()
    }

    fn describe(&self, m: &Module) {
        let (bus, k, slots) = (self.geometry.bus, self.geometry.top_k, self.geometry.slots);
        m.doc("Finds the best tokens and writes what a pass leaves in memory.");
        let inputs = Inputs::new(m, bus, slots);
        let kept = Kept::new(m, slots);
        let tops = Tops::new(m, k, &inputs, kept.turn);
        let words = Words::new(m, (bus, k), &inputs, &kept, &tops);
        words.welcome(m, &inputs, kept.open);
        let writer = Writer::new(m, bus, &inputs, kept.job.ask);
        ending::gather(m, &inputs, &kept, &writer, tops.clear);
        let recorded = ending::record(m, (bus, k), &inputs, &kept, &tops, &words, &writer);
        m.when(inputs.begins, || kept.sound.set(0));

        let best = m.output("best_given", UInt(1)).comment("`best` is the pass's token.");
        best.set(kept.best_given);
        m.output("best", UInt(20 * slots)).set(slots::join(m, &words.first_tokens));
        m.output("recorded", UInt(1)).comment("The record is in memory.").set(recorded);
        m.output("idle", UInt(1)).set(kept.at(State::Gather));
        m.output("ask", UInt(1)).set(kept.job.ask);
        m.output("ask_addr", UInt(ADDRESS)).set(kept.job.addr);
        m.output("ask_beats", UInt(ROW_COUNT)).set(kept.job.beats);
    }
}
