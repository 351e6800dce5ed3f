//! What belongs to one of several sequences on chip.
//!
//! A unit that takes turns among the sequences is told whose turn it is by a [`Slot`]; in a core
//! of one sequence there is nothing to tell, and no port, register or name differs for it.

use sterna_rtl::{Module, Sig, Type, UInt};

/// The number of a sequence; `None` in a core that has only one.
pub(crate) type Slot<'m> = Option<Sig<'m>>;

/// Bits of a slot's number; 0 for one slot.
pub(crate) fn bits(slots: u32) -> u32 {
    slots.trailing_zeros()
}

/// A name of something that each slot has; one slot's has no number.
pub(crate) fn name(of: &str, slots: u32, n: u32) -> String {
    if slots == 1 { of.into() } else { format!("{of}_{n}") }
}

/// An input that says whose turn it is.
pub(crate) fn input<'m>(m: &'m Module, name: &str, slots: u32) -> Slot<'m> {
    (slots > 1).then(|| m.input(name, UInt(bits(slots))))
}

/// A register that holds a slot's number.
pub(crate) fn register<'m>(m: &'m Module, name: &str, slots: u32) -> Slot<'m> {
    (slots > 1).then(|| m.reg(name, UInt(bits(slots))).reset(0))
}

/// What the slot has of these, one of each.
pub(crate) fn pick<'m>(slot: Slot<'m>, of: &[Sig<'m>]) -> Sig<'m> {
    slot.map_or(of[0], |slot| slot.select(of))
}

/// The condition, for slot `n` alone.
pub(crate) fn only<'m>(condition: Sig<'m>, slot: Slot<'m>, n: u32) -> Sig<'m> {
    slot.map_or(condition, |slot| condition & slot.eq(n))
}

/// The condition, for the last slot alone that takes part.
pub(crate) fn last<'m>(condition: Sig<'m>, slot: Slot<'m>, highest: Slot<'m>) -> Sig<'m> {
    match slot.zip(highest) {
        Some((slot, highest)) => condition & slot.eq(highest),
        None => condition,
    }
}

/// Lane `n` of a signal that has one for each slot.
pub(crate) fn lanes(of: Sig<'_>, slots: u32) -> Vec<Sig<'_>> {
    let width = of.width() / slots;
    (0..slots).map(|n| if slots == 1 { of } else { of.lane(n, width) }).collect()
}

/// One signal of all slots' signals, slot 0 lowest.
pub(crate) fn join<'m>(m: &'m Module, of: &[Sig<'m>]) -> Sig<'m> {
    match of {
        [one] => *one,
        _ => m.cat(&of.iter().rev().map(|sig| sig.as_uint()).collect::<Vec<_>>()),
    }
}

/// The type of a signal that has a lane of this type for each slot.
pub(crate) fn ty(of: Type, slots: u32) -> Type {
    if slots == 1 { of } else { UInt(of.width() * slots) }
}

/// The number of the lowest bit that is set; of none, the highest number.
pub(crate) fn lowest(mask: Sig<'_>) -> Sig<'_> {
    let m = mask.module();
    let number = |n: u32| m.lit(UInt(bits(mask.width())), n);
    let most = mask.width() - 1;
    (0..most).rev().fold(number(most), |found, n| mask.bit(n).mux(number(n), found))
}

/// The number of the highest bit that is set; of none, 0.
pub(crate) fn highest(mask: Sig<'_>) -> Sig<'_> {
    let m = mask.module();
    let number = |n: u32| m.lit(UInt(bits(mask.width())), n);
    (1..mask.width()).fold(number(0), |found, n| mask.bit(n).mux(number(n), found))
}
