//! An AXI4 master by hand: bursts in random order and at random paces, against an array of bytes.

use std::collections::VecDeque;

use sterna_rtl::random::Rng;
use sterna_sim::{Input, Output, SimError, Simulator};

/// A burst: first byte, beats, ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    pub addr: u64,
    pub beats: u64,
    pub id: u64,
}

struct Address {
    valid: Input<bool>,
    ready: Output<bool>,
    addr: Input<u64>,
    len: Input<u64>,
    id: Input<u64>,
}

impl Address {
    fn find(sim: &mut Simulator, prefix: &str, channel: &str) -> Result<Address, SimError> {
        let name = |signal: &str| format!("{prefix}_{channel}{signal}");
        sim.poke(&name("size"), 3)?;
        sim.poke(&name("burst"), 1)?;
        // Normal memory, bufferable.
        sim.poke(&name("cache"), 3)?;
        Ok(Address {
            valid: sim.input(&name("valid"))?,
            ready: sim.output(&name("ready"))?,
            addr: sim.input(&name("addr"))?,
            len: sim.input(&name("len"))?,
            id: sim.input(&name("id"))?,
        })
    }

    fn offer(&self, sim: &mut Simulator, burst: Option<&Burst>) -> Result<(), SimError> {
        sim.set(self.valid, burst.is_some())?;
        if let Some(Burst { addr, beats, id }) = burst {
            sim.set(self.addr, *addr)?;
            sim.set(self.len, beats - 1)?;
            sim.set(self.id, *id)?;
        }
        Ok(())
    }
}

/// A master of 64 bits and what it has under way.
pub struct Bus {
    ar: Address,
    rvalid: Output<bool>,
    rready: Input<bool>,
    rdata: Output<u64>,
    rid: Output<u64>,
    rlast: Output<bool>,
    rresp: Output<u64>,
    aw: Address,
    wvalid: Input<bool>,
    wready: Output<bool>,
    wdata: Input<u64>,
    wstrb: Input<u64>,
    wlast: Input<bool>,
    bvalid: Output<bool>,
    bready: Input<bool>,
    bid: Output<u64>,
    bresp: Output<u64>,
    /// Bursts to read and to write that are not accepted yet.
    pub to_read: VecDeque<Burst>,
    pub to_write: VecDeque<(Burst, Vec<(u64, u8)>)>,
    beats: VecDeque<(u64, u8, bool)>,
    reading: VecDeque<(Burst, u64)>,
    writing: VecDeque<(Burst, Vec<(u64, u8)>)>,
    offered: [bool; 3],
    ready: [bool; 2],
    /// The data of the first burst to write is among the beats.
    queued: bool,
    /// What the memory holds, and how much there is.
    pub shadow: Vec<u8>,
    /// Where each 4 KiB of it are; empty where they follow each other from 0.
    pub pages: Vec<u64>,
    /// Pauses once in so many clocks; 0 for never.
    pub idle: u64,
    /// Takes no beats.
    pub shut: bool,
    /// Takes no answers to writes.
    pub deaf: bool,
    pub beats_read: u64,
    pub beats_written: u64,
}

impl Bus {
    pub fn find(sim: &mut Simulator, prefix: &str, shadow: Vec<u8>) -> Result<Bus, SimError> {
        let name = |signal: &str| format!("{prefix}_{signal}");
        Ok(Bus {
            ar: Address::find(sim, prefix, "ar")?,
            rvalid: sim.output(&name("rvalid"))?,
            rready: sim.input(&name("rready"))?,
            rdata: sim.output(&name("rdata"))?,
            rid: sim.output(&name("rid"))?,
            rlast: sim.output(&name("rlast"))?,
            rresp: sim.output(&name("rresp"))?,
            aw: Address::find(sim, prefix, "aw")?,
            wvalid: sim.input(&name("wvalid"))?,
            wready: sim.output(&name("wready"))?,
            wdata: sim.input(&name("wdata"))?,
            wstrb: sim.input(&name("wstrb"))?,
            wlast: sim.input(&name("wlast"))?,
            bvalid: sim.output(&name("bvalid"))?,
            bready: sim.input(&name("bready"))?,
            bid: sim.output(&name("bid"))?,
            bresp: sim.output(&name("bresp"))?,
            to_read: VecDeque::new(),
            to_write: VecDeque::new(),
            beats: VecDeque::new(),
            reading: VecDeque::new(),
            writing: VecDeque::new(),
            offered: [false; 3],
            ready: [false; 2],
            queued: false,
            shadow,
            pages: vec![],
            idle: 0,
            shut: false,
            deaf: false,
            beats_read: 0,
            beats_written: 0,
        })
    }

    pub fn is_idle(&self) -> bool {
        self.to_read.is_empty()
            && self.to_write.is_empty()
            && self.reading.is_empty()
            && self.writing.is_empty()
    }

    /// Whether a burst of a kind would meet one of the other kind that is under way.
    pub fn meets(&self, burst: &Burst, write: bool) -> bool {
        let near = |other: &Burst| {
            other.addr < burst.addr + 8 * burst.beats && burst.addr < other.addr + 8 * other.beats
        };
        let writes = self.to_write.iter().chain(&self.writing).any(|(other, _)| near(other));
        let reads = self.to_read.iter().chain(self.reading.iter().map(|r| &r.0)).any(near);
        writes || (write && reads)
    }

    /// Where an address is in the shadow.
    fn place(&self, at: u64) -> Option<usize> {
        if self.pages.is_empty() {
            return usize::try_from(at).ok();
        }
        let page = self.pages.iter().position(|&page| page == at & !0xfff)?;
        Some(4096 * page + (at & 0xfff) as usize)
    }

    fn word(&self, at: u64) -> Option<u64> {
        let at = self.place(at)?;
        let bytes = self.shadow.get(at..at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().expect("eight")))
    }

    /// Sets the inputs, looks at the outputs, and notes what moves at the coming edge.
    pub fn clock(&mut self, sim: &mut Simulator, rng: &mut Rng) -> Result<(), SimError> {
        self.drive(sim, rng)?;
        self.sample(sim)
    }

    /// Sets the inputs.
    pub fn drive(&mut self, sim: &mut Simulator, rng: &mut Rng) -> Result<(), SimError> {
        let idle = self.idle;
        let mut goes = || idle == 0 || !rng.one_in(idle);
        self.offered[0] = !self.to_read.is_empty() && (self.offered[0] || goes());
        self.offered[1] = !self.to_write.is_empty() && (self.offered[1] || goes());
        self.offered[2] = !self.beats.is_empty() && (self.offered[2] || goes());
        self.ready = [goes() && !self.shut, goes() && !self.deaf];
        self.ar.offer(sim, self.to_read.front().filter(|_| self.offered[0]))?;
        self.aw.offer(sim, self.to_write.front().filter(|_| self.offered[1]).map(|w| &w.0))?;
        // The data may come before its address is taken, or behind it.
        if let Some((burst, beats)) = self.to_write.front()
            && self.offered[1]
            && !self.queued
        {
            let last = beats.len() - 1;
            let marked = beats.iter().enumerate().map(|(n, &(data, strb))| (data, strb, n == last));
            self.beats.extend(marked);
            self.writing.push_back((*burst, beats.clone()));
            self.queued = true;
        }
        sim.set(self.wvalid, self.offered[2])?;
        if let (Some((data, strb, last)), true) = (self.beats.front(), self.offered[2]) {
            sim.set(self.wdata, *data)?;
            sim.set(self.wstrb, u64::from(*strb))?;
            sim.set(self.wlast, *last)?;
        }
        sim.set(self.rready, self.ready[0])?;
        sim.set(self.bready, self.ready[1])
    }

    /// Looks at the outputs once all inputs of the design are set.
    pub fn sample(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        let [rready, bready] = self.ready;

        if self.offered[0] && sim.get(self.ar.ready)? {
            self.reading.extend(self.to_read.pop_front().map(|burst| (burst, 0)));
            self.offered[0] = false;
        }
        if self.offered[1] && sim.get(self.aw.ready)? {
            self.to_write.pop_front();
            (self.offered[1], self.queued) = (false, false);
        }
        if self.offered[2] && sim.get(self.wready)? {
            self.beats.pop_front();
            self.offered[2] = false;
            self.beats_written += 1;
        }
        if rready && sim.get(self.rvalid)? {
            self.take(sim)?;
        }
        if bready && sim.get(self.bvalid)? {
            let (burst, beats) = self.writing.pop_front().expect("an answer to nothing");
            assert_eq!(sim.get(self.bid)?, burst.id);
            let first = self.place(burst.addr).filter(|_| self.word(burst.addr).is_some());
            assert_eq!(sim.get(self.bresp)?, if first.is_some() { 0 } else { 2 }, "{burst:x?}");
            for (n, (data, strb)) in beats.into_iter().enumerate() {
                let Some(first) = first else { break };
                for (i, byte) in data.to_le_bytes().into_iter().enumerate() {
                    if strb >> i & 1 == 1 {
                        self.shadow[first + 8 * n + i] = byte;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        let id = sim.get(self.rid)?;
        // Of one ID in order; the IDs among themselves as they like.
        let at = self.reading.iter().position(|(burst, _)| burst.id == id);
        let at = at.unwrap_or_else(|| panic!("a beat of ID {id}, of which nothing was asked"));
        let (burst, done) = self.reading[at];
        let addr = burst.addr + 8 * done;
        match self.word(addr) {
            Some(word) => {
                let got = (sim.get(self.rdata)?, sim.get(self.rresp)?);
                assert_eq!(got, (word, 0), "beat {done} of {burst:x?}, clock {}", sim.clocks());
            }
            None => assert_eq!(sim.get(self.rresp)?, 2, "beat {done} of {burst:x?}"),
        }
        self.beats_read += 1;
        self.reading[at].1 += 1;
        let last = done + 1 == burst.beats;
        assert_eq!(sim.get(self.rlast)?, last, "beat {done} of {burst:x?}");
        if last {
            self.reading.remove(at);
        }
        Ok(())
    }
}

/// A legal burst somewhere in so many bytes, or now and then anywhere in 40 bits of an address.
pub fn burst(rng: &mut Rng, bytes: u64) -> Burst {
    let most = [1, 4, 16, 256][rng.below(4) as usize];
    let beats = 1 + rng.below(most);
    let within = if rng.one_in(40) { 1 << 40 } else { bytes };
    let page = rng.below(within / 4096) * 4096;
    let addr = page + 8 * rng.below(512 - beats + 1);
    Burst { addr, beats, id: rng.below(4) }
}

/// Beats to write, some of them in part.
pub fn beats(rng: &mut Rng, count: u64) -> Vec<(u64, u8)> {
    let strobes = |rng: &mut Rng| if rng.one_in(3) { rng.next_u64() as u8 } else { 255 };
    (0..count).map(|_| (rng.next_u64(), strobes(rng))).collect()
}
