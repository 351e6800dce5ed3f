  // A beat on offer stays until it is taken: assumed of the source, shown of the module. Beats are
  // counted in and out, round and round; one of them, any, is remembered and looked for again.
  wire [`WORD-1:0] s_word = {s_last, s_data};
  wire [`WORD-1:0] m_word = {m_last, m_data};
  reg [`BITS-1:0] ins, outs;
  (* anyconst *) reg [`BITS-1:0] nth;
  reg [`WORD-1:0] kept;
  wire enters = s_valid & s_ready;
  wire leaves = m_valid & m_ready;
  wire [`BITS-1:0] holds = ins - outs;
  wire [`BITS-1:0] place = nth - outs;
  wire there = place < holds;
  always @(posedge clk) begin
    if (rst) begin
      ins <= 0;
      outs <= 0;
    end else begin
      ins <= ins + enters;
      outs <= outs + leaves;
    end
    if (enters & (ins == nth)) kept <= s_word;
  end
  always @(posedge clk)
    if (went_on && $past(s_valid & !s_ready)) assume (s_valid && $stable(s_word));

  always @(posedge clk) begin
    if (went_on && $past(m_valid & !m_ready)) begin
      p_offer_stays: assert (m_valid);
      p_offer_is_stable: assert ($stable(m_word));
    end
    if (on) begin
      p_nothing_made: assert (!m_valid | (holds != 0));
      p_nothing_lost: assert (holds <= `CAPACITY);
      if (m_valid & (outs == nth)) p_same_beat_in_its_turn: assert (m_word == kept);
    end
  end

  // Fairness: who waits for an offer, or offers, is served within so many clocks.
  reg [3:0] starved, blocked;
  always @(posedge clk)
    if (rst) begin
      starved <= 0;
      blocked <= 0;
    end else begin
      starved <= (m_valid | (holds == 0)) ? 0 : starved + 1;
      blocked <= (s_ready | !m_ready) ? 0 : blocked + 1;
    end
  always @(posedge clk) if (on) begin
    p_offers_in_time: assert (starved < `LATENCY);
    p_takes_in_time: assert (blocked < `LATENCY);
  end
