use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{ISA_VERSION, Opcode};
use sterna_model::numerics::formats::{COLUMNS_MAX, PREACTIVATION_FRAC_MAX};
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::instruction::{FRAC, OPCODE, ROW_COUNT, is, is_one_of};
use super::{LENGTH, RESIDUE};
use crate::fault::Fault;

/// Takes a segment's header and says whether it may be obeyed.
///
/// ```text
///  take, data -> [ 512 bits ] -> compare with what is due -> [reg] -> all? -> [reg] -> [reg] -> accept,
///                     |               ^ shape, place in the pass         crc ---^         fault
///                     +-> fields -> lengths in beats
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_     512 bits: one beat
///  take     1
///  crc              X             of the whole header
///  accept   0   0   0   0   1
/// ```
///
/// `START` sets the shape, and with it what every later header must say; what is asked of it is
/// the legal range and this core's geometry. The first objection counts, in the order checksum,
/// version, opcode, fields, geometry. Latency [`HeaderCheck::LATENCY`] after the last beat; of three
/// clocks' work none is much. Cost 815 registers, 512 of them the
/// header, 490 LUT4 of comparators, a multiplier (elements of state).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderCheck {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// The shape that a pass works by.
#[derive(Clone, Copy)]
struct Shape<'m> {
    hidden: Sig<'m>,
    inner: Sig<'m>,
    intermediate: Sig<'m>,
    layers: Sig<'m>,
    vocab: Sig<'m>,
}

impl<'m> Shape<'m> {
    fn all(self) -> [(&'static str, Sig<'m>); 5] {
        [
            ("hidden", self.hidden),
            ("inner", self.inner),
            ("intermediate", self.intermediate),
            ("layers", self.layers),
            ("vocab", self.vocab),
        ]
    }
}

/// A value for each opcode; `START` has `start`.
fn by_opcode<'m>(opcode: Sig<'m>, start: Sig<'m>, of: impl Fn(Opcode) -> Sig<'m>) -> Sig<'m> {
    let cases = opcode.switch(start);
    let matrices = Opcode::ALL.into_iter().filter(|&op| op != Opcode::Start);
    matrices.fold(cases, |cases, op| cases.case(op as u8, of(op))).end()
}

/// Rows of one matrix of an opcode, as `Opcode::dimensions`.
fn rows<'m>(opcode: Sig<'m>, shape: &Shape<'m>) -> Sig<'m> {
    by_opcode(opcode, shape.vocab, |op| match op {
        Opcode::MixI | Opcode::MixF | Opcode::MixG => shape.inner.extend(ROW_COUNT),
        Opcode::MixO | Opcode::Down => shape.hidden.extend(ROW_COUNT),
        Opcode::Glu => shape.intermediate.extend(ROW_COUNT),
        Opcode::Head | Opcode::Start => shape.vocab,
    })
}

/// Its columns.
fn columns<'m>(opcode: Sig<'m>, shape: &Shape<'m>) -> Sig<'m> {
    by_opcode(opcode, shape.hidden, |op| match op {
        Opcode::MixO => shape.inner,
        Opcode::Down => shape.intermediate,
        _ => shape.hidden,
    })
}

/// Number and length of its operand vectors, as the walk of an image has them.
fn operands<'m>(opcode: Sig<'m>, shape: &Shape<'m>, last_layer: Sig<'m>) -> (Sig<'m>, Sig<'m>) {
    let lit = |n: u8| opcode.module().lit(UInt(3), n);
    let count = by_opcode(opcode, lit(3), |op| match op {
        Opcode::MixI | Opcode::Head | Opcode::Start => lit(0),
        Opcode::MixF | Opcode::Glu => lit(1),
        Opcode::MixG | Opcode::MixO => lit(2),
        Opcode::Down => last_layer.mux(lit(2), lit(4)),
    });
    let length = by_opcode(opcode, shape.hidden, |op| match op {
        Opcode::MixF | Opcode::MixG => shape.inner,
        Opcode::Glu => shape.intermediate,
        _ => shape.hidden,
    });
    (count, length)
}

/// All of the conditions, two clocks later: each by itself, then all of them.
fn all<'m>(m: &'m Module, name: &str, conditions: &[Sig<'m>]) -> Sig<'m> {
    let each = m.cat(conditions).register(format!("{name}_each"));
    each.all().register(name)
}

/// A legal width: a multiple of 32, not 0.
fn legal(width: Sig<'_>) -> Sig<'_> {
    !width.slice(0..5).any() & width.any()
}

/// The units of a vector of 16-bit operands.
fn units(length: Sig<'_>) -> Sig<'_> {
    length.slice(5..LENGTH)
}

/// Bits of the units of up to four such vectors.
const VECTORS: u32 = LENGTH - 5 + 2;

/// A few units shifted, at that width.
fn wide(units: Sig<'_>, by: u32) -> Sig<'_> {
    (units << by).extend(VECTORS)
}

/// Units as beats.
fn beats(units: Sig<'_>, bus: u32) -> Sig<'_> {
    (units << (512 / bus).trailing_zeros()).extend(LENGTH)
}

/// A Scale of a header word is zero or normalised (numerics.md §6).
pub(crate) fn is_scale(word: Sig<'_>) -> Sig<'_> {
    word.bit(23) | word.eq(0)
}

impl HeaderCheck {
    /// Clocks from a header's last beat to its acceptance.
    pub const LATENCY: u32 = 4;
}

impl Generate for HeaderCheck {
    fn name(&self) -> String {
        "header_check".into()
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        m.doc("Takes a segment's header and says whether it may be obeyed.\nLatency 4.");
        let take = m.input("take", UInt(1)).comment("A beat of the header.");
        let data = m.input("data", UInt(g.bus));
        let crc =
            m.input("crc", UInt(32)).comment("Of the header, two clocks after its last beat.");
        let expected = m.input("expected", UInt(OPCODE)).comment("The opcode that is due.");
        let layer = m.input("layer", UInt(10));
        let segment = m.input("segment", UInt(32));
        let no_head = m.input("no_head", UInt(1));
        let image_units = m.input("image_units", UInt(32));
        let row_units = m.input("row_units", UInt(10));

        // ----- the header -----
        let header = m.reg("header", UInt(512));
        let beat = m.reg("beat", UInt(3)).reset(0);
        let ended = (take & beat.eq(512 / g.bus - 1)).named("ends");
        m.when(take, || {
            header.set(match g.bus {
                512 => data,
                bus => data.cat(header.slice(bus..512)),
            });
            beat.set(ended.mux(m.lit(UInt(3), 0), beat.wrapping_add(1)));
        });
        let word = |n: u32| header.lane(n, 32);
        let half = |n: u32, high: u32| word(n).lane(high, 16);
        let byte = |n: u32, i: u32| word(n).lane(i, 8);
        let decide = ended.delay_valid("ended", Self::LATENCY as usize - 1);
        let starting = is(expected, Opcode::Start).named("starting");
        let accept = m.reg("accepts", UInt(1)).reset(0);

        // ----- the shape, from START on -----
        let said = Shape {
            hidden: half(5, 0).truncate(LENGTH),
            inner: half(8, 0).truncate(LENGTH),
            intermediate: half(8, 1).truncate(LENGTH),
            layers: half(7, 0).truncate(10),
            vocab: word(4).truncate(ROW_COUNT),
        };
        let keep = |name: &str, sig: Sig<'_>| {
            let kept = m.reg(format!("shape_{name}"), sig.ty());
            m.when(accept & starting, || kept.set(sig));
            kept
        };
        let shape = Shape {
            hidden: keep("hidden", said.hidden),
            inner: keep("inner", said.inner),
            intermediate: keep("intermediate", said.intermediate),
            layers: keep("layers", said.layers),
            vocab: keep("vocab", said.vocab),
        };
        // A clock late is in time: the layer changes after a DOWN, and only the next DOWN asks.
        let final_layer = shape.layers.wrapping_sub(1).register("final_layer");
        let last_layer = layer.eq(final_layer).register("is_last_layer");

        // ----- what is due: known before a matrix's header ends; of START it is in the header -----
        let version_ok = byte(0, 1).eq(ISA_VERSION).delay("version_ok", 2);
        let opcode_ok = byte(0, 0).eq(expected.extend(8)).delay("opcode_ok", 2);
        let (vectors, length) = operands(expected, &shape, last_layer);
        let vectors = vectors.register("vectors_due");
        let (given, known) = (units(said.hidden), units(length).register("known_units"));
        let vector_units = starting.mux(given, known).register("units_of_vector");
        // Of none, one, two, three or four vectors.
        let none = m.lit(UInt(VECTORS), 0);
        let pairs = vectors.bit(2).mux(wide(known, 2), vectors.bit(1).mux(wide(known, 1), none));
        let due = pairs.wrapping_add(vectors.bit(0).mux(wide(known, 0), none));
        let three = wide(given, 1).wrapping_add(wide(given, 0));
        let due = starting.mux(three, due).register("units_of_operands");
        // A clock later than the others.
        let operands_ok = half(5, 1).eq(due.extend(16)).register("operands_ok");
        let common = [
            word(1).eq(segment),
            word(2).ge(half(5, 1).extend(32)),
            word(6).eq(0x0001_0000),
            !word(14).any(),
        ];
        let six_layers = (said.layers << 2) + (said.layers << 1).extend(12);
        let start = [
            !half(0, 1).any(),
            !byte(7, 3).any(),
            legal(half(5, 0)),
            legal(half(8, 0)),
            legal(half(8, 1)),
            half(7, 0).ge(1) & half(7, 0).le(512),
            word(4).ge(2) & word(4).le(1 << 20),
            word(9).eq((six_layers + 2).extend(32)),
            no_head | word(10).eq(image_units),
            word(13).eq((row_units << 6).extend(32)),
            row_units.extend(11).eq((half(5, 0).slice(5..16) + 1).truncate(11)),
        ];
        let needed = (said.layers * said.inner).register("state_needed");
        let most = |n: usize| n.min(COLUMNS_MAX) as u32;
        let room = [
            half(5, 0).le(most(g.hidden)),
            half(8, 0).le(most(g.inner)),
            half(8, 1).le(most(g.intermediate)),
        ];
        // A clock later than the others.
        let state_ok = needed.le((g.state as u32).min((1 << needed.width()) - 1));
        let state_ok = state_ok.register("state_ok");
        let rows = rows(expected, &shape).register("rows_due");
        let columns = columns(expected, &shape).register("columns_due");
        let fraction = |i: u32| byte(7, i).le(PREACTIVATION_FRAC_MAX as u32);
        // What is neither pre-activation nor state has no use for its fraction bits in the core.
        let uses_frac = is_one_of(expected, &[Opcode::MixI, Opcode::MixG, Opcode::Glu]);
        let uses_state = is_one_of(expected, &[Opcode::MixI, Opcode::MixF, Opcode::MixG]);
        let matrix = [
            half(0, 1).eq(layer.extend(16)),
            word(4).eq(rows.extend(32)),
            half(5, 0).eq(columns.extend(16)),
            !half(7, 1).any(),
            is_scale(word(8)) & is_scale(word(9)) & is_scale(word(10)),
            !word(11).any() & !word(12).any() & !word(13).any(),
            !uses_frac | fraction(0),
            !uses_state | fraction(1),
        ];

        // ----- and decided -----
        let fields = starting.mux(all(m, "start_ok", &start), all(m, "matrix_ok", &matrix));
        let fields_ok = (all(m, "common_ok", &common) & operands_ok & fields).named("fields_ok");
        let room_ok = all(m, "room_ok", &room) & state_ok;
        let room_ok = (!starting | room_ok).named("geometry_ok");
        let objections = [
            (room_ok, Fault::Geometry),
            (fields_ok, Fault::Field),
            (opcode_ok, Fault::Opcode),
            (version_ok, Fault::Version),
            (crc.eq(RESIDUE).register("crc_ok"), Fault::HeaderCrc),
        ];
        let none = m.lit(UInt(8), 0);
        let fault = objections
            .iter()
            .fold(none, |found, &(ok, fault)| ok.mux(found, m.lit(UInt(8), fault as u8)))
            .named("objection");
        let sound = objections.iter().fold(decide, |sound, &(ok, _)| sound & ok);
        accept.set(sound);
        m.output("accept", UInt(1)).set(accept);
        m.output("fault", UInt(8)).set((decide.repeat(8) & fault).register("fault_now").reset(0));

        // ----- fields -----
        m.output("payload_units", UInt(32)).set(word(2));
        m.output("payload_crc", UInt(32)).set(word(3));
        m.output("vectors", UInt(3)).comment("Operand vectors.").set(vectors);
        m.output("vector_beats", UInt(LENGTH)).comment("Of each.").set(beats(vector_units, g.bus));
        m.output("rows", UInt(ROW_COUNT)).set(rows);
        // Columns are padded to 64 bytes.
        let padded = ((columns + 63u8) >> 6).truncate(LENGTH - 6).register("units_of_group");
        m.output("group_beats", UInt(LENGTH)).comment("Of a row group.").set(beats(padded, g.bus));
        m.output("last_layer", UInt(1)).set(last_layer);
        m.output("frac", UInt(FRAC)).set(byte(7, 0).truncate(FRAC));
        m.output("state_frac", UInt(FRAC)).set(byte(7, 1).truncate(FRAC));
        for (name, n) in [("outer", 8), ("floor", 9), ("rescale", 10)] {
            m.output(name, UInt(32)).set(word(n));
        }
        for (name, sig) in shape.all() {
            m.output(name, sig.ty()).set(sig);
        }
        for (name, n) in [("image_id_lo", 11), ("image_id_hi", 12)] {
            m.output(name, UInt(32)).set(keep(name, word(n)));
        }
    }
}
