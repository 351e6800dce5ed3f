use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Generate, Module, UInt};

use super::protocol::{CRC, ESCAPE, FLAG, FLIP};

/// Frames that leave: checksum, escapes and flags added.
///
/// ```text
///  s (byte, last) -+-> [ Crc32c ] -> [ crc ] -+
///                  +--------------------------+-> escape? -> m -> line
///                                     flags --+
/// ```
///
/// States: idle, the frame's bytes, waiting for its checksum, the checksum's bytes, the flag.
/// Cost about 40 registers, 80 LUTs, and those of the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replies;

const IDLE: u32 = 0;
const BODY: u32 = 1;
const WAIT: u32 = 2;
const TRAILER: u32 = 3;
const END: u32 = 4;

impl Generate for Replies {
    fn name(&self) -> String {
        "link_replies".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Frames that leave.");
        let source = m.stream_in("s", UInt(8), true);
        let sink = m.stream_out("m", UInt(8), false);
        let last = source.last.unwrap_or(source.valid);
        let state = m.reg("state", UInt(3)).reset(IDLE);
        let count = m.reg("count", UInt(3)).reset(0).comment("Clocks to wait, bytes to send.");
        let escaped = m.reg("escaped", UInt(1)).reset(0);
        let first = m.reg("first", UInt(1));
        let crc_bytes = m.reg("crc_bytes", UInt(32));

        let is = |value: u32| state.eq(value);
        let (body, trailer) = (is(BODY).named("in_body"), is(TRAILER).named("in_trailer"));
        let byte = body.mux(source.data, crc_bytes.truncate(8)).named("plain");
        let special = ((byte.eq(FLAG) | byte.eq(ESCAPE)) & !escaped).named("special");
        let flip = escaped.mux(m.lit(UInt(8), FLIP), 0);
        let shown = special.mux(m.lit(UInt(8), ESCAPE), byte ^ flip);
        let flags = ((is(IDLE) & source.valid) | is(END)).named("flags");
        sink.valid.set(flags | trailer | (body & source.valid));
        sink.data.set(flags.mux(m.lit(UInt(8), FLAG), shown));
        let moves = sink.fires().named("moves");
        let consumes = (moves & !special).named("consumes");
        source.ready.set(body & consumes);

        let crc = m.instance("u_crc", &Crc32c { width: 8 });
        crc.set("valid", body & consumes).set("first", first).set("data", source.data);
        m.when(moves & (body | trailer), || escaped.set(special));
        m.when(is(IDLE) & moves, || {
            state.set(BODY);
            first.set(1);
        });
        m.when(body & consumes, || {
            first.set(0);
            m.when(last, || {
                state.set(WAIT);
                count.set(3);
            });
        });
        m.when(is(WAIT), || {
            count.set(count.wrapping_sub(1));
            m.when(count.eq(1), || {
                state.set(TRAILER);
                count.set(CRC);
                crc_bytes.set(crc.port("crc"));
            });
        });
        m.when(trailer & consumes, || {
            count.set(count.wrapping_sub(1));
            crc_bytes.set(crc_bytes >> 8);
            m.when(count.eq(1), || state.set(END));
        });
        m.when(is(END) & moves, || state.set(IDLE));
    }
}
