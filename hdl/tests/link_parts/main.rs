//! The parts of the serial link, each alone and clock by clock, with the numbers that the link's own
//! bench has (`sim/tests/common/around.rs`).

mod buses;
mod commands;
#[path = "../common/mod.rs"]
mod common;
mod frames;
mod line;
mod whole;
