  // A reset at first, and whenever the solver likes.
  reg past = 0;
  reg after_reset = 0;
  always @(posedge clk) begin
    past <= 1;
    after_reset <= past & !rst;
  end
  always @* if (!past) assume (rst);
  wire on = past & !rst;
  // There was a clock before this one, and no reset in either.
  wire went_on = on & after_reset;
