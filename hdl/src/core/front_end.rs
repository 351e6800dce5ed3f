use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::parts::Crc32c;
use sterna_rtl::{Generate, Module, Sig, UInt, index_width};

use super::instruction::{Instruction, OPCODE, ROW_COUNT, is};
use super::{HeaderCheck, LENGTH, READ, ROWS, groups};
use crate::fault::Fault;

/// Reads the image: headers, operands, weights, in this order, as they come.
///
/// ```text
///            +-> [ CRC-32C ] ------------------------- equal? --> fault, pass_ok
///            |
///  s (beats)-+-> [ header check ] -> fields -----------> issue (scale, epilogue)
///            +-> operand_write, operand_at, operand_data -> operand memories
///            +-> [ delay READ ] -> beat, first, last -----> ternary unit
///                 code_read, code_at --------------------> code memory
/// ```
///
/// A header takes its beats and two clocks of checking. Operands are taken a beat a clock;
/// weights, too, as long as the codes that they meet are there (`code_words` counts those of the
/// vector in question) and fewer row groups wait for the epilogue than have a place. Nothing else stalls
/// the stream, so a pass is a fixed function of the image and of when its codes are ready.
///
/// Trusts nothing in the stream. A payload's checksum is compared two clocks after its last beat;
/// `pass_ok` follows the last one. Cost a CRC unit, [`HeaderCheck`], some 300 registers and READ
/// beats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Clocks from a payload's last beat to its checksum.
const CHECKSUM: usize = 2;

/// Where the front end stands.
#[derive(Clone, Copy)]
enum State {
    Idle,
    Header,
    /// The header is being checked.
    Check,
    Operands,
    Weights,
}

/// Which of the four operand memories a vector goes to, and whether to its second half.
///
/// Halves alternate, so that a vector is loaded while the one before it is still in use: memory 0
/// holds what the first gain multiplies (i, w_o, MLP, w_d), 1 and 2 the gains of f and g, 3 what
/// stands beside them (lower bounds, w_g, w1).
fn operand_place(opcode: Opcode, n: u32) -> Option<(u32, bool)> {
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

impl FrontEnd {
    /// Clocks from an image's last beat to `pass_ok`.
    pub const SOUND: u32 = CHECKSUM as u32;
}

impl Generate for FrontEnd {
    fn name(&self) -> String {
        "front_end".into()
    }

    fn describe(&self, m: &Module) {
        let bus = self.geometry.bus;
        let unit_shift = (512 / bus).trailing_zeros();
        m.doc("Reads the image: checks headers, hands out operands and weights.");
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
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
        let to = |s: State| m.lit(UInt(3), s as u8);
        let segment = m.reg("segment_now", UInt(32)).reset(0).comment("Number of the segment.");
        let expected = m.reg("expected", UInt(OPCODE)).reset(Opcode::Start as u8);
        let layer = m.reg("layer", UInt(10)).reset(0);
        let fires = stream.fires().named("fires");

        // ----- header -----
        let header = m.instance("u_header", &HeaderCheck { geometry: self.geometry.clone() });
        let crc = m.instance("u_crc", &Crc32c { width: bus });
        let header_fires = (at(State::Header) & fires).named("header_fires");
        header.set("take", header_fires).set("data", stream.data).set("crc", crc.port("crc"));
        header.set("expected", expected).set("layer", layer).set("segment", segment);
        header.set("no_head", no_head).set("image_units", image_units).set("row_units", row_units);
        let accept = header.port("accept");
        let starting = is(expected, Opcode::Start).named("starting");
        let last_layer = header.port("last_layer");

        // ----- payload: operand vectors, then row groups -----
        let vector = m.reg("vector", UInt(2)).reset(0).comment("Number of the operand vector.");
        let vectors_left = m.reg("vectors_left", UInt(3)).reset(0);
        let beat = m.reg("beat", UInt(LENGTH)).reset(0).comment("Beat of the vector or row group.");
        let vector_beats = m.reg("vector_beats", UInt(LENGTH));
        let group_beats = m.reg("group_beats", UInt(LENGTH));
        let part_rows = m.reg("part_rows", UInt(ROW_COUNT));
        let rows_left = m.reg("rows_left", UInt(ROW_COUNT));
        let another = m.reg("another", UInt(1)).comment("Another matrix follows: up after gate.");

        let operand_fires = (at(State::Operands) & fires).named("operand_fires");
        let vector_ends =
            (operand_fires & beat.eq(vector_beats.wrapping_sub(1))).named("vector_ends");
        let operands_end = (vector_ends & vectors_left.eq(1)).named("operands_end");
        let weight_fires = (at(State::Weights) & fires).named("weight_fires");
        let group_last = beat.eq(group_beats.wrapping_sub(1)).named("group_last");
        let group_ends = (weight_fires & group_last).named("group_ends");
        let last_group = rows_left.le(ROWS).named("last_group");
        let weights_end = (group_ends & last_group & !another).named("weights_end");
        m.when(vector_ends | group_ends, || beat.set(0))
            .elsewhen(operand_fires | weight_fires, || beat.set(beat.wrapping_add(1)));
        m.when(vector_ends, || {
            vector.set(vector.wrapping_add(1));
            vectors_left.set(vectors_left.wrapping_sub(1));
        });
        m.when(group_ends, || {
            rows_left.set(last_group.mux(part_rows, rows_left.wrapping_sub(ROWS)));
            m.when(last_group, || another.set(0));
        });

        // ----- what may stall -----
        let places = groups(&self.geometry).depth;
        let waiting = m
            .reg("waiting", UInt(index_width(places + 1)))
            .reset(0)
            .comment("Row groups not yet taken.");
        let group_begins = (weight_fires & beat.eq(0)).named("group_begins");
        m.when(group_begins & !group_taken, || waiting.set(waiting.wrapping_add(1)));
        m.when(group_taken & !group_begins, || waiting.set(waiting.wrapping_sub(1)));
        m.assert("a_place_for_every_group", waiting.le(places));
        let room = (beat.ne(0) | waiting.ne(places)).named("room");
        // An instruction is handed on before its payload: then the one two before it is done, and
        // its operands may be overwritten.
        let pending = m.reg("pending", UInt(1)).reset(0).comment("`issue` was not taken yet.");
        m.when(out.ready, || pending.set(0));
        let weights_may = (code_words.gt(beat) & room).named("weights_may");
        let payload = at(State::Operands) | (at(State::Weights) & weights_may);
        let want = (at(State::Header) | (payload & !pending)).named("wants");
        stream.ready.set(want);

        // ----- from state to state -----
        let segment_ends = ((operands_end & starting) | weights_end).named("segment_ends");
        let last_down = (is(expected, Opcode::Down) & last_layer & no_head).named("last_down");
        let pass_ends =
            (segment_ends & (is(expected, Opcode::Head) | last_down)).named("pass_ends");
        m.when(header.port("ended"), || state.set(State::Check as u8));
        m.when(accept, || {
            let rows = header.port("rows");
            vector.set(0);
            vectors_left.set(header.port("vectors"));
            vector_beats.set((header.port("vector_units") << unit_shift).extend(LENGTH));
            // Columns are padded to 64 bytes.
            let padded = ((header.port("columns") + 63u8) >> 6).truncate(LENGTH - 6);
            group_beats.set((padded << unit_shift).extend(LENGTH));
            part_rows.set(rows);
            rows_left.set(rows);
            another.set(is(expected, Opcode::Glu));
            beat.set(0);
            pending.set(!starting);
            state.set(header.port("vectors").any().mux(to(State::Operands), to(State::Weights)));
        });
        m.when(operands_end, || state.set(State::Weights as u8));
        m.when(segment_ends, || {
            state.set(pass_ends.mux(to(State::Idle), to(State::Header)));
            segment.set(segment.wrapping_add(1));
            let due = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
            let after_down = last_layer.mux(due(Opcode::Head), due(Opcode::MixI));
            let next = expected.switch(expected.wrapping_add(1));
            expected.set(next.case(Opcode::Down as u8, after_down).end());
            m.when(is(expected, Opcode::Down), || layer.set(layer.wrapping_add(1)));
        });
        let code_buffer = m.reg("code_buffer", UInt(1)).reset(0);
        m.when(weights_end, || code_buffer.set(!code_buffer));
        m.when(begins, || {
            state.set(State::Header as u8);
            segment.set(0);
            expected.set(Opcode::Start as u8);
            layer.set(0);
            code_buffer.set(0);
        });

        // ----- checksum and length of payloads, two clocks after their last beat -----
        let in_payload = (at(State::Operands) | at(State::Weights)).named("in_payload");
        let payload_first = m.reg("payload_first", UInt(1)).reset(0);
        let left = m.reg("payload_left", UInt(32 + 3)).comment("Beats of the payload.");
        let payload_crc = m.reg("payload_crc", UInt(32));
        let header_first = m.reg("header_first", UInt(1)).reset(1);
        m.when(fires, || header_first.set(segment_ends));
        m.when(begins, || header_first.set(1));
        m.when(fires & in_payload, || {
            payload_first.set(0);
            left.set(left.wrapping_sub(1));
        });
        m.when(accept, || {
            payload_first.set(1);
            left.set((header.port("payload_units") << unit_shift).extend(left.width()));
            payload_crc.set(header.port("payload_crc"));
        });
        let first = at(State::Header).mux(header_first, payload_first);
        crc.set("valid", fires).set("first", first).set("data", stream.data);
        let check = segment_ends.delay_valid("ended", CHECKSUM);
        let (ended, due) = (m.reg("ended_segment", UInt(32)), m.reg("due_crc", UInt(32)));
        m.when(segment_ends, || {
            ended.set(segment);
            due.set(payload_crc);
        });
        let payload_ok = crc.port("crc").eq(due).named("payload_ok");
        let pass_ok = pass_ends.delay_valid("pass_ended", CHECKSUM) & payload_ok;

        // ----- faults -----
        let code = |fault: Fault| m.lit(UInt(8), fault as u8);
        let bad_length = (segment_ends & left.ne(1)).named("bad_length");
        let bad_payload = (check & !payload_ok).named("bad_payload");
        let length = bad_length.mux(code(Fault::Field), header.port("fault"));
        m.output("fault", UInt(8)).set(bad_payload.mux(code(Fault::PayloadCrc), length));
        m.output("fault_segment", UInt(32)).set(bad_payload.mux(ended, segment));
        m.output("segment", UInt(32)).set(segment);
        m.output("pass_ok", UInt(1))
            .comment("The pass was read to its end and is sound.")
            .set(pass_ok);
        let loaded = (operands_end & starting).register("loaded").reset(0);
        m.output("start_loaded", UInt(1)).comment("START's operands are there.").set(loaded);
        m.output("want", UInt(1)).set(want);

        // ----- to issue -----
        out.valid.set(pending);
        let fields = [
            expected,
            header.port("rows"),
            header.port("frac"),
            header.port("state_frac"),
            last_layer,
        ];
        for (to, from) in out.fields.iter().zip(fields) {
            to.set(from);
        }
        let shown = ["outer", "floor", "rescale", "image_id_lo", "image_id_hi"];
        let shape = ["hidden", "inner", "intermediate", "layers", "vocab"];
        for name in shown.into_iter().chain(shape) {
            let sig = header.port(name);
            m.output(name, sig.ty()).set(sig);
        }

        // ----- to the operand memories -----
        let places: Vec<(Sig<'_>, Sig<'_>)> =
            (0..4).map(|memory| goes_to(m, memory, expected, vector)).collect();
        let writes: Vec<Sig<'_>> = places.iter().rev().map(|p| operand_fires & p.0).collect();
        let seconds: Vec<Sig<'_>> = places.iter().rev().map(|p| p.1).collect();
        m.output("operand_write", UInt(4))
            .comment("A bit for each operand memory.")
            .set(m.cat(&writes).register("write_now").reset(0));
        m.output("operand_second", UInt(4)).set(m.cat(&seconds).register("second_now"));
        m.output("operand_at", UInt(LENGTH)).set(beat.register("at_now"));
        m.output("operand_data", UInt(bus)).set(stream.data.register("data_now"));

        // ----- to the ternary unit -----
        m.output("code_read", UInt(1)).set(weight_fires);
        m.output("code_at", UInt(LENGTH)).set(beat);
        m.output("code_from", UInt(1))
            .comment("Which of the two vectors of codes.")
            .set(code_buffer);
        m.output("code_release", UInt(1)).set(weights_end);
        m.output("weights_valid", UInt(1)).set(weight_fires.delay_valid("weights_valid_at", READ));
        m.output("weights_last", UInt(1)).set(group_last.delay("weights_last_at", READ));
        m.output("weights", UInt(bus)).set(stream.data.delay("weights_at", READ));
    }
}

/// Whether the present vector goes to this operand memory, and whether to its second half.
fn goes_to<'m>(m: &'m Module, memory: u32, opcode: Sig<'m>, vector: Sig<'m>) -> (Sig<'m>, Sig<'m>) {
    let (mut here, mut second) = (vec![], vec![m.lit(UInt(1), 0)]);
    for op in Opcode::ALL {
        for n in 0..4 {
            let Some((to, half)) = operand_place(op, n) else { continue };
            if to == memory {
                let hit = is(opcode, op) & vector.eq(n);
                here.push(hit);
                second.extend(half.then_some(hit));
            }
        }
    }
    (m.cat(&here).any(), m.cat(&second).any())
}
