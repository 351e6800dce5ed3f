//! The on-chip memories between the units.
//!
//! Each has one read port, shared by quantiser and epilogue, which never want the same memory in
//! the same instruction: while f's and g's codes are made of the residual, the epilogue works on
//! MIX_I and MIX_F, which do not touch it. Assertions say so.
//!
//! Vectors and state of several sequences lie in one memory, row by row: a row of slot 0, the same of
//! slot 1, and so on. So the slot's number is some bits of the address. Each slot has codes of its
//! own, since all are read together.

use sterna_firmware::geometry::Geometry;
use sterna_model::numerics::formats::STATE_BITS;
use sterna_rtl::{Instance, Module, Sig, UInt};

use super::{Turns, Units};
use crate::core::{LaneMemory, READ};
use crate::slots::{self, Slot};

/// The memories.
pub(super) struct Data<'m> {
    residual: Instance<'m>,
    mix: Instance<'m>,
    product: Instance<'m>,
    state: Instance<'m>,
    /// Of each slot.
    codes: Vec<Instance<'m>>,
    operands: [Instance<'m>; 4],
}

/// A memory of 32-bit elements, written V at a time.
fn vector(g: &Geometry, lanes: usize) -> LaneMemory {
    let (v, q) = (g.ways, g.quantisers);
    LaneMemory { width: 32, lanes: of_all(g, lanes, q), store: q, write: v, narrow: v, wide: q }
}

/// Lanes of every slot's rows of so many lanes.
fn of_all(g: &Geometry, lanes: usize, row: u32) -> usize {
    match g.slots {
        1 => lanes,
        slots => slots as usize * lanes.next_multiple_of(row as usize),
    }
}

/// An address within a slot as one within all: the slot stands between row and group in the row.
fn of_slot<'m>(at: Sig<'m>, slot: Slot<'m>, groups: u32) -> Sig<'m> {
    let within = groups.trailing_zeros();
    match slot {
        None => at,
        Some(slot) if within == 0 => at.cat(slot),
        Some(slot) => at.slice(within..at.width()).cat(slot).cat(at.slice(0..within)),
    }
}

/// Where the second half of an operand memory begins: after the longest vector of the first.
/// Memories 1 and 2 have no second half.
fn second_half(g: &Geometry, memory: usize) -> usize {
    let longest = match memory {
        0 => g.hidden,
        3 => g.hidden.max(g.inner),
        _ => 0,
    };
    longest.next_multiple_of(operand_row(g) as usize)
}

/// Lanes of a row of operands: those of a beat, or of a quantiser's word where that is wider.
fn operand_row(g: &Geometry) -> u32 {
    g.quantisers.max(g.bus / 16)
}

/// An operand memory: 16-bit elements, written a beat at a time.
fn operand(g: &Geometry, memory: usize) -> LaneMemory {
    let last = match memory {
        0 => g.inner.max(g.intermediate),
        3 => g.hidden.max(g.inner),
        _ => g.hidden,
    };
    LaneMemory {
        width: 16,
        lanes: second_half(g, memory) + last,
        store: operand_row(g),
        write: g.bus / 16,
        narrow: g.ways,
        wide: g.quantisers,
    }
}

/// Beats of the codes of the longest vector.
fn code_beats(g: &Geometry) -> usize {
    g.hidden.max(g.inner).max(g.intermediate).next_multiple_of(64) / g.columns()
}

/// The codes of two vectors, Q written, a beat's columns read.
fn codes(g: &Geometry) -> LaneMemory {
    let (columns, q) = (g.columns() as u32, g.quantisers);
    let lanes = 2 * code_beats(g) * g.columns();
    LaneMemory { width: 8, lanes, store: columns, write: q, narrow: q, wide: columns }
}

/// The recurrent state.
fn state(g: &Geometry) -> LaneMemory {
    let v = g.ways;
    let lanes = of_all(g, g.state, v);
    LaneMemory { width: STATE_BITS, lanes, store: v, write: v, narrow: v, wide: v }
}

/// An address cut or extended to so many bits.
pub(super) fn fit(at: Sig<'_>, bits: u32) -> Sig<'_> {
    if at.width() > bits { at.truncate(bits) } else { at.extend(bits) }
}

/// An address in the second part of a memory where `second`, else in the first.
fn place<'m>(second: Sig<'m>, at: Sig<'m>, bits: u32, start: usize) -> Sig<'m> {
    let at = fit(at, bits);
    let moved = (at + second.module().lit(UInt(bits), start)).truncate(bits);
    second.mux(moved, at)
}

/// An address in groups of more lanes as one in groups of fewer.
fn finer(at: Sig<'_>, times: u32) -> Sig<'_> {
    at << times.trailing_zeros()
}

/// Sets a memory's write port; the address is cut to what the memory has.
fn write<'m>(memory: Instance<'m>, of: &LaneMemory, [write, at, data]: [Sig<'m>; 3]) {
    memory.set("write", write).set("write_at", fit(at, of.write_bits())).set("data", data);
}

/// One who reads: when, where (in groups of narrow reads), and whether the wide port is meant.
struct Reader<'m> {
    read: Sig<'m>,
    at: Sig<'m>,
    wide: bool,
}

/// Joins readers to a memory's one port; only one of them may want it at a time.
fn share<'m>(m: &'m Module, memory: Instance<'m>, of: &LaneMemory, readers: &[Reader<'m>]) {
    let fit = |at| fit(at, of.read_bits());
    let any = |wide: bool| {
        let wanting = readers.iter().filter(|r| r.wide == wide);
        wanting.fold(m.lit(UInt(1), 0), |any, r| any | r.read)
    };
    memory.set("read_narrow", any(false)).set("read_wide", any(true));
    let (last, rest) = readers.split_last().expect("a memory has a reader");
    let at = rest.iter().fold(fit(last.at), |at, r| r.read.mux(fit(r.at), at));
    memory.set("read_at", at);
    for (i, a) in readers.iter().enumerate() {
        for b in &readers[..i] {
            m.assert("one_reader_at_a_time", !(a.read & b.read));
        }
    }
}

/// The port of a unit that names a slot.
fn slot_of<'m>(g: &Geometry, unit: Instance<'m>, name: &str) -> Slot<'m> {
    (g.slots > 1).then(|| unit.port(name))
}

/// The three ports of a unit that write a memory.
fn writes<'m>(unit: Instance<'m>, name: &str) -> [Sig<'m>; 3] {
    ["write", "write_at", "data"].map(|signal| unit.port(&format!("{name}_{signal}")))
}

impl<'m> Data<'m> {
    pub fn new(m: &'m Module, g: &Geometry) -> Data<'m> {
        Data {
            residual: m.instance("u_residual", &vector(g, g.hidden)),
            mix: m.instance("u_mix", &vector(g, g.inner)),
            product: m.instance("u_product", &vector(g, g.intermediate)),
            state: m.instance("u_state", &state(g)),
            codes: (0..g.slots)
                .map(|n| m.instance(slots::name("u_codes", g.slots, n), &codes(g)))
                .collect(),
            operands: [0, 1, 2, 3].map(|i| m.instance(format!("u_operand_{i}"), &operand(g, i))),
        }
    }

    /// Codes: from the quantiser, a beat's columns READ clocks after the front end asks, those of
    /// all slots.
    pub fn codes(&self, m: &'m Module, g: &Geometry, u: &Units<'m>) -> Sig<'m> {
        let of = codes(g);
        let (beats, per_beat) = (code_beats(g), of.store / of.write);
        let [into, at, data] =
            ["code_write", "code_write_at", "codes"].map(|s| u.quantiser.port(s));
        let buffer = u.quantiser.port("code_buffer");
        let to = place(buffer, at, of.write_bits(), beats * per_beat as usize);
        let slot = slot_of(g, u.quantiser, "code_slot");
        for (n, &codes) in self.codes.iter().enumerate() {
            write(codes, &of, [slots::only(into, slot, n as u32), to, data]);
        }
        let at = finer(u.front.port("code_at"), per_beat);
        let at = place(u.front.port("code_from"), at, of.read_bits(), beats * per_beat as usize);
        let read = u.front.port("code_read");
        for (n, &codes) in self.codes.iter().enumerate() {
            let name = slots::name("codes", g.slots, n as u32);
            m.scope(name, || share(m, codes, &of, &[Reader { read, at, wide: true }]));
        }
        let wide: Vec<Sig<'m>> = self.codes.iter().map(|codes| codes.port("wide")).collect();
        slots::join(m, &wide)
    }

    /// Vectors: from embedding and epilogue, to quantiser and epilogue.
    pub fn vectors(&self, m: &'m Module, g: &Geometry, u: &Units<'m>) {
        let (read, source) = (u.quantiser.port("read"), u.quantiser.port("read_vector"));
        let groups = g.quantisers / g.ways;
        let at = finer(u.quantiser.port("read_at"), groups);
        let at = of_slot(at, slot_of(g, u.quantiser, "read_slot"), groups);
        let vectors = [
            (self.residual, "residual", g.hidden),
            (self.mix, "mix", g.inner),
            (self.product, "product", g.intermediate),
        ];
        for (i, (memory, name, lanes)) in vectors.into_iter().enumerate() {
            let of = vector(g, lanes);
            let mut from = writes(u.epilogue, name);
            let slot = |unit, port: &str| slot_of(g, unit, port);
            from[1] = of_slot(from[1], slot(u.epilogue, &format!("{name}_write_slot")), groups);
            if name == "residual" {
                let [row, row_at, row_data] =
                    ["write", "write_at", "data"].map(|signal| u.embedding.port(signal));
                let row_at = of_slot(row_at, slot(u.embedding, "slot"), groups);
                let [write, at, data] = from;
                from = [write | row, row.mux(row_at, at), row.mux(row_data, data)];
            }
            write(memory, &of, from);
            let own = |signal: &str| u.epilogue.port(&format!("{name}_{signal}"));
            let own_slot = slot(u.epilogue, &format!("{name}_read_slot"));
            let own_at = of_slot(own("read_at"), own_slot, groups);
            let readers = [
                Reader { read: read & source.eq(i), at, wide: true },
                Reader { read: own("read"), at: own_at, wide: false },
            ];
            m.scope(name, || share(m, memory, &of, &readers));
            u.epilogue.set(name, memory.port("narrow"));
        }
        let wide = vectors.map(|(memory, ..)| memory.port("wide"));
        u.quantiser.set("vector", source.delay("source", READ).select(&wide));
    }

    /// Operands: from the image, to quantiser and epilogue.
    pub fn operands(&self, m: &'m Module, g: &Geometry, u: &Units<'m>) {
        let [q_read, q_at, q_gain, q_second] =
            ["read", "read_at", "read_gain", "read_second"].map(|s| u.quantiser.port(s));
        for (i, &memory) in self.operands.iter().enumerate() {
            let of = operand(g, i);
            let start = second_half(g, i);
            let [into, second] =
                ["operand_write", "operand_second"].map(|s| u.front.port(s).bit(i as u32));
            let (at, data) = (u.front.port("operand_at"), u.front.port("operand_data"));
            let at = place(second, at, of.write_bits(), start / of.write as usize);
            write(memory, &of, [into, at, data]);

            let name = if i == 3 { "side" } else { "gain" };
            let [read, at, second] = ["read", "read_at", "second"]
                .map(|signal| u.epilogue.port(&format!("{name}_{signal}")));
            let steps = |at, second| place(second, at, of.read_bits(), start / g.ways as usize);
            // Without a second half nothing is ever in it, whoever asks.
            let read = if matches!(i, 1 | 2) { read & u.epilogue.port("gain_all") } else { read };
            let mut readers = vec![Reader { read, at: steps(at, second), wide: false }];
            if i < 3 {
                let at = steps(finer(q_at, g.quantisers / g.ways), q_second);
                readers.push(Reader { read: q_read & q_gain.eq(i), at, wide: true });
            }
            m.scope(format!("operand_{i}"), || share(m, memory, &of, &readers));
        }
        u.epilogue.set("side", self.operands[3].port("narrow"));
        for i in 0..3 {
            u.epilogue.set(&format!("gain_{i}"), self.operands[i].port("narrow"));
        }
        let wide = [0, 1, 2].map(|i| self.operands[i].port("wide"));
        u.quantiser.set("gain", q_gain.delay("gain_of", READ).select(&wide));
    }

    /// State: from and to the epilogue, layer after layer, and the state mover.
    ///
    /// A chain of tokens has one state, that of the lowest slot; who takes no part writes none.
    pub fn state(&self, m: &'m Module, g: &Geometry, u: &Units<'m>, turns: Option<Turns<'m>>) {
        let of = state(g);
        let base = u.epilogue.port("state_base");
        let in_layer = |at: Sig<'m>, name: &str| match turns {
            None => fit(base + at, of.read_bits()),
            Some(turns) => {
                let slot = turns.chain.mux(turns.lowest, u.epilogue.port(name));
                fit((base + at).cat(slot), of.read_bits())
            }
        };
        let moved_at = |at: Sig<'m>| match turns {
            None => fit(at, of.read_bits()),
            Some(turns) => fit(at.cat(turns.lowest), of.read_bits()),
        };
        let [own, own_at, own_data] = writes(u.epilogue, "state");
        let own = match turns {
            None => own,
            Some(turns) => {
                let mask = slots::lanes(turns.mask, g.slots);
                own & u.epilogue.port("state_write_slot").select(&mask)
            }
        };
        let [moved, at, data] = ["write", "at", "data"].map(|signal| u.mover.port(signal));
        let to = moved.mux(moved_at(at), in_layer(own_at, "state_write_slot"));
        write(self.state, &of, [own | moved, to, moved.mux(data, own_data)]);
        let [read, read_at] = ["state_read", "state_read_at"].map(|s| u.epilogue.port(s));
        let readers = [
            Reader { read, at: in_layer(read_at, "state_read_slot"), wide: false },
            Reader { read: u.mover.port("read"), at: moved_at(at), wide: false },
        ];
        m.scope("state", || share(m, self.state, &of, &readers));
        u.epilogue.set("state", self.state.port("narrow"));
        u.mover.set("state", self.state.port("narrow"));
    }
}
