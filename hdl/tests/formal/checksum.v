  // CRC-32C, a bit at a time, and what the module's own has in its registers.
  function [31:0] add(input [31:0] sum, input [7:0] more);
    integer n;
    begin
      add = sum ^ more;
      for (n = 0; n < 8; n = n + 1) add = (add >> 1) ^ (add[0] ? 32'h82f63b78 : 0);
    end
  endfunction
  (* hierconn *) wire [31:0] \u_crc.state ;
  (* hierconn *) wire [31:0] \u_crc.part ;
  (* hierconn *) wire [31:0] \u_crc.cat_2 ;
  (* hierconn *) wire \u_crc.valid_1 ;
  wire [31:0] so_far = \u_crc.valid_1 ? \u_crc.cat_2 ^ \u_crc.part : \u_crc.state ;
