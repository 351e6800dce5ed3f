// ECP5's multiplier as Yosys instantiates it: P = A * B, each signed or not, without registers.
// Lattice describes it in FPGA-TN-02205.
//
// The pins of its registers and of the chains to its neighbours are left out, so that who connects
// one is told by whoever reads the netlist. C is an operand of what is left out.
`begin_keywords "1800-2017"
module MULT18X18D #(
    parameter string REG_INPUTA_CLK = "NONE",
    parameter string REG_INPUTB_CLK = "NONE",
    parameter string REG_INPUTC_CLK = "NONE",
    parameter string REG_PIPELINE_CLK = "NONE",
    parameter string REG_OUTPUT_CLK = "NONE",
    parameter string MULT_BYPASS = "DISABLED",
    parameter string SOURCEB_MODE = "B_SHIFT"
) (
    input  wire A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input  wire B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input  wire C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input  wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output wire P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20,
        P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    generate
        if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
            || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE")
            $fatal(1, "MULT18X18D: registers are not modelled");
        if (MULT_BYPASS != "DISABLED") $fatal(1, "MULT18X18D: its bypass is not modelled");
        if (SOURCEB_MODE != "B_SHIFT") $fatal(1, "MULT18X18D: another source is not modelled");
    endgenerate

    wire signed [18:0] a = {SIGNEDA && A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire signed [18:0] b = {SIGNEDB && B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    wire signed [37:0] p = a * b;
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p[35:0];

    always @* if (SOURCEA || SOURCEB) $stop; // not modelled: an operand of a neighbour's
endmodule
`end_keywords
