  wire [4*`WORD-1:0] slots = {slot_3, slot_2, slot_1, slot_0};
  always @(posedge clk) if (on) begin
    i_count: assert (holds == count);
    i_write: assert (write == ins[1:0]);
    i_read: assert (read == outs[1:0]);
    if (there) i_kept: assert (kept == slots[nth[1:0] * `WORD +: `WORD]);
    p_level: assert (level == holds);
  end
