use crate::{Generate, Module, UInt, index_width};

/// Narrow words to wide beats, the first word lowest.
///
/// ```text
///  s -> [ word 0 | word 1 | ... ] --full or last--> [ beat ] -> m
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_     two words a beat
///  s        a   b   c   d
///  m        -   -   -   ba  -   dc
/// ```
///
/// A word marked `last` completes its beat at once, with zeros above it. Latency two clocks from a
/// beat's last word; a word every clock as long as the sink takes its beats. Cost two registers of
/// the beat's width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Bits of a word.
    pub from: u32,
    /// Bits of a beat, a multiple of it.
    pub to: u32,
}

impl Generate for Pack {
    fn name(&self) -> String {
        format!("pack_{}_to_{}", self.from, self.to)
    }

    fn describe(&self, m: &Module) {
        let (from, to) = (self.from, self.to);
        let fits = from > 0 && to.is_multiple_of(from);
        m.require("Pack::to", fits, || format!("{to} is not a multiple of {from}"));
        let words = if fits { to / from } else { 1 };
        m.doc(format!("Packs {words} words of {from} bits into a beat."));
        let source = m.stream_in("s", UInt(from), true);
        let sink = m.stream_out("m", UInt(to), true);
        let last = source.last.unwrap_or(source.valid);

        let full = m.reg("full", UInt(1)).reset(0).comment("`gathered` is a whole beat.");
        let ends = m.reg("ends", UInt(1));
        let gathered = m.reg("gathered", UInt(to)).reset(0);
        let valid = m.reg("valid", UInt(1)).reset(0);
        let (beat, beat_last) = (m.reg("beat", UInt(to)), m.reg("beat_last", UInt(1)));
        // Of several words there is time to wait for the sink, so its `ready` ends here.
        let free = if words == 1 { !valid | sink.ready } else { !valid };
        let moves = (full & free).named("moves");
        source.ready.set(!full | moves);
        let takes = source.fires().named("takes");

        m.when(sink.ready, || valid.set(0));
        m.when(moves, || {
            valid.set(1);
            beat.set(gathered);
            beat_last.set(ends);
            full.set(0);
        });
        // What moves on leaves zeros behind, so a word only has to be or-ed to its place.
        let rest = moves.mux(m.lit(UInt(to), 0), gathered);
        let completes = if words == 1 {
            m.when(takes, || gathered.set(source.data));
            m.lit(UInt(1), 1)
        } else {
            let at = m.reg("at", UInt(index_width(words as usize))).reset(0);
            let place = |i: u32| at.eq(i).repeat(from as usize) & source.data;
            let placed = m.cat(&(0..words).rev().map(place).collect::<Vec<_>>());
            m.when(moves, || gathered.set(0));
            m.when(takes, || gathered.set(rest | placed));
            let completes = (at.eq(words - 1) | last).named("completes");
            m.when(takes, || at.set(completes.mux(m.lit(at.ty(), 0), at.wrapping_add(1))));
            completes
        };
        m.when(takes & completes, || {
            full.set(1);
            ends.set(last);
        });
        sink.valid.set(valid);
        sink.data.set(beat);
        if let Some(out) = sink.last {
            out.set(beat_last);
        }
    }
}

/// Wide beats to narrow words, the lowest first.
///
/// ```text
///  s -> [ beat ] -> shifts down a word at a time -> m
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_     two words a beat
///  s        ba  -   dc
///  m        -   a   b   c   d
/// ```
///
/// Latency one clock; a word every clock. Cost a register of the beat's width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// Bits of a beat, a multiple of a word.
    pub from: u32,
    /// Bits of a word.
    pub to: u32,
}

impl Generate for Unpack {
    fn name(&self) -> String {
        format!("unpack_{}_to_{}", self.from, self.to)
    }

    fn describe(&self, m: &Module) {
        let (from, to) = (self.from, self.to);
        let fits = to > 0 && from.is_multiple_of(to);
        m.require("Unpack::from", fits, || format!("{from} is not a multiple of {to}"));
        let words = if fits { from / to } else { 1 };
        m.doc(format!("Takes {words} words of {to} bits out of a beat."));
        let source = m.stream_in("s", UInt(from), false);
        let sink = m.stream_out("m", UInt(to), false);

        let left = m.reg("left", UInt(index_width(words as usize + 1))).reset(0);
        let beat = m.reg("beat", UInt(from));
        let given = sink.fires().named("given");
        let some = m.reg("some", UInt(1)).reset(0).comment("`left` is not 0.");
        let one = m.reg("one", UInt(1)).reset(0).comment("`left` is 1.");
        let empties = (!some | (one & given)).named("empties");
        source.ready.set(empties);
        m.when(given, || {
            left.set(left.wrapping_sub(1));
            some.set(!one);
            if words > 1 {
                one.set(left.eq(2));
                beat.set(beat.slice(to..from).extend(from));
            }
        });
        m.when(source.fires(), || {
            left.set(words);
            some.set(1);
            one.set(words == 1);
            beat.set(source.data);
        });
        sink.valid.set(some);
        sink.data.set(beat.truncate(to.min(from)));
    }
}
