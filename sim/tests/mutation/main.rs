//! Mutants of the hardware, and the share of them that the tests notice.
//!
//! The core in lockstep with golden comes first: all mutants of a module are in one Verilated build,
//! chosen by an input. What it does not notice is given to the module's own bench. What neither
//! notices is proved to be equivalent, stands in `equivalent.txt` with a reason, or survives.
//!
//! `scripts/mutate rtl` runs all of it, goes on where it was ended, and prints the table of
//! `docs/verification.md`; with `AGAIN=1` it tries survivors again.

mod benches;
mod equivalent;
mod lockstep;
mod results;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;

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

/// The modules of the core whose names contain `only`; of one that is there with several parameters,
/// that with most mutants.
fn modules(core: &Design, only: &str) -> Vec<String> {
    let mut largest = BTreeMap::<String, (usize, String)>::new();
    for module in core.modules().into_iter().filter(|module| module.contains(only)) {
        let words = module.split('_').take_while(|word| !word.contains(char::is_numeric));
        let family = words.collect::<Vec<_>>().join("_");
        let count = core.mutants(&module, usize::MAX, SEED).len();
        let family = largest.entry(if family.is_empty() { module.clone() } else { family });
        let known = family.or_default();
        *known = known.clone().max((count, module));
    }
    let mut modules: Vec<String> = largest.into_values().map(|(_, module)| module).collect();
    modules.sort_by_key(|module| {
        let first = ALL_OF.iter().any(|of| module.starts_with(of));
        (!first, module.clone())
    });
    modules
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
        said.filter(|said| results::reason(said).is_none()).collect()
    };
    assert_eq!(missed(false), [""; 0]);
    assert!(!missed(true).is_empty());
}

/// Benches that run beside each other, and beside the core.
const WORKERS: usize = 2;

#[test]
#[ignore = "hours; scripts/mutate rtl"]
fn every_module() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let core = lockstep::core();
    let results = Mutex::new(Results::open(&core));
    let known = |mutant: &Mutant| lock(&results).known(mutant);
    std::panic::set_hook(Box::new(|_| ()));
    let (sender, receiver) = mpsc::channel::<Mutant>();
    let receiver = Mutex::new(receiver);
    let benches = OnceLock::new();
    let bench = || {
        let benches = benches.get_or_init(Benches::find);
        while let Ok(mutant) = { lock(&receiver).recv() } {
            let how = match benches.notice(&mutant) {
                Some(_) => How::Bench,
                None if equivalent::is_proved(&core, &mutant) => How::Proved,
                None => How::Survives,
            };
            lock(&results).add(&mutant, how);
        }
    };
    thread::scope(|scope| {
        (0..WORKERS).for_each(|_| _ = scope.spawn(bench));
        for module in modules(&core, &only) {
            let mutants = core.mutants(&module, MOST, SEED);
            if mutants.iter().any(|mutant| known(mutant).is_none()) {
                let lockstep = Lockstep::new(&mutants);
                assert_eq!(lockstep.notice(0), None, "the core without a mutant");
                for (n, mutant) in mutants.iter().enumerate() {
                    if known(mutant).is_none() {
                        let noticed = lockstep.notice(n + 1);
                        let how = noticed.map_or(How::Left, |_| How::Lockstep);
                        lock(&results).add(mutant, how);
                    }
                }
            }
            let left = mutants.into_iter().filter(|mutant| known(mutant) == Some(How::Left));
            left.for_each(|mutant| sender.send(mutant).expect("a worker is there"));
        }
        drop(sender);
    });
    println!("{}", lock(&results).table(&core, &modules(&core, &only)));
}

#[test]
#[ignore = "for who does not want to wait; scripts/mutate table"]
fn table_so_far() {
    let core = lockstep::core();
    println!("{}", Results::open(&core).table(&core, &modules(&core, "")));
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
