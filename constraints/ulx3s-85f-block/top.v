// ULX3S without its SDRAM: clock, reset and pads around `sterna_serial_board`, which is generated
// for 60 MHz and has its memory in the FPGA.
//
//  clk_25mhz -> [ PLL ] -- 60 MHz -> everything
module ulx3s_block_top (
    input  wire       clk_25mhz,
    input  wire       ftdi_txd,
    output wire       ftdi_rxd,
    output wire [7:0] led,
    output wire       wifi_gpio0
);
    wire clk;
    wire locked;

    // 25 MHz / 5 * 12 = 60 MHz, from an oscillator of 600 MHz.
    (* FREQUENCY_PIN_CLKI = "25" *)
    (* FREQUENCY_PIN_CLKOP = "60" *)
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
        .CLKFB_DIV(12),
        .FEEDBK_PATH("CLKOP"),
        .CLKOP_ENABLE("ENABLED"),
        .CLKOP_DIV(10),
        .CLKOP_CPHASE(4),
        .CLKOP_FPHASE(0)
    ) u_pll (
        .RST(1'b0),
        .STDBY(1'b0),
        .CLKI(clk_25mhz),
        .CLKOP(clk),
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

    wire irq;
    sterna_serial_board u_board (
        .clk(clk),
        .rst(rst),
        .rx(ftdi_txd),
        .tx(ftdi_rxd),
        .irq(irq)
    );

    assign led = {locked, !rst, 5'd0, irq};
    // Low would have the WiFi module take the FPGA over.
    assign wifi_gpio0 = 1'b1;
endmodule
