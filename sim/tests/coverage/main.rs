//! What `scripts/coverage` has a core do so that its lines run and its bits toggle: random cases on
//! cores of the largest room, models and images at the ends of what a shape may be, and every attack at
//! many places. The arithmetic stands alone as well, where its operands are of any size.

#[path = "../common/mod.rs"]
mod common;
mod made;
mod sizes;

use common::{attacks::ATTACKS, bench};
use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::units;
use sterna_model::numerics::formats::COLUMNS_MAX;
use sterna_model::synth::SynthSpec;
use sterna_rtl::parts::{Divider, InverseRoot, Isqrt};
use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::{Case, Fuzzer, made_up};
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{Batch, CardOptions, Options, Session, SimCard};

/// Places for each of those of a quick look.
const MANY: usize = 15;

/// Cores of every bus, and one of several slots; `STERNA_BUS` is the only bus, and `STERNA_SLOTS` the only
/// number of slots, if they are set. They have the largest room that there is, but for a layer's state, so
/// that a model may still be too large.
fn cores() -> Vec<Geometry> {
    let widest = COLUMNS_MAX;
    let [hidden, inner, intermediate] = [widest; 3];
    let shape = Shape { hidden, inner, intermediate, layers: 511, vocab: 2 };
    let of = |bus| Geometry::for_shape(bus, &shape);
    let several = Geometry { top_k: 8, ..of(64) }.with_slots(4);
    let [bus, slots] = ["STERNA_BUS", "STERNA_SLOTS"].map(|name| common::setting(name, 0));
    let all = [64, 128, 256, 512].map(of).into_iter().chain([several]);
    let all = all.filter(|core| bus == 0 || u64::from(core.bus) == bus);
    all.filter(|core| slots == 0 || u64::from(core.slots) == slots).collect()
}

fn options() -> Options {
    Options { assertions: true, ..common::options() }
}

/// The core whose room cases are drawn for, so that they take seconds.
fn smaller(core: &Geometry) -> Geometry {
    Geometry { hidden: 320, inner: 512, intermediate: 1024, state: 3 * 512, ..core.clone() }
}

#[test]
#[ignore = "for scripts/coverage"]
fn random_cases() {
    let (first, count) = (common::seed(), common::setting("STERNA_FUZZ", 40));
    for core in cores() {
        let mut fuzzer = Fuzzer::new(options());
        for seed in first..first + count {
            let mut case = Case::on(smaller(&core), seed);
            case.geometry = core.clone();
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

/// Passes of models of the widest recurrence and GLU, of the most layers, of the largest vocabulary, with
/// tokens anywhere in it. Bits that the one sets the next one does not.
#[test]
#[ignore = "for scripts/coverage"]
fn models_at_the_ends() {
    let wide = |expand| SynthSpec {
        expand,
        intermediate: Some(32 * expand),
        lower_bounds: false,
        ..SynthSpec::new(32, 1, 101)
    };
    let twice = [Want::Top, Want::Logits].as_slice();
    let once = &twice[1..];
    let specs = [
        (wide(512), twice),
        (wide(511), twice),
        (SynthSpec { intermediate: Some(32), ..SynthSpec::new(32, 512, 101) }, once),
        (SynthSpec { intermediate: Some(32), ..SynthSpec::new(32, 1, 1 << 20) }, once),
    ];
    let seed = common::seed();
    for (spec, wants) in specs {
        let model = made_up(&spec).unwrap();
        for core in cores() {
            println!("{spec:?}, {} bits, {} slots", core.bus, core.slots);
            let memory = MemoryOptions { bytes: 1 << 40, stalls: Stalls::None, seed, latency: 20 };
            let card = CardOptions { memory, model: options(), patience: 1 << 26 };
            let mut session = Session::new(&model, &core, &card).unwrap();
            let mut rng = Rng::new(seed);
            for &want in wants {
                let mut token = || rng.below(spec.vocab as u64) as u32;
                if core.slots == 1 {
                    session.set_token(token());
                    session.pass(want).unwrap();
                } else {
                    let tokens = (0..core.slots).map(|_| Some(token())).collect();
                    let batch = Batch { tokens, chain: false, want, count: 1, stops: vec![] };
                    session.clear_slots((1 << core.slots) - 1).unwrap();
                    session.batch(&batch).unwrap();
                }
            }
            if core.slots == 1 {
                session.save_and_load().unwrap();
            }
            let report = session.report();
            assert_eq!(report.mismatches, 0, "{:?}", report.first_mismatch);
        }
    }
}

/// Images that no model is behind, and registers of every size.
#[test]
#[ignore = "for scripts/coverage"]
fn sizes_of_every_bit() {
    let seed = common::seed();
    let model = bench::model(seed);
    for core in cores() {
        let sim = SimCard::new(&core, &bench::options(options(), seed)).unwrap();
        let mut bench = bench::Bench::new(sim, &model, seed);
        for (name, attack) in sizes::ALL {
            println!("{name}, {} bits, {} slots", core.bus, core.slots);
            attack(&mut bench, &mut Rng::new(seed));
        }
    }
}
