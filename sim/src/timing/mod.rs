//! The clock of everything that a pass does, computed without its data.
//!
//! ```text
//!            arrivals                     codes of the vector
//!  source ------------> stream <--------------------------- codes <- maxima -+
//!  (ideal memory,         | beats taken                                      |
//!   or recorded)          v                                                  |
//!                       walk: header, issue, operands, weights -> steps -----+-> end
//!                                                                   |
//!                                                                writer (head)
//! ```
//!
//! Nothing in the core depends on a value, so a pass follows from the shape, the geometry, the
//! token (its row may cross 4 KiB and take a burst more) and the clocks at which beats arrive. Each
//! unit is an equation: the clock of what it does is the latest of the clocks that it waits for,
//! plus a latency that the unit of `sterna_hdl` states. docs/core.md has the equations in words.
//!
//! Clocks are absolute: those of the simulation, or counted from any number that is chosen as the
//! beginning. "At clock n" means that the signal is high in clock n.
//!
//! ```text
//! mod        what a pass takes: the results
//! pass       the walk along the image
//! source     where beats come from: an ideal memory, or a recording
//! port       the ideal memory, with the readers in front of it
//! stream     beats of the image, and what the clocks between them were
//! units      codes, and steps of the epilogue
//! writer     what the head writes
//! record     what a core did: the recording, and its comparison
//! ```

mod pass;
mod port;
mod record;
mod source;
mod stream;
mod units;
mod writer;

use std::collections::BTreeMap;

use sterna_firmware::Result;
use sterna_firmware::device::{Counters, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{Instruction, Opcode, UNIT, instructions};
use sterna_firmware::shape::Shape;

pub use pass::Run;
pub use record::{Difference, Seen, Tokens, differences};
pub use source::{Ideal, Source, Traffic};

/// The timing of one model on one core.
#[derive(Clone, Debug)]
pub struct Timing {
    geometry: Geometry,
    shape: Shape,
    walk: Vec<Instruction>,
}

/// The clocks of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Number in the image.
    pub sequence: usize,
    /// What it does.
    pub opcode: Opcode,
    /// Layer.
    pub layer: usize,
    /// Start: its header's first beat is taken.
    pub start: u64,
    /// The first word of its vector's codes is written, of slot 0; `None` for START.
    pub codes: Option<u64>,
    /// It goes to the epilogue with its scale; `None` for START.
    pub handed: Option<u64>,
    /// The last beat of its payload is taken.
    pub read: u64,
    /// End: the epilogue is done with it. START's is its last beat.
    pub end: u64,
    /// The clocks after the last beat of the instruction before, to its own last one.
    pub spent: Counters,
}

/// The clocks of one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Its first clock.
    pub begin: u64,
    /// Every instruction that it executes, in order.
    pub instructions: Vec<Clocks>,
    /// The best token is there, or without a head the last statistics are.
    pub done: u64,
    /// Its last clock.
    pub end: u64,
    /// The clocks from the last beat to the end: all idle.
    pub tail: u64,
    /// All clocks, as the core counts them.
    pub counters: Counters,
}

impl Timing {
    /// A model of this shape on a core of this geometry.
    ///
    /// # Errors
    /// Those of a geometry that is not legal or too small for the shape.
    pub fn new(geometry: &Geometry, shape: &Shape) -> Result<Timing> {
        geometry.check()?;
        geometry.fits(shape)?;
        Ok(Timing { geometry: geometry.clone(), shape: *shape, walk: instructions(shape) })
    }

    /// Passes of one run, the first beginning at this clock.
    pub fn run<'a>(&'a self, source: Source<'a>, begin: u64) -> Run<'a> {
        Run::new(self, source, begin)
    }

    /// The first pass of a run: token 0 in slot 0, best tokens only.
    pub fn token(&self, memory: Ideal) -> Pass {
        self.run(Source::Ideal(memory), 0).pass(0, Want::Top)
    }

    /// The same of so many slots at once, one at least.
    pub fn tokens(&self, memory: Ideal, slots: usize) -> Pass {
        self.run(Source::Ideal(memory), 0).batch(&vec![Some(0); slots.max(1)], Want::Top)
    }

    /// Beats of the whole image.
    pub fn beats(&self) -> u64 {
        self.walk.last().map_or(0, |last| self.units(last.end()))
    }

    /// What a pass with or without head reads.
    pub(crate) fn read_by(&self, want: Want) -> &[Instruction] {
        let head = self.walk.len() - 1;
        if want == Want::State { &self.walk[..head] } else { &self.walk }
    }

    /// Bytes as beats.
    fn units(&self, bytes: usize) -> u64 {
        (bytes / UNIT * (8 * UNIT / self.geometry.bus as usize)) as u64
    }
}

impl Pass {
    /// What the instructions of each kind spend, in the order of a pass, and their number. The
    /// tail is HEAD's, or without a head DOWN's.
    pub fn kinds(&self) -> Vec<(Opcode, usize, Counters)> {
        let mut kinds = BTreeMap::new();
        for clocks in &self.instructions {
            let (count, sum) = kinds.entry(clocks.opcode).or_insert((0, Counters::default()));
            *count += 1;
            *sum += clocks.spent;
        }
        let last = self.instructions.last().map(|clocks| clocks.opcode);
        if let Some((_, sum)) = last.and_then(|opcode| kinds.get_mut(&opcode)) {
            sum.cycles += self.tail;
            sum.idle += self.tail;
        }
        kinds.into_iter().map(|(opcode, (count, sum))| (opcode, count, sum)).collect()
    }
}
