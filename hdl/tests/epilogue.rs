//! The units that an accumulator passes on its way to a vector, element by element.

mod common;

use common::{Case, Outputs, Stream, seed, signed};
use sterna_hdl::units::{ACC_BITS, Rescale};
use sterna_model::numerics::{self, Scale};
use sterna_rtl::Generate;
use sterna_rtl::random::Rng;

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
