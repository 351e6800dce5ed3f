use sterna_firmware::geometry::Geometry;
use sterna_rtl::parts::Pack;
use sterna_rtl::{Generate, Instance, Module, SInt, Sig, Type, UInt};

use super::instruction::ROW_COUNT;
use super::{ACCUMULATOR, ADDRESS};
use crate::record;
use crate::slots;
use crate::units::TopK;

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
/// Cost: [`TopK`] for each sequence, one [`Pack`] of 32 bits.
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
        let (bus, k) = (self.geometry.bus, self.geometry.top_k);
        let slots = self.geometry.slots;
        m.doc("Finds the best tokens and writes what a pass leaves in memory.");
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
        let (record_addr, logits_addr) =
            (m.input("record_addr", UInt(ADDRESS)), m.input("logits_addr", UInt(ADDRESS)));
        let valid = m.input("valid", UInt(1));
        let accs = slots::lanes(m.input("acc", slots::ty(SInt(ACCUMULATOR), slots)), slots);
        let accs: Vec<Sig<'_>> = match slots {
            1 => accs,
            _ => accs.into_iter().map(|acc| acc.as_sint()).collect(),
        };
        let highest = slots::input(m, "highest", slots);
        let mask = (slots > 1).then(|| m.input("mask", UInt(slots)).comment("Who takes part."));
        let token = m.input("token", UInt(20));
        let last = m.input("last", UInt(1));
        let writer_busy = m.input("writer_busy", UInt(1));
        let out = m.stream_out("m", UInt(bus), false);

        let state = m.reg("state", UInt(3)).reset(State::Gather as u8);
        let at = |s: State| state.eq(s as u8);
        let go = |s: State| state.set(s as u8);
        let sound = m.reg("sound", UInt(1)).reset(0);
        let waits = m.reg("waits", UInt(1)).reset(0).comment("HEAD has started, `open` is due.");
        let open = m.reg("open", UInt(1)).reset(0).comment("Accumulators are welcome.");
        let turn = slots::register(m, "turn", slots);
        let kept = |name: &str, ty: Type| -> Vec<Sig<'_>> {
            (0..slots).map(|n| m.reg(slots::name(name, slots, n), ty)).collect()
        };
        let (mants, exps) = (kept("mant_now", UInt(24)), kept("exp_now", SInt(12)));
        let (mant_now, exp_now) = (slots::pick(turn, &mants), slots::pick(turn, &exps));
        let best_given = m.reg("gives_best", UInt(1)).reset(0);
        best_given.set(0);
        let ask = m.reg("asks", UInt(1)).reset(0);
        let ask_addr = m.reg("asks_addr", UInt(ADDRESS));
        let ask_beats = m.reg("asks_beats", UInt(ROW_COUNT));
        ask.set(0);

        let tops: Vec<Instance<'_>> =
            (0..slots).map(|n| m.instance(slots::name("u_top", slots, n), &TopK { k })).collect();
        let clear = m.reg("clears", UInt(1)).reset(0);
        clear.set(0);
        let shift = m.reg("shift", UInt(1)).reset(0);
        for (n, (top, &acc)) in tops.iter().zip(&accs).enumerate() {
            top.set("clear", clear).set("valid", valid).set("acc", acc).set("token", token);
            top.set("shift", slots::only(shift, turn, n as u32));
        }
        let best = |name: &str| -> Vec<Sig<'_>> { tops.iter().map(|top| top.port(name)).collect() };
        let acc = slots::pick(highest, &accs);

        // ----- words of 32 bits: logits, then the record -----
        let pack = m.instance("u_pack", &Pack { from: 32, to: bus });
        let words = pack.stream("s");
        let beats = pack.stream("m");
        out.valid.set(beats.valid);
        out.data.set(beats.data);
        beats.ready.set(out.ready);
        let recording = at(State::Record).named("recording");
        let count = m.reg("count", UInt(8)).comment("Word of the record.");
        let ahead = m.reg("count_ahead", UInt(8)).comment("The word behind it.");
        let record_words = record::stride(k) as u32 / 4;
        let few = vocab.lt(k).mux(vocab.truncate(7), k).named("candidates");
        // The header's words, then token and accumulator of each candidate.
        let of_turn = |name: &str| slots::pick(turn, &best(name));
        // With a token goes its place: what shifts has to come from a register.
        let acc_kept = m.reg("acc_kept", SInt(ACCUMULATOR)).comment("Of the token before.");
        let second = count.bit(0);
        let entry = (second | of_turn("best_valid")).repeat(32);
        let pair = second.mux(acc_kept.extend(32).as_uint(), of_turn("best_token").extend(32));
        let first_tokens: Vec<Sig<'_>> =
            kept("first_token", UInt(20)).into_iter().map(|sig| sig.comment("The best.")).collect();
        let first_token = slots::pick(turn, &first_tokens);
        let then = ahead
            .slice(0..4)
            .switch(m.lit(UInt(32), 0))
            .case(1, first_token.extend(32))
            .case(2, few.extend(32))
            .case(3, mant_now.extend(32))
            .case(4, exp_now.extend(32).as_uint())
            .case(6, id.lane(0, 32))
            .case(7, id.lane(1, 32))
            .end();
        let header = m.reg("header_word", UInt(32));
        let in_header = m.reg("in_header", UInt(1)).comment("`count` is a word of the header.");
        let record_word = in_header.mux(header, entry & pair).named("record_word");
        let record_ends = m.reg("record_ends", UInt(1)).comment("`count` is the last word.");
        words.valid.set(recording | (valid & logits));
        words.data.set(recording.mux(record_word, acc.extend(32).as_uint()));
        if let Some(mark) = words.last {
            mark.set(recording.mux(record_ends, last));
        }
        let record_fires = (recording & words.ready).named("record_fires");
        let token_leaves = (record_fires & !in_header & !second).named("token_leaves");
        shift.set(token_leaves);
        m.when(token_leaves, || {
            let held = of_turn("best_valid").repeat(ACCUMULATOR as usize).as_sint();
            acc_kept.set(of_turn("best_acc") & held);
        });
        // For the next clock. With logits no word follows another at once, so that what has a place
        // has it in the next clock, too. Behind the last no other comes before `open` is set anew.
        m.output("ready", UInt(1))
            .comment("An accumulator may come in the next clock.")
            .set(open & (!logits | (words.ready & !valid)));

        // ----- the writer's jobs -----
        let begun = m.reg("begun", UInt(1)).reset(0).comment("The writer has taken the job.");
        let beat_shift = (bus / 32).trailing_zeros();
        let logit_beats =
            ((vocab + (bus / 32 - 1)) >> beat_shift).truncate(ROW_COUNT).named("logit_beats");
        let written = (begun & !writer_busy & !ask).named("written");
        m.when(ask, || begun.set(1));
        let take_scales = || {
            mants.iter().zip(&mant).for_each(|(to, from)| to.set(*from));
            exps.iter().zip(&exp).for_each(|(to, from)| match slots {
                1 => to.set(*from),
                _ => to.set(from.as_sint()),
            });
        };
        m.when(starts, || {
            waits.set(1);
            if slots == 1 {
                take_scales();
            }
        });
        m.when(at(State::Gather) & waits & !clear, || {
            waits.set(0);
            // Several records may take longer than a pass.
            if slots > 1 {
                take_scales();
            }
            open.set(1);
            ask.set(logits);
            ask_addr.set(logits_addr);
            ask_beats.set(logit_beats);
        });
        m.when(at(State::Gather) & valid & last, || {
            open.set(0);
            go(State::Settle);
        });
        m.when(at(State::Settle) & (!logits | written), || {
            begun.set(0);
            go(State::Sound);
        });
        let candidates_in =
            m.reg("candidates_in", UInt(3)).comment("The last one reaches the top.");
        m.when(at(State::Gather), || candidates_in.set(CANDIDATES));
        m.when(!at(State::Gather) & candidates_in.ne(0), || {
            candidates_in.set(candidates_in.wrapping_sub(1));
        });
        m.when(pass_ok, || sound.set(1));
        let begin_record = |at: Sig<'_>| {
            count.set(0);
            ahead.set(1);
            header.set(index.extend(32));
            in_header.set(1);
            record_ends.set(0);
            ask.set(1);
            ask_addr.set(at);
            ask_beats.set(record_words / (bus / 32));
            go(State::Record);
        };
        // Who has no record yet.
        let left = mask.map(|mask| m.reg("records_left", mask.ty()));
        m.when(at(State::Sound) & sound & candidates_in.eq(0), || {
            best_given.set(1);
            first_tokens.iter().zip(best("best_token")).for_each(|(to, from)| to.set(from));
            if slots == 1 {
                begin_record(record_addr);
            }
            if let Some((left, mask)) = left.zip(mask) {
                left.set(mask);
                go(State::Next);
            }
        });
        m.when(record_fires, || {
            count.set(ahead);
            ahead.set(ahead.wrapping_add(1));
            header.set(then);
            in_header.set(ahead.lt(record::HEADER as u32 / 4));
            record_ends.set(ahead.eq(record_words - 1));
            m.when(record_ends, || go(State::Write));
        });
        let finished = (at(State::Write) & written).named("finished");
        let all_written = || {
            go(State::Gather);
            clear.set(1);
        };
        let all_finished = match left.zip(turn) {
            None => {
                m.when(finished, || {
                    begun.set(0);
                    all_written();
                });
                finished
            }
            Some((left, turn)) => {
                m.when(finished, || {
                    begun.set(0);
                    m.when(left.any(), || go(State::Next)).otherwise(all_written);
                });
                let first = slots::lowest(left);
                let stride = record::stride(k) as u32;
                let offsets: Vec<Sig<'_>> =
                    (0..slots).map(|n| m.lit(UInt(ADDRESS), n * stride)).collect();
                let place = (record_addr + first.select(&offsets)).truncate(ADDRESS);
                m.when(at(State::Next), || {
                    turn.set(first);
                    left.set(left & left.wrapping_sub(1));
                    begin_record(place);
                });
                (finished & !left.any()).named("all_finished")
            }
        };
        m.when(begins, || sound.set(0));
        m.output("best_given", UInt(1)).comment("`best` is the pass's token.").set(best_given);
        m.output("best", UInt(20 * slots)).set(slots::join(m, &first_tokens));
        m.output("recorded", UInt(1)).comment("The record is in memory.").set(all_finished);
        m.output("idle", UInt(1)).set(at(State::Gather));
        m.output("ask", UInt(1)).set(ask);
        m.output("ask_addr", UInt(ADDRESS)).set(ask_addr);
        m.output("ask_beats", UInt(ROW_COUNT)).set(ask_beats);
    }
}
