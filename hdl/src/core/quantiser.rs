use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::instruction::{OPCODE, is, is_one_of};
use super::{LENGTH, READ};
use crate::slots;
use crate::units::{Quantise, Reciprocal};

/// Which vector the quantiser reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The residual stream.
    Residual,
    /// The gated vector v.
    Mix,
    /// The product of the GLU.
    Product,
}

/// Turns vectors into codes, ahead of the matrices that use them.
///
/// ```text
///  maxima complete -> [ Reciprocal ] -> [ pass: Q elements a clock ] -> codes
///                                          read vector, gain
///  i -> f -> g -> (v complete) o -> (x complete) GLU -> (p complete) DOWN -> (x complete) i ...
/// ```
///
/// The order of a pass is fixed, so the quantiser walks it by itself: f's and g's codes are made
/// behind the matrix before them, in the background. Codes alternate between two buffers; a buffer
/// is written again when the matrix that read it has ended (`code_release`).
///
/// ```text
///  clk        _/1\_ ...   n = LATENCY of Reciprocal, then one word of Q codes a clock
///  max_valid  1
///  read                   n + 4
///  code_write                       + READ + Quantise::LATENCY + 1
/// ```
///
/// Of several sequences each vector is turned into codes slot after slot, up to `highest`; words
/// count as there when the last slot's are.
///
/// Cost: Q [`Quantise`] ways, one [`Reciprocal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiser {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing to do before the next pass.
    Ended,
    /// For the maxima of the next vector.
    Wait,
    Reciprocal,
    /// For a buffer.
    Buffer,
    Pass,
    /// Until the last codes are written.
    Flush,
}

impl Quantiser {
    /// Clocks from the one in which a vector's maxima are found to the one in which its pass may begin.
    pub const READY: u32 = Reciprocal::LATENCY + 2;
    /// Clocks from a read to the write of its codes.
    pub const PIPE: usize = READ + Quantise::LATENCY as usize + 1;
    /// Clocks from the first in which nothing is read any more to the one in which the next vector's
    /// turn comes: the last codes have been written then.
    pub const FLUSH: usize = Quantiser::PIPE + 2;

    /// Bits of a word's index in its buffer: words of Q codes.
    pub fn write_bits(&self) -> u32 {
        LENGTH - self.geometry.quantisers.trailing_zeros()
    }
}

impl Generate for Quantiser {
    fn name(&self) -> String {
        "quantiser".into()
    }

    fn describe(&self, m: &Module) {
        let (q, slots) = (self.geometry.quantisers, self.geometry.slots);
        m.doc("Turns vectors into codes, in the order of a pass.");
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
        let no_head = m.input("no_head", UInt(1));
        let loaded = m.input("start_loaded", UInt(1)).comment("START's operands are there.");
        let [hidden, inner, intermediate] =
            ["hidden", "inner", "intermediate"].map(|name| m.input(name, UInt(LENGTH)));
        let layers = m.input("layers", UInt(10));
        let max_valid = m.input("max_valid", UInt(slots)).comment("The maxima of a vector.");
        let max_valid = slots::lanes(max_valid, slots);
        let max_in: Vec<Vec<Sig<'_>>> = (0..3)
            .map(|i| slots::lanes(m.input(format!("max_{i}"), UInt(32 * slots)), slots))
            .collect();
        let highest = slots::input(m, "highest", slots);
        let release = m.input("code_release", UInt(1)).comment("A matrix has read its codes.");
        let taken =
            m.input("code_taken", UInt(1)).comment("A beat meets codes for the first time.");
        let vector = m.input("vector", UInt(32 * q)).comment("READ clocks after `read`.");
        let gain = m.input("gain", UInt(16 * q));

        let state = m.reg("state", UInt(3)).reset(State::Ended as u8);
        let at = |s: State| state.eq(s as u8);
        let go = |s: State| state.set(s as u8);
        let which = m.reg("which", UInt(OPCODE)).reset(Opcode::MixI as u8);
        let layer = m.reg("layer", UInt(10)).reset(0);
        let turn = slots::register(m, "turn", slots);
        let named = |name: &str, n: u32| slots::name(name, slots, n);
        let of = |i| move |n| m.reg(named(&format!("maximum_{i}"), n), UInt(32));
        let maxima: Vec<Vec<Sig<'_>>> = (0..3).map(|i| (0..slots).map(of(i)).collect()).collect();
        let complete = |n| {
            let complete = m.reg(named("complete", n), UInt(1)).reset(0);
            complete.comment("Maxima that nobody has used.")
        };
        let complete: Vec<Sig<'_>> = (0..slots).map(complete).collect();
        let now: Vec<Sig<'_>> = maxima.iter().map(|of| slots::pick(turn, of)).collect();
        let gains_there = m.reg("gains_there", UInt(1)).reset(0);
        m.when(loaded, || gains_there.set(1));

        // ----- reciprocal -----
        let forget = is(which, Opcode::MixF);
        let gate = is(which, Opcode::MixG);
        let max = gate.mux(now[2], forget.mux(now[1], now[0])).register("max_now");
        let unit = m.instance("u_reciprocal", &Reciprocal);
        let start = m.reg("start", UInt(1)).reset(0);
        start.set(0);
        unit.set("start", start.delay_valid("max_there", 1)).set("max", max);

        // ----- the pass -----
        let length = is(which, Opcode::MixO)
            .mux(inner, is(which, Opcode::Down).mux(intermediate, hidden))
            .named("length");
        let word_ty = UInt(self.write_bits());
        let shift = q.trailing_zeros();
        let in_words = |length: Sig<'_>| -> u32 { length.width() - shift };
        // `which` changes long before the pass that it is about.
        let words = length.slice(shift..LENGTH).register("words");
        let padded = ((length + 63u8) >> 6).truncate(LENGTH - 6);
        let padded = (padded << (6 - shift)).truncate(in_words(length)).register("padded_words");
        let index = m.reg("index", word_ty).reset(0);
        let last_word = m.reg("last_word", UInt(1)).comment("Of the padded vector.");
        let before_last = padded.wrapping_sub(2).register("before_last");
        let reads = at(State::Pass).named("reads");
        let inside = m.reg("in_vector", UInt(1)).comment("Not yet in the padding.");
        let buffer = m.reg("buffer", UInt(1)).reset(0).comment("That is written.");
        let used: Vec<Sig<'_>> =
            (0..2).map(|i| m.reg(format!("used_{i}"), UInt(1)).reset(0)).collect();
        let reading = m.reg("reading", UInt(1)).reset(0).comment("Buffer that a matrix reads.");
        let free = !buffer.mux(used[1], used[0]);
        // The slots after the first go into the buffer that it took.
        let free = turn.map_or(free, |turn| free | turn.ne(0));
        let flush = m.reg("flush", UInt(6));

        let next = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
        let final_layer = layers.wrapping_sub(1).register("final_layer");
        let last_layer = layer.eq(final_layer).register("is_last_layer");
        m.when(at(State::Wait) & slots::pick(turn, &complete) & gains_there, || {
            match turn {
                None => complete[0].set(0),
                Some(turn) => complete.iter().enumerate().for_each(|(n, complete)| {
                    m.when(turn.eq(n), || complete.set(0));
                }),
            }
            start.set(1);
            go(State::Reciprocal);
        });
        m.when(at(State::Reciprocal) & unit.port("done"), || go(State::Buffer));
        m.when(at(State::Buffer) & free, || {
            index.set(0);
            inside.set(1);
            last_word.set(padded.eq(1));
            go(State::Pass);
            for (i, used) in used.iter().enumerate() {
                m.when(buffer.eq(i), || used.set(1));
            }
        });
        m.when(reads, || {
            index.set(index.wrapping_add(1));
            inside.set((index + 1).lt(words.extend(self.write_bits() + 1)));
            last_word.set(index.eq(before_last.extend(self.write_bits())));
            m.when(last_word, || {
                flush.set(Quantiser::FLUSH);
                go(State::Flush);
            });
        });
        let flushed = (at(State::Flush) & flush.eq(0)).named("flushed");
        m.when(at(State::Flush), || flush.set(flush.wrapping_sub(1)));
        let next_vector = || {
            buffer.set(!buffer);
            let after_down = last_layer.mux(next(Opcode::Head), next(Opcode::MixI));
            let following =
                which.switch(which.wrapping_add(1)).case(Opcode::Down as u8, after_down);
            which.set(following.end());
            m.when(is(which, Opcode::Down), || layer.set(layer.wrapping_add(1)));
            // f's and g's maxima are those that i's came with.
            let known = is_one_of(which, &[Opcode::MixI, Opcode::MixF]);
            let over = is(which, Opcode::Head) | (is(which, Opcode::Down) & last_layer & no_head);
            start.set(known);
            state.set(over.mux(
                m.lit(UInt(3), State::Ended as u8),
                known.mux(m.lit(UInt(3), State::Reciprocal as u8), State::Wait as u8),
            ));
        };
        m.when(flushed, || match turn.zip(highest) {
            None => next_vector(),
            Some((turn, highest)) => {
                m.when(turn.eq(highest), || {
                    turn.set(0);
                    next_vector();
                })
                .otherwise(|| {
                    turn.set(turn.wrapping_add(1));
                    let known = (forget | gate).named("known");
                    start.set(known);
                    state
                        .set(known.mux(m.lit(UInt(3), State::Reciprocal as u8), State::Wait as u8));
                });
            }
        });
        for n in 0..slots as usize {
            m.when(max_valid[n], || {
                complete[n].set(1);
                maxima.iter().zip(&max_in).for_each(|(to, from)| to[n].set(from[n]));
            });
        }
        m.when(release, || {
            reading.set(!reading);
            for (i, used) in used.iter().enumerate() {
                m.when(reading.eq(i), || used.set(0));
            }
        });
        m.when(begins, || {
            go(State::Wait);
            which.set(Opcode::MixI as u8);
            layer.set(0);
            gains_there.set(0);
            complete.iter().for_each(|complete| complete.set(0));
            if let Some(turn) = turn {
                turn.set(0);
            }
            buffer.set(0);
            reading.set(0);
            used.iter().for_each(|used| used.set(0));
        });

        // ----- codes -----
        let valid = (reads & inside).delay_valid("element", READ);
        let codes: Vec<Sig<'_>> = (0..q)
            .map(|i| {
                let way = m.instance(format!("u_way_{i}"), &Quantise);
                way.set("valid", valid).set("x", vector.lane(i, 32).as_sint());
                way.set("gain", gain.lane(i, 16).as_sint());
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
        let codes: Vec<Sig<'_>> = (0..q as usize).map(code).collect();
        let write = reads.delay_valid("word", latency + 1).named("write");
        let write_at = index.delay("write_at", latency + 1);
        let lanes: Vec<Sig<'_>> = codes.iter().rev().copied().collect();
        m.output("code_write", UInt(1)).set(write);
        m.output("code_write_at", word_ty).set(write_at);
        m.output("code_buffer", UInt(1)).set(buffer);
        if let Some(turn) = turn {
            m.output("code_slot", turn.ty()).set(turn);
        }
        m.output("codes", UInt(8 * q)).set(m.cat(&lanes));

        // ----- how many words of a beat's columns are there and were not met -----
        let per_beat = self.geometry.columns() as u32 / q;
        let completes = match per_beat {
            1 => write,
            n => write & write_at.slice(0..n.trailing_zeros()).all(),
        };
        let completes = slots::last(completes, turn, highest);
        let there: Vec<Sig<'_>> = (0..2u8)
            .map(|i| {
                let count = m.reg(format!("there_{i}"), UInt(LENGTH)).reset(0);
                let some = m.reg(format!("some_{i}"), UInt(1)).reset(0).comment("It is not 0.");
                let up = (completes & buffer.eq(i)).named(format!("more_{i}"));
                let down = (taken & reading.eq(i)).named(format!("fewer_{i}"));
                m.when(up & !down, || count.set(count.wrapping_add(1)));
                m.when(down & !up, || count.set(count.wrapping_sub(1)));
                // `taken` comes late in its clock, so this is known from the one before.
                let then = (up | down.mux(count.gt(1), some)).named(format!("some_{i}_then"));
                some.set(then);
                m.assert(format!("some_{i}_as_there"), some.eq(count.ne(0)));
                m.assert(format!("there_{i}_not_below"), !down | some);
                let fresh = at(State::Buffer) & free & buffer.eq(i);
                m.when(fresh | (release & reading.eq(i)) | begins, || {
                    count.set(0);
                    some.set(0);
                });
                then
            })
            .collect();
        // A clock late where `reading` changes: no weights come so soon after others.
        m.output("code_there", UInt(1))
            .comment("In the next clock there are codes that a matrix has not met yet.")
            .set(!release & !begins & reading.mux(there[1], there[0]));

        // ----- what is read -----
        let source = is(which, Opcode::MixO).mux(
            m.lit(UInt(2), Source::Mix as u8),
            is(which, Opcode::Down)
                .mux(m.lit(UInt(2), Source::Product as u8), Source::Residual as u8),
        );
        m.output("read", UInt(1)).set(reads & inside);
        m.output("read_at", word_ty).set(index);
        if let Some(turn) = turn {
            m.output("read_slot", turn.ty()).set(turn);
        }
        m.output("read_vector", UInt(2))
            .comment("0 residual, 1 mix, 2 product.")
            .set(source.register("source"));
        let memory = gate.mux(m.lit(UInt(2), 2), forget.mux(m.lit(UInt(2), 1), 0));
        m.output("read_gain", UInt(2)).comment("Operand memory.").set(memory.register("memory"));
        let second = is_one_of(which, &[Opcode::MixO, Opcode::Down]);
        m.output("read_second", UInt(1)).comment("Its second half.").set(second.register("second"));
    }
}
