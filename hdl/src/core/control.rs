//! Control: commands, passes, faults.
//!
//! ```text
//! control      what it is, and the order of its parts
//! inputs       what is wanted, what the engine says, what may be wrong
//! kept         registers: the machine, the command, its outcome, the run
//! sequences    of each slot its token and its state, and who takes part
//! commands     from a command's bits to what is begun
//! passes       token after token, and states on the move
//! faults       what ends a command, and how the engine comes to rest
//! counters     where the clocks of a run went
//! outputs      what the engine and the host are told
//! ```

mod commands;
mod counters;
mod faults;
mod inputs;
mod kept;
mod outputs;
mod passes;
mod sequences;

use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module};

use crate::record;
use faults::Activity;
use inputs::{Alarms, Heard, Wanted};
use kept::Kept;

/// Obeys commands: runs passes, token after token, moves state, stops at faults.
///
/// ```text
///  command -> check -> [ pass ] -> best token -> stop? -> next pass ... -> record written -> done
///                   -> [ move ] -> done
///  fault, reset    -> [ drain: nothing asked for, all that was asked for arrives ] -> clear
/// ```
///
/// After a fault the engine is reset when the memory owes nothing and is owed nothing, so that the
/// bus stays in order; until then `draining` stands. The recurrent state is invalid from then on.
/// Commands other than reset are ignored while one is obeyed.
///
/// Several sequences each have a token, a state that is valid or not, and stops that take the slot
/// out of what is left of a run. A chain of tokens has one state, that of its lowest slot.
///
/// Cost five counters of 48 bits, some 270 registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// A command's registers are checked, and a clock later it is obeyed or refused.
    Check,
    /// A pass runs.
    Pass,
    /// The last record is written.
    Record,
    Save,
    Load,
    Drain,
    /// The engine is reset in the clock after this.
    Clear,
}

impl Control {
    /// Clocks from a pass's best token, or without a head from the last of what it waits for, to the
    /// last clock of the pass.
    pub const LAST: u32 = 2;
}

impl Generate for Control {
    fn name(&self) -> String {
        "control".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Obeys commands: passes, state, faults.");
        let slots = self.geometry.slots;
        let wanted = Wanted::inputs(m, slots);
        let heard = Heard::inputs(m, slots);
        let alarms = Alarms::inputs(m);
        let kept = Kept::new(m, slots, &wanted);

        let most_units = (self.geometry.state / 16) as u32;
        let verdict = commands::obey(m, &wanted, &kept, most_units);
        let unread = passes::run(m, &wanted, &heard, &kept);
        let stride = record::stride(self.geometry.top_k) as u32 * slots;
        passes::record(m, &heard, alarms.bad_write, &kept, stride);
        passes::move_state(m, &heard, &kept);

        let activity = Activity::new(&heard, &kept);
        let late = faults::late(m, wanted.watchdog, &heard, &kept, &activity);
        faults::stop(m, &verdict, (late, unread), &alarms, &kept, activity.working);
        let draining = faults::drain(m, verdict.reset, &heard, &kept);

        let saturations = counters::count(m, &heard, &kept, activity.image_fires, verdict.run);
        outputs::to_engine(m, &wanted, &kept);
        outputs::to_host(m, wanted.commands, &kept, (activity.busy, draining), saturations);
    }
}
