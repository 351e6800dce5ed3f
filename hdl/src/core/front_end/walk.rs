//! From state to state, and from segment to segment.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::payload::Payload;
use super::reader::{Header, Inputs, Reader};
use super::stall::Stall;
use crate::core::instruction::{OPCODE, is};

/// What ends on the way.
pub(super) struct Walk<'m> {
    /// The last beat of a segment was taken in the clock before.
    pub segment_ended: Sig<'m>,
    /// The last one of the pass is taken.
    pub pass_ends: Sig<'m>,
    /// The buffer of codes that weights meet, and that the last of them met all of it.
    pub code_buffer: Sig<'m>,
    pub release: Sig<'m>,
}

impl<'m> Walk<'m> {
    pub fn new(
        m: &'m Module,
        inputs: &Inputs<'m>,
        reader: &Reader<'m>,
        header: &Header<'m>,
        payload: &Payload<'m>,
        stall: &Stall<'m>,
    ) -> Walk<'m> {
        let expected = reader.expected;
        let &Inputs { begins, no_head, .. } = inputs;
        let &Header { accept, starting, last_layer, .. } = header;
        let &Payload { ends, vector_ends, last_vector, last_of_all, .. } = payload;
        let &Stall { pending, weights_may, .. } = stall;
        let segment_ends = (ends & payload.closes).named("segment_ends");
        let last_down = (is(expected, Opcode::Down) & last_layer & no_head).named("last_down");
        let final_one = (is(expected, Opcode::Head) | last_down).register("final_one");
        let pass_ends = (segment_ends & final_one).named("pass_ends");
        // START has nobody to be handed to.
        let handed_on = inputs.issue.ready;
        let goes_on = ((accept & starting) | (pending & handed_on)).named("goes_on");
        let operands = header.field("vectors").any().named("has_operands");
        let at = |state| reader.at(state);
        let next_header = begins | (segment_ends & !final_one) | (at(State::Header) & !ends);
        let next_operands = (goes_on & operands) | (at(State::Operands) & !(ends & last_vector));
        let next_weights = (goes_on & !operands)
            | (vector_ends & last_vector & !starting)
            | (at(State::Weights) & !(ends & last_of_all));
        let next_header = next_header.named("header_then");
        let next_operands = next_operands.named("operands_then");
        let next_weights = next_weights.named("weights_then");
        reader.state.set(next_weights.cat(next_operands).cat(next_header));
        reader.want.set(next_header | next_operands | (next_weights & weights_may));
        m.when(accept, || {
            payload.begin(header, expected);
            stall.begin(starting);
            payload.begin_run(operands);
        });
        m.when(pending & handed_on, || pending.set(0));
        let segment_ended = segment_ends.delay_valid("segment_ended", 1);
        m.when(segment_ended, || next_segment(m, reader, last_layer));
        let code_buffer = m.reg("code_buffer", UInt(1)).reset(0);
        let release = (ends & last_of_all).delay_valid("release", 1);
        m.when(release, || code_buffer.set(!code_buffer));
        m.when(begins, || {
            payload.begin_header();
            reader.segment.set(0);
            expected.set(Opcode::Start as u8);
            reader.layer.set(0);
            code_buffer.set(0);
        });
        Walk { segment_ended, pass_ends, code_buffer, release }
    }
}

/// Another segment is expected: the next one of the order of a pass.
fn next_segment<'m>(m: &'m Module, reader: &Reader<'m>, last_layer: Sig<'m>) {
    let &Reader { segment, expected, layer, .. } = reader;
    segment.set(segment.wrapping_add(1));
    let due = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
    let after_down = last_layer.mux(due(Opcode::Head), due(Opcode::MixI));
    let next = expected.switch(expected.wrapping_add(1));
    expected.set(next.case(Opcode::Down as u8, after_down).end());
    m.when(is(expected, Opcode::Down), || layer.set(layer.wrapping_add(1)));
}
