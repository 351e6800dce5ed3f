// ECP5's block RAM with a port of 36 bits that writes and a port that reads 1 to 36. Lattice
// describes it in FPGA-TN-02204.
//
// A row of 36 bits is read with its halves exchanged: DO[17:0] is the upper half of what DI wrote.
// So do Lattice's own generator and nextpnr connect it. A narrower word is at DO[17:0] as it is.
`begin_keywords "1800-2017"
module PDPW16KD #(
    parameter DATA_WIDTH_W = 36,
    parameter DATA_WIDTH_R = 36,
    parameter string REGMODE = "NOREG",
    parameter string RESETMODE = "SYNC",
    parameter string ASYNC_RESET_RELEASE = "SYNC",
    parameter string CSDECODE_W = "0b000",
    parameter string CSDECODE_R = "0b000",
    parameter string CLKWMUX = "CLKW",
    parameter string CLKRMUX = "CLKR",
    parameter string GSR = "ENABLED",
    parameter [319:0] INITVAL_00 = 320'd0,
    parameter [319:0] INITVAL_01 = 320'd0,
    parameter [319:0] INITVAL_02 = 320'd0,
    parameter [319:0] INITVAL_03 = 320'd0,
    parameter [319:0] INITVAL_04 = 320'd0,
    parameter [319:0] INITVAL_05 = 320'd0,
    parameter [319:0] INITVAL_06 = 320'd0,
    parameter [319:0] INITVAL_07 = 320'd0,
    parameter [319:0] INITVAL_08 = 320'd0,
    parameter [319:0] INITVAL_09 = 320'd0,
    parameter [319:0] INITVAL_0A = 320'd0,
    parameter [319:0] INITVAL_0B = 320'd0,
    parameter [319:0] INITVAL_0C = 320'd0,
    parameter [319:0] INITVAL_0D = 320'd0,
    parameter [319:0] INITVAL_0E = 320'd0,
    parameter [319:0] INITVAL_0F = 320'd0,
    parameter [319:0] INITVAL_10 = 320'd0,
    parameter [319:0] INITVAL_11 = 320'd0,
    parameter [319:0] INITVAL_12 = 320'd0,
    parameter [319:0] INITVAL_13 = 320'd0,
    parameter [319:0] INITVAL_14 = 320'd0,
    parameter [319:0] INITVAL_15 = 320'd0,
    parameter [319:0] INITVAL_16 = 320'd0,
    parameter [319:0] INITVAL_17 = 320'd0,
    parameter [319:0] INITVAL_18 = 320'd0,
    parameter [319:0] INITVAL_19 = 320'd0,
    parameter [319:0] INITVAL_1A = 320'd0,
    parameter [319:0] INITVAL_1B = 320'd0,
    parameter [319:0] INITVAL_1C = 320'd0,
    parameter [319:0] INITVAL_1D = 320'd0,
    parameter [319:0] INITVAL_1E = 320'd0,
    parameter [319:0] INITVAL_1F = 320'd0,
    parameter [319:0] INITVAL_20 = 320'd0,
    parameter [319:0] INITVAL_21 = 320'd0,
    parameter [319:0] INITVAL_22 = 320'd0,
    parameter [319:0] INITVAL_23 = 320'd0,
    parameter [319:0] INITVAL_24 = 320'd0,
    parameter [319:0] INITVAL_25 = 320'd0,
    parameter [319:0] INITVAL_26 = 320'd0,
    parameter [319:0] INITVAL_27 = 320'd0,
    parameter [319:0] INITVAL_28 = 320'd0,
    parameter [319:0] INITVAL_29 = 320'd0,
    parameter [319:0] INITVAL_2A = 320'd0,
    parameter [319:0] INITVAL_2B = 320'd0,
    parameter [319:0] INITVAL_2C = 320'd0,
    parameter [319:0] INITVAL_2D = 320'd0,
    parameter [319:0] INITVAL_2E = 320'd0,
    parameter [319:0] INITVAL_2F = 320'd0,
    parameter [319:0] INITVAL_30 = 320'd0,
    parameter [319:0] INITVAL_31 = 320'd0,
    parameter [319:0] INITVAL_32 = 320'd0,
    parameter [319:0] INITVAL_33 = 320'd0,
    parameter [319:0] INITVAL_34 = 320'd0,
    parameter [319:0] INITVAL_35 = 320'd0,
    parameter [319:0] INITVAL_36 = 320'd0,
    parameter [319:0] INITVAL_37 = 320'd0,
    parameter [319:0] INITVAL_38 = 320'd0,
    parameter [319:0] INITVAL_39 = 320'd0,
    parameter [319:0] INITVAL_3A = 320'd0,
    parameter [319:0] INITVAL_3B = 320'd0,
    parameter [319:0] INITVAL_3C = 320'd0,
    parameter [319:0] INITVAL_3D = 320'd0,
    parameter [319:0] INITVAL_3E = 320'd0,
    parameter [319:0] INITVAL_3F = 320'd0
) (
    input  wire DI35, DI34, DI33, DI32, DI31, DI30, DI29, DI28, DI27, DI26, DI25, DI24, DI23,
        DI22, DI21, DI20, DI19, DI18, DI17, DI16, DI15, DI14, DI13, DI12, DI11, DI10, DI9, DI8,
        DI7, DI6, DI5, DI4, DI3, DI2, DI1, DI0,
    input  wire ADW8, ADW7, ADW6, ADW5, ADW4, ADW3, ADW2, ADW1, ADW0,
    input  wire BE3, BE2, BE1, BE0, CEW, CLKW, CSW2, CSW1, CSW0,
    input  wire ADR13, ADR12, ADR11, ADR10, ADR9, ADR8, ADR7, ADR6, ADR5, ADR4, ADR3, ADR2, ADR1,
        ADR0,
    input  wire CER, OCER, CLKR, CSR2, CSR1, CSR0, RST,
    output wire DO35, DO34, DO33, DO32, DO31, DO30, DO29, DO28, DO27, DO26, DO25, DO24, DO23,
        DO22, DO21, DO20, DO19, DO18, DO17, DO16, DO15, DO14, DO13, DO12, DO11, DO10, DO9, DO8,
        DO7, DO6, DO5, DO4, DO3, DO2, DO1, DO0
);
    generate
        if (DATA_WIDTH_W != 36) $fatal(1, "PDPW16KD: it writes 36 bits, not %0d", DATA_WIDTH_W);
        if (CSDECODE_W != "0b000" || CSDECODE_R != "0b000")
            $fatal(1, "PDPW16KD: CSDECODE other than 0b000 is not modelled");
        if (CLKWMUX != "CLKW" || CLKRMUX != "CLKR")
            $fatal(1, "PDPW16KD: an inverted clock is not modelled");
        if (GSR != "DISABLED") $fatal(1, "PDPW16KD: GSR %s is not modelled", GSR);
        if (ASYNC_RESET_RELEASE != RESETMODE)
            $fatal(1, "PDPW16KD: ASYNC_RESET_RELEASE other than RESETMODE is not modelled");
    endgenerate

    ecp5_ebr #(
        .WIDTH_A(36),
        .WIDTH_B(DATA_WIDTH_R),
        .REG_B(REGMODE),
        .RESET(RESETMODE)
    ) u_ebr (
        .clka(CLKW),
        .cea(CEW && {CSW2, CSW1, CSW0} == 3'd0),
        .ocea(1'b0),
        .wea(1'b1),
        .rsta(1'b0),
        .ada({ADW8, ADW7, ADW6, ADW5, ADW4, ADW3, ADW2, ADW1, ADW0, 1'b0, BE3, BE2, BE1, BE0}),
        .dia({DI17, DI16, DI15, DI14, DI13, DI12, DI11, DI10, DI9, DI8, DI7, DI6, DI5, DI4, DI3, DI2, DI1, DI0}),
        .doa({DO35, DO34, DO33, DO32, DO31, DO30, DO29, DO28, DO27, DO26, DO25, DO24, DO23, DO22, DO21, DO20, DO19, DO18}),
        .clkb(CLKR),
        .ceb(CER && {CSR2, CSR1, CSR0} == 3'd0),
        .oceb(OCER),
        .web(1'b0),
        .rstb(RST),
        .adb({ADR13, ADR12, ADR11, ADR10, ADR9, ADR8, ADR7, ADR6, ADR5, ADR4, ADR3, ADR2, ADR1, ADR0}),
        .dib({DI35, DI34, DI33, DI32, DI31, DI30, DI29, DI28, DI27, DI26, DI25, DI24, DI23, DI22, DI21, DI20, DI19, DI18}),
        .dob({DO17, DO16, DO15, DO14, DO13, DO12, DO11, DO10, DO9, DO8, DO7, DO6, DO5, DO4, DO3, DO2, DO1, DO0})
    );

    initial begin
        u_ebr.load(0, INITVAL_00);
        u_ebr.load(1, INITVAL_01);
        u_ebr.load(2, INITVAL_02);
        u_ebr.load(3, INITVAL_03);
        u_ebr.load(4, INITVAL_04);
        u_ebr.load(5, INITVAL_05);
        u_ebr.load(6, INITVAL_06);
        u_ebr.load(7, INITVAL_07);
        u_ebr.load(8, INITVAL_08);
        u_ebr.load(9, INITVAL_09);
        u_ebr.load(10, INITVAL_0A);
        u_ebr.load(11, INITVAL_0B);
        u_ebr.load(12, INITVAL_0C);
        u_ebr.load(13, INITVAL_0D);
        u_ebr.load(14, INITVAL_0E);
        u_ebr.load(15, INITVAL_0F);
        u_ebr.load(16, INITVAL_10);
        u_ebr.load(17, INITVAL_11);
        u_ebr.load(18, INITVAL_12);
        u_ebr.load(19, INITVAL_13);
        u_ebr.load(20, INITVAL_14);
        u_ebr.load(21, INITVAL_15);
        u_ebr.load(22, INITVAL_16);
        u_ebr.load(23, INITVAL_17);
        u_ebr.load(24, INITVAL_18);
        u_ebr.load(25, INITVAL_19);
        u_ebr.load(26, INITVAL_1A);
        u_ebr.load(27, INITVAL_1B);
        u_ebr.load(28, INITVAL_1C);
        u_ebr.load(29, INITVAL_1D);
        u_ebr.load(30, INITVAL_1E);
        u_ebr.load(31, INITVAL_1F);
        u_ebr.load(32, INITVAL_20);
        u_ebr.load(33, INITVAL_21);
        u_ebr.load(34, INITVAL_22);
        u_ebr.load(35, INITVAL_23);
        u_ebr.load(36, INITVAL_24);
        u_ebr.load(37, INITVAL_25);
        u_ebr.load(38, INITVAL_26);
        u_ebr.load(39, INITVAL_27);
        u_ebr.load(40, INITVAL_28);
        u_ebr.load(41, INITVAL_29);
        u_ebr.load(42, INITVAL_2A);
        u_ebr.load(43, INITVAL_2B);
        u_ebr.load(44, INITVAL_2C);
        u_ebr.load(45, INITVAL_2D);
        u_ebr.load(46, INITVAL_2E);
        u_ebr.load(47, INITVAL_2F);
        u_ebr.load(48, INITVAL_30);
        u_ebr.load(49, INITVAL_31);
        u_ebr.load(50, INITVAL_32);
        u_ebr.load(51, INITVAL_33);
        u_ebr.load(52, INITVAL_34);
        u_ebr.load(53, INITVAL_35);
        u_ebr.load(54, INITVAL_36);
        u_ebr.load(55, INITVAL_37);
        u_ebr.load(56, INITVAL_38);
        u_ebr.load(57, INITVAL_39);
        u_ebr.load(58, INITVAL_3A);
        u_ebr.load(59, INITVAL_3B);
        u_ebr.load(60, INITVAL_3C);
        u_ebr.load(61, INITVAL_3D);
        u_ebr.load(62, INITVAL_3E);
        u_ebr.load(63, INITVAL_3F);
    end
endmodule
`end_keywords
