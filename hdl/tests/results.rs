//! The end of a pass: best tokens, logits and records, through a writer at its own pace.

mod common;

use std::collections::VecDeque;

use common::parts::{bytes, geometry, pulse, ready};
use common::{seed, signed, unsigned};
use sterna_firmware::device::best;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Head;
use sterna_hdl::record::{self, Record};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

const ID: u64 = 0xfedc_ba98_7654_3210;
const RECORDS: u64 = 0x12_3456_7000;
const LOGITS: u64 = 0x80_0000_1000;
/// Beats that the writer takes before it has to write some.
const WRITER_FIFO: usize = 32;

/// The writer's side: jobs, beats, and what a finished job has written.
#[derive(Default)]
struct Writer {
    beats: VecDeque<Bits>,
    job: Option<(u64, u64)>,
    got: Vec<Bits>,
    /// Clocks that the memory takes to answer.
    answer: Option<u64>,
}

impl Writer {
    /// A clock; returns a job that has ended, with its bytes.
    fn serve(&mut self, sim: &mut Interpreter, rng: &mut Rng, idle: u64) -> Option<(u64, Vec<u8>)> {
        let ready = self.beats.len() < WRITER_FIFO && ready(rng, idle);
        sim.poke("m_ready", ready);
        sim.poke("writer_busy", self.job.is_some());
        if sim.u64("m_valid") == 1 && ready {
            self.beats.push_back(sim.peek("m_data"));
        }
        let mut ended = None;
        if let Some((addr, beats)) = self.job {
            while (self.got.len() as u64) < beats && (idle == 0 || !rng.one_in(idle)) {
                let Some(beat) = self.beats.pop_front() else { break };
                self.got.push(beat);
            }
            if self.got.len() as u64 == beats {
                // Now and then so long that the next pass is at its head already.
                let most = if rng.one_in(3) { 200 * idle } else { 3 * idle };
                let left = self.answer.unwrap_or_else(|| rng.below(1 + most));
                self.answer = left.checked_sub(1);
                if left == 0 {
                    self.job = None;
                    let all = std::mem::take(&mut self.got);
                    ended = Some((addr, all.iter().flat_map(bytes).collect()));
                }
            }
        }
        if sim.u64("ask") == 1 {
            assert!(self.job.is_none() && ended.is_none(), "a job is still under way");
            self.job = Some((sim.u64("ask_addr"), sim.u64("ask_beats")));
        }
        ended
    }
}

/// A pass of a run.
struct Pass {
    accs: Vec<i32>,
    scale: (u32, i32),
    /// Clocks from `begins` to `starts`, and to `pass_ok`.
    starts: u64,
    sound: u64,
}

struct Bench {
    sim: Interpreter,
    rng: Rng,
    core: Geometry,
    /// The first token's number.
    first: usize,
}

impl Bench {
    fn new(core: Geometry) -> Bench {
        let mut sim = mutate::bench(&Head { geometry: core.clone() }.build().unwrap());
        sim.reset();
        sim.poke("image_id", ID);
        sim.poke("logits_addr", LOGITS);
        Bench { sim, rng: Rng::new(seed()), core, first: 0 }
    }

    /// Passes one after the other, each begun as soon as the token of the one before is known.
    fn run(&mut self, vocab: usize, count: usize, logits: bool, idle: u64) {
        let Bench { sim, rng, core, first } = self;
        let first = *first;
        let passes: Vec<Pass> = (0..count)
            .map(|n| Pass {
                // Few values, so that many are equal; rising, or anything.
                accs: (0..vocab as i32)
                    .map(|token| match n % 3 {
                        0 => rng.below(7) as i32 - 3,
                        1 => token,
                        _ => signed(rng, 22) as i32,
                    })
                    .collect(),
                scale: (unsigned(rng, 24) as u32, signed(rng, 12) as i32),
                // The shortest pass takes longer, and the record's header does not.
                starts: 150 + rng.below(100),
                sound: 2 + rng.below(300 + 2 * vocab as u64),
            })
            .collect();
        sim.poke("vocab", vocab);
        sim.poke("logits", logits);
        for name in ["valid", "pass_ok", "starts"] {
            sim.poke(name, 0);
        }
        let mut writer = Writer::default();
        // The pass at hand, since when; the next accumulator; records and logits written.
        let (mut pass, mut since, mut next) = (0, 0, 0);
        let (mut recorded, mut logits_written) = (0, 0);
        let start = sim.cycle();
        let mut begins = true;
        let mut welcome = false;
        while recorded < count {
            let cycle = sim.cycle() - start;
            assert!(
                cycle < (2000 + 40 * vocab as u64 + 2000 * idle) * count as u64,
                "stuck in pass {pass}"
            );
            sim.poke("begins", begins);
            if std::mem::take(&mut begins) {
                since = cycle;
            }
            let now = passes.get(pass);
            let age = cycle - since;
            let starts = now.is_some_and(|pass| age == pass.starts);
            sim.poke("starts", starts);
            let scale = now.filter(|_| starts).map(|pass| pass.scale);
            let (mant, exp) =
                scale.unwrap_or_else(|| (unsigned(rng, 24) as u32, signed(rng, 12) as i32));
            sim.poke("mant", mant);
            sim.poke("exp", exp);
            sim.poke("pass_ok", now.is_some_and(|pass| age == pass.sound));
            sim.poke("index", recorded);
            sim.poke("record_addr", RECORDS + (recorded * record::stride(core.top_k)) as u64);
            sim.poke("valid", 0);
            let ended = writer.serve(sim, rng, idle);
            // An accumulator comes only where it was welcome in the clock before.
            if welcome && next < vocab && ready(rng, idle) {
                assert!(age > passes[pass].starts, "before HEAD has started");
                sim.poke("valid", 1);
                sim.poke("acc", passes[pass].accs[next]);
                sim.poke("token", first + next);
                sim.poke("last", next + 1 == vocab);
                next += 1;
                if next < vocab {
                    assert_eq!(sim.u64("idle"), 1);
                }
            }
            if let Some((addr, bytes)) = ended {
                if addr >= LOGITS {
                    assert_eq!(addr, LOGITS);
                    check_logits(core, &passes[logits_written].accs, &bytes);
                    logits_written += 1;
                } else {
                    let at = RECORDS + (recorded * record::stride(core.top_k)) as u64;
                    assert_eq!(addr, at, "record {recorded}");
                    check_record(core, (recorded, first), &passes[recorded], &bytes);
                }
            }
            if sim.u64("best_given") == 1 {
                let all = best(&passes[pass].accs, 1, |a, b| a > b);
                assert_eq!(sim.u64("best"), (first + all[0]) as u64, "pass {pass}");
                assert!(next == vocab && age > passes[pass].sound, "too early");
                assert!(!logits || logits_written == pass + 1, "logits come first");
                (pass, next) = (pass + 1, 0);
                begins = pass < count;
            }
            if sim.u64("recorded") == 1 {
                recorded += 1;
            }
            welcome = sim.u64("ready") == 1;
            sim.step();
        }
        assert!(writer.beats.is_empty(), "beats that nobody asked for");
        assert_eq!(sim.u64("idle"), 1);
        assert_eq!(logits_written, if logits { count } else { 0 });
        sim.step();
    }

    /// A pass of two tokens, up to the clock of its record's job; the writer takes all.
    fn until_record(&mut self) {
        let sim = &mut self.sim;
        for (name, value) in [("vocab", 2), ("logits", 0), ("m_ready", 1), ("writer_busy", 0)] {
            sim.poke(name, value);
        }
        for name in ["begins", "pass_ok", "starts"] {
            pulse(sim, name);
        }
        until(sim, "ready");
        for token in 0..2 {
            sim.poke("valid", 1);
            sim.poke("token", token);
            sim.poke("last", token);
            sim.step();
        }
        sim.poke("valid", 0);
        until(sim, "ask");
    }
}

/// Steps until an output is 1; says after how many clocks.
fn until(sim: &mut Interpreter, name: &str) -> u32 {
    for clocks in 0..100 {
        if sim.u64(name) == 1 {
            return clocks;
        }
        sim.step();
    }
    panic!("never {name}");
}

fn check_logits(core: &Geometry, accs: &[i32], bytes: &[u8]) {
    let mut want: Vec<u8> = accs.iter().flat_map(|acc| acc.to_le_bytes()).collect();
    want.resize(want.len().next_multiple_of(core.columns()), 0);
    assert_eq!(bytes, want);
}

fn check_record(core: &Geometry, (index, first): (usize, usize), pass: &Pass, bytes: &[u8]) {
    assert_eq!(bytes.len(), record::stride(core.top_k));
    let order = best(&pass.accs, core.top_k as usize, |a, b| a > b);
    let want = Record {
        index: index as u32,
        scale: pass.scale,
        image_id: ID,
        top: order.iter().map(|&n| ((first + n) as u32, pass.accs[n])).collect(),
    };
    assert_eq!(Record::decode(bytes), Some(want));
    let used = record::HEADER + 8 * order.len();
    assert!(bytes[used..].iter().all(|&byte| byte == 0), "zero where there is no candidate");
    assert!(bytes[20..24].iter().chain(&bytes[32..64]).all(|&byte| byte == 0), "a sparse header");
}

fn core(bus: u32, top_k: u32) -> Geometry {
    let shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 1, vocab: 2 };
    Geometry { top_k, ..geometry(bus, 1, &shape) }
}

#[test]
fn runs() {
    for (bus, k) in [(64, 1), (64, 8), (512, 8), (128, 64)] {
        let mut bench = Bench::new(core(bus, k));
        let k = k as usize;
        let sizes = [2, k.max(3) - 1, k.max(2), k + 1, 13, 100, 2 * k + 33];
        for (turn, vocab) in sizes.into_iter().enumerate() {
            // Each place of the list costs time in every clock.
            let both = [turn % 2 == 0, turn % 2 == 1];
            for &logits in &both[..if k < 64 { 2 } else { 1 }] {
                let idle = [0, 3, 2, 12][(turn + usize::from(logits)) % 4];
                bench.run(vocab, 3, logits, idle);
            }
        }
    }
    let design = Head { geometry: core(64, 1) }.build().unwrap();
    insta::assert_snapshot!("head", design.file("head").unwrap());
}

/// A pass that stops before the head leaves nothing behind, its checksum neither.
#[test]
fn a_pass_without_a_head() {
    let mut bench = Bench::new(core(64, 8));
    for _ in 0..3 {
        pulse(&mut bench.sim, "begins");
        pulse(&mut bench.sim, "pass_ok");
        for _ in 0..20 {
            for silent in ["ready", "ask", "best_given", "recorded", "m_valid"] {
                assert_eq!(bench.sim.u64(silent), 0, "{silent}");
            }
            assert_eq!(bench.sim.u64("idle"), 1);
            bench.sim.step();
        }
        bench.run(9, 2, false, 2);
    }
}

/// Nothing is given out for a pass whose last checksum never comes right.
#[test]
fn an_unsound_pass_gives_no_token() {
    let mut bench = Bench::new(core(64, 8));
    let sim = &mut bench.sim;
    sim.poke("vocab", 5);
    pulse(sim, "begins");
    pulse(sim, "starts");
    let mut token = 0;
    let mut welcome = false;
    for _ in 0..300 {
        let valid = welcome && token < 5;
        sim.poke("valid", valid);
        sim.poke("token", token);
        sim.poke("last", token == 4);
        token += u64::from(valid);
        welcome = sim.u64("ready") == 1;
        assert_eq!(sim.u64("best_given") + sim.u64("ask") + sim.u64("m_valid"), 0);
        sim.step();
    }
    assert_eq!(token, 5);
    sim.poke("valid", 0);
    // The engine's reset, and a sound run.
    sim.reset();
    bench.run(5, 2, true, 3);
}

/// Tokens of every bit; and nothing of an earlier list stands where a shorter one has no candidate.
#[test]
fn tokens_of_any_number() {
    let mut bench = Bench::new(core(64, 8));
    for first in [(1 << 20) - 20, 0x5_5555, 0xa_aaaa, (1 << 20) - 20] {
        bench.first = first;
        bench.run(20, 1, false, 0);
        bench.first = 0;
        bench.run(2, 1, false, 0);
    }
}

/// A job of logits is as long as the vocabulary, in every bit.
#[test]
fn beats_of_logits() {
    let mut bench = Bench::new(core(64, 8));
    let sim = &mut bench.sim;
    for vocab in (1..=20).flat_map(|bit| [1u64 << bit, (2 << bit) - 1]) {
        sim.reset();
        sim.poke("vocab", vocab);
        sim.poke("logits", 1);
        sim.step();
        pulse(sim, "starts");
        until(sim, "ask");
        let job = (sim.u64("ask_addr"), sim.u64("ask_beats"));
        assert_eq!(job, (LOGITS, vocab.div_ceil(2)), "vocabulary of {vocab}");
    }
}

/// A reset in any clock of a record leaves nothing of it.
#[test]
fn a_reset_within_a_record() {
    let mut bench = Bench::new(core(64, 8));
    for clocks in 0..40 {
        bench.until_record();
        for _ in 0..clocks {
            bench.sim.step();
        }
        bench.sim.reset();
        bench.run(5, 1, false, 0);
    }
}

/// HEAD may come while the record of the pass before is written: the list is cleared first.
#[test]
fn a_head_waits_for_the_record() {
    let mut bench = Bench::new(core(64, 8));
    bench.until_record();
    let sim = &mut bench.sim;
    pulse(sim, "begins");
    sim.poke("writer_busy", 1);
    pulse(sim, "starts");
    for _ in 0..60 {
        assert_eq!(sim.u64("ready") + sim.u64("recorded") + sim.u64("idle"), 0);
        sim.step();
    }
    sim.poke("writer_busy", 0);
    assert_eq!(until(sim, "recorded"), 0);
    // Two clocks behind the record nothing is waited for; `ready` is a clock before its accumulator.
    assert_eq!(until(sim, "ready"), 2 + Head::OPEN - 1);
}
