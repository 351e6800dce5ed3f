//! What the engine and the host are told.

use sterna_rtl::{Module, Sig, UInt};

use super::inputs::Wanted;
use super::kept::Kept;
use crate::core::ADDRESS;
use crate::registers::{LAST_TOKENS, mode};
use crate::slots;

/// What is to be done, for whom, and where its results go.
pub(super) fn to_engine<'m>(m: &'m Module, wanted: &Wanted<'m>, kept: &Kept<'m>) {
    let Kept { starts, command, sequences, run, .. } = kept;
    let slots = sequences.tokens.len() as u32;
    m.output("begins", UInt(1)).set(starts.pass);
    m.output("save", UInt(1)).set(starts.save);
    m.output("load", UInt(1)).set(starts.load);
    let entering = sequences.entering();
    m.output("token", UInt(20 * slots)).set(slots::join(m, &entering));
    m.output("no_head", UInt(1)).set(command.no_head);
    let logits = m.output("logits", UInt(1));
    logits.set(wanted.mode.bit(mode::LOGITS.trailing_zeros()) & !command.no_head);
    match &sequences.several {
        None => m.output("fresh", UInt(1)).set(sequences.fresh),
        Some(several) => {
            m.output("fresh", UInt(slots)).set(sequences.fresh & several.owners);
            m.output("chain", UInt(1)).set(command.chain);
            m.output("mask", UInt(slots)).set(several.mask);
            let numbers = [
                ("lowest", slots::lowest(several.mask)),
                ("highest", slots::highest(several.mask)),
            ];
            for (name, number) in numbers {
                m.output(name, number.ty()).set(number);
            }
        }
    }
    m.output("index", UInt(16)).set(run.index);
    m.output("record_addr", UInt(ADDRESS)).set(run.record_addr);
}

/// What the registers of the core show, and the interrupt.
pub(super) fn to_host<'m>(
    m: &'m Module,
    commands: Sig<'m>,
    kept: &Kept<'m>,
    (busy, draining): (Sig<'m>, Sig<'m>),
    saturations: Sig<'m>,
) {
    let Kept { outcome, sequences, run, .. } = kept;
    let valid = sequences.valid;
    // Who reads right after a command sees that it is being obeyed.
    let several = sequences.several.as_ref();
    let all_valid = several.map_or(valid, |several| (valid | !several.asked).all());
    let flags = [draining, all_valid, outcome.failed, outcome.done, busy | commands.any()];
    m.output("status", UInt(5)).set(m.cat(&flags));
    m.output("error", UInt(8)).set(outcome.error);
    m.output("error_segment", UInt(32)).set(outcome.segment);
    m.output("tokens_done", UInt(16)).set(run.tokens_done);
    for (reg, last) in LAST_TOKENS.iter().zip(&sequences.last_tokens) {
        m.output(reg.port(), UInt(20)).set(*last);
    }
    m.output("saturations", UInt(32)).set(saturations);
    m.output("irq", UInt(1)).set(outcome.done | outcome.failed);
}
