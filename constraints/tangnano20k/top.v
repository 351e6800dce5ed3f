// Tang Nano 20K: clock, reset and pads around `sterna_serial_board`, which is generated for 54 MHz.
//
//  clk_27mhz -> [ rPLL ] -- 54 MHz ---------> everything
//                       \- 90 degrees later -> O_sdram_clk
//
// The SDRAM is in the FPGA's package; its ports are found by their names.
module tangnano_top (
    input  wire        clk_27mhz,
    input  wire        uart_rx,
    output wire        uart_tx,
    output wire [5:0]  led_n,
    output wire        O_sdram_clk,
    output wire        O_sdram_cke,
    output wire        O_sdram_cs_n,
    output wire        O_sdram_ras_n,
    output wire        O_sdram_cas_n,
    output wire        O_sdram_wen_n,
    output wire [1:0]  O_sdram_ba,
    output wire [10:0] O_sdram_addr,
    output wire [3:0]  O_sdram_dqm,
    inout  wire [31:0] IO_sdram_dq
);
    wire clk;
    wire clk_late;
    wire locked;

    // 27 MHz * 2 = 54 MHz, from an oscillator of 864 MHz; CLKOUTP 4/16 of a turn later.
    rPLL #(
        .FCLKIN("27"),
        .DEVICE("GW2AR-18C"),
        .IDIV_SEL(0),
        .FBDIV_SEL(1),
        .ODIV_SEL(16),
        .DYN_IDIV_SEL("false"),
        .DYN_FBDIV_SEL("false"),
        .DYN_ODIV_SEL("false"),
        .DYN_DA_EN("false"),
        .PSDA_SEL("0100"),
        .DUTYDA_SEL("1000"),
        .CLKOUT_FT_DIR(1'b1),
        .CLKOUTP_FT_DIR(1'b1),
        .CLKOUT_DLY_STEP(0),
        .CLKOUTP_DLY_STEP(0),
        .CLKFB_SEL("internal"),
        .CLKOUT_BYPASS("false"),
        .CLKOUTP_BYPASS("false"),
        .CLKOUTD_BYPASS("false"),
        .DYN_SDIV_SEL(2),
        .CLKOUTD_SRC("CLKOUT"),
        .CLKOUTD3_SRC("CLKOUT")
    ) u_pll (
        .CLKIN(clk_27mhz),
        .CLKFB(1'b0),
        .RESET(1'b0),
        .RESET_P(1'b0),
        .FBDSEL(6'd0),
        .IDSEL(6'd0),
        .ODSEL(6'd0),
        .PSDA(4'd0),
        .DUTYDA(4'd0),
        .FDLY(4'd0),
        .CLKOUT(clk),
        .CLKOUTP(clk_late),
        .CLKOUTD(),
        .CLKOUTD3(),
        .LOCK(locked)
    );

    // In reset until the clock has been steady for some clocks.
    reg [7:0] steady = 8'd0;
    reg       rst = 1'b1;
    always @(posedge clk or negedge locked)
        if (!locked) begin
            steady <= 8'd0;
            rst <= 1'b1;
        end else begin
            if (rst) steady <= steady + 8'd1;
            if (&steady) rst <= 1'b0;
        end

    assign O_sdram_clk = clk_late;

    wire [31:0] dq_out;
    wire        dq_oe;
    assign IO_sdram_dq = dq_oe ? dq_out : 32'hzzzzzzzz;

    wire irq;
    sterna_serial_board u_board (
        .clk(clk),
        .rst(rst),
        .rx(uart_rx),
        .tx(uart_tx),
        .irq(irq),
        .sdram_cke(O_sdram_cke),
        .sdram_cs_n(O_sdram_cs_n),
        .sdram_ras_n(O_sdram_ras_n),
        .sdram_cas_n(O_sdram_cas_n),
        .sdram_we_n(O_sdram_wen_n),
        .sdram_ba(O_sdram_ba),
        .sdram_a(O_sdram_addr),
        .sdram_dqm(O_sdram_dqm),
        .sdram_dq_out(dq_out),
        .sdram_dq_oe(dq_oe),
        .sdram_dq_in(IO_sdram_dq)
    );

    // A light is on at zero.
    assign led_n = ~{locked, !rst, 3'd0, irq};
endmodule
