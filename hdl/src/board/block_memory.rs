use std::sync::Arc;

use sterna_rtl::{Axi, AxiKind, AxiWidths, Generate, Memory, Module, Sig, UInt, index_width};

use crate::link::BUS;
use crate::read_queue::ReadQueue;

/// Memory of the FPGA's own behind an AXI4 slave port.
///
/// ```text
///  s_axi_aw -> [ address, counts ] --v
///  s_axi_w ----------------------> [ beat ] -> bank 0 | bank 1 | ...
///  s_axi_b <- answer of a burst                  |        |
///  s_axi_ar -> [ address, counts ] -- issue ---> read     read
///                                                v        v
///  s_axi_r <--- [ FIFO of 4 ] <---------------- the bank that was read
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\
///  ar       A                       Three clocks from an address to its first beat, then a beat a
///  issue        0   1   2   3       clock, from one burst to the next as well.
///  r                    0   1
/// ```
///
/// Incrementing bursts of whole beats. A burst behind the end answers SLVERR: reads give anything,
/// writes do nothing. A read sees every write that was answered before it. No word is read while
/// one is written, so a beat that arrives takes a clock from a reader; that is what `no_rw_check`
/// promises.
///
/// A memory whose depth is not a power of two would be rounded up by the tools. So it is made of
/// banks, the largest of 2^14 words, the others of a power of two each: 320 KiB are two of 2^14
/// words and one of 2^13. On ECP5 a bank takes a DP16KD for every 2 KiB, and nothing else, because
/// one of 2^14 words has a bit of all of them, with the strobe of its byte as write enable.
/// Cost, synthesised for ECP5 at 320 KiB: 160 DP16KD, 595 LUT4, 427 registers, half of them the
/// FIFO's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMemory {
    /// Widths of the bus; a beat has 64 bits.
    pub widths: AxiWidths,
    /// What it is.
    pub ram: BlockRam,
}

/// A block RAM as a host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRam {
    /// Its size: a multiple of 4096, at most 2^24.
    pub bytes: u64,
    /// What is in it after power-up, from its first byte on, and zeros behind; if empty, nobody
    /// says what.
    pub contents: Arc<[u8]>,
}

impl BlockRam {
    /// A memory without contents.
    pub fn empty(bytes: u64) -> BlockRam {
        BlockRam { bytes, contents: Arc::new([]) }
    }
}

/// Bytes that a burst stays within.
const PAGE: u64 = 4096;
/// Bytes of a beat.
const BEAT: u64 = BUS as u64 / 8;
/// Words of the largest bank: bits of a DP16KD.
const BANK: u64 = 1 << 14;
/// Beats that wait for the bus.
const READ: usize = 4;

impl BlockMemory {
    fn words(&self) -> u64 {
        self.ram.bytes / BEAT
    }

    /// First word and words of each bank.
    fn banks(&self) -> Vec<(u64, u64)> {
        let mut banks = vec![];
        let mut from = 0;
        while from < self.words() {
            let left = self.words() - from;
            let words = BANK.min(1 << left.ilog2());
            banks.push((from, words));
            from += words;
        }
        banks
    }

    /// The word of the contents.
    fn word(&self, at: u64) -> u64 {
        let contents = &self.ram.contents;
        let byte = |n: u64| contents.get((at * BEAT + n) as usize).copied().unwrap_or(0);
        (0..BEAT).rev().fold(0, |word, n| word << 8 | u64::from(byte(n)))
    }

    /// The first thing that is wrong with the parameters.
    fn refusal(&self) -> Option<(&'static str, String)> {
        let (w, bytes) = (self.widths, self.ram.bytes);
        if w.data != BUS || w.id == 0 || w.addr > 64 {
            return Some(("widths", format!("{w:?}; a beat has {BUS} bits")));
        }
        if bytes == 0 || bytes % PAGE != 0 || bytes > 1 << 24.min(w.addr) {
            let why = format!("{bytes} bytes; it is a multiple of 4096 up to 2^24");
            return Some(("bytes", why));
        }
        let length = self.ram.contents.len() as u64;
        (length > bytes).then(|| ("contents", format!("{length} bytes do not fit {bytes}")))
    }
}

/// A burst that is under way.
struct Walk<'m> {
    /// Set with a burst, cleared with its last beat.
    under_way: Sig<'m>,
    /// Number of the word that is next.
    at: Sig<'m>,
    id: Sig<'m>,
    /// It lies behind the end.
    lost: Sig<'m>,
}

impl<'m> Walk<'m> {
    fn new(m: &'m Module, name: &str, memory: &BlockMemory) -> Walk<'m> {
        let index = UInt(index_width(memory.words() as usize));
        let reg = |what: &str, ty| m.reg(format!("{name}_{what}"), ty);
        let lost = reg("lost", UInt(1)).comment("The burst lies behind the end.");
        let under_way = reg("under_way", UInt(1)).reset(0);
        Walk { under_way, at: reg("at", index), id: reg("id", UInt(memory.widths.id)), lost }
    }

    /// Begins a burst. To be said last, so that it overrules the end of the burst before.
    fn begin(&self, addr: Sig<'m>, id: Sig<'m>, bytes: u64) {
        self.under_way.set(1);
        let low = BEAT.trailing_zeros();
        self.at.set(addr.slice(low..low + self.at.width()));
        self.id.set(id);
        self.lost.set(addr.slice(PAGE.trailing_zeros()..addr.width()).ge(bytes / PAGE));
    }
}

impl Generate for BlockMemory {
    fn name(&self) -> String {
        let (w, ram) = (self.widths, &self.ram);
        let holds = match ram.contents.is_empty() {
            true => String::new(),
            false => format!("_{:08x}", crc32c::crc32c(&ram.contents)),
        };
        format!("block_memory_a{}_i{}_{}{holds}", w.addr, w.id, ram.bytes)
    }

    fn describe(&self, m: &Module) {
        if let Some((what, why)) = self.refusal() {
            return m.require(&format!("BlockMemory::{what}"), false, || why);
        }
        m.doc(format!("Block RAM of {} KiB behind AXI4.", self.ram.bytes >> 10));
        let axi = m.axi_slave("s_axi", AxiKind::Full, self.widths);
        for channel in ["ar", "aw"] {
            let get = |signal: &str| axi.get(&format!("{channel}{signal}"));
            let whole = get("burst").eq(1) & get("size").eq(BEAT.trailing_zeros());
            m.assert(format!("{channel}_of_whole_beats"), !get("valid") | whole);
            let first = get("addr").slice(BEAT.trailing_zeros()..PAGE.trailing_zeros());
            let within = (first + get("len")).lt(PAGE / BEAT);
            m.assert(format!("{channel}_within_a_page"), !get("valid") | within);
        }

        let stored = self.writes(m, &axi);
        self.reads(m, &axi, &stored);
    }
}

/// A beat on its way into its bank.
struct Stored<'m> {
    /// There is one.
    storing: Sig<'m>,
    /// The word's number.
    to: Sig<'m>,
    data: Sig<'m>,
    strobes: Sig<'m>,
}

impl BlockMemory {
    /// The write channels: each beat is in registers for a clock.
    fn writes<'m>(&self, m: &'m Module, axi: &Axi<'m>) -> Stored<'m> {
        let w = self.widths;
        let write = Walk::new(m, "write", self);
        let answer = m.reg("answer", UInt(1)).reset(0).comment("Of a burst that is written.");
        let storing = m.reg("storing", UInt(1)).reset(0).comment("A beat goes into its bank.");
        let to = m.reg("to", write.at.ty());
        let (data, strobes) = (m.reg("data", UInt(w.data)), m.reg("strobes", UInt(w.data / 8)));
        axi.get("awready").set(!write.under_way & !answer);
        axi.get("wready").set(write.under_way);
        axi.get("bvalid").set(answer);
        axi.get("bid").set(write.id);
        axi.get("bresp").set(write.lost.cat(m.lit(UInt(1), 0)));
        let arrives = (axi.get("wvalid") & write.under_way).named("arrives");
        storing.set(arrives & !write.lost);
        to.set(write.at);
        data.set(axi.get("wdata"));
        strobes.set(axi.get("wstrb"));
        m.when(answer & axi.get("bready"), || answer.set(0));
        m.when(arrives, || {
            write.at.set(write.at.wrapping_add(1));
            m.when(axi.get("wlast"), || {
                write.under_way.set(0);
                answer.set(1);
            });
        });
        m.when(axi.get("awvalid") & axi.get("awready"), || {
            write.begin(axi.get("awaddr"), axi.get("awid"), self.ram.bytes);
        });
        Stored { storing, to, data, strobes }
    }

    /// The read channels and the banks: no word is read in a clock in which one is written.
    fn reads<'m>(&self, m: &'m Module, axi: &Axi<'m>, stored: &Stored<'m>) {
        let Stored { storing, to, data, strobes } = *stored;
        let w = self.widths;
        let read = Walk::new(m, "read", self);
        let left = m.reg("left", UInt(8)).comment("Beats behind the next one.");
        let queue = ReadQueue::new(m, READ);
        let issue = (read.under_way & !storing & queue.free()).named("issue");
        let last = left.eq(0).named("last");
        let ready = (!read.under_way | (issue & last)).named("read_ready");
        axi.get("arready").set(ready);
        m.when(issue, || {
            read.at.set(read.at.wrapping_add(1));
            left.set(left.wrapping_sub(1));
            m.when(last, || read.under_way.set(0));
        });
        m.when(axi.get("arvalid") & ready, || {
            read.begin(axi.get("araddr"), axi.get("arid"), self.ram.bytes);
            left.set(axi.get("arlen"));
        });

        // ----- banks -----
        let banks = self.banks();
        let of = m.reg("of", UInt(index_width(banks.len()))).comment("The bank that was read.");
        let words: Vec<Sig<'_>> = (0..)
            .zip(&banks)
            .map(|(n, &(from, count))| {
                let bank = self.bank(m, n, from, count);
                let low = bank.address_width();
                let stores = is_in(m, to, from, low).named(format!("to_{n}"));
                let reads = is_in(m, read.at, from, low).named(format!("from_{n}"));
                bank.write_bytes(storing & stores, to.truncate(low), data, strobes);
                m.when(reads, || of.set(n));
                bank.read(issue & reads & !read.lost, read.at.truncate(low))
            })
            .collect();

        // ----- the bank's output is registered by the FIFO -----
        let fetched = m.reg("fetched", UInt(1)).reset(0).comment("A bank shows a new word.");
        let mark = m.reg("mark", UInt(2 + w.id));
        fetched.set(issue);
        mark.set(m.cat(&[read.lost, last, read.id]));
        queue.give(axi, w, fetched, mark.cat(of.select(&words)), issue);
    }

    fn bank<'m>(&self, m: &'m Module, n: usize, from: u64, words: u64) -> Memory<'m> {
        let bank = m.memory(format!("bank_{n}"), UInt(self.widths.data), words as usize);
        let bank = bank.ram_style("block").no_rw_check();
        match self.ram.contents.is_empty() {
            true => bank,
            false => bank.init(|i| self.word(from + i as u64)),
        }
    }
}

/// Whether a word is in the bank that begins at `from`: all of a bank's words share the bits above
/// the `low` ones that tell them apart.
fn is_in<'m>(m: &'m Module, at: Sig<'m>, from: u64, low: u32) -> Sig<'m> {
    match at.width() == low {
        true => m.lit(UInt(1), 1),
        false => at.slice(low..at.width()).eq(from >> low),
    }
}
