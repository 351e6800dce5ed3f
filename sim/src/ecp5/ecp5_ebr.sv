// The block RAM of an ECP5: 512 rows of 36 bits behind two ports of one clock.
//
//   row      35..27  26..18  17..9  8..0      four bytes of nine bits
//   address  [13:5]  row, [4] half of it, [3] byte of the half, [2:0] bit of the byte
//
// A port of 9 bits takes a byte, one of 18 a half, one of 36 the row. Ports of 1, 2 and 4 bits do
// not reach the ninth bit. Where a port has 18 or 36 bits, the address's lowest bits are its byte
// enables instead.
//
// With a port of 36 bits the memory is "pseudo dual port": A writes, from both ports' data pins, and
// B reads, to both ports' pins.
//
// What the hardware makes of it is not defined where one port reads what the other one writes in
// the same clock: the model gives the opposite of what was there, so that nobody can rely on it.
// Whatever else it does not know ends the simulation.
`begin_keywords "1800-2017"
module ecp5_ebr #(
    parameter WIDTH_A = 18,
    parameter WIDTH_B = 18,
    parameter string MODE_A = "NORMAL",
    parameter string MODE_B = "NORMAL",
    parameter string REG_A = "NOREG",
    parameter string REG_B = "NOREG",
    parameter string RESET = "SYNC"
) (
    input  wire        clka,
    input  wire        cea,
    input  wire        ocea,
    input  wire        wea,
    input  wire        rsta,
    input  wire [13:0] ada,
    input  wire [17:0] dia,
    output wire [17:0] doa,
    input  wire        clkb,
    input  wire        ceb,
    input  wire        oceb,
    input  wire        web,
    input  wire        rstb,
    input  wire [13:0] adb,
    input  wire [17:0] dib,
    output wire [17:0] dob
);
    localparam PSEUDO = WIDTH_A == 36 || WIDTH_B == 36;

    function automatic legal_width(input integer width);
        legal_width = width == 1 || width == 2 || width == 4 || width == 9 || width == 18
            || width == 36;
    endfunction

    generate
        if (!legal_width(WIDTH_A)) $fatal(1, "ecp5_ebr: no port has %0d bits", WIDTH_A);
        if (!legal_width(WIDTH_B)) $fatal(1, "ecp5_ebr: no port has %0d bits", WIDTH_B);
        if (RESET != "SYNC" && RESET != "ASYNC") $fatal(1, "ecp5_ebr: RESETMODE %s", RESET);
        if (MODE_A != "NORMAL" && MODE_A != "WRITETHROUGH" && MODE_A != "READBEFOREWRITE")
            $fatal(1, "ecp5_ebr: WRITEMODE_A %s", MODE_A);
        if (MODE_B != "NORMAL" && MODE_B != "WRITETHROUGH" && MODE_B != "READBEFOREWRITE")
            $fatal(1, "ecp5_ebr: WRITEMODE_B %s", MODE_B);
        if (REG_A != "NOREG" && REG_A != "OUTREG") $fatal(1, "ecp5_ebr: REGMODE_A %s", REG_A);
        if (REG_B != "NOREG" && REG_B != "OUTREG") $fatal(1, "ecp5_ebr: REGMODE_B %s", REG_B);
    endgenerate

    // First bit of a port's word in its row.
    function automatic [5:0] base(input integer width, input [13:0] ad);
        case (width)
            36: base = 6'd0;
            18: base = ad[4] ? 6'd18 : 6'd0;
            default: begin
                base = 6'd9 * {4'd0, ad[4:3]};
                if (width < 9) base = base + ({3'd0, ad[2:0]} & ~(width[5:0] - 6'd1));
            end
        endcase
    endfunction

    // Bits of the row that a port may write.
    function automatic [35:0] mask(input integer width, input [13:0] ad);
        case (width)
            36: mask = {{9{ad[3]}}, {9{ad[2]}}, {9{ad[1]}}, {9{ad[0]}}};
            18: mask = {18'd0, {9{ad[1]}}, {9{ad[0]}}} << base(width, ad);
            default: mask = ~(36'hfffffffff << width) << base(width, ad);
        endcase
    endfunction

    // Bits of the row that a port reads.
    function automatic [35:0] seen(input integer width, input [13:0] ad);
        seen = width == 36 ? 36'hfffffffff : ~(36'hfffffffff << width) << base(width, ad);
    endfunction

    reg [35:0] ram[0:511];

    // Contents after power-up, row 0 the lowest: a half of 18 bits in each 20.
    task automatic load(input [20479:0] words);
        for (int n = 0; n < 512; ++n) ram[n] = {words[40 * n + 20 +: 18], words[40 * n +: 18]};
    endtask

    wire [8:0]  row_a = ada[13:5];
    wire [8:0]  row_b = adb[13:5];
    wire        writes_a = cea && wea;
    wire        writes_b = ceb && web;
    wire [35:0] mask_a = mask(WIDTH_A, ada);
    wire [35:0] mask_b = mask(WIDTH_B, adb);
    wire [35:0] data_a = WIDTH_A == 36 ? {dib, dia} : {18'd0, dia} << base(WIDTH_A, ada);
    wire [35:0] data_b = {18'd0, dib} << base(WIDTH_B, adb);
    wire [35:0] old_a = ram[row_a];
    wire [35:0] old_b = ram[row_b];
    wire [35:0] new_a = old_a & ~mask_a | data_a & mask_a;
    wire [35:0] new_b = old_b & ~mask_b | data_b & mask_b;

    // Bits that the other port changes under a port's eyes.
    wire [35:0] lost_a = writes_b && row_a == row_b ? mask_b & seen(WIDTH_A, ada) : 36'd0;
    wire [35:0] lost_b = writes_a && row_a == row_b ? mask_a & seen(WIDTH_B, adb) : 36'd0;

    reg [35:0] latch_a = 36'd0;
    reg [35:0] latch_b = 36'd0;
    wire [35:0] word_a = (old_a ^ lost_a) >> base(WIDTH_A, ada);
    wire [35:0] word_b = (old_b ^ lost_b) >> base(WIDTH_B, adb);
    wire        shows_a = cea && (!wea || MODE_A != "NORMAL");
    wire        shows_b = ceb && (!web || MODE_B != "NORMAL");
    wire [35:0] next_a =
        wea && MODE_A == "WRITETHROUGH" ? new_a >> base(WIDTH_A, ada) : word_a;
    wire [35:0] next_b =
        web && MODE_B == "WRITETHROUGH" ? new_b >> base(WIDTH_B, adb) : word_b;

    always @(posedge clka) begin
        if (writes_a) ram[row_a] <= new_a;
        if (writes_a && rsta) $stop; // not modelled: port A writes while in reset
        if (writes_a && MODE_A == "WRITETHROUGH" && mask_a != seen(WIDTH_A, ada))
            $stop; // not modelled: WRITETHROUGH of some bytes of a word, port A
        if (writes_a && writes_b && row_a == row_b) $stop; // not modelled: two writes to one row
        if (rsta && REG_A == "OUTREG") $stop; // not modelled: a reset of output register A
    end
    always @(posedge clkb) begin
        if (writes_b) ram[row_b] <= new_b;
        if (writes_b && PSEUDO) $stop; // not modelled: port B writes beside a port of 36 bits
        if (writes_b && rstb) $stop; // not modelled: port B writes while in reset
        if (writes_b && MODE_B == "WRITETHROUGH" && mask_b != seen(WIDTH_B, adb))
            $stop; // not modelled: WRITETHROUGH of some bytes of a word, port B
        if (rstb && REG_B == "OUTREG") $stop; // not modelled: a reset of output register B
    end

    generate
        if (RESET == "ASYNC") begin : g_async
            always @(posedge clka or posedge rsta)
                if (rsta) latch_a <= 36'd0; else if (shows_a) latch_a <= next_a;
            always @(posedge clkb or posedge rstb)
                if (rstb) latch_b <= 36'd0; else if (shows_b) latch_b <= next_b;
        end else begin : g_sync
            always @(posedge clka)
                if (rsta) latch_a <= 36'd0; else if (shows_a) latch_a <= next_a;
            always @(posedge clkb)
                if (rstb) latch_b <= 36'd0; else if (shows_b) latch_b <= next_b;
        end
    endgenerate

    reg [35:0] out_a = 36'd0;
    reg [35:0] out_b = 36'd0;
    always @(posedge clka) if (ocea) out_a <= latch_a;
    always @(posedge clkb) if (oceb) out_b <= latch_b;
    wire [35:0] q_a = REG_A == "OUTREG" ? out_a : latch_a;
    wire [35:0] q_b = REG_B == "OUTREG" ? out_b : latch_b;

    // As many pins as a port has bits; the others are low.
    function automatic [17:0] pins(input integer width, input [17:0] q);
        pins = width >= 18 ? q : q & ~(18'h3ffff << width);
    endfunction

    assign doa = WIDTH_B == 36 ? q_b[17:0] : PSEUDO ? 18'd0 : pins(WIDTH_A, q_a[17:0]);
    assign dob = WIDTH_B == 36 ? q_b[35:18] : pins(WIDTH_B, q_b[17:0]);
endmodule
`end_keywords
