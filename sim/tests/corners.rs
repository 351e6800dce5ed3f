//! The corners of arithmetic, against plain Rust: each value that has gone wrong somewhere, through
//! every operator, in the interpreter and in Verilator.

mod common;

use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Design, Interpreter, Module, RtlError, SInt, Sig, Type, UInt};
use sterna_sim::Simulator;

const WIDTHS: [u32; 8] = [1, 2, 8, 31, 32, 33, 63, 64];

/// All that Rust computes with `i128` what the module computes with bits.
fn expected(ty: Type, a: i128, b: i128, by: u32) -> Vec<(&'static str, i128)> {
    let w = ty.width();
    let wrap = |x: i128| {
        let spare = 128 - w;
        if ty.is_signed() { x << spare >> spare } else { ((x << spare) as u128 >> spare) as i128 }
    };
    let (least, most) = if ty.is_signed() {
        (-(1i128 << (w - 1)), (1i128 << (w - 1)) - 1)
    } else {
        (0, (1i128 << w) - 1)
    };
    let half = |x: i128| {
        let away = (x.abs() + 4) >> 3;
        if x < 0 { -away } else { away }
    };
    vec![
        ("sum", a + b),
        ("difference", a - b),
        ("product", a.wrapping_mul(b)),
        ("negative", -a),
        ("wrapped", wrap(a + b)),
        ("saturated", (a + b).clamp(least, most)),
        ("less", i128::from(a < b)),
        ("at_most", i128::from(a <= b)),
        ("below_most", i128::from(a < most)),
        ("above_least", i128::from(a > least)),
        ("right", a >> by.min(127)),
        ("left", if by < w { wrap(a << by) } else { 0 }),
        ("left_twice", if 2 * by < w { wrap(a << (2 * by)) } else { 0 }),
        ("right_twice", a >> (2 * by).min(127)),
        ("right_by_width", if a < 0 { -1 } else { 0 }),
        ("rounded", half(a)),
    ]
}

fn describe(ty: Type) -> Result<Design, RtlError> {
    let w = ty.width();
    let m = Module::new(format!("corners_{}{w}", if ty.is_signed() { "s" } else { "u" }));
    let (a, b, by) = (m.input("a", ty), m.input("b", ty), m.input("by", UInt(7)));
    let most = if ty.is_signed() { Bits::ones(w).shift_right(1, false) } else { Bits::ones(w) };
    let least = if ty.is_signed() { most.not() } else { Bits::zero(w) };
    let out = |name: &str, value: Sig<'_>| m.output(name, value.ty()).set(value);
    out("sum", a + b);
    out("difference", a - b);
    out("product", a * b);
    out("negative", -a);
    out("wrapped", a.wrapping_add(b));
    out("saturated", (a + b).saturate(ty));
    out("less", a.lt(b));
    out("at_most", a.le(b));
    // A signal against a literal: where other languages compare without the sign.
    out("below_most", a.lt(m.lit(ty, most)));
    out("above_least", a.gt(m.lit(ty, least)));
    out("right", a >> by);
    out("left", a.wrapping_shl(by));
    out("left_twice", a.wrapping_shl(by).wrapping_shl(by));
    out("right_twice", (a >> by) >> by);
    out("right_by_width", a >> w);
    out("rounded", a.round_half_away_shift(3));
    m.build()
}

fn corners(ty: Type, rng: &mut Rng) -> Vec<Bits> {
    let w = ty.width();
    let one = Bits::from_u128(w, 1);
    let top = one.shift_left(w - 1);
    let mut values = vec![Bits::zero(w), one.clone(), Bits::ones(w), top.not(), top.add(&one), top];
    values.extend((0..2).map(|_| rng.bits(w)));
    values
}

#[test]
fn arithmetic() {
    let mut rng = Rng::new(common::seed());
    let types = WIDTHS.iter().flat_map(|&w| [UInt(w), SInt(w)]);
    let types: Vec<(Type, Design)> = types.map(|ty| (ty, describe(ty).unwrap())).collect();
    let designs: Vec<Design> = types.iter().map(|(_, design)| design.clone()).collect();
    let all = common::differential::side_by_side("corners", &designs);
    let mut sim = Simulator::build(&all, &common::options()).unwrap();
    for (i, (ty, design)) in types.iter().enumerate() {
        let mut interpreter = Interpreter::new(design);
        let values = corners(*ty, &mut rng);
        let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (a, b)));
        let w = ty.width();
        for ((a, b), by) in pairs.flat_map(|p| amounts(w).map(|by| (p, by))) {
            for (name, value) in [("a", a), ("b", b), ("by", &Bits::from_u128(7, by.into()))] {
                sim.poke(&format!("d{i}_{name}"), value.clone()).unwrap();
                interpreter.poke(name, value.clone());
            }
            let (x, y) = (number(a, ty.is_signed()), number(b, ty.is_signed()));
            for (name, value) in expected(*ty, x, y, by) {
                let port = design.ports.iter().find(|p| p.name == name).unwrap();
                let case = format!("{name} of {ty} a={a} b={b} by={by}");
                let got = sim.peek(&format!("d{i}_{name}")).unwrap();
                assert_eq!(number(&got, port.signed), value, "Verilator: {case}");
                assert_eq!(interpreter.peek(name), got, "interpreter: {case}");
            }
        }
    }
}

/// Shifts up to and beyond the width.
fn amounts(w: u32) -> [u32; 10] {
    [0, 1, 2, w / 2, w - 1, w, w + 1, 64, 65, 127]
}

fn number(bits: &Bits, signed: bool) -> i128 {
    if signed { bits.to_i128() } else { bits.to_u128() as i128 }
}

#[test]
fn slices_of_nothing_are_refused() {
    let m = Module::new("nothing");
    let a = m.input("a", UInt(8));
    let _ = (a.slice(0..0), a.slice(8..8));
    let text = m.build().unwrap_err().to_string();
    assert_eq!(text.matches("a slice has at least one bit").count(), 2, "{text}");
}
