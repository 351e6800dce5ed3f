//! What control keeps in registers while it obeys a command.

use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::inputs::Wanted;
use super::sequences::{Sequences, Several};
use crate::core::ADDRESS;
use crate::registers::mode;
use crate::slots;

/// All that is kept, but for the counters.
pub(super) struct Kept<'m> {
    pub state: Machine<'m>,
    pub starts: Starts<'m>,
    pub command: Command<'m>,
    pub outcome: Outcome<'m>,
    pub sequences: Sequences<'m>,
    pub run: Run<'m>,
}

/// The machine that walks through a command.
pub(super) struct Machine<'m>(Sig<'m>);

impl<'m> Machine<'m> {
    pub fn at(&self, state: State) -> Sig<'m> {
        self.0.eq(state as u8)
    }

    pub fn go(&self, state: State) {
        self.0.set(state as u8);
    }
}

/// Pulses that start the engine on a pass, and the mover on a state; ended before they are seen where
/// a fault comes first.
pub(super) struct Starts<'m> {
    pub pass: Sig<'m>,
    pub save: Sig<'m>,
    pub load: Sig<'m>,
}

impl Starts<'_> {
    pub fn take_back(&self) {
        self.pass.set(0);
        self.save.set(0);
        self.load.set(0);
    }
}

/// The command that is obeyed.
pub(super) struct Command<'m> {
    bits: Sig<'m>,
    /// From MODE: a pass ends before the head; the slots are tokens of one sequence.
    pub no_head: Sig<'m>,
    pub chain: Sig<'m>,
}

impl<'m> Command<'m> {
    pub fn take(&self, commands: Sig<'m>) {
        self.bits.set(commands);
    }

    /// Whether this bit of COMMAND is set.
    pub fn is(&self, bit: u32) -> Sig<'m> {
        self.bits.bit(bit.trailing_zeros())
    }

    /// The bits of commands that can be obeyed, all but RESET.
    pub fn kinds(&self) -> Sig<'m> {
        self.bits.slice(0..4)
    }
}

/// How the last command ended, for the host.
pub(super) struct Outcome<'m> {
    pub done: Sig<'m>,
    pub failed: Sig<'m>,
    /// The fault, and the segment of the image in which it was found.
    pub error: Sig<'m>,
    pub segment: Sig<'m>,
}

impl Outcome<'_> {
    pub fn forget(&self) {
        self.done.set(0);
        self.failed.set(0);
        self.error.set(0);
        self.segment.set(0);
    }
}

/// Where a run of passes is.
pub(super) struct Run<'m> {
    /// Passes that are left, with the present one, and its number.
    pub left: Sig<'m>,
    pub index: Sig<'m>,
    /// Tokens whose records are in memory.
    pub tokens_done: Sig<'m>,
    /// Where the next record goes.
    pub record_addr: Sig<'m>,
    /// The present pass was read and is sound; its last DOWN is done.
    pub sound: Sig<'m>,
    pub layers_done: Sig<'m>,
}

impl Run<'_> {
    /// Nothing is known yet of the pass that begins.
    pub fn begin_pass(&self) {
        self.sound.set(0);
        self.layers_done.set(0);
    }
}

impl<'m> Kept<'m> {
    /// The command is done.
    pub fn finish(&self) {
        self.outcome.done.set(1);
        self.state.go(State::Idle);
    }

    pub fn new(m: &'m Module, slots: u32, wanted: &Wanted<'m>) -> Kept<'m> {
        let pulse = |name: &str| {
            let reg = m.reg(name, UInt(1)).reset(0);
            reg.set(0);
            reg
        };
        let each = |name: &str| -> Vec<Sig<'m>> {
            (0..slots).map(|n| m.reg(slots::name(name, slots, n), UInt(20))).collect()
        };
        // In the order in which they stand in the Verilog.
        let state = Machine(m.reg("state", UInt(3)).reset(State::Idle as u8));
        let starts = Starts {
            pass: pulse("begins_now"),
            save: pulse("saves_now"),
            load: pulse("loads_now"),
        };
        let command = Command {
            bits: m.reg("command_now", UInt(5)).reset(0),
            no_head: wanted.mode.bit(mode::NO_HEAD.trailing_zeros()),
            chain: wanted.mode.bit(mode::CHAIN.trailing_zeros()),
        };
        let done = m.reg("done", UInt(1)).reset(0);
        let failed = m.reg("failed", UInt(1)).reset(0);
        let valid = m.reg("state_valid", UInt(slots)).reset(0);
        let fresh = m.reg("fresh_now", UInt(slots)).reset(0).comment("The state is zero.");
        let error = m.reg("error_now", UInt(8)).reset(0);
        let segment = m.reg("error_segment_now", UInt(32)).reset(0);
        let tokens = each("token_now");
        let left = m.reg("passes_left", UInt(16));
        let index = m.reg("pass_index", UInt(16)).reset(0);
        let tokens_done = m.reg("tokens_done_now", UInt(16)).reset(0);
        let last_tokens = each("last_token_now");
        last_tokens.iter().for_each(|token| {
            token.reset(0);
        });
        let several = (slots > 1).then(|| Several::new(m, slots, wanted.slot_mask, command.chain));
        let record_addr = m.reg("record_at", UInt(ADDRESS));
        let sound = m.reg("sound", UInt(1)).reset(0);
        let layers_done = m.reg("layers_done", UInt(1)).reset(0);
        Kept {
            state,
            starts,
            command,
            outcome: Outcome { done, failed, error, segment },
            sequences: Sequences { valid, fresh, tokens, last_tokens, several },
            run: Run { left, index, tokens_done, record_addr, sound, layers_done },
        }
    }
}
