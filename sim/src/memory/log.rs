//! When what passed over a memory's bus.

use super::{Master, Offers};
use crate::timing::Traffic;

/// Clocks of what passed.
pub(super) struct Log {
    /// How much earlier the clock that is written down began than the memory's own.
    offset: u64,
    traffic: Traffic,
}

impl Log {
    pub fn new(offset: u64) -> Log {
        Log { offset, traffic: Traffic::default() }
    }

    /// What was written down so far.
    pub fn traffic(&mut self) -> &mut Traffic {
        &mut self.traffic
    }

    /// Writes down what happens in a clock.
    pub fn clock(&mut self, clock: u64, offers: &Offers, master: &Master<'_>) {
        let clock = clock + self.offset;
        let traffic = &mut self.traffic;
        let happened = [
            (offers.rvalid && master.rready && offers.rid == 0, &mut traffic.image),
            (offers.rvalid && master.rready && offers.rid == 1, &mut traffic.rows),
            (offers.awready && master.aw.is_some(), &mut traffic.bursts),
            (offers.wready && master.w.is_some(), &mut traffic.written),
            (offers.bvalid && master.bready, &mut traffic.answered),
        ];
        for (here, clocks) in happened {
            if here {
                clocks.push(clock);
            }
        }
    }
}
