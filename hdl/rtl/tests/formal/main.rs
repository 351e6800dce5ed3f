//! Proofs of the parts that shake hands: properties of our own in the generated Verilog, before
//! Yosys, `sby` and Z3, and a seeded fault for each property.
//!
//! `scripts/formal` runs all and prints the table of `docs/verification.md`; a few are in every test
//! run. In the properties `p_` is a claim, `own_` one of the generator's, and `i_` a helper of the
//! induction, which is proved as well.

#[path = "../common/mod.rs"]
mod common;

mod claims;
mod prover;

use std::collections::BTreeSet;
use std::time::Instant;

/// Whatever is claimed has its fault, and nothing else has.
#[test]
fn every_property_has_a_fault() {
    for claim in claims::all() {
        let faults: BTreeSet<_> = claim.bugs.iter().map(|bug| bug.property.to_string()).collect();
        assert_eq!(claim.labels(), faults, "{}", claim.design.top);
        assert_eq!(faults.len(), claim.bugs.len(), "{}: one each", claim.design.top);
        claim.bugs.iter().for_each(|bug| _ = claim.seeded(bug).unwrap_or_else(|e| panic!("{e}")));
    }
}

/// The small ones, and for each a fault that has to be noticed.
#[test]
fn the_small_modules_hold() {
    if prover::tools().is_none() {
        return;
    }
    for claim in claims::quick() {
        claim.prove().unwrap_or_else(|e| panic!("{e}"));
        let bug = &claim.bugs[claim.bugs.len() / 2];
        claim.refute(bug).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
#[ignore = "minutes; scripts/formal"]
fn every_module_holds_and_every_fault_is_noticed() {
    prover::tools().expect("yowasp-sby and z3 come with scripts/setup");
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut failures = vec![];
    println!("| module | properties | reach | proof | faults noticed |\n|---|---|---|---|---|");
    for claim in claims::all() {
        if !claim.design.top.contains(&only) {
            continue;
        }
        let started = Instant::now();
        let proof = claim.prove().err();
        let seconds = started.elapsed().as_secs();
        let reach = if proof.is_none() { claim.reach.to_string() } else { "NOT PROVED".into() };
        failures.extend(proof);
        let missed: Vec<_> = claim.bugs.iter().filter_map(|bug| claim.refute(bug).err()).collect();
        let (properties, noticed) = (claim.labels().len(), claim.bugs.len() - missed.len());
        failures.extend(missed);
        println!("| `{}` | {properties} | {reach} | {seconds} s | {noticed} |", claim.design.top);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
