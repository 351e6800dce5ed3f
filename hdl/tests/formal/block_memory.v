  // A master keeps its offers, and sends as many beats as it announced. What the RAM holds is left
  // out: which word is read or written, and when, is claimed, and where what was read goes.
  (* anyseq *) reg [63:0] any_word;
  wire ar = s_axi_arvalid & s_axi_arready;
  wire aw = s_axi_awvalid & s_axi_awready;
  wire w = s_axi_wvalid & s_axi_wready;
  wire b = s_axi_bvalid & s_axi_bready;
  wire r = s_axi_rvalid & s_axi_rready;
  always @(posedge clk) if (went_on) begin
    if ($past(s_axi_arvalid & !s_axi_arready))
      assume (s_axi_arvalid && $stable({s_axi_araddr, s_axi_arlen, s_axi_arid}));
    if ($past(s_axi_awvalid & !s_axi_awready))
      assume (s_axi_awvalid && $stable({s_axi_awaddr, s_axi_awlen, s_axi_awid}));
    if ($past(s_axi_wvalid & !s_axi_wready))
      assume (s_axi_wvalid && $stable({s_axi_wdata, s_axi_wstrb, s_axi_wlast}));
  end
  // The write: its address was taken, its last beat was; and beats to come behind the next.
  reg open, owed, w_lost, w_id;
  reg [8:0] w_word;
  reg [7:0] w_left;
  always @* assume (!w | s_axi_wlast == (w_left == 0));
  // Reads: beats asked for, read, given; of one of them, any, what it has to be.
  reg [9:0] ins, seen, outs;
  (* anyconst *) reg [9:0] nth;
  reg [8:0] word;
  reg id, lost, ends;
  reg [63:0] kept;
  wire [9:0] holds = ins - outs;
  wire [9:0] from_first = nth - ins;
  reg [3:0] late;
  always @(posedge clk) begin
    open <= !rst & (aw | (open & !(w & s_axi_wlast)));
    owed <= !rst & ((w & s_axi_wlast) | (owed & !b));
    if (aw) {w_lost, w_word, w_id, w_left} <= {s_axi_awaddr[12:3], s_axi_awid, s_axi_awlen};
    else if (w) {w_word, w_left} <= {w_word + 9'd1, w_left - 8'd1};
    ins <= rst ? 0 : ins + (ar ? s_axi_arlen + 9'd1 : 9'd0);
    seen <= rst ? 0 : seen + issue;
    outs <= rst ? 0 : outs + r;
    if (ar & from_first <= s_axi_arlen) begin
      word <= s_axi_araddr[11:3] + from_first[8:0];
      {id, lost, ends} <= {s_axi_arid, s_axi_araddr[12], from_first == s_axi_arlen};
    end
    if (fetched & seen - 10'd1 == nth) kept <= bank_0_q;
    late <= (rst | s_axi_rvalid | holds == 0) ? 0 : late + !storing;
  end

  always @(posedge clk) begin
    if (on) begin
      p_no_response_without_a_write: assert (!s_axi_bvalid | owed);
      p_every_write_answered: assert (s_axi_bvalid | !owed);
      if (s_axi_bvalid) p_response_of_its_write: assert (s_axi_bid == w_id & s_axi_bresp == {w_lost, 1'b0});
      p_no_beat_without_an_address: assert (!s_axi_wready | open);
      p_takes_beats_at_once: assert (s_axi_wready | !open);
      p_one_write_at_a_time: assert (!s_axi_awready | !(open | owed));
      p_takes_writes_at_once: assert (s_axi_awready | open | owed);
      p_nothing_made: assert (!s_axi_rvalid | holds != 0);
      if (s_axi_rvalid & outs == nth) begin
        p_read_in_its_turn: assert (s_axi_rid == id & s_axi_rlast == ends & s_axi_rresp == {lost, 1'b0});
        p_data_as_read: assert (s_axi_rdata == kept);
      end
      if (issue & seen == nth) p_reads_its_word: assert (read_at == word & and_4 == !lost);
      p_reads_in_time: assert (late < 3);
      p_takes_reads_at_rest: assert (s_axi_arready | holds != 0);
    end
    if (went_on) begin
      p_writes_what_came: assert (storing == $past(w & !w_lost));
      if (storing) p_word_in_its_place: assert ({to, data, strobes} == $past({w_word, s_axi_wdata, s_axi_wstrb}));
    end
  end

  // What makes it so.
  (* hierconn *) wire [2:0] \u_reads.count ;
  (* hierconn *) wire [1:0] \u_reads.read ;
  (* hierconn *) wire [1:0] \u_reads.write ;
  (* hierconn *) wire [66:0] \u_reads.slot_0 ;
  (* hierconn *) wire [66:0] \u_reads.slot_1 ;
  (* hierconn *) wire [66:0] \u_reads.slot_2 ;
  (* hierconn *) wire [66:0] \u_reads.slot_3 ;
  wire [9:0] place = nth - outs;
  wire [9:0] ahead = nth - seen;
  wire [1:0] at_slot = \u_reads.read + place[1:0];
  wire [66:0] slot = at_slot[1] ? (at_slot[0] ? \u_reads.slot_3 : \u_reads.slot_2 )
    : (at_slot[0] ? \u_reads.slot_1 : \u_reads.slot_0 );
  always @(posedge clk) if (on) begin
    i_credit: assert (credit + fetched + \u_reads.count == 4 & credit < 5);
    i_pointers: assert (\u_reads.write == (\u_reads.read + \u_reads.count ) % 4 & \u_reads.count < 5);
    i_seen: assert (seen - outs == fetched + \u_reads.count );
    i_asked: assert (ins - seen == (read_under_way ? left + 9'd1 : 9'd0));
    if (read_under_way & ahead <= left)
      i_walk: assert (word == read_at + ahead[8:0] & {id, lost} == {read_id, read_lost}
        & ends == (ahead == left));
    if (fetched & nth == seen - 10'd1) i_mark: assert (mark == {lost, ends, id});
    if (place < \u_reads.count ) i_slot: assert (slot == {lost, ends, id, kept});
    i_writes: assert (open == write_under_way & owed == answer & !(open & owed));
    if (open | owed) i_write: assert ({w_lost, w_id} == {write_lost, write_id});
    if (open) i_write_at: assert (w_word == write_at);
    if (\u_reads.count == 0 & fetched) i_late_1: assert (late < 2);
    if (\u_reads.count == 0 & !fetched) i_late_2: assert (late == 0);
  end
