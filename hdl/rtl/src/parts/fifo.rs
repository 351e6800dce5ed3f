use super::short;
use crate::{Generate, Module, Sig, Stream, Type, UInt, index_width};

/// Where a [`Fifo`] keeps its beats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Registers and a multiplexer: for a few beats; latency one clock.
    Registers,
    /// A block RAM with `no_rw_check` and an output stage; latency three clocks.
    Block,
}

/// A queue between two streams of one clock, which also says how full it is.
///
/// ```text
///  Registers   s -> [0][1]...[n-1] -> select(read) -> m
///
///  Block       s -> RAM[write] ... RAM[read] -> q -> [ head | next ] -> m
///                                  one clock        two registers, so that a beat
///                                                   on its way always has a place
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_
///  s_fires  A   B
///  m_data   -   A   B            Registers
///  m_data   -   -   -   A   B    Block
/// ```
///
/// A RAM word is read one clock after it was written at the earliest, so no read ever meets a write
/// at one address: that is what `no_rw_check` promises, and an assertion says so.
///
/// `level` counts every beat inside; `s_ready` is a register's comparison away from `s_valid`, not
/// dependent on it. `depth` beats always fit; the block form holds up to two more in its output.
/// Cost: registers `depth * width` and a mux, or one RAM and `2 * width` registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// Type of a beat.
    pub ty: Type,
    /// Beats that fit: a power of two, at least 2.
    pub depth: usize,
    /// Whether the stream has packets.
    pub last: bool,
    /// What the beats are kept in.
    pub storage: Storage,
}

impl Storage {
    /// Clocks from a beat that enters to the same on offer, where nothing is before it.
    pub const fn latency(self) -> u32 {
        match self {
            Storage::Registers => 1,
            Storage::Block => 3,
        }
    }
}

impl Generate for Fifo {
    fn name(&self) -> String {
        let kind = match self.storage {
            Storage::Registers => "reg",
            Storage::Block => "block",
        };
        let last = if self.last { "_last" } else { "" };
        format!("fifo_{kind}_{}_d{}{last}", short(self.ty), self.depth)
    }

    fn describe(&self, m: &Module) {
        m.require("Fifo::depth", self.depth >= 2 && self.depth.is_power_of_two(), || {
            format!("{} is not a power of two of at least 2", self.depth)
        });
        m.doc(format!("Queue of {} beats of {}.", self.depth, self.ty));
        let source = m.stream_in("s", self.ty, self.last);
        let sink = m.stream_out("m", self.ty, self.last);
        // The packet mark travels as one more bit of the word.
        let word = match source.last {
            Some(last) => last.cat(source.data.as_uint()),
            None => source.data.as_uint(),
        };
        let out = match self.storage {
            Storage::Registers => self.registers(m, source, word, sink.ready),
            Storage::Block => self.block(m, source, word, sink.ready),
        };
        let (valid, word) = out;
        sink.valid.set(valid);
        let data = word.truncate(self.ty.width());
        sink.data.set(if self.ty.is_signed() { data.as_sint() } else { data });
        if let Some(last) = sink.last {
            last.set(word.msb());
        }
    }
}

impl Fifo {
    /// Counts beats between `up` and `down`, from 0 to `most`.
    fn counter<'m>(m: &'m Module, name: &str, most: usize, up: Sig<'m>, down: Sig<'m>) -> Sig<'m> {
        let level = m.reg(name, UInt(index_width(most + 1))).reset(0);
        m.when(up & !down, || level.set(level.wrapping_add(1)));
        m.when(down & !up, || level.set(level.wrapping_sub(1)));
        m.assert(format!("{name}_within"), level.le(most));
        m.assert(format!("{name}_not_below"), !down | level.ne(0));
        level
    }

    fn registers<'m>(
        &self,
        m: &'m Module,
        source: Stream<'m>,
        word: Sig<'m>,
        ready: Sig<'m>,
    ) -> (Sig<'m>, Sig<'m>) {
        let index = UInt(index_width(self.depth));
        let (write, read) = (m.reg("write", index).reset(0), m.reg("read", index).reset(0));
        let valid = m.wire("valid", UInt(1));
        let (up, down) = ((source.valid & source.ready).named("up"), (valid & ready).named("down"));
        let level = Fifo::counter(m, "count", self.depth, up, down);
        let some = m.reg("some", UInt(1)).reset(0).comment("`count` is not 0.");
        some.set(up | down.mux(level.gt(1), some));
        m.assert("some_as_count", some.eq(level.ne(0)));
        valid.set(some);
        source.ready.set(!level.msb());
        let slots: Vec<Sig<'m>> = (0..self.depth)
            .map(|i| {
                let slot = m.reg(format!("slot_{i}"), word.ty());
                m.when(up & write.eq(i), || slot.set(word));
                slot
            })
            .collect();
        m.when(up, || write.set(write.wrapping_add(1)));
        m.when(down, || read.set(read.wrapping_add(1)));
        m.output("level", level.ty()).set(level);
        (valid, read.select(&slots))
    }

    fn block<'m>(
        &self,
        m: &'m Module,
        source: Stream<'m>,
        word: Sig<'m>,
        ready: Sig<'m>,
    ) -> (Sig<'m>, Sig<'m>) {
        let ram = m.memory("ram", word.ty(), self.depth).ram_style("block").no_rw_check();
        let index = UInt(ram.address_width());
        let (write, read) = (m.reg("write", index).reset(0), m.reg("read", index).reset(0));
        let up = (source.valid & source.ready).named("up");
        let fetch = m.wire("fetch", UInt(1)).comment("Read a word from the RAM.");
        let stored = Fifo::counter(m, "stored", self.depth, up, fetch);
        source.ready.set(!stored.msb());
        // Known from the clock before, for `fetch` comes late in its clock.
        let some = m.reg("some", UInt(1)).reset(0).comment("`stored` is not 0.");
        some.set(up | fetch.mux(stored.gt(1), some));
        m.assert("some_as_stored", some.eq(stored.ne(0)));
        ram.write(up, write, word);
        let q = ram.read(fetch, read);
        m.when(up, || write.set(write.wrapping_add(1)));
        m.when(fetch, || read.set(read.wrapping_add(1)));

        // The word on its way out of the RAM needs a place even if the sink stops now: `head` and
        // `next`, with `fetched` counted among them.
        let fetched = m.reg("fetched", UInt(1)).reset(0).comment("`ram_q` is a new word.");
        fetched.set(fetch);
        let head_full = m.reg("head_full", UInt(1)).reset(0);
        let next_full = m.reg("next_full", UInt(1)).reset(0);
        let (head, next) = (m.reg("head", word.ty()), m.reg("next", word.ty()));
        let down = (head_full & ready).named("down");
        let held = (head_full + next_full + fetched).named("held");
        fetch.set(some & (held.lt(2) | (held.eq(2) & down)));

        let stays = (head_full & !down).named("stays");
        m.when(!stays, || {
            head.set(next_full.mux(next, q));
            head_full.set(next_full | fetched);
        });
        // A new word goes to `next` if `head` is taken, by what stays or by what moves up.
        m.when(fetched, || next.set(q));
        next_full.set(stays.mux(next_full | fetched, next_full & fetched));
        m.assert("a_place_for_every_word", !(stays & next_full & fetched));
        let level = (stored + held).named("level_now");
        m.output("level", level.ty()).set(level);
        (head_full, head)
    }
}
