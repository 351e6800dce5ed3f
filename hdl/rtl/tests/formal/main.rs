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
mod suite;
