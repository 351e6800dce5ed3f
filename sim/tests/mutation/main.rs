//! Mutants of the hardware, and the share of them that the tests notice.
//!
//! The core in lockstep with golden comes first: all mutants of all modules are in one Verilated
//! build, chosen by an input. What it does not notice is given to the module's own bench. What
//! neither notices is proved to be equivalent, stands in `equivalent.txt` with a reason, or survives.
//!
//! `scripts/mutate rtl` runs all of it and prints the table of `docs/verification.md`.

mod benches;
mod lockstep;
mod results;

use benches::Benches;
use lockstep::Lockstep;
use results::{How, Results};
use sterna_rtl::Design;

/// Mutants of a module, at most.
const MOST: usize = 200;
const SEED: u64 = 1;

/// Modules of which every mutant has to be noticed; they are first.
const ALL_OF: [&str; 5] = ["ternary_unit", "trit_decode", "add_sub", "quantise", "reciprocal"];

/// The modules of the core whose names contain `only`.
fn modules(core: &Design, only: &str) -> Vec<String> {
    let mut modules = core.modules();
    modules.retain(|module| module.contains(only));
    modules.sort_by_key(|module| !ALL_OF.iter().any(|of| module.starts_with(of)));
    modules
}

#[test]
#[ignore = "an hour; scripts/mutate rtl"]
fn every_module() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let core = lockstep::core();
    let mut results = Results::open(&core);
    let benches = Benches::find();
    std::panic::set_hook(Box::new(|_| ()));
    let mut all = vec![];
    for module in modules(&core, &only) {
        let mutants = core.mutants(&module, MOST, SEED);
        if mutants.iter().any(|mutant| !results.knows(mutant)) {
            let lockstep = Lockstep::new(&mutants);
            assert_eq!(lockstep.notice(0), None, "the core without a mutant");
            for (n, mutant) in mutants.iter().enumerate() {
                if !results.knows(mutant) {
                    let noticed = lockstep.notice(n + 1);
                    results.add(mutant, noticed.map_or(How::Left, |_| How::Lockstep));
                }
            }
        }
        for mutant in mutants.iter().filter(|mutant| results.is_left(mutant)) {
            let noticed = benches.notice(mutant);
            results.add(mutant, noticed.map_or(How::Survives, |_| How::Bench));
        }
        eprintln!("{}", results.table(&mutants).lines().nth(2).unwrap_or_default());
        all.extend(mutants);
    }
    println!("{}", results.table(&all));
}
