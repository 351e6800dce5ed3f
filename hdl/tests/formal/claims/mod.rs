//! What is claimed of each module, at parameters that are small enough for a solver.

mod link;
mod memories;

use crate::prover::Claim;

/// The claims that take seconds.
pub fn quick() -> Vec<Claim> {
    vec![link::uart_tx(), link::uart_rx(), link::commands(), memories::lane_memory()]
}

/// All of them.
pub fn all() -> Vec<Claim> {
    let link = [link::replies(), link::requests()];
    let memories = [memories::block_memory(), memories::sdram()];
    quick().into_iter().chain(link).chain(memories).collect()
}
