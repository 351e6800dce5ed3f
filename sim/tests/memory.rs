//! The memory model: the library's read master as its client, and writes by hand.

mod common;

use sterna_rtl::parts::ReadMaster;
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, AxiWidths, Generate};
use sterna_sim::memory::{
    Address, Data, Injection, Master, Memory, MemoryOptions, SLVERR, Stalls, Violation,
};
use sterna_sim::{Input, MemoryPort, Output, SimError, Simulator, Words};

const BYTES: u64 = 1 << 20;

fn options(stalls: Stalls, seed: u64) -> MemoryOptions {
    MemoryOptions { bytes: BYTES, latency: 20, stalls, seed }
}

fn filled(bus: u32, options: &MemoryOptions, rng: &mut Rng) -> (Memory, Vec<u8>) {
    let bytes: Vec<u8> = (0..BYTES / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
    let mut memory = Memory::new(bus, options);
    assert!(memory.write(0, &bytes));
    (memory, bytes)
}

/// A running read master.
struct Client {
    sim: Simulator,
    port: MemoryPort,
    start: Input<bool>,
    addr: Input<u64>,
    beats: Input<u64>,
    ready: Input<bool>,
    valid: Output<bool>,
    data: Output<Words>,
    error: Output<bool>,
    bus: u32,
}

impl Client {
    fn new(bus: u32) -> Client {
        let widths = AxiWidths { addr: 40, data: bus, id: 1 };
        let depth = (16 * 1024 / (bus as usize / 8)).min(512);
        let design = ReadMaster { widths, number: 1, length: 24, depth }.build().unwrap();
        let mut sim = Simulator::build(&design, &common::options()).unwrap();
        sim.reset().unwrap();
        Client {
            port: MemoryPort::find(&sim, "m_axi", AxiKind::Read, bus).unwrap(),
            start: sim.input("start").unwrap(),
            addr: sim.input("addr").unwrap(),
            beats: sim.input("beats").unwrap(),
            ready: sim.input("m_ready").unwrap(),
            valid: sim.output("m_valid").unwrap(),
            data: sim.output("m_data").unwrap(),
            error: sim.output("error").unwrap(),
            sim,
            bus,
        }
    }

    /// Reads a stretch; the bytes, and the clocks it took.
    fn read(
        &mut self,
        memory: &mut Memory,
        addr: u64,
        beats: u64,
        limit: u64,
    ) -> Result<(Vec<u8>, u64), SimError> {
        let sim = &mut self.sim;
        sim.set(self.start, true)?;
        sim.set(self.addr, addr)?;
        sim.set(self.beats, beats)?;
        sim.set(self.ready, true)?;
        let (mut bytes, begin) = (vec![], sim.clocks());
        let mut words = vec![0; self.bus as usize / 32];
        while (bytes.len() as u64) < beats * u64::from(self.bus / 8) && sim.clocks() < begin + limit
        {
            self.port.clock(sim, memory)?;
            if sim.get(self.valid)? {
                sim.get_words(self.data, &mut words)?;
                bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            sim.step()?;
            sim.set(self.start, false)?;
        }
        Ok((bytes, sim.clocks() - begin))
    }
}

#[test]
fn reads_are_what_was_written() {
    let seed = common::seed();
    for bus in [64, 512] {
        let mut client = Client::new(bus);
        for stalls in [Stalls::None, Stalls::Random, Stalls::Burst, Stalls::Mixed] {
            let mut rng = Rng::new(seed);
            let (mut memory, bytes) = filled(bus, &options(stalls, seed), &mut rng);
            let beat = u64::from(bus / 8);
            let mut taken = vec![];
            for _ in 0..12 {
                let beats = 1 + rng.below(600);
                let at = rng.below(BYTES / beat - beats) * beat;
                let (got, clocks) = client.read(&mut memory, at, beats, 200_000).unwrap();
                let length = (beats * beat) as usize;
                assert_eq!(got, bytes[at as usize..][..length], "{stalls:?}, {beats} at {at:#x}");
                taken.push((beats, clocks));
                assert!(memory.is_idle());
            }
            let slow = taken.iter().filter(|(beats, clocks)| clocks > &(beats + 60)).count();
            match stalls {
                // A beat a clock after the latency; short bursts of the ends cost the master two.
                Stalls::None => assert_eq!(slow, 0, "{taken:?}"),
                // Chance may give both channels of a read no pauses.
                Stalls::Mixed => {}
                _ => assert!(slow > 6, "{taken:?}"),
            }
            assert!(!client.sim.get(client.error).unwrap());
        }
    }
}

#[test]
fn one_seed_is_one_run() {
    let mut client = Client::new(128);
    let clocks = [3, 3, 4].map(|seed| {
        let mut memory = Memory::new(128, &options(Stalls::Random, seed));
        client.read(&mut memory, 0, 500, 100_000).unwrap().1
    });
    assert_eq!(clocks[0], clocks[1]);
    assert_ne!(clocks[0], clocks[2]);
}

#[test]
fn the_first_beat_comes_after_the_latency() {
    for latency in [1, 2, 60] {
        let mut memory = Memory::new(64, &MemoryOptions { latency, ..options(Stalls::None, 0) });
        let ar = Some(burst(0, 0, 2, 64));
        memory.clock(&Master { ar, rready: true, ..Master::default() }).unwrap();
        let mut waited = 1;
        while !memory.offers().rvalid {
            memory.clock(&Master { rready: true, ..Master::default() }).unwrap();
            waited += 1;
        }
        assert_eq!(waited, latency);
        assert!(!memory.offers().rlast);
        memory.clock(&Master { rready: true, ..Master::default() }).unwrap();
        assert!(memory.offers().rvalid && memory.offers().rlast);
    }
}

#[test]
fn what_is_injected_happens_and_heals() {
    let mut rng = Rng::new(5);
    let mut client = Client::new(256);
    let (mut memory, bytes) = filled(256, &options(Stalls::None, 0), &mut rng);
    // A byte that changed.
    assert!(memory.flip(4097, 0x40) && !memory.flip(BYTES, 1));
    let (got, _) = client.read(&mut memory, 4096, 4, 1000).unwrap();
    let differ: Vec<usize> = (0..got.len()).filter(|&n| got[n] != bytes[4096 + n]).collect();
    assert_eq!((differ, got[1]), (vec![1], bytes[4097] ^ 0x40));
    // SLVERR in one beat, and behind the end.
    assert!(!client.sim.get(client.error).unwrap());
    memory.inject(Injection::ReadError(8192..8193));
    let (got, _) = client.read(&mut memory, 8160, 4, 1000).unwrap();
    assert_eq!(got[..32], bytes[8160..8192]);
    assert_eq!(got[32..64], [0; 32]);
    assert!(client.sim.get(client.error).unwrap());
    memory.heal();
    client.read(&mut memory, 8160, 4, 1000).unwrap();
    assert!(!client.sim.get(client.error).unwrap());
    client.read(&mut memory, BYTES - 64, 4, 1000).unwrap();
    assert!(client.sim.get(client.error).unwrap());
    // No answer, until it heals.
    memory.inject(Injection::Silence(0x3000..0x4000));
    let (got, clocks) = client.read(&mut memory, 0x2fe0, 3, 5000).unwrap();
    assert_eq!((got.len(), clocks), (32, 5000));
    assert!(!memory.is_idle());
    memory.heal();
    for _ in 0..100 {
        client.port.clock(&mut client.sim, &mut memory).unwrap();
        client.sim.step().unwrap();
    }
    assert!(memory.is_idle());
}

fn burst(addr: u64, id: u32, beats: u32, bus: u32) -> Address {
    let size = (bus / 8).trailing_zeros();
    Address { addr, id, len: beats - 1, size, burst: 1, attributes: Address::ATTRIBUTES }
}

/// Writes a burst and waits for the answer, with the data `skew` clocks before or after the
/// address, and an answer that is not taken at once.
fn write(
    memory: &mut Memory,
    (addr, id): (u64, u32),
    beats: &[(Vec<u32>, u64)],
    rng: &mut Rng,
) -> Result<(u32, u32), Violation> {
    let bus = 32 * beats[0].0.len() as u32;
    let (late, slow) = (rng.below(4), rng.below(4));
    let (mut sent, mut addressed) = (0, false);
    for clock in 0..10_000 {
        let mut master = Master { bready: clock >= slow, ..Master::default() };
        if !addressed && clock >= late {
            master.aw = Some(burst(addr, id, beats.len() as u32, bus));
        }
        if let Some((words, strobes)) = beats.get(sent) {
            let last = sent + 1 == beats.len();
            master.w = Some(Data { words, strobes: *strobes, last });
        }
        let offers = memory.offers().clone();
        memory.clock(&master)?;
        addressed |= master.aw.is_some() && offers.awready;
        sent += usize::from(master.w.is_some() && offers.wready);
        if offers.bvalid && master.bready {
            assert!(addressed && sent == beats.len());
            return Ok((offers.bid, offers.bresp));
        }
    }
    panic!("no answer");
}

#[test]
fn writes_arrive() {
    let seed = common::seed();
    for bus in [64, 128, 512] {
        for stalls in [Stalls::None, Stalls::Random, Stalls::Burst] {
            let mut rng = Rng::new(seed);
            let (mut memory, mut shadow) = filled(bus, &options(stalls, seed), &mut rng);
            let beat = u64::from(bus / 8);
            for _ in 0..30 {
                let count = 1 + rng.below(16);
                let page = rng.below(BYTES / 4096) * 4096;
                let addr = page + rng.below(4096 / beat - count + 1) * beat;
                let id = rng.below(2) as u32;
                let all = u64::MAX >> (64 - beat);
                let beats: Vec<(Vec<u32>, u64)> = (0..count)
                    .map(|_| {
                        let words = (0..bus / 32).map(|_| rng.next_u64() as u32).collect();
                        (words, if rng.one_in(3) { rng.next_u64() & all } else { all })
                    })
                    .collect();
                let answer = write(&mut memory, (addr, id), &beats, &mut rng).unwrap();
                assert_eq!(answer, (id, 0));
                let bytes = beats.iter().flat_map(|(words, strobes)| {
                    let bytes = words.iter().flat_map(|word| word.to_le_bytes()).enumerate();
                    bytes.map(move |(n, byte)| (strobes >> n & 1 == 1).then_some(byte))
                });
                for (to, byte) in shadow[addr as usize..].iter_mut().zip(bytes) {
                    *to = byte.unwrap_or(*to);
                }
            }
            let mut all = vec![0; BYTES as usize];
            assert!(memory.read(0, &mut all) && all == shadow, "{bus} bits, {stalls:?}");
        }
    }
    // Outside, and where it was told to fail, nothing is written.
    let mut memory = Memory::new(64, &options(Stalls::None, 0));
    memory.inject(Injection::WriteError(64..65));
    let mut rng = Rng::new(1);
    let two = vec![(vec![7, 7], 255); 2];
    for addr in [56, BYTES] {
        assert_eq!(write(&mut memory, (addr, 1), &two, &mut rng).unwrap(), (1, SLVERR));
    }
    let mut bytes = [9; 16];
    assert!(memory.read(56, &mut bytes));
    assert_eq!(bytes, [7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// Reads of one ID keep their order; of two, some overtake where the memory stalls.
#[test]
fn ids_keep_their_order() {
    for (stalls, overtaken) in [(Stalls::None, false), (Stalls::Random, true)] {
        let mut memory = Memory::new(64, &options(stalls, 7));
        for n in 0..512u64 {
            assert!(memory.write(8 * n, &n.to_le_bytes()));
        }
        let mut asked: Vec<(u64, u32)> = vec![];
        let mut got: Vec<(u64, u32)> = vec![];
        for n in 0..6000u64 {
            let at = asked.len() as u64;
            let id = at.is_multiple_of(3).into();
            // An offer stays until it is taken.
            let ar = (at < 100).then(|| burst(8 * at, id, 1, 64));
            let master = Master { ar, rready: n % 3 != 0, ..Master::default() };
            let offers = memory.offers().clone();
            memory.clock(&master).unwrap();
            if ar.is_some() && offers.arready {
                asked.push((at, id));
            }
            if offers.rvalid && master.rready {
                got.push((offers.rdata[0].into(), offers.rid));
            }
        }
        for wanted in 0..2 {
            let of = |list: &[(u64, u32)]| -> Vec<u64> {
                list.iter().filter(|(_, id)| *id == wanted).map(|(n, _)| *n).collect()
            };
            assert_eq!(of(&asked), of(&got));
        }
        assert_eq!(asked != got, overtaken, "{stalls:?}");
    }
}

/// Each rule that the memory sees, broken once.
#[test]
fn broken_rules_are_told() {
    let mut messages = String::new();
    let mut note = |what: &str, result: Result<(), Violation>| {
        let Violation(rule) = result.expect_err(what);
        messages += &format!("{what}: {rule}\n");
    };
    let memory = || Memory::new(64, &options(Stalls::None, 0));
    let ar = |address: Address| Master { ar: Some(address), ..Master::default() };
    let good = burst(64, 0, 4, 64);
    note("fixed", memory().clock(&ar(Address { burst: 0, ..good })));
    note("exclusive", memory().clock(&ar(Address { attributes: [1, 3, 0, 0], ..good })));
    note("narrow", memory().clock(&ar(Address { size: 2, ..good })));
    note("misaligned", memory().clock(&ar(Address { addr: 68, ..good })));
    note("crossing", memory().clock(&ar(Address { addr: 4096 - 24, ..good })));
    // Full, so that an offer is not taken: then it changes, or is gone.
    for next in [Some(Address { addr: 128, ..good }), None] {
        let mut full = memory();
        while full.offers().arready {
            full.clock(&ar(good)).unwrap();
        }
        full.clock(&ar(good)).unwrap();
        note("taken back", full.clock(&Master { ar: next, ..Master::default() }));
        let mut full = memory();
        while full.offers().awready {
            full.clock(&Master { aw: Some(good), ..Master::default() }).unwrap();
        }
        full.clock(&Master { aw: Some(good), ..Master::default() }).unwrap();
        note("taken back", full.clock(&Master { aw: next, ..Master::default() }));
    }
    // The address is taken in the first clock, data from the second on.
    let words = [1, 2];
    let beat = |last| Some(Data { words: &words, strobes: 255, last });
    let mut early = memory();
    early.clock(&Master { aw: Some(good), ..Master::default() }).unwrap();
    note("early", early.clock(&Master { w: beat(true), ..Master::default() }));
    let mut late = memory();
    late.clock(&Master { aw: Some(burst(0, 0, 1, 64)), ..Master::default() }).unwrap();
    note("late", late.clock(&Master { w: beat(false), ..Master::default() }));
    let mut changed = memory();
    changed.clock(&Master { w: beat(false), ..Master::default() }).unwrap();
    note("changed", changed.clock(&Master { w: beat(true), ..Master::default() }));
    insta::assert_snapshot!(messages);
}
