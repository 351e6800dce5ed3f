//! Codes of a vector, and steps of the epilogue.

use sterna_hdl::core::Quantiser;

/// The quantiser, from vector to vector.
pub(super) struct Codes {
    /// Columns of a beat, words of codes.
    per_beat: u64,
    quantisers: u64,
    /// First clock in which the next vector's maxima are looked for, or, where they are known,
    /// its reciprocal begins.
    turn: u64,
    /// Clocks in which the matrices read their last codes, the last two of them.
    released: [Option<u64>; 2],
    /// The first word of the vector is read in the clock after this.
    begins: u64,
}

impl Codes {
    pub fn new(quantisers: u32, bus: u32, begin: u64) -> Codes {
        Codes {
            per_beat: u64::from(bus / 8 / quantisers),
            quantisers: quantisers.into(),
            turn: begin + 1,
            released: [None; 2],
            begins: 0,
        }
    }

    /// Makes the codes of the next vector, of so many elements with padding; its maxima, and its
    /// gains, are there from a clock on, or have been all along. The clock of the first word.
    pub fn make(&mut self, maxima: Option<u64>, elements: u64) -> u64 {
        let reciprocal = match maxima {
            Some(clock) => self.turn.max(clock) + 1,
            None => self.turn,
        };
        let ready = reciprocal + u64::from(Quantiser::READY);
        // Of the two buffers, the one that the matrix before the last has read.
        let free = self.released[0].map_or(0, |clock| clock + 1);
        self.begins = ready.max(free);
        let words = elements / self.quantisers;
        self.turn = self.begins + words + Quantiser::FLUSH as u64 + 2;
        self.begins + 1 + Quantiser::PIPE as u64
    }

    /// First clock in which weights of these columns may be taken.
    pub fn there(&self, beat: u64) -> u64 {
        self.begins + (beat + 1) * self.per_beat + Quantiser::PIPE as u64 + 1
    }

    /// The matrix has read its codes.
    pub fn release(&mut self, clock: u64) {
        self.released = [self.released[1], Some(clock)];
    }
}

/// Row groups to steps of some elements.
pub(super) struct Steps {
    /// Elements of a step.
    ways: u64,
    held: u64,
    /// First clock in which a group may be taken.
    open: u64,
    /// First clock in which a step may be made.
    may: u64,
    /// The latest step.
    pub last: u64,
}

impl Steps {
    /// Of an instruction that is handed on at a clock.
    pub fn new(ways: u64, handed: u64) -> Steps {
        Steps { ways, held: 0, open: handed + 2, may: 0, last: 0 }
    }

    /// Makes no step before a clock.
    pub fn pause(&mut self, until: u64) {
        self.may = self.may.max(until);
    }

    /// Takes a group that is there from a clock on, and makes its steps; `step` says when one that
    /// could be made at a clock is. The clock in which the group is taken.
    pub fn group(&mut self, there: u64, rows: u64, step: &mut dyn FnMut(u64) -> u64) -> u64 {
        let taken = self.open.max(there);
        let held = self.held + rows;
        self.held = held % self.ways;
        self.open = taken + 1;
        let mut from = self.may.max(taken + 1);
        for _ in 0..held / self.ways {
            self.last = step(from);
            from = self.last + 1;
            // What is held after the last is less than a step.
            self.open = self.last;
        }
        taken
    }
}
