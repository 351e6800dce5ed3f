//! A serial line at a design's pins, bit by bit: what a USB adapter is on a board.

use std::collections::VecDeque;

use crate::error::SimError;
use crate::port::{Input, Output};
use crate::simulator::Simulator;

/// The other end of a line: 8 data bits, no parity, one stop bit, at exactly its rate.
pub struct Uart {
    rx: Input<bool>,
    tx: Output<bool>,
    hertz: u64,
    baud: u64,
    clock: u64,
    /// The byte that is being sent, and the clock of its start.
    sending: Option<(u8, u64)>,
    /// Clock of the start of the byte that is being heard, its bits so far, and their number.
    hearing: Option<(u64, u32, u64)>,
    /// Bytes to the design.
    pub to_design: VecDeque<u8>,
    /// Bytes from the design.
    pub from_design: VecDeque<u8>,
    /// Bytes from the design that had no stop bit.
    pub broken: u64,
}

impl Uart {
    /// The pins `rx` and `tx` of a design, seen from the design.
    ///
    /// # Errors
    /// S007 where it lacks one.
    pub fn find(
        sim: &mut Simulator,
        [rx, tx]: [&str; 2],
        hertz: u32,
        baud: u32,
    ) -> Result<Uart, SimError> {
        let rx = sim.input(rx)?;
        sim.set(rx, true)?;
        Ok(Uart {
            rx,
            tx: sim.output(tx)?,
            hertz: u64::from(hertz.max(1)),
            baud: u64::from(baud),
            clock: 0,
            sending: None,
            hearing: None,
            to_design: VecDeque::new(),
            from_design: VecDeque::new(),
            broken: 0,
        })
    }

    /// Half bits since a clock.
    fn halves(&self, since: u64) -> u64 {
        2 * (self.clock - since) * self.baud / self.hertz
    }

    /// Sets one pin and looks at the other; the design's own clock is the caller's to step.
    ///
    /// # Errors
    /// S014 if the design stopped.
    pub fn clock(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        if let Some((_, since)) = self.sending
            && self.halves(since) >= 20
        {
            self.sending = None;
        }
        if self.sending.is_none() {
            self.sending = self.to_design.pop_front().map(|byte| (byte, self.clock));
        }
        let level = self.sending.is_none_or(|(byte, since)| {
            let frame = 1 << 9 | u32::from(byte) << 1;
            frame >> (self.halves(since) / 2) & 1 == 1
        });
        sim.set(self.rx, level)?;

        let heard = sim.get(self.tx)?;
        match self.hearing {
            None if !heard => self.hearing = Some((self.clock, 0, 0)),
            None => {}
            // The middle of bit n is 2n + 1 halves behind the start.
            Some((since, bits, count)) if self.halves(since) > 2 * count => {
                let bits = bits | u32::from(heard) << count;
                self.hearing = Some((since, bits, count + 1));
                if count == 9 {
                    self.hearing = None;
                    if bits & 1 == 0 && heard {
                        self.from_design.push_back((bits >> 1) as u8);
                    } else {
                        self.broken += 1;
                    }
                }
            }
            Some(_) => {}
        }
        self.clock += 1;
        Ok(())
    }

    /// Whether nothing is to be sent and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.to_design.is_empty() && self.sending.is_none() && self.hearing.is_none()
    }
}
