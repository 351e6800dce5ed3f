//! The statistics of a vector, for the quantiser and for `issue`.

use sterna_rtl::{Module, Sig, UInt};

use super::inputs::Operands;
use super::now::Held;
use super::pipe::Pipe;
use super::ways::Ways;
use crate::units::RmsNorm;

/// Gathers them while a vector passes, and gives them out; returns when the sums are there, which
/// come last.
pub(super) fn gather<'m>(
    m: &'m Module,
    rms_norm: &RmsNorm,
    held: &Held<'m>,
    pipe: &Pipe<'m>,
    ways: &Ways<'m>,
    operands: &Operands<'m>,
) -> Sig<'m> {
    let (now, gathers) = (&held.now, held.now.gathers());
    let lanes = rms_norm.ways;
    let &Ways { gated, products, sums, gs, .. } = ways;
    let norm = m.instance("u_norm", rms_norm);
    let value = now.adds.mux(sums, now.up.mux(products, gated)).named("gathered");
    let other = now.adds.mux(sums, now.mix_g.mux(gs, m.lit(UInt(32 * lanes), 0)));
    let gathered = pipe.at(&gathers, 0);
    norm.set("clear", held.load_1).set("valid", gathered.valid.named("gathers"));
    if let Some(slot) = gathered.slot {
        norm.set("slot", slot);
    }
    norm.set("value", value).set("other", other).set("a_gained", now.adds);
    norm.set("side", operands.side);
    // Only DOWN has three consumers.
    let three = now.down.repeat(16 * lanes as usize);
    let gains = operands.gains;
    norm.set("gain_0", gains[0]);
    norm.set("gain_1", three & gains[1]).set("gain_2", three & gains[2]);
    for (name, width) in [("a", 77), ("b", 77), ("max_0", 32), ("max_1", 32), ("max_2", 32)] {
        m.output(name, UInt(width * rms_norm.slots)).set(norm.port(name));
    }
    let (max, sum) = (rms_norm.max_latency() as usize, rms_norm.sum_latency() as usize);
    let gathered = pipe.last_at(&gathers).named("gathers_last");
    let max_valid = gathered.delay_valid("max_valid", max);
    let sum_valid = max_valid.delay_valid("sum_valid", sum - max);
    m.output("max_valid", UInt(1)).set(max_valid);
    m.output("gather", UInt(1)).set(sum_valid);
    sum_valid
}
