  // The registers are 0: read, 4: written, 8: a pulse; 12 is none. A master keeps its offers.
  wire asks = s_axi_arvalid & s_axi_arready;
  wire writes = s_axi_awvalid & s_axi_awready;
  wire [31:0] mask = {{8{s_axi_wstrb[3]}}, {8{s_axi_wstrb[2]}}, {8{s_axi_wstrb[1]}}, {8{s_axi_wstrb[0]}}};
  wire [1:0] at = s_axi_awaddr[3:2];
  always @(posedge clk) if (went_on) begin
    if ($past(s_axi_arvalid & !s_axi_arready)) assume (s_axi_arvalid && $stable(s_axi_araddr));
    if ($past(s_axi_awvalid & !s_axi_awready)) assume (s_axi_awvalid && $stable(s_axi_awaddr));
    if ($past(s_axi_wvalid & !s_axi_wready))
      assume (s_axi_wvalid && $stable({s_axi_wdata, s_axi_wstrb}));
  end
  // What was asked, and what a bus without faults would answer.
  reg reading = 0, written = 0;
  // A read's value is that of the clock after its address.
  reg fresh = 0;
  reg [1:0] kept;
  wire answered = reading & !fresh;
  reg [31:0] want;
  reg [1:0] want_rresp, want_bresp;
  reg [8:0] two_want;
  always @(posedge clk) begin
    if (rst) reading <= 0;
    else if (asks) reading <= 1;
    else if (s_axi_rvalid & s_axi_rready) reading <= 0;
    if (rst) written <= 0;
    else if (writes) written <= 1;
    else if (s_axi_bready) written <= 0;
    fresh <= asks & !rst;
    if (asks) kept <= s_axi_araddr[3:2];
    if (fresh) begin
      want <= (kept == 0) ? one : (kept == 1) ? two_want : 0;
      want_rresp <= (kept == 3) ? 2 : 0;
    end
    if (writes) want_bresp <= (at == 1 | at == 2) ? 0 : 2;
    if (rst) two_want <= 3;
    else if (writes & (at == 1)) two_want <= (two_want & ~mask) | (s_axi_wdata & mask);
  end
  always @(posedge clk) begin
    if (went_on && $past(s_axi_rvalid & !s_axi_rready)) begin
      p_read_stays: assert (s_axi_rvalid);
      p_read_is_stable: assert ($stable({s_axi_rdata, s_axi_rresp}));
    end
    if (went_on && $past(s_axi_bvalid & !s_axi_bready)) begin
      p_response_stays: assert (s_axi_bvalid);
      p_response_is_stable: assert ($stable(s_axi_bresp));
    end
    if (on) begin
      p_answer_only_where_asked: assert (!s_axi_rvalid | answered);
      p_every_read_answered: assert (!answered | s_axi_rvalid);
      p_no_second_read: assert (!asks | !reading);
      p_response_only_to_a_write: assert (!s_axi_bvalid | written);
      p_every_write_answered: assert (!written | s_axi_bvalid);
      p_no_second_write: assert (!writes | !written | s_axi_bready);
      p_address_and_data_together: assert (writes == (s_axi_wvalid & s_axi_wready));
      if (answered) p_value: assert (s_axi_rdata == want);
      if (answered) p_read_response: assert (s_axi_rresp == want_rresp);
      if (written) p_write_response: assert (s_axi_bresp == want_bresp);
      i_asked: assert ((asked == fresh) & (!fresh | reading));
      if (fresh)
        i_hit: assert ((one_hit == (kept == 0)) & (two_hit == (kept == 1)) & (three_hit == (kept == 2)));
      p_register: assert (two == two_want);
      p_reads_in_time: assert (!s_axi_arvalid | s_axi_arready | reading);
      p_writes_in_time: assert (!(s_axi_awvalid & s_axi_wvalid) | s_axi_awready | written);
    end
    if (went_on)
      p_pulse: assert (three == ($past(writes & (at == 2)) ? $past(s_axi_wdata & mask) & 9'h1ff : 0));
  end
