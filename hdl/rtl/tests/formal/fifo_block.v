  always @(posedge clk) if (on) begin
    i_count: assert (holds == stored + held);
    i_write: assert (write == ins[1:0]);
    if (there && place < held)
      i_kept_outside: assert (kept == ((place == 0 && head_full) ? head
        : (place == head_full && next_full) ? next : ram_q));
    if (there && place >= held) i_kept_inside: assert (kept == ram[nth[1:0]]);
    p_level: assert (level == holds);
  end
