//! Proofs of the serial link, of memories behind AXI4 and of those on chip: as those of the parts
//! in `hdl/rtl/tests/formal`, with the same prover.

#[path = "../../rtl/tests/common/mod.rs"]
mod common;
#[path = "../../rtl/tests/formal/prover.rs"]
mod prover;
#[path = "../../rtl/tests/formal/suite.rs"]
mod suite;

mod claims;
