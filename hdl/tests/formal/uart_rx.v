  // What a listener makes of the line: of three clocks the majority, then the middle of each bit.
  reg [3:0] heard;
  reg high, hearing, mute, good, wrong;
  reg [19:0] elapsed;
  reg [7:0] kept;
  wire [19:0] after = elapsed + step;
  wire [3:0] nth = elapsed[19:16];
  wire middle = hearing & (after[19:16] != nth);
  wire begins = !hearing & !high & !mute;
  wire stop = middle & (nth == 9);
  always @(posedge clk) begin
    heard <= rst ? 15 : {heard[2:0], rx};
    high <= rst | ((heard[1] + heard[2] + heard[3]) >= 2'd2);
    hearing <= !rst & (begins | (hearing & !stop & !(middle & (nth == 0) & high)));
    mute <= !rst & !high & (mute | stop);
    good <= !rst & stop & high;
    wrong <= !rst & stop & !high;
    elapsed <= begins ? 20'h8000 : after;
    if (middle & (nth != 0) & (nth != 9)) kept[nth - 1] <= high;
  end
  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!valid & !bad);
    if (went_on && $past(valid | bad)) p_for_a_clock: assert (!valid & !bad);
    if (on) begin
      p_nothing_made: assert (!valid | good);
      p_nothing_lost: assert (valid | !good);
      p_no_stop_bit: assert (bad == wrong);
      if (valid) p_byte_as_it_was: assert (data == kept);
      i_heard: assert ({rx_4, rx_3, rx_2, rx_1} == heard & level == high);
      i_state: assert (busy == hearing & broken == mute & (busy + broken < 2'd2));
      i_none: assert (!(good | wrong) | !busy);
      if (hearing) begin
        i_place: assert (place == nth & nth < 10);
        i_phase: assert (phase == elapsed[15:0]);
        if (nth > 1) i_shift: assert ((shift >> (9 - nth)) == kept % (1 << (nth - 1)));
      end
      if (good) i_shift_at_the_end: assert (shift == kept);
    end
  end
