use sterna_firmware::geometry::Geometry;
use sterna_rtl::parts::{Crc32c, Unpack};
use sterna_rtl::{Generate, Module, Sig, UInt, index_width};

use super::header_check::is_scale;
use super::{ADDRESS, LENGTH, RESIDUE};
use crate::slots;
use crate::units::{PRODUCT, product};

/// Fetches a token's embedding row into the residual, with the statistics that it carries.
///
/// ```text
///  token -> address -> [ reader: last unit ] -> shift
///                   -> [ reader: whole row ] -+-> [ Unpack ] -> << exponent + shift -> residual
///                                             +-> [ CRC-32C ], last unit -> check -> enter, fault
/// ```
///
/// A row's common shift stands at its end, so the last unit is read first, then the row. Nothing
/// that it says counts before the row's checksum, token and fields were found right; `enter` comes
/// with the statistics for layer 0. Elements arrive V a clock.
///
/// Of several sequences each has a token and a row, slot 0's first; `enter` comes with each.
///
/// Latency two reads of the memory and `hidden / V` clocks. Cost a CRC unit, two registers of a
/// beat, a barrel shifter a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// Token times stride.
    Address,
    /// The last unit, for its shift.
    Tail,
    Row,
    /// Until the checksum is there and the last element is written.
    Check,
}

impl Embedding {
    /// Clocks from `start` to `ask`: the address, token times stride.
    pub const ASK: u32 = PRODUCT + 2;

    /// Clocks that a beat of the row takes in the residual's memory.
    pub fn words(&self) -> u32 {
        self.geometry.bus / (16 * self.geometry.ways)
    }

    /// Clocks from the last beat of the last unit to `ask` for the row.
    pub const AGAIN: u32 = 2;

    /// Clocks from the row's last beat to `enter`.
    pub fn settle(&self) -> u32 {
        self.words() + SETTLE + 3
    }
}

/// Clocks of the checksum and of the elements' shifts, at least.
const SETTLE: u32 = 4;

/// Largest common shift of a row, and of an element with its exponent (numerics.md §3).
const SHIFT_MAX: u32 = 5;

impl Generate for Embedding {
    fn name(&self) -> String {
        "embedding".into()
    }

    fn describe(&self, m: &Module) {
        let (bus, v, slots) = (self.geometry.bus, self.geometry.ways, self.geometry.slots);
        m.doc("Fetches an embedding row into the residual.");
        let start = m.input("start", UInt(1));
        let tokens = slots::lanes(m.input("token", UInt(20 * slots)), slots);
        let highest = slots::input(m, "highest", slots);
        let turn = slots::register(m, "turn", slots);
        let token = slots::pick(turn, &tokens);
        let base = m.input("base", UInt(ADDRESS));
        let row_units = m.input("row_units", UInt(10));
        let stream = m.stream_in("s", UInt(bus), true);

        let unit_shift = (512 / bus).trailing_zeros();
        let state = m.reg("state", UInt(3)).reset(State::Idle as u8);
        let at = |s: State| state.eq(s as u8);
        let go = |s: State| state.set(s as u8);
        let product = product(token.to_sint(), row_units.to_sint(), "units_before");
        let product = product.as_uint().truncate(token.width() + row_units.width());
        let waited = m.reg("waited", UInt(2)).reset(0);
        let row = m.reg("row", UInt(ADDRESS));
        let ask = m.reg("asks", UInt(1)).reset(0);
        let ask_addr = m.reg("asks_addr", UInt(ADDRESS));
        let ask_beats = m.reg("asks_beats", UInt(LENGTH));
        ask.set(0);
        let in_row = m.reg("in_row", UInt(1)).reset(0).comment("The state is Row.");
        // All but the elements' way sees a beat a clock later.
        let fires = stream.fires().named("fires");
        let last = fires & stream.last.unwrap_or(fires);
        let last = last.delay_valid("last_beat", 1);
        let (seen, data) = (fires.delay_valid("seen", 1), stream.data.register("beat_seen"));

        let again = turn.map(|_| m.reg("again", UInt(1)).reset(0).comment("The next slot's row."));
        let starts = again.map_or(start, |again| start | again);
        m.when(at(State::Idle) & starts, || {
            waited.set(0);
            go(State::Address);
        });
        let before_tail = (row_units.wrapping_sub(1) << 6).named("before_tail");
        m.when(at(State::Address), || {
            waited.set(waited.wrapping_add(1));
            row.set((base + (product << 6)).truncate(ADDRESS));
            m.when(waited.eq(PRODUCT), || {
                ask.set(1);
                ask_addr.set((row + before_tail).truncate(ADDRESS));
                ask_beats.set(1u32 << unit_shift);
                go(State::Tail);
            });
        });
        let beats = (row_units << unit_shift).extend(LENGTH);
        m.when(at(State::Tail) & last, || {
            ask.set(1);
            ask_addr.set(row);
            ask_beats.set(beats);
            in_row.set(1);
            go(State::Row);
        });
        m.when(at(State::Row) & last, || {
            waited.set(0);
            in_row.set(0);
            go(State::Check);
        });

        // ----- the last 64 bytes seen -----
        let unit = m.reg("unit", UInt(512));
        m.when(seen, || {
            unit.set(match bus {
                512 => data,
                _ => data.cat(unit.slice(bus..512)),
            });
        });
        let word = |n: u32| unit.lane(n, 32);
        let shift = m.reg("shift", UInt(3)).comment("Common to the row.");
        let tail_seen = m.reg("tail_seen", UInt(1)).reset(0);
        tail_seen.set(at(State::Tail) & last);
        m.when(tail_seen, || shift.set(word(13).truncate(3)));

        // ----- elements: mantissa << exponent + shift -----
        let unpack = m.instance("u_unpack", &Unpack { from: bus, to: 16 * v });
        let (beats_in, words) = (unpack.stream("s"), unpack.stream("m"));
        // Idle lets everything through, so that nothing is left for the next row.
        beats_in.valid.set(stream.valid & in_row);
        beats_in.data.set(stream.data);
        stream.ready.set(!in_row | beats_in.ready);
        words.ready.set(1);
        let index = m.reg("index", UInt(index_width((16384 / v as usize) + 64)));
        let hidden = (row_units.wrapping_sub(1).extend(LENGTH) << (5 - v.trailing_zeros().min(5)))
            .named("steps");
        let inside = (words.valid & index.extend(hidden.width()).lt(hidden)).named("in_vector");
        m.when(words.valid, || index.set(index.wrapping_add(1)));
        m.when(at(State::Tail), || index.set(0));
        let lanes: Vec<Sig<'_>> = (0..v)
            .map(|i| {
                let packed = words.data.lane(i, 16);
                let by = (packed.truncate(4) + shift).named(format!("by_{i}"));
                let mant = packed.slice(4..16).as_sint().extend(32);
                // Coarse, then fine: a register between.
                let coarse = by.slice(3..by.width()).cat(m.lit(UInt(3), 0));
                let rest = by.truncate(3).register(format!("rest_{i}"));
                let half = mant.wrapping_shl(coarse).register(format!("half_{i}"));
                half.wrapping_shl(rest).register(format!("value_{i}")).as_uint()
            })
            .collect();
        let lanes: Vec<Sig<'_>> = lanes.into_iter().rev().collect();
        m.output("write", UInt(1)).set(inside.delay_valid("write", 2));
        let index_bits = LENGTH - v.trailing_zeros();
        m.output("write_at", UInt(index_bits)).set(index.truncate(index_bits).delay("at", 2));
        m.output("data", UInt(32 * v)).set(m.cat(&lanes));

        // ----- what the row says of itself -----
        let crc = m.instance("u_crc", &Crc32c { width: bus });
        let first = m.reg("first", UInt(1)).reset(0);
        let row_seen = (seen & in_row).named("row_seen");
        m.when(row_seen, || first.set(0));
        m.when(at(State::Tail), || first.set(1));
        crc.set("valid", row_seen).set("first", first).set("data", data);
        // Two clocks for the checksum, and as many as Unpack may still hold words.
        let wait = m.reg("settle", UInt(6));
        m.when(at(State::Row), || wait.set(self.words() + SETTLE));
        m.when(at(State::Check), || wait.set(wait.wrapping_sub(1)));
        let decide = (at(State::Check) & wait.eq(0)).named("decide");
        let sound = crc.port("crc").eq(RESIDUE)
            & word(14).eq(token.extend(32))
            & word(13).eq(shift.extend(32))
            & shift.le(SHIFT_MAX)
            & is_scale(word(8))
            & is_scale(word(9));
        let sound = sound.named("sound");
        m.when(decide, || go(State::Idle));
        if let (Some(turn), Some(highest), Some(again)) = (turn, highest, again) {
            let entered = m.reg("entered", turn.ty());
            again.set(0);
            m.when(start, || turn.set(0));
            m.when(decide, || {
                entered.set(turn);
                m.when(sound & turn.ne(highest), || {
                    again.set(1);
                    turn.set(turn.wrapping_add(1));
                });
            });
            m.output("slot", turn.ty()).comment("Whose row is written.").set(turn);
            m.output("enter_slot", turn.ty()).set(entered);
        }
        m.output("enter", UInt(1)).set((decide & sound).register("enters").reset(0));
        m.output("fault", UInt(1)).set((decide & !sound).register("refuses").reset(0));
        for (name, n) in
            [("row_a", 8), ("row_b", 9), ("row_max_0", 10), ("row_max_1", 11), ("row_max_2", 12)]
        {
            m.output(name, UInt(32)).set(word(n));
        }
        m.output("ask", UInt(1)).set(ask);
        m.output("ask_addr", UInt(ADDRESS)).set(ask_addr);
        m.output("ask_beats", UInt(LENGTH)).set(ask_beats);
    }
}
