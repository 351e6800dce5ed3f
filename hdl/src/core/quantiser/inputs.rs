//! What comes into the quantiser.

use sterna_rtl::{Module, Sig, UInt};

use crate::core::LENGTH;
use crate::slots::{self, Slot};

/// What a pass is about, the maxima of its vectors, and what is read of them.
pub(super) struct Inputs<'m> {
    /// A pass starts.
    pub begins: Sig<'m>,
    /// It ends before the head.
    pub no_head: Sig<'m>,
    /// START's operands are there.
    pub loaded: Sig<'m>,
    /// Lengths of vectors, and how many layers there are.
    pub hidden: Sig<'m>,
    pub inner: Sig<'m>,
    pub intermediate: Sig<'m>,
    pub layers: Sig<'m>,
    /// Of each slot whether the maxima of a vector are here; by consumer, then by slot, they are.
    pub max_valid: Vec<Sig<'m>>,
    pub max: Vec<Vec<Sig<'m>>>,
    /// The highest slot that takes part.
    pub highest: Slot<'m>,
    /// A matrix has read its codes.
    pub release: Sig<'m>,
    /// A beat meets codes for the first time.
    pub taken: Sig<'m>,
    /// Elements and their gains, READ clocks after they were asked for.
    pub vector: Sig<'m>,
    pub gain: Sig<'m>,
}

impl<'m> Inputs<'m> {
    pub fn new(m: &'m Module, quantisers: u32, slots: u32) -> Inputs<'m> {
        let max = |i| slots::lanes(m.input(format!("max_{i}"), UInt(32 * slots)), slots);
        Inputs {
            begins: m.input("begins", UInt(1)).comment("A pass starts."),
            no_head: m.input("no_head", UInt(1)),
            loaded: m.input("start_loaded", UInt(1)).comment("START's operands are there."),
            hidden: m.input("hidden", UInt(LENGTH)),
            inner: m.input("inner", UInt(LENGTH)),
            intermediate: m.input("intermediate", UInt(LENGTH)),
            layers: m.input("layers", UInt(10)),
            max_valid: slots::lanes(
                m.input("max_valid", UInt(slots)).comment("The maxima of a vector."),
                slots,
            ),
            max: (0..3).map(max).collect(),
            highest: slots::input(m, "highest", slots),
            release: m.input("code_release", UInt(1)).comment("A matrix has read its codes."),
            taken: m.input("code_taken", UInt(1)).comment("A beat meets codes for the first time."),
            vector: m.input("vector", UInt(32 * quantisers)).comment("READ clocks after `read`."),
            gain: m.input("gain", UInt(16 * quantisers)),
        }
    }
}
