//! Resets while something is under way: what came until then is right, and what follows is as if
//! nothing had been.

use sterna_firmware::Result;
use sterna_firmware::device::Device;
use sterna_hdl::registers::{self as regs, command, status};

use super::{Batch, Session};

/// What a reset ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Under {
    /// A run.
    Run(Batch),
    /// Saving the state of a slot.
    Save(usize),
    /// Loading one.
    Load(usize),
}

/// A reset in the middle of something, in any clock of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// What is under way.
    pub under: Under,
    /// When, in thousandths of what it takes.
    pub after: u32,
    /// By the pin, of core and memory, instead of the command.
    pub pin: bool,
}

/// Clocks from a command to its first effect, and a few.
const START: u64 = 100;

impl Session {
    /// Begins something, compares what comes until the reset, and clears every slot.
    ///
    /// # Errors
    /// Those of golden, of the driver and of the simulation.
    pub fn interrupt(&mut self, interrupt: &Interrupt) -> Result<()> {
        self.card.transport().forget();
        let bits = match &interrupt.under {
            Under::Run(batch) => {
                self.ahead(batch)?;
                let units = self.units(batch.want);
                self.card.transport().prepare(batch, units)?;
                command::RUN
            }
            Under::Save(slot) => self.alone(*slot, command::SAVE)?,
            Under::Load(slot) => self.alone(*slot, command::LOAD)?,
        };
        let whole = START
            + match &interrupt.under {
                Under::Run(batch) => self.pass_clocks * batch.count as u64,
                // A beat a clock, or less.
                Under::Save(_) | Under::Load(_) => self.golden.shape().state() as u64 / 2,
            };
        self.card.transport().set(&regs::COMMAND, bits)?;
        self.idle(whole * u64::from(interrupt.after) / 1000)?;
        if interrupt.pin {
            self.card.transport().restart()?;
        }
        Device::reset(&mut self.card)?;
        self.passes.clear();
        self.lockstep().abandon();
        let clock = self.clock();
        // The command leaves what a run had finished.
        let passes = interrupt.pin.then_some(&regs::TOKENS_DONE);
        let none = [&regs::STATUS, &regs::ERROR].into_iter().chain(passes);
        for (n, reg) in none.enumerate() {
            let got = self.read(reg)?;
            self.checker().number("status", n, Some(0), Some(got.into()), clock);
        }
        self.clear_slots((1 << self.slots) - 1)?;
        let valid = self.read(&regs::STATUS)? & status::STATE_VALID;
        let expected = Some(status::STATE_VALID.into());
        self.checker().number("status", 0, expected, Some(valid.into()), clock);
        self.clamped = self.clamped()?;
        Ok(())
    }

    /// Prepares a command of one slot and of memory.
    fn alone(&mut self, slot: usize, command: u32) -> Result<u32> {
        self.aside()?;
        self.card.transport().set(&regs::SLOT_MASK, 1 << slot)?;
        Ok(command)
    }
}
