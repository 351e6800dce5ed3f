use sterna_model::numerics::formats::{
    PREACTIVATION_BITS, SIGMA_ARG_FRAC, SIGMA_ARG_INT, STATE_BITS,
};
use sterna_rtl::{Generate, Module, SInt, Sig, UInt};

use super::pipe::at;
use crate::core::ACCUMULATOR;
use crate::core::instruction::FRAC;
use crate::units::{Glu, Mlgru, Rescale, Residual, Sigmoid};

/// What one way makes of an accumulator, by the instruction that is inside.
///
/// ```text
///  clock      0         7      8         16       20        25 or 29
///  MIX_I    acc-rescale-y----- a -sigmoid-------- silu(a)
///  MIX_F    acc-rescale-y----- b -sigmoid- mlgru(v, h, lb)- h'
///  MIX_G    acc-rescale-y----- g
///                              h'-sigmoid-------- mlgru(g, w_g)----- v
///  GLU gate acc-rescale-y----gate-sigmoid-------- silu(gate)
///      up   acc-rescale-y---- up -glu(gate)- p (13)
///  O, DOWN  acc-rescale-y-residual- x (9)
/// ```
///
/// The clocks follow from the latencies of the units (`pipe.rs`). Operands (`residual`, `mix`,
/// `product`, `state`, `side`) come in the clock in which they are used; the sigmoid is shared, since
/// an instruction needs it once. `clamps` is high for a value that did not fit, in the clock of its
/// result or pre-activation.
///
/// Cost (*synthesised* units, ECP5) 21 multipliers of 18 x 18, 670 LUT4, two RAMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way;

/// An operand that has the width of a pre-activation, in 32 bits.
fn narrow(of: Sig<'_>) -> Sig<'_> {
    of.truncate(PREACTIVATION_BITS).as_sint()
}

impl Generate for Way {
    fn name(&self) -> String {
        "way".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("What one way makes of an accumulator.");
        let bit = |name: &str| m.input(name, UInt(1));
        let valid = bit("valid");
        let acc = m.input("acc", SInt(ACCUMULATOR));
        let [mix_i, mix_f, mix_g] = ["mix_i", "mix_f", "mix_g"].map(bit);
        let [gate, up, adds] = ["gate", "up", "adds"].map(bit);
        let fresh = bit("fresh").comment("The recurrent state is zero.");
        let (factor, shift) = (m.input("factor", UInt(17)), m.input("shift", UInt(6)));
        let frac = m.input("frac", UInt(FRAC)).comment("Of the sigmoid's argument.");
        let [x, mix, product] = ["residual", "mix", "product"].map(|name| m.input(name, UInt(32)));
        let state = m.input("state", UInt(STATE_BITS)).as_sint();
        let side = m.input("side", UInt(16));
        let valids: Vec<Sig<'_>> = (1..=at::SILU)
            .scan(valid, |sig, n| {
                *sig = sig.register(format!("valid_{n}")).reset(0);
                Some(*sig)
            })
            .collect();
        let valid_at = |clock: usize| valids[clock - 1];

        let rescale = m.instance("u_rescale", &Rescale);
        rescale.set("valid", valid).set("acc", acc).set("mant", factor).set("shift", shift);
        let y = rescale.port("y");
        let saturated = y.saturate(SInt(PREACTIVATION_BITS));
        let counts = mix_i | mix_g | gate | up;
        let clamps = (saturated.ne(y) & counts & valid_at(at::Y)).named("pre_clamps");
        let pre = saturated.register("pre_now");
        // b stays within what the sigmoid takes; 1 - f = (1 - lb) · sigmoid(-b).
        let bits = SIGMA_ARG_INT + SIGMA_ARG_FRAC;
        let high = y.slice(bits..y.width());
        let (above, below) = (!y.msb() & high.any(), y.msb() & !high.all());
        let b_ty = SInt(bits + 2);
        let limit = |of: i64| m.lit(b_ty, of << bits);
        let minus = (-y.truncate(bits + 1)).named("minus_y");
        let minus_b = above.mux(limit(-1), below.mux(limit(1), minus));
        let minus_b = minus_b.extend(PREACTIVATION_BITS).register("minus_b");

        let sigmoid = m.instance("u_sigmoid", &Sigmoid);
        sigmoid.set("valid", valid_at(at::PRE)).set("frac", frac);
        sigmoid.set("x", mix_g.mux(state, mix_f.mux(minus_b, pre)));
        let silu = sigmoid.port("silu");

        let g = pre.delay("g", at::SILU - at::PRE);
        let mlgru = m.instance("u_mlgru", &Mlgru);
        let mixes = mix_f.mux(valid_at(at::SIGMA), mix_g & valid_at(at::SILU));
        mlgru.set("valid", mixes).set("forget", mix_f);
        mlgru.set("sigma", sigmoid.port("sigma")).set("silu", silu);
        mlgru.set("lower", side).set("w_g", side.as_sint()).set("g", g);
        mlgru.set("v", narrow(mix)).set("h", fresh.mux(m.lit(state.ty(), 0), state));

        let glu = m.instance("u_glu", &Glu);
        glu.set("valid", up & valid_at(at::PRE)).set("gate", narrow(product)).set("up", pre);

        let residual = m.instance("u_residual", &Residual);
        residual.set("valid", adds & valid_at(at::Y)).set("x", x.as_sint()).set("y", y);

        m.output("pre", pre.ty()).comment("a, at PRE.").set(pre);
        m.output("silu", silu.ty()).comment("At SILU.").set(silu);
        m.output("gated", SInt(32)).comment("h' at STATE, v at V.").set(mlgru.port("result"));
        m.output("p", SInt(32)).comment("At PRODUCT.").set(glu.port("product"));
        m.output("sum", SInt(32)).comment("x, at RESIDUAL.").set(residual.port("sum"));
        let late = g.delay("late_g", at::V - at::SILU);
        m.output("g", g.ty()).comment("The g projection, beside v.").set(late);
        m.output("clamps", UInt(1)).set(clamps | residual.port("clamped"));
    }
}
