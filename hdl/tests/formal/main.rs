//! Proofs of the serial link, of memories behind AXI4 and of those on chip: as those of the parts
//! in `hdl/rtl/tests/formal`, with the same prover.

#[path = "../../rtl/tests/common/mod.rs"]
mod common;
#[path = "../../rtl/tests/formal/prover.rs"]
mod prover;
#[path = "../../rtl/tests/formal/suite.rs"]
mod suite;

mod claims;

#[test]
fn every_property_has_a_fault() {
    suite::have_faults(&claims::all());
}

#[test]
fn the_small_modules_hold() {
    suite::hold(&claims::quick());
}

#[test]
#[ignore = "minutes; scripts/formal"]
fn every_module_holds_and_every_fault_is_noticed() {
    suite::table(&claims::all());
}
