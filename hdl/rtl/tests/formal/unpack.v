  // The beat that is being given out: words of 2 bits from beats of 8.
  reg [7:0] kept;
  reg [2:0] given_words;
  wire enters = s_valid & s_ready;
  wire leaves = m_valid & m_ready;
  always @(posedge clk) begin
    if (rst) given_words <= 4;
    else if (enters) given_words <= 0;
    else given_words <= given_words + leaves;
    if (enters) kept <= s_data;
  end
  always @(posedge clk) if (went_on && $past(m_valid & !m_ready)) begin
    p_offer_stays: assert (m_valid);
    p_offer_is_stable: assert ($stable(m_data));
  end
  wire [2:0] after = given_words + leaves;
  always @(posedge clk) if (on) begin
    p_nothing_made: assert (!m_valid | (given_words < 4));
    p_nothing_lost: assert (!enters | (after == 4));
    if (m_valid) p_same_word_in_its_turn: assert (m_data == kept[2 * given_words[1:0] +: 2]);
    p_offers_in_time: assert (m_valid | (given_words == 4));
    p_takes_in_time: assert (s_ready | (after < 4));
    i_left: assert (left == 4 - given_words);
    i_some: assert (some == (left != 0) & one == (left == 1));
    if (left != 0) i_rest: assert (beat[1:0] == kept[2 * given_words[1:0] +: 2]);
    if (left > 1) i_rest_2: assert (beat[3:2] == kept[2 * given_words[1:0] + 2 +: 2]);
    if (left > 2) i_rest_3: assert (beat[5:4] == kept[2 * given_words[1:0] + 4 +: 2]);
    if (left > 3) i_rest_4: assert (beat[7:6] == kept[2 * given_words[1:0] + 6 +: 2]);
  end
