//! Operands in, results out: which memory is read and written when.

use sterna_rtl::{Module, UInt};

use super::now::Now;
use super::pipe::{Pipe, at};
use super::ways::Ways;

/// Asks for the operands of each step. Of several sequences the new state is read where `MIX_F` left
/// it, in the mix memory.
pub(super) fn read<'m>(m: &'m Module, now: &Now<'m>, pipe: &Pipe<'m>, slots: u32) {
    pipe.reads_own(m, "residual", &[(now.adds, at::Y)]);
    let state_reads = [(now.mix_f, at::SIGMA), (now.mix_g, at::PRE)];
    pipe.reads_own(m, "mix", if slots == 1 { &state_reads[..1] } else { &state_reads });
    pipe.reads_own(m, "product", &[(now.up, at::PRE)]);
    let beside = [(now.adds, at::RESIDUAL), (now.mix_f, at::SIGMA), (now.mix_g, at::SILU)];
    pipe.reads(m, "side", &beside);
    pipe.reads(m, "gain", &now.gathers());
    pipe.reads_own(m, "state", if slots == 1 { &state_reads } else { &state_reads[..1] });
    // Which halves of the operand memories: see `operand_place` in front_end/operands.rs.
    m.output("side_second", UInt(1)).set(now.mix_f | (now.adds & !now.down));
    m.output("gain_second", UInt(1)).set(now.mix_g | now.up);
    // The others' gains 1 and 2 may be in the middle of being loaded.
    m.output("gain_all", UInt(1)).comment("Not only gain 0 is wanted.").set(now.down);
}

/// Writes the results of each step.
pub(super) fn write<'m>(
    m: &'m Module,
    now: &Now<'m>,
    pipe: &Pipe<'m>,
    slots: u32,
    ways: &Ways<'m>,
) {
    pipe.writes(m, "residual", &[(now.adds, at::RESIDUAL)], ways.sums);
    let mixed = now.mix_i.mux(ways.silus, ways.gated);
    let mix_writes = [(now.mix_i, at::SILU), (now.mix_g, at::V), (now.mix_f, at::STATE)];
    pipe.writes(m, "mix", if slots == 1 { &mix_writes[..2] } else { &mix_writes }, mixed);
    let product_of = now.up.mux(ways.products, ways.silus);
    pipe.writes(m, "product", &[(now.gate, at::SILU), (now.up, at::PRODUCT)], product_of);
    pipe.writes(m, "state", &[(now.mix_f, at::STATE)], ways.states(m));
}
