//! `with-rust-hdl dot`: the dot product's Verilog.
//! `with-rust-hdl literal`: the Verilog of a signed comparison; `with-rust-hdl simulate`: what
//! `rust-hdl`'s own simulator answers, a line for every value.
//!
//! Widths are types, so a new one is a new program: `DOT_X_BITS` and `DOT_ACC_BITS` are read when
//! this is compiled.

mod dot;
mod literal;

use rust_hdl::prelude::*;

const X: usize = number(option_env!("DOT_X_BITS"), 8);
const ACC: usize = number(option_env!("DOT_ACC_BITS"), 32);

type Dot = dot::TernaryDot<
    { 64 * X },
    128,
    X,
    { X + 1 },
    { X + 2 },
    { X + 3 },
    { X + 4 },
    { X + 5 },
    { X + 6 },
    { X + 7 },
    ACC,
>;

const fn number(text: Option<&str>, default: usize) -> usize {
    let Some(text) = text else { return default };
    let (mut value, mut i) = (0, 0);
    while i < text.len() {
        value = 10 * value + (text.as_bytes()[i] - b'0') as usize;
        i += 1;
    }
    value
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("dot") => {
            let mut dot = Dot::default();
            dot.connect_all();
            print!("{}", generate_verilog(&dot));
        }
        Some("literal") => {
            let mut below = literal::Below::default();
            below.connect_all();
            print!("{}", generate_verilog(&below));
        }
        Some("simulate") => literal::simulate(),
        _ => {
            eprintln!("usage: with-rust-hdl dot | literal | simulate");
            std::process::exit(2);
        }
    }
}
