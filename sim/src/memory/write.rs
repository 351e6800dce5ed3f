//! The write channels of a memory.

use std::collections::VecDeque;

use super::stalls::Pauses;
use super::{Address, Common, Master, MemoryOptions, Offers, SLVERR, Violation};

/// Bursts that are accepted and not complete, and answers that are not taken.
const OUTSTANDING: usize = 16;

/// A burst whose beats are still to come.
struct Burst {
    /// Address of the next beat.
    addr: u64,
    id: u32,
    left: u32,
    failed: bool,
}

/// An answer: its ID, its response, the first clock in which it may be on offer.
struct Answer {
    id: u32,
    response: u32,
    ready: u64,
}

pub(super) struct Writes {
    bursts: VecDeque<Burst>,
    /// In the order in which they were complete.
    answers: VecDeque<Answer>,
    /// What was offered and not taken must stay.
    waiting: Option<Address>,
    /// The same of a beat: words, strobes and mark.
    beat: Option<(Vec<u32>, u64, bool)>,
    /// An answer is on offer and was not taken: it stays.
    held: bool,
    address: Pauses,
    data: Pauses,
    answer: Pauses,
}

impl Writes {
    pub fn new(options: &MemoryOptions) -> Writes {
        let pauses = |n| Pauses::new(options.stalls, options.latency, options.seed, n);
        Writes {
            bursts: VecDeque::new(),
            answers: VecDeque::new(),
            waiting: None,
            beat: None,
            held: false,
            address: pauses(2),
            data: pauses(3),
            answer: pauses(4),
        }
    }

    pub fn restart(&mut self) {
        self.bursts.clear();
        self.answers.clear();
        (self.waiting, self.beat, self.held) = (None, None, false);
    }

    pub fn is_idle(&self) -> bool {
        self.bursts.is_empty() && self.answers.is_empty()
    }

    /// What happens at the end of a clock.
    pub fn clock(
        &mut self,
        common: &mut Common,
        offers: &Offers,
        master: &Master<'_>,
    ) -> Result<(), Violation> {
        if self.waiting.is_some() && self.waiting != master.aw {
            return Err(Violation("aw was offered and changed before it was taken".into()));
        }
        self.waiting = master.aw.filter(|_| !offers.awready);
        if let Some((words, strobes, last)) = self.beat.take() {
            let same = master
                .w
                .is_some_and(|w| w.words == words && w.strobes == strobes && w.last == last);
            if !same {
                return Err(Violation("w was offered and changed before it was taken".into()));
            }
        }
        self.held = offers.bvalid && !master.bready;
        if offers.bvalid && master.bready {
            self.answers.pop_front();
        }
        if let Some(w) = master.w {
            if offers.wready {
                self.write(common, w.words, w.strobes, w.last)?;
            } else {
                self.beat = Some((w.words.to_vec(), w.strobes, w.last));
            }
        }
        if let (Some(burst), true) = (master.aw, offers.awready) {
            common.check("aw", &burst)?;
            let Address { addr, id, len, .. } = burst;
            self.bursts.push_back(Burst { addr, id, left: len + 1, failed: false });
        }
        Ok(())
    }

    fn write(
        &mut self,
        common: &mut Common,
        words: &[u32],
        strobes: u64,
        last: bool,
    ) -> Result<(), Violation> {
        let Some(burst) = self.bursts.front_mut() else { return Ok(()) };
        if last != (burst.left == 1) {
            let (addr, left) = (burst.addr, burst.left);
            let mark = if last { "marked" } else { "not marked" };
            return Err(Violation(format!(
                "w at {addr:#x}: a beat is {mark} as the last, and {left} are left"
            )));
        }
        if common.fails(burst.addr, false) {
            burst.failed = true;
        } else {
            common.store.write_beat(burst.addr, words, strobes);
        }
        burst.addr += common.beat;
        burst.left -= 1;
        if last {
            let response = if burst.failed { SLVERR } else { 0 };
            let ready = common.clock + self.answer.latency();
            self.answers.push_back(Answer { id: burst.id, response, ready });
            self.bursts.pop_front();
        }
        Ok(())
    }

    /// What is on offer in the clock that begins.
    pub fn offer(&mut self, common: &Common, offers: &mut Offers) {
        let room = self.bursts.len() + self.answers.len() < OUTSTANDING;
        offers.awready = room && !self.address.pause();
        // Data is taken only for an address that is known.
        offers.wready = !self.bursts.is_empty() && !self.data.pause();
        if self.held {
            return;
        }
        let answer = self.answers.front().filter(|answer| answer.ready <= common.clock);
        offers.bvalid = answer.is_some() && !self.answer.pause();
        if let Some(answer) = answer {
            (offers.bid, offers.bresp) = (answer.id, answer.response);
        }
    }
}
