use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::parts::{Fifo, ReadMaster, ReadMux, Storage, WriteMaster};
use sterna_rtl::{AxiKind, Generate, Instance, Module, Sig, UInt};

use super::instruction::{Instruction, is};
use super::memories::{self, Reader, share, with_data};
use super::{
    ACCUMULATOR, ADDRESS, Embedding, Epilogue, FrontEnd, GROUPS, Head, Issue, Quantiser, READ,
    ROWS, StateMover, memory_widths,
};
use crate::probe;
use crate::units::TernaryUnit;

/// All that a pass runs through.
///
/// ```text
///  m_axi -> image reader -> [ front end ] -> beats -> [ ternary unit ] -> groups -> [ epilogue ]
///                                |   |  codes --^            ^                        |    |
///        operand memories <------+   +-> [ issue ] -- scale -+------------------------+    |
///                |                          ^ statistics                              |    |
///                +---> [ quantiser ] <------+-----------------------------------------+    |
///                          ^   x, v, p memories <-----------------------------------------+
///  m_axi -> row reader --> [ embedding ], [ state mover ] <-> state memory
///  m_axi <- writer <------ [ head ], [ state mover ]
/// ```
///
/// Everything in here is forgotten by its reset, except what the memories hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl Engine {
    /// Ports that tell the control how things stand.
    pub(crate) const REPORTS: [&'static str; 22] = [
        "pass_ok",
        "layers_ended",
        "best_given",
        "best",
        "recorded",
        "head_idle",
        "mover_busy",
        "image_busy",
        "row_busy",
        "writer_busy",
        "image_valid",
        "image_want",
        "moves",
        "clamps",
        "front_fault",
        "front_segment",
        "bad_trit",
        "trit_segment",
        "bad_row",
        "bad_read",
        "bad_write",
        "segment",
    ];

    /// Bits of a job's length in beats.
    const JOB: u32 = 35;
}

/// What the memories are asked for and give.
struct Data<'m> {
    residual: Instance<'m>,
    mix: Instance<'m>,
    product: Instance<'m>,
    state: Instance<'m>,
    codes: Instance<'m>,
    operands: [Instance<'m>; 4],
}

/// Sets a memory's write port; the address is cut to what the memory has.
fn write<'m>(memory: Instance<'m>, bits: u32, [write, at, data]: [Sig<'m>; 3]) {
    let at = if at.width() > bits { at.truncate(bits) } else { at.extend(bits) };
    memory.set("write", write).set("write_at", at).set("data", data);
}

impl Generate for Engine {
    fn name(&self) -> String {
        "engine".into()
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        let (bus, v, q) = (g.bus, g.ways, g.quantisers);
        let unit_shift = (512 / bus).trailing_zeros();
        m.doc("All that a pass runs through.");
        let bit = |name: &str| m.input(name, UInt(1));
        let (begins, save, load, abort) = (bit("begins"), bit("save"), bit("load"), bit("abort"));
        let (no_head, logits, fresh) = (bit("no_head"), bit("logits"), bit("fresh"));
        let token = m.input("token", UInt(20));
        let index = m.input("index", UInt(16));
        let image_units = m.input("image_units", UInt(32));
        let row_units = m.input("row_units", UInt(10));
        let state_units = m.input("state_units", UInt(19));
        let record_addr = m.input("record_addr", UInt(ADDRESS));
        let [image_base, embed_base, state_base, logits_base] =
            ["image", "embed", "state", "logits"]
                .map(|n| m.input(format!("{n}_base"), UInt(ADDRESS)));
        let axi = m.axi_master("m_axi", AxiKind::Full, memory_widths(bus));

        // ----- the memory's ports -----
        let widths = memory_widths(bus);
        let reader = |number, depth| ReadMaster { widths, length: Engine::JOB, depth, number };
        let image = m.instance("u_image_reader", &reader(0, g.prefetch));
        let burst = reader(1, g.prefetch).burst() as usize;
        let rows = m.instance("u_row_reader", &reader(1, burst));
        let writer = m.instance("u_writer", &WriteMaster { widths, length: Engine::JOB });
        for unit in [image, rows, writer] {
            unit.set("abort", abort);
        }
        let mux = m.instance("u_read_mux", &ReadMux { widths });
        for (port, reader) in [("s0_axi", image), ("s1_axi", rows)] {
            mux.axi(port, AxiKind::Read, widths).connect(&reader.axi(
                "m_axi",
                AxiKind::Read,
                widths,
            ));
        }
        let read_side = mux.axi("m_axi", AxiKind::Read, widths);
        let write_side = writer.axi("m_axi", AxiKind::Write, widths);
        axi.connect(&read_side);
        axi.connect(&write_side);

        // ----- what there is -----
        let front = m.instance("u_front_end", &FrontEnd { geometry: g.clone() });
        let ternary_unit = TernaryUnit { bus };
        let ternary = m.instance("u_ternary_unit", &ternary_unit);
        let issue = m.instance("u_issue", &Issue);
        let quantiser = m.instance("u_quantiser", &Quantiser { geometry: g.clone() });
        let epilogue = m.instance("u_epilogue", &Epilogue { geometry: g.clone() });
        let embedding = m.instance("u_embedding", &Embedding { geometry: g.clone() });
        let head = m.instance("u_head", &Head { geometry: g.clone() });
        let mover = m.instance("u_state_mover", &StateMover { geometry: g.clone() });
        let vector = |lanes: usize| memories::vector(g, lanes);
        let data = Data {
            residual: m.instance("u_residual", &vector(g.hidden)),
            mix: m.instance("u_mix", &vector(g.inner)),
            product: m.instance("u_product", &vector(g.intermediate)),
            state: m.instance("u_state", &memories::state(g)),
            codes: m.instance("u_codes", &memories::codes(g)),
            operands: [0, 1, 2, 3]
                .map(|i| m.instance(format!("u_operand_{i}"), &memories::operand(g, i))),
        };

        // ----- image: reader, front end -----
        image.set("start", begins).set("addr", image_base);
        image.set("beats", (image_units << unit_shift).extend(Engine::JOB));
        let stream = image.stream("m");
        let beats = front.stream("s");
        beats.valid.set(stream.valid);
        beats.data.set(stream.data);
        stream.ready.set(beats.ready);
        front.set("begins", begins).set("no_head", no_head).set("image_units", image_units);
        front.set("row_units", row_units).set("code_words", quantiser.port("code_words"));
        for unit in [issue, quantiser, epilogue, head] {
            unit.set("begins", begins);
        }

        // ----- codes and weights to groups of accumulators -----
        for name in ["hidden", "inner", "intermediate", "layers", "start_loaded", "code_release"] {
            quantiser.set(name, front.port(name));
        }
        quantiser.set("no_head", no_head);
        let words = memories::code_words(g);
        let code_memory = memories::codes(g);
        let (buffers, per_word) = (code_memory.read_bits(), code_memory.store / code_memory.narrow);
        let low = per_word.trailing_zeros();
        let write_bits = code_memory.write_bits();
        let write_at = second(
            m,
            quantiser.port("code_buffer"),
            quantiser.port("code_write_at"),
            write_bits,
            words * per_word as usize,
        );
        write(
            data.codes,
            write_bits,
            [quantiser.port("code_write"), write_at, quantiser.port("codes")],
        );
        let word_at =
            second(m, front.port("code_from"), front.port("code_at"), buffers - low, words);
        let read_at = if low > 0 { word_at.cat(m.lit(UInt(low), 0)) } else { word_at };
        data.codes.set("read_wide", front.port("code_read")).set("read_narrow", 0);
        data.codes.set("read_at", read_at);

        ternary.set("valid", front.port("weights_valid")).set("first", front.port("weights_first"));
        ternary.set("last", front.port("weights_last")).set("beat", front.port("weights"));
        ternary.set("codes", data.codes.port("wide"));
        // The sum belongs to the vector whose group leaves the unit.
        let from = front
            .port("code_from")
            .delay("sum_from", READ + ternary_unit.sum_codes_after() as usize);
        let sum = from.mux(quantiser.port("code_sum_1"), quantiser.port("code_sum_0"));
        ternary.set("sum_codes", sum);
        let groups = Fifo {
            ty: UInt(ROWS * ACCUMULATOR),
            depth: GROUPS as usize,
            last: false,
            storage: Storage::Registers,
        };
        let groups = m.instance("u_groups", &groups);
        let (into, out_of) = (groups.stream("s"), groups.stream("m"));
        into.valid.set(ternary.port("sums_valid"));
        into.data.set(ternary.port("sums"));
        m.assert("every_group_has_a_place", !into.valid | into.ready);
        epilogue.stream("group").connect(out_of);
        front.set("group_taken", out_of.fires());

        // ----- instructions and scales -----
        Instruction::of(issue, "in").connect(&Instruction::of(front, "issue"));
        for name in ["outer", "floor", "rescale"] {
            issue.set(name, front.port(name));
        }
        for name in ["a", "b", "max_0", "max_1", "max_2", "gather"] {
            issue.set(name, epilogue.port(name));
        }
        let row = ["row_a", "row_b", "row_max_0", "row_max_1", "row_max_2", "enter"];
        for name in row {
            issue.set(name, embedding.port(name));
        }
        let handed = Instruction::of(issue, "out");
        Instruction::of(epilogue, "in").connect(&handed);
        epilogue.set("factor", issue.port("factor")).set("shift", issue.port("shift"));
        epilogue.set("inner", front.port("inner")).set("fresh", fresh);
        epilogue.set("head_ready", head.port("ready"));

        // ----- quantiser: maxima in, vectors and gains in -----
        let entered = embedding.port("enter");
        quantiser.set("max_valid", entered | epilogue.port("max_valid"));
        for i in 0..3 {
            let (max, row) = (format!("max_{i}"), format!("row_max_{i}"));
            quantiser.set(&max, entered.mux(embedding.port(&row), epilogue.port(&max)));
        }
        let q_read = quantiser.port("read");
        let q_at = quantiser.port("read_at");
        let per_q = (q / v).trailing_zeros();
        let q_element = if per_q > 0 { q_at.cat(m.lit(UInt(per_q), 0)) } else { q_at };
        let source = quantiser.port("read_vector");
        let vectors = [
            (data.residual, "residual", g.hidden),
            (data.mix, "mix", g.inner),
            (data.product, "product", g.intermediate),
        ];
        for (i, (memory, name, lanes)) in vectors.into_iter().enumerate() {
            let readers = [
                Reader { read: q_read & source.eq(i), at: q_element, wide: true },
                Reader {
                    read: epilogue.port(&format!("{name}_read")),
                    at: epilogue.port(&format!("{name}_read_at")),
                    wide: false,
                },
            ];
            m.scope(name, || share(m, memory, &vector(lanes), &readers));
            epilogue.set(name, memory.port("narrow"));
        }
        let source_then = with_data(source, "source");
        let wide: Vec<Sig<'_>> = vectors.iter().map(|v| v.0.port("wide")).collect();
        quantiser.set("vector", source_then.select(&wide));

        // ----- operands: beats in, gains out -----
        let q_gain = quantiser.port("read_gain");
        for (i, &memory) in data.operands.iter().enumerate() {
            let of = memories::operand(g, i);
            // Memories 1 and 2 have no second half.
            let halves = matches!(i, 0 | 3);
            let start = if halves { memories::second_half(g, i) } else { 0 };
            let zero = m.lit(UInt(1), 0);
            let of_memory = |name: &str| front.port(name).bit(i as u32);
            let place = if halves { of_memory("operand_second") } else { zero };
            let at = second(
                m,
                place,
                front.port("operand_at"),
                of.write_bits(),
                start / of.write as usize,
            );
            let loads = of_memory("operand_write");
            write(memory, of.write_bits(), [loads, at, front.port("operand_data")]);
            let name = if i == 3 { "side" } else { "gain" };
            let (bits, start) = (of.read_bits(), start / v as usize);
            let asked = if halves { epilogue.port(&format!("{name}_second")) } else { zero };
            let at = second(m, asked, epilogue.port(&format!("{name}_read_at")), bits, start);
            let read = epilogue.port(&format!("{name}_read"));
            let read = if matches!(i, 1 | 2) { read & epilogue.port("gain_all") } else { read };
            let mut readers = vec![Reader { read, at, wide: false }];
            if i < 3 {
                let asked = if halves { quantiser.port("read_second") } else { zero };
                let at = second(m, asked, q_element, bits, start);
                readers.push(Reader { read: q_read & q_gain.eq(i), at, wide: true });
            }
            m.scope(format!("operand_{i}"), || share(m, memory, &of, &readers));
        }
        epilogue.set("side", data.operands[3].port("narrow"));
        for i in 0..3 {
            epilogue.set(&format!("gain_{i}"), data.operands[i].port("narrow"));
        }
        let gain_then = with_data(q_gain, "gain_of");
        let gains: Vec<Sig<'_>> = (0..3).map(|i| data.operands[i].port("wide")).collect();
        quantiser.set("gain", gain_then.select(&gains));

        // ----- results of the epilogue; embedding and state mover share two memories with it -----
        let from_epilogue = |name: &str| {
            ["write", "write_at", "data"].map(|s| epilogue.port(&format!("{name}_{s}")))
        };
        let [x_write, x_at, x_data] = from_epilogue("residual");
        let row_write = embedding.port("write");
        let x_at = row_write.mux(embedding.port("write_at"), x_at);
        let x_data = row_write.mux(embedding.port("data"), x_data);
        write(data.residual, vector(g.hidden).write_bits(), [x_write | row_write, x_at, x_data]);
        write(data.mix, vector(g.inner).write_bits(), from_epilogue("mix"));
        write(data.product, vector(g.intermediate).write_bits(), from_epilogue("product"));

        let state_memory = memories::state(g);
        let layer_base = epilogue.port("state_base");
        let bits = state_memory.read_bits();
        let [s_write, s_at, s_data] = from_epilogue("state");
        let s_at = add_to(layer_base, s_at, bits);
        let moved = mover.port("write");
        let mover_at = fit(mover.port("at"), bits);
        write(
            data.state,
            bits,
            [s_write | moved, moved.mux(mover_at, s_at), moved.mux(mover.port("data"), s_data)],
        );
        let readers = [
            Reader {
                read: epilogue.port("state_read"),
                at: add_to(layer_base, epilogue.port("state_read_at"), bits),
                wide: false,
            },
            Reader { read: mover.port("read"), at: mover_at, wide: false },
        ];
        m.scope("state", || share(m, data.state, &state_memory, &readers));
        let state = data.state.port("narrow");
        epilogue.set("state", state);
        mover.set("state", state).set("save", save).set("load", load).set("zero", fresh);
        let steps = (state_units << 4) >> v.trailing_zeros();
        mover.set("steps", fit(steps, mover.port("steps").width()));

        // ----- head -----
        for (to, from) in [
            ("valid", "head_valid"),
            ("acc", "head_acc"),
            ("token", "head_token"),
            ("last", "head_last"),
        ] {
            head.set(to, epilogue.port(from));
        }
        let head_starts = handed.valid & handed.ready & is(handed.opcode(), Opcode::Head);
        head.set("starts", head_starts)
            .set("mant", issue.port("mant"))
            .set("exp", issue.port("exp"));
        head.set("logits", logits).set("vocab", front.port("vocab")).set("index", index);
        head.set("pass_ok", front.port("pass_ok"));
        head.set("image_id", front.port("image_id_hi").cat(front.port("image_id_lo")));
        head.set("record_addr", record_addr).set("logits_addr", logits_base);
        head.set("writer_busy", writer.port("busy"));

        // ----- row reader: embedding rows, or state -----
        let asks = embedding.port("ask");
        let state_beats = (state_units << unit_shift).extend(Engine::JOB);
        embedding.set("start", begins).set("token", token).set("base", embed_base);
        embedding.set("row_units", row_units);
        rows.set("start", asks | load);
        rows.set("addr", load.mux(state_base, embedding.port("ask_addr")));
        rows.set("beats", load.mux(state_beats, embedding.port("ask_beats").extend(Engine::JOB)));
        let arriving = rows.stream("m");
        let loading = m.reg("loading", UInt(1)).reset(0).comment("Rows are state.");
        m.when(asks, || loading.set(0));
        m.when(load, || loading.set(1));
        for (to, mine) in [(embedding.stream("s"), !loading), (mover.stream("s"), loading)] {
            to.valid.set(arriving.valid & mine);
            to.data.set(arriving.data);
            if let (Some(to), Some(from)) = (to.last, arriving.last) {
                to.set(from);
            }
        }
        let (row_ready, state_ready) = (embedding.stream("s").ready, mover.stream("s").ready);
        arriving.ready.set(loading.mux(state_ready, row_ready));

        // ----- writer: records and logits, or state -----
        let head_asks = head.port("ask");
        writer.set("start", head_asks | save);
        writer.set("addr", save.mux(state_base, head.port("ask_addr")));
        writer.set("beats", save.mux(state_beats, head.port("ask_beats").extend(Engine::JOB)));
        let saving = m.reg("saving", UInt(1)).reset(0).comment("What is written is state.");
        m.when(head_asks, || saving.set(0));
        m.when(save, || saving.set(1));
        let (results, states) = (head.stream("m"), mover.stream("m"));
        let to_memory = writer.stream("s");
        to_memory.valid.set(saving.mux(states.valid, results.valid));
        to_memory.data.set(saving.mux(states.data, results.data));
        results.ready.set(to_memory.ready & !saving);
        states.ready.set(to_memory.ready & saving);

        // ----- reports -----
        let say = |name: &str, width: u32| m.output(name, UInt(width));
        say("pass_ok", 1).set(front.port("pass_ok"));
        // The layers have ended when the last one's statistics stand.
        let closing = m.reg("closing", UInt(1)).reset(0);
        let layers_ended = (closing & issue.port("gathered")).named("layers_end");
        m.when(layers_ended | begins, || closing.set(0));
        m.when(epilogue.port("ended") & epilogue.port("ended_last"), || closing.set(1));
        say("layers_ended", 1).set(layers_ended);
        say("best_given", 1).set(head.port("best_given"));
        say("best", 20).set(head.port("best"));
        say("recorded", 1).set(head.port("recorded"));
        say("head_idle", 1).set(head.port("idle"));
        say("mover_busy", 1).set(mover.port("busy"));
        say("image_busy", 1).set(image.port("busy"));
        say("row_busy", 1).set(rows.port("busy"));
        say("writer_busy", 1).set(writer.port("busy"));
        say("image_valid", 1).set(stream.valid);
        let want = front.port("want");
        say("image_want", 1).set(want);
        let moves = arriving.fires() | to_memory.fires() | epilogue.port("ended");
        say("moves", 1).set(moves);
        // A scale beyond the multiplier counts, too, where it is used.
        let scale_clamps = handed.valid
            & handed.ready
            & issue.port("clamped")
            & !is(handed.opcode(), Opcode::Head);
        say("clamps", 4).set((epilogue.port("clamps") + scale_clamps).truncate(4));
        say("front_fault", 8).set(front.port("fault"));
        say("front_segment", 32).set(front.port("fault_segment"));
        say("bad_trit", 1).set(ternary.port("bad"));
        let segment = front.port("segment");
        // A segment's number has 12 bits: 6 · 512 + 2 segments at most.
        let late = READ + TernaryUnit::BAD_LATENCY as usize;
        say("trit_segment", 32).set(segment.truncate(12).delay("segment", late).extend(32));
        say("bad_row", 1).set(embedding.port("fault"));
        say("bad_read", 1).set(image.port("error") | rows.port("error"));
        say("bad_write", 1).set(writer.port("error"));
        say("segment", 32).set(segment);
        for name in ["image_id_lo", "image_id_hi"] {
            say(name, 32).set(front.port(name));
        }

        // ----- probe -----
        for (name, ty) in probe::ports(g) {
            let from = match name {
                "probe_codes_valid" => quantiser.port("code_write"),
                "probe_codes" => quantiser.port("codes"),
                "probe_scale_valid" => (handed.valid & handed.ready).named("scale_taken"),
                "probe_factor" => issue.port("factor"),
                "probe_shift" => issue.port("shift"),
                "probe_mant" => issue.port("mant"),
                "probe_exp" => issue.port("exp"),
                "probe_out_valid" => epilogue.port("shown_valid"),
                "probe_out" => epilogue.port("shown"),
                "probe_head_valid" => epilogue.port("head_valid"),
                "probe_head" => epilogue.port("head_acc"),
                "probe_stats_valid" => issue.port("gathered"),
                "probe_a_mant" => issue.port("a_mant"),
                "probe_a_exp" => issue.port("a_exp"),
                "probe_b_mant" => issue.port("b_mant"),
                "probe_b_exp" => issue.port("b_exp"),
                "probe_max_0" => issue.port("stat_max_0"),
                "probe_max_1" => issue.port("stat_max_1"),
                "probe_max_2" => issue.port("stat_max_2"),
                _ => head.port("best_given") | (no_head & layers_ended),
            };
            m.output(name, ty).set(from);
        }
    }
}

/// An address cut or extended to what a memory has.
fn fit(at: Sig<'_>, bits: u32) -> Sig<'_> {
    if at.width() > bits { at.truncate(bits) } else { at.extend(bits) }
}

/// The sum of two addresses.
fn add_to<'m>(base: Sig<'m>, at: Sig<'m>, bits: u32) -> Sig<'m> {
    fit(base + at, bits)
}

/// An address in the second part of a memory where `here`, else in the first.
fn second<'m>(m: &'m Module, here: Sig<'m>, at: Sig<'m>, bits: u32, start: usize) -> Sig<'m> {
    let at = fit(at, bits);
    let moved = (at + m.lit(UInt(bits), start)).truncate(bits);
    here.mux(moved, at)
}
