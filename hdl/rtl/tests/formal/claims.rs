//! What is claimed of each module, at parameters that are small enough for a solver.

use sterna_rtl::parts::*;
use sterna_rtl::{AxiWidths, Generate, UInt};

use crate::common;
use crate::prover::Reach::Induction;
use crate::prover::{Bug, Claim, Reach};

const BEGIN: &str = include_str!("begin.v");
const STREAM: &str = include_str!("stream.v");
const INSIDE: &str = include_str!("fifo_block_inside.v");

fn claim(
    of: &dyn Generate,
    texts: &[&str],
    defines: &[(&'static str, u32)],
    reach: Reach,
    bugs: &[(&'static str, &'static str, &'static str)],
) -> Claim {
    let design = of.build().unwrap_or_else(|e| panic!("{e}"));
    let text = [&[BEGIN], texts].concat().concat();
    let top: &'static str = design.top.clone().leak();
    let bug = |&(property, from, to): &_| Bug { property, from, to };
    Claim {
        design,
        properties: vec![(top, text)],
        defines: defines.to_vec(),
        reach,
        bugs: bugs.iter().map(bug).collect(),
    }
}

/// A stream of words of three bits and a mark.
fn stream(capacity: u32, bits: u32, latency: u32) -> [(&'static str, u32); 5] {
    [("WORD", 4), ("BITS", bits), ("CAPACITY", capacity), ("LATENCY", latency), ("DEPTH", 4)]
}

fn skid_buffer() -> Claim {
    claim(
        &SkidBuffer { ty: UInt(3), last: true },
        &[STREAM, include_str!("skid_buffer.v")],
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

fn fifo_registers() -> Claim {
    let ready = "s_ready = !count[2]";
    let valid = "wire valid = some";
    claim(
        &Fifo { ty: UInt(3), depth: 4, last: true, storage: Storage::Registers },
        &[STREAM, include_str!("fifo_registers.v")],
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

fn fifo_block() -> Claim {
    let ready = "s_ready = !stored[2]";
    let fetch = "wire fetch = some &";
    let room = "((held < 3'd2) | ((held == 3'd2) & down))";
    claim(
        &Fifo { ty: UInt(3), depth: 4, last: true, storage: Storage::Block },
        &[STREAM, INSIDE, include_str!("fifo_block.v")],
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

fn pack() -> Claim {
    claim(
        &Pack { from: 2, to: 8 },
        &[include_str!("pack.v")],
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

fn unpack() -> Claim {
    let valid = "m_valid = some";
    claim(
        &Unpack { from: 8, to: 2 },
        &[include_str!("unpack.v")],
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

fn round_robin() -> Claim {
    let lowest = "(request & (4'd0 - request))";
    claim(
        &RoundRobin { count: 4 },
        &[include_str!("round_robin.v")],
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

fn read_mux() -> Claim {
    claim(
        &ReadMux { widths: AxiWidths { addr: 14, data: 32, id: 1 } },
        &[include_str!("read_mux.v")],
        &[],
        Induction(3),
        &[
            (
                "p_address_stays",
                "wire valid = chosen ? s1_axi_arvalid : s0_axi_arvalid",
                "wire valid = (chosen ? s1_axi_arvalid : s0_axi_arvalid) & !m_axi_rvalid",
            ),
            ("p_address_is_stable", "waits ? held : s1_axi_arvalid", "s1_axi_arvalid"),
            (
                "p_answer_to_0_is_stable",
                "s0_axi_rvalid = m_axi_rvalid &",
                "s0_axi_rvalid = m_axi_rvalid & !asks &",
            ),
            (
                "p_answer_to_1_is_stable",
                "s1_axi_rvalid = m_axi_rvalid &",
                "s1_axi_rvalid = m_axi_rvalid & !asks &",
            ),
            (
                "p_one_address_at_a_time",
                "s0_axi_arready = m_axi_arready & !chosen",
                "s0_axi_arready = m_axi_arready",
            ),
            (
                "p_address_of_who_asked",
                "m_axi_araddr = chosen ? s1_axi_araddr : s0_axi_araddr",
                "m_axi_araddr = s0_axi_araddr",
            ),
            ("p_one_answer_at_a_time", "to_one ? s1_axi_rready : s0_axi_rready", "s0_axi_rready"),
            (
                "p_answer_to_0",
                "s0_axi_rvalid = m_axi_rvalid & !to_one",
                "s0_axi_rvalid = m_axi_rvalid",
            ),
            ("p_answer_to_1", "s1_axi_rdata = m_axi_rdata", "s1_axi_rdata = 32'd0"),
            (
                "p_offers_at_once",
                "waits ? held : s1_axi_arvalid",
                "waits ? held : s1_axi_arvalid & !s1_axi_arlock",
            ),
        ],
    )
}

fn lite_registers() -> Claim {
    let registers = common::registers();
    claim(
        &LiteRegisters { name: "proved".into(), addr: 4, registers },
        &[include_str!("lite_registers.v")],
        &[],
        Induction(3),
        &[
            ("p_read_stays", "else if (!asked & s_axi_rready) rvalid", "else if (!asked) rvalid"),
            ("p_read_is_stable", "if (asked) rdata <=", "rdata <="),
            (
                "p_response_stays",
                "else if (!write & s_axi_bready) bvalid",
                "else if (!write) bvalid",
            ),
            ("p_response_is_stable", "if (write) bresp <=", "bresp <="),
            ("p_answer_only_where_asked", "else if (asked) rvalid <=", "else rvalid <="),
            (
                "p_every_read_answered",
                "else if (asked) rvalid <=",
                "else if (asked & !write) rvalid <=",
            ),
            ("p_no_second_read", "s_axi_arready = free", "s_axi_arready = 1'd1"),
            ("p_response_only_to_a_write", "else if (write) bvalid <=", "else bvalid <="),
            (
                "p_every_write_answered",
                "else if (write) bvalid <=",
                "else if (write & !read) bvalid <=",
            ),
            (
                "p_no_second_write",
                "(s_axi_awvalid & s_axi_wvalid) & !bvalid",
                "s_axi_awvalid & s_axi_wvalid",
            ),
            ("p_address_and_data_together", "s_axi_awready = write", "s_axi_awready = !bvalid"),
            ("p_value", "one_hit <= from == 2'd0", "one_hit <= from == 2'd3"),
            ("p_read_response", "rresp <= (|", "rresp <= (&"),
            ("p_write_response", "bresp <= (|", "bresp <= (&"),
            ("p_register", "two_now <= (two_now & ~mask[8:0]) |", "two_now <="),
            ("p_pulse", "else three_now <= 9'd0", "else if (read) three_now <= 9'd0"),
            ("p_reads_in_time", "s_axi_arready = free", "s_axi_arready = free & !write"),
            (
                "p_writes_in_time",
                "(s_axi_awvalid & s_axi_wvalid) & !bvalid",
                "(s_axi_awvalid & s_axi_wvalid) & !bvalid & !read",
            ),
        ],
    )
}

/// The claims that take seconds.
pub fn quick() -> Vec<Claim> {
    vec![skid_buffer(), fifo_registers(), fifo_block(), round_robin()]
}

/// All of them.
pub fn all() -> Vec<Claim> {
    let rest = [pack(), unpack(), read_mux(), lite_registers()];
    quick().into_iter().chain(rest).collect()
}
