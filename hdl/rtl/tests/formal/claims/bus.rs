//! Between the masters and the memory, and the registers.

use sterna_rtl::AxiWidths;
use sterna_rtl::parts::*;

use crate::common;
use crate::prover::Claim;
use crate::prover::Reach::Induction;
use crate::suite::claim;

/// A bus on which a burst may cross 4 KiB.
const WIDTHS: AxiWidths = AxiWidths { addr: 14, data: 32, id: 1 };

pub fn read_mux() -> Claim {
    claim(
        &ReadMux { widths: WIDTHS },
        &[include_str!("../read_mux.v")],
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
            ("p_reader_0_is_passed_once", "waits ? held : s1_axi_arvalid", "s1_axi_arvalid"),
        ],
    )
}

pub fn axi_mux() -> Claim {
    claim(
        &AxiMux { widths: WIDTHS },
        &[include_str!("../axi_mux.v")],
        &[],
        Induction(3),
        &[
            ("p_quiet_after_reset", "if (rst) sending <= 1'd0", "if (rst) sending <= 1'd1"),
            (
                "p_read_address_stays",
                "wire arvalid = chosen_reader ?",
                "wire arvalid = m_axi_rvalid ? 1'd0 : chosen_reader ?",
            ),
            ("p_read_address_is_stable", "waits ? reader : (reader", "(reader"),
            (
                "p_write_address_stays",
                "m_axi_awvalid = addressing &",
                "m_axi_awvalid = addressing & !m_axi_bvalid &",
            ),
            (
                "p_write_address_is_stable",
                "m_axi_awaddr = writer ?",
                "m_axi_awaddr = (writer ^ m_axi_bvalid) ?",
            ),
            (
                "p_beat_stays",
                "m_axi_wvalid = sending &",
                "m_axi_wvalid = sending & !m_axi_bvalid &",
            ),
            (
                "p_beat_is_stable",
                "m_axi_wlast = writer ?",
                "m_axi_wlast = m_axi_bvalid ? 1'd0 : writer ?",
            ),
            (
                "p_data_to_0_is_stable",
                "s0_axi_rvalid = m_axi_rvalid &",
                "s0_axi_rvalid = m_axi_rvalid & !arvalid &",
            ),
            (
                "p_data_to_1_is_stable",
                "s1_axi_rvalid = m_axi_rvalid &",
                "s1_axi_rvalid = m_axi_rvalid & !arvalid &",
            ),
            (
                "p_response_to_0_is_stable",
                "s0_axi_bvalid = m_axi_bvalid &",
                "s0_axi_bvalid = m_axi_bvalid & !arvalid &",
            ),
            (
                "p_response_to_1_is_stable",
                "s1_axi_bvalid = m_axi_bvalid &",
                "s1_axi_bvalid = m_axi_bvalid & !arvalid &",
            ),
            (
                "p_one_read_at_a_time",
                "s0_axi_arready = m_axi_arready & !chosen_reader",
                "s0_axi_arready = m_axi_arready",
            ),
            ("p_one_write_at_a_time", "s0_axi_awready = and_1 & !writer", "s0_axi_awready = and_1"),
            ("p_one_beat_at_a_time", "s0_axi_wready = and_2 & !writer", "s0_axi_wready = and_2"),
            ("p_one_datum_at_a_time", "r_to_one ? s1_axi_rready : s0_axi_rready", "s0_axi_rready"),
            (
                "p_one_response_at_a_time",
                "b_to_one ? s1_axi_bready : s0_axi_bready",
                "s0_axi_bready",
            ),
            ("p_read_of_who_asked", "m_axi_arid = {chosen_reader,", "m_axi_arid = {1'd0,"),
            (
                "p_write_of_who_asked",
                "m_axi_awlen = writer ? s1_axi_awlen : s0_axi_awlen",
                "m_axi_awlen = s0_axi_awlen",
            ),
            (
                "p_beat_of_who_sent",
                "m_axi_wdata = writer ? s1_axi_wdata : s0_axi_wdata",
                "m_axi_wdata = s0_axi_wdata",
            ),
            ("p_data_to_0", "s0_axi_rlast = m_axi_rlast", "s0_axi_rlast = 1'd1"),
            ("p_data_to_1", "s1_axi_rdata = m_axi_rdata", "s1_axi_rdata = 32'd0"),
            ("p_response_to_0", "s0_axi_bresp = m_axi_bresp", "s0_axi_bresp = 2'd0"),
            ("p_response_to_1", "s1_axi_bid = m_axi_bid[0]", "s1_axi_bid = 1'd0"),
            (
                "p_data_where_asked",
                "s0_axi_rvalid = m_axi_rvalid & !r_to_one",
                "s0_axi_rvalid = m_axi_rvalid",
            ),
            (
                "p_response_where_written",
                "s1_axi_bvalid = m_axi_bvalid & b_to_one",
                "s1_axi_bvalid = m_axi_bvalid",
            ),
            (
                "p_no_second_write",
                "else if (and_1 & (writer ? s1_axi_awvalid : s0_axi_awvalid)) addressing",
                "else if (and_2) addressing",
            ),
            (
                "p_no_beat_behind_the_last",
                "& (writer ? s1_axi_wlast : s0_axi_wlast)) sending",
                "& (writer ? s1_axi_wlast : s0_axi_wlast) & !addressing) sending",
            ),
            (
                "p_bursts_do_not_mix",
                "wire idle = !addressing & !sending",
                "wire idle = !addressing",
            ),
            ("p_reads_take_turns", "(!s0_axi_arvalid & s1_axi_arvalid)", "s1_axi_arvalid"),
            ("p_writes_take_turns", "(!s0_axi_awvalid & s1_axi_awvalid)", "s1_axi_awvalid"),
            (
                "p_reads_at_once",
                "wire arvalid = chosen_reader ?",
                "wire arvalid = chosen_reader & s1_axi_arlock ? 1'd0 : chosen_reader ?",
            ),
            (
                "p_writes_in_time",
                "idle & (s0_axi_awvalid | s1_axi_awvalid)",
                "idle & s0_axi_awvalid",
            ),
            (
                "p_beats_do_not_wait",
                "m_axi_wvalid = sending &",
                "m_axi_wvalid = sending & !addressing &",
            ),
        ],
    )
}

pub fn lite_registers() -> Claim {
    let registers = common::registers();
    claim(
        &LiteRegisters { name: "proved".into(), addr: 4, registers },
        &[include_str!("../lite_registers.v")],
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
