//! The masters, at a bus of which 32 beats make 4 KiB; the path of their data is cut to three bits.

use sterna_rtl::parts::*;
use sterna_rtl::{AxiWidths, Generate};

use super::INSIDE;
use crate::prover::Reach::Induction;
use crate::prover::{Claim, Reach};
use crate::suite::{BEGIN, claim};

const WIDTHS: AxiWidths = AxiWidths { addr: 14, data: 1024, id: 1 };
/// Beats of their queues.
const DEPTH: u32 = 32;

/// A fault of the queue for each of its own properties.
const QUEUE: [(&str, &str, &str); 5] = [
    ("own_stored_within", "stored <= stored + 6'd1", "stored <= stored + 6'd11"),
    ("own_stored_not_below", "wire fetch = some &", "wire fetch ="),
    ("own_some_as_stored", "(stored > 6'd1)", "(stored > 6'd2)"),
    ("own_a_place_for_every_word", "(held < 3'd2)", "(held < 3'd3)"),
    ("own_ram_no_collision_0", "wire fetch = some &", "wire fetch = up &"),
];

/// A master of an ID, which has to move within so many clocks where nobody else lets it wait.
fn master(
    of: &dyn Generate,
    text: &str,
    number: u32,
    latency: u32,
    reach: Reach,
    bugs: &[(&'static str, &'static str, &'static str)],
) -> Claim {
    let defines = [("DEPTH", DEPTH), ("LATENCY", latency), ("NUMBER", number)];
    let bugs = [bugs, &QUEUE].concat();
    let mut claim = claim(of, &[text, include_str!("../masters.v")], &defines, reach, &bugs);
    let seen = include_str!("../fifo_block_seen.v");
    claim.properties.push(("fifo_block", [BEGIN, INSIDE, seen].concat()));
    claim.cuts = vec![("[1023:0]", "[2:0]")];
    claim
}

pub fn read_master() -> Claim {
    master(
        &ReadMaster { widths: WIDTHS, length: 6, depth: DEPTH as usize, number: 1 },
        include_str!("../read_master.v"),
        1,
        5,
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) arvalid <= 1'd0", "if (rst) arvalid <= 1'd1"),
            (
                "p_address_stays",
                "else if (m_axi_arready) arvalid <=",
                "else if (m_axi_arready | halt) arvalid <=",
            ),
            ("p_address_is_stable", "if (issue) araddr <=", "if (planned) araddr <="),
            (
                "p_offer_stays",
                "m_valid = u_fifo_m_valid & !halt",
                "m_valid = u_fifo_m_valid & !halt & !start",
            ),
            (
                "p_offer_is_stable",
                "m_data = u_fifo_m_data",
                "m_data = m_axi_rvalid ? m_axi_rdata : u_fifo_m_data",
            ),
            ("p_within_4_kib", "6'd32 - {1'd0, next_addr[11:7]}", "6'd32"),
            ("p_no_two_in_a_row", "planned & !arvalid", "planned"),
            ("p_whole_beats", "{burst_beats, 7'd0}", "{burst_beats, 6'd0}"),
            ("p_plain", "m_axi_arlock = 1'd0", "m_axi_arlock = 1'd1"),
            ("p_next_address", "{burst_beats, 7'd0}", "{burst_beats - 6'd1, 7'd0}"),
            ("p_none_that_is_owed", "there <= to_ask > owed", "there <= 1'd1"),
            (
                "p_taken_at_once",
                "m_axi_rready = u_fifo_s_ready",
                "m_axi_rready = u_fifo_s_ready & !m_valid",
            ),
            ("p_never_more_than_fits", "fits <= credit >= burst_beats", "fits <= 1'd1"),
            ("p_nothing_made", "m_valid = u_fifo_m_valid & !halt", "m_valid = !halt"),
            ("p_same_beat_in_its_turn", "if (fetched) next <=", "if (!fetched) next <="),
            ("p_last", "wire ends = to_give == 6'd1", "wire ends = to_give == 6'd2"),
            ("p_every_read_answered", "(halt & !arvalid) & credit[5]", "halt & !arvalid"),
            ("p_all_is_given", "(and_2 & ends) running", "(and_2) running"),
            ("p_error", "(|m_axi_rresp)", "(&m_axi_rresp)"),
            ("p_moves_in_time", "there <= to_ask > owed", "there <= to_ask > 6'd1"),
            ("own_a_place_for_every_beat", "s_ready = !stored[5]", "s_ready = !stored[2]"),
        ],
    )
}

pub fn write_master() -> Claim {
    master(
        &WriteMaster { widths: WIDTHS, length: 6 },
        include_str!("../write_master.v"),
        0,
        6,
        Induction(4),
        &[
            ("p_quiet_after_reset", "if (rst) awvalid <= 1'd0", "if (rst) awvalid <= 1'd1"),
            (
                "p_address_stays",
                "else if (m_axi_awready) awvalid <=",
                "else if (m_axi_awready | halt) awvalid <=",
            ),
            ("p_address_is_stable", "if (begins) awlen <=", "awlen <="),
            (
                "p_beat_stays",
                "m_axi_wvalid = u_fifo_m_valid & sending",
                "m_axi_wvalid = u_fifo_m_valid & sending & !halt",
            ),
            (
                "p_beat_is_stable",
                "m_axi_wlast = to_send == 5'd1",
                "m_axi_wlast = (to_send == 5'd1) & !halt",
            ),
            ("p_within_4_kib", "6'd32 - {1'd0, next_addr[11:7]}", "6'd32"),
            (
                "p_no_two_in_a_row",
                "else if (m_axi_awready) awvalid <=",
                "else if (answered) awvalid <=",
            ),
            ("p_whole_beats", "{burst, 7'd0}", "{burst, 6'd0}"),
            ("p_plain", "m_axi_awlock = 1'd0", "m_axi_awlock = 1'd1"),
            ("p_next_address", "{burst, 7'd0}", "{burst - 5'd1, 7'd0}"),
            ("p_no_more_than_the_job", "(left < {1'd0, reach}) ? left[4:0] : reach", "reach"),
            ("p_at_most_16", "awlen <= {3'd0, burst", "awlen <= {3'd1, burst"),
            (
                "p_nothing_made",
                "m_axi_wvalid = u_fifo_m_valid & sending",
                "m_axi_wvalid = u_fifo_m_valid",
            ),
            ("p_beats_of_a_burst", "(to_send == 5'd1)) sending", "(to_send == 5'd0)) sending"),
            (
                "p_beats_do_not_wait",
                "m_axi_wvalid = u_fifo_m_valid & sending",
                "m_axi_wvalid = u_fifo_m_valid & sending & !awvalid",
            ),
            ("p_all_bytes", "m_axi_wstrb = 128'hf", "m_axi_wstrb = 128'h7"),
            ("p_last", "m_axi_wlast = to_send == 5'd1", "m_axi_wlast = to_send == 5'd2"),
            ("p_same_beat_in_its_turn", "if (fetched) next <=", "if (!fetched) next <="),
            (
                "p_one_burst_at_a_time",
                "else if (m_axi_awready) awvalid <=",
                "else if (answered) awvalid <=",
            ),
            ("p_answers_are_taken", "m_axi_bready = 1'd1", "m_axi_bready = writing"),
            (
                "p_every_burst_answered",
                "else if (halt & !writing) running",
                "else if (halt) running",
            ),
            (
                "p_all_is_sent",
                "else if (answered & (left == 6'd0)) running",
                "else if (answered) running",
            ),
            ("p_error", "(|m_axi_bresp)", "(&m_axi_bresp)"),
            (
                "p_moves_in_time",
                "(u_fifo_level >= {2'd0, burst})",
                "(u_fifo_level > {2'd0, burst})",
            ),
            ("own_held_as_it_was", "planned <= planning &", "planned <= running &"),
            ("own_a_burst_is_there", "(u_fifo_level >= {2'd0, burst})", "1'd1"),
        ],
    )
}
