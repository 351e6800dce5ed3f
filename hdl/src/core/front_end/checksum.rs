//! Checksum and length of payloads, of beats in their register, and what is wrong with them.

use sterna_rtl::{Module, Sig, UInt};

use super::payload::Payload;
use super::reader::{Header, Reader};
use super::walk::Walk;
use super::{CHECKSUM, FrontEnd, State};
use crate::fault::Fault;

/// What was found of the payload that ended last.
pub(super) struct Checksum<'m> {
    /// Its segment.
    ended: Sig<'m>,
    /// Beats that the payload of the present one still has by its header.
    left: Sig<'m>,
    /// Its checksum is right; that is known now.
    payload_ok: Sig<'m>,
    check: Sig<'m>,
    /// The pass was read to its end and is sound.
    pub pass_ok: Sig<'m>,
}

impl<'m> Checksum<'m> {
    /// `unit_shift` makes beats of units of 64 bytes.
    pub fn new(
        m: &'m Module,
        reader: &Reader<'m>,
        header: &Header<'m>,
        payload: &Payload<'m>,
        walk: &Walk<'m>,
        unit_shift: u32,
    ) -> Checksum<'m> {
        let (fires, segment_ended) = (reader.fires, walk.segment_ended);
        let in_payload = reader.at(State::Operands) | reader.at(State::Weights);
        let in_payload = in_payload.named("in_payload");
        let payload_first = m.reg("payload_first", UInt(1)).reset(0);
        let left = m.reg("payload_left", UInt(32 + 3)).comment("Beats of the payload.");
        let payload_crc = m.reg("payload_crc", UInt(32));
        m.when(fires & in_payload, || payload_first.set(0));
        let payload_now = (fires & in_payload).delay_valid("payload_now", 1);
        m.when(payload_now, || left.set(left.wrapping_sub(1)));
        m.when(header.accept, || {
            payload_first.set(1);
            left.set((header.field("payload_units") << unit_shift).extend(left.width()));
            payload_crc.set(header.field("payload_crc"));
        });
        let first = reader.at(State::Header).mux(payload.run.first, payload_first);
        let (crc, first) = (header.crc, first.register("first_now"));
        crc.set("valid", fires.delay_valid("fires_now", 1)).set("first", first);
        crc.set("data", reader.data);
        let (ended, due) = (m.reg("ended_segment", UInt(32)), m.reg("due_crc", UInt(32)));
        m.when(segment_ended, || {
            ended.set(reader.segment);
            due.set(payload_crc);
        });
        let payload_ok = crc.port("crc").eq(due).register("payload_ok");
        let check = segment_ended.delay_valid("checks", CHECKSUM + 1);
        let sound = FrontEnd::SOUND as usize;
        let pass_ok = walk.pass_ends.delay_valid("pass_ended", sound) & payload_ok;
        Checksum { ended, left, payload_ok, check, pass_ok }
    }

    /// Ports that say what is wrong: with a header, or with a payload's length or checksum.
    pub fn tell(&self, m: &'m Module, reader: &Reader<'m>, header: &Header<'m>, walk: &Walk<'m>) {
        let &Checksum { ended, left, payload_ok, check, .. } = self;
        let code = |fault: Fault| m.lit(UInt(8), fault as u8);
        let bad_length = (walk.segment_ended & left.ne(1)).delay_valid("bad_length", 1);
        let bad_payload = (check & !payload_ok).named("bad_payload");
        let length = bad_length.mux(code(Fault::Field), header.field("fault"));
        let fault = bad_payload.mux(code(Fault::PayloadCrc), length);
        let place = (bad_payload | bad_length).mux(ended, reader.segment);
        m.output("fault", UInt(8)).set(fault.register("fault_now").reset(0));
        m.output("fault_segment", UInt(32)).set(place.register("fault_place"));
    }
}
