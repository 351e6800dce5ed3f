  // What a memory behind AXI4 answers: nothing behind a reset, and it stays until it is taken.
  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!s_axi_rvalid & !s_axi_bvalid);
    if (went_on && $past(s_axi_bvalid & !s_axi_bready)) begin
      p_response_stays: assert (s_axi_bvalid);
      p_response_is_stable: assert ($stable({s_axi_bresp, s_axi_bid}));
    end
    if (went_on && $past(s_axi_rvalid & !s_axi_rready)) begin
      p_read_stays: assert (s_axi_rvalid);
      p_read_is_stable: assert ($stable({s_axi_rdata, s_axi_rresp, s_axi_rid, s_axi_rlast}));
    end
  end
