//! Sizes that no model here has: shapes up to the largest, lengths and counts of every bit. What takes
//! longer than a simulation has time for is begun, found sound so far, and ended by a reset.

use std::ops::ControlFlow;

use sterna_firmware::device::{Device, Head, Want};
use sterna_firmware::isa::{Opcode, UNIT, instructions};
use sterna_firmware::shape::Shape;
use sterna_hdl::fault::Fault;
use sterna_hdl::record::{self, Record};
use sterna_hdl::registers::{self as regs, Reg, command, mode as modes, status};
use sterna_model::config::{MAX_LAYERS, MAX_VOCAB};
use sterna_model::numerics::Scale;
use sterna_model::numerics::formats::COLUMNS_MAX;
use sterna_rtl::random::Rng;
use sterna_sim::memory::Injection;

use crate::common::bench::{Bench, TOKEN, numbers};
use crate::made::{self, Made};

/// What is done, and how it is called.
type Attack = fn(&mut Bench, &mut Rng);

pub const ALL: [(&str, Attack); 8] = [
    ("the widest residual streams", widest),
    ("the largest vocabulary", vocabulary),
    ("faults behind many layers", layers),
    ("beginnings of any shape", beginnings),
    ("lengths of payloads", payloads),
    ("lengths of images", images),
    ("lengths of states, numbers of passes", states_and_passes),
    ("a long silence", silence),
];

/// Where an image and rows lie that are not the model's.
const IMAGE: u64 = 1 << 32;
const ROWS: u64 = 1 << 34;
/// The least that a model may be.
const SMALL: Shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 1, vocab: 5 };
/// Passes of a long run.
const MANY_PASSES: usize = 257;

/// Patterns in pairs: a bit is set in the one, and not in the other.
fn patterns(rng: &mut Rng) -> [u64; 4] {
    let (a, b) = (rng.next_u64(), rng.next_u64());
    [a, !a, b, !b]
}

fn address(bench: &mut Bench, regs: [&Reg; 2], address: u64) {
    bench.set(regs[0], address as u32);
    bench.set(regs[1], (address >> 32) as u32);
}

/// Has an image run with a token for each slot, whose rows are there.
fn run(bench: &mut Bench, rng: &mut Rng, shape: &Shape, image: &[u8], tokens: &[u32]) {
    assert!(bench.memory().write(IMAGE, image));
    for &token in tokens {
        let at = ROWS + u64::from(token) * shape.row_stride() as u64;
        let max = [rng.next_u64(), rng.next_u64(), rng.next_u64()].map(|max| max as u32);
        assert!(bench.memory().write(at, &made::row(shape, token, max)));
    }
    address(bench, [&regs::IMAGE_LO, &regs::IMAGE_HI], IMAGE);
    address(bench, [&regs::EMBED_LO, &regs::EMBED_HI], ROWS);
    bench.set(&regs::IMAGE_UNITS, made::units(shape));
    bench.set(&regs::ROW_UNITS, (shape.row_stride() / UNIT) as u32);
    bench.set(&regs::SLOT_MASK, (1 << tokens.len()) - 1);
    bench.set(&regs::WATCHDOG, 0);
    bench.obeys(command::CLEAR, 0, 1);
    for (reg, &token) in regs::TOKENS.iter().zip(tokens) {
        bench.set(reg, token);
    }
    bench.set(&regs::MODE, modes::LOGITS);
    bench.set(&regs::COMMAND, command::RUN);
}

/// Ends whatever runs.
fn end(bench: &mut Bench) {
    Device::reset(&mut bench.card).unwrap();
    bench.golden.clear(0).unwrap();
}

/// An image of a shape, with a random name and scale.
fn made(rng: &mut Rng, shape: Shape, best: usize, worst: usize, negative: bool) -> Made {
    let scale =
        Scale::from_f64(10f64.powi(rng.below(60) as i32 - 30) * (1 + rng.below(1 << 24)) as f64)
            .unwrap();
    Made { shape, id: rng.next_u64(), best, worst, negative, scale }
}

/// A pass of an image says what it should, of every slot.
fn pass(bench: &mut Bench, rng: &mut Rng, made: &Made) {
    let (slots, top_k) = (bench.card.geometry().slots, bench.card.geometry().top_k);
    let tokens: Vec<u32> = (0..slots).map(|_| rng.below(made.shape.vocab as u64) as u32).collect();
    bench.blank();
    run(bench, rng, &made.shape, &made::image(made), &tokens);
    while bench.get(&regs::STATUS) & status::BUSY != 0 {
        bench.steps(1000);
    }
    assert_eq!(bench.get(&regs::STATUS), status::DONE | status::STATE_VALID);
    assert_eq!(bench.get(&regs::TOKENS_DONE), 1);
    let id = [&regs::IMAGE_ID_LO, &regs::IMAGE_ID_HI].map(|reg| u64::from(bench.get(reg)));
    assert_eq!(id[0] | id[1] << 32, made.id);
    for slot in 0..slots {
        assert_eq!(bench.get(&regs::LAST_TOKENS[slot as usize]), made.best as u32);
        let stride = record::stride(top_k);
        let at = bench.card.map().results + u64::from(slot) * stride as u64;
        let record = Record::decode(&bench.bytes(at, stride)).unwrap();
        assert_eq!((record.index, record.image_id), (0, made.id));
        assert_eq!(record.top, made.top(top_k as usize));
    }
    let mut logits = vec![0; made.shape.vocab];
    made.top(made.shape.vocab).iter().for_each(|&(token, acc)| logits[token as usize] = acc);
    let at = bench.card.map().logits;
    assert!(numbers(&bench.bytes(at, 4 * logits.len())) == logits, "logits of {:?}", made.shape);
    end(bench);
}

/// The residual stream at its widest, and with all lower bits of its width; fewer tokens than there
/// are candidates.
fn widest(bench: &mut Bench, rng: &mut Rng) {
    for (hidden, vocab, negative) in [(COLUMNS_MAX, 40, false), (COLUMNS_MAX - 32, 5, true)] {
        let shape = Shape { hidden, vocab, ..SMALL };
        let made = made(rng, shape, vocab - 2, vocab - 4, negative);
        pass(bench, rng, &made);
    }
    bench.works();
}

/// The largest vocabulary: of the bits of the best token each is set once, and once not.
fn vocabulary(bench: &mut Bench, rng: &mut Rng) {
    let vocab = MAX_VOCAB as usize;
    // Not the last two, of which the second has none.
    let best = 4 + rng.below(MAX_VOCAB - 8) as usize;
    for (best, vocab) in [(best, vocab), (!best % vocab, vocab - 2)] {
        let made = made(rng, Shape { vocab, ..SMALL }, best, best ^ 1, false);
        pass(bench, rng, &made);
    }
    bench.works();
}

/// Faults far behind, in the most layers: they are told where they are.
fn layers(bench: &mut Bench, rng: &mut Rng) {
    let shape = Shape { layers: MAX_LAYERS as usize, ..SMALL };
    let walk = instructions(&shape);
    let made = made(rng, shape, 0, 1, false);
    for segment in [walk.len() - 1, 1022] {
        let mut image = made::image(&made);
        image[walk[segment].offset + 8] ^= 1;
        run(bench, rng, &shape, &image, &vec![0; bench.card.geometry().slots as usize]);
        while bench.get(&regs::STATUS) & status::BUSY != 0 {
            bench.steps(1000);
        }
        bench.stopped(&[Fault::HeaderCrc], Some(segment));
        assert_eq!(bench.get(&regs::TOKENS_DONE), 0);
        end(bench);
    }
    bench.works();
}

/// A shape of which every bit may be set.
fn shape(bench: &Bench, rng: &mut Rng) -> Shape {
    let core = bench.card.geometry();
    let mut width = |most: usize| 32 * (1 + rng.below(most as u64 / 32) as usize);
    let (hidden, inner, intermediate) =
        (width(core.hidden), width(core.inner), width(core.intermediate));
    let layers = (core.state / inner).min(MAX_LAYERS as usize);
    Shape {
        hidden,
        inner,
        intermediate,
        layers: 1 + rng.below(layers as u64) as usize,
        vocab: 2 + rng.below(MAX_VOCAB - 1) as usize,
    }
}

/// The header of an image of any shape is accepted, START's operands and the next header are, too, and
/// weights are taken behind them.
fn beginnings(bench: &mut Bench, rng: &mut Rng) {
    let slots = bench.card.geometry().slots;
    for n in 0..16 {
        let (inner, intermediate) = (COLUMNS_MAX, COLUMNS_MAX);
        let most = Shape { inner, intermediate, vocab: MAX_VOCAB as usize, ..SMALL };
        let shape = match n {
            0 => most,
            1 => Shape { inner: 32, layers: MAX_LAYERS as usize, ..most },
            _ => shape(bench, rng),
        };
        let tokens: Vec<u32> = (0..slots).map(|_| rng.below(shape.vocab as u64) as u32).collect();
        let (beginning, length) = made::beginning(&made(rng, shape, 0, 1, false));
        run(bench, rng, &shape, &beginning, &tokens);
        let beats = (8 * length / bench.card.geometry().bus as usize) as u32;
        let begin = bench.card.transport().clocks();
        // Fewer than the smallest matrix has.
        while bench.get(&regs::BEATS_LO) < beats + 8 {
            bench.steps(8);
            assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID, "{shape:?}");
            assert!(bench.card.transport().clocks() - begin < 1 << 17, "{shape:?} stands still");
        }
        end(bench);
    }
    bench.works();
}

/// A payload is as long as its header says, or the segment is refused.
fn payloads(bench: &mut Bench, rng: &mut Rng) {
    bench.mend();
    let walk = instructions(&bench.model.shape());
    for (n, pattern) in patterns(rng).into_iter().chain(patterns(rng)).enumerate() {
        let of = walk[n % walk.len()];
        bench.header(&of, |words| words[2] = (pattern as u32).max(words[2] + 1));
        bench.refused(&[Fault::Field], Some(of.sequence));
    }
    bench.works();
}

/// More of an image than a pass reads: it is refused at its end.
fn images(bench: &mut Bench, rng: &mut Rng) {
    bench.mend();
    let start = bench.segment(Opcode::Start);
    for pattern in patterns(rng) {
        let units = bench.get(&regs::IMAGE_UNITS);
        let more = (pattern as u32).max(units + 1);
        bench.header(&start, |words| words[10] = more);
        bench.command(command::CLEAR);
        bench.set(&regs::IMAGE_UNITS, more);
        bench.begin_run(1);
        bench.settled();
        bench.stopped(&[Fault::Command], None);
        end(bench);
        bench.mend();
    }
    bench.works();
}

/// States of any length are moved, runs of any number of passes begun.
fn states_and_passes(bench: &mut Bench, rng: &mut Rng) {
    let most = bench.card.geometry().state as u32 / 16;
    for (n, pattern) in patterns(rng).into_iter().enumerate() {
        for command in [command::SAVE, command::LOAD] {
            // The first goes on for long.
            let units = (pattern as u32 & 0x7_ffff).clamp(512, most);
            let (units, clocks) = if n == 0 { (most, 1 << 18) } else { (units, 3000) };
            bench.command(command::CLEAR);
            address(bench, [&regs::STATE_LO, &regs::STATE_HI], ROWS);
            bench.set(&regs::STATE_UNITS, units);
            bench.set(&regs::COMMAND, command);
            bench.steps(clocks);
            assert_eq!(bench.get(&regs::STATUS) & !status::STATE_VALID, status::BUSY);
            end(bench);
        }
        bench.mend();
        bench.command(command::CLEAR);
        regs::STOPS.iter().for_each(|stop| bench.set(stop, 0));
        bench.begin_run((pattern as u32 & 0xffff).max(4));
        while bench.get(&regs::TOKENS_DONE) < 2 {
            bench.steps(500);
            assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID);
        }
        end(bench);
    }
    bench.mend();
    // More than a byte counts.
    let mut last = TOKEN;
    let mut keep = |head: Head| {
        last = head.top[0].token;
        ControlFlow::Continue(())
    };
    bench.golden.generate(0, TOKEN, MANY_PASSES, &[], &mut keep).unwrap();
    bench.command(command::CLEAR);
    address(bench, [&regs::RESULT_LO, &regs::RESULT_HI], ROWS);
    bench.set(&regs::COUNT, MANY_PASSES as u32);
    bench.set(&regs::COMMAND, command::RUN);
    while bench.get(&regs::STATUS) & status::BUSY != 0 {
        bench.steps(1000);
    }
    assert_eq!(bench.get(&regs::TOKENS_DONE), MANY_PASSES as u32);
    assert_eq!(bench.get(&regs::LAST_TOKEN), last);
    end(bench);
    bench.works();
}

/// 2¹⁸ clocks without a beat, and no watchdog.
fn silence(bench: &mut Bench, _: &mut Rng) {
    bench.mend();
    let map = bench.card.map().clone();
    bench.memory().inject(Injection::Silence(map.image..map.image + 1));
    bench.command(command::CLEAR);
    bench.set(&regs::WATCHDOG, 0);
    bench.begin_run(1);
    bench.steps(1 << 18);
    assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID);
    bench.memory().heal();
    assert_eq!(bench.settled(), status::DONE | status::STATE_VALID);
    bench.golden.clear(0).unwrap();
    bench.entered();
    bench.works();
    bench.right(Want::Top);
}
