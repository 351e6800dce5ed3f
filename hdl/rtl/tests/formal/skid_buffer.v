  always @(posedge clk) if (on) begin
    i_count: assert (holds == valid + full);
    if (there) i_kept: assert (kept == ((place == 0) ? {last, data} : {spare_last, spare}));
  end
