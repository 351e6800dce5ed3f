  always @(posedge clk) if (past & !rst) begin
    i_most: assert (stored <= `DEPTH);
    i_distance: assert (write == ((read + stored) & (`DEPTH - 1)));
    i_head_first: assert (!next_full | head_full);
    i_two: assert (held <= 2);
  end
