//! Generation stays quick at the size of the accelerator's trees.

use std::time::Instant;

use sterna_rtl::parts::AdderTree;
use sterna_rtl::{Bits, Generate, Module, SInt, Sig, UInt};

/// Five rows of 64 lanes: ternary weight times int8 activation, summed.
struct TernaryTrial;

impl Generate for TernaryTrial {
    fn name(&self) -> String {
        "ternary_trial_5x64".into()
    }

    fn describe(&self, m: &Module) {
        let x = m.input("x", UInt(64 * 8));
        let tree = AdderTree { ty: SInt(8), lanes: 64, levels_per_stage: 1 };
        for row in 0..5 {
            let w = m.input(format!("w{row}"), UInt(64 * 2));
            let lane = |i: u32| {
                let (value, weight) = (x.lane(i, 8).as_sint(), w.lane(i, 2));
                let negative = (-value).saturate(SInt(8));
                weight.switch(m.lit(SInt(8), 0)).case(1, value).case(2, negative).end().as_uint()
            };
            let lanes: Vec<Sig<'_>> = (0..64).rev().map(lane).collect();
            let sum = m.instance(format!("u_tree_{row}"), &tree);
            sum.set("x", m.cat(&lanes)).set("valid", m.lit(UInt(1), Bits::ones(1)));
            m.output(format!("sum{row}"), tree.sum_type()).set(sum.port("sum"));
        }
    }
}

#[test]
fn a_trial_of_320_lanes_is_generated_in_a_second() {
    let start = Instant::now();
    let design = TernaryTrial.build().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    eprintln!(
        "{} modules, {} lines, {seconds:.3} s",
        design.files.len(),
        design.verilog().lines().count()
    );
    assert_eq!(design.files.len(), 2, "five trees share one module");
    assert!(seconds < 1.0, "{seconds} s");
    assert_eq!(design.files, TernaryTrial.build().unwrap().files);
}
