//! An ideal memory, and the two readers in front of it.
//!
//! Bursts of both are accepted in the order in which they are offered, the row's first of two, and
//! answered in that order over one channel.

use std::collections::VecDeque;

use sterna_hdl::core::Embedding;
use sterna_rtl::parts::ReadMaster;

use super::source::{Ideal, Row};
use crate::memory::OUTSTANDING;

const FRACTION: u32 = Ideal::FRACTION;

/// Clocks from a reader's start to the plan of its first burst, which is offered a clock later.
const PLANNED: u64 = ReadMaster::START as u64 - 1;
/// Clocks from one plan to the next, at least.
const PLAN: u64 = ReadMaster::PLAN as u64;

/// Clocks from the one in which a beat leaves the FIFO to a burst that its place allows.
const CREDIT: u64 = ReadMaster::CREDIT as u64;

/// Clocks from the last unit of a row to the request for all of it.
const AGAIN: u64 = Embedding::AGAIN as u64;

/// Memory and readers.
pub(super) struct Port {
    channel: Channel,
    image: Image,
    row: RowReader,
}

/// The memory's side: what was accepted comes in order.
struct Channel {
    memory: Ideal,
    /// First clock in which the address channel is free.
    free: u64,
    /// First moment of the data channel, in units of 2^-FRACTION clocks.
    cursor: u128,
    /// Clocks of the last beats of the latest bursts, as many as may be under way.
    ends: VecDeque<u64>,
}

/// Beats of a burst that have not been asked for yet, from a moment on.
struct Beats {
    left: u64,
    cursor: u128,
}

/// Rounds a moment up to its clock.
fn clock(cursor: u128) -> u64 {
    cursor.div_ceil(1 << FRACTION) as u64
}

impl Channel {
    /// Accepts a burst that is offered from a clock on: when, and when its beats come.
    fn serve(&mut self, offered: u64, beats: u64) -> (u64, Beats) {
        let mut accepted = offered.max(self.free);
        if self.ends.len() == OUTSTANDING {
            let oldest = self.ends.pop_front().unwrap_or(0);
            accepted = accepted.max(oldest + 1);
        }
        self.free = accepted + 1;
        let first = u128::from(accepted + u64::from(self.memory.latency.max(1))) << FRACTION;
        let cursor = self.cursor.max(first);
        let spacing = u128::from(self.memory.spacing);
        self.cursor = cursor + u128::from(beats) * spacing;
        self.ends.push_back(clock(self.cursor - spacing));
        (accepted, Beats { left: beats, cursor })
    }
}

/// The reader of the image.
struct Image {
    left: u64,
    asked: u64,
    burst: u64,
    /// Beats of the FIFO.
    depth: u64,
    /// First clock in which a burst may be issued.
    planned: u64,
    given: VecDeque<Beats>,
    /// Clocks in which the last `depth` beats were taken.
    taken: Vec<u64>,
    count: u64,
}

impl Image {
    fn length(&self) -> u64 {
        // The image begins at a page, and bursts divide one.
        self.left.min(self.burst)
    }

    /// When the next burst is issued; `None` if none is, or if that depends on beats to come.
    fn issue(&self) -> Option<u64> {
        if self.left == 0 {
            return None;
        }
        let gone = (self.asked + self.length()).saturating_sub(self.depth);
        match gone {
            0 => Some(self.planned),
            n if n <= self.count => {
                let left = self.taken[((n - 1) % self.depth) as usize];
                Some(self.planned.max(left + CREDIT))
            }
            _ => None,
        }
    }
}

/// The reader of rows, one slot's after the other.
struct RowReader {
    row: Row,
    /// A row of which nothing has been read yet.
    fresh: Row,
    /// Tokens of the slots to come, and bytes of a row.
    tokens: VecDeque<u32>,
    stride: u64,
    /// Clocks after which rows count, of those that nobody has asked for.
    entered: VecDeque<u64>,
    /// Bytes of a beat.
    beat: u64,
    /// Byte address of the row within the section.
    address: u64,
    /// Where in its page the next burst begins, in beats.
    at: u64,
    left: u64,
    asked: u64,
    burst: u64,
    planned: u64,
}

impl RowReader {
    fn length(&self) -> u64 {
        let page = 4096 / self.beat;
        self.left.min(self.burst).min(page - self.at % page)
    }

    fn issue(&self) -> Option<u64> {
        if self.left == 0 {
            return None;
        }
        match (self.asked + self.length()).saturating_sub(self.burst) {
            0 => Some(self.planned),
            n => self.row.taken.get(n as usize - 1).map(|clock| self.planned.max(clock + CREDIT)),
        }
    }

    /// Begins the next slot's row, if there is one.
    fn next(&mut self, start: u64) {
        let Some(token) = self.tokens.pop_front() else { return };
        self.row = self.fresh.clone();
        self.address = u64::from(token) * self.stride;
        let tail = self.row.tail;
        let last = self.address + self.stride - tail * self.beat;
        self.job(start + u64::from(Embedding::ASK), last, tail);
    }

    fn job(&mut self, start: u64, address: u64, beats: u64) {
        (self.at, self.left, self.asked) = (address / self.beat, beats, 0);
        self.planned = start + PLANNED;
    }
}

impl Port {
    /// The readers of a pass that begins at a clock: beats of the image, FIFO, the rows of the
    /// slots' tokens.
    pub fn new(
        memory: Ideal,
        unit: &Embedding,
        begin: u64,
        beats: u64,
        (tokens, stride): (&[u32], u64),
    ) -> Port {
        let beat = u64::from(unit.geometry.bus) / 8;
        let (burst, depth) = ((4096 / beat).min(256), unit.geometry.prefetch as u64);
        let fresh = Row::new(unit, stride);
        let mut rows = RowReader {
            row: fresh.clone(),
            fresh,
            tokens: tokens.iter().copied().collect(),
            stride,
            entered: VecDeque::new(),
            beat,
            address: 0,
            at: 0,
            left: 0,
            asked: 0,
            burst,
            planned: 0,
        };
        rows.next(begin);
        Port {
            channel: Channel { memory, free: 0, cursor: 0, ends: VecDeque::new() },
            image: Image {
                left: beats,
                asked: 0,
                burst,
                depth,
                planned: begin + PLANNED,
                given: VecDeque::new(),
                taken: vec![0; depth as usize],
                count: 0,
            },
            row: rows,
        }
    }

    /// Serves the burst that is offered first; `false` if none is known of.
    fn serve(&mut self) -> bool {
        match (self.image.issue(), self.row.issue()) {
            (Some(image), Some(row)) if image < row => self.serve_image(image),
            (_, Some(row)) => self.serve_row(row),
            (Some(image), None) => self.serve_image(image),
            (None, None) => return false,
        }
        true
    }

    fn serve_image(&mut self, issued: u64) {
        let image = &mut self.image;
        let length = image.length();
        let (accepted, beats) = self.channel.serve(issued + 1, length);
        image.planned = (accepted + 1).max(issued + PLAN);
        image.left -= length;
        image.asked += length;
        image.given.push_back(beats);
    }

    fn serve_row(&mut self, issued: u64) {
        let reader = &mut self.row;
        let length = reader.length();
        let (accepted, beats) = self.channel.serve(issued + 1, length);
        reader.planned = (accepted + 1).max(issued + PLAN);
        reader.left -= length;
        reader.asked += length;
        reader.at += length;
        for n in 0..length {
            let arrives =
                clock(beats.cursor + u128::from(n) * u128::from(self.channel.memory.spacing));
            if let Some(seen) = reader.row.arrives(arrives) {
                // Its shift is known: now all of it.
                reader.job(seen + AGAIN, reader.address, reader.row.beats);
            }
        }
        if reader.left == 0
            && let Some(clock) = reader.row.enters()
        {
            reader.entered.push_back(clock);
            reader.next(clock);
        }
    }

    pub fn arrival(&mut self) -> u64 {
        while self.image.given.is_empty() && self.serve() {}
        let Some(beats) = self.image.given.front_mut() else { return 0 };
        let arrives = clock(beats.cursor);
        beats.cursor += u128::from(self.channel.memory.spacing);
        beats.left -= 1;
        if beats.left == 0 {
            self.image.given.pop_front();
        }
        arrives
    }

    pub fn taken(&mut self, clock: u64) {
        let image = &mut self.image;
        image.taken[(image.count % image.depth) as usize] = clock;
        image.count += 1;
    }

    pub fn enters(&mut self) -> u64 {
        loop {
            match self.row.entered.pop_front() {
                Some(clock) => return clock,
                None if self.serve() => {}
                None => return 0,
            }
        }
    }
}
