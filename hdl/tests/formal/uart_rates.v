  // Any rate, down to two clocks a bit; a fault is looked for at that.
  (* anyconst *) reg [15:0] step;
  always @* assume (step != 0 && step <= 32768);
`ifdef SEEDED
  always @* assume (step == 32768);
`endif
