//! Where beats come from.

use sterna_hdl::core::Embedding;

use super::port::Port;
use super::stream::FIFO;

/// A memory that answers everything after the same latency, and then regularly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ideal {
    /// Clocks from an address to the first beat, at least 1.
    pub latency: u32,
    /// Clocks from one beat to the next on the read channel, in units of 2^-20, at least 2^20.
    pub spacing: u64,
}

impl Ideal {
    /// Fraction bits of a spacing.
    pub const FRACTION: u32 = 20;

    /// A beat a clock.
    pub fn new(latency: u32) -> Ideal {
        Ideal { latency, spacing: 1 << Ideal::FRACTION }
    }
}

/// What passed over the memory's bus, by clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Beats of the image arrived.
    pub image: Vec<u64>,
    /// Beats of an embedding row arrived: first its last unit, then all of it.
    pub rows: Vec<u64>,
    /// Bursts to write were accepted.
    pub bursts: Vec<u64>,
    /// Beats were written.
    pub written: Vec<u64>,
    /// Bursts were answered.
    pub answered: Vec<u64>,
}

/// The memory of a prediction.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Computed, too.
    Ideal(Ideal),
    /// As it was, by absolute clocks, from the first pass of the run on.
    Recorded(&'a Traffic),
}

/// An embedding row on its way into the residual.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Beats of its last unit, which is read first.
    pub tail: u64,
    /// Beats of all of it.
    pub beats: u64,
    /// Clocks that a beat takes.
    words: u64,
    settle: u64,
    /// Clocks in which beats of the present job were taken.
    pub taken: Vec<u64>,
    /// Whether the job is the whole row.
    pub whole: bool,
    next: u64,
}

impl Row {
    pub fn new(unit: &Embedding, stride: u64) -> Row {
        let beat = u64::from(unit.geometry.bus) / 8;
        Row {
            tail: 64 / beat,
            beats: stride / beat,
            words: unit.words().into(),
            settle: unit.settle().into(),
            taken: vec![],
            whole: false,
            next: 0,
        }
    }

    /// A beat arrives. The clock in which the last unit was there, if this was its last beat.
    pub fn arrives(&mut self, clock: u64) -> Option<u64> {
        let free = match self.taken.last() {
            Some(last) if self.whole => last + self.words,
            _ => 0,
        };
        let taken = (clock + FIFO).max(self.next).max(free);
        self.next = taken + 1;
        self.taken.push(taken);
        if self.whole || self.taken.len() < self.tail as usize {
            return None;
        }
        self.whole = true;
        self.taken.clear();
        Some(taken)
    }

    /// The row counts, with its statistics; `None` before all of it has arrived.
    pub fn enters(&self) -> Option<u64> {
        let there = self.whole && self.taken.len() == self.beats as usize;
        there.then(|| self.taken.last().map_or(0, |last| last + self.settle))
    }
}

/// The beats of a pass.
pub(super) enum Feed<'a> {
    Ideal(Box<Port>),
    Recorded { image: std::slice::Iter<'a, u64>, rows: std::slice::Iter<'a, u64>, row: Row },
}

impl Feed<'_> {
    /// Clock in which the next beat of the image arrives; 0 behind the end of a recording.
    pub fn arrival(&mut self) -> u64 {
        match self {
            Feed::Ideal(port) => port.arrival(),
            Feed::Recorded { image, .. } => image.next().copied().unwrap_or(0),
        }
    }

    /// A beat was taken.
    pub fn taken(&mut self, clock: u64) {
        if let Feed::Ideal(port) = self {
            port.taken(clock);
        }
    }

    /// The next slot's row counts from the clock after this on, slot 0's first; asked when no beat
    /// can be taken before it.
    pub fn enters(&mut self) -> u64 {
        match self {
            Feed::Ideal(port) => port.enters(),
            Feed::Recorded { rows, row, .. } => {
                let mut row = row.clone();
                loop {
                    if let Some(clock) = row.enters() {
                        return clock;
                    }
                    let Some(&clock) = rows.next() else { return 0 };
                    row.arrives(clock);
                }
            }
        }
    }
}
