//! What Yosys does not find by itself in the carry chains of ECP5 and Gowin.
//!
//! *Adders that subtract.* A place of the chain has inputs to spare, and does `b` or its complement in
//! the adder itself. Yosys' `$alu` says that; but Yosys makes none of `a + (b ^ minus)`, and spends a
//! look-up table a bit on it (*synthesised*, the ternary unit of 512 bits on ECP5: 4,286 LUT4 instead
//! of 1,413). So the module [`AddSub`] is handed to it as an `$alu`. AMD's have a LUT in each place of
//! the chain, which takes the exclusive or.
//!
//! *Comparisons*, on ECP5: [`COMPARES`] says how (*synthesised*, two numbers of 22 bits: 12 CCU2C
//! instead of 11 and 34 LUT4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sterna_hdl::units::AddSub;

/// The name of the file that [`carries`] is written to.
pub const CARRIES: &str = "carries.v";
/// The name of the file that [`COMPARES`] is written to.
pub const COMPARE: &str = "compare.v";
/// For `techmap`, before anything has been made of comparisons.
pub const COMPARES: &str = include_str!("compare.v");

/// What the two files are, for some Verilog.
pub fn files(verilog: &BTreeMap<String, String>) -> [(&'static str, String); 2] {
    [(CARRIES, carries(verilog)), (COMPARE, COMPARES.into())]
}

/// Commands for Yosys between `read_verilog` and synthesis, where it finds the two files.
pub fn commands(top: &str, compares: bool) -> String {
    let read = format!("read_verilog -icells -overwrite {CARRIES}\n");
    match compares {
        true => format!("{read}hierarchy -top {top}\nproc\ntechmap -map {COMPARE}\n"),
        false => read,
    }
}

/// An `$alu` in the place of each [`AddSub`] of some files, for `read_verilog -icells -overwrite`.
pub fn carries(verilog: &BTreeMap<String, String>) -> String {
    let modules = verilog.keys().filter_map(|file| AddSub::named(file.strip_suffix(".v")?));
    modules.fold(String::new(), |mut text, AddSub { a, b }| {
        // The place below the lowest makes the carry: `minus + minus` where `minus` is 1.
        let _ = write!(
            text,
            "module add_sub_{a}_{b} (\n\
             \x20 input  wire signed [{}:0] a,\n\
             \x20 input  wire signed [{}:0] b,\n\
             \x20 input  wire minus,\n\
             \x20 output wire signed [{a}:0] sum\n\
             );\n\
             \x20 wire [{top}:0] y, x, co;\n\
             \x20 \\$alu #(\n\
             \x20   .A_SIGNED(1), .A_WIDTH({}), .B_SIGNED(1), .B_WIDTH({}), .Y_WIDTH({})\n\
             \x20 ) alu (\n\
             \x20   .A({{a, minus}}), .B({{b, 1'b0}}), .BI(minus), .CI(1'b0), .Y(y), .X(x), .CO(co)\n\
             \x20 );\n\
             \x20 assign sum = y[{top}:1];\n\
             endmodule\n",
            a - 1,
            b - 1,
            a + 1,
            b + 1,
            a + 2,
            top = a + 1,
        );
        text
    })
}
