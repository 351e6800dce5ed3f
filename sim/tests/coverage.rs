//! What `scripts/coverage` has a core do so that its lines run and its bits toggle: random cases on
//! cores whose rooms are filled, and every attack at many places.

mod common;

use common::{attacks::ATTACKS, bench};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_rtl::random::Rng;
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
