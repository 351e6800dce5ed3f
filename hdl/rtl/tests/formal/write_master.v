  // Beats of 128 bytes, 32 to a page, 16 to a burst. Jobs are of whole beats; one that was halted is
  // followed by a reset. The memory answers a burst when it has all of it, and not before.
  wire a_valid = m_axi_awvalid;
  wire a_ready = m_axi_awready;
  wire [13:0] a_addr = m_axi_awaddr;
  wire [7:0] a_len = m_axi_awlen;
  wire [12:0] a_kind = {m_axi_awsize, m_axi_awburst, m_axi_awlock, m_axi_awcache, m_axi_awprot};
  wire a_id = m_axi_awid;
  wire sends = m_axi_wvalid & m_axi_wready;
  wire answers = m_axi_bvalid & m_axi_bready;
  wire starts = start & !busy & !halt & !rst;
  // Of the job: beats not announced, and not sent; the next address.
  reg [5:0] unasked, unsent;
  reg [13:0] want;
  reg halted, bad;
  // Addresses, and last beats, that have no answer; beats of the burst that were sent, its length.
  reg [1:0] bursts, ends;
  reg [4:0] sent, len_kept;
  wire [4:0] len = m_axi_awvalid ? m_axi_awlen : len_kept;
  wire idles = bursts == 0 & !m_axi_awvalid;
  // Beats in and out; one of them, any, is remembered.
  reg [5:0] ins, outs;
  (* anyconst *) reg [5:0] nth;
  reg [2:0] kept;
  wire [5:0] holds = ins - outs;
  wire [5:0] place = nth - outs;
  always @(posedge clk) begin
    if (rst) begin
      {bursts, ends, sent, unasked, unsent, halted, bad, ins, outs} <= 0;
    end else begin
      bursts <= bursts + asks - answers;
      ends <= ends + (sends & m_axi_wlast) - answers;
      sent <= (sends & m_axi_wlast) ? 0 : sent + sends;
      unasked <= starts ? beats : unasked - asked_for;
      unsent <= starts ? beats : unsent - sends;
      halted <= halted | (busy & halt & idles);
      bad <= (bad & !starts) | (answers & (m_axi_bresp != 0));
      ins <= ins + (s_valid & s_ready);
      outs <= outs + sends;
    end
    if (starts) want <= addr;
    else if (asks) want <= want + {m_axi_awlen + 6'd1, 7'd0};
    len_kept <= len;
    if (s_valid & s_ready & (ins == nth)) kept <= s_data;
  end
  always @* begin
    assume (!start | (beats != 0 & addr[6:0] == 0 & !halted));
    assume (!m_axi_bvalid | (bursts != 0 & ends != 0));
  end
  always @(posedge clk) if (went_on) begin
    if ($past(s_valid & !s_ready)) assume (s_valid && $stable(s_data));
    if ($past(m_axi_bvalid & !m_axi_bready)) assume (m_axi_bvalid);
  end

  always @(posedge clk) begin
    if (past && $past(rst)) p_quiet_after_reset: assert (!m_axi_awvalid & !m_axi_wvalid & !busy);
    if (went_on && $past(m_axi_wvalid & !m_axi_wready)) begin
      p_beat_stays: assert (m_axi_wvalid);
      p_beat_is_stable: assert ($stable({m_axi_wlast, m_axi_wdata}));
    end
    if (on) begin
      if (m_axi_awvalid) begin
        p_no_more_than_the_job: assert (m_axi_awlen < unasked);
        p_at_most_16: assert (m_axi_awlen < 16);
      end
      p_nothing_made: assert (!m_axi_wvalid | (holds != 0 & unsent != 0));
      p_beats_of_a_burst: assert (!m_axi_wvalid | ((m_axi_awvalid | bursts != 0) & ends == 0));
      p_beats_do_not_wait: assert (m_axi_wvalid | !(m_axi_awvalid | bursts != 0) | ends != 0);
      if (m_axi_wvalid) begin
        p_all_bytes: assert (&m_axi_wstrb);
        p_last: assert (m_axi_wlast == (sent == len));
      end
      if (m_axi_wvalid & (outs == nth)) p_same_beat_in_its_turn: assert (m_axi_wdata == kept);
      p_one_burst_at_a_time: assert (bursts + m_axi_awvalid < 2);
      p_answers_are_taken: assert (m_axi_bready);
      p_every_burst_answered: assert (busy | !(m_axi_awvalid | m_axi_wvalid | bursts != 0));
      p_all_is_sent: assert (busy | halted | (unasked == 0 & unsent == 0));
      p_error: assert (error == bad);
    end
  end

  // Fairness: who waits for nobody else, nor for the beats of a burst, moves.
  wire [5:0] to_page = 6'd32 - want[11:7];
  wire [5:0] longest = (to_page < 16) ? to_page : 6'd16;
  wire [5:0] need = (unasked < longest) ? unasked : longest;
  wire waits = (m_axi_awvalid & !m_axi_awready) | (m_axi_wvalid & !m_axi_wready)
    | (bursts != 0 & ends != 0 & !m_axi_bvalid) | (idles & holds < need);
  reg [3:0] idle;
  always @(posedge clk) idle <= (rst | !busy | asks | sends | answers | waits) ? 0 : idle + 1;
  always @(posedge clk) if (on) p_moves_in_time: assert (idle < `LATENCY);

  // What makes it so.
  wire [2:0] steps = held_2 ? 0 : held_1 ? 1 : planned ? 2 : planning ? 3 : 4;
  always @(posedge clk) if (on) begin
    i_writing: assert (writing == (bursts + awvalid != 0));
    i_sending: assert (sending == (to_send != 0));
    i_ends: assert (ends == (writing & !sending));
    i_sent: assert (sending ? sent + to_send == len + 1 : sent == 0);
    i_len: assert (!writing | len < 16);
    i_busy: assert (!writing | busy);
    i_unsent: assert (!busy | unsent == left + to_send);
    i_job: assert (!busy | left + to_send < 64);
    i_unasked: assert (!busy | unasked == left + (awvalid ? awlen + 1 : 0));
    i_rest: assert (busy | halted | (unasked == 0 & unsent == 0));
    i_halted: assert (!halted | !busy);
    i_work: assert (!busy | writing | left != 0);
    i_level: assert (u_fifo_level == holds);
    i_enough: assert (holds >= to_send);
    i_supply: assert (!sending | (\u_fifo.head_full & (to_send == 1 | \u_fifo.held > 1)));
    i_write: assert (\u_fifo.write == ins[4:0]);
    if (place < holds)
      i_kept: assert (kept == ((place < \u_fifo.held ) ? outside : \u_fifo.found ));
    if (awvalid) i_address: assert (awaddr == want);
    if (busy) begin
      i_whole: assert (next_addr[6:0] == 0);
      i_next: assert (next_addr == (awvalid ? want + {awlen[5:0] + 6'd1, 7'd0} : want));
      if (!writing & planning) i_reach: assert (reach == longest);
      if (!writing & planned) i_plan: assert (burst == need);
    end
    i_planned: assert (!planned | planning | !busy);
    i_quiet: assert (!writing | !(planned | planning));
    if (idle != 0 & !writing & busy) i_steps: assert (idle + steps < 5);
    i_error: assert (failed == bad);
  end
