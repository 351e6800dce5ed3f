//! What `scripts/coverage` has a core do so that its lines run and its bits toggle: random cases on
//! cores whose rooms are filled, and every attack at many places. The arithmetic stands alone as well,
//! where its operands are of any size.

mod common;

use common::{attacks::ATTACKS, bench};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::units;
use sterna_rtl::parts::{Divider, InverseRoot, Isqrt};
use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::{Case, Fuzzer};
use sterna_sim::{Options, SimCard};

/// Places for each of those of a quick look.
const MANY: usize = 15;

/// Cores of every bus, and one of several slots; `STERNA_BUS` is the only bus, if it is set.
fn cores() -> Vec<Geometry> {
    let shape = Shape { hidden: 320, inner: 512, intermediate: 1024, layers: 3, vocab: 512 };
    let of = |bus| Geometry::for_shape(bus, &shape);
    let several = Geometry { top_k: 8, ..of(64) }.with_slots(4);
    let bus = common::setting("STERNA_BUS", 0);
    let all = [64, 128, 256, 512].map(of).into_iter().chain([several]);
    all.filter(|core| bus == 0 || u64::from(core.bus) == bus).collect()
}

fn options() -> Options {
    Options { assertions: true, ..common::options() }
}

#[test]
#[ignore = "for scripts/coverage"]
fn random_cases() {
    let (first, count) = (common::seed(), common::setting("STERNA_FUZZ", 40));
    for core in cores() {
        let mut fuzzer = Fuzzer::new(options());
        for seed in first..first + count {
            let mut case = Case::on(core.clone(), seed);
            // States are saved at the end, so that the upper bits of an address are used.
            case.memory.bytes = 1 << (28 + seed % 13);
            if let Err(why) = fuzzer.run(&case) {
                panic!("{why}\n{case}");
            }
        }
    }
}

/// What computes, with operands of any size, as the interpreter has it, which the units' own benches
/// compare with golden.
#[test]
#[ignore = "for scripts/coverage"]
fn arithmetic_alone() {
    let modules: [&dyn Generate; 11] = [
        &Divider { num: 48, den: 24 },
        &Isqrt { width: 48 },
        &InverseRoot { width: 24 },
        &units::Reciprocal,
        &units::Sigmoid,
        &units::Quantise,
        &units::Rescale,
        &units::Residual,
        &units::Mlgru,
        &units::NormScale { slots: 1 },
        &units::RmsNorm { ways: 1, slots: 1 },
    ];
    let designs: Vec<Design> = modules.iter().map(|module| module.build().unwrap()).collect();
    let options = Options { assertions: false, ..options() };
    let name = "bench_arithmetic";
    let seed = common::seed();
    let difference = common::differential::compare(name, &designs, 20_000, seed, &options);
    if let Some((_, difference)) = difference.unwrap() {
        panic!("{difference}");
    }
}

#[test]
#[ignore = "for scripts/coverage"]
fn every_attack_at_many_places() {
    let seed = common::seed();
    let model = bench::model(seed);
    for core in cores() {
        let sim = SimCard::new(&core, &bench::options(options(), seed)).unwrap();
        let mut bench = bench::Bench::new(sim, &model, seed);
        for (name, attack, places) in ATTACKS {
            println!("{name}, {} bits", core.bus);
            attack(&mut bench, &mut Rng::new(seed), MANY * places);
        }
    }
}
