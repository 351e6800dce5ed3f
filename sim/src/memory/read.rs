//! The read channels of a memory.

use std::collections::VecDeque;

use super::stalls::Pauses;
use super::{Address, Common, Master, MemoryOptions, Offers, SLVERR, Violation};

/// Bursts that are accepted and not answered.
pub(crate) const OUTSTANDING: usize = 32;

/// A burst under way.
struct Burst {
    /// Address of the next beat.
    addr: u64,
    id: u32,
    left: u32,
    /// First clock in which a beat may be on offer.
    ready: u64,
}

pub(super) struct Reads {
    /// In the order in which they were accepted.
    queue: VecDeque<Burst>,
    /// An address that was offered and not taken: it must stay.
    waiting: Option<Address>,
    /// A beat is on offer and was not taken: it stays.
    held: bool,
    address: Pauses,
    data: Pauses,
}

impl Reads {
    pub fn new(options: &MemoryOptions) -> Reads {
        let pauses = |n| Pauses::new(options.stalls, options.latency, options.seed, n);
        Reads {
            queue: VecDeque::new(),
            waiting: None,
            held: false,
            address: pauses(0),
            data: pauses(1),
        }
    }

    pub fn restart(&mut self) {
        self.queue.clear();
        (self.waiting, self.held) = (None, false);
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// What happens at the end of a clock.
    pub fn clock(
        &mut self,
        common: &Common,
        offers: &Offers,
        master: &Master<'_>,
    ) -> Result<(), Violation> {
        if self.waiting.is_some() && self.waiting != master.ar {
            return Err(Violation("ar was offered and changed before it was taken".into()));
        }
        self.waiting = master.ar.filter(|_| !offers.arready);
        self.held = offers.rvalid && !master.rready;
        if offers.rvalid && master.rready {
            self.taken(common.beat, offers.rid);
        }
        if let (Some(burst), true) = (master.ar, offers.arready) {
            common.check("ar", &burst)?;
            let Address { addr, id, len, .. } = burst;
            let ready = common.clock + self.data.latency();
            self.queue.push_back(Burst { addr, id, left: len + 1, ready });
        }
        Ok(())
    }

    /// The beat of this ID that was on offer is gone.
    fn taken(&mut self, beat: u64, id: u32) {
        let Some(at) = self.queue.iter().position(|burst| burst.id == id) else { return };
        let burst = &mut self.queue[at];
        burst.addr += beat;
        burst.left -= 1;
        if burst.left == 0 {
            self.queue.remove(at);
        }
    }

    /// What is on offer in the clock that begins.
    pub fn offer(&mut self, common: &Common, offers: &mut Offers) {
        offers.arready = self.queue.len() < OUTSTANDING && !self.address.pause();
        if self.held {
            return;
        }
        offers.rvalid = false;
        if self.data.pause() {
            return;
        }
        let count = self.candidates(common).count();
        let pick = self.data.pick(count);
        let Some(burst) = self.candidates(common).nth(pick) else { return };
        offers.rvalid = true;
        offers.rid = burst.id;
        offers.rlast = burst.left == 1;
        if common.fails(burst.addr, true) {
            offers.rresp = SLVERR;
            offers.rdata.fill(0);
        } else {
            offers.rresp = 0;
            common.store.beat(burst.addr, &mut offers.rdata);
        }
    }

    /// The oldest burst of each ID that may go on now, oldest first.
    fn candidates<'a>(&'a self, common: &'a Common) -> impl Iterator<Item = &'a Burst> {
        let mut seen = 0u64;
        self.queue.iter().filter(move |burst| {
            let first = seen >> (burst.id & 63) & 1 == 0;
            seen |= 1 << (burst.id & 63);
            first && burst.ready <= common.clock && !common.is_silent(burst.addr)
        })
    }
}
