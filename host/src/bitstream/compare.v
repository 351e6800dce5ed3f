// Comparisons as the sign of a difference: one carry chain on ECP5. What Yosys makes of them by itself
// is a chain of half the length behind a tree of LUTs. Short ones, and those with a constant, it does
// better.
(* techmap_celltype = "$lt $le $gt $ge" *)
module sterna_compare (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CELLTYPE_ = "";
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;

  localparam WIDTH = (A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH) + 1;
  localparam SIGNED = A_SIGNED && B_SIGNED;
  localparam SWAP = _TECHMAP_CELLTYPE_ == "$gt" || _TECHMAP_CELLTYPE_ == "$le";
  localparam NOT = _TECHMAP_CELLTYPE_ == "$ge" || _TECHMAP_CELLTYPE_ == "$le";
  wire _TECHMAP_FAIL_ = WIDTH < 6 || &_TECHMAP_CONSTMSK_A_ || &_TECHMAP_CONSTMSK_B_;

  wire [WIDTH-1:0] a = {{WIDTH{SIGNED ? A[A_WIDTH-1] : 1'b0}}, A};
  wire [WIDTH-1:0] b = {{WIDTH{SIGNED ? B[B_WIDTH-1] : 1'b0}}, B};
  wire [WIDTH-1:0] difference = SWAP ? b - a : a - b;
  assign Y = difference[WIDTH-1] ^ NOT;
endmodule
