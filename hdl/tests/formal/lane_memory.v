  // All lanes, and what was read, on its way.
  reg [31:0] all;
  reg [3:0] narrow_asked = 0, wide_asked = 0;
  reg [3:0] at_asked;
  reg [1:0] narrow_2, narrow_3, narrow_4;
  reg [7:0] wide_2, wide_3, wide_4;
  always @(posedge clk) begin
    if (write) all[4 * write_at +: 4] <= data;
    narrow_asked <= {narrow_asked[2:0], read_narrow & !rst};
    wide_asked <= {wide_asked[2:0], read_wide & !rst};
    at_asked <= read_at;
    {narrow_4, narrow_3, narrow_2} <= {narrow_3, narrow_2, all[2 * at_asked +: 2]};
    {wide_4, wide_3, wide_2} <= {wide_3, wide_2, all[8 * at_asked[3:2] +: 8]};
  end
  always @* begin
    if (!past) assume (all == {part_1[3], part_0[3], part_1[2], part_0[2], part_1[1], part_0[1],
      part_1[0], part_0[0]});
    // What is promised: no lane is written in the clock in which it is read, one behind its address.
    assume (!(write & narrow_asked[0] & write_at == at_asked[3:1]));
    assume (!(write & wide_asked[0] & write_at[2:1] == at_asked[3:2]));
  end
  always @(posedge clk) if (on) begin
    if (narrow_asked[3]) p_narrow_as_written: assert (narrow == narrow_4);
    if (wide_asked[3]) p_wide_as_written: assert (wide == wide_4);
  end
  always @(posedge clk) if (past) begin
    i_all: assert (all == {part_1[3], part_0[3], part_1[2], part_0[2], part_1[1], part_0[1],
      part_1[0], part_0[0]});
    i_asked: assert (at_asked == at_1 & row_now == at_1[3:2]);
    i_reads: assert (reads_0 == (wide_asked[0] | (narrow_asked[0] & !at_1[1]))
      & reads_1 == (wide_asked[0] | (narrow_asked[0] & at_1[1])));
    if (narrow_asked[1]) i_narrow_2: assert (({part_1_q, part_0_q} >> (2 * at_2[1:0])) % 4 == narrow_2);
    if (narrow_asked[2]) i_narrow_3: assert (({part_1_r, part_0_r} >> (2 * at_3[1:0])) % 4 == narrow_3);
    if (wide_asked[1]) i_wide_2: assert ({part_1_q, part_0_q} == wide_2);
    if (wide_asked[2]) i_wide_3: assert ({part_1_r, part_0_r} == wide_3);
  end
