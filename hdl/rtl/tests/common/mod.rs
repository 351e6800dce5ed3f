//! Testbenches in plain Verilog for any simulator, with the interpreter's values as expectations.

// Each test binary uses some of it.
#![allow(dead_code)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sterna_rtl::parts::{Access, Register};
use sterna_rtl::random::{RESET_CLOCKS, Rng};
use sterna_rtl::{Design, Direction, Interpreter};

mod tools;

pub use tools::*;

/// Writes the designs and a testbench that drives each with random values for `clocks` clocks.
pub fn testbench(folder: &Path, designs: &[Design], clocks: u32, seed: u64) {
    let mut text = String::from("module tb;\n  reg failed = 0;\n");
    for (i, design) in designs.iter().enumerate() {
        for file in &design.files {
            std::fs::write(folder.join(&file.name), &file.text).expect("the folder is writable");
        }
        drive(&mut text, i, design, clocks, seed + i as u64);
    }
    let last = designs.len() as u32 * 4 * (clocks + RESET_CLOCKS + 2);
    let _ = writeln!(text, "  initial begin #{last} if (!failed) $display(\"PASS\"); $finish; end");
    text += "endmodule\n";
    std::fs::write(folder.join("tb.v"), text).expect("the folder is writable");
}

fn drive(text: &mut String, i: usize, design: &Design, clocks: u32, seed: u64) {
    let mut rng = Rng::new(seed);
    let mut sim = Interpreter::new(design);
    let mut pins = vec![];
    for port in &design.ports {
        let kind = if port.direction == Direction::Input { "reg" } else { "wire" };
        let _ = writeln!(text, "  {kind} [{}:0] d{i}_{};", port.width - 1, port.name);
        pins.push(format!(".{}(d{i}_{})", port.name, port.name));
    }
    let _ = writeln!(text, "  {} d{i} ({});\n  initial begin", design.top, pins.join(", "));
    // One design after the other: the times of a failure then tell which.
    let _ = writeln!(text, "    #{};", i as u32 * 4 * (clocks + RESET_CLOCKS + 2));
    for clock in 0..clocks + RESET_CLOCKS {
        for port in design.ports.iter().filter(|p| p.direction == Direction::Input) {
            let value = match port.name.as_str() {
                "clk" => continue,
                "rst" => sterna_rtl::Bits::from_u128(1, u128::from(clock < RESET_CLOCKS)),
                _ => rng.bits(port.width),
            };
            let _ = writeln!(text, "    d{i}_{} = {value};", port.name);
            sim.poke(&port.name, value);
        }
        if design.clock.is_some() {
            let _ = writeln!(text, "    d{i}_clk = 0;");
        }
        let _ = writeln!(text, "    #2;");
        if clock >= RESET_CLOCKS {
            for port in design.ports.iter().filter(|p| p.direction == Direction::Output) {
                let (name, value) = (&port.name, sim.peek(&port.name));
                let _ = writeln!(
                    text,
                    "    if (d{i}_{name} !== {value}) begin failed = 1; $display(\"{} {name} clock \
                     {clock}: %h, not {value:x}\", d{i}_{name}); end",
                    design.top
                );
            }
        }
        if design.clock.is_some() {
            let _ = writeln!(text, "    d{i}_clk = 1;");
        }
        let _ = writeln!(text, "    #2;");
        let _ = sim.try_step();
    }
    let _ = writeln!(text, "  end");
}

/// Writes a design into a folder of its own.
pub fn write(name: &str, design: &Design) -> PathBuf {
    let folder = folder(name);
    for file in &design.files {
        std::fs::write(folder.join(&file.name), &file.text).expect("the folder is writable");
    }
    folder
}

/// A register of every access, at 0, 4 and 8.
pub fn registers() -> Vec<Register> {
    let access = [("one", Access::Read), ("two", Access::Write), ("three", Access::Pulse)];
    let register = |(n, (name, access)): (usize, (&str, Access))| Register {
        name: name.into(),
        offset: 4 * n as u32,
        width: 9,
        access,
        reset: 3,
        doc: "For tools and proofs.".into(),
    };
    access.into_iter().enumerate().map(register).collect()
}
