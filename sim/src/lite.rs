//! The registers' port of a running design, by handles that are resolved once.

use crate::error::SimError;
use crate::memory::{Pauses, Stalls};
use crate::port::{Input, Output};
use crate::simulator::Simulator;

/// An AXI4-Lite slave of a design, driven from here, one access at a time.
pub(crate) struct LitePort {
    awvalid: Input<bool>,
    awready: Output<bool>,
    awaddr: Input<u64>,
    wvalid: Input<bool>,
    wready: Output<bool>,
    wdata: Input<u64>,
    wstrb: Input<u64>,
    bvalid: Output<bool>,
    bready: Input<bool>,
    bresp: Output<u64>,
    arvalid: Input<bool>,
    arready: Output<bool>,
    araddr: Input<u64>,
    rvalid: Output<bool>,
    rready: Input<bool>,
    rdata: Output<u64>,
    rresp: Output<u64>,
    /// Of aw, w, b, ar and r: when something is offered, or an answer is not taken.
    pauses: [Pauses; 5],
    /// Whether an answer is taken in this clock.
    willing: bool,
}

/// An access that is under way: of each channel whether it was offered, and whether it was taken.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Read { ar: Offer },
    Write { aw: Offer, w: Offer },
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Offer {
    made: bool,
    taken: bool,
}

impl Offer {
    /// Whether it is on offer in the next clock: once made it stays until it is taken.
    fn next(&mut self, pauses: &mut Pauses) -> bool {
        self.made = self.made || !pauses.pause();
        self.made && !self.taken
    }

    fn see(&mut self, ready: bool) {
        self.taken |= self.made && ready;
    }
}

impl LitePort {
    pub fn find(sim: &Simulator, prefix: &str) -> Result<LitePort, SimError> {
        let name = |signal: &str| format!("{prefix}_{signal}");
        Ok(LitePort {
            awvalid: sim.input(&name("awvalid"))?,
            awready: sim.output(&name("awready"))?,
            awaddr: sim.input(&name("awaddr"))?,
            wvalid: sim.input(&name("wvalid"))?,
            wready: sim.output(&name("wready"))?,
            wdata: sim.input(&name("wdata"))?,
            wstrb: sim.input(&name("wstrb"))?,
            bvalid: sim.output(&name("bvalid"))?,
            bready: sim.input(&name("bready"))?,
            bresp: sim.output(&name("bresp"))?,
            arvalid: sim.input(&name("arvalid"))?,
            arready: sim.output(&name("arready"))?,
            araddr: sim.input(&name("araddr"))?,
            rvalid: sim.output(&name("rvalid"))?,
            rready: sim.input(&name("rready"))?,
            rdata: sim.output(&name("rdata"))?,
            rresp: sim.output(&name("rresp"))?,
            pauses: std::array::from_fn(|n| Pauses::new(Stalls::None, 1, 0, n as u64)),
            willing: false,
        })
    }

    /// From now on every channel pauses as it likes: addresses and data are offered late and in
    /// any order, answers are not taken at once.
    pub fn hesitate(&mut self, stalls: Stalls, seed: u64) {
        self.pauses = std::array::from_fn(|n| Pauses::new(stalls, 1, seed, n as u64));
    }

    /// Begins a read.
    pub fn read(&mut self, sim: &mut Simulator, offset: u32) -> Result<Access, SimError> {
        sim.set(self.araddr, offset.into())?;
        let mut access = Access::Read { ar: Offer::default() };
        self.after(sim, &mut access, false)?;
        Ok(access)
    }

    /// Begins a write of the bytes that have a bit of `strobes` each.
    pub fn write(
        &mut self,
        sim: &mut Simulator,
        offset: u32,
        value: u32,
        strobes: u64,
    ) -> Result<Access, SimError> {
        sim.set(self.awaddr, offset.into())?;
        sim.set(self.wdata, value.into())?;
        sim.set(self.wstrb, strobes)?;
        let mut access = Access::Write { aw: Offer::default(), w: Offer::default() };
        self.after(sim, &mut access, false)?;
        Ok(access)
    }

    /// What this clock means for an access: its response and data, once they are there. Called
    /// before the clock's edge.
    pub fn sample(
        &self,
        sim: &mut Simulator,
        access: &mut Access,
    ) -> Result<Option<(u64, u32)>, SimError> {
        match access {
            Access::Read { ar } => {
                ar.see(sim.get(self.arready)?);
                let here = self.willing && ar.taken && sim.get(self.rvalid)?;
                let answer = (sim.get(self.rresp)?, sim.get(self.rdata)? as u32);
                Ok(here.then_some(answer))
            }
            Access::Write { aw, w } => {
                aw.see(sim.get(self.awready)?);
                w.see(sim.get(self.wready)?);
                let here = self.willing && aw.taken && w.taken && sim.get(self.bvalid)?;
                let answer = (sim.get(self.bresp)?, 0);
                Ok(here.then_some(answer))
            }
        }
    }

    /// Offers, after the clock's edge, what is not accepted yet, and takes the answer or not.
    pub fn after(
        &mut self,
        sim: &mut Simulator,
        access: &mut Access,
        done: bool,
    ) -> Result<(), SimError> {
        let [aw_pauses, w_pauses, b_pauses, ar_pauses, r_pauses] = &mut self.pauses;
        match access {
            Access::Read { ar } => {
                self.willing = !done && !r_pauses.pause();
                sim.set(self.arvalid, ar.next(ar_pauses))?;
                sim.set(self.rready, self.willing)
            }
            Access::Write { aw, w } => {
                self.willing = !done && !b_pauses.pause();
                sim.set(self.awvalid, aw.next(aw_pauses))?;
                sim.set(self.wvalid, w.next(w_pauses))?;
                sim.set(self.bready, self.willing)
            }
        }
    }
}
