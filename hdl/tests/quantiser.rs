//! Vectors into codes in the order of a pass, against the codes that the golden model makes.

mod common;

use common::parts::{Answers, geometry, lanes, pulse, ready, signed_lanes};
use common::{seed, signed, unsigned};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{Opcode, instructions};
use sterna_firmware::shape::Shape;
use sterna_firmware::trits::ROWS;
use sterna_hdl::core::Quantiser;
use sterna_model::numerics::{Reciprocal, gain};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

/// A vector that is quantised, and where it and its gain lie.
struct Job {
    opcode: Opcode,
    vector: Vec<i32>,
    gain: Vec<i16>,
    codes: Vec<i8>,
    /// Clocks that its matrix takes at least, once its codes are there.
    clocks: u64,
}

/// `read_vector`, `read_gain`, `read_second` of an opcode.
fn place(opcode: Opcode) -> (u64, u64, u64) {
    match opcode {
        Opcode::MixF => (0, 1, 0),
        Opcode::MixG => (0, 2, 0),
        Opcode::MixO => (1, 0, 1),
        Opcode::Down => (2, 0, 1),
        _ => (0, 0, 0),
    }
}

/// Every job of a pass, with the maxima that come before some of them.
fn jobs(rng: &mut Rng, core: &Geometry, shape: &Shape, no_head: bool) -> Vec<(Job, [u32; 3])> {
    let walk = instructions(shape);
    let mut residual = vec![];
    let mut max = [0; 3];
    walk[1..walk.len() - usize::from(no_head)]
        .iter()
        .map(|walk| {
            let opcode = walk.opcode;
            let length = walk.dimensions.1;
            let large = 32 - rng.below(31) as u32;
            let mut random = || -> Vec<i32> {
                (0..length).map(|_| (signed(rng, 32) >> (32 - large)) as i32).collect()
            };
            let vector = match opcode {
                Opcode::MixO | Opcode::Down => random(),
                // f and g take what i took.
                Opcode::MixF | Opcode::MixG => std::mem::take(&mut residual),
                _ => random(),
            };
            let gain: Vec<i16> =
                (0..length).map(|_| (signed(rng, 16) as i16).max(-32767)).collect();
            let largest = |gain: &[i16]| {
                let sizes =
                    vector.iter().zip(gain).map(|(&x, &g)| gain::apply(x, g).unsigned_abs());
                sizes.max().unwrap_or(0)
            };
            let consumer = opcode.consumer();
            if consumer == 0 {
                // The others' maxima are what an image claims, true or not.
                max = std::array::from_fn(|_| unsigned(rng, 31) as u32 >> rng.below(31));
                max[0] = if rng.one_in(6) { max[0] } else { largest(&gain) };
            }
            let reciprocal = Reciprocal::new(max[consumer]);
            let code = |(&x, &mant): (&i32, &i16)| reciprocal.code(gain::apply(x, mant));
            let mut codes: Vec<i8> = vector.iter().zip(&gain).map(code).collect();
            codes.resize(length.next_multiple_of(64), 0);
            if matches!(opcode, Opcode::MixI | Opcode::MixF) {
                residual = vector.clone();
            }
            let beats = codes.len() / core.columns();
            let groups = walk.dimensions.0.div_ceil(ROWS) * opcode.parts();
            let clocks = ((groups - 1) * beats + 1) as u64;
            (Job { opcode, vector, gain, codes, clocks }, max)
        })
        .collect()
}

struct Bench {
    sim: Interpreter,
    rng: Rng,
    core: Geometry,
    vector: Answers,
    gain: Answers,
}

impl Bench {
    fn new(core: Geometry) -> Bench {
        let mut sim = mutate::bench(&Quantiser { geometry: core.clone() }.build().unwrap());
        sim.reset();
        let (vector, gain) = (
            Answers::new("vector", 32 * core.quantisers),
            Answers::new("gain", 16 * core.quantisers),
        );
        Bench { sim, rng: Rng::new(seed()), core, vector, gain }
    }

    fn pass(&mut self, shape: &Shape, no_head: bool, idle: u64) {
        let Bench { sim, rng, core, vector, gain } = self;
        let q = core.quantisers as usize;
        let per_beat = core.columns() / q;
        let all = jobs(rng, core, shape, no_head);
        for (name, value) in [
            ("hidden", shape.hidden),
            ("inner", shape.inner),
            ("intermediate", shape.intermediate),
            ("layers", shape.layers),
            ("no_head", no_head.into()),
        ] {
            sim.poke(name, value);
        }
        pulse(sim, "begins");
        // Of what is read, written and used by matrices: the number of the job, and how far it is.
        let (mut read, mut read_at) = (0, 0);
        let (mut written, mut words) = (0, 0);
        // The matrix at hand; since when all of its codes were met.
        let (mut matrix, mut whole): (usize, Option<u64>) = (0, None);
        // Beats of its codes that were met.
        let (mut met, mut released) = (0, false);
        let mut there = false;
        // Clocks until the maxima of a job that needs new ones, and until START's operands.
        let mut known = 0;
        let mut wait = Some(rng.below(20));
        let mut load = rng.below(40);
        let start = sim.cycle();
        while matrix < all.len() {
            let cycle = sim.cycle() - start;
            assert!(cycle < 400 * all.len() as u64 + 20_000, "stuck at job {written}");
            vector.give(sim, rng);
            gain.give(sim, rng);
            sim.poke("start_loaded", load == 0);
            load = load.wrapping_sub(1);
            let comes = wait == Some(0);
            wait = wait.and_then(|clocks| clocks.checked_sub(1));
            sim.poke("max_valid", comes);
            for j in 0..3 {
                let max = if comes { all[known].1[j] } else { rng.next_u64() as u32 };
                sim.poke(&format!("max_{j}"), max);
            }
            // A matrix ends some time after its last code was there.
            let beats = all[matrix].0.codes.len() / core.columns();
            let may = whole.is_some_and(|since| cycle >= since + all[matrix].0.clocks);
            let release = may && ready(rng, idle);
            sim.poke("code_release", release);

            let so_far = if written > matrix { beats } else { words / per_beat };
            // Behind a matrix's end it may be a clock late.
            let late = std::mem::replace(&mut released, release) && !there;
            assert!(late || there == (so_far > met), "cycle {cycle}, matrix {matrix}, beat {met}");
            let take = there && ready(rng, idle);
            sim.poke("code_taken", take);
            met += usize::from(take);
            if met == beats && whole.is_none() {
                whole = Some(cycle);
            }
            let reads = sim.u64("read") == 1;
            if reads {
                let job = &all[read].0;
                let got = ["read_vector", "read_gain", "read_second"].map(|name| sim.u64(name));
                assert_eq!((got[0], got[1], got[2]), place(job.opcode), "job {read}");
                assert_eq!(sim.u64("read_at"), read_at as u64, "job {read}");
                let of = read_at * q..(read_at + 1) * q;
                vector.ask(Some(lanes(32, job.vector[of.clone()].iter().map(|&x| x.into()))));
                gain.ask(Some(lanes(16, job.gain[of].iter().map(|&x| x.into()))));
                read_at += 1;
                if read_at * q == job.vector.len() {
                    (read, read_at) = (read + 1, 0);
                }
            } else {
                vector.ask(None);
                gain.ask(None);
            }

            if sim.u64("code_write") == 1 {
                let job = &all[written].0;
                assert!(written < matrix + 2, "the buffer is still in use");
                assert_eq!(sim.u64("code_buffer"), written as u64 % 2);
                assert_eq!(sim.u64("code_write_at"), words as u64);
                let got = signed_lanes(8, &sim.peek("codes"));
                let want = job.codes[words * q..(words + 1) * q].iter().map(|&c| i64::from(c));
                assert_eq!(got, want.collect::<Vec<_>>(), "word {words} of job {written}");
                words += 1;
                if words * q == job.codes.len() {
                    (written, words) = (written + 1, 0);
                }
            }
            if release {
                met = 0;
                (matrix, whole) = (matrix + 1, None);
                // The epilogue completes what the next vector's maxima are of, f's and g's aside.
                if let Some((next, _)) = all.get(matrix)
                    && next.opcode.consumer() == 0
                {
                    known = matrix;
                    wait = Some(rng.below(if idle == 0 { 1 } else { 50 }));
                }
            }
            there = sim.u64("code_there") == 1;
            sim.step();
        }
        sim.poke("code_release", 0);
        for _ in 0..60 {
            assert_eq!(sim.u64("read") + sim.u64("code_write"), 0, "the pass is over");
            vector.give(sim, rng);
            vector.ask(None);
            gain.give(sim, rng);
            gain.ask(None);
            sim.step();
        }
    }
}

#[test]
fn codes_of_a_pass() {
    let shapes = [
        Shape { hidden: 64, inner: 32, intermediate: 96, layers: 2, vocab: 17 },
        Shape { hidden: 32, inner: 96, intermediate: 160, layers: 1, vocab: 2 },
    ];
    let most = Shape { hidden: 64, inner: 96, intermediate: 160, layers: 2, vocab: 17 };
    for (bus, quantisers) in [(64, 2), (64, 4), (64, 8), (128, 16), (256, 32), (512, 8), (512, 16)]
    {
        let core = Geometry { quantisers, ..geometry(bus, 1, &most) };
        core.check().unwrap();
        let mut bench = Bench::new(core);
        for (turn, no_head) in [(0, false), (1, true), (2, false), (3, false)] {
            bench.pass(&shapes[turn % 2], no_head, [0, 3, 2, 20][turn]);
        }
    }
    let core = geometry(64, 1, &most);
    let design = Quantiser { geometry: core }.build().unwrap();
    insta::assert_snapshot!("quantiser", design.file("quantiser").unwrap());
}

/// A reset in the middle leaves nothing to the next pass.
#[test]
fn a_pass_begins_anew() {
    let shape = Shape { hidden: 32, inner: 32, intermediate: 64, layers: 1, vocab: 9 };
    let mut bench = Bench::new(geometry(64, 1, &shape));
    for clocks in [3, 30, 60, 90] {
        for (name, value) in [("hidden", 32), ("inner", 32), ("intermediate", 64), ("layers", 1)] {
            bench.sim.poke(name, value);
        }
        pulse(&mut bench.sim, "begins");
        pulse(&mut bench.sim, "start_loaded");
        pulse(&mut bench.sim, "max_valid");
        for _ in 0..clocks {
            bench.sim.step();
        }
        bench.sim.reset();
        bench.pass(&shape, false, 2);
    }
}

/// A vector of more words than ten bits count.
#[test]
fn a_long_vector() {
    let shape = Shape { hidden: 32, inner: 32, intermediate: 4160, layers: 1, vocab: 9 };
    let core = Geometry { quantisers: 4, ..geometry(64, 1, &shape) };
    Bench::new(core).pass(&shape, false, 0);
}
