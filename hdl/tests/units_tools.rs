//! Every unit before the tools that will read it: Verilator's lint, Icarus, and Yosys' checks with
//! and without `FORMAL`.

mod common;

use common::tools;
use sterna_hdl::units::*;
use sterna_rtl::{Design, Generate};

fn designs() -> Vec<(String, Design)> {
    let mut units: Vec<Box<dyn Generate>> = vec![
        Box::new(AddSub { a: 22, b: 14 }),
        Box::new(Glu),
        Box::new(Mlgru),
        Box::new(NormScale { slots: 1 }),
        Box::new(Quantise),
        Box::new(Reciprocal),
        Box::new(Rescale),
        Box::new(Residual),
        Box::new(Sigmoid),
        Box::new(TritDecode),
    ];
    for bus in [16, 64, 512] {
        units.push(Box::new(TernaryUnit { bus, slots: 1 }));
    }
    for ways in [1, 2, 8] {
        units.push(Box::new(RmsNorm { ways, slots: 1 }));
    }
    for k in [1, 8, 64] {
        units.push(Box::new(TopK { k }));
    }
    let build = |unit: &dyn Generate| unit.build().unwrap_or_else(|e| panic!("{e}"));
    units.iter().map(|unit| (unit.name(), build(&**unit))).collect()
}

#[test]
fn lint_finds_nothing() {
    tools::lint_finds_nothing(&designs());
}

#[test]
fn icarus_says_nothing() {
    tools::icarus_says_nothing(&designs());
}

#[test]
fn yosys_accepts() {
    tools::yosys_accepts("units", &designs(), &["", "-formal"]);
}
