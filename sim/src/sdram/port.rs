//! The pins of a controller in a running design, joined to a chip.

use sterna_hdl::sdram::command;

use super::{Pins, Sdram};
use crate::error::SimError;
use crate::port::{Input, Output};
use crate::simulator::Simulator;

/// Ports `prefix_cke` and so on of a design, with `prefix_dq_in`, `_out` and `_oe` apart.
pub struct SdramPort {
    prefix: String,
    cke: Output<bool>,
    cs_n: Output<bool>,
    command: [Output<bool>; 3],
    ba: Output<u64>,
    a: Output<u64>,
    dqm: Output<u64>,
    out: Output<u64>,
    enable: Output<bool>,
    input: Input<u64>,
    mask: u64,
    clock: u64,
}

impl SdramPort {
    /// Finds the ports.
    ///
    /// # Errors
    /// S007 where the design lacks one of them.
    pub fn find(sim: &Simulator, prefix: &str, data: u32) -> Result<SdramPort, SimError> {
        let name = |pin: &str| format!("{prefix}_{pin}");
        let bit = |pin: &str| sim.output(&name(pin));
        let number = |pin: &str| sim.output(&name(pin));
        Ok(SdramPort {
            prefix: prefix.into(),
            cke: bit("cke")?,
            cs_n: bit("cs_n")?,
            command: [bit("ras_n")?, bit("cas_n")?, bit("we_n")?],
            ba: number("ba")?,
            a: number("a")?,
            dqm: number("dqm")?,
            out: number("dq_out")?,
            enable: bit("dq_oe")?,
            input: sim.input(&name("dq_in"))?,
            mask: u64::MAX >> (64 - data.clamp(1, 64)),
            clock: 0,
        })
    }

    /// What the pins show now.
    ///
    /// # Errors
    /// S014 if the design stopped.
    pub fn pins(&self, sim: &mut Simulator) -> Result<Pins, SimError> {
        let mut shown = 0;
        for pin in self.command {
            shown = shown << 1 | u32::from(sim.get(pin)?);
        }
        let selected = !sim.get(self.cs_n)?;
        let enabled = sim.get(self.enable)?;
        let mut small = |port| sim.get(port).map(|value| value as u32);
        Ok(Pins {
            command: if selected { shown } else { command::NOTHING },
            ba: small(self.ba)?,
            a: small(self.a)?,
            dqm: small(self.dqm)?,
            dq: if enabled { Some(small(self.out)?) } else { None },
            cke: sim.get(self.cke)?,
        })
    }

    /// Puts the chip's word on the pins (or something else, where it drives none), lets it see
    /// them, and ends the clock for it. The design's own clock is the caller's to step.
    ///
    /// # Errors
    /// S021 where the design breaks a rule of the chip; S014 if it stopped.
    pub fn clock(&mut self, sim: &mut Simulator, chip: &mut Sdram) -> Result<(), SimError> {
        self.clock = self.clock.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc);
        let word = chip.dq().map_or(self.clock >> 32, u64::from);
        sim.set(self.input, word & self.mask)?;
        let pins = self.pins(sim)?;
        chip.clock(&pins).map_err(|broken| SimError::Sdram { port: self.prefix.clone(), broken })
    }
}
