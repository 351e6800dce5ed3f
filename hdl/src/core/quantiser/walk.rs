//! From vector to vector, in the order of a pass.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::buffers::Buffers;
use super::inputs::Inputs;
use super::maxima::{Divider, Maxima};
use super::words::Words;
use super::{Quantiser, State};
use crate::core::instruction::{OPCODE, is, is_one_of};
use crate::slots::{self, Slot};

/// Where in a pass it is.
pub(super) struct Place<'m> {
    state: Sig<'m>,
    /// The matrix that the vector's codes are for, and its layer.
    pub which: Sig<'m>,
    layer: Sig<'m>,
    /// The slot whose vector it is.
    pub turn: Slot<'m>,
}

impl<'m> Place<'m> {
    pub fn new(m: &'m Module, slots: u32) -> Place<'m> {
        Place {
            state: m.reg("state", UInt(3)).reset(State::Ended as u8),
            which: m.reg("which", UInt(OPCODE)).reset(Opcode::MixI as u8),
            layer: m.reg("layer", UInt(10)).reset(0),
            turn: slots::register(m, "turn", slots),
        }
    }

    pub fn at(&self, state: State) -> Sig<'m> {
        self.state.eq(state as u8)
    }

    pub fn go(&self, state: State) {
        self.state.set(state as u8);
    }

    /// A pass begins with i of the first layer.
    fn begin(&self) {
        self.go(State::Wait);
        self.which.set(Opcode::MixI as u8);
        self.layer.set(0);
    }
}

/// Walks through a pass: waits for maxima, divides, waits for a buffer, reads, and lets the last
/// codes be written.
pub(super) fn walk<'m>(
    m: &'m Module,
    inputs: &Inputs<'m>,
    place: &Place<'m>,
    (maxima, divider): (&Maxima<'m>, &Divider<'m>),
    words: &Words<'m>,
    buffers: &Buffers<'m>,
) {
    let turn = place.turn;
    let flush = m.reg("flush", UInt(6));
    let final_layer = inputs.layers.wrapping_sub(1).register("final_layer");
    let last_layer = place.layer.eq(final_layer).register("is_last_layer");
    m.when(maxima.there(place.at(State::Wait), turn), || {
        maxima.used(m, turn);
        divider.start.set(1);
        place.go(State::Reciprocal);
    });
    m.when(place.at(State::Reciprocal) & divider.unit.port("done"), || place.go(State::Buffer));
    m.when(place.at(State::Buffer) & buffers.free, || {
        words.begin();
        place.go(State::Pass);
        buffers.take(m);
    });
    words.read(m, || {
        flush.set(Quantiser::FLUSH);
        place.go(State::Flush);
    });
    let flushed = (place.at(State::Flush) & flush.eq(0)).named("flushed");
    m.when(place.at(State::Flush), || flush.set(flush.wrapping_sub(1)));
    let next = || next_vector(m, place, last_layer, inputs.no_head, divider.start, buffers);
    m.when(flushed, || match turn.zip(inputs.highest) {
        None => next(),
        Some((turn, highest)) => {
            m.when(turn.eq(highest), || {
                turn.set(0);
                next();
            })
            .otherwise(|| next_slot(m, place, turn, divider));
        }
    });
    maxima.take(m, inputs);
    buffers.give_back(m, inputs.release);
    m.when(inputs.begins, || {
        place.begin();
        maxima.forget();
        if let Some(turn) = turn {
            turn.set(0);
        }
        buffers.forget();
    });
}

/// The next vector of the pass, if there is one, into the other buffer.
fn next_vector<'m>(
    m: &'m Module,
    place: &Place<'m>,
    last_layer: Sig<'m>,
    no_head: Sig<'m>,
    start: Sig<'m>,
    buffers: &Buffers<'m>,
) {
    let &Place { state, which, layer, .. } = place;
    let next = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
    buffers.writing.set(!buffers.writing);
    let after_down = last_layer.mux(next(Opcode::Head), next(Opcode::MixI));
    let following = which.switch(which.wrapping_add(1)).case(Opcode::Down as u8, after_down);
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
}

/// The same vector of the next slot.
fn next_slot<'m>(m: &'m Module, place: &Place<'m>, turn: Sig<'m>, divider: &Divider<'m>) {
    turn.set(turn.wrapping_add(1));
    let known = (divider.forget | divider.gate).named("known");
    divider.start.set(known);
    let waits = State::Wait as u8;
    place.state.set(known.mux(m.lit(UInt(3), State::Reciprocal as u8), waits));
}
