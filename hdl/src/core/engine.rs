//! All that a pass runs through, joined.
//!
//! ```text
//! engine       the units, and how they follow one another
//! data         the on-chip memories between them
//! reports      what control and a simulation are told
//! ```

mod data;
mod reports;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::{AxiKind, Generate, Instance, Module, Sig, UInt};

use super::instruction::{Instruction, is};
use super::memory_port::{JOB, RING};
use super::{
    ADDRESS, Embedding, Epilogue, FrontEnd, Head, Issue, MemoryPort, Quantiser, StateMover, groups,
    memory_widths,
};
use crate::slots;
use crate::units::TernaryUnit;
use data::Data;
pub(crate) use reports::reports;

/// All that a pass runs through.
///
/// ```text
///  m_axi -> image -> [ front end ] -> beats -> [ ternary unit ] -> groups -> [ epilogue ]
///                         |   |  codes --^            ^                       |    |
///    operand memories <---+   +-> [ issue ] -- scale -+-----------------------+    |
///           |                        ^ statistics                             |    |
///           +----> [ quantiser ] <---+----------------------------------------+    |
///                      ^   x, v, p memories <-------------------------------------+
///  m_axi -> rows ----> [ embedding ], [ state mover ] <-> state memory
///  m_axi <- results <- [ head ], [ state mover ]
/// ```
///
/// Everything in here is forgotten by its reset, except what the memories hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Where in memory state is saved to and loaded from, and how much of it.
#[derive(Clone, Copy)]
struct State<'m> {
    base: Sig<'m>,
    /// Of 64 bytes.
    units: Sig<'m>,
}

/// Which of several sequences take part.
#[derive(Clone, Copy)]
struct Turns<'m> {
    mask: Sig<'m>,
    lowest: Sig<'m>,
    highest: Sig<'m>,
    /// They are tokens of one sequence.
    chain: Sig<'m>,
}

/// The units of an engine.
struct Units<'m> {
    port: Instance<'m>,
    front: Instance<'m>,
    ternary: Instance<'m>,
    issue: Instance<'m>,
    quantiser: Instance<'m>,
    epilogue: Instance<'m>,
    embedding: Instance<'m>,
    head: Instance<'m>,
    mover: Instance<'m>,
}

impl<'m> Units<'m> {
    fn new(m: &'m Module, g: &Geometry) -> Units<'m> {
        let geometry = || g.clone();
        Units {
            port: m.instance("u_memory_port", &MemoryPort { geometry: geometry() }),
            front: m.instance("u_front_end", &FrontEnd { geometry: geometry() }),
            ternary: m.instance("u_ternary_unit", &ternary(g)),
            issue: m.instance("u_issue", &Issue { slots: g.slots }),
            quantiser: m.instance("u_quantiser", &Quantiser { geometry: geometry() }),
            epilogue: m.instance("u_epilogue", &Epilogue { geometry: geometry() }),
            embedding: m.instance("u_embedding", &Embedding { geometry: geometry() }),
            head: m.instance("u_head", &Head { geometry: geometry() }),
            mover: m.instance("u_state_mover", &StateMover { geometry: geometry() }),
        }
    }

    /// An instruction moves from `issue` to the epilogue in this clock.
    fn handed(&self) -> (Sig<'m>, Sig<'m>) {
        let out = Instruction::of(self.issue, "out");
        (out.valid & out.ready, out.opcode())
    }
}

fn ternary(g: &Geometry) -> TernaryUnit {
    TernaryUnit { bus: g.bus, slots: g.slots }
}

/// Passes ports of one unit on to another, name by name.
fn join(to: Instance<'_>, from: Instance<'_>, names: &[&str]) {
    for name in names {
        to.set(name, from.port(name));
    }
}

/// Units of 64 bytes as the length of a job.
fn beats(units: Sig<'_>, bus: u32) -> Sig<'_> {
    (units << (512 / bus).trailing_zeros()).extend(JOB)
}

impl Generate for Engine {
    fn name(&self) -> String {
        "engine".into()
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        m.doc("All that a pass runs through.");
        let bit = |name: &str| m.input(name, UInt(1));
        let begins = bit("begins").comment("A pass starts.");
        let (save, load, halt) = (bit("save"), bit("load"), bit("halt"));
        let no_head = bit("no_head");
        let axi = m.axi_master("m_axi", AxiKind::Full, memory_widths(g.bus));
        let u = Units::new(m, g);
        let turns = (g.slots > 1).then(|| {
            let slot = |name: &str| m.input(name, UInt(slots::bits(g.slots)));
            Turns {
                mask: m.input("mask", UInt(g.slots)),
                lowest: slot("lowest"),
                highest: slot("highest"),
                chain: m.input("chain", UInt(1)),
            }
        });
        if let Some(turns) = turns {
            for unit in [u.issue, u.quantiser, u.epilogue, u.embedding, u.head] {
                unit.set("highest", turns.highest);
            }
            for unit in [u.epilogue, u.head] {
                unit.set("mask", turns.mask);
            }
        }
        u.port.set("halt", halt);
        axi.connect(&u.port.axi("m_axi", AxiKind::Full, memory_widths(g.bus)));
        for unit in [u.front, u.issue, u.quantiser, u.epilogue, u.head] {
            unit.set("begins", begins);
        }

        let image_units = m.input("image_units", UInt(32));
        let row_units = m.input("row_units", UInt(10));
        u.port.set("image_start", begins).set("image_beats", beats(image_units, g.bus));
        u.port.set("image_addr", m.input("image_base", UInt(ADDRESS)));
        u.port.set("image_owed", beats(m.input("image_owed", UInt(32)), g.bus));
        u.port.set("image_ring", m.input("image_ring", UInt(RING)));
        let (from, to) = (u.port.stream("image"), u.front.stream("s"));
        to.valid.set(from.valid);
        to.data.set(from.data);
        from.ready.set(to.ready);
        u.front.set("no_head", no_head).set("image_units", image_units);
        u.front.set("row_units", row_units);

        let state = State {
            base: m.input("state_base", UInt(ADDRESS)),
            units: m.input("state_units", UInt(20)),
        };
        let data = Data::new(m, g);
        self.matrix(m, &u, &data, turns);
        self.scales(m, &u, m.input("fresh", UInt(g.slots)), turns);
        u.quantiser.set("no_head", no_head);
        data.vectors(m, g, &u);
        data.operands(m, g, &u);
        data.state(m, g, &u, turns);
        self.rows(m, &u, (begins, load), row_units, state);
        self.results(m, &u, save, state);
        let ended = reports::to_control(m, g, &u, (begins, turns.map(|turns| turns.mask)));
        reports::to_probe(m, g, &u, (begins, no_head & ended));
    }
}

impl Engine {
    /// Codes and weights to groups of accumulators.
    fn matrix<'m>(&self, m: &'m Module, u: &Units<'m>, data: &Data<'m>, turns: Option<Turns<'m>>) {
        let from_front = [
            "hidden",
            "inner",
            "intermediate",
            "layers",
            "start_loaded",
            "code_release",
            "code_taken",
        ];
        join(u.quantiser, u.front, &from_front);
        join(u.front, u.quantiser, &["code_there"]);
        for (to, from) in
            [("valid", "weights_valid"), ("last", "weights_last"), ("beat", "weights")]
        {
            u.ternary.set(to, u.front.port(from));
        }
        u.ternary.set("codes", data.codes(m, &self.geometry, u));
        let slots = self.geometry.slots;
        let sums = slots::lanes(u.ternary.port("sums"), slots);
        let mut taken = vec![];
        for n in 0..slots {
            let queue = groups(&self.geometry);
            let queue = m.instance(slots::name("u_groups", slots, n), &queue);
            let (into, out_of) = (queue.stream("s"), queue.stream("m"));
            let valid = u.ternary.port("sums_valid");
            into.valid.set(turns.map_or(valid, |turns| valid & turns.highest.ge(n)));
            into.data.set(sums[n as usize]);
            m.assert("every_group_has_a_place", !into.valid | into.ready);
            u.epilogue.stream(&slots::name("group", slots, n)).connect(out_of);
            taken.push(out_of.fires());
        }
        u.front.set("group_taken", slots::pick(turns.map(|turns| turns.highest), &taken));
    }

    /// Instructions, their scales, and the statistics that these come of.
    fn scales<'m>(&self, m: &'m Module, u: &Units<'m>, fresh: Sig<'m>, turns: Option<Turns<'m>>) {
        let slots = self.geometry.slots;
        Instruction::of(u.issue, "in").connect(&Instruction::of(u.front, "issue"));
        join(u.issue, u.front, &["outer", "floor", "rescale"]);
        join(u.issue, u.epilogue, &["a", "b", "max_0", "max_1", "max_2", "gather"]);
        let row = ["row_a", "row_b", "row_max_0", "row_max_1", "row_max_2", "enter"];
        join(u.issue, u.embedding, &row);
        if slots > 1 {
            join(u.issue, u.embedding, &["enter_slot"]);
        }
        Instruction::of(u.epilogue, "in").connect(&Instruction::of(u.issue, "out"));
        join(u.epilogue, u.issue, &["factor", "shift"]);
        join(u.epilogue, u.front, &["inner"]);
        u.epilogue.set("fresh", fresh).set("head_ready", u.head.port("ready"));
        let lowest = turns.map(|turns| turns.lowest);
        u.mover.set("zero", slots::pick(lowest, &slots::lanes(fresh, slots)));
        // Maxima go to the quantiser at once, an embedding row's as well.
        let enter = u.embedding.port("enter");
        let valid: Vec<Sig<'m>> = (0..slots)
            .map(|n| {
                let slot = (slots > 1).then(|| u.embedding.port("enter_slot"));
                slots::only(enter, slot, n) | u.epilogue.port("max_valid")
            })
            .collect();
        u.quantiser.set("max_valid", slots::join(m, &valid));
        for i in 0..3 {
            let (max, row) = (format!("max_{i}"), format!("row_max_{i}"));
            let row = u.embedding.port(&row);
            let row = if slots == 1 { row } else { row.repeat(slots as usize) };
            u.quantiser.set(&max, enter.mux(row, u.epilogue.port(&max)));
        }
    }

    /// What is read beside the image: embedding rows, or state.
    fn rows<'m>(
        &self,
        m: &'m Module,
        u: &Units<'m>,
        (begins, load): (Sig<'m>, Sig<'m>),
        row_units: Sig<'m>,
        saved: State<'m>,
    ) {
        let token = m.input("token", UInt(20 * self.geometry.slots));
        u.embedding.set("start", begins).set("token", token).set("row_units", row_units);
        u.embedding.set("base", m.input("embed_base", UInt(ADDRESS)));
        let ask = u.embedding.port("ask");
        let row_beats = u.embedding.port("ask_beats").extend(JOB);
        let state_beats = beats(saved.units, self.geometry.bus);
        u.port.set("row_start", ask | load);
        u.port.set("row_addr", load.mux(saved.base, u.embedding.port("ask_addr")));
        u.port.set("row_beats", load.mux(state_beats, row_beats));
        let loading = m.reg("loading", UInt(1)).reset(0).comment("Rows are state.");
        m.when(ask, || loading.set(0));
        m.when(load, || loading.set(1));
        let from = u.port.stream("row");
        let (row, state) = (u.embedding.stream("s"), u.mover.stream("s"));
        for (to, mine) in [(row, !loading), (state, loading)] {
            to.valid.set(from.valid & mine);
            to.data.set(from.data);
            if let (Some(to), Some(from)) = (to.last, from.last) {
                to.set(from);
            }
        }
        from.ready.set(loading.mux(state.ready, row.ready));
        let steps = (saved.units << 4) >> self.geometry.ways.trailing_zeros();
        let steps = data::fit(steps, u.mover.port("steps").width());
        u.mover.set("load", load).set("steps", steps);
    }

    /// What is written: records and logits, or state.
    fn results<'m>(&self, m: &'m Module, u: &Units<'m>, save: Sig<'m>, saved: State<'m>) {
        for (to, from) in [
            ("valid", "head_valid"),
            ("acc", "head_acc"),
            ("token", "head_token"),
            ("last", "head_last"),
        ] {
            u.head.set(to, u.epilogue.port(from));
        }
        let (handed, opcode) = u.handed();
        u.head.set("starts", handed & is(opcode, Opcode::Head));
        join(u.head, u.issue, &["mant", "exp"]);
        join(u.head, u.front, &["vocab", "pass_ok"]);
        u.head.set("image_id", u.front.port("image_id_hi").cat(u.front.port("image_id_lo")));
        u.head.set("logits", m.input("logits", UInt(1)));
        u.head.set("index", m.input("index", UInt(16)));
        for (to, from) in [("record_addr", "record_addr"), ("logits_addr", "logits_base")] {
            u.head.set(to, m.input(from, UInt(ADDRESS)));
        }
        u.head.set("writer_busy", u.port.port("result_busy"));
        let ask = u.head.port("ask");
        let result_beats = u.head.port("ask_beats").extend(JOB);
        u.port.set("result_start", ask | save);
        u.port.set("result_addr", save.mux(saved.base, u.head.port("ask_addr")));
        let state_beats = beats(saved.units, self.geometry.bus);
        u.port.set("result_beats", save.mux(state_beats, result_beats));
        let saving = m.reg("saving", UInt(1)).reset(0).comment("What is written is state.");
        m.when(ask, || saving.set(0));
        m.when(save, || saving.set(1));
        let to = u.port.stream("result");
        let (results, states) = (u.head.stream("m"), u.mover.stream("m"));
        to.valid.set(saving.mux(states.valid, results.valid));
        to.data.set(saving.mux(states.data, results.data));
        results.ready.set(to.ready & !saving);
        states.ready.set(to.ready & saving);
        u.mover.set("save", save);
    }
}
