//! What the front end tells the others, and the weights.

use sterna_rtl::{Module, UInt};

use super::payload::Payload;
use super::reader::{Header, Inputs, Reader};
use super::stall::Stall;
use super::walk::Walk;
use crate::core::{LENGTH, READ};

/// The instruction that is handed on, and what its header and START's say.
pub(super) fn to_issue<'m>(
    m: &'m Module,
    inputs: &Inputs<'m>,
    reader: &Reader<'m>,
    header: &Header<'m>,
    stall: &Stall<'m>,
) {
    let out = &inputs.issue;
    out.valid.set(stall.pending);
    let fields = [
        reader.expected,
        header.field("rows"),
        header.field("frac"),
        header.field("state_frac"),
        header.last_layer,
    ];
    for (to, from) in out.fields.iter().zip(fields) {
        to.set(from);
    }
    let shown = ["outer", "floor", "rescale", "image_id_lo", "image_id_hi"];
    let shape = ["hidden", "inner", "intermediate", "layers", "vocab"];
    for name in shown.into_iter().chain(shape) {
        let sig = header.field(name);
        m.output(name, sig.ty()).set(sig);
    }
}

/// Weights, with the codes that they meet asked for READ clocks before.
pub(super) fn to_ternary_unit<'m>(
    m: &'m Module,
    reader: &Reader<'m>,
    payload: &Payload<'m>,
    walk: &Walk<'m>,
) {
    let (run, data) = (payload.run, reader.data);
    let weights_now = payload.weight_fires.delay_valid("weights_now", 1);
    m.output("code_read", UInt(1)).set(weights_now);
    m.output("code_at", UInt(LENGTH)).set(run.beat.register("code_at_now"));
    m.output("code_from", UInt(1))
        .comment("Which of the two vectors of codes.")
        .set(walk.code_buffer);
    m.output("code_release", UInt(1)).set(walk.release);
    m.output("weights_valid", UInt(1)).set(weights_now.delay_valid("weights_valid_at", READ));
    m.output("weights_last", UInt(1)).set(run.last.delay("weights_last_at", READ + 1));
    m.output("weights", data.ty()).set(data.delay("weights_at", READ));
}
