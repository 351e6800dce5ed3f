//! Statistics and scales.
//!
//! ```text
//! norm_scale   what it is, and the order of its parts
//! inputs       statistics, and what a scale is made of
//! pair         numbers with an exponent: product and sum
//! normaliser   from a sum or a maximum to such a number
//! statistics   those of each slot, taken and normalised
//! scale        one multiplier, one adder, one root, in turn
//! results      the scale as a factor, and what each slot has
//! ```

mod inputs;
mod normaliser;
mod pair;
mod results;
mod scale;
mod statistics;

use sterna_model::numerics::formats::SCALE_BITS;
use sterna_rtl::parts::InverseRoot;
use sterna_rtl::{Generate, Module};

use crate::slots;
use inputs::Inputs;
use results::Results;
use scale::Scale;
use statistics::{Progress, Statistics};

const ROOT: InverseRoot = InverseRoot { width: SCALE_BITS };

/// Clocks of the normaliser: a look, then 16 bits at most four times, 4 thrice, 1 thrice.
const SHIFTS: u32 = 11;

// When, in clocks from `start`, which result stands.
const OUTER: u32 = 4;
const FIRST_SUM: u32 = OUTER + 6;
const SUM: u32 = FIRST_SUM + 6;
// The latency of ROOT, as an assertion of the module says.
const INVERSE: u32 = SUM + 74;
const TIMES_MAX: u32 = INVERSE + 4;
const TIMES_RESCALE: u32 = TIMES_MAX + 4;
const ROUNDED: u32 = TIMES_RESCALE + 2;

/// The statistics of a vector, and the scales that come of them (numerics.md, sections 6 and 9).
///
/// ```text
///  a, b, max -> [normaliser: top bit to the top] -> A, B, max as Scales
///
///        +--[x]--+-> [ x * y: 24 x 24 ] ------------------------+
///        |       +-> [ align ] -> [ x + y ] -+------------------+--> x, y
///        +--[y]--+                           +-> 1 / sqrt ------+--> [ to 17 bits ] -> factor, shift
///
///  x * y:  B * outer     (1/sqrt) * max    ... * rescale
///  x + y:  A + ...       ... + floor
/// ```
///
/// ```text
///  clk       _/1\_/2\_ ... _/24\_/25\_ ... _/125\_/126\_
///  gather    1   0
///  gathered                 0    1                        the statistics stand from here on
///  ready     x   0          0    1    0      0     1
///  start                         1    0
///  done                                      0     1      the results stand until the next done
/// ```
///
/// One multiplier, one adder and one normaliser do everything in turn; each operation is one of
/// `sterna_model::numerics::Scale` and in the order of `NormConstants::scale`. `enter` takes the
/// statistics of an embedding row, which are Scales already, within a clock. `gather` and `enter`
/// come only while no scale is being computed (`start` begins one, only while `ready`); everything is
/// taken in the clock of the pulse, raw sums and maxima in the next.
///
/// Of several sequences the statistics are taken all at once and normalised one after the other,
/// slot 0's first, up to that of `highest`; `gathered` comes for each, and `gathered_all` with the
/// last. A scale is of the slot that `slot` names from `start` to `done`; the results of each stand
/// until its next, in a lane of the outputs, and raw sums and maxima come in lanes, too.
///
/// Latencies [`NormScale::LATENCY`] and [`NormScale::gather_latency`], always; three quarters of the
/// first are the root and its division, which have a quantiser's pass over the vector to hide behind.
/// Cost (*synthesised*, ECP5, in a core of 64 bits), without the root: four multipliers of 18 x 18,
/// 1,170 LUT4, 129 CCU2C, 1,070 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormScale {
    /// Sequences.
    pub slots: u32,
}

impl NormScale {
    /// Clocks from `start` to `done`.
    pub const LATENCY: u32 = ROUNDED + 1;

    /// Clocks from `gather` to the last of so many `gathered`.
    pub const fn gather_latency(slots: u32) -> u32 {
        2 * (SHIFTS + 1) * slots + 2
    }
}

impl Generate for NormScale {
    fn name(&self) -> String {
        slots::name("norm_scale", self.slots, self.slots)
    }

    fn describe(&self, m: &Module) {
        m.doc(format!(
            "Statistics of a vector, and the scales that come of them.\n\
             Latency {} from start, {} from gather.",
            Self::LATENCY,
            Self::gather_latency(1)
        ));
        let inputs = Inputs::new(m, self.slots);
        let (statistics, progress) = Statistics::new(m, self.slots);
        let Progress { step, busy } = progress;
        let ready = (statistics.there & !busy).named("is_ready");
        let begin = inputs.start.named("begins");
        m.assume("starts_while_ready", !inputs.start | ready);

        let (normal, finished) = statistics.take(m, &inputs, begin);
        m.assume("between_scales", !(inputs.gather | inputs.enter) | step.eq(0));
        let scale = Scale::new(m, &inputs, &statistics, &progress, begin, normal);
        let results = Results::new(m, self.slots, inputs.turn, &scale, &progress);

        statistics.show(m, ready, inputs.highest);
        results.give(m);
        scale.assert_in_time(m, finished);
    }
}
