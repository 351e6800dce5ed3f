  // A request stays as it is until it was obeyed, and its word comes three clocks behind its number.
  // The masters and the queue behind the reader have proofs of their own: here they do what those say,
  // and else anything. Registers answer what was asked, and nothing else.
  wire [87:0] request = {number, operation, length, address, size};
  wire moved = reply_valid & reply_ready;
  wire ar = m_lite_arvalid & m_lite_arready;
  wire aw = m_lite_awvalid & m_lite_awready;
  wire w = m_lite_wvalid & m_lite_wready;
  wire r = m_lite_rvalid & m_lite_rready;
  wire b = m_lite_bvalid & m_lite_bready;
  wire streamed = u_unpack_m_valid & streams & reply_ready;
  wire stored = u_writer_s_valid & u_writer_s_ready;
  // What is legal.
  wire a_word = length == 4 & address[1:0] == 0 & address[39:12] == 0;
  wire units = length != 0 & length <= 1024 & length[2:0] == 0 & address[2:0] == 0;
  wire pings = operation == 1 & size == 0;
  wire gets = operation == 2 & size == 0 & a_word;
  wire sets = operation == 3 & size == 4 & a_word;
  wire reads = operation == 4 & size == 0 & units;
  wire writes = operation == 5 & size == length & units;
  // Of the request: bytes replied, words given to the writer, whether a register was asked, answered,
  // and how; bytes that the reader still has. Of the one before: what it wrote.
  reg [11:0] replied;
  reg [7:0] stores;
  reg asked_r, asked_w, owes_r, owes_w, owes_b, got_r, got_b, refused;
  reg [31:0] kept;
  reg [10:0] due;
  reg wrote;
  reg [7:0] wrote_as, wrote_how;
  wire repeats = sets & wrote & wrote_as == number;
  wire [10:0] payload = pings ? 16 : gets ? 4 : reads ? length : 0;
  reg [2:0] steady;
  always @(posedge clk) begin
    if (rst | taken) {replied, stores, asked_r, asked_w, got_r, got_b, refused} <= 0;
    else begin
      replied <= replied + moved;
      stores <= stores + stored;
      asked_r <= asked_r | m_lite_arvalid;
      asked_w <= asked_w | m_lite_awvalid | m_lite_wvalid;
      got_r <= got_r | r;
      got_b <= got_b | b;
      refused <= refused | (r & m_lite_rresp != 0) | (b & m_lite_bresp != 0);
    end
    owes_r <= !rst & (ar | (owes_r & !r));
    owes_w <= !rst & !b & (w | owes_w);
    owes_b <= !rst & !b & (aw | owes_b);
    if (r) kept <= m_lite_rdata;
    due <= rst ? 0 : starts_read ? length : due - streamed;
    wrote <= !rst & (taken ? sets : wrote);
    if (taken) wrote_as <= number;
    if (taken & sets & !repeats) wrote_how <= reply_data;
    steady <= (rst | !valid | stored) ? 0 : (steady == 7) ? 7 : steady + 1;
  end
  always @* begin
    assume (!m_lite_rvalid | owes_r);
    assume (!m_lite_bvalid | (owes_w & owes_b));
    assume (!u_unpack_m_valid | due != 0);
  end
  always @(posedge clk) begin
    if (past && $past(rst)) assume (!valid & !u_writer_busy);
    if (went_on) begin
      if ($past(valid & !taken)) assume (valid && $stable(request));
      if ($past(taken)) assume (!valid);
      if (steady > 3) assume ($stable(word));
      if ($past(u_unpack_m_valid & !(streams & reply_ready)))
        assume (u_unpack_m_valid && $stable(u_unpack_m_data));
      if ($past(due == 0)) assume ($stable(u_reader_error));
      if ($past(starts_write)) assume (u_writer_busy);
      if ($past(!starts_write & !u_writer_busy)) assume (!u_writer_busy && $stable(u_writer_error));
      if ($past(u_writer_busy) && stores != length[10:3]) assume (u_writer_busy);
    end
  end
  // What all wait for: somebody else, or a word.
  wire waits = !valid | (reply_valid & !reply_ready) | (m_lite_arvalid & !m_lite_arready)
    | (m_lite_awvalid & !m_lite_awready) | (m_lite_wvalid & !m_lite_wready)
    | (owes_r & !m_lite_rvalid) | (owes_w & owes_b & !m_lite_bvalid)
    | (u_writer_busy & (stores == length[10:3] | !u_writer_s_ready)) | (due != 0 & replied > 1);
  reg [3:0] idle;
  always @(posedge clk)
    idle <= (rst | waits | moved | ar | aw | w | r | b | stored) ? 0 : idle + 1;

  wire [15:0] nth_bit = 8 * (replied - 2);
  wire [127:0] hello = {64'd`MEMORY, 16'd1024, 16'd1, "LRTS"};
  wire [7:0] register_bad = refused ? 2 : 0;
  wire [7:0] outcome = !(pings | gets | sets | reads | writes) ? 1
    : repeats ? wrote_how : (gets | sets) ? register_bad
    : (reads & u_reader_error) | (writes & u_writer_error) ? 3 : 0;
  always @(posedge clk) begin
    if (past && $past(rst))
      p_quiet_after_reset: assert (!m_lite_arvalid & !m_lite_awvalid & !m_lite_wvalid & !reply_valid);
    if (went_on) begin
      if ($past(m_lite_arvalid & !m_lite_arready))
        p_read_stays: assert (m_lite_arvalid && $stable(m_lite_araddr));
      if ($past(m_lite_awvalid & !m_lite_awready))
        p_write_stays: assert (m_lite_awvalid && $stable(m_lite_awaddr));
      if ($past(m_lite_wvalid & !m_lite_wready))
        p_data_stays: assert (m_lite_wvalid && $stable({m_lite_wdata, m_lite_wstrb}));
      if ($past(u_writer_s_valid & !u_writer_s_ready))
        p_word_stays: assert (u_writer_s_valid && $stable(word));
      if ($past(reply_valid & !reply_ready)) begin
        p_reply_stays: assert (reply_valid);
        p_reply_is_stable: assert ($stable({reply_data, reply_last}));
      end
    end
    if (on) begin
      p_no_reply_without_a_request: assert (!reply_valid | valid);
      p_taken_with_the_last: assert (taken == (moved & reply_last));
      if (reply_valid) begin
        p_length: assert (reply_last == (replied == 2 + payload));
        if (replied == 0) p_number: assert (reply_data == number);
        if (replied == 1) p_operation: assert (reply_data == operation);
        if (replied > 1 & !reply_last) begin
          if (pings) p_hello: assert (reply_data == hello[nth_bit +: 8]);
          if (gets) p_value: assert (reply_data == kept[nth_bit +: 8]);
          if (reads) p_byte_of_memory: assert (reply_data == u_unpack_m_data & moved == streamed);
        end
        if (reply_last) p_status: assert (reply_data == outcome);
      end
      p_no_byte_lost: assert (!streamed | moved);
      if (taken) begin
        p_register_was_read: assert (!gets | got_r);
        p_register_was_written: assert (!sets | repeats | got_b);
        p_words_were_given: assert (!writes | stores == length[10:3]);
      end
      p_reads_once_and_if_asked: assert (!m_lite_arvalid | (gets & !owes_r & !got_r));
      p_writes_once_and_if_asked: assert (!m_lite_awvalid | (sets & !repeats & !owes_b & !got_b));
      p_answers_are_taken: assert ((!m_lite_rvalid | m_lite_rready) & (!m_lite_bvalid | m_lite_bready));
      p_memory_if_asked: assert (!(starts_read | starts_write) | (replied == 0
        & (starts_read ? reads : writes)));
      if (stored) p_word_in_its_turn: assert (at == stores & stores < length[10:3] & steady > 2);
      p_moves_in_time: assert (idle < 8);
    end
  end

  // What makes it so.
  wire still = state == 0;
  always @(posedge clk) if (on) begin
    i_state: assert (state < 7 & (still | (valid & age == 5)) & age < 6);
    if (valid & age != 0) i_asked: assert ({ping, read_register, write_register, read_memory,
      write_memory} == {pings, gets, sets, reads, writes});
    i_last: assert (last_was == (still ? wrote : sets));
    if (still & wrote) i_last_was: assert (last_sequence == wrote_as & last_status == wrote_how);
    if (!still) i_last_is: assert (last_sequence == number);
    if (still) i_none: assert ({replied, stores, due, got_r, got_b, refused, second} == 0);
    if (still & valid) i_steady_1: assert (steady >= age);
    if (state == 1) i_steady_2: assert (steady > 4 & !repeats & (gets | sets) & !second
      & {replied, stores, due, got_r, got_b, refused} == 0);
    i_offers: assert (state == 1 | {ar_offered, aw_offered, w_offered, owes_r, owes_w, owes_b} == 0);
    if (state == 1) i_one_each: assert ({1'b0, ar_offered} + owes_r == gets & {1'b0, aw_offered} + owes_b == sets
      & {1'b0, w_offered} + owes_w == sets);
    i_rest: assert (state == 2 | (to_give == 0 & !u_writer_busy));
    i_due: assert (state == 3 | state == 5 | due == 0);
    if (state == 2) begin
      i_gives: assert ({1'd0, to_give} + stores == length[10:3] & at_word == stores[6:0] & replied == 0 & !second
        & writes & (u_writer_busy | to_give == 0));
      i_delay_1: assert (delay == 0 ? steady > 3 : steady == 4 - delay);
      i_none_2: assert ({got_r, got_b, refused} == 0);
    end
    i_delay_2: assert (delay < 5 & (!still | !valid | delay == 0 | delay + age < 5));
    if (valid & (still | state == 1)) i_at: assert (at_word == 0);
    if (state == 1 | state == 2) i_well: assert (status == 0 & left == 0);
    if (state > 2) begin
      i_done: assert ((!gets | got_r) & (!sets | repeats | got_b) & (!writes | stores == length[10:3]));
      i_status: assert (status == (reads ? 0 : outcome));
      i_left: assert (state == 6 ? left == 0 & replied == 2 + payload
        : left + (replied < 2 ? 0 : replied - 2) == payload);
      i_head: assert (state == 3 ? replied == second : replied > 1 & !second);
      i_more: assert (state == 3 | state == 6 | left != 0);
      i_kind: assert (state == 5 ? reads : state == 4 ? !reads : 1);
      if (reads) i_reads: assert (due == left);
      if (!reads) i_no_reads: assert (due == 0);
      if (pings & state != 6) i_hello: assert (data == hello >> (replied < 2 ? 0 : nth_bit));
      if (gets & state != 6) i_value: assert (data == {96'd0, kept} >> (replied < 2 ? 0 : nth_bit));
      if (sets) i_written: assert (last_status == status);
    end
    i_idle_1: assert (still ? (valid ? idle <= age : idle == 0) : idle < 8 & (state > 2 | idle < 7));
    if (state == 2 & to_give == 0) i_ends: assert (started & idle == 0);
    else if (state == 2 & delay != 0) i_idle_2: assert (idle + delay < 5);
    if (state == 5) i_idle_3: assert (idle == 0);
  end
