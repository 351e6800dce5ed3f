  // Someone who goes on asking, and how many others were served meanwhile.
  (* anyconst *) reg [1:0] who;
  reg [2:0] others;
  wire asks = request[who];
  wire served = take & (grant != 0);
  always @(posedge clk)
    if (rst | !asks | (take & grant[who])) others <= 0;
    else others <= others + served;
  // Whose turn it was last: the highest bit that is not later.
  wire [1:0] turn = later[1] ? 0 : later[2] ? 1 : later[3] ? 2 : 3;
  wire [1:0] distance = who - turn - 2'd1;
  always @(posedge clk) if (on) begin
    p_bounded_turn: assert (others + (asks & served & !grant[who]) < 4);
    p_granted_alone: assert (!asks | (request != (4'd1 << who)) | grant[who]);
    i_later: assert ((later == 4'b1110) | (later == 4'b1100) | (later == 4'b1000) | (later == 0));
    i_distance: assert (others + distance < 4);
  end
