//! Mutants of the hardware, and the share of them that the tests notice.
//!
//! The core in lockstep with golden comes first, then random cases and attacks: the mutants of some
//! modules are in one Verilated build, chosen by an input. What the core does not notice is given to
//! the module's own bench, to which what is around the core goes at once. What nobody notices is
//! proved to be equivalent, stands in `equivalent.txt` with a reason, or survives.
//!
//! `scripts/mutate rtl` runs all of it, goes on where it was ended, and prints the table of
//! `docs/verification.md`; with `AGAIN=1` it tries again what was not noticed. It takes as many
//! processors as it may have (`taskset`).

mod around;
mod benches;
#[path = "../common/mod.rs"]
mod common;
mod equivalent;
mod lockstep;
mod reasons;
mod results;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use benches::Benches;
use lockstep::Lockstep;
use results::{How, Results};
use sterna_firmware::trits::{self, ROWS};
use sterna_hdl::units::TritDecode;
use sterna_rtl::mutate::{INPUT, Mutant};
use sterna_rtl::{Design, Generate};
use sterna_sim::Model;

/// Mutants of a module, at most.
const MOST: usize = 200;
const SEED: u64 = 1;

/// Modules of which every mutant has to be noticed; they are first.
const ALL_OF: [&str; 5] = ["ternary_unit", "trit_decode", "add_sub", "quantise", "reciprocal"];

/// A module's name without its parameters.
fn family(module: &str) -> String {
    let mut words = module.split('_');
    let first = words.next().unwrap_or_default();
    let rest = words.take_while(|word| !word.contains(char::is_numeric));
    rest.fold(first.into(), |name, word| name + "_" + word)
}

/// The modules of a design; of one that is there with several parameters, that with most mutants.
fn modules(of: &Design) -> Vec<String> {
    let mut largest = BTreeMap::<String, (usize, String)>::new();
    for module in of.modules() {
        let count = of.mutants(&module, usize::MAX, SEED).len();
        let known = largest.entry(family(&module)).or_default();
        *known = known.clone().max((count, module));
    }
    let mut modules: Vec<String> = largest.into_values().map(|(_, module)| module).collect();
    modules.sort_by_key(|module| {
        let first = ALL_OF.iter().any(|of| module.starts_with(of));
        (!first, module.clone())
    });
    modules
}

/// Every module that mutants are put into, with the design that it is of: those of the core, then
/// those around it that it has not.
fn all_modules() -> Vec<(Arc<Design>, String)> {
    let mut all: Vec<(Arc<Design>, String)> = Vec::new();
    for design in [lockstep::core()].into_iter().chain(around::designs()).map(Arc::new) {
        let known: BTreeSet<String> = all.iter().map(|(_, module)| family(module)).collect();
        let fresh = modules(&design).into_iter().filter(|module| !known.contains(&family(module)));
        all.extend(fresh.map(|module| (Arc::clone(&design), module)));
    }
    all
}

/// Every mutant of the decoder of weights in one Verilated build: a bench of all bytes notices each,
/// one of legal bytes alone does not.
#[test]
fn who_looks_at_all_bytes_notices_every_mutant_of_the_decoder() {
    let sound = TritDecode.build().unwrap();
    let mutants = sound.mutants(&sound.top, MOST, SEED);
    assert!(mutants.len() > 80, "{}", mutants.len());
    let model = Model::build(&sound.mutated(&mutants).unwrap(), &lockstep::options()).unwrap();
    let notices = |number: usize, legal_alone: bool| {
        let mut sim = model.simulator().unwrap();
        sim.poke(INPUT, number as u64).unwrap();
        (0..=255u8).filter(|&byte| !legal_alone || trits::decode(byte).is_some()).any(|byte| {
            sim.poke("block", byte).unwrap();
            let bad = sim.peek("bad").unwrap().to_u64() == 1;
            let digits = sim.peek("digits").unwrap().to_u64();
            let digits = (0..ROWS).map(|row| (digits >> (2 * row) & 3) as u8);
            match trits::decode(byte) {
                Some(golden) => bad || !digits.eq(golden),
                None => !bad,
            }
        })
    };
    assert!(!notices(0, false), "without a mutant");
    let missed = |legal_alone| -> Vec<String> {
        let missed = (1..=mutants.len()).filter(|&n| !notices(n, legal_alone));
        let said = missed.map(|n| mutants[n - 1].to_string());
        said.filter(|said| reasons::reason(said).is_none()).collect()
    };
    assert_eq!(missed(false), [""; 0]);
    assert!(!missed(true).is_empty());
}

/// Mutants in one build: it takes little longer with more of them, but each runs more slowly.
const TOGETHER: usize = 400;

/// Results of the modules as they are, and those whose names contain `ONLY`.
fn chosen() -> (Results, Vec<usize>) {
    let results = Results::open(all_modules());
    let only = std::env::var("ONLY").unwrap_or_default();
    let chosen = |n: &usize| results.modules[*n].name.contains(&only);
    let chosen = (0..results.modules.len()).filter(chosen).collect();
    (results, chosen)
}

#[test]
#[ignore = "hours; scripts/mutate rtl"]
fn every_module() {
    let (results, chosen) = chosen();
    let results = Mutex::new(results);
    std::panic::set_hook(Box::new(|_| ()));
    let mut all = those(&results, &chosen, How::Unknown);
    while !all.is_empty() {
        // Whole modules, so that each is known before the next is begun.
        let last = all[TOGETHER.min(all.len()) - 1].0;
        let count = all.iter().take_while(|mutant| mutant.0 <= last).count();
        on_the_core(&results, all.drain(..count).collect());
    }
    println!("{}", lock(&results).table(&chosen));
}

#[test]
#[ignore = "hours; scripts/mutate rtl"]
fn what_benches_notice() {
    let (results, chosen) = chosen();
    let results = Mutex::new(results);
    let benches = Benches::find();
    each(those(&results, &chosen, How::Left), |(module, n, mutant)| {
        let together = lock(&results).modules[module].together();
        let how = benches.notice(&mutant, &together).map_or(How::Unproved, |_| How::Bench);
        lock(&results).set(module, n, how);
    });
    println!("{}", lock(&results).table(&chosen));
}

#[test]
#[ignore = "hours; scripts/mutate rtl"]
fn what_is_equivalent() {
    let (results, chosen) = chosen();
    let results = Mutex::new(results);
    each(those(&results, &chosen, How::Unproved), |(module, n, mutant)| {
        let design = Arc::clone(&lock(&results).modules[module].of);
        let proved = equivalent::is_proved(&design, &mutant);
        lock(&results).set(module, n, if proved { How::Proved } else { How::Survives });
    });
    println!("{}", lock(&results).table(&chosen));
}

/// A mutant, its module's number, and its own.
type Numbered = (usize, usize, Mutant);

fn those(results: &Mutex<Results>, modules: &[usize], how: How) -> Vec<Numbered> {
    let results = lock(results);
    let of = |&module: &usize| {
        let of = &results.modules[module];
        of.those(how).into_iter().map(move |n| (module, n, of.mutants[n].clone()))
    };
    modules.iter().flat_map(of).collect()
}

/// Compiles the core with these, and has it notice them.
fn on_the_core(results: &Mutex<Results>, mutants: Vec<Numbered>) {
    let begin = Instant::now();
    let all: Vec<Mutant> = mutants.iter().map(|(_, _, mutant)| mutant.clone()).collect();
    let lockstep = Lockstep::new(&all);
    let built = begin.elapsed().as_secs();
    let said = lockstep.notice(0).or_else(|| lockstep.attacked(0));
    said.iter().for_each(|said| eprintln!("the core without a mutant: {said}"));
    assert_eq!(said, None);
    let numbered = mutants.into_iter().enumerate().collect();
    each(numbered, |(number, (module, n, _)): (usize, Numbered)| {
        let how = match lockstep.notice(number + 1) {
            Some(_) => How::Lockstep,
            None if lockstep.attacked(number + 1).is_some() => How::Attack,
            None => How::Left,
        };
        lock(results).set(module, n, how);
    });
    let (count, whole) = (all.len(), begin.elapsed().as_secs());
    eprintln!("{count} mutants up to {}: {whole} s, {built} of them to build", all[count - 1]);
}

/// Does something with each, in their order, as many at once as there are processors.
fn each<T: Send>(of: Vec<T>, what: impl Fn(T) + Sync) {
    let workers = thread::available_parallelism().map_or(1, |n| n.get());
    let queue = Mutex::new(of.into_iter());
    let work = || {
        while let Some(next) = { lock(&queue).next() } {
            what(next);
        }
    };
    thread::scope(|scope| (0..workers).for_each(|_| _ = scope.spawn(work)));
}

#[test]
#[ignore = "for who does not want to wait; scripts/mutate table"]
fn table_so_far() {
    let (results, chosen) = chosen();
    println!("{}", results.table(&chosen));
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
