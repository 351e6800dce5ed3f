  // What is gathered, done again: words of 2 bits to beats of 8.
  reg [7:0] part;
  reg [1:0] word;
  reg [1:0] ins, outs;
  (* anyconst *) reg [1:0] nth;
  reg [8:0] kept;
  wire enters = s_valid & s_ready;
  wire leaves = m_valid & m_ready;
  wire [1:0] holds = ins - outs;
  wire [1:0] place = nth - outs;
  wire [7:0] more = part | (s_data << (2 * word));
  wire whole = enters & (s_last | (word == 3));
  always @(posedge clk) begin
    if (rst | whole) begin
      part <= 0;
      word <= 0;
    end else if (enters) begin
      part <= more;
      word <= word + 1;
    end
    if (rst) ins <= 0;
    else ins <= ins + whole;
    if (rst) outs <= 0;
    else outs <= outs + leaves;
    if (whole & (ins == nth)) kept <= {s_last, more};
  end
  always @(posedge clk) if (went_on && $past(m_valid & !m_ready)) begin
    p_offer_stays: assert (m_valid);
    p_offer_is_stable: assert ($stable({m_last, m_data}));
  end
  reg [3:0] starved, blocked;
  always @(posedge clk) begin
    starved <= (rst | m_valid | (holds == 0)) ? 0 : starved + 1;
    blocked <= (rst | s_ready | !m_ready) ? 0 : blocked + 1;
  end
  always @(posedge clk) if (on) begin
    p_nothing_made: assert (!m_valid | (holds != 0));
    p_nothing_lost: assert (holds <= 2);
    if (m_valid & (outs == nth)) p_same_beat_in_its_turn: assert ({m_last, m_data} == kept);
    p_offers_in_time: assert (starved < 2);
    p_takes_in_time: assert (blocked < 2);
    i_count: assert (holds == full + valid);
    i_part: assert (full | (gathered == part));
    i_word: assert (at == word);
    i_empty: assert (!full | (part == 0));
    if (place < holds)
      i_kept: assert (kept == ((place == 0 & valid) ? {beat_last, beat} : {ends, gathered}));
  end
