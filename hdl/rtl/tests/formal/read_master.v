  // Beats of 128 bytes, 32 to a page. A job keeps the reader's rules: whole beats, a ring of 8 KiB or
  // none, what is owed begins at a page and only falls, a halt lasts until the reader is at rest.
  wire a_valid = m_axi_arvalid;
  wire a_ready = m_axi_arready;
  wire [13:0] a_addr = m_axi_araddr;
  wire [7:0] a_len = m_axi_arlen;
  wire [12:0] a_kind = {m_axi_arsize, m_axi_arburst, m_axi_arlock, m_axi_arcache, m_axi_arprot};
  wire a_id = m_axi_arid;
  wire comes = m_axi_rvalid & m_axi_rready;
  wire gives = m_valid & m_ready;
  wire starts = start & !busy & !halt & !rst;
  // Of the job: beats not asked for, and not given; the next address, the end.
  reg [5:0] unasked, ungiven;
  reg [13:0] want;
  reg [4:0] job_end;
  reg halted, bad;
  // Beats that the memory owes.
  reg [6:0] owing;
  wire [13:0] after = want + {m_axi_arlen + 7'd1, 7'd0};
  wire [13:0] want_next = ring[13] ? {want[13], after[12:0]} : after;
  // Beats in and out; what a halt drops is made up for at the next start. One of them, any, is
  // remembered.
  reg [5:0] ins, outs;
  (* anyconst *) reg [5:0] nth;
  reg [2:0] kept;
  wire [5:0] holds = ins - outs;
  wire [5:0] place = nth - outs;
  always @(posedge clk) begin
    if (starts | rst) begin
      unasked <= rst ? 0 : beats;
      ungiven <= rst ? 0 : beats;
      want <= addr;
      job_end <= addr[11:7] + beats[4:0];
    end else begin
      unasked <= unasked - asked_for;
      ungiven <= ungiven - gives;
      if (asks) want <= want_next;
    end
    ins <= rst ? 0 : ins + comes;
    outs <= rst ? 0 : starts ? ins : outs + gives;
    if (comes & (ins == nth)) kept <= m_axi_rdata;
    bad <= !rst & ((bad & !starts) | (comes & (m_axi_rresp != 0)));
    halted <= !rst & ((halted & !starts) | halt);
    owing <= rst ? 0 : owing + asked_for - comes;
  end
  always @* begin
    assume (!start | (beats != 0 & addr[6:0] == 0));
    assume (ring[12:0] == 0);
    assume (!starts | (owed <= beats));
    if (starts | busy)
      assume (owed == 0 | owed[4:0] == (starts ? addr[11:7] + beats[4:0] : job_end));
    // It answers what was asked for, and nothing else.
    assume (!m_axi_rvalid | owing != 0);
  end
  always @(posedge clk) if (went_on) begin
    if ($past(m_axi_rvalid & !m_axi_rready)) assume (m_axi_rvalid);
    if ($past(busy)) assume ($stable(ring));
    if ($past(busy | starts)) assume (owed <= $past(owed));
    if ($past(busy & halt)) assume (halt | !busy);
  end

  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!m_axi_arvalid & !m_valid & !busy);
    if (went_on && $past(m_valid & !m_ready) && !halt) begin
      p_offer_stays: assert (m_valid);
      p_offer_is_stable: assert ($stable({m_last, m_data}));
    end
    if (on) begin
      if (m_axi_arvalid) begin
        if (!halted) p_none_that_is_owed: assert (m_axi_arlen + owed < unasked);
      end
      p_taken_at_once: assert (!m_axi_rvalid | m_axi_rready);
      p_never_more_than_fits: assert (halted | owing + holds <= `DEPTH);
      p_nothing_made: assert (!m_valid | holds != 0);
      if (m_valid & (outs == nth)) p_same_beat_in_its_turn: assert (m_data == kept);
      if (m_valid) p_last: assert (m_last == (ungiven == 1));
      p_every_read_answered: assert (busy | (!m_axi_arvalid & owing == 0));
      p_all_is_given: assert (busy | halted | (ungiven == 0 & unasked == 0 & holds == 0));
      p_error: assert (error == bad);
    end
  end

  // Fairness: who waits for nobody else moves: asks, gets a beat, gives or drops one.
  wire waits = (m_axi_arvalid & !m_axi_arready) | (owing != 0 & !m_axi_rvalid)
    | (m_valid & !m_ready) | (unasked <= owed & owed != 0 & !halt);
  reg [3:0] idle;
  always @(posedge clk) idle <= (rst | !busy | asks | comes | leaves | waits) ? 0 : idle + 1;
  always @(posedge clk) if (on) p_moves_in_time: assert (idle < `LATENCY);

  // What makes it so.
  wire [7:0] offered = arvalid ? arlen + 8'd1 : 8'd0;
  wire [5:0] to_page = 6'd32 - next_addr[11:7];
  wire [5:0] shortest = (to_ask < to_page) ? to_ask : to_page;
  wire [2:0] to_offer = \u_fifo.head_full ? 0 : (u_fifo_level != 0 & \u_fifo.held == 0) ? 2 : 1;
  wire [2:0] to_issue = planned ? 0 : planning[2] ? 1 : planning[1] ? 2 : 3;
  always @(posedge clk) if (on) begin
    if (idle != 0) begin
      i_offers: assert (u_fifo_level == 0 | idle + to_offer < 4);
      if (busy & !halted & !arvalid & owing == 0 & u_fifo_level == 0)
        i_issues: assert (idle + to_issue < 4 & (!planned | (there & fits)));
      i_halts: assert (!busy | !halted | arvalid | owing != 0 | u_fifo_level != 0);
    end
    i_credit: assert (credit + owing + offered + u_fifo_level == `DEPTH);
    i_offered: assert (offered <= 32);
    i_planning: assert ((planning & (planning - 3'd1)) == 0 & !(planned & planning != 0));
    if (busy & to_ask == 0) begin
      i_asks_the_last: assert (!planning[0] | arvalid);
      i_gets_the_last: assert (!planning[1] | arvalid | owing != 0);
      i_has_the_last: assert (!planning[2] | arvalid | owing != 0 | \u_fifo.stored != 0);
    end
    i_some: assert (!planning[2] | some == (to_ask != 0));
    i_fits: assert (!(planned & fits) | credit >= burst_beats);
    i_there: assert (!(planned & there) | to_ask > owed);
    i_goes_on: assert (!busy | to_ask == 0 | planned | planning != 0);
    i_rest: assert (busy | (to_ask == 0 & !planned & planning == 0 & !arvalid & owing == 0
      & u_fifo_level == 0));
    i_halted: assert (!halted | !busy | (to_ask == 0 & !planned & planning == 0));
    i_halt_lasts: assert (!halted | !busy | halt);
    if (planning[1]) i_reach: assert (reach == to_page);
    if (planning[2] & to_ask != 0) i_burst: assert (burst_beats == shortest);
    if (planned) i_plan: assert (burst_beats == shortest & to_ask != 0);
    if (busy) i_whole: assert (next_addr[6:0] == 0);
    if (busy & !halted) begin
      i_unasked: assert (unasked == to_ask + offered);
      i_ungiven: assert (ungiven == to_give & to_give != 0);
      i_inside: assert (to_give + credit == to_ask + 32);
      i_next: assert (next_addr == (arvalid ? want_next : want));
      i_end: assert (to_ask == 0 | job_end == next_addr[11:7] + to_ask[4:0]);
    end
    i_write: assert (\u_fifo.write == ins[4:0]);
    if (!halted) i_holds: assert (holds == u_fifo_level);
    if (!halted & place < holds)
      i_kept: assert (kept == ((place < \u_fifo.held ) ? outside : \u_fifo.found ));
    if (arvalid) i_address: assert (araddr == want);
    i_error: assert (failed == bad);
  end
