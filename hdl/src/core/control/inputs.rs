//! What control hears: from the host's registers, from the engine, and of faults.

use sterna_rtl::{Module, Sig, UInt};

use crate::core::{ADDRESS, Control};
use crate::registers::TOKENS;
use crate::slots;

/// The registers that say what is wanted.
pub(super) struct Wanted<'m> {
    /// COMMAND, in the clock in which it is written; 0 in any other.
    pub commands: Sig<'m>,
    /// MODE, COUNT and SLOT_MASK.
    pub mode: Sig<'m>,
    pub passes: Sig<'m>,
    pub slot_mask: Sig<'m>,
    /// The token that each slot begins with.
    pub first_tokens: Vec<Sig<'m>>,
    /// The tokens that end a run, each with a bit that says that it counts.
    pub stops: Vec<Sig<'m>>,
    /// Clocks without progress that are too many; 0 for any number.
    pub watchdog: Sig<'m>,
    /// Sizes, in units of 64 bytes.
    pub image_units: Sig<'m>,
    pub row_units: Sig<'m>,
    pub state_units: Sig<'m>,
    /// Where the first record goes.
    pub result: Sig<'m>,
}

impl<'m> Wanted<'m> {
    pub fn inputs(m: &'m Module, slots: u32) -> Wanted<'m> {
        let input = |name: &str, width: u32| m.input(name, UInt(width));
        Wanted {
            commands: input("command", 5),
            mode: input("mode", 3),
            passes: input("count", 16),
            slot_mask: input("slot_mask", 8),
            first_tokens: {
                TOKENS[..slots as usize].iter().map(|reg| input(&reg.port(), reg.width)).collect()
            },
            stops: (0..4).map(|i| input(&format!("stop_{i}"), 21)).collect(),
            watchdog: input("watchdog", 32),
            image_units: input("image_units", 32),
            row_units: input("row_units", 10),
            state_units: input("state_units", 20),
            result: input("result", ADDRESS),
        }
    }
}

/// What the engine says.
pub(super) struct Heard<'m> {
    /// The pass was read to its end, and its checksums are right.
    pub pass_ok: Sig<'m>,
    /// The last DOWN is done.
    pub layers_ended: Sig<'m>,
    /// [`Control::LAST`] clocks ago the best token of each slot was given out.
    pub best_given: Sig<'m>,
    pub best: Vec<Sig<'m>>,
    /// All records of a pass are in memory.
    pub recorded: Sig<'m>,
    pub head_idle: Sig<'m>,
    /// Who still has something under way, in the engine or in memory.
    pub mover_busy: Sig<'m>,
    pub image_busy: Sig<'m>,
    pub row_busy: Sig<'m>,
    pub writer_busy: Sig<'m>,
    /// The handshake of the image's beats.
    pub image_valid: Sig<'m>,
    pub image_want: Sig<'m>,
    /// Anything else made progress.
    pub moves: Sig<'m>,
    /// How many values were clamped in this clock.
    pub clamps: Sig<'m>,
}

impl<'m> Heard<'m> {
    pub fn inputs(m: &'m Module, slots: u32) -> Heard<'m> {
        let bit = |name: &str| m.input(name, UInt(1));
        Heard {
            pass_ok: bit("pass_ok"),
            layers_ended: bit("layers_ended").comment("The last DOWN is done."),
            // A clock for the comparison with the stops, and one for what follows from it.
            best_given: bit("best_given").delay_valid("best_came", Control::LAST as usize),
            best: slots::lanes(m.input("best", UInt(20 * slots)), slots),
            recorded: bit("recorded"),
            head_idle: bit("head_idle"),
            mover_busy: bit("mover_busy"),
            image_busy: bit("image_busy"),
            row_busy: bit("row_busy"),
            writer_busy: bit("writer_busy"),
            image_valid: bit("image_valid"),
            image_want: bit("image_want"),
            moves: bit("moves").comment("Anything else made progress."),
            clamps: m.input("clamps", UInt(if slots == 1 { 4 } else { 5 })),
        }
    }
}

/// What may be wrong outside, and in which segment of the image.
pub(super) struct Alarms<'m> {
    /// A [`Fault`](crate::fault::Fault) that the front end found, and its segment.
    pub front_fault: Sig<'m>,
    pub front_segment: Sig<'m>,
    /// A byte of weights that stands for nothing, and its segment.
    pub bad_trit: Sig<'m>,
    pub trit_segment: Sig<'m>,
    /// A row of the embedding that is damaged, and answers of the memory that are errors.
    pub bad_row: Sig<'m>,
    pub bad_read: Sig<'m>,
    pub bad_write: Sig<'m>,
    /// The segment that is being read.
    pub segment: Sig<'m>,
}

impl<'m> Alarms<'m> {
    pub fn inputs(m: &'m Module) -> Alarms<'m> {
        let bit = |name: &str| m.input(name, UInt(1));
        let segment = |name: &str| m.input(name, UInt(32));
        Alarms {
            front_fault: m.input("front_fault", UInt(8)),
            front_segment: segment("front_segment"),
            bad_trit: bit("bad_trit"),
            trit_segment: segment("trit_segment"),
            bad_row: bit("bad_row"),
            bad_read: bit("bad_read"),
            bad_write: bit("bad_write"),
            segment: segment("segment"),
        }
    }
}
