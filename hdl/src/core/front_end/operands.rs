//! Operand vectors, each to its memory.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::payload::Payload;
use super::reader::Reader;
use crate::core::LENGTH;
use crate::core::instruction::is;

/// Which of the four operand memories a vector goes to, and whether to its second half.
///
/// Halves alternate, so that a vector is loaded while the one before it is still in use: memory 0
/// holds what the first gain multiplies (i, w_o, MLP, w_d), 1 and 2 the gains of f and g, 3 what
/// stands beside them (lower bounds, w_g, w1).
fn operand_place(opcode: Opcode, n: u32) -> Option<(u32, bool)> {
    Some(match (opcode, n) {
        (Opcode::Start, 0..3) => (n, false),
        (Opcode::MixF, 0) => (3, true),
        (Opcode::MixG, 0) => (3, false),
        (Opcode::MixG, 1) => (0, true),
        (Opcode::MixO, 0) => (3, true),
        (Opcode::MixO, 1) => (0, false),
        (Opcode::Glu, 0) => (0, true),
        (Opcode::Down, 0) => (3, false),
        (Opcode::Down, 1..4) => (n - 1, false),
        _ => return None,
    })
}

/// Whether the present vector goes to this operand memory, and whether to its second half.
fn goes_to<'m>(m: &'m Module, memory: u32, opcode: Sig<'m>, vector: Sig<'m>) -> (Sig<'m>, Sig<'m>) {
    let (mut here, mut second) = (vec![], vec![m.lit(UInt(1), 0)]);
    for op in Opcode::ALL {
        for n in 0..4 {
            let Some((to, half)) = operand_place(op, n) else { continue };
            if to == memory {
                let hit = is(opcode, op) & vector.eq(n);
                here.push(hit);
                second.extend(half.then_some(hit));
            }
        }
    }
    (m.cat(&here).any(), m.cat(&second).any())
}

/// The ports that write the operand memories, a clock after a beat is taken.
pub(super) fn write<'m>(m: &'m Module, reader: &Reader<'m>, payload: &Payload<'m>) {
    let places: Vec<(Sig<'_>, Sig<'_>)> =
        (0..4).map(|memory| goes_to(m, memory, reader.expected, payload.vector)).collect();
    let fires = payload.operand_fires;
    let writes: Vec<Sig<'_>> = places.iter().rev().map(|p| fires & p.0).collect();
    let seconds: Vec<Sig<'_>> = places.iter().rev().map(|p| p.1).collect();
    m.output("operand_write", UInt(4))
        .comment("A bit for each operand memory.")
        .set(m.cat(&writes).register("write_now").reset(0));
    m.output("operand_second", UInt(4)).set(m.cat(&seconds).register("second_now"));
    m.output("operand_at", UInt(LENGTH)).set(payload.run.beat.register("at_now"));
    m.output("operand_data", reader.data.ty()).set(reader.data);
}
