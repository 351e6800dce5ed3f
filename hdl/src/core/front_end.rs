use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{ISA_VERSION, Opcode};
use sterna_model::numerics::formats::PREACTIVATION_FRAC_MAX;
use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::instruction::{self, Instruction, OPCODE, ROW_COUNT, is};
use super::{GROUPS, LENGTH, READ, ROWS};
use crate::fault::Fault;

/// The CRC-32C of any data that ends in its own CRC-32C.
pub(crate) const RESIDUE: u32 = 0x4867_4bc7;

/// Reads the image: headers, operands, weights, in this order, as they come.
///
/// ```text
///            +-> [ CRC-32C ] ---------------------------- equal? --> fault, pass_ok
///            |
///  s (beats)-+-> [ header ] -> [ check ] -> fields ------> issue (scale, epilogue)
///            +-> operand_write, operand_at, operand_data -> operand memories
///            +-> [ delay READ ] -> beat, first, last -----> ternary unit
///                 code_read, code_at --------------------> code memory
/// ```
///
/// A header takes its beats and two clocks of checking: its checksum first, then version, opcode
/// and every field against the shape that `START` has set. Operands are taken a beat a clock;
/// weights, too, as long as the codes that they meet are there (`code_words` counts those of the
/// vector in question) and fewer than GROUPS row groups wait for the epilogue. Nothing else stalls
/// the stream, so a pass is a fixed function of the image and of when its codes are ready.
///
/// Trusts: nothing in the stream. A payload's checksum is compared two clocks after its last beat;
/// `pass_ok` follows the last one. Cost: a CRC unit, 512 registers of header, 9 comparators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Where the front end stands.
#[derive(Clone, Copy)]
enum State {
    Idle,
    Header,
    Check,
    Operands,
    Weights,
}

/// Which of the four operand memories a vector goes to, and whether to its second half.
///
/// Halves alternate, so that a vector is loaded while the one before it is still in use: memory 0
/// holds what the first gain multiplies (i, w_o, MLP, w_d), 1 and 2 the gains of f and g, 3 what
/// stands beside them (lower bounds, w_g, w1).
pub(crate) fn operand_place(opcode: Opcode, n: u32) -> Option<(u32, bool)> {
    Some(match (opcode, n) {
        (Opcode::Start, 0..3) => (n, false),
        (Opcode::MixF, 0) => (3, true),
        (Opcode::MixG, 0) => (3, false),
        (Opcode::MixG, 1) => (0, true),
        (Opcode::MixO, 0) => (3, true),
        (Opcode::MixO, 1) => (0, false),
        (Opcode::Glu, 0) => (0, true),
        (Opcode::Down, 0) => (3, false),
        (Opcode::Down, 1..4) => (n - 1, false),
        _ => return None,
    })
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

impl FrontEnd {
    /// Beats of 64 bytes, as a shift.
    fn unit_shift(&self) -> u32 {
        (512 / self.geometry.bus).trailing_zeros()
    }

    /// By opcode, a value of the shape.
    fn by_opcode<'m>(opcode: Sig<'m>, none: Sig<'m>, of: impl Fn(Opcode) -> Sig<'m>) -> Sig<'m> {
        let cases = opcode.switch(none);
        let matrices = Opcode::ALL.into_iter().filter(|&op| op != Opcode::Start);
        matrices.fold(cases, |cases, op| cases.case(op as u8, of(op))).end()
    }

    fn rows<'m>(m: &'m Module, opcode: Sig<'m>, shape: &Shape<'m>) -> Sig<'m> {
        let wide = |sig: Sig<'m>| sig.extend(ROW_COUNT);
        FrontEnd::by_opcode(opcode, m.lit(UInt(ROW_COUNT), 0), |op| match op {
            Opcode::MixI | Opcode::MixF | Opcode::MixG => wide(shape.inner),
            Opcode::MixO | Opcode::Down => wide(shape.hidden),
            Opcode::Glu => wide(shape.intermediate),
            Opcode::Head | Opcode::Start => shape.vocab,
        })
    }

    fn columns<'m>(m: &'m Module, opcode: Sig<'m>, shape: &Shape<'m>) -> Sig<'m> {
        FrontEnd::by_opcode(opcode, m.lit(UInt(LENGTH), 0), |op| match op {
            Opcode::MixO => shape.inner,
            Opcode::Down => shape.intermediate,
            _ => shape.hidden,
        })
    }

    /// Operand vectors of an opcode, and the length of each.
    fn operands<'m>(
        m: &'m Module,
        opcode: Sig<'m>,
        shape: &Shape<'m>,
        last_layer: Sig<'m>,
    ) -> (Sig<'m>, Sig<'m>) {
        let lit = |n: u8| m.lit(UInt(3), n);
        let count = FrontEnd::by_opcode(opcode, lit(3), |op| match op {
            Opcode::MixI | Opcode::Head | Opcode::Start => lit(0),
            Opcode::MixF | Opcode::Glu => lit(1),
            Opcode::MixG | Opcode::MixO => lit(2),
            Opcode::Down => last_layer.mux(lit(2), lit(4)),
        });
        let length = FrontEnd::by_opcode(opcode, shape.hidden, |op| match op {
            Opcode::MixF | Opcode::MixG => shape.inner,
            Opcode::Glu => shape.intermediate,
            _ => shape.hidden,
        });
        (count, length)
    }
}

/// All of the conditions, a clock later.
fn all<'m>(m: &'m Module, name: &str, conditions: &[Sig<'m>]) -> Sig<'m> {
    m.cat(conditions).all().register(name)
}

/// A legal width: a multiple of 32, not 0.
fn legal(width: Sig<'_>) -> Sig<'_> {
    !width.slice(0..5).any() & width.any()
}

/// A Scale of a header word is zero or normalised (numerics.md §6).
fn is_scale(word: Sig<'_>) -> Sig<'_> {
    word.bit(23) | word.eq(0)
}

impl Generate for FrontEnd {
    fn name(&self) -> String {
        "front_end".into()
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        let bus = g.bus;
        m.doc("Reads the image: checks headers, hands out operands and weights.");
        let begin = m.input("begins", UInt(1)).comment("A pass starts.");
        let no_head = m.input("no_head", UInt(1)).comment("It ends before the head.");
        let image_units = m.input("image_units", UInt(32));
        let row_units = m.input("row_units", UInt(10));
        let stream = m.stream_in("s", UInt(bus), false);
        let code_words =
            m.input("code_words", UInt(LENGTH)).comment("Words of codes that can be read.");
        let group_taken = m.input("group_taken", UInt(1)).comment("The epilogue took a group.");
        let out = Instruction::output(m, "issue");

        let state = m.reg("state", UInt(3)).reset(State::Idle as u8);
        let at = |s: State| state.eq(s as u8);
        let sequence = m.reg("segment_now", UInt(32)).reset(0).comment("Number of the segment.");
        let expected = m.reg("expected", UInt(OPCODE)).reset(Opcode::Start as u8);
        let layer = m.reg("layer", UInt(10)).reset(0);
        let shape = Shape {
            hidden: m.reg("shape_hidden", UInt(LENGTH)),
            inner: m.reg("shape_inner", UInt(LENGTH)),
            intermediate: m.reg("shape_intermediate", UInt(LENGTH)),
            layers: m.reg("shape_layers", UInt(10)),
            vocab: m.reg("shape_vocab", UInt(ROW_COUNT)),
        };
        let last_layer = (layer + 1).eq(shape.layers.extend(11)).named("is_last_layer");

        // ----- header -----
        let header = m.reg("header", UInt(512));
        let beats_a_unit = 1u32 << self.unit_shift();
        let header_beat = m.reg("header_beat", UInt(3)).reset(0);
        let fires = stream.fires().named("fires");
        let in_header = (at(State::Header) & fires).named("header_fires");
        let header_ends = (in_header & header_beat.eq(beats_a_unit - 1)).named("header_ends");
        m.when(in_header, || {
            header.set(match bus {
                512 => stream.data,
                _ => stream.data.cat(header.slice(bus..512)),
            });
            header_beat.set(header_beat.wrapping_add(1));
        });
        let word = |n: u32| header.lane(n, 32);
        let half = |n: u32, high: u32| word(n).lane(high, 16);
        let byte = |n: u32, i: u32| word(n).lane(i, 8);
        let starting = is(expected, Opcode::Start).named("starting");

        let crc = m.instance("u_crc", &Crc32c { width: bus });
        let in_payload = (at(State::Operands) | at(State::Weights)).named("in_payload");
        let payload_first = m.reg("payload_first", UInt(1)).reset(0);
        let first = at(State::Header).mux(header_beat.eq(0), payload_first);
        crc.set("valid", fires).set("first", first).set("data", stream.data);
        m.when(fires & in_payload, || payload_first.set(0));

        // ----- what the header must say; one clock of comparing, one of deciding -----
        let said = Shape {
            hidden: half(5, 0).truncate(LENGTH),
            inner: half(8, 0).truncate(LENGTH),
            intermediate: half(8, 1).truncate(LENGTH),
            layers: half(7, 0).truncate(10),
            vocab: word(4).truncate(ROW_COUNT),
        };
        let shape_or_said = Shape { hidden: starting.mux(said.hidden, shape.hidden), ..shape };
        let (vectors, vector_length) = FrontEnd::operands(m, expected, &shape_or_said, last_layer);
        let vector_units = vector_length.slice(5..LENGTH).named("vector_units");
        let operand_units = (vector_units * vectors).named("operand_units");
        let same_operands = half(5, 1).eq(operand_units.extend(16));
        let version_ok = byte(0, 1).eq(ISA_VERSION).register("version_ok");
        let opcode_ok = byte(0, 0).eq(expected.extend(8)).register("opcode_ok");
        let common_ok = all(
            m,
            "common_ok",
            &[
                word(1).eq(sequence),
                word(2).ge(half(5, 1).extend(32)),
                word(6).eq(0x0001_0000),
                same_operands,
                !word(14).any(),
            ],
        );
        let six_layers = (said.layers << 2) + (said.layers << 1).extend(12);
        let start_ok = all(
            m,
            "start_ok",
            &[
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
            ],
        );
        let most = sterna_model::numerics::formats::COLUMNS_MAX as u32;
        let state_needed = (said.layers * said.inner).named("state_needed");
        let geometry_ok = all(
            m,
            "geometry_ok",
            &[
                half(5, 0).le((g.hidden as u32).min(most)),
                half(8, 0).le((g.inner as u32).min(most)),
                half(8, 1).le((g.intermediate as u32).min(most)),
                state_needed.le((g.state as u32).min((1 << 25) - 1)),
            ],
        );
        let rows = FrontEnd::rows(m, expected, &shape).named("rows_due");
        let columns = FrontEnd::columns(m, expected, &shape).named("columns_due");
        let head = is(expected, Opcode::Head).named("at_head");
        let fraction = |i: u32| byte(7, i).le(PREACTIVATION_FRAC_MAX as u32);
        // What is no pre-activation or state has no use for its fraction bits in the core.
        let uses_frac =
            instruction::is_one_of(expected, &[Opcode::MixI, Opcode::MixG, Opcode::Glu]);
        let uses_state =
            instruction::is_one_of(expected, &[Opcode::MixI, Opcode::MixF, Opcode::MixG]);
        let matrix_ok = all(
            m,
            "matrix_ok",
            &[
                half(0, 1).eq(layer.extend(16)),
                word(4).eq(rows.extend(32)),
                half(5, 0).eq(columns.extend(16)),
                !half(7, 1).any(),
                is_scale(word(8)) & is_scale(word(9)) & is_scale(word(10)),
                !word(11).any() & !word(12).any() & !word(13).any(),
                !uses_frac | fraction(0),
                !uses_state | fraction(1),
            ],
        );
        let compared = m.reg("compared", UInt(1)).reset(0);
        compared.set(at(State::Check) & !compared);
        let decide = (at(State::Check) & compared).named("decide");
        let residue_ok = crc.port("crc").eq(RESIDUE).named("header_crc_ok");
        let fields_ok = (common_ok & starting.mux(start_ok, matrix_ok)).named("fields_ok");
        let accept =
            (decide & residue_ok & version_ok & opcode_ok & fields_ok & (!starting | geometry_ok))
                .named("accept");

        // ----- payload -----
        let payload_crc = m.reg("payload_crc", UInt(32));
        let payload_left = m.reg("payload_left", UInt(32 + self.unit_shift().max(1)));
        m.when(fires & in_payload, || payload_left.set(payload_left.wrapping_sub(1)));
        let vector = m.reg("vector", UInt(2)).reset(0).comment("Number of the operand vector.");
        let vectors_left = m.reg("vectors_left", UInt(3)).reset(0);
        let beat = m.reg("beat", UInt(LENGTH)).reset(0).comment("Beat of the vector or row.");
        let vector_beats = m.reg("vector_beats", UInt(LENGTH));
        let row_beats = m.reg("row_beats", UInt(LENGTH)).comment("Beats of a row group.");
        let part_rows = m.reg("part_rows", UInt(ROW_COUNT));
        let rows_left = m.reg("rows_left", UInt(ROW_COUNT));
        let parts_left = m.reg("parts_left", UInt(1)).comment("Another matrix follows.");
        let code_buffer = m.reg("code_buffer", UInt(1)).reset(0);

        let operand_fires = (at(State::Operands) & fires).named("operand_fires");
        let vector_ends =
            (operand_fires & beat.eq(vector_beats.wrapping_sub(1))).named("vector_ends");
        let operands_end = (vector_ends & vectors_left.eq(1)).named("operands_end");
        let weight_fires = (at(State::Weights) & fires).named("weight_fires");
        let row_ends = beat.eq(row_beats.wrapping_sub(1)).named("row_ends");
        let last_group = rows_left.le(ROWS).named("last_group");
        let part_ends = (weight_fires & row_ends & last_group).named("part_ends");
        let weights_end = (part_ends & !parts_left).named("weights_end");

        let waiting = m.reg("waiting", UInt(4)).reset(0).comment("Row groups not yet taken.");
        let group_begins = (weight_fires & beat.eq(0)).named("group_begins");
        m.when(group_begins & !group_taken, || waiting.set(waiting.wrapping_add(1)));
        m.when(group_taken & !group_begins, || waiting.set(waiting.wrapping_sub(1)));
        m.assert("a_place_for_every_group", waiting.le(GROUPS));
        let room = (beat.ne(0) | waiting.ne(GROUPS)).named("room");
        let codes_there = code_words.gt(beat).named("codes_there");
        // An instruction is handed on before its weights, so that its header may be overwritten.
        let pending = m.reg("pending", UInt(1)).reset(0).comment("`issue` was not taken yet.");
        let want = (at(State::Header)
            | at(State::Operands)
            | (at(State::Weights) & codes_there & room & !pending))
            .named("wants");
        stream.ready.set(want);

        m.when(vector_ends | (weight_fires & row_ends), || beat.set(0))
            .elsewhen(operand_fires | weight_fires, || beat.set(beat.wrapping_add(1)));
        m.when(vector_ends, || {
            vector.set(vector.wrapping_add(1));
            vectors_left.set(vectors_left.wrapping_sub(1));
        });
        m.when(weight_fires & row_ends, || {
            rows_left.set(rows_left.wrapping_sub(ROWS));
            m.when(last_group, || {
                rows_left.set(part_rows);
                parts_left.set(0);
            });
        });
        let segment_ends = ((operands_end & starting) | weights_end).named("segment_ends");
        let length_ok = payload_left.eq(1).named("length_ok");
        let pass_ends = (segment_ends
            & (head | (no_head & last_layer & is(expected, Opcode::Down))))
        .named("pass_ends");

        // ----- from state to state -----
        m.when(header_ends, || {
            state.set(State::Check as u8);
            header_beat.set(0);
        });
        m.when(accept, || {
            payload_crc.set(word(3));
            payload_left.set((word(2) << self.unit_shift()).extend(payload_left.width()));
            payload_first.set(1);
            vector.set(0);
            vectors_left.set(vectors);
            vector_beats.set((vector_units << self.unit_shift()).extend(LENGTH).truncate(LENGTH));
            // Columns are padded to 64 bytes.
            let padded = ((columns + 63u8) >> 6).truncate(LENGTH - 6);
            row_beats.set((padded << self.unit_shift()).extend(LENGTH).truncate(LENGTH));
            part_rows.set(rows);
            rows_left.set(rows);
            parts_left.set(is(expected, Opcode::Glu));
            beat.set(0);
            pending.set(!starting);
            state.set(
                operand_units
                    .any()
                    .mux(m.lit(UInt(3), State::Operands as u8), State::Weights as u8),
            );
            m.when(starting, || {
                for ((_, to), (_, said)) in shape.all().into_iter().zip(said.all()) {
                    to.set(said);
                }
            });
        });
        m.when(out.ready & pending, || pending.set(0));
        m.when(operands_end & !starting, || state.set(State::Weights as u8));
        m.when(segment_ends, || {
            state.set(pass_ends.mux(m.lit(UInt(3), State::Idle as u8), State::Header as u8));
            sequence.set(sequence.wrapping_add(1));
            let next = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
            let after_down = last_layer.mux(next(Opcode::Head), next(Opcode::MixI));
            expected.set(
                expected
                    .switch(expected.wrapping_add(1))
                    .case(Opcode::Down as u8, after_down)
                    .end(),
            );
            m.when(is(expected, Opcode::Down), || layer.set(layer.wrapping_add(1)));
        });
        m.when(weights_end, || code_buffer.set(!code_buffer));
        m.when(begin, || {
            state.set(State::Header as u8);
            sequence.set(0);
            expected.set(Opcode::Start as u8);
            layer.set(0);
            code_buffer.set(0);
        });

        // ----- checksums of payloads, two clocks after their last beat -----
        let end_1 = segment_ends.register("end_1").reset(0);
        let end_2 = end_1.register("end_2").reset(0);
        let ended = m.reg("ended_segment", UInt(32));
        m.when(segment_ends, || ended.set(sequence));
        let ends_pass_2 = pass_ends.delay_valid("pass_ends", 2);
        let held_crc = m.reg("held_crc", UInt(32));
        m.when(segment_ends, || held_crc.set(payload_crc));
        let payload_ok = crc.port("crc").eq(held_crc).named("payload_ok");

        // ----- faults: the first of a header counts -----
        let code = |fault: Fault| m.lit(UInt(8), fault as u8);
        let header_fault = (!residue_ok).mux(
            code(Fault::HeaderCrc),
            (!version_ok).mux(
                code(Fault::Version),
                (!opcode_ok).mux(
                    code(Fault::Opcode),
                    (!fields_ok).mux(code(Fault::Field), code(Fault::Geometry)),
                ),
            ),
        );
        let bad_length = (segment_ends & !length_ok).named("bad_length");
        let bad_payload = (end_2 & !payload_ok).named("bad_payload");
        let bad_header = (decide & !accept).named("bad_header");
        m.output("fault", UInt(8)).set(bad_header.mux(
            header_fault,
            bad_payload.mux(
                code(Fault::PayloadCrc),
                bad_length.mux(code(Fault::Field), m.lit(UInt(8), 0)),
            ),
        ));
        m.output("fault_segment", UInt(32)).set(bad_payload.mux(ended, sequence));
        m.output("segment", UInt(32)).set(sequence);
        let ok = (ends_pass_2 & payload_ok).named("ok");
        m.output("pass_ok", UInt(1)).comment("The pass was read to its end and is sound.").set(ok);
        m.output("start_loaded", UInt(1))
            .set((operands_end & starting).register("loaded").reset(0));
        m.output("want", UInt(1)).set(want);

        // ----- to the others -----
        out.valid.set(pending);
        let fields = [
            expected,
            rows,
            byte(7, 0).truncate(instruction::FRAC),
            byte(7, 1).truncate(instruction::FRAC),
            last_layer,
        ];
        for (to, from) in out.fields.iter().zip(fields) {
            to.set(from);
        }
        for (name, n) in [("outer", 8), ("floor", 9), ("rescale", 10)] {
            m.output(name, UInt(32)).set(word(n));
        }
        for (name, sig) in shape.all() {
            m.output(name, sig.ty()).set(sig);
        }
        let id = [("image_id_lo", 11), ("image_id_hi", 12)];
        for (name, n) in id {
            let kept = m.reg(format!("{name}_now"), UInt(32)).reset(0);
            m.when(accept & starting, || kept.set(word(n)));
            m.output(name, UInt(32)).set(kept);
        }

        let place = |memory: u32| -> (Sig<'_>, Sig<'_>) {
            let (mut here, mut second) = (vec![], vec![m.lit(UInt(1), 0)]);
            for op in Opcode::ALL {
                for n in 0..4 {
                    let goes = operand_place(op, n);
                    if goes.is_some_and(|(to, _)| to == memory) {
                        let hit = is(expected, op) & vector.eq(n);
                        here.push(hit);
                        second.extend(goes.filter(|p| p.1).map(|_| hit));
                    }
                }
            }
            (m.cat(&here).any(), m.cat(&second).any())
        };
        let places: Vec<(Sig<'_>, Sig<'_>)> = (0..4).map(place).collect();
        let writes: Vec<Sig<'_>> = places.iter().rev().map(|p| operand_fires & p.0).collect();
        let seconds: Vec<Sig<'_>> = places.iter().rev().map(|p| p.1).collect();
        m.output("operand_write", UInt(4))
            .comment("A bit for each operand memory.")
            .set(m.cat(&writes).register("write_now").reset(0));
        m.output("operand_second", UInt(4)).set(m.cat(&seconds).register("second_now"));
        m.output("operand_at", UInt(LENGTH)).set(beat.register("at_now"));
        m.output("operand_data", UInt(bus)).set(stream.data.register("data_now"));

        m.output("code_read", UInt(1)).set(weight_fires);
        m.output("code_at", UInt(LENGTH)).set(beat);
        m.output("code_from", UInt(1))
            .comment("Which of the two vectors of codes.")
            .set(code_buffer);
        m.output("code_release", UInt(1)).set(weights_end);
        m.output("weights_valid", UInt(1)).set(weight_fires.delay_valid("weights_valid_at", READ));
        m.output("weights_first", UInt(1)).set(beat.eq(0).delay("weights_first_at", READ));
        m.output("weights_last", UInt(1)).set(row_ends.delay("weights_last_at", READ));
        m.output("weights", UInt(bus)).set(stream.data.delay("weights_at", READ));
    }
}
