//! Words of 32 bits: logits while accumulators come, then the record.

use sterna_rtl::parts::Pack;
use sterna_rtl::{Module, SInt, Sig, Stream, UInt};

use super::State;
use super::inputs::Inputs;
use super::kept::{Job, Kept, of_each};
use super::tops::Tops;
use crate::core::ACCUMULATOR;
use crate::record;
use crate::slots;

/// The record that is written, and the words on their way to the writer.
pub(super) struct Words<'m> {
    words: Stream<'m>,
    /// The word of the record that is here, and the one behind it.
    count: Sig<'m>,
    ahead: Sig<'m>,
    /// Words of a record.
    length: u32,
    /// Of each slot the best token.
    pub first_tokens: Vec<Sig<'m>>,
    /// `count` is a word of the header, and this one; what the one behind it is.
    in_header: Sig<'m>,
    header: Sig<'m>,
    then: Sig<'m>,
    /// `count` is the last word.
    ends: Sig<'m>,
    /// A word of the record leaves.
    fires: Sig<'m>,
}

impl<'m> Words<'m> {
    pub fn new(
        m: &'m Module,
        (bus, k): (u32, u32),
        inputs: &Inputs<'m>,
        kept: &Kept<'m>,
        tops: &Tops<'m>,
    ) -> Words<'m> {
        let acc = slots::pick(inputs.highest, &inputs.accs);
        let words = packed(m, bus, inputs.out);
        let recording = kept.at(State::Record).named("recording");
        let count = m.reg("count", UInt(8)).comment("Word of the record.");
        let ahead = m.reg("count_ahead", UInt(8)).comment("The word behind it.");
        let few = inputs.vocab.lt(k).mux(inputs.vocab.truncate(7), k).named("candidates");
        // The header's words, then token and accumulator of each candidate.
        // With a token goes its place: what shifts has to come from a register.
        let acc_kept = m.reg("acc_kept", SInt(ACCUMULATOR)).comment("Of the token before.");
        let second = count.bit(0);
        let entry = (second | tops.now("best_valid")).repeat(32);
        let pair = second.mux(acc_kept.extend(32).as_uint(), tops.now("best_token").extend(32));
        let first_tokens = of_each(m, "first_token", inputs.accs.len() as u32, UInt(20));
        let first_tokens: Vec<Sig<'m>> =
            first_tokens.into_iter().map(|sig| sig.comment("The best.")).collect();
        let first_token = slots::pick(kept.turn, &first_tokens);
        let then = ahead
            .slice(0..4)
            .switch(m.lit(UInt(32), 0))
            .case(1, first_token.extend(32))
            .case(2, few.extend(32))
            .case(3, kept.scales.mant.extend(32))
            .case(4, kept.scales.exp.extend(32).as_uint())
            .case(6, inputs.id.lane(0, 32))
            .case(7, inputs.id.lane(1, 32))
            .end();
        let header = m.reg("header_word", UInt(32));
        let in_header = m.reg("in_header", UInt(1)).comment("`count` is a word of the header.");
        let record_word = in_header.mux(header, entry & pair).named("record_word");
        let ends = m.reg("record_ends", UInt(1)).comment("`count` is the last word.");
        words.valid.set(recording | (inputs.valid & inputs.logits));
        words.data.set(recording.mux(record_word, acc.extend(32).as_uint()));
        if let Some(mark) = words.last {
            mark.set(recording.mux(ends, inputs.last));
        }
        let fires = (recording & words.ready).named("record_fires");
        let token_leaves = (fires & !in_header & !second).named("token_leaves");
        tops.shift.set(token_leaves);
        m.when(token_leaves, || {
            let held = tops.now("best_valid").repeat(ACCUMULATOR as usize).as_sint();
            acc_kept.set(tops.now("best_acc") & held);
        });
        let length = record::stride(k) as u32 / 4;
        Words { words, count, ahead, length, first_tokens, in_header, header, then, ends, fires }
    }
}

/// Words, packed into beats for the writer.
fn packed<'m>(m: &'m Module, bus: u32, out: Stream<'m>) -> Stream<'m> {
    let pack = m.instance("u_pack", &Pack { from: 32, to: bus });
    let words = pack.stream("s");
    let beats = pack.stream("m");
    out.valid.set(beats.valid);
    out.data.set(beats.data);
    beats.ready.set(out.ready);
    words
}

impl<'m> Words<'m> {
    /// The port that asks for accumulators, for the next clock. With logits no word follows another at
    /// once, so that what has a place has it in the next clock, too. Behind the last no other comes
    /// before `open` is set anew.
    pub fn welcome(&self, m: &'m Module, inputs: &Inputs<'m>, open: Sig<'m>) {
        m.output("ready", UInt(1))
            .comment("An accumulator may come in the next clock.")
            .set(open & (!inputs.logits | (self.words.ready & !inputs.valid)));
    }

    /// Begins a record with the number of its pass, and asks the writer for it.
    pub fn begin(&self, index: Sig<'m>, job: &Job<'m>, at: Sig<'m>, bus: u32) {
        self.count.set(0);
        self.ahead.set(1);
        self.header.set(index.extend(32));
        self.in_header.set(1);
        self.ends.set(0);
        job.ask.set(1);
        job.addr.set(at);
        job.beats.set(self.length / (bus / 32));
    }

    /// Goes on with each word that leaves; `end` is what follows the last.
    pub fn go_on(&self, m: &'m Module, end: impl FnOnce()) {
        let &Words { ahead, .. } = self;
        m.when(self.fires, || {
            self.count.set(ahead);
            ahead.set(ahead.wrapping_add(1));
            self.header.set(self.then);
            self.in_header.set(ahead.lt(record::HEADER as u32 / 4));
            self.ends.set(ahead.eq(self.length - 1));
            m.when(self.ends, end);
        });
    }
}
