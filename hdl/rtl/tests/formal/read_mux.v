  // Readers keep their offers, and use their own IDs; a memory keeps its answers.
  localparam PAYLOAD = 14 + 3 + 1 + 8 + 3 + 2 + 1 + 4 + 4;
  wire [PAYLOAD-1:0] of_0 = {s0_axi_araddr, s0_axi_arprot, s0_axi_arid, s0_axi_arlen, s0_axi_arsize,
    s0_axi_arburst, s0_axi_arlock, s0_axi_arcache, s0_axi_arqos};
  wire [PAYLOAD-1:0] of_1 = {s1_axi_araddr, s1_axi_arprot, s1_axi_arid, s1_axi_arlen, s1_axi_arsize,
    s1_axi_arburst, s1_axi_arlock, s1_axi_arcache, s1_axi_arqos};
  wire [PAYLOAD-1:0] of_m = {m_axi_araddr, m_axi_arprot, m_axi_arid, m_axi_arlen, m_axi_arsize,
    m_axi_arburst, m_axi_arlock, m_axi_arcache, m_axi_arqos};
  wire [35:0] answer = {m_axi_rdata, m_axi_rresp, m_axi_rid, m_axi_rlast};
  wire [35:0] answer_0 = {s0_axi_rdata, s0_axi_rresp, s0_axi_rid, s0_axi_rlast};
  wire [35:0] answer_1 = {s1_axi_rdata, s1_axi_rresp, s1_axi_rid, s1_axi_rlast};
  wire asks_0 = s0_axi_arvalid & s0_axi_arready;
  wire asks_1 = s1_axi_arvalid & s1_axi_arready;
  wire asks = m_axi_arvalid & m_axi_arready;
  wire gets_0 = s0_axi_rvalid & s0_axi_rready;
  wire gets_1 = s1_axi_rvalid & s1_axi_rready;
  always @* begin
    assume (!s0_axi_arvalid | !s0_axi_arid);
    assume (!s1_axi_arvalid | s1_axi_arid);
  end
  always @(posedge clk) if (went_on) begin
    if ($past(s0_axi_arvalid & !s0_axi_arready)) assume (s0_axi_arvalid && $stable(of_0));
    if ($past(s1_axi_arvalid & !s1_axi_arready)) assume (s1_axi_arvalid && $stable(of_1));
    if ($past(m_axi_rvalid & !m_axi_rready)) assume (m_axi_rvalid && $stable(answer));
  end
  always @(posedge clk) begin
    if (went_on && $past(m_axi_arvalid & !m_axi_arready)) begin
      p_address_stays: assert (m_axi_arvalid);
      p_address_is_stable: assert ($stable(of_m));
    end
    if (went_on && $past(s0_axi_rvalid & !s0_axi_rready))
      p_answer_to_0_is_stable: assert (s0_axi_rvalid && $stable(answer_0));
    if (went_on && $past(s1_axi_rvalid & !s1_axi_rready))
      p_answer_to_1_is_stable: assert (s1_axi_rvalid && $stable(answer_1));
    if (on) begin
      p_one_address_at_a_time: assert (asks_0 + asks_1 == asks);
      if (asks) p_address_of_who_asked: assert (of_m == (asks_1 ? of_1 : of_0));
      p_one_answer_at_a_time: assert (gets_0 + gets_1 == (m_axi_rvalid & m_axi_rready));
      if (gets_0) p_answer_to_0: assert (!m_axi_rid && answer_0 == answer);
      if (gets_1) p_answer_to_1: assert (m_axi_rid && answer_1 == answer);
      p_offers_at_once: assert (m_axi_arvalid == (s0_axi_arvalid | s1_axi_arvalid));
      p_reader_0_is_passed_once: assert (passed < 2);
    end
  end

  // Reader 1 goes first, so that reader 0 has its turn only where reader 1 lets go: a reader's
  // address is never right behind the one before it, as is proved of the masters.
  reg [1:0] passed;
  always @(posedge clk) begin
    passed <= (rst | asks_0 | !s0_axi_arvalid) ? 0 : passed + asks_1;
    if (went_on && $past(asks_1)) assume (!s1_axi_arvalid);
    if (on & passed != 0) i_turn: assert (passed == 1 & s0_axi_arvalid & (waits ? !held : !s1_axi_arvalid));
  end
