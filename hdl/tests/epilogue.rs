//! The units that an accumulator passes on its way to a vector, element by element.

mod common;

use common::{Case, Outputs, Stream, seed, signed, unsigned};
use sterna_hdl::units::{ACC_BITS, Glu, Mlgru, Rescale, Residual, Sigmoid};
use sterna_model::numerics::mlgru::{one_minus_f, output_gate, recur, silu};
use sterna_model::numerics::{self, Scale, glu, saturate, sigmoid};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, mutate};

/// A Rescale of any mantissa and shift, by way of the scale that rounds to it.
fn rescale_of(mant: u32, shift: u32) -> numerics::Rescale {
    if mant == 0 {
        return numerics::Rescale::new(Scale::ZERO);
    }
    let scale = Scale::from_f64(f64::from(mant) * (-f64::from(shift)).exp2());
    let rescale = numerics::Rescale::new(scale.expect("a small number"));
    assert_eq!((rescale.mant(), rescale.shift()), (mant, shift));
    rescale
}

#[test]
fn rescale() {
    let mut rng = Rng::new(seed());
    let outputs = Outputs { valid: "y_valid", latency: Rescale::LATENCY, ports: &["y"] };
    let mut stream = Stream::new(Rescale.build().unwrap(), vec![outputs], seed());
    let shifts = (0..=63).flat_map(|n| [(n, 1 << 16), (n, (1 << 17) - 1), (n, 0x1_5555)]);
    for (turn, (shift, mant)) in shifts.chain([(0, 0)]).enumerate() {
        let rescale = rescale_of(mant, shift);
        stream.hold(&[("mant", rescale.mant().into()), ("shift", rescale.shift().into())]);
        let cases: Vec<Case> = (0..40)
            .map(|n| {
                // Small ones and multiples of powers of two, among which are the halves.
                let acc = match n % 4 {
                    0 => n - 20,
                    1 => signed(&mut rng, 22) >> rng.below(20),
                    2 => (1 << rng.below(21)) * (1 - 2 * (n & 4) / 4),
                    _ => signed(&mut rng, ACC_BITS),
                };
                let y = rescale.apply(acc as i32);
                Case::new([("acc", acc.into())], [("y", y.into())])
            })
            .collect();
        stream.run(if turn % 2 == 0 { 0 } else { 3 }, cases);
    }
    insta::assert_snapshot!("rescale", Rescale.build().unwrap().verilog());
}

#[test]
fn residual() {
    let mut rng = Rng::new(seed());
    let ports = &["sum", "clamped"];
    let outputs = Outputs { valid: "sum_valid", latency: Residual::LATENCY, ports };
    let mut stream = Stream::new(Residual.build().unwrap(), vec![outputs], seed());
    for idle in [0, 3] {
        let cases: Vec<Case> = (0..3000)
            .map(|n| {
                let x = signed(&mut rng, 32);
                let y = match n % 4 {
                    0 => (1 << 31) - 2 + rng.below(4) as i64 - x,
                    1 => -(1 << 31) - 2 + rng.below(4) as i64 - x,
                    2 => signed(&mut rng, 40),
                    _ => signed(&mut rng, 40) >> 8,
                };
                let sum = saturate(x + y, 32);
                let clamped = sum != x + y;
                let inputs = [("x", x.into()), ("y", y.into())];
                Case::new(inputs, [("sum", sum.into()), ("clamped", clamped.into())])
            })
            .collect();
        stream.run(idle, cases);
    }
    insta::assert_snapshot!("residual", Residual.build().unwrap().verilog());
}

/// `clamped` is to be counted: it is 1 beside a valid sum only.
#[test]
fn gaps_do_not_clamp() {
    let mut sim = mutate::bench(&Residual.build().unwrap());
    sim.reset();
    sim.poke("x", i32::MAX);
    sim.poke("y", 1);
    for cycle in 0..12 {
        sim.poke("valid", cycle % 3 == 0);
        let due = cycle >= 2 && (cycle - 2) % 3 == 0;
        assert_eq!(sim.u64("clamped") == 1, due, "cycle {cycle}");
        sim.step();
    }
}

fn sigmoid_unit() -> Stream {
    let outputs = vec![
        Outputs { valid: "sigma_valid", latency: Sigmoid::SIGMA_LATENCY, ports: &["sigma"] },
        Outputs { valid: "silu_valid", latency: Sigmoid::SILU_LATENCY, ports: &["silu"] },
    ];
    Stream::new(Sigmoid.build().unwrap(), outputs, seed())
}

fn sigmoid_case(x: i32, frac: i32) -> Case {
    let unit = sigmoid::Sigmoid::new();
    let outputs = [("sigma", unit.of_fixed(x, frac).into()), ("silu", silu(unit, x, frac).into())];
    Case::new([("x", x.into())], outputs)
}

#[test]
fn sigmoid_random() {
    let mut rng = Rng::new(seed());
    let mut stream = sigmoid_unit();
    for frac in 0..=20 {
        stream.hold(&[("frac", frac.into())]);
        // Around +-16.0 and 0, and anything.
        let end = (16i64 << frac).min(1 << 23);
        let cases: Vec<Case> = (0..300)
            .map(|n| {
                let x = match n % 5 {
                    0 => end - 8 + rng.below(16) as i64,
                    1 => -end - 8 + rng.below(16) as i64,
                    2 => rng.below(64) as i64 - 32,
                    3 => signed(&mut rng, 24) >> rng.below(23),
                    _ => signed(&mut rng, 24),
                };
                sigmoid_case(x.clamp(-(1 << 23), (1 << 23) - 1) as i32, frac)
            })
            .collect();
        stream.run(if frac % 2 == 0 { 0 } else { 3 }, cases);
    }
    let design = Sigmoid.build().unwrap();
    insta::assert_snapshot!("sigmoid", design.file(&design.top).unwrap());
}

/// The whole range of the argument, ends included, at every place within a segment.
#[test]
fn sigmoid_everywhere() {
    let mut stream = sigmoid_unit();
    stream.hold(&[("frac", 16)]);
    let all = (-(1 << 20)..=1 << 20).step_by(31).chain([1 << 20, (1 << 20) - 1]);
    stream.run(0, all.map(|u| sigmoid_case(u, 16)));
    // Every point of the table, and its neighbours.
    let points = (-512..=512).flat_map(|k| [-1, 0, 1].map(|d| (k << 11) + d));
    stream.run(0, points.map(|u| sigmoid_case(u, 16)));
}

/// The greatest σ there is.
const SIGMA_MAX: u64 = (1 << 24) - 2;

/// Both phases, mixed at random, with everything that the other phase would read set to anything.
#[test]
fn mlgru() {
    let mut rng = Rng::new(seed());
    let ports = &["result"];
    let outputs = Outputs { valid: "result_valid", latency: Mlgru::LATENCY, ports };
    let mut stream = Stream::new(Mlgru.build().unwrap(), vec![outputs], seed());
    let unit = sigmoid::Sigmoid::new();
    for idle in [0, 3] {
        let cases: Vec<Case> = (0..4000)
            .map(|n| {
                let forget = rng.one_in(2);
                // Mostly the sigma of some b; sometimes one that the table does not have.
                let b = (signed(&mut rng, 22) as i32).clamp(-(1 << 20), 1 << 20);
                let sigma = match n % 4 {
                    0 => unsigned(&mut rng, 24).min(SIGMA_MAX),
                    _ => u64::from(unit.of_fixed(-b, 16)),
                };
                let lower = unsigned(&mut rng, 16) as u16;
                let [v, h, g, silu] = [(); 4].map(|()| signed(&mut rng, 24) as i32);
                let w_g = (signed(&mut rng, 16) as i16).max(-32767);
                let result = if forget {
                    // The formula of one_minus_f, which takes b instead.
                    let span = (1 << 16) - u64::from(lower);
                    let open = ((span * sigma + (1 << 15)) >> 16) as u32;
                    if n % 4 > 0 {
                        assert_eq!(open, one_minus_f(unit, b, lower));
                    }
                    recur(h, v, open)
                } else {
                    output_gate(g, w_g, silu)
                };
                Case::new(
                    [
                        ("forget", forget.into()),
                        ("sigma", sigma.into()),
                        ("lower", lower.into()),
                        ("v", v.into()),
                        ("h", h.into()),
                        ("g", g.into()),
                        ("w_g", w_g.into()),
                        ("silu", silu.into()),
                    ],
                    [("result", result.into())],
                )
            })
            .collect();
        stream.run(idle, cases);
    }
    insta::assert_snapshot!("mlgru", Mlgru.build().unwrap().verilog());
}

/// Ten thousand steps of slow and fast channels, each state fed back: 1 - f = 2^-12 moves a state by
/// single units for longest, and stops where the formula does.
#[test]
fn a_recurrence_never_drifts() {
    const STEPS: usize = 10_000;
    let mut rng = Rng::new(seed());
    let mut sim = mutate::bench(&Mlgru.build().unwrap());
    sim.reset();
    sim.poke("forget", 1);
    // σ and lower bound, which make 1 - f, and the state; a channel is through when its turn comes.
    let mut channels: Vec<(u32, u16, i32)> = [
        (1 << 12, 0),
        (1 << 12, 0),
        (1 << 13, 1 << 15),
        (1 << 11, 65_535),
        (1 << 20, 12_345),
        ((1 << 24) - 2, 0),
        (0, 777),
        (1 << 14, 60_000),
        (1 << 23, 40_000),
    ]
    .map(|(sigma, lower)| (sigma, lower, 0))
    .into();
    assert_eq!(channels.len(), Mlgru::LATENCY as usize);
    channels[1].2 = -(1 << 22) + (1 << 14);
    let open = |(sigma, lower, _): (u32, u16, i32)| {
        numerics::round_shift((65_536 - i64::from(lower)) * i64::from(sigma), 16) as u32
    };
    let mut still = 0;
    for step in 0..STEPS {
        for (n, channel) in channels.iter_mut().enumerate() {
            // The channel that came back in this clock goes in again.
            let (sigma, lower, h) = *channel;
            if step > 0 {
                assert_eq!(sim.u64("result_valid"), 1);
                assert_eq!(sim.i64("result"), i64::from(h), "channel {n}, step {step}");
            }
            // A target that stands still at first, and then is anything.
            let v = match (n, step < STEPS / 2) {
                (0, true) => 1 << 20,
                (1, _) => -(1 << 22),
                (_, true) => (1 << 23) - 1,
                _ => signed(&mut rng, 24) as i32,
            };
            let result = sim.i64("result");
            sim.poke("valid", 1);
            sim.poke("sigma", sigma);
            sim.poke("lower", lower);
            sim.poke("v", v);
            sim.poke("h", if step > 0 { result } else { h.into() });
            sim.step();
            channel.2 = recur(h, v, open(*channel));
            still += u32::from(n == 1 && channel.2 == h);
        }
    }
    // Half a unit of 2^-12 is 2^11: nearer it does not come.
    assert!(still > 0 && channels[1].2 + (1 << 22) <= 1 << 11, "{channels:?}");
}

#[test]
fn glu_product() {
    let mut rng = Rng::new(seed());
    let outputs = Outputs { valid: "product_valid", latency: Glu::LATENCY, ports: &["product"] };
    let mut stream = Stream::new(Glu.build().unwrap(), vec![outputs], seed());
    let unit = sigmoid::Sigmoid::new();
    for idle in [0, 3] {
        let cases: Vec<Case> = (0..3000)
            .map(|n| {
                let (gate, frac) = (signed(&mut rng, 24) as i32, rng.below(21) as i32);
                // Anything, and products that lie at a half.
                let up = match n % 3 {
                    0 => 1 << 15,
                    _ => signed(&mut rng, 24) as i32,
                };
                let product = glu::product(unit, gate, up, frac);
                let inputs = [("gate", silu(unit, gate, frac).into()), ("up", up.into())];
                Case::new(inputs, [("product", product.into())])
            })
            .collect();
        stream.run(idle, cases);
    }
    // Ends that no silu reaches, and products at a half and one beside it.
    let ends = [-(1i64 << 23), (1 << 23) - 1];
    let corners = ends.iter().flat_map(|&a| ends.map(|b| (a, b)));
    let beside =
        [-(1 << 15), 1 << 15].into_iter().flat_map(|half| [-1, 0, 1].map(|d| (half + d, 1)));
    let cases = corners.chain(beside).map(|(gate, up)| {
        let product = numerics::round_shift(gate * up, 16);
        Case::new([("gate", gate.into()), ("up", up.into())], [("product", product.into())])
    });
    stream.run(0, cases);
    insta::assert_snapshot!("glu", Glu.build().unwrap().verilog());
}
