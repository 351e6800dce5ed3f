//! Whole small images through the front end: everything at its place, in order, under stalls.

mod common;

use std::collections::VecDeque;

use common::parts::{Source, beats, geometry, model, ready};
use common::seed;
use sterna_firmware::image::{Image, Segment};
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::{FrontEnd, READ};
use sterna_hdl::fault::Fault;
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

/// Row groups that may wait for the epilogue.
const GROUPS: usize = 8;

/// Memory and half of each operand vector: 0 has what the first gain multiplies, 1 and 2 the gains
/// of f and g, 3 what stands beside them; a vector never lies where the one before it is in use.
fn place(opcode: Opcode, n: usize) -> (usize, bool) {
    match opcode {
        Opcode::Start => (n, false),
        Opcode::MixF => (3, true),
        Opcode::MixG => [(3, false), (0, true)][n],
        Opcode::MixO => [(3, true), (0, false)][n],
        Opcode::Glu => (0, true),
        Opcode::Down => [(3, false), (0, false), (1, false), (2, false)][n],
        Opcode::MixI | Opcode::Head => unreachable!("they bring nothing"),
    }
}

/// A beat for an operand memory.
type Operand = (usize, bool, u64, Bits);

/// What an instruction says on its way to `issue`: the ports of the same names.
const ISSUE: [&str; 8] = [
    "issue_opcode",
    "issue_rows",
    "issue_frac",
    "issue_state_frac",
    "issue_last_layer",
    "outer",
    "floor",
    "rescale",
];

/// A beat of weights.
#[derive(Clone, Debug, PartialEq)]
struct Weights {
    beat: Bits,
    at: u64,
    first: bool,
    last: bool,
    /// Number of its matrix in the pass, which names the buffer of codes.
    matrix: usize,
    /// The matrix ends.
    ends: bool,
}

/// What is still to come out.
#[derive(Default)]
struct Due {
    issue: VecDeque<[u64; 8]>,
    operands: VecDeque<Operand>,
    weights: VecDeque<Weights>,
}

impl Due {
    /// All that a segment gives, its payload being `bytes`.
    fn segment(&mut self, bus: u32, shape: &Shape, segment: &Segment, payload: &[u8]) {
        let walk = &segment.instruction;
        let per_unit = bus as usize / 8;
        for n in 0..walk.operands.0 {
            let vector = &payload[n * walk.operand_bytes()..][..walk.operand_bytes()];
            let (memory, second) = place(walk.opcode, n);
            let all = beats(bus, vector).into_iter().zip(0..);
            self.operands.extend(all.map(|(beat, at)| (memory, second, at, beat)));
        }
        let Some(matrix) = segment.matrix() else { return };
        self.issue.push_back([
            matrix.opcode as u64,
            u64::from(matrix.rows),
            matrix.frac as u64,
            matrix.state_frac as u64,
            u64::from(walk.layer + 1 == shape.layers),
            u64::from(matrix.norm.outer.pack()),
            u64::from(matrix.norm.floor.pack()),
            u64::from(matrix.norm.rescale.pack()),
        ]);
        let weights = beats(bus, &payload[walk.operands_bytes()..]);
        let a_group = walk.dimensions.1.next_multiple_of(64) / per_unit;
        let count = weights.len();
        self.weights.extend(weights.into_iter().enumerate().map(|(n, beat)| Weights {
            beat,
            at: (n % a_group) as u64,
            first: n % a_group == 0,
            last: n % a_group + 1 == a_group,
            matrix: walk.sequence - 1,
            ends: n + 1 == count,
        }));
    }

    fn of(bus: u32, image: &Image<'_>, no_head: bool) -> Due {
        let mut due = Due::default();
        let segments = &image.segments()[..image.segments().len() - usize::from(no_head)];
        for segment in segments {
            let walk = &segment.instruction;
            let payload = &image.bytes()[walk.payload_offset()..walk.end()];
            due.segment(bus, &image.start().shape, segment, payload);
        }
        due
    }

    fn is_empty(&self) -> bool {
        self.issue.is_empty() && self.operands.is_empty() && self.weights.is_empty()
    }
}

/// How a pass ended.
#[derive(Debug, PartialEq)]
enum End {
    /// `pass_ok`, and so many beats of the stream were left.
    Sound(usize),
    /// With this code, at this segment.
    Fault(Option<Fault>, u64),
}

struct Bench {
    sim: Interpreter,
    rng: Rng,
    bus: u32,
    /// Everything pauses once in so many clocks.
    idle: u64,
}

impl Bench {
    fn new(bus: u32, shape: &Shape, idle: u64) -> Bench {
        let unit = FrontEnd { geometry: geometry(bus, 1, shape) };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        Bench { sim, rng: Rng::new(seed()), bus, idle }
    }

    /// Streams bytes as one pass; everything that comes out has to be what is due.
    fn pass(&mut self, bytes: &[u8], image: &Image<'_>, no_head: bool, mut due: Due) -> End {
        let Bench { sim, rng, bus, idle } = self;
        let shape = image.start().shape;
        let mut source = Source::new(*bus, beats(*bus, bytes), *idle);
        // Weights arrive where their codes do.
        let mut on_the_way: VecDeque<Option<Weights>> = vec![None; READ].into();
        let (mut issued, mut waiting, mut complete, mut loaded) = (0, 0, 0, 0);
        // Beats of codes of the matrix at hand that are there, and that were met.
        let (mut codes, mut met) = (0u64, 0u64);
        sim.poke("no_head", no_head);
        sim.poke("image_units", bytes.len() / UNIT);
        sim.poke("row_units", shape.row_stride() / UNIT);
        sim.poke("begins", 1);
        sim.poke("s_valid", 0);
        sim.poke("group_taken", 0);
        sim.step();
        sim.poke("begins", 0);
        let start = sim.cycle();
        loop {
            let cycle = sim.cycle() - start;
            assert!(cycle < 2000 + 20 * bytes.len() as u64, "the front end is stuck");
            // Groups leave, the next instruction goes on.
            let group_taken = complete > 0 && ready(rng, *idle);
            sim.poke("group_taken", group_taken);
            let take = ready(rng, *idle);
            sim.poke("issue_ready", take);
            source.offer(sim, rng, "s");
            source.taken(sim, "s");
            assert_eq!(sim.u64("want"), sim.u64("s_ready"));

            if take && sim.u64("issue_valid") == 1 {
                let got = ISSUE.map(|name| sim.u64(name));
                assert_eq!(Some(got), due.issue.pop_front(), "issue, cycle {cycle}");
                issued += 1;
            }
            let writes = sim.u64("operand_write");
            assert!(writes.count_ones() <= 1, "one vector at a time");
            if writes != 0 {
                let memory = writes.trailing_zeros() as usize;
                let second = sim.u64("operand_second") >> memory & 1 == 1;
                let got = (memory, second, sim.u64("operand_at"), sim.peek("operand_data"));
                assert_eq!(Some(got), due.operands.pop_front(), "operand, cycle {cycle}");
            }
            loaded += sim.u64("start_loaded");

            if sim.u64("code_taken") == 1 {
                assert!(codes > met, "a code that is not there");
                met += 1;
            }
            let arrives = on_the_way.pop_front().flatten();
            assert_eq!(sim.u64("weights_valid") == 1, arrives.is_some(), "cycle {cycle}");
            if let Some(want) = arrives {
                assert_eq!(sim.peek("weights"), want.beat, "cycle {cycle}: {want:?}");
                assert_eq!(sim.u64("weights_last") == 1, want.last, "cycle {cycle}: {want:?}");
            }
            let read = sim.u64("code_read") == 1;
            let weights = read.then(|| due.weights.pop_front().expect("weights are due"));
            let release = weights.as_ref().is_some_and(|w| w.ends);
            assert_eq!(sim.u64("code_release") == 1, release, "cycle {cycle}");
            if let Some(weights) = &weights {
                assert_eq!(sim.u64("code_at"), weights.at);
                assert_eq!(sim.u64("code_from"), weights.matrix as u64 % 2);
                assert!(weights.at < codes, "a code that is not there");
                assert!(issued > weights.matrix, "its instruction has to be handed on before");
                waiting += usize::from(weights.first);
                complete += usize::from(weights.last);
            }
            on_the_way.push_back(weights);
            waiting -= usize::from(group_taken);
            complete -= usize::from(group_taken);
            assert!(waiting <= GROUPS, "{waiting} groups wait");

            let (fault, ok) = (sim.u64("fault") as u8, sim.u64("pass_ok") == 1);
            if fault != 0 {
                let segment = sim.u64("fault_segment");
                sim.step();
                return End::Fault(Fault::from_code(fault), segment);
            }
            if release {
                // The next vector's codes may be there already.
                codes = rng.below(9 * 64 / u64::from(*bus));
                met = 0;
            }
            // Codes of the matrix at hand become more.
            if ready(rng, *idle) && due.weights.front().is_some() {
                let columns = image.segments()[due.weights[0].matrix + 1].instruction.dimensions.1;
                codes = (codes + 1).min(columns.next_multiple_of(64) as u64 * 8 / u64::from(*bus));
            }
            sim.poke("code_there", codes > met);
            sim.step();
            if ok {
                assert_eq!(loaded, 1, "START's operands");
                self.rest(&mut source, &mut due, on_the_way, complete);
                self.check_shape(image);
                return End::Sound(source.words.len());
            }
        }
    }

    /// After a pass nothing is taken, and nothing comes but what is under way.
    fn rest(
        &mut self,
        source: &mut Source,
        due: &mut Due,
        under_way: VecDeque<Option<Weights>>,
        groups: usize,
    ) {
        let Bench { sim, rng, .. } = self;
        for (clock, late) in under_way.into_iter().chain(vec![None; 10]).enumerate() {
            sim.poke("group_taken", clock < groups);
            source.offer(sim, rng, "s");
            assert_eq!((sim.u64("s_ready"), sim.u64("want")), (0, 0), "the pass is over");
            assert_eq!(sim.u64("weights_valid") == 1, late.is_some());
            for silent in ["pass_ok", "fault", "issue_valid", "operand_write", "code_read"] {
                assert_eq!(sim.u64(silent), 0, "{silent}");
            }
            sim.step();
        }
        assert!(due.is_empty(), "something never came");
    }

    fn check_shape(&mut self, image: &Image<'_>) {
        let start = image.start();
        let Shape { hidden, inner, intermediate, layers, vocab } = start.shape;
        let names = ["hidden", "inner", "intermediate", "layers", "vocab"];
        let got = names.map(|name| self.sim.u64(name) as usize);
        assert_eq!(got, [hidden, inner, intermediate, layers, vocab]);
        assert_eq!(self.sim.u64("image_id_hi") << 32 | self.sim.u64("image_id_lo"), start.id);
    }

    /// A pass that is to end in a fault; the unit is reset, as the engine is after a fault.
    fn refused(&mut self, bytes: &[u8], image: &Image<'_>, due: Due) -> End {
        let end = self.pass(bytes, image, false, due);
        self.sim.reset();
        end
    }
}

fn narrow() -> SynthSpec {
    SynthSpec { intermediate: Some(96), ..SynthSpec::new(32, 2, 13) }
}

fn wide() -> SynthSpec {
    SynthSpec {
        intermediate: Some(32),
        expand: 2,
        lower_bounds: false,
        ..SynthSpec::new(64, 1, 45)
    }
}

#[test]
fn whole_images() {
    for (name, spec) in [("front_narrow", narrow()), ("front_wide", wide())] {
        let model = model(name, &spec);
        let image = model.image();
        let head = image.segments().last().unwrap().instruction;
        for bus in [64, 512] {
            let mut bench = Bench::new(bus, &model.shape(), 0);
            for (turn, no_head) in [(0, false), (1, true), (2, false), (3, false)] {
                bench.idle = [0, 2, 3, 8][turn];
                let due = Due::of(bus, &image, no_head);
                let end = bench.pass(image.bytes(), &image, no_head, due);
                let left = if no_head { (head.end() - head.offset) * 8 / bus as usize } else { 0 };
                assert_eq!(end, End::Sound(left), "{name}, {bus} bits, turn {turn}");
            }
        }
    }
    let model = model("front_snapshot", &narrow());
    let design = FrontEnd { geometry: geometry(64, 1, &model.shape()) }.build().unwrap();
    insta::assert_snapshot!("front_end", design.file("front_end").unwrap());
}

/// A head has any number of rows, and each of its row groups is read.
#[test]
fn heads_of_any_length() {
    for vocab in [2, 4, 5, 6, 9, 10, 11, 15, 16, 2061] {
        let spec = SynthSpec { layers: 1, vocab, ..narrow() };
        let model = model(&format!("front_head_{vocab}"), &spec);
        let image = model.image();
        let mut bench = Bench::new(512, &model.shape(), 0);
        let end = bench.pass(image.bytes(), &image, false, Due::of(512, &image, false));
        assert_eq!(end, End::Sound(0), "{vocab} tokens");
    }
}

/// Without stalls a pass takes its beats, and a few clocks for every header.
#[test]
fn nothing_else_stalls() {
    let model = model("front_speed", &wide());
    let image = model.image();
    let mut bench = Bench::new(64, &model.shape(), 0);
    let before = bench.sim.cycle();
    // Codes come a beat of columns a clock here, so a matrix waits for nothing but its first.
    bench.pass(image.bytes(), &image, false, Due::of(64, &image, false));
    let clocks = bench.sim.cycle() - before;
    let (beats, segments) = (image.bytes().len() as u64 / 8, image.segments().len() as u64);
    assert!(clocks < beats + 12 * segments + 24, "{clocks} clocks for {beats} beats");
}

/// A changed byte of any payload is found before the pass counts.
#[test]
fn damaged_payloads() {
    let model = model("front_damage", &SynthSpec { layers: 1, ..narrow() });
    let image = model.image();
    for bus in [64, 512] {
        let mut bench = Bench::new(bus, &model.shape(), 4);
        for segment in image.segments() {
            let walk = &segment.instruction;
            let length = walk.payload_bytes();
            let any = bench.rng.below(length as u64) as usize;
            for at in if bus == 64 { vec![any] } else { vec![0, any, length - 1] } {
                let mut bytes = image.bytes().to_vec();
                bytes[walk.payload_offset() + at] ^= 1 << bench.rng.below(8);
                // What is read before the checksum is the damaged data.
                let mut due = Due::default();
                for other in image.segments() {
                    let walk = &other.instruction;
                    let payload = &bytes[walk.payload_offset()..walk.end()];
                    due.segment(bus, &image.start().shape, other, payload);
                }
                let end = bench.refused(&bytes, &image, due);
                let want = End::Fault(Some(Fault::PayloadCrc), walk.sequence as u64);
                assert_eq!(end, want, "byte {at} of {length}, {bus} bits");
            }
        }
        let end = bench.pass(image.bytes(), &image, false, Due::of(bus, &image, false));
        assert_eq!(end, End::Sound(0), "as if nothing had been");
    }
}

/// A segment's header, with a word changed and the checksum made again.
fn rewritten(image: &Image<'_>, segment: &Segment, n: usize, word: impl Fn(u32) -> u32) -> Vec<u8> {
    let mut bytes = image.bytes().to_vec();
    let header = &mut bytes[segment.instruction.offset..][..UNIT];
    let old = u32::from_le_bytes(header[4 * n..4 * n + 4].try_into().unwrap());
    header[4 * n..4 * n + 4].copy_from_slice(&word(old).to_le_bytes());
    let crc = crc32c::crc32c(&header[..UNIT - 4]);
    header[UNIT - 4..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// A length that is not that of the payload, a wrong checksum, a header out of its place.
#[test]
fn wrong_headers() {
    let model = model("front_headers", &SynthSpec { layers: 1, ..narrow() });
    let image = model.image();
    let mut bench = Bench::new(64, &model.shape(), 3);
    for (n, segment) in image.segments().iter().enumerate() {
        let at = |fault| End::Fault(Some(fault), n as u64);
        let operands = (segment.instruction.operands_bytes() / UNIT) as u32;
        let mut lengths = vec![segment.header.payload_units + 1, u32::MAX];
        lengths.extend(segment.header.payload_units.checked_sub(1));
        lengths.extend([operands, operands.wrapping_sub(1)]);
        for length in lengths {
            if length == segment.header.payload_units {
                continue;
            }
            let bytes = rewritten(&image, segment, 2, |_| length);
            let end = bench.refused(&bytes, &image, Due::of(64, &image, false));
            assert_eq!(end, at(Fault::Field), "{length} units in segment {n}");
        }
        let bytes = rewritten(&image, segment, 3, |crc| crc ^ 1 << 31);
        let end = bench.refused(&bytes, &image, Due::of(64, &image, false));
        assert_eq!(end, at(Fault::PayloadCrc), "the header says another checksum");

        let mut bytes = image.bytes().to_vec();
        bytes[segment.instruction.offset + bench.rng.below(64) as usize] ^= 0x10;
        let end = bench.refused(&bytes, &image, Due::of(64, &image, false));
        assert_eq!(end, at(Fault::HeaderCrc));

        // The segment is left out.
        let mut bytes = image.bytes().to_vec();
        bytes.drain(segment.instruction.offset..segment.instruction.end());
        bytes.extend(vec![0; segment.instruction.end() - segment.instruction.offset]);
        let end = bench.refused(&bytes, &image, Due::of(64, &image, false));
        let missing =
            if n + 1 == image.segments().len() { Fault::HeaderCrc } else { Fault::Opcode };
        assert_eq!(end, at(missing), "segment {n} is missing");
    }
    // An image that the registers do not expect.
    let longer = rewritten(&image, &image.segments()[0], 10, |units| units + 1);
    let end = bench.refused(&longer, &image, Due::of(64, &image, false));
    assert_eq!(end, End::Fault(Some(Fault::Field), 0));
}
