//! What is claimed of each module, at parameters that are small enough for a solver.

mod bus;
mod masters;
mod streams;

use crate::prover::Claim;

const INSIDE: &str = include_str!("../fifo_block_inside.v");

/// The claims that take seconds.
pub fn quick() -> Vec<Claim> {
    use streams::*;
    vec![skid_buffer(), fifo_registers(), fifo_block(), round_robin()]
}

/// All of them.
pub fn all() -> Vec<Claim> {
    let streams = [streams::pack(), streams::unpack()];
    let bus = [bus::read_mux(), bus::axi_mux(), bus::lite_registers()];
    let masters = [masters::read_master(), masters::write_master()];
    quick().into_iter().chain(streams).chain(bus).chain(masters).collect()
}
