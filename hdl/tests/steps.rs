//! Accumulators through the epilogue, instruction after instruction, against the golden formulas.

mod common;

use std::collections::VecDeque;

use common::parts::{
    Answers, Source, accumulator, geometry, lanes, pulse, ready, rescale, signed_lanes,
};
use common::{seed, signed, unsigned};
use sterna_firmware::isa::{Instruction, Opcode, instructions};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Epilogue;
use sterna_model::numerics::sigmoid::{ARG_MAX, Sigmoid};
use sterna_model::numerics::{Rescale, Sums, gain, glu, mlgru, saturate};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

fn gains(rng: &mut Rng, length: usize) -> Vec<i16> {
    (0..length).map(|_| (signed(rng, 16) as i16).max(-32767)).collect()
}

/// The vectors on chip.
struct Vectors {
    residual: Vec<i32>,
    mix: Vec<i32>,
    product: Vec<i32>,
    /// Layer after layer.
    state: Vec<i32>,
}

/// What one instruction has with it.
struct Operation {
    walk: Instruction,
    rescale: Rescale,
    frac: i32,
    state_frac: i32,
    last_layer: bool,
    /// Of every part, padding left out.
    accumulators: Vec<Vec<i64>>,
    /// Lower bounds, w_g or w₁.
    side: Vec<i16>,
    /// Of the consumers of what comes out.
    gains: Vec<Vec<i16>>,
}

/// What has to come of it.
struct Outcome {
    shown: Vec<i32>,
    sums: Sums,
    clamps: u64,
}

impl Operation {
    fn random(rng: &mut Rng, walk: Instruction, shape: &Shape, state_frac: i32) -> Operation {
        let rows = walk.dimensions.0;
        let matrices = 0..walk.opcode.parts();
        let accumulators =
            matrices.map(|_| (0..rows).map(|_| accumulator(rng)).collect()).collect();
        let last_layer = walk.layer + 1 == shape.layers;
        // Before the head two of DOWN's gains are leftovers; nobody reads what comes of them.
        let consumers = if walk.opcode == Opcode::Down { 3 } else { 1 };
        Operation {
            rescale: rescale(rng),
            frac: if walk.opcode == Opcode::MixI { state_frac } else { rng.below(21) as i32 },
            state_frac,
            last_layer,
            accumulators,
            side: match walk.opcode {
                Opcode::MixF => (0..rows).map(|_| unsigned(rng, 16) as u16 as i16).collect(),
                _ => gains(rng, rows),
            },
            gains: (0..consumers).map(|_| gains(rng, rows)).collect(),
            walk,
        }
    }

    /// As `firmware/src/golden/epilogue.rs` has it.
    fn golden(&self, at: &mut Vectors, fresh: bool) -> Outcome {
        let sigmoid = Sigmoid::new();
        let mut outcome = Outcome { shown: vec![], sums: Sums::default(), clamps: 0 };
        let rows = self.walk.dimensions.0;
        let state = self.walk.layer * at.mix.len();
        for k in 0..rows {
            let acc = |part: usize| self.accumulators[part][k] as i32;
            let mut narrow =
                |part| self.rescale.apply_saturating(acc(part), 24, &mut outcome.clamps);
            let z = |x: i32| {
                std::array::from_fn(|j| self.gains.get(j).map_or(0, |g| gain::apply(x, g[k])))
            };
            let shown = match self.walk.opcode {
                Opcode::MixI => {
                    let a = narrow(0);
                    at.mix[k] = mlgru::silu(sigmoid, a, self.frac);
                    a
                }
                Opcode::MixF => {
                    let limit = i64::from(ARG_MAX);
                    let b = self.rescale.apply(acc(0)).clamp(-limit, limit) as i32;
                    let open = mlgru::one_minus_f(sigmoid, b, self.side[k] as u16);
                    let before = if fresh { 0 } else { at.state[state + k] };
                    at.state[state + k] = mlgru::recur(before, at.mix[k], open);
                    at.state[state + k]
                }
                Opcode::MixG => {
                    let g = narrow(0);
                    let silu = mlgru::silu(sigmoid, at.state[state + k], self.state_frac);
                    let v = mlgru::output_gate(g, self.side[k], silu);
                    outcome.sums.add(v, g, z(v));
                    at.mix[k] = v;
                    v
                }
                Opcode::Glu => {
                    let (gate, up) = (narrow(0), narrow(1));
                    let p = glu::product(sigmoid, gate, up, self.frac);
                    outcome.sums.add(p, 0, z(p));
                    at.product[k] = p;
                    p
                }
                Opcode::MixO | Opcode::Down => {
                    let wide = i64::from(at.residual[k]) + self.rescale.apply(acc(0));
                    let x = saturate(wide, 32) as i32;
                    outcome.clamps += u64::from(i64::from(x) != wide);
                    outcome.sums.add(gain::apply(x, self.side[k]), x, z(x));
                    at.residual[k] = x;
                    x
                }
                Opcode::Head => acc(0),
                Opcode::Start => unreachable!(),
            };
            outcome.shown.push(shown);
        }
        outcome
    }

    /// Its accumulators in groups of five, padded with anything.
    fn groups(&self, rng: &mut Rng) -> Vec<sterna_rtl::Bits> {
        let all = self.accumulators.iter().flat_map(|part| part.chunks(5));
        all.map(|group| {
            let mut five = group.to_vec();
            five.resize_with(5, || signed(rng, 22));
            lanes(22, five)
        })
        .collect()
    }

    /// Which halves of the operand memories its operands lie in: side, then gains.
    fn halves(&self) -> (u64, u64) {
        match self.walk.opcode {
            Opcode::MixF => (1, 0),
            Opcode::MixG => (0, 1),
            Opcode::MixO => (1, 0),
            Opcode::Glu => (0, 1),
            _ => (0, 0),
        }
    }

    fn gathers(&self) -> bool {
        matches!(self.walk.opcode, Opcode::MixG | Opcode::MixO | Opcode::Glu | Opcode::Down)
    }
}

/// A vector memory of the epilogue: its answers, and what is written to it.
const MEMORIES: [(&str, u32); 4] = [("residual", 32), ("mix", 32), ("product", 32), ("state", 24)];

struct Bench {
    sim: Interpreter,
    rng: Rng,
    ways: usize,
    shape: Shape,
    memories: [Vec<i32>; 4],
    answers: [Answers; 4],
    side: Answers,
    gains: [Answers; 3],
}

impl Bench {
    fn new(bus: u32, ways: u32, shape: Shape) -> Bench {
        let unit = Epilogue { geometry: geometry(bus, ways, &shape) };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(seed());
        // Anything but zero, so that what is never written shows.
        let mut memory = |length: usize, bits: u32| -> Vec<i32> {
            (0..length).map(|_| (signed(&mut rng, bits) as i32) | 1).collect()
        };
        let memories = [
            memory(shape.hidden, 32),
            memory(shape.inner, 32),
            memory(shape.intermediate, 32),
            memory(shape.state(), 24),
        ];
        Bench {
            sim,
            ways: ways as usize,
            shape,
            memories,
            answers: MEMORIES.map(|(name, width)| Answers::new(name, width * ways)),
            side: Answers::new("side", 16 * ways),
            gains: ["gain_0", "gain_1", "gain_2"].map(|name| Answers::new(name, 16 * ways)),
            rng,
        }
    }

    /// A pass over all layers and the head; returns its clocks.
    fn pass(&mut self, fresh: bool, idle: u64) -> u64 {
        let shape = self.shape;
        let mut at = Vectors {
            residual: self.memories[0].clone(),
            mix: self.memories[1].clone(),
            product: self.memories[2].clone(),
            state: self.memories[3].clone(),
        };
        self.sim.poke("fresh", fresh);
        self.sim.poke("inner", shape.inner);
        pulse(&mut self.sim, "begins");
        let start = self.sim.cycle();
        let mut state_frac = 0;
        for walk in instructions(&shape).into_iter().skip(1) {
            if walk.opcode == Opcode::MixI {
                state_frac = self.rng.below(21) as i32;
            }
            let operation = Operation::random(&mut self.rng, walk, &shape, state_frac);
            let outcome = operation.golden(&mut at, fresh);
            self.run(&operation, &outcome, idle);
            let want = [&at.residual, &at.mix, &at.product, &at.state];
            for (n, (name, _)) in MEMORIES.into_iter().enumerate() {
                // The product memory holds the gate's silu in between, but not in the end.
                assert_eq!(&self.memories[n], want[n], "{name} after {walk:?}");
            }
        }
        self.sim.cycle() - start
    }

    fn run(&mut self, operation: &Operation, outcome: &Outcome, idle: u64) {
        let Bench { sim, rng, ways, shape, memories, answers, side, gains } = self;
        let v = *ways;
        let opcode = operation.walk.opcode;
        let name = opcode.name();
        let base = operation.walk.layer * shape.inner;
        let mut source = Source::new(110, operation.groups(rng), idle);
        let mut offered = false;
        let (mut shown, mut clamps, mut ended) = (vec![], 0, 0);
        let (mut taken, mut maxima, mut sums) = (false, 0, 0);
        let mut head: VecDeque<(i64, u64)> =
            outcome.shown.iter().map(|&acc| acc.into()).zip(0..).collect();
        // A few clocks more than the instruction, for what comes late.
        let mut left = 4;
        let mut head_ready = false;
        let start = sim.cycle();
        while left > 0 {
            let cycle = sim.cycle() - start;
            assert!(cycle < 4000 + 100 * idle, "{name} is stuck");
            offered = !taken && (offered || ready(rng, idle));
            sim.poke("in_valid", offered);
            let fields: [(&str, u32, u64); 7] = [
                ("in_opcode", 4, opcode as u64),
                ("in_rows", 21, operation.walk.dimensions.0 as u64),
                ("in_frac", 5, operation.frac as u64),
                ("in_state_frac", 5, operation.state_frac as u64),
                ("in_last_layer", 1, operation.last_layer.into()),
                ("factor", 17, operation.rescale.mant().into()),
                ("shift", 6, operation.rescale.shift().into()),
            ];
            for (name, width, value) in fields {
                sim.poke(name, if offered { value } else { rng.below(1 << width) });
            }
            let head_was_ready = std::mem::replace(&mut head_ready, ready(rng, idle));
            sim.poke("head_ready", head_ready);
            source.offer(sim, rng, "group");
            for answers in answers.iter_mut().chain([&mut *side]).chain(gains.iter_mut()) {
                answers.give(sim, rng);
            }
            source.taken(sim, "group");
            if offered && sim.u64("in_ready") == 1 {
                (taken, offered) = (true, false);
            }

            // Reads come before the writes of the same clock.
            for (n, (name, width)) in MEMORIES.into_iter().enumerate() {
                let word = (sim.u64(&format!("{name}_read")) == 1).then(|| {
                    let at = sim.u64(&format!("{name}_read_at")) as usize * v;
                    let at = if n == 3 { at + sim.u64("state_base") as usize * v } else { at };
                    lanes(width, memories[n][at..at + v].iter().map(|&x| x.into()))
                });
                answers[n].ask(word);
            }
            let (side_half, gain_half) = operation.halves();
            let word = (sim.u64("side_read") == 1).then(|| {
                assert_eq!(sim.u64("side_second"), side_half, "{name}");
                let at = sim.u64("side_read_at") as usize * v;
                lanes(16, operation.side[at..at + v].iter().map(|&x| x.into()))
            });
            side.ask(word);
            let read = sim.u64("gain_read") == 1;
            if read {
                assert_eq!(sim.u64("gain_second"), gain_half, "{name}");
                assert_eq!(sim.u64("gain_all") == 1, opcode == Opcode::Down, "{name}");
            }
            for (j, answers) in gains.iter_mut().enumerate() {
                let at = sim.u64("gain_read_at") as usize * v;
                let gains = operation.gains.get(j).filter(|_| read);
                answers.ask(gains.map(|g| lanes(16, g[at..at + v].iter().map(|&x| x.into()))));
            }
            for (n, (name, width)) in MEMORIES.into_iter().enumerate() {
                if sim.u64(&format!("{name}_write")) == 0 {
                    continue;
                }
                let at = sim.u64(&format!("{name}_write_at")) as usize * v;
                let at = if n == 3 { at + sim.u64("state_base") as usize * v } else { at };
                let word = signed_lanes(width, &sim.peek(&format!("{name}_data")));
                for (to, x) in memories[n][at..at + v].iter_mut().zip(word) {
                    *to = x as i32;
                }
            }

            clamps += sim.u64("clamps");
            if sim.u64("shown_valid") == 1 {
                shown.extend(signed_lanes(32, &sim.peek("shown")).iter().map(|&x| x as i32));
            }
            if sim.u64("head_valid") == 1 {
                assert!(head_was_ready && opcode == Opcode::Head);
                let got = (sim.i64("head_acc"), sim.u64("head_token"));
                assert_eq!(Some(got), head.pop_front());
                assert_eq!(sim.u64("head_last") == 1, head.is_empty());
            }
            let max = [0, 1, 2].map(|j| sim.u64(&format!("max_{j}")) as u32);
            if sim.u64("max_valid") == 1 {
                assert_eq!(max, outcome.sums.max, "maxima of {name}");
                maxima += 1;
            }
            if sim.u64("gather") == 1 {
                let got = ["a", "b"].map(|name| sim.peek(name).to_u128());
                assert_eq!(got, [outcome.sums.a, outcome.sums.b], "sums of {name}");
                assert_eq!(max, outcome.sums.max, "they stay");
                sums += 1;
            }
            if sim.u64("ended") == 1 {
                let last = opcode == Opcode::Down && operation.last_layer;
                assert_eq!(sim.u64("ended_last") == 1, last);
                ended += 1;
                if opcode == Opcode::MixF || opcode == Opcode::MixG {
                    assert_eq!(sim.u64("state_base") as usize * v, base, "{name}");
                }
            }
            left -= u64::from(ended > 0);
            sim.step();
        }
        assert_eq!(ended, 1, "{name}");
        assert_eq!((maxima, sums), if operation.gathers() { (1, 1) } else { (0, 0) }, "{name}");
        assert_eq!(clamps, outcome.clamps, "clamps of {name}");
        if opcode == Opcode::Head {
            assert!(head.is_empty() && shown.is_empty());
        } else {
            assert_eq!(shown, outcome.shown, "{name}");
        }
    }
}

const SHAPE: Shape = Shape { hidden: 32, inner: 64, intermediate: 96, layers: 2, vocab: 17 };

#[test]
fn passes() {
    for (bus, ways) in [(64, 1), (64, 2), (128, 4), (256, 8)] {
        let mut bench = Bench::new(bus, ways, SHAPE);
        for (turn, fresh) in [(0, true), (1, false), (2, true), (3, false)] {
            let clocks = bench.pass(fresh, [0, 2, 3, 30][turn]);
            if turn == 0 {
                // Elements of all instructions, and the pipeline of each.
                let elements = 2 * (3 * 64 + 2 * 32 + 2 * 96) as u64;
                let bound = elements / u64::from(ways.min(5)) + 17 + 13 * 60;
                assert!(clocks < bound, "{clocks} clocks, {ways} ways, {bound}");
            }
        }
    }
    let design = Epilogue { geometry: geometry(64, 1, &SHAPE) }.build().unwrap();
    insta::assert_snapshot!("epilogue", design.file("epilogue").unwrap());
}

/// None of a HEAD's first rows is its last one, whichever bits their number has.
#[test]
fn a_head_of_many_rows() {
    let Bench { mut sim, mut rng, .. } = Bench::new(64, 2, SHAPE);
    for rows in (5..20).map(|bit| (1 << bit) + 1) {
        sim.reset();
        pulse(&mut sim, "begins");
        sim.poke("in_opcode", Opcode::Head as u8);
        sim.poke("in_rows", rows);
        pulse(&mut sim, "in_valid");
        sim.poke("head_ready", 1);
        sim.poke("group_valid", 1);
        let mut came = 0;
        for _ in 0..30 {
            sim.poke("group_data", rng.bits(110));
            came += sim.u64("head_valid");
            assert_eq!(sim.u64("head_last"), 0, "{came} of {rows}");
            sim.step();
        }
        assert!(came > 10, "{came} of {rows}");
    }
}
