//! What comes into the epilogue.

use sterna_model::numerics::formats::STATE_BITS;
use sterna_rtl::{Module, Sig, Stream, UInt};

use crate::core::instruction::Instruction;
use crate::core::{ACCUMULATOR, LENGTH, ROWS};
use crate::slots::{self, Slot};

/// What a pass is about, the next instruction, and accumulators.
pub(super) struct Inputs<'m> {
    /// A pass starts.
    pub begins: Sig<'m>,
    /// Whose recurrent state is zero, a bit for each slot.
    pub fresh: Sig<'m>,
    /// The highest slot that takes part, and all that do.
    pub highest: Slot<'m>,
    pub mask: Option<Sig<'m>>,
    /// Elements of a layer's state.
    pub inner: Sig<'m>,
    /// The instruction to be taken next, and of each slot its factor and shift.
    pub next: Instruction<'m>,
    pub factor: Vec<Sig<'m>>,
    pub shift: Vec<Sig<'m>>,
    /// Of each slot its row groups.
    pub groups: Vec<Stream<'m>>,
    /// The head's results have a place.
    pub head_ready: Sig<'m>,
    pub operands: Operands<'m>,
}

/// What the memories give for a step, a lane for each way.
pub(super) struct Operands<'m> {
    pub residual: Sig<'m>,
    pub mix: Sig<'m>,
    pub product: Sig<'m>,
    pub state: Sig<'m>,
    /// What stands beside a vector: lower bounds, w_g, w1.
    pub side: Sig<'m>,
    /// The gains of a vector's consumers.
    pub gains: [Sig<'m>; 3],
}

impl<'m> Inputs<'m> {
    pub fn new(m: &'m Module, ways: u32, slots: u32) -> Inputs<'m> {
        let group = |n| {
            let name = slots::name("group", slots, n);
            m.stream_in(&name, UInt(ROWS * ACCUMULATOR), false)
        };
        Inputs {
            begins: m.input("begins", UInt(1)).comment("A pass starts."),
            fresh: m.input("fresh", UInt(slots)).comment("The recurrent state is zero."),
            highest: slots::input(m, "highest", slots),
            mask: (slots > 1).then(|| m.input("mask", UInt(slots)).comment("Who takes part.")),
            inner: m.input("inner", UInt(LENGTH)),
            next: Instruction::input(m, "in"),
            factor: slots::lanes(m.input("factor", UInt(17 * slots)), slots),
            shift: slots::lanes(m.input("shift", UInt(6 * slots)), slots),
            groups: (0..slots).map(group).collect(),
            head_ready: m.input("head_ready", UInt(1)).comment("The head's results have a place."),
            operands: Operands::new(m, ways),
        }
    }
}

impl<'m> Operands<'m> {
    fn new(m: &'m Module, ways: u32) -> Operands<'m> {
        let wide = |name: &str, width: u32| m.input(name, UInt(width * ways));
        Operands {
            residual: wide("residual", 32),
            mix: wide("mix", 32),
            product: wide("product", 32),
            state: wide("state", STATE_BITS),
            side: wide("side", 16),
            gains: [wide("gain_0", 16), wide("gain_1", 16), wide("gain_2", 16)],
        }
    }

    /// Those that are handed to the way of the same lane as they are, by its names for them.
    pub fn as_they_are(&self) -> [(&'static str, Sig<'m>, u32); 4] {
        [
            ("residual", self.residual, 32),
            ("mix", self.mix, 32),
            ("product", self.product, 32),
            ("side", self.side, 16),
        ]
    }
}
