use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Generate, Module, UInt, index_width};

use super::BUS;
use super::protocol::{CRC, ESCAPE, FLAG, FLIP, HEADER, PAYLOAD};
use crate::core::RESIDUE;

/// Frames that arrive: unescaped, checked, their payload kept.
///
/// ```text
///  s (byte, bad) -> flag? escape? -> [ header ] --------------> sequence, operation, ...
///                                 -> [ word ] -> [ RAM ] -----> word
///                                 -> [ Crc32c ] -> residue? --> valid
/// ```
///
/// A frame whose checksum, length or bytes are not right is as if it had never come. `valid` stays
/// until `taken`, and so long no byte is taken. A payload's byte 8n is the lowest of word n; the
/// checksum behind it comes along where it fills a word.
///
/// `word` is that at `at`, three clocks later. Cost a RAM of 1 KiB, about 250 registers, and those
/// of the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests;

/// Words of the payload.
pub(super) const WORDS: usize = PAYLOAD / (BUS as usize / 8);
/// Bits of a payload's length.
pub(super) const LENGTH: u32 = 16;

impl Generate for Requests {
    fn name(&self) -> String {
        "link_requests".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Frames that arrive, checked.");
        let source = m.stream_in("s", UInt(9), false);
        let taken = m.input("taken", UInt(1)).comment("The request was obeyed.");
        let at = m.input("at", UInt(index_width(WORDS)));

        let most = HEADER + PAYLOAD + CRC;
        let count = m.reg("count", UInt(index_width(most + 2))).reset(0);
        let inside = m.reg("is_inside", UInt(1)).reset(0).comment("A flag has been seen.");
        let broken = m.reg("broken", UInt(1)).reset(0);
        let escaped = m.reg("escaped", UInt(1)).reset(0);
        let ending =
            m.reg("ending", UInt(2)).reset(0).comment("Clocks until the checksum is there.");
        let valid = m.reg("is_valid", UInt(1)).reset(0);

        let (bad, byte) = (source.data.bit(8), source.data.truncate(8));
        source.ready.set(!valid & ending.eq(0));
        let takes = source.fires().named("takes");
        let flag = (byte.eq(FLAG) & !bad).named("is_flag");
        let escape = (byte.eq(ESCAPE) & !escaped).named("is_escape");
        let content = (takes & inside & !flag & !bad & !escape & !broken).named("content");
        let flip = escaped.mux(m.lit(UInt(8), FLIP), 0);
        let plain = (byte ^ flip).named("plain");
        let long = count.eq(most).named("too_long");

        m.when(takes & bad, || broken.set(1));
        m.when(takes & !flag, || escaped.set(escape));
        m.when(content, || {
            count.set(count.wrapping_add(1));
            m.when(long, || broken.set(1));
        });
        m.when(takes & flag, || {
            inside.set(1);
            ending.set(3);
            m.when(!inside | broken | escaped | count.lt(HEADER + CRC), || {
                ending.set(0);
                count.set(0);
            });
            broken.set(0);
            escaped.set(0);
        });

        let crc = m.instance("u_crc", &Crc32c { width: 8 });
        crc.set("valid", content).set("first", count.eq(0)).set("data", plain);
        m.when(ending.ne(0), || ending.set(ending.wrapping_sub(1)));
        m.when(ending.eq(1), || {
            // The checksum over all bytes and itself is the same for every sound frame.
            let sound = crc.port("crc").eq(RESIDUE);
            valid.set(sound);
            m.when(!sound, || count.set(0));
        });
        m.when(taken, || {
            valid.set(0);
            count.set(0);
        });

        let header = m.reg("header", UInt(8 * HEADER as u32));
        let in_header = count.lt(HEADER).named("in_header");
        m.when(content & in_header, || header.set(plain.cat(header.slice(8..header.width()))));
        // Words are written as they fill; what a frame has too much stays out.
        let word = m.reg("word", UInt(BUS));
        let lane = m.reg("lane", UInt(3)).reset(0);
        let to = m.reg("to", UInt(index_width(WORDS))).reset(0);
        let in_payload = (content & !in_header).named("in_payload");
        m.when(in_payload, || {
            word.set(plain.cat(word.slice(8..BUS)));
            lane.set(lane.wrapping_add(1));
        });
        m.when(in_header, || {
            lane.set(0);
            to.set(0);
        });
        let fills = m.reg("fills", UInt(1)).reset(0).comment("`word` is whole.");
        fills.set(in_payload & lane.eq(7) & count.lt(HEADER + PAYLOAD));
        m.when(fills, || to.set(to.wrapping_add(1)));
        let ram = m.memory("ram", UInt(BUS), WORDS).ram_style("block").no_rw_check();
        ram.write(fills, to, word);
        let read = m.reg("reads", UInt(1)).reset(0);
        read.set(valid & !taken);
        m.output("word_out", UInt(BUS)).set(ram.read_registered(read, at.register("from")));

        let rest = count.wrapping_sub(HEADER + CRC).extend(LENGTH);
        let fields = [("number", 8), ("operation", 8), ("length", LENGTH), ("address", 40)];
        let mut low = 0;
        for (name, width) in fields {
            m.output(name, UInt(width)).set(header.slice(low..low + width));
            low += width;
        }
        m.output("valid", UInt(1)).set(valid);
        m.output("size", UInt(LENGTH)).comment("Bytes of the payload.").set(rest);
    }
}
