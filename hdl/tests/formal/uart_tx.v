  // How long a byte is on the line, in 2^-16 of a bit, and what it is.
  reg sending;
  reg [19:0] elapsed;
  reg [7:0] kept;
  wire [19:0] after = elapsed + step;
  wire [9:0] frame = {1'b1, kept, 1'b0};
  always @(posedge clk) begin
    if (rst) sending <= 0;
    else if (s_valid & s_ready) {sending, elapsed, kept} <= {1'b1, 20'd0, s_data};
    else begin
      sending <= sending & (after[19:16] != 10);
      elapsed <= after;
    end
  end
  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (tx & s_ready);
    if (on) begin
      if (sending) p_bit_in_its_turn: assert (tx == frame[elapsed[19:16]]);
      p_high_at_rest: assert (tx | sending);
      p_nothing_lost: assert (!s_ready | !sending);
      p_takes_in_time: assert (s_ready | sending);
      i_left: assert (left == (sending ? 10 - elapsed[19:16] : 0));
      if (sending) begin
        i_elapsed: assert (elapsed[19:16] < 10);
        i_phase: assert (phase == elapsed[15:0]);
        i_bits: assert (bits == ({9'h1ff, frame} >> (elapsed[19:16] + 1)) % 512);
      end
    end
  end
