  // A card reads what comes: flags, escapes, bytes of a frame. A request is sound if it is whole, of
  // its length, and of its checksum; then it is there until it was obeyed.
  wire enters = s_valid & s_ready;
  wire flag = enters & (s_data == 9'h7e);
  reg inside, wrong, escape, there;
  // Bytes of the frame, those of the header, the checksum; and a byte of the payload, any.
  reg [10:0] bytes;
  reg [71:0] head;
  reg [31:0] sum;
  (* anyconst *) reg [9:0] nth;
  // Of the RAM the word with that byte, and of the others anything.
  reg [63:0] ram_nth;
  (* anyseq *) reg [63:0] any_word;
  reg [7:0] kept;
  wire mark = (s_data[7:0] == 8'h7d) & !escape;
  wire tells = enters & inside & !flag & !s_data[8] & !mark & !wrong;
  wire [7:0] told = s_data[7:0] ^ (escape ? 8'h20 : 8'h00);
  wire sound = inside & !wrong & !escape & (bytes >= 13) & (~sum == 32'h48674bc7);
  always @(posedge clk) begin
    inside <= !rst & (inside | flag);
    wrong <= !rst & !flag & (wrong | (enters & s_data[8]) | (tells & bytes == 1037));
    escape <= !rst & !flag & (enters ? mark : escape);
    there <= !rst & !taken & (there | (flag & sound));
    bytes <= (rst | taken | (flag & !sound)) ? 0 : bytes + tells;
    if (tells) sum <= add((bytes == 0) ? ~0 : sum, told);
    if (tells & bytes < 9) head[8 * bytes +: 8] <= told;
    if (tells & bytes == 9 + nth) kept <= told;
  end
  always @* assume (!taken | valid);
  always @(posedge clk)
    if (went_on && $past(s_valid & !s_ready)) assume (s_valid && $stable(s_data));
`ifdef SEEDED
  // A fault is looked for in frames of 17 bytes or more, of which only the checksum is free.
  always @* assume (rst == !past & s_valid & (s_data == 9'h7e | (bytes > 12 & !s_data[8])
    | (bytes > 8 ? s_data == 9'h7d | s_data == 9'h5d : s_data == 9'h01)));
`endif
  // The word of that byte was asked for so many clocks ago. Of a word that is not full, the checksum
  // fills it, or nobody may ask for it.
  reg [2:0] asked;
  wire full = bytes > 9 + {nth[9:3], 3'd7};
  reg [3:0] late, blocked;
  always @(posedge clk) begin
    asked <= (rst | !valid | taken) ? 0 : {asked[1:0], at == nth[9:3]};
    late <= (rst | !there | valid) ? 0 : late + 1;
    blocked <= (rst | there | s_ready) ? 0 : blocked + 1;
  end
  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!valid);
    if (went_on && $past(valid & !taken)) p_request_stays: assert (valid);
    if (on) begin
      p_nothing_made: assert (!valid | there);
      p_nothing_lost: assert (late < 4);
      p_takes_none_meanwhile: assert (!s_ready | !there);
      p_takes_in_time: assert (blocked < 4);
      if (valid) p_header: assert ({address, length, operation, number} == head);
      if (valid) p_size: assert (size == bytes - 13);
      if (valid & asked[2] & full) p_byte_in_its_place: assert (word_out[8 * nth[2:0] +: 8] == kept);
    end
  end

  // What makes it so.
  wire [10:0] newest = bytes - 10;
  wire [10:0] since = newest - nth;
  wire [10:0] payload = bytes - 9;
  always @(posedge clk) if (on) begin
    i_state: assert (is_inside == inside & broken == wrong & is_valid == (there & ending == 0));
    i_escape: assert (wrong | escaped == escape);
    i_bytes: assert (bytes < 1039 & (bytes < 1038 | wrong));
    i_there: assert (!there | (bytes > 12 & bytes < 1038));
    i_count: assert (count == bytes | (ending != 0 & !there));
    if (bytes != 0 | ending != 0) i_sum: assert (sum == so_far);
    i_settled: assert (!(ending != 0 | is_valid) | (!\u_crc.valid_1 & !fills));
    if (ending != 0) i_ending: assert (there == (sum == ~32'h48674bc7) & (there | bytes == 0));
    if (there & !is_valid) i_late: assert (late + ending == 3);
    if (ending != 0 & !there) i_blocked: assert (blocked + ending == 3);
    if (bytes < 9) i_head_1: assert (((header >> (72 - 8 * bytes)) ^ head) << (72 - 8 * bytes) == 0);
    else i_head_2: assert (header == head);
    if (bytes > 1 & bytes < 9) i_to_1: assert (to == 0 & !fills);
    if (bytes == 1) i_to_2: assert (!fills);
    if (bytes > 8) i_to_3: assert (lane == payload[2:0] & to == payload[9:3] - fills);
    if (bytes > 8) i_fills: assert (!fills | (payload[2:0] == 0 & bytes > 9 & bytes < 1034));
    if (bytes > 9 & newest >= nth & since < 8) i_in_word: assert (word[8 * (7 - since) +: 8] == kept);
    if (full & !(fills & newest == {nth[9:3], 3'd7}))
      i_in_ram: assert (ram_nth[8 * nth[2:0] +: 8] == kept);
    i_reads: assert (!reads | is_valid | !fills);
    if (valid & asked[0]) i_asked_1: assert (from == nth[9:3] & reads);
    if (valid & asked[1] & full) i_asked_2: assert (ram_q[8 * nth[2:0] +: 8] == kept);
    if (valid & asked[2] & full) i_asked_3: assert (ram_r[8 * nth[2:0] +: 8] == kept);
  end
