//! The epilogue: elements, ways, statistics.
//!
//! ```text
//! epilogue     what it is, and the order of its parts
//! inputs       the next instruction, accumulators, operands
//! now          which instruction is inside
//! steps        its elements a step at a time: turns, parts, pauses
//! pipe         the clocks of a step
//! way          what one way makes of an element
//! ways         all of them, and their results
//! memories     what is read and written when
//! statistics   maxima and sums of a vector
//! shown        what the head takes, and what a simulation sees
//! ```

mod inputs;
mod memories;
mod now;
mod pipe;
mod shown;
mod statistics;
mod steps;
mod way;
mod ways;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::{Generate, Module, UInt, index_width};

use super::{Elements, LENGTH, READ};
use crate::units::{Mlgru, RmsNorm};
use inputs::Inputs;
use now::Held;
use pipe::at;
use steps::Steps;
pub use way::Way;
use ways::Ways;

/// What happens to each accumulator, V a clock.
///
/// ```text
///  groups -> [ elements ] -> V ways: [ way ] -> results -> memories
///                                       ^         |
///            operands from the memories +         +-> [ rms_norm ] -> maxima -> quantiser
///                                                                     sums   -> issue
///  of the head: one accumulator a clock -> head
/// ```
///
/// One instruction at a time is inside: the next is taken when the last element has been written.
/// Operands are read so that they arrive with the value that they meet. The maxima of a vector go
/// to the quantiser as soon as they are complete; the sums follow and go to `issue`. Between gate
/// and up of a GLU the ways run empty, since up reads what gate wrote.
///
/// Several sequences take turns at the ways ([`Elements`]), in every matrix but the head, whose
/// accumulators leave side by side. `chain` makes tokens of one sequence of them: each finds in the
/// state memory what the slot before left there, which a turn is long enough for; behind a shorter
/// one nothing is done for [`Epilogue::GAP`] clocks. A slot that is not in `mask` goes the same way,
/// and writes no state. The new state is kept beside, in the mix memory, for `MIX_G`.
///
/// Cost V [`Way`]s, one [`RmsNorm`] of V ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl Epilogue {
    /// Clocks in which no step is made between gate and up: up reads what gate wrote, and writes
    /// sooner.
    pub const PAUSE: u32 = at::SILU as u32 + 2;

    /// Clocks in which no step is made behind a short turn of `MIX_F`: a state is read one clock or
    /// more after it was written.
    pub const GAP: u32 = Mlgru::LATENCY + READ as u32;

    /// Clocks from an instruction's last step to the results that it waits for: its last element,
    /// or the sums of its statistics. None of the head.
    pub fn results(&self, opcode: Opcode) -> u32 {
        let sums = self.norm().sum_latency();
        match opcode {
            Opcode::Start | Opcode::Head => 0,
            Opcode::MixI => at::SILU as u32,
            Opcode::MixF => at::STATE as u32,
            Opcode::MixG => at::V as u32 + sums,
            Opcode::Glu => at::PRODUCT as u32 + sums,
            Opcode::MixO | Opcode::Down => at::RESIDUAL as u32 + sums,
        }
    }

    /// Clocks by which the maxima are there before the sums.
    pub fn maxima_early(&self) -> u32 {
        self.norm().sum_latency() - self.norm().max_latency()
    }

    fn norm(&self) -> RmsNorm {
        RmsNorm { ways: self.geometry.ways, slots: self.geometry.slots }
    }

    /// Bits of the address of a step's state.
    pub fn state_bits(&self) -> u32 {
        index_width((self.geometry.state / self.geometry.ways as usize).max(2))
    }
}

impl Generate for Epilogue {
    fn name(&self) -> String {
        "epilogue".into()
    }

    fn describe(&self, m: &Module) {
        const { assert!(Epilogue::GAP < Elements::TURN) };
        let (v, slots) = (self.geometry.ways, self.geometry.slots);
        m.doc(format!("What happens to each accumulator, {v} a clock."));
        let inputs = Inputs::new(m, v, slots);
        let held = Held::new(m, &inputs, slots);
        let steps = Steps::new(m, v, &inputs, &held);
        held.take(m, &inputs);
        let pipe = steps.pipe(v);
        let ways = Ways::new(m, v, &inputs, &held, &steps, &pipe);

        let now = &held.now;
        memories::read(m, now, &pipe, slots);
        memories::write(m, now, &pipe, slots, &ways);
        let base = m.reg("base", UInt(self.state_bits()));
        m.output("state_base", base.ty()).comment("Where the layer's state begins.").set(base);
        let sum_valid = statistics::gather(m, &self.norm(), &held, &pipe, &ways, &inputs.operands);

        let head_ends = (steps.last & now.head).named("head_ends");
        let stored = pipe.last_at(&[(now.mix_i, at::SILU), (now.mix_f, at::STATE)]);
        let ends = (stored | sum_valid | head_ends).register("ends").reset(0);
        held.end(m, ends);
        m.when(ends & now.mix_g, || {
            let layer = inputs.inner.slice(v.trailing_zeros()..LENGTH).named("steps_a_layer");
            base.set((base + layer).truncate(base.width()));
        });
        m.when(inputs.begins, || base.set(0));
        m.output("ended", UInt(1)).comment("An instruction is done.").set(ends);
        m.output("ended_last", UInt(1))
            .comment("It is the last before the head.")
            .set(now.down & held.last_layer());

        shown::to_head(m, &steps, head_ends);
        shown::show(m, now, &pipe, &ways);
    }
}
