//! Stream modules: order, integrity, throughput, latency, under every mixture of stalls.

#[path = "common/stream.rs"]
mod stream;

use sterna_rtl::parts::{Fifo, Pack, SkidBuffer, Storage, Unpack};
use sterna_rtl::{Generate, Module, SInt, UInt, mutate};
use stream::{beats, transfer};

/// Every mixture of stalls, seeded; then an undisturbed run that takes `latency` more than a clock
/// a beat.
fn behaves(of: &impl Generate, width: u32, last: bool, latency: u64) {
    let design = of.build().unwrap();
    for (n, idle) in
        [[0, 0], [2, 0], [0, 2], [2, 2], [5, 2], [2, 5], [20, 20]].into_iter().enumerate()
    {
        let seed = 100 * u64::from(width) + n as u64;
        let mut sim = mutate::bench(&design);
        sim.reset();
        let sent = beats(width, last, 1000, seed);
        let (got, clocks) = transfer(&mut sim, &sent, last, idle, seed);
        let first = got.iter().zip(&sent).position(|(a, b)| a != b);
        assert!(first.is_none(), "{}, seed {seed}: beat {first:?} differs", of.name());
        if idle == [0, 0] {
            assert_eq!(clocks, 1000 + latency, "{}", of.name());
        }
    }
}

#[test]
fn skid_buffer() {
    for width in [1, 8, 64, 513] {
        behaves(&SkidBuffer { ty: UInt(width), last: width == 64 }, width, width == 64, 1);
    }
    let design = SkidBuffer { ty: UInt(8), last: true }.build().unwrap();
    insta::assert_snapshot!("skid_buffer", design.verilog());
}

/// The queues of the core's row groups and of its reader of 64 bits.
const CORES: [(Storage, usize, u32, u64); 2] =
    [(Storage::Registers, 8, 110, 1), (Storage::Block, 512, 64, 3)];

#[test]
fn fifo() {
    for (depth, width) in [(2, 1), (4, 8), (16, 65)] {
        for (storage, latency) in [(Storage::Registers, 1), (Storage::Block, 3)] {
            let last = depth == 4;
            behaves(&Fifo { ty: UInt(width), depth, last, storage }, width, last, latency);
        }
    }
    for (storage, depth, width, latency) in CORES {
        behaves(&Fifo { ty: UInt(width), depth, last: false, storage }, width, false, latency);
    }
    for (name, storage) in [("fifo_registers", Storage::Registers), ("fifo_block", Storage::Block)]
    {
        let fifo = Fifo { ty: SInt(8), depth: 4, last: true, storage };
        insta::assert_snapshot!(name, fifo.build().unwrap().verilog());
    }
}

#[test]
fn a_fifo_holds_what_it_says() {
    let small = [(Storage::Registers, 8, 8, 1), (Storage::Block, 8, 8, 3)];
    for (storage, depth, width, _) in small.into_iter().chain(CORES) {
        let fifo = Fifo { ty: UInt(width), depth, last: false, storage };
        let mut sim = mutate::bench(&fifo.build().unwrap());
        sim.reset();
        sim.poke("s_valid", 1);
        let mut held = 0;
        for _ in 0..depth + 12 {
            assert_eq!(sim.u64("level"), held);
            held += sim.u64("s_ready");
            sim.step();
        }
        let spare = if storage == Storage::Block { 2 } else { 0 };
        assert_eq!(held, (depth + spare) as u64);
        sim.poke("s_valid", 0);
        sim.poke("m_ready", 1);
        for _ in 0..depth + 12 {
            assert_eq!(sim.u64("level"), held);
            held -= sim.u64("m_valid");
            sim.step();
        }
        assert_eq!(held, 0);
    }
}

/// Two slices in a row, joined by name alone.
struct Joined;

impl Generate for Joined {
    fn name(&self) -> String {
        "joined".into()
    }

    fn describe(&self, m: &Module) {
        let slice = SkidBuffer { ty: SInt(8), last: true };
        let (first, second) = (m.instance("u_first", &slice), m.instance("u_second", &slice));
        first.stream("s").connect(m.stream_in("s", SInt(8), true));
        second.stream("s").connect(first.stream("m"));
        m.stream_out("m", SInt(8), true).connect(second.stream("m"));
    }
}

#[test]
fn streams_connect() {
    behaves(&Joined, 8, true, 2);
}

/// Words into beats and out again.
struct ThereAndBack {
    word: u32,
    beat: u32,
}

impl Generate for ThereAndBack {
    fn name(&self) -> String {
        format!("there_and_back_{}_{}", self.word, self.beat)
    }

    fn describe(&self, m: &Module) {
        let pack = m.instance("u_pack", &Pack { from: self.word, to: self.beat });
        let unpack = m.instance("u_unpack", &Unpack { from: self.beat, to: self.word });
        let (source, inside) = (m.stream_in("s", UInt(self.word), false), pack.stream("s"));
        inside.valid.set(source.valid);
        inside.data.set(source.data);
        if let Some(last) = inside.last {
            last.set(0);
        }
        source.ready.set(inside.ready);
        unpack.stream("s").connect(pack.stream("m"));
        m.stream_out("m", UInt(self.word), false).connect(unpack.stream("m"));
    }
}

#[test]
fn gearboxes() {
    for (word, beat) in [(8, 32), (16, 128), (32, 64), (64, 64)] {
        // A beat is complete with its last word, and passes three registers.
        behaves(&ThereAndBack { word, beat }, word, false, u64::from(beat / word) + 2);
    }
    insta::assert_snapshot!("pack", Pack { from: 8, to: 32 }.build().unwrap().verilog());
    insta::assert_snapshot!("unpack", Unpack { from: 32, to: 8 }.build().unwrap().verilog());
}

#[test]
fn the_last_word_completes_a_beat() {
    let ends = |n: usize| n == 5 || n == 8;
    // The sink takes something every so many clocks.
    for (word, beat, pace) in [(8, 32, 1), (32, 64, 1), (8, 32, 7), (32, 64, 7)] {
        let words: Vec<u64> = (1..=9).collect();
        // Beats of words, lowest first, that end when they are full and behind a last word.
        let mut due = vec![];
        let (mut data, mut held) = (0, 0);
        for (n, each) in words.iter().enumerate() {
            data |= each << held;
            held += word;
            if held == beat || ends(n) {
                due.push((std::mem::take(&mut data), u64::from(ends(n))));
                held = 0;
            }
        }
        let mut sim = mutate::bench(&Pack { from: word, to: beat }.build().unwrap());
        sim.reset();
        let (mut sent, mut got) = (0, vec![]);
        for clock in 0..30 * pace {
            sim.poke("m_ready", clock % pace == 0);
            sim.poke("s_valid", sent < words.len());
            sim.poke("s_data", words.get(sent).copied().unwrap_or(0));
            sim.poke("s_last", ends(sent));
            sent += usize::from(sent < words.len() && sim.u64("s_ready") == 1);
            if sim.u64("m_valid") == 1 && clock % pace == 0 {
                got.push((sim.u64("m_data"), sim.u64("m_last")));
            }
            sim.step();
        }
        assert_eq!(got, due, "{word} to {beat}, every {pace} clocks");
    }
}
