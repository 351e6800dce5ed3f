//! Streams, and who shares one.

use sterna_rtl::UInt;
use sterna_rtl::parts::*;

use super::INSIDE;
use crate::prover::Claim;
use crate::prover::Reach::Induction;
use crate::suite::claim;

const STREAM: &str = include_str!("../stream.v");

/// A stream of words of three bits and a mark.
fn stream(capacity: u32, bits: u32, latency: u32) -> [(&'static str, u32); 5] {
    [("WORD", 4), ("BITS", bits), ("CAPACITY", capacity), ("LATENCY", latency), ("DEPTH", 4)]
}

pub fn skid_buffer() -> Claim {
    claim(
        &SkidBuffer { ty: UInt(3), last: true },
        &[STREAM, include_str!("../skid_buffer.v")],
        &stream(2, 2, 2),
        Induction(4),
        &[
            ("p_offer_stays", "else if (free) valid <=", "else valid <="),
            ("p_offer_is_stable", "if (free) data <=", "data <="),
            ("p_nothing_made", "full | s_valid;", "1'd1;"),
            ("p_nothing_lost", "s_ready = !full", "s_ready = 1'd1"),
            ("p_same_beat_in_its_turn", "data <= full ? spare : s_data", "data <= s_data"),
            ("p_offers_in_time", "full | s_valid;", "full;"),
            ("p_takes_in_time", "else if (free) full <=", "else if (free & s_valid) full <="),
            ("own_full_only_while_valid", "if (rst) full <= 1'd0", "if (rst) full <= 1'd1"),
        ],
    )
}

pub fn fifo_registers() -> Claim {
    let ready = "s_ready = !count[2]";
    let valid = "wire valid = some";
    claim(
        &Fifo { ty: UInt(3), depth: 4, last: true, storage: Storage::Registers },
        &[STREAM, include_str!("../fifo_registers.v")],
        &stream(4, 3, 2),
        Induction(4),
        &[
            ("p_offer_stays", valid, "wire valid = some & !s_valid"),
            ("p_offer_is_stable", "else if (down) read <=", "else if (valid) read <="),
            ("p_nothing_made", valid, "wire valid = 1'd1"),
            ("p_nothing_lost", ready, "s_ready = count != 3'd5"),
            ("p_same_beat_in_its_turn", "write == 2'd1", "write == 2'd2 & !s_last"),
            ("p_offers_in_time", valid, "wire valid = some & (count[2:1] != 2'd0)"),
            ("p_takes_in_time", ready, "s_ready = !count[2] & (write != 2'd3)"),
            ("p_level", "level = count", "level = {count[2:1], up}"),
            ("own_some_as_count", "(count > 3'd1)", "(count > 3'd2)"),
            ("own_count_within", ready, "s_ready = count != 3'd7"),
            ("own_count_not_below", "wire down = valid & m_ready", "wire down = m_ready"),
        ],
    )
}

pub fn fifo_block() -> Claim {
    let ready = "s_ready = !stored[2]";
    let fetch = "wire fetch = some &";
    let room = "((held < 3'd2) | ((held == 3'd2) & down))";
    claim(
        &Fifo { ty: UInt(3), depth: 4, last: true, storage: Storage::Block },
        &[STREAM, INSIDE, include_str!("../fifo_block.v")],
        &stream(6, 3, 3),
        Induction(4),
        &[
            ("p_offer_stays", "else if (!stays) head_full <=", "else head_full <="),
            ("p_offer_is_stable", "if (!stays) head <=", "head <="),
            ("p_nothing_made", "m_valid = head_full", "m_valid = 1'd1"),
            ("p_nothing_lost", ready, "s_ready = stored != 3'd7"),
            ("p_same_beat_in_its_turn", "if (fetched) next <=", "if (!fetched) next <="),
            ("p_offers_in_time", fetch, "wire fetch = some & (stored[2:1] != 2'd0) &"),
            ("p_takes_in_time", room, "((held == 3'd0) & !s_valid)"),
            ("p_level", "level = level_now", "level = {1'd0, stored}"),
            ("own_some_as_stored", "(stored > 3'd1)", "(stored > 3'd2)"),
            ("own_stored_within", ready, "s_ready = stored != 3'd7"),
            ("own_stored_not_below", fetch, "wire fetch ="),
            ("own_a_place_for_every_word", "(held < 3'd2)", "(held < 3'd3)"),
            ("own_ram_no_collision_0", fetch, "wire fetch = up &"),
        ],
    )
}

pub fn pack() -> Claim {
    claim(
        &Pack { from: 2, to: 8 },
        &[include_str!("../pack.v")],
        &[],
        Induction(4),
        &[
            ("p_offer_stays", "else if (m_ready) valid <=", "else valid <="),
            ("p_offer_is_stable", "if (moves) beat <=", "beat <="),
            ("p_nothing_made", "if (moves) valid <=", "if (takes) valid <="),
            ("p_nothing_lost", "s_ready = !full | moves", "s_ready = 1'd1"),
            ("p_same_beat_in_its_turn", "(moves ? 8'd0 : gathered)", "gathered"),
            ("p_offers_in_time", "if (moves) valid <=", "if (moves & !s_valid) valid <="),
            ("p_takes_in_time", "s_ready = !full | moves", "s_ready = !full & !s_valid"),
        ],
    )
}

pub fn unpack() -> Claim {
    let valid = "m_valid = some";
    claim(
        &Unpack { from: 8, to: 2 },
        &[include_str!("../unpack.v")],
        &[],
        Induction(4),
        &[
            ("p_offer_stays", valid, "m_valid = some & !s_valid"),
            ("p_offer_is_stable", "else if (given) beat <=", "else beat <="),
            ("p_nothing_made", valid, "m_valid = 1'd1"),
            ("p_nothing_lost", "s_ready = empties", "s_ready = 1'd1"),
            ("p_same_word_in_its_turn", "{2'd0, beat[7:2]}", "{4'd0, beat[7:4]}"),
            ("p_offers_in_time", "left <= 3'd4", "left <= 3'd3"),
            ("p_takes_in_time", "s_ready = empties", "s_ready = !some"),
        ],
    )
}

pub fn round_robin() -> Claim {
    let lowest = "(request & (4'd0 - request))";
    claim(
        &RoundRobin { count: 4 },
        &[include_str!("../round_robin.v")],
        &[],
        Induction(3),
        &[
            ("p_bounded_turn", "~(chosen | (chosen - 4'd1))", "4'd0"),
            ("p_granted_alone", lowest, "4'd0"),
            ("own_one_at_most", "(waiting & (4'd0 - waiting))", "waiting"),
            ("own_only_who_asks", "request & later", "later"),
            ("own_someone_who_asks", lowest, "4'd0"),
        ],
    )
}
