//! Beats of the image as the front end takes them.

use sterna_firmware::device::Counters;
use sterna_rtl::parts::Storage;

use super::source::Feed;

/// Clocks through the prefetch FIFO.
pub(super) const FIFO: u64 = Storage::Block.latency() as u64;

/// The stream, and an account of its clocks.
pub(super) struct Stream<'a> {
    pub feed: Feed<'a>,
    /// The first clock that is not accounted for.
    pub next: u64,
    spent: Counters,
    total: Counters,
    /// Every clock in which a beat was taken, if anybody wants to know.
    pub trace: Option<Vec<u64>>,
}

impl<'a> Stream<'a> {
    pub fn new(feed: Feed<'a>, begin: u64, trace: Option<Vec<u64>>) -> Stream<'a> {
        let (spent, total) = (Counters::default(), Counters::default());
        Stream { feed, next: begin, spent, total, trace }
    }

    /// Takes the next beat, which is wanted from a clock on, and says when.
    ///
    /// A beat is on offer a FIFO after it arrived, and behind the one before it; it stays on offer
    /// once it is, and stays wanted once it is.
    pub fn take(&mut self, from: u64) -> u64 {
        let first = self.next;
        let wanted = from.max(first);
        let there = (self.feed.arrival() + FIFO).max(first);
        let taken = wanted.max(there);
        self.spent.beats += 1;
        self.spent.starved += there.saturating_sub(wanted);
        self.spent.blocked += wanted.saturating_sub(there);
        self.spent.idle += wanted.min(there) - first;
        self.spent.cycles += taken + 1 - first;
        self.next = taken + 1;
        self.feed.taken(taken);
        if let Some(trace) = &mut self.trace {
            trace.push(taken);
        }
        taken
    }

    /// Takes so many beats; the clock of the last, if there is one.
    pub fn take_all(&mut self, beats: u64, from: u64) -> Option<u64> {
        (0..beats).map(|_| self.take(from)).last()
    }

    /// The account since the last call.
    pub fn settle(&mut self) -> Counters {
        self.total += self.spent;
        std::mem::take(&mut self.spent)
    }

    /// Nothing is on offer or wanted up to a pass's last clock: how long, and the whole account.
    pub fn end(&mut self, end: u64) -> (u64, Counters) {
        let tail = (end + 1).saturating_sub(self.next);
        self.spent.cycles += tail;
        self.spent.idle += tail;
        self.next = end + 1;
        self.settle();
        (tail, self.total)
    }
}
