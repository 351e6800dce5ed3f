//! Which vector is read, with which gains.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, UInt};

use super::Source;
use super::maxima::Divider;
use super::walk::Place;
use super::words::Words;
use crate::core::instruction::{is, is_one_of};

/// The ports that ask the memories of vectors and operands for a word.
pub(super) fn ask<'m>(m: &'m Module, place: &Place<'m>, divider: &Divider<'m>, words: &Words<'m>) {
    let &Place { which, turn, .. } = place;
    let &Divider { forget, gate, .. } = divider;
    let source = is(which, Opcode::MixO).mux(
        m.lit(UInt(2), Source::Mix as u8),
        is(which, Opcode::Down).mux(m.lit(UInt(2), Source::Product as u8), Source::Residual as u8),
    );
    m.output("read", UInt(1)).set(words.reads & words.inside);
    m.output("read_at", words.index.ty()).set(words.index);
    if let Some(turn) = turn {
        m.output("read_slot", turn.ty()).set(turn);
    }
    m.output("read_vector", UInt(2))
        .comment("0 residual, 1 mix, 2 product.")
        .set(source.register("source"));
    let memory = gate.mux(m.lit(UInt(2), 2), forget.mux(m.lit(UInt(2), 1), 0));
    m.output("read_gain", UInt(2)).comment("Operand memory.").set(memory.register("memory"));
    let second = is_one_of(which, &[Opcode::MixO, Opcode::Down]);
    m.output("read_second", UInt(1)).comment("Its second half.").set(second.register("second"));
}
