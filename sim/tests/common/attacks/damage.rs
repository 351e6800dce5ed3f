//! Damage in what the core reads, under checksums that are wrong, or right.

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{ISA_VERSION, Opcode, UNIT};
use sterna_firmware::trits;
use sterna_hdl::fault::Fault;
use sterna_rtl::random::Rng;

use super::super::bench::Bench;

/// A change of a header's words.
type Edit = fn(&mut [u32; UNIT / 4]);

/// What no header may say, and how the core calls it.
pub const ANY: [(Fault, Edit); 7] = [
    (Fault::Version, |words| words[0] += 0x100 * ISA_VERSION as u32),
    (Fault::Opcode, |words| words[0] = words[0] & !0xff | 9),
    (Fault::Opcode, |words| words[0] &= !0xff),
    (Fault::Field, |words| words[1] += 1),
    (Fault::Field, |words| words[5] += 1 << 16),
    (Fault::Field, |words| words[6] = 0x0002_0000),
    (Fault::Field, |words| words[14] = 1),
];

/// What no matrix's may.
pub const MATRIX: [(Fault, Edit); 9] = [
    // Another instruction, and one of another layer.
    (Fault::Opcode, |words| words[0] = words[0] & !0xff | ((words[0] & 0xff) % 8 + 1)),
    (Fault::Field, |words| words[0] += 1 << 16),
    (Fault::Field, |words| words[4] += 1),
    (Fault::Field, |words| words[4] -= 5),
    (Fault::Field, |words| words[5] += 32),
    (Fault::Field, |words| words[7] |= 1 << 31),
    (Fault::Field, |words| words[8] = 0x0012_3456),
    (Fault::Field, |words| words[10] = 1),
    (Fault::Field, |words| words[12] = 1),
];

/// What START's may not.
pub const START: [(Fault, Edit); 7] = [
    (Fault::Field, |words| words[4] = 1),
    (Fault::Field, |words| words[5] += 32),
    (Fault::Field, |words| words[7] += 1),
    (Fault::Field, |words| words[8] += 1),
    (Fault::Field, |words| words[9] -= 1),
    (Fault::Field, |words| words[10] += 1),
    (Fault::Field, |words| words[13] += 64),
];

/// Headers whose checksum is right and that say something else than they should.
pub fn headers(bench: &mut Bench, _: &mut Rng, places: usize) {
    bench.mend();
    let all = ANY.len() + MATRIX.len() + START.len();
    let walk = bench.walk.clone();
    for n in 0..places {
        let (edit, far) = (n % all, 5 * n);
        let of = match edit {
            0..7 => walk[far % walk.len()],
            7..16 => walk[1 + far % (walk.len() - 1)],
            _ => walk[0],
        };
        let (fault, edit) = match edit {
            0..7 => ANY[edit],
            7..16 => MATRIX[edit - 7],
            _ => START[edit - 16],
        };
        bench.header(&of, edit);
        bench.refused(&[fault], Some(of.sequence));
    }
    bench.works();
}

/// A change of a header's words that depends on a core.
pub type EditOf = fn(&Geometry, &mut [u32; UNIT / 4]);

/// What START's header says of a model that is larger than the core: in its intermediate vector, in
/// its inner ones, in its state.
pub const LARGER: [EditOf; 3] = [
    |core, words| words[8] = words[8] & 0xffff | ((core.intermediate + 32) as u32) << 16,
    |core, words| words[8] = words[8] & !0xffff | (core.inner + 32) as u32,
    |core, words| {
        let layers = (core.state / core.inner + 1) as u32;
        words[7] = words[7] & !0xffff | layers;
        words[8] = words[8] & !0xffff | core.inner as u32;
        words[9] = 6 * layers + 2;
    },
];

/// A model that is larger than the core.
pub fn larger(bench: &mut Bench, _: &mut Rng, _: usize) {
    let start = bench.segment(Opcode::Start);
    let core = bench.card.geometry().clone();
    for edit in LARGER {
        bench.header(&start, |words| edit(&core, words));
        bench.refused(&[Fault::Geometry], Some(0));
    }
    bench.works();
}

/// Any value in each word in turn, under a checksum that is right: that of a scale may be.
pub fn any_header(bench: &mut Bench, rng: &mut Rng, places: usize) {
    for n in 0..places {
        let of = bench.walk[n % bench.walk.len()];
        let value = rng.next_u64() as u32;
        bench.header(&of, |words| words[n % (UNIT / 4 - 1)] ^= value);
        bench.bears();
    }
    bench.works();
}

pub fn damaged_headers(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    for n in 0..places {
        let of = bench.walk[n % bench.walk.len()];
        let at = bench.image(of.offset) + rng.below(UNIT as u64);
        bench.memory().flip(at, 1 << rng.below(8));
        bench.refused(&[Fault::HeaderCrc], Some(of.sequence));
    }
    bench.works();
}

/// Bits that are damaged, and bytes that are no trits under checksums that are right; the last beat
/// of a payload is the hard one.
pub fn payloads(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let mut bytes = (0..=255).filter(|&byte| trits::decode(byte).is_none()).cycle();
    for n in 0..places {
        // From the last segment on, whose weights are the head's.
        let of = bench.walk[bench.walk.len() - 1 - n % (bench.walk.len() - 1)];
        let (first, length) = (of.operands_bytes(), of.payload_bytes());
        let place = match n % 3 {
            0 => length - 1 - rng.below(8) as usize,
            1 => first + rng.below(8) as usize,
            _ => first + rng.below((length - first) as u64) as usize,
        };
        if n % 4 == 3 {
            // The first operand: what zero trits turn into may be legal, or not.
            let place = if of.operands.0 > 0 { rng.below(2) as usize } else { place };
            let at = bench.image(of.payload_offset()) + place as u64;
            bench.memory().flip(at, 1);
            let faults = [Fault::PayloadCrc, Fault::TritBlock];
            bench.refused(&faults[..1 + usize::from(place >= first)], Some(of.sequence));
        } else {
            bench.payload(&of, place, bytes.next().unwrap());
            bench.refused(&[Fault::TritBlock], Some(of.sequence));
        }
    }
    // The last beat of a pass that has no head.
    let of = bench.walk[bench.walk.len() - 2];
    let last = bench.image(of.end()) - 1;
    bench.memory().flip(last, 1);
    let faults = [Fault::PayloadCrc, Fault::TritBlock];
    bench.refused_where(Want::State, &faults, Some(of.sequence));
    bench.works();
}

/// Fields of a row that no compiler writes: a word of its end, and its value. A shift, two Scales.
pub const FIELDS: [(usize, u32); 3] = [(5, 6), (0, 0x0000_0001), (1, 0x0040_0000)];

/// The row of [`TOKEN`](super::super::bench::TOKEN) becomes that of another token.
pub fn row_of_another(bench: &mut Bench) {
    let (at, stride) = (bench.row(), bench.stride());
    let row = bench.bytes(at + stride, stride as usize);
    bench.memory().write(at, &row);
}

/// It has this value in a word of its end, under a checksum that is right.
pub fn row_with(bench: &mut Bench, (word, value): (usize, u32)) {
    let (at, stride) = (bench.row(), bench.stride() as usize);
    let mut row = bench.bytes(at, stride);
    let place = stride - 32 + 4 * word;
    row[place..place + 4].copy_from_slice(&u32::to_le_bytes(value));
    let crc = crc32c::crc32c(&row[..stride - 4]);
    row[stride - 4..].copy_from_slice(&crc.to_le_bytes());
    bench.memory().write(at, &row);
}

/// Rows that are damaged, of another token, or of fields that no compiler writes.
pub fn rows(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let (at, stride) = (bench.row(), bench.stride());
    for n in 0..places {
        match n % 8 {
            0 => row_of_another(bench),
            n if n <= FIELDS.len() => row_with(bench, FIELDS[n - 1]),
            _ => _ = bench.memory().flip(at + rng.below(stride), 1 << rng.below(8)),
        }
        bench.refused(&[Fault::Row], None);
    }
    bench.works();
}
