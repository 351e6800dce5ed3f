//! `with-sterna-rtl dot FOLDER [X_BITS [LANES [ACC_BITS]]]`: the dot product's Verilog.
//! `with-sterna-rtl literal FOLDER`: the Verilog of a signed comparison;
//! `with-sterna-rtl simulate`: what the library's own interpreter answers, a line for every value.

mod dot;

use std::path::Path;

use sterna_rtl::{Design, Generate, Interpreter, Module, SInt, UInt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["dot", folder, ref sizes @ ..] => {
            let size = |i: usize, default: u32| sizes.get(i).map_or(Ok(default), |s| s.parse());
            let (x_bits, lanes, acc_bits) = (size(0, 8)?, size(1, 64)?, size(2, 32)?);
            write(folder, &dot::TernaryDot { lanes, x_bits, acc_bits }.build()?)?;
        }
        ["literal", folder] => write(folder, &below()?)?,
        ["simulate"] => {
            let design = below()?;
            let mut sim = Interpreter::new(&design);
            for a in -128i64..128 {
                sim.poke("a", a);
                println!("{a} {} {}", sim.u64("below"), sim.u64("below_named"));
            }
        }
        _ => return Err("usage: with-sterna-rtl dot FOLDER [X_BITS [LANES [ACC_BITS]]]".into()),
    }
    Ok(())
}

/// A signed signal, compared with a literal and with a named constant.
fn below() -> Result<Design, sterna_rtl::RtlError> {
    let m = Module::new("signed_below");
    let a = m.input("a", SInt(8));
    m.output("below", UInt(1)).set(a.lt(5));
    let five = m.lit(SInt(8), 5).named("five");
    m.output("below_named", UInt(1)).set(a.lt(five));
    m.build()
}

/// One file a module.
fn write(folder: &str, design: &Design) -> std::io::Result<()> {
    for file in &design.files {
        std::fs::write(Path::new(folder).join(&file.name), &file.text)?;
    }
    Ok(())
}
