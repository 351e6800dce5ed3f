  // Masters keep their offers, and a memory its answers; it answers what was asked, nothing else.
  localparam AR = 14 + 3 + 1 + 8 + 3 + 2 + 1 + 4 + 4;
  wire [AR-1:0] ar_0 = {s0_axi_arid, s0_axi_araddr, s0_axi_arprot, s0_axi_arlen, s0_axi_arsize,
    s0_axi_arburst, s0_axi_arlock, s0_axi_arcache, s0_axi_arqos};
  wire [AR-1:0] ar_1 = {s1_axi_arid, s1_axi_araddr, s1_axi_arprot, s1_axi_arlen, s1_axi_arsize,
    s1_axi_arburst, s1_axi_arlock, s1_axi_arcache, s1_axi_arqos};
  wire [AR:0] ar_m = {m_axi_arid, m_axi_araddr, m_axi_arprot, m_axi_arlen, m_axi_arsize,
    m_axi_arburst, m_axi_arlock, m_axi_arcache, m_axi_arqos};
  wire [AR-1:0] aw_0 = {s0_axi_awid, s0_axi_awaddr, s0_axi_awprot, s0_axi_awlen, s0_axi_awsize,
    s0_axi_awburst, s0_axi_awlock, s0_axi_awcache, s0_axi_awqos};
  wire [AR-1:0] aw_1 = {s1_axi_awid, s1_axi_awaddr, s1_axi_awprot, s1_axi_awlen, s1_axi_awsize,
    s1_axi_awburst, s1_axi_awlock, s1_axi_awcache, s1_axi_awqos};
  wire [AR:0] aw_m = {m_axi_awid, m_axi_awaddr, m_axi_awprot, m_axi_awlen, m_axi_awsize,
    m_axi_awburst, m_axi_awlock, m_axi_awcache, m_axi_awqos};
  wire [36:0] w_0 = {s0_axi_wdata, s0_axi_wstrb, s0_axi_wlast};
  wire [36:0] w_1 = {s1_axi_wdata, s1_axi_wstrb, s1_axi_wlast};
  wire [36:0] w_m = {m_axi_wdata, m_axi_wstrb, m_axi_wlast};
  wire [35:0] r_0 = {s0_axi_rid, s0_axi_rdata, s0_axi_rresp, s0_axi_rlast};
  wire [35:0] r_1 = {s1_axi_rid, s1_axi_rdata, s1_axi_rresp, s1_axi_rlast};
  wire [36:0] r_m = {m_axi_rid, m_axi_rdata, m_axi_rresp, m_axi_rlast};
  wire [2:0] b_0 = {s0_axi_bid, s0_axi_bresp};
  wire [2:0] b_1 = {s1_axi_bid, s1_axi_bresp};
  wire [3:0] b_m = {m_axi_bid, m_axi_bresp};
  // Who hands over what: addresses, beats, answers; of master 0, of master 1, of the memory.
  wire [1:0] reads = {s1_axi_arvalid & s1_axi_arready, s0_axi_arvalid & s0_axi_arready};
  wire [1:0] writes = {s1_axi_awvalid & s1_axi_awready, s0_axi_awvalid & s0_axi_awready};
  wire [1:0] sends = {s1_axi_wvalid & s1_axi_wready, s0_axi_wvalid & s0_axi_wready};
  wire [1:0] gets = {s1_axi_rvalid & s1_axi_rready, s0_axi_rvalid & s0_axi_rready};
  wire [1:0] acks = {s1_axi_bvalid & s1_axi_bready, s0_axi_bvalid & s0_axi_bready};
  wire m_reads = m_axi_arvalid & m_axi_arready;
  wire m_writes = m_axi_awvalid & m_axi_awready;
  wire m_sends = m_axi_wvalid & m_axi_wready;
  wire m_gets = m_axi_rvalid & m_axi_rready;
  wire m_acks = m_axi_bvalid & m_axi_bready;
  always @(posedge clk) if (went_on) begin
    if ($past(s0_axi_arvalid & !s0_axi_arready)) assume (s0_axi_arvalid && $stable(ar_0));
    if ($past(s1_axi_arvalid & !s1_axi_arready)) assume (s1_axi_arvalid && $stable(ar_1));
    if ($past(s0_axi_awvalid & !s0_axi_awready)) assume (s0_axi_awvalid && $stable(aw_0));
    if ($past(s1_axi_awvalid & !s1_axi_awready)) assume (s1_axi_awvalid && $stable(aw_1));
    if ($past(s0_axi_wvalid & !s0_axi_wready)) assume (s0_axi_wvalid && $stable(w_0));
    if ($past(s1_axi_wvalid & !s1_axi_wready)) assume (s1_axi_wvalid && $stable(w_1));
    if ($past(m_axi_rvalid & !m_axi_rready)) assume (m_axi_rvalid && $stable(r_m));
    if ($past(m_axi_bvalid & !m_axi_bready)) assume (m_axi_bvalid && $stable(b_m));
  end

  // Bursts without their last answer: as the memory sees them by ID, and as the masters do.
  reg [2:0] r_owed [0:1], r_waits [0:1], b_owed [0:1], b_waits [0:1];
  // The write under way: its address was taken, a beat, its last beat; and whose it is.
  reg has_address, has_beat, has_last, whose;
  wire address = has_address | m_writes;
  wire whole = has_last | (m_sends & m_axi_wlast);
  wire begun = has_address | has_beat | has_last;
  wire first = writes[0] | sends[0];
  wire turn = m_axi_awvalid ? m_axi_awid[1] : whose;
  // Someone, any, who asks, and how often the other was served meanwhile.
  (* anyconst *) reg who;
  reg [1:0] others_read, others_write;
  reg [2:0] late;
  integer n;
  always @(posedge clk) begin
    for (n = 0; n < 2; n = n + 1) begin
      r_owed[n] <= rst ? 0 : r_owed[n] + (m_reads & (m_axi_arid[1] == n))
        - (m_gets & m_axi_rlast & (m_axi_rid[1] == n));
      b_owed[n] <= rst ? 0 : b_owed[n] + (m_writes & (m_axi_awid[1] == n))
        - (m_acks & (m_axi_bid[1] == n));
    end
    r_waits[0] <= rst ? 0 : r_waits[0] + reads[0] - (gets[0] & s0_axi_rlast);
    r_waits[1] <= rst ? 0 : r_waits[1] + reads[1] - (gets[1] & s1_axi_rlast);
    b_waits[0] <= rst ? 0 : b_waits[0] + writes[0] - acks[0];
    b_waits[1] <= rst ? 0 : b_waits[1] + writes[1] - acks[1];
    {has_address, has_beat, has_last} <= (rst | (address & whole)) ? 0
      : {address, has_beat | m_sends, whole};
    if (!begun) whose <= writes[1] | sends[1];
    others_read <= (rst | !(who ? s1_axi_arvalid : s0_axi_arvalid) | reads[who]) ? 0
      : others_read + reads[!who];
    others_write <= (rst | !(who ? s1_axi_awvalid : s0_axi_awvalid) | writes[who]) ? 0
      : others_write + writes[!who];
    late <= (rst | begun | m_axi_awvalid | !(s0_axi_awvalid | s1_axi_awvalid)) ? 0 : late + 1;
  end
  always @* begin
    assume (!m_axi_rvalid | r_owed[m_axi_rid[1]] != 0);
    assume (!m_axi_bvalid | b_owed[m_axi_bid[1]] != 0);
  end

  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!m_axi_awvalid & !m_axi_wvalid);
    if (went_on && $past(m_axi_arvalid & !m_axi_arready)) begin
      p_read_address_stays: assert (m_axi_arvalid);
      p_read_address_is_stable: assert ($stable(ar_m));
    end
    if (went_on && $past(m_axi_awvalid & !m_axi_awready)) begin
      p_write_address_stays: assert (m_axi_awvalid);
      p_write_address_is_stable: assert ($stable(aw_m));
    end
    if (went_on && $past(m_axi_wvalid & !m_axi_wready)) begin
      p_beat_stays: assert (m_axi_wvalid);
      p_beat_is_stable: assert ($stable(w_m));
    end
    if (went_on && $past(s0_axi_rvalid & !s0_axi_rready))
      p_data_to_0_is_stable: assert (s0_axi_rvalid && $stable(r_0));
    if (went_on && $past(s1_axi_rvalid & !s1_axi_rready))
      p_data_to_1_is_stable: assert (s1_axi_rvalid && $stable(r_1));
    if (went_on && $past(s0_axi_bvalid & !s0_axi_bready))
      p_response_to_0_is_stable: assert (s0_axi_bvalid && $stable(b_0));
    if (went_on && $past(s1_axi_bvalid & !s1_axi_bready))
      p_response_to_1_is_stable: assert (s1_axi_bvalid && $stable(b_1));
    if (on) begin
      p_one_read_at_a_time: assert (reads[0] + reads[1] == m_reads);
      p_one_write_at_a_time: assert (writes[0] + writes[1] == m_writes);
      p_one_beat_at_a_time: assert (sends[0] + sends[1] == m_sends);
      p_one_datum_at_a_time: assert (gets[0] + gets[1] == m_gets);
      p_one_response_at_a_time: assert (acks[0] + acks[1] == m_acks);
      if (m_reads) p_read_of_who_asked: assert (ar_m == {reads[1], reads[1] ? ar_1 : ar_0});
      if (m_writes) p_write_of_who_asked: assert (aw_m == {writes[1], writes[1] ? aw_1 : aw_0});
      if (m_sends) p_beat_of_who_sent: assert (w_m == (sends[1] ? w_1 : w_0));
      if (gets[0]) p_data_to_0: assert ({1'b0, r_0} == r_m);
      if (gets[1]) p_data_to_1: assert ({1'b1, r_1} == r_m);
      if (acks[0]) p_response_to_0: assert ({1'b0, b_0} == b_m);
      if (acks[1]) p_response_to_1: assert ({1'b1, b_1} == b_m);
      p_data_where_asked: assert ((!s0_axi_rvalid | r_waits[0] != 0)
        & (!s1_axi_rvalid | r_waits[1] != 0));
      p_response_where_written: assert ((!s0_axi_bvalid | b_waits[0] != 0)
        & (!s1_axi_bvalid | b_waits[1] != 0));
      p_no_second_write: assert (!m_writes | !has_address);
      p_no_beat_behind_the_last: assert (!m_sends | !has_last);
      p_bursts_do_not_mix: assert (!(m_writes | m_sends)
        | (writes | sends) == (begun ? 2'd1 << whose : first ? 2'd1 : 2'd2));
      p_reads_take_turns: assert (others_read < 2);
      p_writes_take_turns: assert (others_write < 2);
      p_reads_at_once: assert (m_axi_arvalid == (s0_axi_arvalid | s1_axi_arvalid));
      p_writes_in_time: assert (late < 2);
      p_beats_do_not_wait: assert (!(m_axi_awvalid | has_address) | has_last
        | m_axi_wvalid == (turn ? s1_axi_wvalid : s0_axi_wvalid));
    end
  end

  // What makes it so.
  always @(posedge clk) if (on) begin
    i_owed: assert (r_owed[0] == r_waits[0] & r_owed[1] == r_waits[1]);
    i_responses: assert (b_owed[0] == b_waits[0] & b_owed[1] == b_waits[1]);
    i_writer: assert (!begun | writer == whose);
    i_begun: assert (!idle | !begun);
    i_address: assert (idle | addressing == !has_address);
    i_last: assert (idle | sending == !has_last);
    i_asks: assert (!addressing | (writer ? s1_axi_awvalid : s0_axi_awvalid));
    i_waits: assert (!waits | (reader ? s1_axi_arvalid : s0_axi_arvalid));
    i_turn: assert (others_read == 0 | waits == (reader == who));
    i_write_turn: assert (others_write == 0 | addressing == (writer == who));
  end
