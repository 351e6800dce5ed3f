  // The bus's side. A master keeps its offers, and no burst of its leaves its page; the chip says
  // anything. A burst's beats may come before its address.
  wire ar = s_axi_arvalid & s_axi_arready;
  wire aw = s_axi_awvalid & s_axi_awready;
  wire w = s_axi_wvalid & s_axi_wready;
  wire b = s_axi_bvalid & s_axi_bready;
  wire r = s_axi_rvalid & s_axi_rready;
  always @* begin
    assume (s_axi_araddr[11:3] + s_axi_arlen < 512 && s_axi_araddr[2:0] == 0);
    assume (s_axi_awaddr[11:3] + s_axi_awlen < 512 && s_axi_awaddr[2:0] == 0);
  end
  always @(posedge clk) if (went_on) begin
    if ($past(s_axi_arvalid & !s_axi_arready))
      assume (s_axi_arvalid && $stable({s_axi_araddr, s_axi_arlen, s_axi_arid}));
    if ($past(s_axi_awvalid & !s_axi_awready))
      assume (s_axi_awvalid && $stable({s_axi_awaddr, s_axi_awlen, s_axi_awid}));
    if ($past(s_axi_wvalid & !s_axi_wready)) assume (s_axi_wvalid && $stable({s_axi_wdata, s_axi_wstrb}));
  end
  // Beats and bursts that were asked for and that were answered; of one of each, any, what it is.
  reg [9:0] ins, outs;
  reg [4:0] bursts, answers;
  reg [9:0] sent, due;
  (* anyconst *) reg [9:0] nth;
  (* anyconst *) reg [4:0] nth_burst;
  reg id, lost, ends, w_id, w_lost;
  reg [9:0] w_end;
  wire [9:0] holds = ins - outs;
  wire [9:0] from_first = nth - ins;
  always @(posedge clk) begin
    ins <= rst ? 0 : ins + (ar ? s_axi_arlen + 9'd1 : 9'd0);
    outs <= rst ? 0 : outs + r;
    bursts <= rst ? 0 : bursts + aw;
    answers <= rst ? 0 : answers + b;
    sent <= rst ? 0 : sent + w;
    due <= rst ? 0 : due + (aw ? s_axi_awlen + 9'd1 : 9'd0);
    if (ar & from_first <= s_axi_arlen)
      {id, lost, ends} <= {s_axi_arid, s_axi_araddr[23], from_first == s_axi_arlen};
    if (aw & bursts == nth_burst)
      {w_id, w_lost, w_end} <= {s_axi_awid, s_axi_awaddr[23], due + s_axi_awlen + 10'd1};
  end
  always @(posedge clk) begin
    if (on) begin
      p_nothing_made: assert (!s_axi_rvalid | holds != 0);
      if (s_axi_rvalid & outs == nth)
        p_read_in_its_turn: assert (s_axi_rid == id & s_axi_rlast == ends & s_axi_rresp == {lost, 1'b0});
      p_no_response_without_a_write: assert (!s_axi_bvalid | answers != bursts);
      if (s_axi_bvalid & answers == nth_burst) begin
        p_response_of_its_write: assert (s_axi_bid == w_id & s_axi_bresp == {w_lost, 1'b0});
        p_response_behind_the_beats: assert (sent >= w_end);
      end
    end
  end
