//! Headers against the rules of docs/image-format.md, by way of the firmware's own decoder.

mod common;

use common::parts::{beats, geometry};
use common::{seed, signed};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::header::Body;
use sterna_firmware::isa::{Header, ISA_VERSION, Matrix, Opcode, Start, UNIT, instructions};
use sterna_firmware::shape::Shape;
use sterna_hdl::core::HeaderCheck;
use sterna_hdl::fault::Fault;
use sterna_model::numerics::formats::PREACTIVATION_FRAC_MAX;
use sterna_model::numerics::{NormConstants, Scale};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

const SHAPE: Shape = Shape { hidden: 96, inner: 64, intermediate: 128, layers: 3, vocab: 1000 };
const ID: u64 = 0x0123_4567_89ab_cdef;

/// What the front end tells about the place of a header, and the registers.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The shape of the pass; of no account for `START`.
    shape: Shape,
    segment: usize,
    no_head: bool,
    image_units: u32,
    row_units: u32,
}

impl Place {
    fn of(shape: Shape, segment: usize) -> Place {
        Place {
            shape,
            segment,
            no_head: false,
            image_units: image_units(&shape),
            row_units: (shape.row_stride() / UNIT) as u32,
        }
    }

    fn opcode(&self) -> Opcode {
        if self.segment == 0 { Opcode::Start } else { self.walk().opcode }
    }

    fn walk(&self) -> sterna_firmware::isa::Instruction {
        instructions(&self.shape)[self.segment]
    }
}

fn image_units(shape: &Shape) -> u32 {
    let walk = instructions(shape);
    (walk[walk.len() - 1].end() / UNIT) as u32
}

fn scale(rng: &mut Rng) -> Scale {
    let word = rng.next_u64() as u32;
    if rng.one_in(8) { Scale::ZERO } else { Scale::unpack(word | 1 << 23).unwrap() }
}

/// The sound header of a segment.
fn header(rng: &mut Rng, shape: &Shape, segment: usize) -> Header {
    let instruction = instructions(shape)[segment];
    let frac = |rng: &mut Rng| rng.below(21) as i8;
    let body = match instruction.opcode {
        Opcode::Start => Body::Start(Start {
            shape: *shape,
            channel: 0,
            channels: 1,
            residual_frac: signed(rng, 8) as i8,
            segments: instructions(shape).len() as u32,
            image_units: image_units(shape),
            id: ID,
            row_stride: shape.row_stride() as u32,
        }),
        opcode => Body::Matrix(Matrix {
            opcode,
            layer: instruction.layer as u16,
            rows: instruction.dimensions.0 as u32,
            columns: instruction.dimensions.1 as u16,
            group_start: 0,
            group_step: 1,
            frac: frac(rng),
            state_frac: frac(rng),
            norm: NormConstants { outer: scale(rng), floor: scale(rng), rescale: scale(rng) },
        }),
    };
    Header {
        sequence: segment as u32,
        payload_units: (instruction.payload_bytes() / UNIT) as u32,
        payload_crc: rng.next_u64() as u32,
        operand_units: (instruction.operands_bytes() / UNIT) as u16,
        body,
    }
}

fn word(bytes: &[u8; UNIT], n: usize) -> u32 {
    u32::from_le_bytes(bytes[4 * n..4 * n + 4].try_into().unwrap())
}

fn set_word(bytes: &mut [u8; UNIT], n: usize, word: u32) {
    bytes[4 * n..4 * n + 4].copy_from_slice(&word.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..UNIT - 4]);
    bytes[UNIT - 4..].copy_from_slice(&crc.to_le_bytes());
}

/// The first objection, in the documented order.
fn objection(bytes: &[u8; UNIT], place: &Place, core: &Geometry) -> Option<Fault> {
    if crc32c::crc32c(&bytes[..UNIT - 4]) != word(bytes, 15) {
        return Some(Fault::HeaderCrc);
    }
    if bytes[1] != ISA_VERSION {
        return Some(Fault::Version);
    }
    if bytes[0] != place.opcode() as u8 {
        return Some(Fault::Opcode);
    }
    let Ok(header) = Header::decode(bytes) else { return Some(Fault::Field) };
    let sound = header.sequence as usize == place.segment
        && match &header.body {
            Body::Start(start) => start_is_sound(start, &header, place),
            Body::Matrix(matrix) => matrix_is_sound(matrix, &header, place),
        };
    match header.body {
        _ if !sound => Some(Fault::Field),
        Body::Start(start) if core.fits(&start.shape).is_err() => Some(Fault::Geometry),
        _ => None,
    }
}

fn start_is_sound(start: &Start, header: &Header, place: &Place) -> bool {
    let Shape { hidden, inner, intermediate, layers, vocab } = start.shape;
    let stride = start.shape.row_stride() as u32;
    [hidden, inner, intermediate].iter().all(|n| n % 32 == 0)
        && (1..=512).contains(&layers)
        && (2..=1 << 20).contains(&vocab)
        && (start.channel, start.channels) == (0, 1)
        && usize::from(header.operand_units) == 3 * hidden / 32
        && start.segments as usize == 6 * layers + 2
        && (place.no_head || start.image_units == place.image_units)
        && (start.row_stride, place.row_units * UNIT as u32) == (stride, stride)
}

fn matrix_is_sound(matrix: &Matrix, header: &Header, place: &Place) -> bool {
    use Opcode::*;
    let walk = place.walk();
    // Only of pre-activations and state.
    let legal = |frac: i8| (0..=PREACTIVATION_FRAC_MAX).contains(&frac.into());
    let frac_used = matches!(matrix.opcode, MixI | MixG | Glu);
    let state_used = matches!(matrix.opcode, MixI | MixF | MixG);
    usize::from(matrix.layer) == walk.layer
        && (matrix.rows as usize, usize::from(matrix.columns)) == walk.dimensions
        && usize::from(header.operand_units) * UNIT == walk.operands_bytes()
        && (matrix.group_start, matrix.group_step) == (0, 1)
        && (!frac_used || legal(matrix.frac))
        && (!state_used || legal(matrix.state_frac))
}

/// The unit, and what checks it.
struct Bench {
    sim: Interpreter,
    core: Geometry,
    rng: Rng,
}

impl Bench {
    fn new(bus: u32, core: Shape) -> Bench {
        let core = geometry(bus, 1, &core);
        let unit = HeaderCheck { geometry: core.clone() };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        Bench { sim, core, rng: Rng::new(seed()) }
    }

    /// Sends a header, with gaps, and returns the code of its fault; 0 if it is accepted.
    fn send(&mut self, place: &Place, bytes: &[u8; UNIT]) -> u8 {
        let Bench { sim, rng, core } = self;
        sim.poke("expected", place.opcode() as u8);
        sim.poke("layer", if place.segment == 0 { 0 } else { place.walk().layer });
        sim.poke("segment", place.segment);
        sim.poke("no_head", place.no_head);
        sim.poke("image_units", place.image_units);
        sim.poke("row_units", place.row_units);
        let beats = beats(core.bus, bytes);
        // What is due is known for a clock when the first beat comes.
        sim.poke("take", 0);
        sim.step();
        for beat in &beats {
            while rng.one_in(6) {
                sim.poke("take", 0);
                sim.poke("data", rng.bits(core.bus));
                assert_eq!(sim.u64("accept") + sim.u64("fault"), 0);
                sim.step();
            }
            sim.poke("take", 1);
            sim.poke("data", beat.clone());
            assert_eq!(sim.u64("accept") + sim.u64("fault"), 0, "nothing is decided yet");
            sim.step();
        }
        sim.poke("take", 0);
        sim.poke("crc", rng.next_u64() as u32);
        assert_eq!(sim.u64("accept") + sim.u64("fault"), 0, "a clock too early");
        sim.step();
        sim.poke("crc", crc32c::crc32c(bytes));
        for _ in 2..HeaderCheck::LATENCY {
            assert_eq!(sim.u64("accept") + sim.u64("fault"), 0, "a clock too early");
            sim.step();
        }
        let (accept, fault) = (sim.u64("accept"), sim.u64("fault") as u8);
        assert_eq!(accept == 1, fault == 0, "exactly one of both");
        if accept == 1 {
            self.check_fields(place, bytes);
        }
        let sim = &mut self.sim;
        sim.step();
        assert_eq!(sim.u64("accept") + sim.u64("fault"), 0, "a pulse");
        fault
    }

    /// What an accepted header says, in the clock of its acceptance.
    fn check_fields(&mut self, place: &Place, bytes: &[u8; UNIT]) {
        // Beats of 64 bytes.
        let a_unit = 512 / u64::from(self.core.bus);
        let sim = &mut self.sim;
        assert_eq!(sim.u64("payload_units"), u64::from(word(bytes, 2)));
        assert_eq!(sim.u64("payload_crc"), u64::from(word(bytes, 3)));
        if place.segment == 0 {
            let hidden = word(bytes, 5) as u16;
            assert_eq!(sim.u64("vectors"), 3);
            assert_eq!(sim.u64("vector_beats"), u64::from(hidden) / 32 * a_unit);
            return;
        }
        let walk = place.walk();
        assert_eq!(sim.u64("vectors") as usize, walk.operands.0);
        if walk.operands.0 > 0 {
            let units = (walk.operand_bytes() / UNIT) as u64;
            assert_eq!(sim.u64("vector_beats"), units * a_unit);
        }
        assert_eq!(sim.u64("rows") as usize, walk.dimensions.0);
        let columns = walk.dimensions.1.next_multiple_of(UNIT) as u64;
        assert_eq!(sim.u64("group_beats"), columns * 8 / u64::from(self.core.bus));
        assert_eq!(sim.u64("last_layer") == 1, walk.layer + 1 == place.shape.layers);
        assert_eq!(sim.u64("frac"), u64::from(word(bytes, 7) & 31));
        assert_eq!(sim.u64("state_frac"), u64::from(word(bytes, 7) >> 8 & 31));
        for (name, n) in [("outer", 8), ("floor", 9), ("rescale", 10)] {
            assert_eq!(sim.u64(name), u64::from(word(bytes, n)));
        }
    }

    /// Sends a header and compares with the rules.
    #[track_caller]
    fn expect(&mut self, place: &Place, bytes: &[u8; UNIT]) -> u8 {
        let want = objection(bytes, place, &self.core).map_or(0, |fault| fault as u8);
        let got = self.send(place, bytes);
        assert_eq!(got, want, "{place:?}, {bytes:02x?}");
        got
    }

    fn check_shape(&mut self, shape: &Shape, id: u64) {
        let Shape { hidden, inner, intermediate, layers, vocab } = *shape;
        for (name, want) in [
            ("hidden", hidden),
            ("inner", inner),
            ("intermediate", intermediate),
            ("layers", layers),
            ("vocab", vocab),
        ] {
            assert_eq!(self.sim.u64(name) as usize, want, "{name}");
        }
        assert_eq!(self.sim.u64("image_id_hi") << 32 | self.sim.u64("image_id_lo"), id);
    }
}

/// The headers of a pass are accepted one after the other, on every bus.
#[test]
fn a_pass_of_headers() {
    for bus in [64, 128, 256, 512] {
        let mut bench = Bench::new(bus, SHAPE);
        for segment in 0..instructions(&SHAPE).len() {
            let bytes = header(&mut bench.rng, &SHAPE, segment).encode();
            assert_eq!(bench.expect(&Place::of(SHAPE, segment), &bytes), 0);
            bench.check_shape(&SHAPE, ID);
        }
    }
    let unit = HeaderCheck { geometry: geometry(64, 1, &SHAPE) };
    insta::assert_snapshot!("header_check", unit.build().unwrap().verilog());
}

/// Not one bit of a header may change.
#[test]
fn every_bit_counts() {
    for bus in [64, 512] {
        let mut bench = Bench::new(bus, SHAPE);
        for segment in [0, 1] {
            let place = Place::of(SHAPE, segment);
            let bytes = header(&mut bench.rng, &SHAPE, segment).encode();
            for bit in 0..8 * UNIT {
                let mut bytes = bytes;
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(bench.send(&place, &bytes), Fault::HeaderCrc as u8, "bit {bit}");
            }
            assert_eq!(bench.expect(&place, &bytes), 0);
        }
        bench.check_shape(&SHAPE, ID);
    }
}

/// Each field of `START`, wrong under a right checksum.
#[test]
fn wrong_fields_of_start() {
    let mut bench = Bench::new(512, SHAPE);
    let right = header(&mut bench.rng, &SHAPE, 0).encode();
    let place = Place::of(SHAPE, 0);
    assert_eq!(bench.expect(&place, &right), 0);
    let at = |n| word(&right, n);
    for (n, wrong, fault) in [
        (0, at(0) ^ 0x300, Fault::Version),
        (0, at(0) & 0xff, Fault::Version),
        (0, 0x0100, Fault::Opcode),
        (0, 0x0102, Fault::Opcode),
        (0, 0x0109, Fault::Opcode),
        // Beyond the bits that an opcode needs.
        (0, 0x0111, Fault::Opcode),
        (0, 0x0181, Fault::Opcode),
        (0, at(0) | 1 << 16, Fault::Field),
        (0, at(0) | 1 << 31, Fault::Field),
        (1, 1, Fault::Field),
        (1, 1 << 31, Fault::Field),
        (2, 8, Fault::Field),
        (4, 0, Fault::Field),
        (4, 1, Fault::Field),
        (4, (1 << 20) + 1, Fault::Field),
        (4, 1000 + (1 << 21), Fault::Field),
        (4, 1000 + (1 << 31), Fault::Field),
        (5, at(5) ^ 0x20, Fault::Field),
        (5, at(5) | 1, Fault::Field),
        (5, at(5) & 0xffff_0000, Fault::Field),
        (5, at(5) | 0x8000, Fault::Field),
        (5, at(5) + 0x1_0000, Fault::Field),
        (6, 0x0001_0001, Fault::Field),
        (6, 0x0002_0000, Fault::Field),
        (6, 0, Fault::Field),
        (7, at(7) | 1 << 24, Fault::Field),
        (7, at(7) | 1 << 31, Fault::Field),
        (7, at(7) & 0xffff_0000, Fault::Field),
        (7, at(7) ^ 1, Fault::Field),
        (7, at(7) | 1 << 10, Fault::Field),
        (8, at(8) | 1, Fault::Field),
        (8, at(8) | 1 << 16, Fault::Field),
        (8, at(8) & 0xffff, Fault::Field),
        (8, at(8) & 0xffff_0000, Fault::Field),
        (8, at(8) + 0x20, Fault::Geometry),
        (8, at(8) | 0x8000, Fault::Geometry),
        (8, at(8) + 0x20_0000, Fault::Geometry),
        (8, at(8) | 1 << 31, Fault::Geometry),
        (9, at(9) + 1, Fault::Field),
        (9, at(9) | 1 << 31, Fault::Field),
        (10, at(10) - 1, Fault::Field),
        (13, at(13) + 64, Fault::Field),
        (13, at(13) | 1 << 31, Fault::Field),
        (14, 1, Fault::Field),
        (14, 1 << 31, Fault::Field),
    ] {
        let mut bytes = right;
        set_word(&mut bytes, n, wrong);
        let got = bench.expect(&place, &bytes);
        assert_eq!(Fault::from_code(got), Some(fault), "word {n} = {wrong:#010x}");
    }
    // Nothing of a refused header is kept.
    bench.check_shape(&SHAPE, ID);
}

/// START's header beside the registers, and what of it is free.
#[test]
fn start_and_its_surroundings() {
    let mut bench = Bench::new(512, SHAPE);
    let right = header(&mut bench.rng, &SHAPE, 0).encode();
    let place = Place::of(SHAPE, 0);
    let at = |n| word(&right, n);
    // Without the head, whatever the image is as long as.
    let mut bytes = right;
    set_word(&mut bytes, 10, at(10) + 100);
    assert_eq!(bench.expect(&Place { no_head: true, ..place }, &bytes), 0);
    // The row register has to agree as well.
    let narrow = Place { row_units: place.row_units - 1, ..place };
    assert_eq!(bench.expect(&narrow, &right), Fault::Field as u8);
    // Both may agree, and be more than a row needs.
    let wide = Place { row_units: place.row_units + 1, ..place };
    let mut bytes = right;
    set_word(&mut bytes, 13, at(13) + 64);
    assert_eq!(bench.expect(&wide, &bytes), Fault::Field as u8);
    // Of a vocabulary no bit is overlooked.
    for bit in 20..32 {
        let mut bytes = right;
        set_word(&mut bytes, 4, 1000 + (1 << bit));
        assert_eq!(bench.expect(&place, &bytes), Fault::Field as u8, "bit {bit}");
    }
    // The residual's fraction bits are the host's affair, and the id is anybody's.
    for (n, free) in [(7, 0x0080_0003), (11, 7), (12, 9)] {
        let mut bytes = right;
        set_word(&mut bytes, n, free);
        assert_eq!(bench.expect(&place, &bytes), 0);
    }
}

/// Each field of every matrix instruction, wrong under a right checksum.
#[test]
fn wrong_fields_of_matrices() {
    let mut bench = Bench::new(512, SHAPE);
    let start = header(&mut bench.rng, &SHAPE, 0).encode();
    assert_eq!(bench.expect(&Place::of(SHAPE, 0), &start), 0);
    for segment in (1..instructions(&SHAPE).len()).filter(|n| *n < 7 || *n > 12) {
        let place = Place::of(SHAPE, segment);
        let right = header(&mut bench.rng, &SHAPE, segment).encode();
        assert_eq!(bench.expect(&place, &right), 0);
        let at = |n| word(&right, n);
        let mut wrongs = vec![
            (0, at(0) ^ 0x300, Fault::Version),
            (0, at(0) ^ 1, Fault::Opcode),
            (0, at(0) ^ 0x10, Fault::Opcode),
            (0, at(0) ^ 0x80, Fault::Opcode),
            (0, at(0) ^ 1 << 16, Fault::Field),
            (0, at(0) ^ 1 << 31, Fault::Field),
            (1, at(1) + 1, Fault::Field),
            (4, at(4) + 1, Fault::Field),
            (4, at(4) | 1 << 31, Fault::Field),
            (5, at(5) ^ 0x20, Fault::Field),
            (5, at(5) ^ 0x8000, Fault::Field),
            (5, at(5) ^ 0x1_0000, Fault::Field),
            (5, at(5) ^ 0x8000_0000, Fault::Field),
            (6, 0x0001_0001, Fault::Field),
            (6, 0x0002_0000, Fault::Field),
            (7, at(7) | 1 << 16, Fault::Field),
            (7, at(7) | 1 << 31, Fault::Field),
            (11, 1, Fault::Field),
            (12, 1 << 31, Fault::Field),
            (13, 1 << 7, Fault::Field),
            (14, 1, Fault::Field),
        ];
        for n in 8..=10 {
            wrongs.extend([1, 0x7f_ffff, 0xff7f_ffff, 1 << 24].map(|w| (n, w, Fault::Field)));
        }
        if at(5) >> 16 > 0 {
            wrongs.push((2, (at(5) >> 16) - 1, Fault::Field));
        }
        for (n, wrong, fault) in wrongs {
            let mut bytes = right;
            set_word(&mut bytes, n, wrong);
            let got = bench.expect(&place, &bytes);
            let opcode = place.opcode().name();
            assert_eq!(Fault::from_code(got), Some(fault), "{opcode} word {n} = {wrong:#010x}");
        }
        // Fraction bits count where there is something that has them.
        for frac in [0, 20, 21, 31, 32, 127, 128, 255] {
            for shift in [0, 8] {
                let mut bytes = right;
                set_word(&mut bytes, 7, at(7) & !(0xff << shift) | frac << shift);
                bench.expect(&place, &bytes);
            }
        }
        // A zero Scale is one; a longer payload shows when it has been read.
        for (n, right_too) in [(8, 0), (9, 0), (10, 0), (2, at(2) + 1)] {
            let mut bytes = right;
            set_word(&mut bytes, n, right_too);
            assert_eq!(bench.expect(&place, &bytes), 0, "word {n}");
        }
    }
}

/// Shapes at and beyond every limit, with headers that agree with them.
#[test]
fn shapes() {
    let core = Shape { hidden: 96, inner: 64, intermediate: 128, layers: 512, vocab: 1 << 20 };
    let mut counts = [0; 6];
    let mut bench = Bench::new(512, core);
    for turn in 0..1500 {
        let rng = &mut bench.rng;
        let mut width = |has: usize| match rng.below(8) {
            0 => has + 32,
            1 => 16_384 + 32 * rng.below(3) as usize,
            2 => 1 + rng.below(200) as usize,
            3 => has - 32,
            _ => has,
        };
        let (hidden, inner, intermediate) = (width(96), width(64), width(128));
        let layers = [1, 2, 511, 512, 513, 1024][rng.below(6) as usize];
        let vocab = [2, 1 << 20, (1 << 20) + 1, 1000][rng.below(4) as usize];
        let shape = Shape { hidden, inner, intermediate, layers, vocab };
        let mut bytes = header(rng, &shape, 0).encode();
        let mut place = Place::of(shape, 0);
        place.row_units &= 1023;
        // Now and then one more thing is wrong.
        if rng.one_in(4) {
            let n = rng.below(15) as usize;
            let changed = word(&bytes, n) ^ 1 << rng.below(32);
            set_word(&mut bytes, n, changed);
        }
        if turn % 8 == 0 {
            bytes[rng.below(60) as usize] ^= 1;
        }
        counts[usize::from(bench.expect(&place, &bytes))] += 1;
    }
    println!("accepted and refused: {counts:?}");
    assert!([0, 1, 4, 5].iter().all(|&n| counts[n] > 30), "{counts:?}");
}

/// State that the product of layers and inner width decides.
#[test]
fn elements_of_state() {
    let core = Shape { layers: 5, ..SHAPE };
    let mut bench = Bench::new(256, core);
    for (layers, inner, fits) in
        [(5, 64, true), (6, 64, false), (10, 32, true), (11, 32, false), (512, 64, false)]
            .into_iter()
            .chain((3..9).map(|bit| (1 << bit, 64, false)))
    {
        let shape = Shape { layers, inner, ..SHAPE };
        let bytes = header(&mut bench.rng, &shape, 0).encode();
        let got = bench.expect(&Place::of(shape, 0), &bytes);
        assert_eq!(got, if fits { 0 } else { Fault::Geometry as u8 }, "{layers} layers of {inner}");
    }
    // The largest core: the product of the largest numbers still fits.
    let most = Shape { hidden: 16_384, inner: 16_384, intermediate: 16_384, layers: 512, vocab: 2 };
    let mut bench = Bench::new(512, most);
    let bytes = header(&mut bench.rng, &most, 0).encode();
    assert_eq!(bench.expect(&Place::of(most, 0), &bytes), 0);
    bench.check_shape(&most, ID);
}

/// Numbers of layers up to the limit, and beyond it; none at all is refused, too.
#[test]
fn numbers_of_layers() {
    let mut bench = Bench::new(512, Shape { layers: 512, ..SHAPE });
    let powers = (0..10).map(|bit| (1 << bit, 0));
    let beyond = (0..10).map(|bit| (512 + (1 << bit), Fault::Field as u8));
    for (layers, want) in powers.chain(beyond).chain([(0, Fault::Field as u8)]) {
        let shape = Shape { layers, ..SHAPE };
        let bytes = header(&mut bench.rng, &shape, 0).encode();
        assert_eq!(bench.expect(&Place::of(shape, 0), &bytes), want, "{layers} layers");
    }
}

/// Each bit of a shape, and what the first and the last headers make of it.
#[test]
fn every_bit_of_a_shape() {
    let most = Shape { hidden: 16_384, inner: 16_384, intermediate: 16_384, layers: 512, vocab: 2 };
    for bus in [64, 512] {
        let mut bench = Bench::new(bus, most);
        for turn in 0..20 {
            // A single bit, or all below it.
            let width = |n: usize| match turn {
                0..10 => 32 << (n % 10),
                _ => (64 << (n % 9)) - 32,
            };
            let (hidden, inner, intermediate) = (width(turn), width(turn + 3), width(turn + 6));
            let (layers, vocab) = (1 << (turn % 10), [2 << turn, (2 << turn) - 1][turn / 10]);
            let shape = Shape { hidden, inner, intermediate, layers, vocab };
            let last = instructions(&shape).len() - 1;
            for segment in (0..=6).chain([last - 1, last]) {
                let bytes = header(&mut bench.rng, &shape, segment).encode();
                assert_eq!(bench.expect(&Place::of(shape, segment), &bytes), 0, "{shape:?}");
                bench.check_shape(&shape, ID);
            }
        }
    }
}

/// Units of a width that no core has are counted with every bit: the header contradicts itself.
#[test]
fn units_of_operands() {
    let mut bench = Bench::new(64, SHAPE);
    let shape = Shape { hidden: 32_704, ..SHAPE };
    let mut right = header(&mut bench.rng, &shape, 0);
    let place = Place::of(shape, 0);
    assert_eq!(bench.expect(&place, &right.encode()), Fault::Geometry as u8);
    for bit in 0..12 {
        right.operand_units ^= 1 << bit;
        // A payload that is long enough for either.
        right.payload_units = 1 << 13;
        assert_eq!(bench.expect(&place, &right.encode()), Fault::Field as u8, "bit {bit}");
        right.operand_units ^= 1 << bit;
    }
}
