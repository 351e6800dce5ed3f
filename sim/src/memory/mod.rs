//! A memory behind AXI4: the other side of a master, clock by clock.
//!
//! ```text
//!            ar -> [ queue per ID, with the clock of its first beat ] -> pick one -> r
//!  aw -> [ queue ] -> w -> strobes into the bytes -> [ queue per ID ] -------------> b
//! ```
//!
//! Reads of one ID are answered in their order, and so are writes; reads of different IDs
//! overtake each other where the memory stalls at random. Every offer of the memory is a
//! register's: it depends on earlier clocks only. A master that breaks a rule that the memory
//! sees is told so: an offer that is taken back or changes, a burst that is not incrementing,
//! not of whole beats, or crosses 4 KiB, a last beat at the wrong place.
//!
//! The model knows no ports: [`Memory::offers`] and [`Memory::clock`] are what a port, or a test
//! by hand, connects.

mod log;
mod read;
mod stalls;
pub(crate) mod store;
mod write;

use std::ops::Range;

use log::Log;
use read::Reads;
use store::Store;
use write::Writes;

use crate::timing;

pub(crate) use read::OUTSTANDING;
pub(crate) use stalls::Pauses;
pub use stalls::Stalls;

/// What a memory is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Size; what lies behind answers SLVERR.
    pub bytes: u64,
    /// Clocks from the address to the first beat, at least 1; the median where it stalls.
    pub latency: u32,
    /// How regularly it answers.
    pub stalls: Stalls,
    /// Start of the random sequence.
    pub seed: u64,
}

impl Default for MemoryOptions {
    /// 4 GiB, a beat a clock after 60 clocks: 200 ns at 300 MHz.
    fn default() -> MemoryOptions {
        MemoryOptions { bytes: 1 << 32, latency: 60, stalls: Stalls::None, seed: 0 }
    }
}

/// The address of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// First byte.
    pub addr: u64,
    /// ID of the transaction.
    pub id: u32,
    /// Beats minus one.
    pub len: u32,
    /// Logarithm of the bytes of a beat.
    pub size: u32,
    /// Kind of burst; 1 is incrementing.
    pub burst: u32,
    /// Lock, cache, protection and quality of service.
    pub attributes: [u32; 4],
}

impl Address {
    /// What a master of memory says: no lock; cache bits 0011, normal and bufferable; data, secure and
    /// unprivileged; no quality of service (IHI 0022, A4 and A7).
    pub const ATTRIBUTES: [u32; 4] = [0, 3, 0, 0];
}

/// A beat that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Words of 32 bits.
    pub words: &'a [u32],
    /// A bit for each byte that counts.
    pub strobes: u64,
    /// Whether it ends its burst.
    pub last: bool,
}

/// What a master offers in a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Master<'a> {
    /// A burst to read.
    pub ar: Option<Address>,
    /// Whether it takes a beat that was read.
    pub rready: bool,
    /// A burst to write.
    pub aw: Option<Address>,
    /// A beat of a burst to write.
    pub w: Option<Data<'a>>,
    /// Whether it takes an answer to a write.
    pub bready: bool,
}

/// What the memory offers in a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Whether it takes a burst to read.
    pub arready: bool,
    /// Whether a beat that was read is on offer, with its ID, response, mark and words.
    pub rvalid: bool,
    /// Its ID.
    pub rid: u32,
    /// Its response.
    pub rresp: u32,
    /// Whether it ends its burst.
    pub rlast: bool,
    /// Its words of 32 bits.
    pub rdata: Vec<u32>,
    /// Whether it takes a burst to write.
    pub awready: bool,
    /// Whether it takes a beat to write.
    pub wready: bool,
    /// Whether an answer to a write is on offer, with its ID and response.
    pub bvalid: bool,
    /// Its ID.
    pub bid: u32,
    /// Its response.
    pub bresp: u32,
}

/// A rule of AXI that the master broke, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

/// The response that says that a memory failed.
pub const SLVERR: u32 = 2;

/// What a memory can be told to do wrong in a stretch of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injection {
    /// Reads answer SLVERR.
    ReadError(Range<u64>),
    /// Writes answer SLVERR and write nothing.
    WriteError(Range<u64>),
    /// Reads are never answered, until [`Memory::heal`].
    Silence(Range<u64>),
}

impl Injection {
    /// Whether a stretch is concerned.
    fn hits(&self, address: u64, bytes: u64) -> bool {
        let (Injection::ReadError(range)
        | Injection::WriteError(range)
        | Injection::Silence(range)) = self;
        address < range.end && range.start < address.saturating_add(bytes)
    }
}

/// A memory.
pub struct Memory {
    common: Common,
    reads: Reads,
    writes: Writes,
    offers: Offers,
    traffic: Traffic,
    log: Option<Log>,
}

/// Beats that passed over the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the memory.
    pub read: u64,
    /// To the memory.
    pub written: u64,
}

/// What reads and writes share.
struct Common {
    store: Store,
    injections: Vec<Injection>,
    /// Bytes of a beat.
    beat: u64,
    clock: u64,
}

impl Common {
    fn fails(&self, address: u64, reading: bool) -> bool {
        let kind = |i: &&Injection| match i {
            Injection::ReadError(_) => reading,
            Injection::WriteError(_) => !reading,
            Injection::Silence(_) => false,
        };
        !self.store.holds(address, self.beat)
            || self.injections.iter().filter(kind).any(|i| i.hits(address, self.beat))
    }

    fn is_silent(&self, address: u64) -> bool {
        let silent = |i: &&Injection| matches!(i, Injection::Silence(_));
        self.injections.iter().filter(silent).any(|i| i.hits(address, self.beat))
    }

    /// What is wrong with a burst, if anything.
    fn check(&self, channel: &str, burst: &Address) -> Result<(), Violation> {
        let Address { addr, len, size, .. } = *burst;
        let rule = |why: String| Err(Violation(format!("{channel} at {addr:#x}: {why}")));
        if burst.burst != 1 {
            return rule(format!("burst type {}; only incrementing ones are used", burst.burst));
        }
        if burst.attributes != Address::ATTRIBUTES {
            let ([is, due], names) =
                ([burst.attributes, Address::ATTRIBUTES], "lock, cache, prot and qos");
            return rule(format!("{names} are {is:?}; a master of memory says {due:?}"));
        }
        if 1 << size != self.beat {
            return rule(format!("beats of {} bytes on a bus of {}", 1 << size, self.beat));
        }
        if addr % self.beat != 0 {
            return rule(format!("not aligned to a beat of {} bytes", self.beat));
        }
        if addr % 4096 + (u64::from(len) + 1) * self.beat > 4096 {
            return rule(format!("{} beats of {} bytes cross 4 KiB", len + 1, self.beat));
        }
        Ok(())
    }
}

impl Memory {
    /// A memory on a bus of so many bits, at most 512.
    pub fn new(bus: u32, options: &MemoryOptions) -> Memory {
        let mut memory = Memory {
            common: Common {
                store: Store::new(options.bytes),
                injections: vec![],
                beat: u64::from(bus / 8),
                clock: 0,
            },
            reads: Reads::new(options),
            writes: Writes::new(options),
            offers: Offers { rdata: vec![0; bus.div_ceil(32) as usize], ..Offers::default() },
            traffic: Traffic::default(),
            log: None,
        };
        memory.reads.offer(&memory.common, &mut memory.offers);
        memory.writes.offer(&memory.common, &mut memory.offers);
        memory
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.common.store.bytes()
    }

    /// Writes down the clocks of everything from now on, the present one having this number: beats
    /// of ID 0 as the image's, those of ID 1 as rows'.
    pub fn log(&mut self, clock: u64) {
        self.log = Some(Log::new(clock - self.common.clock));
    }

    /// What was written down, to be looked at and forgotten.
    pub fn logged(&mut self) -> Option<&mut timing::Traffic> {
        self.log.as_mut().map(Log::traffic)
    }

    /// Beats so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What is on offer in the clock that is now.
    pub fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Ends a clock in which the master offered this, and begins the next.
    ///
    /// # Errors
    /// The rule that the master broke.
    pub fn clock(&mut self, master: &Master<'_>) -> Result<(), Violation> {
        self.traffic.read += u64::from(self.offers.rvalid && master.rready);
        self.traffic.written += u64::from(self.offers.wready && master.w.is_some());
        if let Some(log) = &mut self.log {
            log.clock(self.common.clock, &self.offers, master);
        }
        self.reads.clock(&self.common, &self.offers, master)?;
        self.writes.clock(&mut self.common, &self.offers, master)?;
        self.common.clock += 1;
        self.reads.offer(&self.common, &mut self.offers);
        self.writes.offer(&self.common, &mut self.offers);
        Ok(())
    }

    /// Forgets what is under way, as a reset of so many clocks does; what it holds stays.
    pub fn restart(&mut self, clocks: u32) {
        self.common.clock += u64::from(clocks);
        self.reads.restart();
        self.writes.restart();
        self.reads.offer(&self.common, &mut self.offers);
        self.writes.offer(&self.common, &mut self.offers);
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.reads.is_idle() && self.writes.is_idle()
    }

    /// Reads bytes behind the bus's back; `false` where the stretch is not inside.
    pub fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let inside = self.common.store.holds(address, out.len() as u64);
        if inside {
            self.common.store.read(address, out);
        }
        inside
    }

    /// Writes bytes behind the bus's back; `false` where the stretch is not inside.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let inside = self.common.store.holds(address, bytes.len() as u64);
        if inside {
            self.common.store.write(address, bytes);
        }
        inside
    }

    /// Changes bits of a byte; `false` where it is not inside.
    pub fn flip(&mut self, address: u64, bits: u8) -> bool {
        let mut byte = [0];
        self.read(address, &mut byte) && self.write(address, &[byte[0] ^ bits])
    }

    /// Lets something go wrong from now on.
    pub fn inject(&mut self, injection: Injection) {
        self.common.injections.push(injection);
    }

    /// Lets nothing go wrong any more; what was not answered is answered now.
    pub fn heal(&mut self) {
        self.common.injections.clear();
    }
}
