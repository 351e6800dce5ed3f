//! What is claimed of each module, at parameters that are small enough for a solver.

mod bus;
mod masters;
mod streams;

use sterna_rtl::Generate;

use crate::prover::{Bug, Claim, Reach};

const BEGIN: &str = include_str!("../begin.v");
const INSIDE: &str = include_str!("../fifo_block_inside.v");

fn claim(
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
        reach,
        bugs: bugs.iter().map(bug).collect(),
    }
}

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
