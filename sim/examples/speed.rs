//! Cycles per second of a trial: 128 lanes of ternary weight times int8 activation, summed and
//! accumulated.
//!
//! `cargo run --release -p sterna-sim --example speed`

use std::error::Error;
use std::time::Instant;

use sterna_rtl::parts::AdderTree;
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};
use sterna_sim::{Options, Simulator, Words};

const LANES: u32 = 128;
const CLOCKS: u64 = 1_000_000;

/// Weights of 2 bits (0, +1, -1, 0) and activations of 8 bits come in every clock, with `first` at
/// the start of a row and `last` at its end.
struct Trial;

impl Generate for Trial {
    fn name(&self) -> String {
        format!("ternary_trial_{LANES}")
    }

    fn describe(&self, m: &Module) {
        let (x, w) = (m.input("x", UInt(LANES * 8)), m.input("w", UInt(LANES * 2)));
        let (valid, first) = (m.input("valid", UInt(1)), m.input("first", UInt(1)));
        let lane = |i: u32| {
            let (value, weight) = (x.lane(i, 8).as_sint(), w.lane(i, 2));
            let negative = (-value).saturate(SInt(8));
            weight.switch(m.lit(SInt(8), 0)).case(1, value).case(2, negative).end().as_uint()
        };
        let lanes: Vec<Sig<'_>> = (0..LANES).rev().map(lane).collect();
        let tree = AdderTree { ty: SInt(8), lanes: LANES as usize, levels_per_stage: 2 };
        let sum = m.instance("u_tree", &tree);
        sum.set("x", m.cat(&lanes)).set("valid", valid);
        let first = first.delay("first", tree.latency());
        let acc = m.reg("acc", SInt(32)).reset(0);
        let part = sum.port("sum").extend(32);
        m.when(sum.port("valid"), || acc.set(first.mux(part, acc.wrapping_add(part))));
        m.output("acc_out", SInt(32)).set(acc);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let design = Trial.build()?;
    let start = Instant::now();
    let mut sim = Simulator::build(&design, &Options::default())?;
    let fresh = if sim.model().is_fresh() { "compiled" } else { "from the cache" };
    println!("model {fresh} in {:.2} s", start.elapsed().as_secs_f64());

    let (x, w) = (sim.input::<Words>("x")?, sim.input::<Words>("w")?);
    let (valid, first) = (sim.input::<bool>("valid")?, sim.input::<bool>("first")?);
    let acc = sim.output::<i64>("acc_out")?;
    let mut rng = Rng::new(1);
    let mut random = |words: u32| (0..words).map(|_| rng.next_u64() as u32).collect::<Vec<u32>>();
    let beats: Vec<_> = (0..64).map(|_| (random(LANES / 4), random(LANES / 16))).collect();
    sim.reset()?;

    let start = Instant::now();
    let mut check = 0i64;
    for clock in 0..CLOCKS {
        let beat = &beats[clock as usize % beats.len()];
        sim.set_words(x, &beat.0)?;
        sim.set_words(w, &beat.1)?;
        sim.set(valid, true)?;
        sim.set(first, clock % 10 == 0)?;
        sim.step()?;
        check = check.wrapping_mul(31).wrapping_add(sim.get(acc)?);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{CLOCKS} clocks, 4 ports set and 1 read in each, check {check:x}");
    println!("{:.0} clocks/s", CLOCKS as f64 / seconds);
    Ok(())
}
