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
///                  +-> [ CRC-32C ] ------------------------- equal? --> fault, pass_ok
///                  |
///  s (beats)-[reg]-+-> [ header check ] -> fields -----------> issue (scale, epilogue)
///      |           +-> operand_write, operand_at, operand_data -> operand memories
///      |           +-> [ delay READ ] -> beat, first, last -----> ternary unit
///      |                code_read, code_at --------------------> code memory
///      +-> which beat it is -> what is wanted next
/// ```
///
/// A header takes its beats and [`FrontEnd::HEADER`] clocks of checking. Operands are taken a beat a
/// clock; weights, too, as long as the codes that they meet are there (`code_there` says so of the
/// next beat of a vector's first row group, `code_taken` when it is taken) and fewer row groups wait
/// for the epilogue than have a place. Nothing else stalls the stream, so a pass is a fixed function
/// of the image and of when its codes are ready.
///
/// Whether a beat is wanted is decided in the clock before, and is a register. All that depends on
/// its being taken in the same clock is which beat comes next, in counters whose ends are known a
/// clock ahead, and whether that one is wanted; everything else sees a beat a clock later.
///
/// Trusts nothing in the stream. A payload's checksum is compared [`FrontEnd::SOUND`] clocks after
/// its last beat; `pass_ok` follows the last one. Cost a CRC unit, [`HeaderCheck`], some 670
/// registers, READ + 1 beats among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Clocks from a payload's last beat, in its register, to its checksum.
const CHECKSUM: usize = 2;

/// What is being read, a bit each; none of them while a header is checked, and between passes.
#[derive(Clone, Copy)]
enum State {
    Header,
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
    /// Clocks from the one in which a beat is taken to the one in which it is used.
    pub const STAGE: u32 = 1;
    /// Clocks from a header's last beat to its acceptance.
    pub const HEADER: u32 = Self::STAGE + HeaderCheck::LATENCY;
    /// Clocks from an image's last beat to `pass_ok`.
    pub const SOUND: u32 = Self::STAGE + CHECKSUM as u32 + 1;
    /// Clocks from the one in which the epilogue takes a row group to the one in which its place is
    /// free for another.
    pub const ROOM: u32 = 2;
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
        let code_there = m
            .input("code_there", UInt(1))
            .comment("In the next clock the vector's next codes are.");
        let group_taken = m.input("group_taken", UInt(1)).comment("The epilogue took a group.");
        let out = Instruction::output(m, "issue");

        let state = m.reg("state", UInt(3)).reset(0);
        let at = |s: State| state.bit(s as u32);
        let want = m.reg("wants", UInt(1)).reset(0).comment("A beat is taken if there is one.");
        stream.ready.set(want);
        let segment = m.reg("segment_now", UInt(32)).reset(0).comment("Number of the segment.");
        let expected = m.reg("expected", UInt(OPCODE)).reset(Opcode::Start as u8);
        let layer = m.reg("layer", UInt(10)).reset(0);
        let fires = stream.fires().named("fires");
        let data = stream.data.register("data_now");

        // ----- header -----
        let header = m.instance("u_header", &HeaderCheck { geometry: self.geometry.clone() });
        let crc = m.instance("u_crc", &Crc32c { width: bus });
        let header_fires = (at(State::Header) & fires).named("header_fires");
        header.set("take", header_fires.delay_valid("header_now", 1)).set("data", data);
        header.set("crc", crc.port("crc"));
        header.set("expected", expected).set("layer", layer).set("segment", segment);
        header.set("no_head", no_head).set("image_units", image_units).set("row_units", row_units);
        let accept = header.port("accept");
        // What is expected has been known since the segment before.
        let starting = is(expected, Opcode::Start).register("starting").reset(1);
        let last_layer = header.port("last_layer");

        // ----- payload: operand vectors, then row groups -----
        let vector = m.reg("vector", UInt(2)).reset(0).comment("Number of the operand vector.");
        let vectors_left = m.reg("vectors_left", UInt(3)).reset(0);
        let run = Run::new(m, fires);
        let part_rows = m.reg("part_rows", UInt(ROW_COUNT));
        let rows_left = m.reg("rows_left", UInt(ROW_COUNT));
        let last_group = m.reg("last_group", UInt(1)).comment("No more than five rows are left.");
        let another = m.reg("another", UInt(1)).comment("Another matrix follows: up after gate.");

        let operand_fires = (at(State::Operands) & fires).named("operand_fires");
        let weight_fires = (at(State::Weights) & fires).named("weight_fires");
        // What the present run would end, if it did.
        let last_vector = (at(State::Operands) & vectors_left.eq(1)).named("last_vector");
        let last_of_all = (at(State::Weights) & last_group & !another).named("last_of_all");
        let closes = (last_of_all | (last_vector & starting)).named("closes");
        let ends = (fires & run.last).named("run_ends");
        let vector_ends = (ends & at(State::Operands)).named("vector_ends");
        let group_ends = (ends & at(State::Weights)).named("group_ends");
        let (vector_beats, group_beats) =
            (header.port("vector_beats").named("vector_beats"), header.port("group_beats"));
        let group_beats = group_beats.named("group_beats");
        let header_beats = m.lit(UInt(LENGTH), 512 / bus);
        let stays = (at(State::Operands) & !last_vector).named("another_vector");
        let beats = closes.mux(header_beats, stays.mux(vector_beats, group_beats));
        m.when(ends, || run.begin(beats));
        m.when(vector_ends, || {
            vector.set(vector.wrapping_add(1));
            vectors_left.set(vectors_left.wrapping_sub(1));
        });
        m.when(group_ends, || {
            rows_left.set(last_group.mux(part_rows, rows_left.wrapping_sub(ROWS)));
            let few_then = rows_left.le(2 * ROWS);
            last_group.set(last_group.mux(part_rows.le(ROWS), few_then));
            m.when(last_group, || another.set(0));
        });

        // ----- what may stall -----
        let places = groups(&self.geometry).depth;
        let waiting = m
            .reg("waiting", UInt(index_width(places + 1)))
            .reset(0)
            .comment("Row groups not yet taken.");
        let full = m.reg("full", UInt(1)).reset(0).comment("They have no place for another.");
        let group_taken = group_taken.delay_valid("group_gone", 1);
        let group_begins = (weight_fires & run.first).named("group_begins");
        let fills = (group_begins & waiting.eq(places - 1)).named("fills");
        let full_then = (!group_taken & (full | fills)).named("full_then");
        full.set(full_then);
        m.when(group_begins & !group_taken, || waiting.set(waiting.wrapping_add(1)));
        m.when(group_taken & !group_begins, || waiting.set(waiting.wrapping_sub(1)));
        m.assert("a_place_for_every_group", waiting.le(places));
        m.assert("full_as_waiting", full.eq(waiting.eq(places)));
        // An instruction is handed on before its payload: then the one two before it is done, and
        // its operands may be overwritten.
        let pending = m.reg("pending", UInt(1)).reset(0).comment("`issue` was not taken yet.");
        let new_codes =
            m.reg("new_codes", UInt(1)).comment("The vector's codes were not all met yet.");
        m.when(group_ends, || new_codes.set(0));
        let first_then = (ends | (run.first & !fires)).named("first_then");
        let codes_may = (code_there | !new_codes | group_ends).named("codes_may");
        let weights_may = (codes_may & !(first_then & full_then)).named("weights_may");
        m.output("code_taken", UInt(1))
            .comment("A beat takes codes that it meets first.")
            .set(weight_fires & new_codes);

        // ----- from state to state -----
        let segment_ends = (ends & closes).named("segment_ends");
        let last_down = (is(expected, Opcode::Down) & last_layer & no_head).named("last_down");
        let final_one = (is(expected, Opcode::Head) | last_down).register("final_one");
        let pass_ends = (segment_ends & final_one).named("pass_ends");
        // START has nobody to be handed to.
        let goes_on = ((accept & starting) | (pending & out.ready)).named("goes_on");
        let operands = header.port("vectors").any().named("has_operands");
        let next_header = begins | (segment_ends & !final_one) | (at(State::Header) & !ends);
        let next_operands = (goes_on & operands) | (at(State::Operands) & !(ends & last_vector));
        let next_weights = (goes_on & !operands)
            | (vector_ends & last_vector & !starting)
            | (at(State::Weights) & !(ends & last_of_all));
        let next_header = next_header.named("header_then");
        let next_operands = next_operands.named("operands_then");
        let next_weights = next_weights.named("weights_then");
        state.set(next_weights.cat(next_operands).cat(next_header));
        want.set(next_header | next_operands | (next_weights & weights_may));
        m.when(accept, || {
            let rows = header.port("rows");
            vector.set(0);
            vectors_left.set(header.port("vectors"));
            part_rows.set(rows);
            rows_left.set(rows);
            last_group.set(rows.le(ROWS));
            another.set(is(expected, Opcode::Glu));
            new_codes.set(1);
            pending.set(!starting);
            run.begin(operands.mux(vector_beats, group_beats));
        });
        m.when(pending & out.ready, || pending.set(0));
        let segment_ended = segment_ends.delay_valid("segment_ended", 1);
        m.when(segment_ended, || {
            segment.set(segment.wrapping_add(1));
            let due = |op: Opcode| m.lit(UInt(OPCODE), op as u8);
            let after_down = last_layer.mux(due(Opcode::Head), due(Opcode::MixI));
            let next = expected.switch(expected.wrapping_add(1));
            expected.set(next.case(Opcode::Down as u8, after_down).end());
            m.when(is(expected, Opcode::Down), || layer.set(layer.wrapping_add(1)));
        });
        let code_buffer = m.reg("code_buffer", UInt(1)).reset(0);
        let release = (ends & last_of_all).delay_valid("release", 1);
        m.when(release, || code_buffer.set(!code_buffer));
        m.when(begins, || {
            run.begin(header_beats);
            segment.set(0);
            expected.set(Opcode::Start as u8);
            layer.set(0);
            code_buffer.set(0);
        });

        // ----- checksum and length of payloads, of beats in their register -----
        let in_payload = (at(State::Operands) | at(State::Weights)).named("in_payload");
        let payload_first = m.reg("payload_first", UInt(1)).reset(0);
        let left = m.reg("payload_left", UInt(32 + 3)).comment("Beats of the payload.");
        let payload_crc = m.reg("payload_crc", UInt(32));
        m.when(fires & in_payload, || payload_first.set(0));
        let payload_now = (fires & in_payload).delay_valid("payload_now", 1);
        m.when(payload_now, || left.set(left.wrapping_sub(1)));
        m.when(accept, || {
            payload_first.set(1);
            left.set((header.port("payload_units") << unit_shift).extend(left.width()));
            payload_crc.set(header.port("payload_crc"));
        });
        let first = at(State::Header).mux(run.first, payload_first).register("first_now");
        crc.set("valid", fires.delay_valid("fires_now", 1)).set("first", first).set("data", data);
        let (ended, due) = (m.reg("ended_segment", UInt(32)), m.reg("due_crc", UInt(32)));
        m.when(segment_ended, || {
            ended.set(segment);
            due.set(payload_crc);
        });
        let payload_ok = crc.port("crc").eq(due).register("payload_ok");
        let check = segment_ended.delay_valid("checks", CHECKSUM + 1);
        let pass_ok = pass_ends.delay_valid("pass_ended", Self::SOUND as usize) & payload_ok;

        // ----- faults -----
        let code = |fault: Fault| m.lit(UInt(8), fault as u8);
        let bad_length = (segment_ended & left.ne(1)).delay_valid("bad_length", 1);
        let bad_payload = (check & !payload_ok).named("bad_payload");
        let length = bad_length.mux(code(Fault::Field), header.port("fault"));
        let fault = bad_payload.mux(code(Fault::PayloadCrc), length);
        let place = (bad_payload | bad_length).mux(ended, segment);
        m.output("fault", UInt(8)).set(fault.register("fault_now").reset(0));
        m.output("fault_segment", UInt(32)).set(place.register("fault_place"));
        m.output("segment", UInt(32)).set(segment);
        m.output("pass_ok", UInt(1))
            .comment("The pass was read to its end and is sound.")
            .set(pass_ok);
        let loaded = (ends & last_vector & starting).register("loaded").reset(0);
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
        m.output("operand_at", UInt(LENGTH)).set(run.beat.register("at_now"));
        m.output("operand_data", UInt(bus)).set(data);

        // ----- to the ternary unit -----
        let weights_now = weight_fires.delay_valid("weights_now", 1);
        m.output("code_read", UInt(1)).set(weights_now);
        m.output("code_at", UInt(LENGTH)).set(run.beat.register("code_at_now"));
        m.output("code_from", UInt(1))
            .comment("Which of the two vectors of codes.")
            .set(code_buffer);
        m.output("code_release", UInt(1)).set(release);
        m.output("weights_valid", UInt(1)).set(weights_now.delay_valid("weights_valid_at", READ));
        m.output("weights_last", UInt(1)).set(run.last.delay("weights_last_at", READ + 1));
        m.output("weights", UInt(bus)).set(data.delay("weights_at", READ));
    }
}

/// Beats that belong together: a header, a vector, a row group.
#[derive(Clone, Copy)]
struct Run<'m> {
    /// Which of them is next.
    beat: Sig<'m>,
    /// It is the first.
    first: Sig<'m>,
    /// It is the last.
    last: Sig<'m>,
    /// They and those behind.
    left: Sig<'m>,
}

impl<'m> Run<'m> {
    /// Goes on with every beat that is taken, until another run begins.
    fn new(m: &'m Module, fires: Sig<'m>) -> Run<'m> {
        let run = Run {
            beat: m.reg("beat", UInt(LENGTH)).reset(0).comment("Of the header, vector or group."),
            first: m.reg("first_beat", UInt(1)).reset(1),
            last: m.reg("last_beat", UInt(1)).reset(0),
            left: m.reg("beats_left", UInt(LENGTH)).reset(0),
        };
        m.when(fires, || {
            run.beat.set(run.beat.wrapping_add(1));
            run.first.set(0);
            run.last.set(run.left.eq(2));
            run.left.set(run.left.wrapping_sub(1));
        });
        run
    }

    /// Another one begins, of so many beats.
    fn begin(&self, beats: Sig<'m>) {
        self.beat.set(0);
        self.first.set(1);
        self.last.set(beats.eq(1));
        self.left.set(beats);
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
