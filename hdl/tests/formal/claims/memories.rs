//! Memories: behind AXI4, and on chip.

use sterna_hdl::board::{BlockMemory, BlockRam};
use sterna_hdl::core::LaneMemory;
use sterna_hdl::sdram::{SdramChip, SdramController};
use sterna_rtl::AxiWidths;

use crate::prover::Claim;
use crate::prover::Reach::{Bounded, Induction};
use crate::suite::claim;

const ANSWERS: &str = include_str!("../answers.v");

/// 4 KiB, and as much behind its end, with the queue of what was read.
pub fn block_memory() -> Claim {
    let widths = AxiWidths { addr: 13, data: 64, id: 1 };
    let mut claim = claim(
        &BlockMemory { widths, ram: BlockRam::empty(4096) },
        &[ANSWERS, include_str!("../block_memory.v")],
        &[],
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) answer <= 1'd0", "if (rst) answer <= 1'd1"),
            ("p_response_stays", "else if (answer & s_axi_bready)", "else if (answer)"),
            ("p_response_is_stable", "if (and_2) write_id <=", "write_id <="),
            (
                "p_read_stays",
                "s_axi_rvalid = u_reads_m_valid",
                "s_axi_rvalid = u_reads_m_valid & !issue",
            ),
            ("p_read_is_stable", "{u_reads_m_data[66], 1'd0}", "{read_lost, 1'd0}"),
            ("p_no_response_without_a_write", "if (and_1) answer <=", "if (arrives) answer <="),
            ("p_every_write_answered", "s_axi_bvalid = answer", "s_axi_bvalid = answer & !issue"),
            ("p_response_of_its_write", "{write_lost, 1'd0}", "2'd0"),
            (
                "p_no_beat_without_an_address",
                "s_axi_wready = write_under_way",
                "s_axi_wready = 1'd1",
            ),
            (
                "p_takes_beats_at_once",
                "s_axi_wready = write_under_way",
                "s_axi_wready = write_under_way & !issue",
            ),
            ("p_one_write_at_a_time", "!write_under_way & !answer", "!write_under_way"),
            (
                "p_takes_writes_at_once",
                "!write_under_way & !answer",
                "!write_under_way & !answer & !issue",
            ),
            ("p_nothing_made", "s_axi_rvalid = u_reads_m_valid", "s_axi_rvalid = 1'd1"),
            ("p_read_in_its_turn", "wire last = left == 8'd0", "wire last = left < 8'd2"),
            ("p_data_as_read", "fetched <= issue", "fetched <= issue & !read_lost"),
            ("p_reads_its_word", "read_at <= read_at + 9'd1", "read_at <= read_at + 9'd2"),
            ("p_reads_in_time", "(credit != 3'd0)", "(credit > 3'd4)"),
            ("p_takes_reads_at_rest", "read_ready = !read_under_way |", "read_ready ="),
            ("p_writes_what_came", "storing <= arrives & !write_lost", "storing <= arrives"),
            (
                "p_word_in_its_place",
                "if (and_2) write_at <=",
                "if (and_2 & !write_lost) write_at <=",
            ),
            ("own_a_place_for_every_beat", "(credit != 3'd0)", "1'd1"),
            ("own_bank_0_no_collision_0", "read_under_way & !storing", "read_under_way"),
            ("own_count_within", "count <= count + 3'd1", "count <= count + 3'd3"),
            ("own_count_not_below", "wire valid = some", "wire valid = 1'd1"),
            ("own_some_as_count", "(count > 3'd1)", "(count > 3'd2)"),
        ],
    );
    // The RAM is left out: what is read may be any word.
    claim.cuts =
        vec![("if (storing) begin", "if (1'd0) begin"), ("<= bank_0[read_at]", "<= any_word")];
    claim.asked =
        vec!["ar_of_whole_beats", "ar_within_a_page", "aw_of_whole_beats", "aw_within_a_page"];
    claim
}

pub fn lane_memory() -> Claim {
    claim(
        &LaneMemory { width: 2, lanes: 16, store: 4, write: 2, narrow: 1, wide: 4 },
        &[include_str!("../lane_memory.v")],
        &[],
        Induction(3),
        &[
            ("p_narrow_as_written", "2'd1: switch_1 = row[3:2]", "2'd1: switch_1 = row[1:0]"),
            ("p_wide_as_written", "row = {part_1_r, part_0_r}", "row = {part_1_r, part_0_q}"),
            ("own_part_0_no_collision_0", "reads_0 <= read_0", "reads_0 <= read_narrow"),
            ("own_part_1_no_collision_0", "reads_1 <= read_1", "reads_1 <= read_narrow"),
        ],
    )
}

/// The bus's side of a chip that is initialised already and is refreshed often.
pub fn sdram() -> Claim {
    let widths = AxiWidths { addr: 24, data: 64, id: 1 };
    let mut claim = claim(
        &SdramController { chip: SdramChip::GW2AR_18, widths, hertz: 10_000_000 },
        &[ANSWERS, include_str!("../sdram.v")],
        &[],
        Bounded(14),
        &[
            (
                "p_quiet_after_reset",
                "s_axi_bvalid = u_answers_m_valid",
                "s_axi_bvalid = u_answers_m_valid | s_axi_wvalid",
            ),
            (
                "p_response_stays",
                "s_axi_bvalid = u_answers_m_valid",
                "s_axi_bvalid = u_answers_m_valid & !s_axi_wvalid",
            ),
            (
                "p_response_is_stable",
                "s_axi_bid = u_answers_m_data[0]",
                "s_axi_bid = u_answers_m_data[0] & !s_axi_wvalid",
            ),
            (
                "p_read_stays",
                "s_axi_rvalid = u_reads_m_valid",
                "s_axi_rvalid = u_reads_m_valid & !u_engine_r_valid",
            ),
            (
                "p_read_is_stable",
                "s_axi_rlast = u_reads_m_data[65]",
                "s_axi_rlast = u_reads_m_data[65] & !u_engine_r_valid",
            ),
            ("p_nothing_made", "wire reads = go & !current[29]", "wire reads = go"),
            (
                "p_read_in_its_turn",
                "current[0] & (left == 7'd0), current[28]",
                "current[0], current[28]",
            ),
            (
                "p_no_response_without_a_write",
                "(writes & (left == 7'd0)) & current[0]",
                "writes & current[0]",
            ),
            (
                "p_response_of_its_write",
                "b_data = {current[30], current[28]}",
                "b_data = {1'd0, current[28]}",
            ),
            ("p_response_behind_the_beats", "(w_valid & (turn == 3'd0))", "(turn == 3'd0)"),
            ("own_a_place_for_every_beat", "credit != 4'd0", "1'd1"),
            (
                "own_every_refresh_in_time",
                "else if (refreshes) due <= 1'd0",
                "else if (refreshes & wraps) due <= 1'd0",
            ),
            ("own_full_only_while_valid", "if (rst) full <= 1'd0", "if (rst) full <= 1'd1"),
            ("own_count_within", "count <= count + 4'd1", "count <= count + 4'd9"),
            ("own_count_not_below", "(count > 4'd1)", "(count > 4'd0)"),
            ("own_some_as_count", "(count > 4'd1)", "(count > 4'd2)"),
        ],
    );
    // It starts at once, and every twelve clocks there is a refresh.
    claim.cuts = vec![
        ("pause <= 11'd2000", "pause <= 11'd0"),
        ("if (rst) running <= 1'd0", "if (rst) running <= 1'd1"),
        ("tick == 8'd155", "tick == 8'd11"),
    ];
    claim.asked = vec!["ar_of_whole_beats", "aw_of_whole_beats"];
    claim.within = 34;
    claim
}
