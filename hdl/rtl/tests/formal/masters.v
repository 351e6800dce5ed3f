  // What both masters have: an address channel, and the queue of their beats.
  wire asks = a_valid & a_ready;
  wire [5:0] asked_for = asks ? a_len + 6'd1 : 6'd0;
  always @(posedge clk) begin
    if (went_on && $past(a_valid & !a_ready)) begin
      p_address_stays: assert (a_valid);
      p_address_is_stable: assert ($stable({a_addr, a_len}));
    end
    if (went_on && $past(asks)) p_no_two_in_a_row: assert (!a_valid);
    if (on & a_valid) begin
      p_within_4_kib: assert (a_addr[11:7] + a_len < 32);
      p_whole_beats: assert (a_addr[6:0] == 0);
      // Of 128 bytes, one behind the other, normal memory, no lock.
      p_plain: assert (a_kind == {3'd7, 2'd1, 1'd0, 4'd3, 3'd0} && a_id == `NUMBER);
      p_next_address: assert (a_addr == want);
    end
  end

  (* hierconn *) wire [4:0] \u_fifo.looked_at ;
  (* hierconn *) wire [2:0] \u_fifo.found ;
  (* hierconn *) wire [2:0] \u_fifo.head ;
  (* hierconn *) wire [2:0] \u_fifo.next ;
  (* hierconn *) wire [2:0] \u_fifo.ram_q ;
  (* hierconn *) wire [2:0] \u_fifo.held ;
  (* hierconn *) wire [5:0] \u_fifo.stored ;
  (* hierconn *) wire \u_fifo.head_full ;
  (* hierconn *) wire \u_fifo.next_full ;
  (* hierconn *) wire [4:0] \u_fifo.write ;
  assign \u_fifo.looked_at = nth[4:0];
  // The word of the remembered beat, if the queue's memory no longer has it.
  wire [2:0] outside = (place == 0 & \u_fifo.head_full ) ? \u_fifo.head
    : (place == \u_fifo.head_full & \u_fifo.next_full ) ? \u_fifo.next : \u_fifo.ram_q ;
