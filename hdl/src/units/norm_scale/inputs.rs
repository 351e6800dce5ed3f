//! What comes in: statistics, and what a scale is made of.

use sterna_rtl::{Module, Sig, UInt};

use crate::slots::{self, Slot};
use crate::units::SQUARES_BITS;

/// Statistics of a vector or of an embedding row, and the constants of a scale.
pub(super) struct Inputs<'m> {
    /// The highest slot that takes part, and the one that a scale is of.
    pub highest: Slot<'m>,
    pub turn: Slot<'m>,
    /// Raw sums and maxima are taken in the next clock; they are now.
    pub gathers: Sig<'m>,
    pub gather: Sig<'m>,
    /// By slot; of the maxima by consumer first.
    pub raw_a: Vec<Sig<'m>>,
    pub raw_b: Vec<Sig<'m>>,
    pub raw_max: Vec<Vec<Sig<'m>>>,
    /// Those of an embedding row are taken, and of which slot.
    pub enter: Sig<'m>,
    pub entering: Slot<'m>,
    pub row_a: Sig<'m>,
    pub row_b: Sig<'m>,
    pub row_max: Vec<Sig<'m>>,
    /// A scale is computed, of these, and of the maximum of this consumer.
    pub start: Sig<'m>,
    pub outer: Sig<'m>,
    pub floor: Sig<'m>,
    pub rescale: Sig<'m>,
    pub consumer: Sig<'m>,
}

impl<'m> Inputs<'m> {
    pub fn new(m: &'m Module, count: u32) -> Inputs<'m> {
        let highest = slots::input(m, "highest", count);
        let turn = slots::input(m, "slot", count);
        let word = |name: &str| m.input(name, UInt(32));
        let pulse = |name: &str| m.input(name, UInt(1));
        let raw = |name: &str, width: u32| slots::lanes(m.input(name, UInt(width * count)), count);
        let gathers = pulse("gather").comment("Take raw sums and maxima in the next clock.");
        Inputs {
            highest,
            turn,
            gathers,
            gather: gathers.delay_valid("gather_now", 1),
            raw_a: raw("a", SQUARES_BITS),
            raw_b: raw("b", SQUARES_BITS),
            raw_max: (0..3).map(|j| raw(&format!("max_{j}"), 32)).collect(),
            enter: pulse("enter").comment("Take those of an embedding row."),
            entering: slots::input(m, "enter_slot", count),
            row_a: word("row_a"),
            row_b: word("row_b"),
            row_max: (0..3).map(|j| word(&format!("row_max_{j}"))).collect(),
            start: pulse("start").comment("Compute a scale; only while ready."),
            outer: word("outer"),
            floor: word("floor"),
            rescale: word("rescale"),
            consumer: m.input("consumer", UInt(2)),
        }
    }
}
