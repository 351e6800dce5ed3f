//! The serial link: bytes on a line, and frames of bytes.

use sterna_hdl::link::*;

use crate::prover::Claim;
use crate::prover::Reach::Induction;
use crate::suite::claim;

/// What the phase of a bit grows by in a clock: here it is any, down to two clocks a bit.
const STEP: (&str, &str) = ("17'd7864", "{1'b0, step}");
const RATES: &str = include_str!("../uart_rates.v");
const CHECKSUM: &str = include_str!("../checksum.v");
/// Clocks and bits a second, which have that step.
const RATE: (u32, u32) = (25, 3);

pub fn uart_tx() -> Claim {
    let mut claim = claim(
        &UartTx { hertz: RATE.0, baud: RATE.1 },
        &[RATES, include_str!("../uart_tx.v")],
        &[],
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) line <= 1'd1", "if (rst) line <= 1'd0"),
            ("p_bit_in_its_turn", "line <= bits[0]", "line <= bits[1]"),
            ("p_high_at_rest", "else if (and_1) line", "else if (next_phase[16]) line"),
            ("p_nothing_lost", "s_ready = idle", "s_ready = 1'd1"),
            ("p_takes_in_time", "s_ready = idle", "s_ready = idle & !phase[15]"),
        ],
    );
    claim.cuts = vec![STEP];
    claim
}

pub fn uart_rx() -> Claim {
    let mut claim = claim(
        &UartRx { hertz: RATE.0, baud: RATE.1 },
        &[RATES, include_str!("../uart_rx.v")],
        &[],
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) is_bad <= 1'd0", "if (rst) is_bad <= 1'd1"),
            (
                "p_for_a_clock",
                "is_valid <= (looks & (place == 4'd9))",
                "is_valid <= (place == 4'd9)",
            ),
            (
                "p_nothing_made",
                "is_valid <= (looks & (place == 4'd9))",
                "is_valid <= (looks & (place == 4'd8))",
            ),
            (
                "p_nothing_lost",
                "is_valid <= (looks & (place == 4'd9))",
                "is_valid <= (looks & (place == 4'd9) & shift[0])",
            ),
            ("p_no_stop_bit", "(looks & (place == 4'd9)) & !level", "looks & (place == 4'd9)"),
            ("p_byte_as_it_was", "shift <= {level,", "shift <= {rx_4,"),
        ],
    );
    claim.cuts = vec![STEP];
    claim.within = 40;
    claim
}

pub fn replies() -> Claim {
    claim(
        &Replies,
        &[CHECKSUM, include_str!("../replies.v")],
        &[],
        Induction(2),
        &[
            (
                "p_offer_stays",
                "m_valid = (flags | in_trailer) |",
                "m_valid = (flags | (in_trailer & !s_valid)) |",
            ),
            ("p_offer_is_stable", "flags ? 8'd126 :", "(flags | (first & m_ready)) ? 8'd126 :"),
            ("p_begins_with_a_flag", "flags ? 8'd126 :", "(state == 3'd4) ? 8'd126 :"),
            ("p_nothing_made", "(state == 3'd0) & s_valid", "state == 3'd0"),
            ("p_no_flag_but_at_the_end", "(plain == 8'd126) |", "(plain == 8'd127) |"),
            ("p_escaped", "(escaped ? 8'd32 : 8'd0)", "8'd0"),
            ("p_byte_as_it_was", "in_body ? s_data :", "in_body ? {s_data[7:1], !s_last} :"),
            ("p_nothing_lost", "s_ready = in_body & consumes", "s_ready = in_body & moves"),
            ("p_checksum", "count <= 3'd3", "count <= 3'd1"),
            ("p_moves_in_time", "count <= 3'd3", "count <= 3'd7"),
        ],
    )
}

pub fn requests() -> Claim {
    let mut claim = claim(
        &Requests,
        &[CHECKSUM, include_str!("../requests.v")],
        &[],
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) is_valid <= 1'd0", "if (rst) is_valid <= 1'd1"),
            (
                "p_request_stays",
                "else if (taken) is_valid <=",
                "else if (taken | at[0]) is_valid <=",
            ),
            ("p_nothing_made", "is_valid <= compare_4", "is_valid <= 1'd1"),
            ("p_nothing_lost", "== 32'd1214729159", "== 32'd1214729158"),
            ("p_takes_none_meanwhile", "s_ready = !is_valid &", "s_ready ="),
            ("p_takes_in_time", "ending <= ending - 2'd1", "ending <= ending - {1'd0, ending[0]}"),
            ("p_header", "in_header = count < 11'd9", "in_header = count < 11'd8"),
            ("p_size", "count - 11'd13", "count - 11'd9"),
            ("p_byte_in_its_place", "word <= {plain,", "word <= {s_data[7:0],"),
            ("own_ram_no_collision_0", "reads <= is_valid & !taken", "reads <= in_payload"),
        ],
    );
    claim.within = 40;
    claim.cuts = vec![
        ("if (fills) ram[to] <= word", "if (fills & to == nth[9:3]) ram_nth <= word"),
        ("<= ram[from]", "<= (from == nth[9:3]) ? ram_nth : any_word"),
    ];
    claim
}

/// What a request asks for; the masters and the queue behind the reader, which have proofs of their
/// own, do anything that those allow.
pub fn commands() -> Claim {
    let mut claim = claim(
        &Commands { memory: 4096 },
        &[include_str!("../commands.v")],
        &[("MEMORY", 4096)],
        Induction(2),
        &[
            ("p_quiet_after_reset", "if (rst) ar_offered <= 1'd0", "if (rst) ar_offered <= 1'd1"),
            (
                "p_read_stays",
                "else if (m_lite_arready) ar_offered",
                "else if (m_lite_arready | reply_ready) ar_offered",
            ),
            (
                "p_write_stays",
                "m_lite_awaddr = address[11:0]",
                "m_lite_awaddr = m_lite_wready ? address[11:0] : 12'd0",
            ),
            ("p_data_stays", "m_lite_wstrb = 4'd15", "m_lite_wstrb = {4{m_lite_wready}}"),
            ("p_word_stays", "(to_give != 8'd0) &", "(to_give != 8'd0) & !reply_ready &"),
            (
                "p_reply_stays",
                "((compare_1 | compare_2) | compare_3)",
                "(((compare_1 & !m_axi_rvalid) | compare_2) | compare_3)",
            ),
            (
                "p_reply_is_stable",
                "reply_last = compare_3",
                "reply_last = compare_3 & !m_axi_rvalid",
            ),
            (
                "p_no_reply_without_a_request",
                "((state == 3'd0) & valid) & old_enough",
                "(state == 3'd0) & old_enough",
            ),
            ("p_taken_with_the_last", "taken = moves & compare_3", "taken = compare_3"),
            ("p_length", "left <= 16'd4", "left <= 16'd3"),
            ("p_number", "(second ? operation : number)", "operation"),
            ("p_operation", "(second ? operation : number)", "number"),
            ("p_hello", "128'h1000040000014c525453", "128'h1000040000014c525454"),
            ("p_value", "{96'h0, m_lite_rdata}", "{96'h0, m_lite_rdata[31:1], 1'd0}"),
            ("p_byte_of_memory", "data[7:0] : u_unpack_m_data", "data[7:0] : operation"),
            ("p_status", "(|m_lite_bresp) ? 8'd2", "(&m_lite_bresp) ? 8'd2"),
            (
                "p_no_byte_lost",
                "(streams & u_unpack_m_valid)",
                "(streams & u_unpack_m_valid & !m_axi_rvalid)",
            ),
            (
                "p_register_was_read",
                "else if (and_14) state",
                "else if (and_14 | (waits_for_register & m_axi_rvalid)) state",
            ),
            (
                "p_register_was_written",
                "else if (and_15) state",
                "else if (and_15 | (waits_for_register & m_axi_rvalid)) state",
            ),
            (
                "p_words_were_given",
                "((state == 3'd2) & started) & !u_writer_busy",
                "(state == 3'd2) & started",
            ),
            (
                "p_reads_once_and_if_asked",
                "else if (accesses & read_register)",
                "else if (waits_for_register & read_register)",
            ),
            ("p_writes_once_and_if_asked", "accesses = begins & !again", "accesses = begins"),
            (
                "p_answers_are_taken",
                "m_lite_bready = waits_for_register",
                "m_lite_bready = waits_for_register & !reply_ready",
            ),
            ("p_memory_if_asked", "length <= 16'd1024", "length <= 16'd2048"),
            ("p_word_in_its_turn", "at_word <= at_word + 7'd1", "at_word <= at_word + 7'd2"),
            ("p_moves_in_time", "old_enough = age == 3'd5", "old_enough = age == 3'd7"),
        ],
    );
    claim.cut_out = vec!["read_master", "write_master", "unpack", "fifo_block"];
    claim
}
