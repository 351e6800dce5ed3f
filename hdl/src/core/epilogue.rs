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
use super::{ACCUMULATOR, Elements, LENGTH, ROWS};
use crate::units::RmsNorm;
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

    /// Clocks from an instruction's last step to the results that it waits for: its last element,
    /// or the sums of its statistics. None of the head.
    pub fn results(&self, opcode: Opcode) -> u32 {
        let sums = RmsNorm { ways: self.geometry.ways }.sum_latency();
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
        let norm = RmsNorm { ways: self.geometry.ways };
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
        let v = self.geometry.ways;
        m.doc(format!("What happens to each accumulator, {v} a clock."));
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
        let fresh = m.input("fresh", UInt(1)).comment("The recurrent state is zero.");
        let inner = m.input("inner", UInt(LENGTH));
        let next = Instruction::input(m, "in");
        let factor = m.input("factor", UInt(17));
        let shift = m.input("shift", UInt(6));
        let groups = m.stream_in("group", UInt(ROWS * ACCUMULATOR), false);
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
        let (factor_now, shift_now) = (m.reg("factor_now", UInt(17)), m.reg("shift_now", UInt(6)));
        next.ready.set(!running);
        let load = next.fires();
        let load_1 = load.register("loads_1").reset(0);
        let part = m.reg("part", UInt(1)).comment("The up projection, after the gate.");
        let now = Now::new(opcode, part);

        let elements = m.instance("u_elements", &Elements { ways: v });
        elements.stream("group").connect(groups);
        let parts = is(opcode, Opcode::Glu).mux(m.lit(UInt(2), 2), 1);
        elements.set("load", load_1).set("rows", rows).set("parts", parts);
        elements.set("single", is(opcode, Opcode::Head));
        // Between gate and up the pipeline empties.
        let pause = m.reg("pause", UInt(index_width(Epilogue::PAUSE as usize + 1))).reset(0);
        let may = (running & pause.eq(0) & (!now.head | head_ready)).named("may_step");
        elements.set("take", may);
        let take = (may & elements.port("valid")).named("take");
        let count = m.reg("count", UInt(ROW_COUNT)).comment("Elements of this part so far.");
        let by = now.head.mux(m.lit(count.ty(), 1), v);
        let after = count.wrapping_add(by).named("count_after");
        let part_ends = (take & after.eq(rows)).named("part_ends");
        let last = (part_ends & !now.gate).named("last_step");
        m.when(take, || count.set(after));
        m.when(part_ends, || count.set(0));
        m.when(pause.ne(0), || pause.set(pause.wrapping_sub(1)));
        m.when(pause.eq(1), || part.set(1));
        m.when(part_ends & now.gate, || pause.set(Epilogue::PAUSE));
        m.when(load, || {
            running.set(1);
            count.set(0);
            part.set(0);
            fields.iter().zip(next.fields).for_each(|(to, from)| to.set(from));
            factor_now.set(factor);
            shift_now.set(shift);
        });
        let step_bits = v.trailing_zeros();
        let in_matrix = (take & !now.head).named("in_matrix");
        let pipe = Pipe::new(in_matrix, last, count.slice(step_bits..LENGTH).named("index"));

        // ----- each way: from accumulator to result -----
        let argument_frac = now
            .mix_f
            .mux(m.lit(UInt(FRAC), SIGMA_ARG_FRAC), now.mix_g.mux(state_frac, frac))
            .register("argument_frac");
        let way = |i: u32| {
            let way = m.instance(format!("u_way_{i}"), &Way);
            way.set("valid", in_matrix);
            way.set("acc", elements.port("step").lane(i, ACCUMULATOR).as_sint());
            way.set("factor", factor_now).set("shift", shift_now).set("frac", argument_frac);
            way.set("fresh", fresh);
            for (name, sig) in now.to_way() {
                way.set(name, sig);
            }
            let operands = [("residual", x, 32), ("mix", mix, 32), ("product", product, 32)];
            for (name, sig, width) in
                operands.into_iter().chain([("state", state, STATE_BITS), ("side", side, 16)])
            {
                way.set(name, sig.lane(i, width));
            }
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
        pipe.reads(m, "residual", &[(now.adds, at::Y)]);
        pipe.reads(m, "mix", &[(now.mix_f, at::SIGMA)]);
        pipe.reads(m, "product", &[(now.up, at::PRE)]);
        let beside = [(now.adds, at::RESIDUAL), (now.mix_f, at::SIGMA), (now.mix_g, at::SILU)];
        pipe.reads(m, "side", &beside);
        let gathers = [(now.adds, at::RESIDUAL), (now.up, at::PRODUCT), (now.mix_g, at::V)];
        pipe.reads(m, "gain", &gathers);
        pipe.reads(m, "state", &[(now.mix_f, at::SIGMA), (now.mix_g, at::PRE)]);
        // Which halves of the operand memories: see `operand_place`.
        m.output("side_second", UInt(1)).set(now.mix_f | (now.adds & !now.down));
        m.output("gain_second", UInt(1)).set(now.mix_g | now.up);
        // The others' gains 1 and 2 may be in the middle of being loaded.
        m.output("gain_all", UInt(1)).comment("Not only gain 0 is wanted.").set(now.down);

        pipe.writes(m, "residual", &[(now.adds, at::RESIDUAL)], sums);
        let mixed = now.mix_i.mux(silus, gated);
        pipe.writes(m, "mix", &[(now.mix_i, at::SILU), (now.mix_g, at::V)], mixed);
        let product_of = now.up.mux(products, silus);
        pipe.writes(m, "product", &[(now.gate, at::SILU), (now.up, at::PRODUCT)], product_of);
        let states: Vec<Sig<'_>> =
            ways.iter().rev().map(|way| way.port("gated").truncate(STATE_BITS).as_uint()).collect();
        pipe.writes(m, "state", &[(now.mix_f, at::STATE)], m.cat(&states));
        let base = m.reg("base", UInt(self.state_bits()));
        m.output("state_base", base.ty()).comment("Where the layer's state begins.").set(base);

        // ----- statistics -----
        let rms_norm = RmsNorm { ways: v };
        let norm = m.instance("u_norm", &rms_norm);
        let value = now.adds.mux(sums, now.up.mux(products, gated)).named("gathered");
        let other = now.adds.mux(sums, now.mix_g.mux(gs, m.lit(UInt(32 * v), 0)));
        norm.set("clear", load_1).set("valid", pipe.at(&gathers, 0).0.named("gathers"));
        norm.set("value", value).set("other", other).set("a_gained", now.adds).set("side", side);
        // Only DOWN has three consumers.
        let three = now.down.repeat(16 * v as usize);
        norm.set("gain_0", gains[0]);
        norm.set("gain_1", three & gains[1]).set("gain_2", three & gains[2]);
        for (name, width) in [("a", 77), ("b", 77), ("max_0", 32), ("max_1", 32), ("max_2", 32)] {
            m.output(name, UInt(width)).set(norm.port(name));
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
        let in_head = (take & now.head).named("in_head");
        m.output("head_valid", UInt(1)).set(in_head);
        m.output("head_acc", SInt(ACCUMULATOR)).set(elements.port("first"));
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
        m.output("shown_valid", UInt(1)).set(pipe.at(&cases, 0).0);
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
