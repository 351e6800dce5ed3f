//! What the head writes, clock by clock: words, beats, bursts, answers.
//!
//! The only part of a pass that is followed in every clock: words of accumulators wait for beats,
//! beats for bursts, bursts for the answer to the one before.

use sterna_rtl::parts::WriteMaster;

use super::source::{Source, Traffic};

const DEPTH: u64 = WriteMaster::DEPTH as u64;
const BURST: u64 = WriteMaster::BURST as u64;
const PAGE: u64 = 4096;

/// The memory behind the writer.
enum Sink<'a> {
    Ideal { latency: u64, open: bool, answers: Option<u64> },
    Recorded { traffic: &'a Traffic, bursts: usize, written: usize, answered: usize },
}

/// `Pack`, FIFO and `WriteMaster`, by the names of their registers.
pub(super) struct Writer<'a> {
    /// The present clock.
    pub clock: u64,
    sink: Sink<'a>,
    /// Bytes of a beat.
    bytes: u64,
    /// A logit may come: it would have had a place in the clock before, in which none came.
    welcome: bool,
    // Pack.
    full: bool,
    valid: bool,
    at: u64,
    // FIFO.
    stored: u64,
    fetched: bool,
    head: bool,
    next: bool,
    // WriteMaster.
    /// A job that begins in the present clock: address, beats.
    job: Option<(u64, u64)>,
    busy: bool,
    addr: u64,
    left: u64,
    reach: u64,
    burst: u64,
    planning: bool,
    planned: bool,
    writing: bool,
    held: [bool; 2],
    awvalid: bool,
    to_send: u64,
}

impl Sink<'_> {
    /// Whether the memory takes a burst, takes a beat, answers.
    fn offers(&self, clock: u64) -> [bool; 3] {
        match self {
            Sink::Ideal { open, answers, .. } => {
                [true, *open, answers.is_some_and(|ready| ready <= clock)]
            }
            Sink::Recorded { traffic, bursts, written, answered } => {
                let due = |of: &[u64], n: usize| of.get(n).is_none_or(|&at| at <= clock);
                [
                    due(&traffic.bursts, *bursts),
                    due(&traffic.written, *written),
                    due(&traffic.answered, *answered),
                ]
            }
        }
    }

    /// What of it happened in this clock; a beat may be its burst's last.
    fn happens(&mut self, clock: u64, [burst, beat, answer]: [bool; 3], last: bool) {
        match self {
            Sink::Ideal { latency, open, answers } => {
                if answer {
                    *answers = None;
                }
                if burst {
                    *open = true;
                }
                if beat && last {
                    *open = false;
                    *answers = Some(clock + *latency);
                }
            }
            Sink::Recorded { bursts, written, answered, .. } => {
                *bursts += usize::from(burst);
                *written += usize::from(beat);
                *answered += usize::from(answer);
            }
        }
    }
}

impl<'a> Writer<'a> {
    /// Nothing is under way.
    pub fn new(source: Source<'a>, bus: u32, clock: u64) -> Writer<'a> {
        let sink = match source {
            Source::Ideal(memory) => {
                let latency = u64::from(memory.latency.max(1));
                Sink::Ideal { latency, open: false, answers: None }
            }
            Source::Recorded(traffic) => {
                Sink::Recorded { traffic, bursts: 0, written: 0, answered: 0 }
            }
        };
        Writer {
            clock,
            sink,
            bytes: u64::from(bus) / 8,
            welcome: true,
            full: false,
            valid: false,
            at: 0,
            stored: 0,
            fetched: false,
            head: false,
            next: false,
            job: None,
            busy: false,
            addr: 0,
            left: 0,
            reach: 0,
            burst: 0,
            planning: false,
            planned: false,
            writing: false,
            held: [false; 2],
            awvalid: false,
            to_send: 0,
        }
    }

    /// Whether a word has a place in the present clock.
    pub fn ready(&self) -> bool {
        !self.full || !self.valid
    }

    /// Writes a logit in the first clock from this on in which the head is ready for one.
    pub fn logit(&mut self, clock: u64, last: bool) -> u64 {
        self.run_to(clock);
        while !self.welcome {
            self.tick(None);
        }
        self.tick(Some(last));
        self.clock - 1
    }

    /// Goes on to a clock.
    pub fn run_to(&mut self, clock: u64) {
        while self.clock < clock && !self.is_idle() {
            self.tick(None);
        }
        self.clock = self.clock.max(clock);
    }

    /// Begins a job of so many beats at an address, in this clock.
    pub fn start(&mut self, clock: u64, addr: u64, beats: u64) {
        self.run_to(clock);
        self.job = Some((addr % PAGE, beats));
    }

    /// Writes a word in the first clock from this on that has a place for it, and says which.
    pub fn word(&mut self, clock: u64, last: bool) -> u64 {
        self.run_to(clock);
        while !self.ready() {
            self.tick(None);
        }
        self.tick(Some(last));
        self.clock - 1
    }

    /// The first clock from this on in which the job has ended.
    pub fn ended(&mut self, clock: u64) -> u64 {
        self.run_to(clock);
        while self.busy || self.job.is_some() {
            self.tick(None);
        }
        self.clock
    }

    /// Whether nothing changes any more by itself.
    fn is_idle(&self) -> bool {
        let empty = !self.full && !self.valid && self.level() == 0;
        !self.busy && self.job.is_none() && self.welcome && empty
    }

    fn level(&self) -> u64 {
        self.stored + u64::from(self.head) + u64::from(self.next) + u64::from(self.fetched)
    }

    /// Ends the present clock, with or without a word.
    fn tick(&mut self, word: Option<bool>) {
        let clock = self.clock;
        let [awready, wready, answers] = self.sink.offers(clock);
        let (level, held_now) = (self.level(), self.level() - self.stored);

        // WriteMaster, as its registers stand.
        let sending = self.to_send != 0;
        let down = self.head && sending && wready;
        let accepted = self.awvalid && awready;
        let answered = self.writing && answers;
        let holds = self.planned && !self.writing && level >= self.burst;
        let begins = self.busy && holds && self.held[1];
        let last = self.to_send == 1;
        let to_page = (PAGE - self.addr) / self.bytes;
        let reach = to_page.min(BURST);
        let burst = self.left.min(self.reach);
        self.sink.happens(clock, [accepted, down, answered], last);

        self.welcome = self.ready() && word.is_none();

        // Pack.
        let pushes = self.valid && self.stored != DEPTH;
        let moves = self.full && !self.valid;
        self.valid = (self.valid && !pushes) || moves;
        self.full &= !moves;
        if let Some(last) = word {
            self.at += 1;
            if last || self.at == self.bytes / 4 {
                (self.at, self.full) = (0, true);
            }
        }

        // FIFO.
        let fetch = self.stored != 0 && (held_now < 2 || (held_now == 2 && down));
        let stays = self.head && !down;
        let (fetched, next) = (self.fetched, self.next);
        if !stays {
            self.head = next || fetched;
        }
        self.next = if stays { next || fetched } else { next && fetched };
        self.fetched = fetch;
        self.stored = self.stored + u64::from(pushes) - u64::from(fetch);

        // WriteMaster.
        self.planned = self.planning && !self.writing;
        self.planning = self.busy && !self.writing;
        self.held = [holds, self.held[0] && !self.writing];
        self.awvalid &= !accepted;
        self.to_send -= u64::from(down);
        if answered {
            self.writing = false;
            self.busy &= self.left != 0;
        }
        if begins {
            self.writing = true;
            self.planning = false;
            self.planned = false;
            self.awvalid = true;
            self.to_send = self.burst;
            self.addr = (self.addr + self.burst * self.bytes) % PAGE;
            self.left -= self.burst;
        }
        self.reach = reach;
        self.burst = burst;
        if let Some(job) = self.job.take() {
            (self.addr, self.left) = job;
            self.busy = true;
        }
        self.clock += 1;
    }
}
