//! Whole cores before the tools that will read them, and the same core twice.

mod common;

use std::time::Instant;

use common::tools;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Core;
use sterna_rtl::{Design, Generate};

const SMALL: Shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 1, vocab: 2 };
const ODD: Shape = Shape { hidden: 96, inner: 192, intermediate: 352, layers: 5, vocab: 77 };
const M370: Shape =
    Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32_000 };

fn core(geometry: &Geometry) -> Design {
    geometry.check().expect("a legal geometry");
    Core { geometry: geometry.clone() }.build().unwrap_or_else(|e| panic!("{e}"))
}

/// Every bus, with rates and memories at both of their ends.
fn designs() -> Vec<(String, Design)> {
    let cores = [
        (64, 1, 1, 2, 1, SMALL),
        (64, 1, 1, 4, 1, SMALL),
        (64, 1, 1, 8, 1, SMALL),
        (64, 1, 2, 8, 64, M370),
        (128, 1, 4, 16, 8, ODD),
        (256, 1, 8, 32, 8, ODD),
        (512, 1, 1, 8, 1, SMALL),
        (512, 1, 8, 32, 64, M370),
        (64, 2, 1, 8, 1, SMALL),
        (64, 8, 2, 2, 8, ODD),
        (128, 4, 4, 16, 64, ODD),
    ];
    cores
        .into_iter()
        .map(|(bus, slots, ways, quantisers, top_k, shape)| {
            let most = Geometry::for_shape(bus, &shape);
            let geometry = Geometry { slots, ways, quantisers, top_k, ..most };
            let name =
                format!("core_{bus}_s{slots}_v{ways}_q{quantisers}_k{top_k}_h{}", shape.hidden);
            (name, core(&geometry))
        })
        .collect()
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
    let designs = designs();
    tools::yosys_accepts("cores", &designs, &[""]);
    tools::yosys_accepts("formal", &designs[..1], &["-formal"]);
}

/// The same geometry gives the same bytes.
#[test]
fn a_core_is_generated_twice() {
    let geometry = Geometry::for_shape(512, &M370);
    let start = Instant::now();
    let once = core(&geometry);
    let took = start.elapsed();
    let again = core(&geometry);
    for (one, other) in once.files.iter().zip(&again.files) {
        assert_eq!(one.name, other.name);
        assert!(one.text == other.text, "{} differs", one.name);
    }
    assert_eq!(once.files.len(), again.files.len());
    let bytes: usize = once.files.iter().map(|file| file.text.len()).sum();
    let lines: usize = once.files.iter().map(|file| file.text.lines().count()).sum();
    println!(
        "370M core of 512 bits: {} modules, {lines} lines, {bytes} bytes of Verilog, {took:?}",
        once.files.len()
    );
    // A geometry is refused before anything is made of it.
    let refused = Core { geometry: Geometry { ways: 3, ..geometry } }.build().unwrap_err();
    assert!(refused.to_string().contains("ways is 3; with 512 bits 1 to 8"), "{refused}");
}
