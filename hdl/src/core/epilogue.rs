use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_model::numerics::formats::{
    PREACTIVATION_BITS, SIGMA_ARG_FRAC, SIGMA_ARG_INT, STATE_BITS,
};
use sterna_rtl::{Generate, Module, SInt, Sig, UInt, index_width};

use super::instruction::{FRAC, Instruction, ROW_COUNT, is, is_one_of};
use super::{ACCUMULATOR, Elements, LENGTH, READ, ROWS};
use crate::units::{Glu, Mlgru, Rescale, Residual, RmsNorm, Sigmoid};

/// What happens to each accumulator, V a clock.
///
/// ```text
///  clock       0        6     7        15      19          22 / 26
///  MIX_I   acc-rescale--a-----sigmoid----------silu(a)-> mix
///  MIX_F   acc-rescale--b-----sigmoid--mlgru(h, v, lb)-> h' -> state
///  MIX_G   acc-rescale--g---   (h')----sigmoid--mlgru(g, w_g)-> v -> mix      -> rms_norm
///  GLU     acc-rescale--gate--sigmoid----------silu---> product
///          acc-rescale--up----glu(gate)-> p -> product                      -> rms_norm
///  O, DOWN acc-rescale--residual(x)-> x -> residual                         -> rms_norm
///  HEAD    acc -> top_k, logits                                    one a clock
/// ```
///
/// One instruction at a time is inside: the next is taken when the last element has been written.
/// Operands are read so that they arrive with the value that they meet, each [`READ`] clocks early.
/// The maxima of a vector are complete `RmsNorm::MAX_LATENCY` after its last element and go to the
/// quantiser at once; the sums follow and go to `issue`.
///
/// Cost a way: 2 + 3 + 8 + 4 + 8 + 8 multipliers of 18 × 18 bits (rescale, sigmoid, mlgru, glu,
/// gains, squares), two RAMs of the sigmoid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epilogue {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// Clocks after an element's step, by what is there then.
mod at {
    use super::*;

    /// The rescaled value.
    pub const Y: usize = Rescale::LATENCY as usize;
    /// The pre-activation, saturated.
    pub const PRE: usize = Y + 1;
    pub const SIGMA: usize = PRE + Sigmoid::SIGMA_LATENCY as usize;
    pub const SILU: usize = PRE + Sigmoid::SILU_LATENCY as usize;
    /// The new state.
    pub const STATE: usize = SIGMA + Mlgru::LATENCY as usize;
    /// The gated vector.
    pub const V: usize = SILU + Mlgru::LATENCY as usize;
    pub const PRODUCT: usize = PRE + Glu::LATENCY as usize;
    pub const RESIDUAL: usize = Y + Residual::LATENCY as usize;
    /// The longest of all.
    pub const LAST: usize = V;
}

/// Steps in the pipeline: whether there is one, and where in the vector, at each clock.
struct Pipe<'m> {
    valid: Vec<Sig<'m>>,
    last: Vec<Sig<'m>>,
    index: Vec<Sig<'m>>,
}

impl<'m> Pipe<'m> {
    fn new(valid: Sig<'m>, last: Sig<'m>, index: Sig<'m>) -> Pipe<'m> {
        let mut pipe = Pipe { valid: vec![valid], last: vec![last], index: vec![index] };
        for n in 1..=at::LAST {
            let (valid, last, index) = (pipe.valid[n - 1], pipe.last[n - 1], pipe.index[n - 1]);
            pipe.valid.push(valid.register(format!("valid_{n}")).reset(0));
            pipe.last.push(last.register(format!("last_{n}")).reset(0));
            pipe.index.push(index.register(format!("index_{n}")));
        }
        pipe
    }
}

/// When something happens: for which instructions, and at which clock after the step.
type When<'m> = (Sig<'m>, usize);

impl Epilogue {
    /// Bits of the index of a step.
    pub fn index_bits(&self) -> u32 {
        LENGTH - self.geometry.ways.trailing_zeros()
    }

    /// Bits of the address of a step's state.
    pub fn state_bits(&self) -> u32 {
        index_width((self.geometry.state / self.geometry.ways as usize).max(2))
    }
}

impl<'m> Pipe<'m> {
    /// Whether any of the cases has a step at its clock less `early`, and which.
    fn at(&self, cases: &[When<'m>], early: usize) -> (Sig<'m>, Sig<'m>) {
        let (first, clock) = cases[0];
        let (mut valid, mut index) = (first & self.valid[clock - early], self.index[clock - early]);
        for &(here, clock) in &cases[1..] {
            valid = valid | (here & self.valid[clock - early]);
            index = here.mux(self.index[clock - early], index);
        }
        (valid, index)
    }

    /// Ports that ask a memory for a step's operands, READ clocks before they are used.
    fn reads(&self, m: &'m Module, name: &str, cases: &[When<'m>]) {
        let (read, index) = self.at(cases, READ);
        m.output(format!("{name}_read"), UInt(1)).set(read);
        m.output(format!("{name}_read_at"), index.ty()).set(index);
    }

    /// Ports that write a step's results to a memory.
    fn writes(&self, m: &'m Module, name: &str, cases: &[When<'m>], data: Sig<'m>) {
        let (write, index) = self.at(cases, 0);
        m.output(format!("{name}_write"), UInt(1)).set(write);
        m.output(format!("{name}_write_at"), index.ty()).set(index);
        m.output(format!("{name}_data"), data.ty()).set(data);
    }

    /// The last step of the instruction, in any of the cases.
    fn last_at(&self, cases: &[When<'m>]) -> Sig<'m> {
        let ends = |&(here, clock): &When<'m>| here & self.valid[clock] & self.last[clock];
        cases[1..].iter().fold(ends(&cases[0]), |any, case| any | ends(case))
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
        // Between gate and up the pipeline empties: up reads what gate wrote, and writes sooner.
        let pause = m.reg("pause", UInt(index_width(at::SILU + 3))).reset(0);
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
        m.when(part_ends & now.gate, || pause.set(at::SILU + 2));
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
        let step = elements.port("step");
        let argument_frac = now
            .mix_f
            .mux(m.lit(UInt(FRAC), SIGMA_ARG_FRAC), now.mix_g.mux(state_frac, frac))
            .register("argument_frac");
        let way = |i: u32| {
            m.scope(format!("way_{i}"), || {
                let rescale = m.instance("u_rescale", &Rescale);
                rescale.set("valid", in_matrix).set("acc", step.lane(i, ACCUMULATOR).as_sint());
                rescale.set("mant", factor_now).set("shift", shift_now);
                let y = rescale.port("y");
                let saturated = y.saturate(SInt(PREACTIVATION_BITS));
                let clamps = saturated.ne(y);
                let pre = saturated.register("pre");
                // b stays within what the sigmoid takes; 1 - f = (1 - lb) · sigmoid(-b).
                let limit = 1i64 << (SIGMA_ARG_INT + SIGMA_ARG_FRAC);
                let b_ty = SInt(SIGMA_ARG_INT + SIGMA_ARG_FRAC + 2);
                let below = y.gt(limit).mux(m.lit(b_ty, limit), y.truncate(b_ty.width()));
                let b = y.lt(-limit).mux(m.lit(b_ty, -limit), below);
                let minus_b = (-b).extend(PREACTIVATION_BITS).register("minus_b");

                let h = state.lane(i, STATE_BITS).as_sint();
                let sigmoid = m.instance("u_sigmoid", &Sigmoid);
                sigmoid.set("valid", pipe.valid[at::PRE]).set("frac", argument_frac);
                sigmoid.set("x", now.mix_g.mux(h, now.mix_f.mux(minus_b, pre)));
                let silu = sigmoid.port("silu");

                let g = pre.delay("g", at::SILU - at::PRE);
                let mlgru = m.instance("u_mlgru", &Mlgru);
                let gates = now.mix_f.mux(pipe.valid[at::SIGMA], now.mix_g & pipe.valid[at::SILU]);
                mlgru.set("valid", gates).set("forget", now.mix_f);
                mlgru.set("sigma", sigmoid.port("sigma")).set("silu", silu);
                mlgru.set("lower", side.lane(i, 16)).set("w_g", side.lane(i, 16).as_sint());
                mlgru.set("v", narrow(mix, i)).set("g", g);
                mlgru.set("h", fresh.mux(m.lit(SInt(STATE_BITS), 0), h));

                let glu = m.instance("u_glu", &Glu);
                glu.set("valid", now.up & pipe.valid[at::PRE]);
                glu.set("gate", narrow(product, i)).set("up", pre);

                let residual = m.instance("u_residual", &Residual);
                residual.set("valid", now.adds & pipe.valid[at::Y]);
                residual.set("x", x.lane(i, 32).as_sint()).set("y", y);

                let late_g = g.delay("late_g", at::V - at::SILU);
                Way {
                    pre,
                    silu,
                    gated: mlgru.port("result"),
                    product: glu.port("product"),
                    sum: residual.port("sum"),
                    g: late_g,
                    clamps: (clamps
                        & (now.mix_i | now.mix_g | now.gate | now.up)
                        & pipe.valid[at::Y])
                        | residual.port("clamped"),
                }
            })
        };
        let ways: Vec<Way<'_>> = (0..v).map(way).collect();
        let pres = lanes(&ways, "pres", |way| way.pre);
        let silus = lanes(&ways, "silus", |way| way.silu);
        let gated = lanes(&ways, "gated", |way| way.gated);
        let products = lanes(&ways, "products", |way| way.product);
        let sums = lanes(&ways, "sums", |way| way.sum);
        let gs = lanes(&ways, "gs", |way| way.g);

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
            ways.iter().rev().map(|way| way.gated.truncate(STATE_BITS).as_uint()).collect();
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
        let clamps = ways.iter().fold(none, |sum, way| (sum + way.clamps).truncate(4));
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

/// Way `i`'s element, of which only a pre-activation's bits are in use.
fn narrow(of: Sig<'_>, i: u32) -> Sig<'_> {
    of.lane(i, 32).as_sint().truncate(PREACTIVATION_BITS)
}

/// A value of every way, 32 bits each.
fn lanes<'m>(ways: &[Way<'m>], name: &str, of: impl Fn(&Way<'m>) -> Sig<'m>) -> Sig<'m> {
    let parts: Vec<Sig<'m>> = ways.iter().rev().map(|way| of(way).extend(32).as_uint()).collect();
    parts[0].module().cat(&parts).named(name)
}

/// What one way makes of an element; each at its own clock, see [`at`].
struct Way<'m> {
    pre: Sig<'m>,
    silu: Sig<'m>,
    gated: Sig<'m>,
    product: Sig<'m>,
    sum: Sig<'m>,
    /// The g projection, beside v.
    g: Sig<'m>,
    clamps: Sig<'m>,
}
