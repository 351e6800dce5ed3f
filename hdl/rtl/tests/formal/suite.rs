//! What a crate's own proofs are made of, and the tests that run them: of its `claims`.

use std::collections::BTreeSet;
use std::time::Instant;

use sterna_rtl::Generate;

use crate::claims;
use crate::prover::{self, Bug, Claim, Reach};

/// A reset at first, and whenever the solver likes.
pub const BEGIN: &str = include_str!("begin.v");

/// A module, properties of its top, macros, and a fault for each: what it breaks, what stands in the
/// Verilog, and what stands there instead.
pub fn claim(
    of: &dyn Generate,
    texts: &[&str],
    defines: &[(&'static str, u32)],
    reach: Reach,
    bugs: &[(&'static str, &'static str, &'static str)],
) -> Claim {
    let design = of.build().unwrap_or_else(|e| panic!("{e}"));
    let text = [&[BEGIN], texts].concat().concat();
    let top: &'static str = design.top.clone().leak();
    let bug = |&(property, from, to): &_| Bug { property, from, to };
    Claim {
        design,
        properties: vec![(top, text)],
        defines: defines.to_vec(),
        cuts: vec![],
        asked: vec![],
        cut_out: vec![],
        reach,
        within: 30,
        bugs: bugs.iter().map(bug).collect(),
    }
}

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

/// They hold, and for each a fault is noticed.
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

/// Those with `ONLY` in their name do; prints the rows of the table. With `FAULT`, a part of a property's
/// name, its fault alone is looked for, and nothing is proved.
#[test]
#[ignore = "minutes; scripts/formal"]
fn every_module_holds_and_every_fault_is_noticed() {
    prover::tools().expect("yowasp-sby and z3 come with scripts/setup");
    let [only, fault] = ["ONLY", "FAULT"].map(|name| std::env::var(name).unwrap_or_default());
    let mut failures = vec![];
    println!("| module | properties | reach | proof | faults noticed |\n|---|---|---|---|---|");
    for claim in claims::all().iter().filter(|claim| claim.design.top.contains(&only)) {
        let started = Instant::now();
        let proof = if fault.is_empty() { claim.prove().err() } else { None };
        let seconds = started.elapsed().as_secs();
        let reach = match &proof {
            _ if !fault.is_empty() => "not asked".into(),
            None => claim.reach.to_string(),
            Some(_) => "NOT PROVED".into(),
        };
        failures.extend(proof);
        let bugs = claim.bugs.iter().filter(|bug| bug.property.contains(&fault));
        let refuted: Vec<_> = bugs.map(|bug| claim.refute(bug)).collect();
        let (properties, noticed) =
            (claim.labels().len(), refuted.iter().filter(|r| r.is_ok()).count());
        failures.extend(refuted.into_iter().filter_map(Result::err));
        println!("| `{}` | {properties} | {reach} | {seconds} s | {noticed} |", claim.design.top);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
