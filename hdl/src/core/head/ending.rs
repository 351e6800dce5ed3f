//! The end of a pass, step by step: accumulators, the last checksum, the records.

use sterna_rtl::{Module, Sig, UInt};

use super::inputs::Inputs;
use super::kept::Kept;
use super::tops::Tops;
use super::words::Words;
use super::{CANDIDATES, State};
use crate::core::ADDRESS;
use crate::core::instruction::ROW_COUNT;
use crate::record;
use crate::slots;

/// The writer at its job.
pub(super) struct Writer<'m> {
    /// It has taken the job.
    begun: Sig<'m>,
    /// It is done with it.
    written: Sig<'m>,
    /// Beats of all logits.
    logit_beats: Sig<'m>,
}

impl<'m> Writer<'m> {
    pub fn new(m: &'m Module, bus: u32, inputs: &Inputs<'m>, ask: Sig<'m>) -> Writer<'m> {
        let (vocab, writer_busy) = (inputs.vocab, inputs.writer_busy);
        let begun = m.reg("begun", UInt(1)).reset(0).comment("The writer has taken the job.");
        let beat_shift = (bus / 32).trailing_zeros();
        let logit_beats =
            ((vocab + (bus / 32 - 1)) >> beat_shift).truncate(ROW_COUNT).named("logit_beats");
        let written = (begun & !writer_busy & !ask).named("written");
        m.when(ask, || begun.set(1));
        Writer { begun, written, logit_beats }
    }
}

/// Opens for accumulators when HEAD has started and the writer is asked for logits; after the last
/// accumulator waits until they are written.
pub(super) fn gather<'m>(
    m: &'m Module,
    inputs: &Inputs<'m>,
    kept: &Kept<'m>,
    writer: &Writer<'m>,
    clear: Sig<'m>,
) {
    let several = inputs.mask.is_some();
    let &Inputs { starts, logits, valid, last, .. } = inputs;
    let &Kept { waits, open, .. } = kept;
    m.when(starts, || {
        waits.set(1);
        if !several {
            kept.scales.take(inputs);
        }
    });
    m.when(kept.at(State::Gather) & waits & !clear, || {
        waits.set(0);
        // Several records may take longer than a pass.
        if several {
            kept.scales.take(inputs);
        }
        open.set(1);
        kept.job.ask.set(logits);
        kept.job.addr.set(inputs.logits_addr);
        kept.job.beats.set(writer.logit_beats);
    });
    m.when(kept.at(State::Gather) & valid & last, || {
        open.set(0);
        kept.go(State::Settle);
    });
    m.when(kept.at(State::Settle) & (!logits | writer.written), || {
        writer.begun.set(0);
        kept.go(State::Sound);
    });
}

/// Counts the clocks in which the last candidate reaches the top; returns how many are left.
fn candidates<'m>(m: &'m Module, kept: &Kept<'m>) -> Sig<'m> {
    let left = m.reg("candidates_in", UInt(3)).comment("The last one reaches the top.");
    m.when(kept.at(State::Gather), || left.set(CANDIDATES));
    m.when(!kept.at(State::Gather) & left.ne(0), || {
        left.set(left.wrapping_sub(1));
    });
    left
}

/// Gives the best tokens out as soon as the pass is known to be sound, and writes the records.
/// Returns whether the last of them is written.
pub(super) fn record<'m>(
    m: &'m Module,
    (bus, k): (u32, u32),
    inputs: &Inputs<'m>,
    kept: &Kept<'m>,
    tops: &Tops<'m>,
    words: &Words<'m>,
    writer: &Writer<'m>,
) -> Sig<'m> {
    let candidates_in = candidates(m, kept);
    m.when(inputs.pass_ok, || kept.sound.set(1));
    let begin_record = |at: Sig<'m>| {
        words.begin(inputs.index, &kept.job, at, bus);
        kept.go(State::Record);
    };
    // Who has no record yet.
    let left = inputs.mask.map(|mask| m.reg("records_left", mask.ty()));
    m.when(kept.at(State::Sound) & kept.sound & candidates_in.eq(0), || {
        kept.best_given.set(1);
        let best = tops.all("best_token");
        words.first_tokens.iter().zip(best).for_each(|(to, from)| to.set(from));
        match left.zip(inputs.mask) {
            None => begin_record(inputs.record_addr),
            Some((left, mask)) => {
                left.set(mask);
                kept.go(State::Next);
            }
        }
    });
    words.go_on(m, || kept.go(State::Write));
    let finished = (kept.at(State::Write) & writer.written).named("finished");
    let all_written = || {
        kept.go(State::Gather);
        tops.clear.set(1);
    };
    let Some((left, turn)) = left.zip(kept.turn) else {
        m.when(finished, || {
            writer.begun.set(0);
            all_written();
        });
        return finished;
    };
    m.when(finished, || {
        writer.begun.set(0);
        m.when(left.any(), || kept.go(State::Next)).otherwise(all_written);
    });
    let first = slots::lowest(left);
    let stride = record::stride(k) as u32;
    let offsets: Vec<Sig<'m>> =
        (0..left.width()).map(|n| m.lit(UInt(ADDRESS), n * stride)).collect();
    let place = (inputs.record_addr + first.select(&offsets)).truncate(ADDRESS);
    m.when(kept.at(State::Next), || {
        turn.set(first);
        left.set(left & left.wrapping_sub(1));
        begin_record(place);
    });
    (finished & !left.any()).named("all_finished")
}
