  // A host reads what comes: flags, escapes, bytes of the frame, four of the checksum.
  wire enters = s_valid & s_ready;
  wire leaves = m_valid & m_ready;
  wire flag = leaves & (m_data == 8'h7e);
  wire mark = leaves & (m_data == 8'h7d);
  wire tells = leaves & !flag & !mark;
  reg inside, escape, ended;
  // Bytes of the checksum to come, and the checksum, a bit at a time.
  reg [2:0] rest;
  reg [31:0] sum;
  wire [7:0] told = m_data ^ (escape ? 8'h20 : 8'h00);
  always @(posedge clk) begin
    inside <= !rst & (inside ^ flag);
    escape <= !rst & (leaves ? mark : escape);
    ended <= !rst & (inside | !flag) & !(inside & flag) & (ended | (enters & s_last));
    if (enters) rest <= 4;
    else if (tells & ended) rest <= rest - 1;
    if (!inside) sum <= ~0;
    else if (enters) sum <= add(sum, s_data);
  end
  always @(posedge clk)
    if (went_on && $past(s_valid & !s_ready)) assume (s_valid && $stable({s_last, s_data}));
  reg [3:0] idle;
  always @(posedge clk) idle <= (rst | leaves | (m_valid & !m_ready) | !(s_valid | ended)) ? 0 : idle + 1;
  always @(posedge clk) begin
    if (went_on && $past(m_valid & !m_ready)) begin
      p_offer_stays: assert (m_valid);
      p_offer_is_stable: assert ($stable(m_data));
    end
    if (on) begin
      if (m_valid & !inside) p_begins_with_a_flag: assert (m_data == 8'h7e);
      if (m_valid & !inside) p_nothing_made: assert (s_valid);
      if (m_valid & inside)
        p_no_flag_but_at_the_end: assert ((m_data == 8'h7e) == (ended & rest == 0));
      if (m_valid & escape) p_escaped: assert (m_data == 8'h5e | m_data == 8'h5d);
      if (tells & !ended) p_byte_as_it_was: assert (enters & told == s_data);
      p_nothing_lost: assert (!enters | (tells & inside & !ended));
      if (tells & ended) p_checksum: assert (told == (~sum >> (8 * (4 - rest))) % 256);
      p_moves_in_time: assert (idle < 4);
    end
  end

  // What makes it so.
  always @(posedge clk) if (on) begin
    i_state: assert (state < 5 & inside == (state != 0) & escape == escaped);
    i_ended: assert (ended == (state > 1));
    if (escaped) i_escaped: assert ((state == 3 | s_valid) & (plain == 8'h7e | plain == 8'h7d));
    if (state == 0) i_between: assert (!escaped & !\u_crc.valid_1 );
    if (state == 1 & first) i_none: assert (sum == ~32'd0 & !\u_crc.valid_1 );
    if ((state == 1 & !first) | state == 2) i_sum: assert (sum == so_far);
    if (state == 2) i_waits: assert (!escaped & rest == 4 & count < 4 & count != 0
      & (count == 3 | !\u_crc.valid_1 ) & idle < 4 - count);
    if (state == 3) i_trailer: assert (rest == count & count < 5 & count != 0 & !\u_crc.valid_1
      & crc_bytes == ~sum >> (8 * (4 - rest)));
    if (state == 4) i_end: assert (rest == 0 & !escaped & !\u_crc.valid_1 );
    if (state != 2) i_idle: assert (idle < 4 & (idle == 0 | m_valid));
  end
