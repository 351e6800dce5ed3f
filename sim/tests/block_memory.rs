//! The block memory against an array of bytes: bursts at random, strobes, errors, contents.

mod common;

use common::around::{UNEVEN, block_memory, simulator};
use common::axi::{Burst, Bus, beats, burst};
use sterna_rtl::Generate;
use sterna_rtl::random::Rng;
use sterna_sim::{Options, Simulator};

/// A memory with random contents, a few bytes short of all, and a master.
struct Bench {
    sim: Simulator,
    bus: Bus,
    rng: Rng,
}

impl Bench {
    fn new(bytes: u64, seed: u64) -> Bench {
        let (memory, shadow) = block_memory(bytes);
        let design = memory.build().unwrap_or_else(|e| panic!("{e}"));
        let options = Options { assertions: true, ..common::options() };
        let mut sim = simulator(&design, &options).unwrap_or_else(|e| panic!("{e}"));
        let bus = Bus::find(&mut sim, "s_axi", shadow).unwrap();
        Bench { sim, bus, rng: Rng::new(seed) }
    }

    fn clock(&mut self) {
        self.bus.clock(&mut self.sim, &mut self.rng).unwrap();
        self.sim.step().unwrap_or_else(|e| panic!("{e}"));
    }

    /// Until everything that was asked for is done; the clocks it took.
    fn finish(&mut self) -> u64 {
        let start = self.sim.clocks();
        while !self.bus.is_idle() {
            assert!(self.sim.clocks() - start < 500_000, "stuck");
            self.clock();
        }
        self.sim.clocks() - start
    }

    fn read(&mut self, addr: u64, beats: u64) {
        self.bus.to_read.push_back(Burst { addr, beats, id: 1 });
    }

    /// Every word, as the bus sees it.
    fn whole(&mut self) {
        for addr in (0..self.bus.shadow.len() as u64).step_by(2048) {
            self.read(addr, 256);
        }
        self.finish();
    }
}

/// One bank, three of different sizes, four.
const SIZES: [u64; 3] = [4096, 327_680, UNEVEN];

#[test]
fn random_traffic_reads_what_was_written() {
    let seed = common::seed();
    for bytes in SIZES {
        let mut bench = Bench::new(bytes, seed);
        bench.whole();
        for idle in [0, 3, 20] {
            bench.bus.idle = idle;
            for _ in 0..300 {
                let one = burst(&mut bench.rng, bytes);
                let write = bench.rng.one_in(2);
                while bench.bus.meets(&one, write) || bench.bus.to_read.len() > 3 {
                    bench.clock();
                }
                if write {
                    let data = beats(&mut bench.rng, one.beats);
                    bench.bus.to_write.push_back((one, data));
                } else {
                    bench.bus.to_read.push_back(one);
                }
            }
            bench.finish();
        }
        bench.whole();
    }
}

/// Words that are read while they are written: with what they hold already, so that what is read is
/// known. That no port reads what another writes is an assertion of the memory's.
#[test]
fn reads_and_writes_of_one_word_do_not_meet() {
    let mut bench = Bench::new(UNEVEN, common::seed());
    for round in 0..400 {
        bench.bus.idle = [0, 4][round % 2];
        let one = Burst { addr: 8 * bench.rng.below(4), beats: 1 + bench.rng.below(8), id: 0 };
        let words = bench.bus.shadow[one.addr as usize..].chunks(8).take(one.beats as usize);
        let same = words.map(|word| (u64::from_le_bytes(word.try_into().unwrap()), 255)).collect();
        bench.bus.to_write.push_back((one, same));
        for _ in 0..2 {
            let (addr, beats) = (8 * bench.rng.below(4), 1 + bench.rng.below(12));
            bench.read(addr, beats);
        }
        for _ in 0..bench.rng.below(20) {
            bench.clock();
        }
    }
    bench.finish();
}

/// Behind the end, in any of the address's bits, is an error, and nothing is written.
#[test]
fn behind_the_end_is_an_error() {
    let mut bench = Bench::new(UNEVEN, 3);
    let ends = [UNEVEN, UNEVEN + 4096, 1 << 19, 1 << 20, 1 << 32, (1 << 40) - 4096];
    for addr in ends {
        let one = Burst { addr, beats: 3, id: 2 };
        let data = beats(&mut bench.rng, 3);
        bench.bus.to_write.push_back((one, data));
        bench.finish();
        bench.bus.to_read.push_back(one);
        bench.finish();
    }
    bench.read(UNEVEN - 4096, 256);
    bench.read(UNEVEN - 2048, 256);
    bench.finish();
    assert_eq!(bench.bus.beats_read, 3 * ends.len() as u64 + 512);
    bench.whole();
}

/// Of a burst of four its master takes none, and the next one's address is accepted; of a burst of
/// five it is not.
#[test]
fn four_beats_wait() {
    for (beats, accepted) in [(4, 2), (5, 1)] {
        let mut bench = Bench::new(UNEVEN, 5);
        bench.bus.shut = true;
        for count in [beats, 1, 1] {
            bench.read(4096, count);
        }
        (0..40).for_each(|_| bench.clock());
        assert_eq!(3 - bench.bus.to_read.len(), accepted, "{beats} beats");
        bench.bus.shut = false;
        bench.finish();
    }
}

/// Two clocks to the first beat, and a beat a clock from burst to burst.
#[test]
fn a_beat_a_clock() {
    let mut bench = Bench::new(UNEVEN, 4);
    bench.read(0, 1);
    let first = bench.finish();
    for n in 0..100 {
        bench.read(2048 * n, [256, 16][n as usize % 2]);
    }
    let clocks = bench.finish();
    assert_eq!((first, clocks), (FIRST + 1, 50 * (256 + 16) + FIRST));
    let beats = beats(&mut bench.rng, 256);
    bench.bus.to_write.push_back((Burst { addr: 4096, beats: 256, id: 0 }, beats));
    // An address, the beats, an answer.
    assert_eq!(bench.finish(), 258);
}

/// Clocks from that of an address to that of its first beat.
const FIRST: u64 = 3;
