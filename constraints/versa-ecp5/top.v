// ECP5 Versa with an SDRAM board: clock, reset and pads around `sterna_serial_board`, which is
// generated for 60 MHz.
//
//  clk_100mhz -> [ PLL ] -- 60 MHz ---------> everything
//                       \- 90 degrees later -> sdram_clk
//
// The chip sees a command a quarter of a clock after the pins change, and its words have three
// quarters of a clock to come back.
module versa_top (
    input  wire        clk_100mhz,
    input  wire        uart_rx,
    output wire        uart_tx,
    output wire [7:0]  led_n,
    output wire        sdram_clk,
    output wire        sdram_cke,
    output wire        sdram_csn,
    output wire        sdram_rasn,
    output wire        sdram_casn,
    output wire        sdram_wen,
    output wire [1:0]  sdram_ba,
    output wire [12:0] sdram_a,
    output wire [1:0]  sdram_dqm,
    inout  wire [15:0] sdram_d
);
    wire clk;
    wire clk_late;
    wire locked;

    // 100 MHz / 5 * 3 = 60 MHz, from an oscillator of 600 MHz.
    (* FREQUENCY_PIN_CLKI = "100" *)
    (* FREQUENCY_PIN_CLKOP = "60" *)
    (* FREQUENCY_PIN_CLKOS = "60" *)
    (* ICP_CURRENT = "12" *) (* LPF_RESISTOR = "8" *)
    (* MFG_ENABLE_FILTEROPAMP = "1" *) (* MFG_GMCREF_SEL = "2" *)
    EHXPLLL #(
        .PLLRST_ENA("DISABLED"),
        .INTFB_WAKE("DISABLED"),
        .STDBY_ENABLE("DISABLED"),
        .DPHASE_SOURCE("DISABLED"),
        .OUTDIVIDER_MUXA("DIVA"),
        .OUTDIVIDER_MUXB("DIVB"),
        .OUTDIVIDER_MUXC("DIVC"),
        .OUTDIVIDER_MUXD("DIVD"),
        .CLKI_DIV(5),
        .CLKFB_DIV(3),
        .FEEDBK_PATH("CLKOP"),
        .CLKOP_ENABLE("ENABLED"),
        .CLKOP_DIV(10),
        .CLKOP_CPHASE(4),
        .CLKOP_FPHASE(0),
        // 2.5 of 10 periods of the oscillator later.
        .CLKOS_ENABLE("ENABLED"),
        .CLKOS_DIV(10),
        .CLKOS_CPHASE(6),
        .CLKOS_FPHASE(4)
    ) u_pll (
        .RST(1'b0),
        .STDBY(1'b0),
        .CLKI(clk_100mhz),
        .CLKOP(clk),
        .CLKOS(clk_late),
        .CLKFB(clk),
        .CLKINTFB(),
        .PHASESEL0(1'b0),
        .PHASESEL1(1'b0),
        .PHASEDIR(1'b1),
        .PHASESTEP(1'b1),
        .PHASELOADREG(1'b1),
        .PLLWAKESYNC(1'b0),
        .ENCLKOP(1'b0),
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

    // A clock leaves through a register of the pad, like everything that goes with it.
    ODDRX1F u_clk (.D0(1'b1), .D1(1'b0), .SCLK(clk_late), .RST(1'b0), .Q(sdram_clk));

    wire [15:0] dq_out;
    wire        dq_oe;
    assign sdram_d = dq_oe ? dq_out : 16'hzzzz;

    wire irq;
    sterna_serial_board u_board (
        .clk(clk),
        .rst(rst),
        .rx(uart_rx),
        .tx(uart_tx),
        .irq(irq),
        .sdram_cke(sdram_cke),
        .sdram_cs_n(sdram_csn),
        .sdram_ras_n(sdram_rasn),
        .sdram_cas_n(sdram_casn),
        .sdram_we_n(sdram_wen),
        .sdram_ba(sdram_ba),
        .sdram_a(sdram_a),
        .sdram_dqm(sdram_dqm),
        .sdram_dq_out(dq_out),
        .sdram_dq_oe(dq_oe),
        .sdram_dq_in(sdram_d)
    );

    // A light is on at zero.
    assign led_n = ~{locked, !rst, 5'd0, irq};
endmodule
