//! The epilogue: elements, ways, statistics.
//!
//! ```text
//! epilogue     which instruction is inside, what is read and written when
//! way          what one way makes of an element
//! pipe         the clocks of both
//! ```

mod pipe;
mod way;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_model::numerics::formats::{SIGMA_ARG_FRAC, STATE_BITS};
use sterna_rtl::{Generate, Instance, Module, SInt, Sig, UInt, index_width};

use super::instruction::{FRAC, Instruction, ROW_COUNT, is, is_one_of};
use super::{ACCUMULATOR, Elements, LENGTH, READ, ROWS};
use crate::slots;
use crate::units::{Mlgru, Rescale, RmsNorm};
use pipe::{Pipe, When, at};
pub use way::Way;

/// What happens to each accumulator, V a clock.
///
/// ```text
///  groups -> [ elements ] -> V ways: [ way ] -> results -> memories
///                                       ^         |
///            operands from the memories +         +-> [ rms_norm ] -> maxima -> quantiser
///                                                                     sums   -> issue
///  of the head: one accumulator a clock -> head
/// ```
///
/// One instruction at a time is inside: the next is taken when the last element has been written.
/// Operands are read so that they arrive with the value that they meet. The maxima of a vector go
/// to the quantiser as soon as they are complete; the sums follow and go to `issue`. Between gate
/// and up of a GLU the ways run empty, since up reads what gate wrote.
///
/// Several sequences take turns at the ways ([`Elements`]), in every matrix but the head, whose
/// accumulators leave side by side. `chain` makes tokens of one sequence of them: each finds in the
/// state memory what the slot before left there, which a turn is long enough for; behind a shorter
/// one nothing is done for [`Epilogue::GAP`] clocks. A slot that is not in `mask` goes the same way,
/// and writes no state. The new state is kept beside, in the mix memory, for `MIX_G`.
///
/// Cost V [`Way`]s, one [`RmsNorm`] of V ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl Epilogue {
    /// Clocks in which no step is made between gate and up: up reads what gate wrote, and writes
    /// sooner.
    pub const PAUSE: u32 = at::SILU as u32 + 2;

    /// Clocks in which no step is made behind a short turn of `MIX_F`: a state is read one clock or
    /// more after it was written.
    pub const GAP: u32 = Mlgru::LATENCY + READ as u32;

    /// Clocks from an instruction's last step to the results that it waits for: its last element,
    /// or the sums of its statistics. None of the head.
    pub fn results(&self, opcode: Opcode) -> u32 {
        let sums = RmsNorm { ways: self.geometry.ways, slots: self.geometry.slots }.sum_latency();
        match opcode {
            Opcode::Start | Opcode::Head => 0,
            Opcode::MixI => at::SILU as u32,
            Opcode::MixF => at::STATE as u32,
            Opcode::MixG => at::V as u32 + sums,
            Opcode::Glu => at::PRODUCT as u32 + sums,
            Opcode::MixO | Opcode::Down => at::RESIDUAL as u32 + sums,
        }
    }

    /// Clocks by which the maxima are there before the sums.
    pub fn maxima_early(&self) -> u32 {
        let norm = RmsNorm { ways: self.geometry.ways, slots: self.geometry.slots };
        norm.sum_latency() - norm.max_latency()
    }

    /// Bits of the address of a step's state.
    pub fn state_bits(&self) -> u32 {
        index_width((self.geometry.state / self.geometry.ways as usize).max(2))
    }
}

/// Which instruction is inside; each signal is constant from its first step to its last.
struct Now<'m> {
    mix_i: Sig<'m>,
    mix_f: Sig<'m>,
    mix_g: Sig<'m>,
    /// The gate half of a GLU.
    gate: Sig<'m>,
    /// The up half.
    up: Sig<'m>,
    /// MIX_O or DOWN.
    adds: Sig<'m>,
    down: Sig<'m>,
    head: Sig<'m>,
}

impl<'m> Now<'m> {
    /// What a way has to know of it.
    fn to_way(&self) -> [(&'static str, Sig<'m>); 6] {
        [
            ("mix_i", self.mix_i),
            ("mix_f", self.mix_f),
            ("mix_g", self.mix_g),
            ("gate", self.gate),
            ("up", self.up),
            ("adds", self.adds),
        ]
    }

    fn new(opcode: Sig<'m>, part: Sig<'m>) -> Now<'m> {
        let of = |op: Opcode| is(opcode, op).register(format!("is_{}", op.name().to_lowercase()));
        let glu = of(Opcode::Glu);
        let adds = is_one_of(opcode, &[Opcode::MixO, Opcode::Down]).register("adds");
        Now {
            mix_i: of(Opcode::MixI),
            mix_f: of(Opcode::MixF),
            mix_g: of(Opcode::MixG),
            gate: (glu & !part).named("is_gate"),
            up: (glu & part).named("is_up"),
            adds,
            down: of(Opcode::Down),
            head: of(Opcode::Head),
        }
    }
}

impl Generate for Epilogue {
    fn name(&self) -> String {
        "epilogue".into()
    }

    fn describe(&self, m: &Module) {
        const { assert!(Epilogue::GAP < Elements::TURN) };
        let (v, slots) = (self.geometry.ways, self.geometry.slots);
        m.doc(format!("What happens to each accumulator, {v} a clock."));
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
        let fresh = m.input("fresh", UInt(slots)).comment("The recurrent state is zero.");
        let highest = slots::input(m, "highest", slots);
        let mask = (slots > 1).then(|| m.input("mask", UInt(slots)).comment("Who takes part."));
        let inner = m.input("inner", UInt(LENGTH));
        let next = Instruction::input(m, "in");
        let factor = slots::lanes(m.input("factor", UInt(17 * slots)), slots);
        let shift = slots::lanes(m.input("shift", UInt(6 * slots)), slots);
        let groups: Vec<_> = (0..slots)
            .map(|n| {
                let name = slots::name("group", slots, n);
                m.stream_in(&name, UInt(ROWS * ACCUMULATOR), false)
            })
            .collect();
        let head_ready = m.input("head_ready", UInt(1)).comment("The head's results have a place.");
        let wide = |name: &str, width: u32| m.input(name, UInt(width * v));
        let (x, mix, product) = (wide("residual", 32), wide("mix", 32), wide("product", 32));
        let state = wide("state", STATE_BITS);
        let side = wide("side", 16);
        let gains = [wide("gain_0", 16), wide("gain_1", 16), wide("gain_2", 16)];

        // ----- the instruction, and its elements a step at a time -----
        let running = m.reg("running", UInt(1)).reset(0);
        let fields = Instruction::registers(m, "now");
        let [opcode, rows, frac, state_frac, last_layer] = fields;
        let kept = |name: &str, width: u32| -> Vec<Sig<'_>> {
            (0..slots).map(|n| m.reg(slots::name(name, slots, n), UInt(width))).collect()
        };
        let (factor_now, shift_now) = (kept("factor_now", 17), kept("shift_now", 6));
        next.ready.set(!running);
        let load = next.fires();
        let load_1 = load.register("loads_1").reset(0);
        // By now it is known what the instruction is.
        let load_2 = load_1.register("loads_2").reset(0);
        let part = m.reg("part", UInt(1)).comment("The up projection, after the gate.");
        let now = Now::new(opcode, part);

        let elements = m.instance("u_elements", &Elements { ways: v, slots });
        let parts = is(opcode, Opcode::Glu).mux(m.lit(UInt(2), 2), 1);
        let is_head = is(opcode, Opcode::Head);
        elements.set("rows", rows).set("parts", parts);
        // Between gate and up the pipeline empties.
        let pause = m.reg("pause", UInt(index_width(Epilogue::PAUSE as usize + 1))).reset(0);
        let pauses = m.reg("pauses", UInt(1)).reset(0).comment("`pause` is not 0.");
        // In the next clock; `pausing` is what `pauses` will be.
        let pausing = m.wire("pausing", UInt(1));
        let may = (!pausing & (!now.head | head_ready)).named("may_step");
        let turn = slots::register(m, "turn", slots);
        // The head's accumulators: one of each slot a clock.
        let (take, in_head, firsts) = match highest {
            None => {
                elements.stream("group").connect(groups[0]);
                elements.set("load", load_1).set("single", is_head).set("may", may);
                (elements.port("take"), elements.port("take_one"), vec![elements.port("first")])
            }
            Some(highest) => {
                elements.set("load", load_1 & !is_head).set("single", 0);
                elements.set("may", may & !now.head).set("highest", highest);
                let each = |n: u32| {
                    let name = slots::name("u_head_elements", slots, n);
                    let one = m.instance(name, &Elements { ways: 1, slots: 1 });
                    one.set("load", load_1 & is_head & highest.ge(n));
                    one.set("rows", rows).set("parts", 1).set("single", 1);
                    one.set("may", may & now.head);
                    let (from, own) = (groups[n as usize], one.stream("group"));
                    let turns = elements.stream(&slots::name("group", slots, n));
                    for to in [own, turns] {
                        to.data.set(from.data);
                    }
                    own.valid.set(from.valid & now.head);
                    turns.valid.set(from.valid & !now.head);
                    from.ready.set(own.ready | turns.ready);
                    one
                };
                let all: Vec<Instance<'_>> = (0..slots).map(each).collect();
                let take = (all[0].port("take") | elements.port("take")).named("take");
                (take, all[0].port("take_one"), all.iter().map(|one| one.port("first")).collect())
            }
        };
        let count = m.reg("count", UInt(ROW_COUNT)).comment("Elements of this part so far.");
        let by = now.head.mux(m.lit(count.ty(), 1), v);
        let after = count.wrapping_add(by).named("count_after");
        m.when(take, || count.set(after));
        m.when(pauses, || pause.set(pause.wrapping_sub(1)));
        let paused = pause.eq(1).named("paused");
        m.when(paused, || part.set(1));
        // A part's end, and a turn's that is too short for the next one.
        let (part_ends, gap) = match turn.zip(highest) {
            None => {
                // Whether a step is a part's last is known from the one before.
                let left = m.reg("left", UInt(ROW_COUNT)).comment("Elements of this part.");
                let last_of_part = m.reg("last_of_part", UInt(1));
                let part_ends = (take & last_of_part).named("part_ends");
                m.when(take, || {
                    left.set(left.wrapping_sub(by));
                    last_of_part.set(left.eq(by << 1));
                });
                m.when(part_ends | load_2, || {
                    left.set(rows);
                    last_of_part.set(rows.eq(by));
                });
                (part_ends, None)
            }
            Some((turn, highest)) => {
                let all_rows = after.eq(rows);
                let last_turn = now.head | turn.eq(highest);
                let part_ends = (take & all_rows & last_turn).named("part_ends");
                // Each turn goes over the steps since `again`.
                let again = m.reg("again", count.ty());
                let steps = m.reg("turn_steps", UInt(index_width(Elements::TURN as usize)));
                let full = steps.eq(Elements::TURN - 1);
                let turn_ends = (take & !now.head & (full | all_rows)).named("turn_ends");
                m.when(take, || steps.set(steps.wrapping_add(1)));
                m.when(turn_ends, || {
                    steps.set(0);
                    m.when(turn.eq(highest), || {
                        turn.set(0);
                        again.set(after);
                    })
                    .otherwise(|| {
                        turn.set(turn.wrapping_add(1));
                        count.set(again);
                    });
                });
                m.when(part_ends | load, || {
                    turn.set(0);
                    steps.set(0);
                    again.set(0);
                });
                (part_ends, Some((turn_ends & all_rows & now.mix_f).named("gap_begins")))
            }
        };
        let last = (part_ends & !now.gate).named("last_step");
        m.when(part_ends | load_2, || count.set(0));
        let gate_ends = (part_ends & now.gate).named("gate_ends");
        m.when(gate_ends, || pause.set(Epilogue::PAUSE));
        let mut begins_pause = gate_ends;
        if let Some(gap) = gap {
            m.when(gap, || pause.set(Epilogue::GAP));
            begins_pause = begins_pause | gap;
        }
        pausing.set(begins_pause | (pauses & !paused));
        pauses.set(pausing);
        m.when(load, || {
            running.set(1);
            part.set(0);
            fields.iter().zip(next.fields).for_each(|(to, from)| to.set(from));
            factor_now.iter().zip(&factor).for_each(|(to, from)| to.set(*from));
            shift_now.iter().zip(&shift).for_each(|(to, from)| to.set(*from));
        });
        let step_bits = v.trailing_zeros();
        let in_matrix = (take & !in_head).named("in_matrix");
        let index = count.slice(step_bits..LENGTH).named("index");
        let pipe = Pipe::new(in_matrix, last, index, turn);

        // ----- each way: from accumulator to result -----
        let argument_frac = now
            .mix_f
            .mux(m.lit(UInt(FRAC), SIGMA_ARG_FRAC), now.mix_g.mux(state_frac, frac))
            .register("argument_frac");
        // What a way has to have of the sequence whose step it is.
        let counts = match turn.zip(mask) {
            None => in_matrix,
            Some((turn, mask)) => in_matrix & turn.select(&slots::lanes(mask, slots)),
        };
        let factor_now = slots::pick(turn, &factor_now);
        let shift_now = match slots {
            1 => shift_now[0],
            _ => {
                let at = |clock: usize| slots::pick(pipe.slot[clock], &shift_now);
                at(Rescale::SHIFT).slice(3..6).cat(at(Rescale::SHIFT + 1).truncate(3))
            }
        };
        let fresh = slots::pick(pipe.slot[at::SIGMA], &slots::lanes(fresh, slots));
        let way = |i: u32| {
            let way = m.instance(format!("u_way_{i}"), &Way);
            way.set("valid", counts);
            way.set("acc", elements.port("step").lane(i, ACCUMULATOR).as_sint());
            way.set("factor", factor_now).set("shift", shift_now).set("frac", argument_frac);
            way.set("fresh", fresh);
            for (name, sig) in now.to_way() {
                way.set(name, sig);
            }
            let operands = [("residual", x, 32), ("mix", mix, 32), ("product", product, 32)];
            for (name, sig, width) in operands.into_iter().chain([("side", side, 16)]) {
                way.set(name, sig.lane(i, width));
            }
            let of = state.lane(i, STATE_BITS);
            way.set(
                "state",
                match slots {
                    1 => of,
                    // MIX_F left the new one in the mix memory.
                    _ => now.mix_g.mux(mix.lane(i, 32).truncate(STATE_BITS), of),
                },
            );
            way
        };
        let ways: Vec<Instance<'_>> = (0..v).map(way).collect();
        let pres = lanes(&ways, "pre");
        let silus = lanes(&ways, "silu");
        let gated = lanes(&ways, "gated");
        let products = lanes(&ways, "p");
        let sums = lanes(&ways, "sum");
        let gs = lanes(&ways, "g");

        // ----- operands in, results out -----
        pipe.reads_own(m, "residual", &[(now.adds, at::Y)]);
        let state_reads = [(now.mix_f, at::SIGMA), (now.mix_g, at::PRE)];
        pipe.reads_own(m, "mix", if slots == 1 { &state_reads[..1] } else { &state_reads });
        pipe.reads_own(m, "product", &[(now.up, at::PRE)]);
        let beside = [(now.adds, at::RESIDUAL), (now.mix_f, at::SIGMA), (now.mix_g, at::SILU)];
        pipe.reads(m, "side", &beside);
        let gathers = [(now.adds, at::RESIDUAL), (now.up, at::PRODUCT), (now.mix_g, at::V)];
        pipe.reads(m, "gain", &gathers);
        pipe.reads_own(m, "state", if slots == 1 { &state_reads } else { &state_reads[..1] });
        // Which halves of the operand memories: see `operand_place`.
        m.output("side_second", UInt(1)).set(now.mix_f | (now.adds & !now.down));
        m.output("gain_second", UInt(1)).set(now.mix_g | now.up);
        // The others' gains 1 and 2 may be in the middle of being loaded.
        m.output("gain_all", UInt(1)).comment("Not only gain 0 is wanted.").set(now.down);

        pipe.writes(m, "residual", &[(now.adds, at::RESIDUAL)], sums);
        let mixed = now.mix_i.mux(silus, gated);
        let mix_writes = [(now.mix_i, at::SILU), (now.mix_g, at::V), (now.mix_f, at::STATE)];
        pipe.writes(m, "mix", if slots == 1 { &mix_writes[..2] } else { &mix_writes }, mixed);
        let product_of = now.up.mux(products, silus);
        pipe.writes(m, "product", &[(now.gate, at::SILU), (now.up, at::PRODUCT)], product_of);
        let states: Vec<Sig<'_>> =
            ways.iter().rev().map(|way| way.port("gated").truncate(STATE_BITS).as_uint()).collect();
        pipe.writes(m, "state", &[(now.mix_f, at::STATE)], m.cat(&states));
        let base = m.reg("base", UInt(self.state_bits()));
        m.output("state_base", base.ty()).comment("Where the layer's state begins.").set(base);

        // ----- statistics -----
        let rms_norm = RmsNorm { ways: v, slots };
        let norm = m.instance("u_norm", &rms_norm);
        let value = now.adds.mux(sums, now.up.mux(products, gated)).named("gathered");
        let other = now.adds.mux(sums, now.mix_g.mux(gs, m.lit(UInt(32 * v), 0)));
        let gathered = pipe.at(&gathers, 0);
        norm.set("clear", load_1).set("valid", gathered.valid.named("gathers"));
        if let Some(slot) = gathered.slot {
            norm.set("slot", slot);
        }
        norm.set("value", value).set("other", other).set("a_gained", now.adds).set("side", side);
        // Only DOWN has three consumers.
        let three = now.down.repeat(16 * v as usize);
        norm.set("gain_0", gains[0]);
        norm.set("gain_1", three & gains[1]).set("gain_2", three & gains[2]);
        for (name, width) in [("a", 77), ("b", 77), ("max_0", 32), ("max_1", 32), ("max_2", 32)] {
            m.output(name, UInt(width * slots)).set(norm.port(name));
        }
        let (max, sum) = (rms_norm.max_latency() as usize, rms_norm.sum_latency() as usize);
        let gathered = pipe.last_at(&gathers).named("gathers_last");
        let max_valid = gathered.delay_valid("max_valid", max);
        let sum_valid = max_valid.delay_valid("sum_valid", sum - max);
        m.output("max_valid", UInt(1)).set(max_valid);
        m.output("gather", UInt(1)).set(sum_valid);

        // ----- the end -----
        let head_ends = (last & now.head).named("head_ends");
        let stored = pipe.last_at(&[(now.mix_i, at::SILU), (now.mix_f, at::STATE)]);
        let ends = (stored | sum_valid | head_ends).register("ends").reset(0);
        m.when(ends, || running.set(0));
        m.when(ends & now.mix_g, || {
            let layer = inner.slice(step_bits..LENGTH).named("steps_a_layer");
            base.set((base + layer).truncate(base.width()));
        });
        m.when(begins, || base.set(0));
        m.output("ended", UInt(1)).comment("An instruction is done.").set(ends);
        m.output("ended_last", UInt(1))
            .comment("It is the last before the head.")
            .set(now.down & last_layer);

        // ----- the head, what clamped, and what a simulation sees -----
        m.output("head_valid", UInt(1)).set(in_head);
        m.output("head_acc", slots::ty(SInt(ACCUMULATOR), slots)).set(slots::join(m, &firsts));
        m.output("head_token", UInt(20)).set(count.truncate(20));
        m.output("head_last", UInt(1)).set(head_ends);
        let none = m.lit(UInt(4), 0);
        let clamps = ways.iter().fold(none, |sum, way| (sum + way.port("clamps")).truncate(4));
        m.output("clamps", UInt(4)).set(clamps.register("clamps_now").reset(0));
        let shown = [
            (now.mix_i, at::PRE, pres),
            (now.mix_f, at::STATE, gated),
            (now.mix_g, at::V, gated),
            (now.up, at::PRODUCT, products),
            (now.adds, at::RESIDUAL, sums),
        ];
        let cases: Vec<When<'_>> = shown.iter().map(|s| (s.0, s.1)).collect();
        let shows = pipe.at(&cases, 0);
        m.output("shown_valid", UInt(1)).set(shows.valid);
        if let Some(slot) = shows.slot {
            m.output("shown_slot", slot.ty()).set(slot);
        }
        let shown = shown.iter().fold(m.lit(UInt(32 * v), 0), |value, s| s.0.mux(s.2, value));
        m.output("shown", shown.ty()).set(shown);
    }
}

/// A result of every way, 32 bits each.
fn lanes<'m>(ways: &[Instance<'m>], name: &str) -> Sig<'m> {
    let parts: Vec<Sig<'m>> =
        ways.iter().rev().map(|way| way.port(name).extend(32).as_uint()).collect();
    ways[0].module().cat(&parts).named(format!("{name}_lanes"))
}
