// ECP5's block RAM as Yosys instantiates it: two ports of 1, 2, 4, 9 or 18 bits, or with 36 bits one
// that writes and one that reads. Lattice describes it in FPGA-TN-02204.
//
// Pins that are inverted or tied inside the cell (the `...MUX` parameters), other chip selects
// than 000 and the global reset are refused, since Yosys leaves them at their defaults.
`begin_keywords "1800-2017"
module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter string REGMODE_A = "NOREG",
    parameter string REGMODE_B = "NOREG",
    parameter string RESETMODE = "SYNC",
    parameter string ASYNC_RESET_RELEASE = "SYNC",
    parameter string CSDECODE_A = "0b000",
    parameter string CSDECODE_B = "0b000",
    parameter string WRITEMODE_A = "NORMAL",
    parameter string WRITEMODE_B = "NORMAL",
    parameter string CLKAMUX = "CLKA",
    parameter string CLKBMUX = "CLKB",
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
    input  wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
        DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input  wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
        ADA0,
    input  wire CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
        DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input  wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
        DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input  wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
        ADB0,
    input  wire CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
        DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    generate
        if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
            $fatal(1, "DP16KD: CSDECODE other than 0b000 is not modelled");
        if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB")
            $fatal(1, "DP16KD: an inverted clock is not modelled");
        if (GSR != "DISABLED") $fatal(1, "DP16KD: GSR %s is not modelled", GSR);
        if (ASYNC_RESET_RELEASE != RESETMODE)
            $fatal(1, "DP16KD: ASYNC_RESET_RELEASE other than RESETMODE is not modelled");
    endgenerate

    ecp5_ebr #(
        .WIDTH_A(DATA_WIDTH_A),
        .WIDTH_B(DATA_WIDTH_B),
        .MODE_A(WRITEMODE_A),
        .MODE_B(WRITEMODE_B),
        .REG_A(REGMODE_A),
        .REG_B(REGMODE_B),
        .RESET(RESETMODE)
    ) u_ebr (
        .clka(CLKA),
        .cea(CEA && {CSA2, CSA1, CSA0} == 3'd0),
        .ocea(OCEA),
        .wea(WEA),
        .rsta(RSTA),
        .ada({ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0}),
        .dia({DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0}),
        .doa({DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0}),
        .clkb(CLKB),
        .ceb(CEB && {CSB2, CSB1, CSB0} == 3'd0),
        .oceb(OCEB),
        .web(WEB),
        .rstb(RSTB),
        .adb({ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0}),
        .dib({DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0}),
        .dob({DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0})
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
