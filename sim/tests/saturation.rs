//! What leaves its format clamps, and is counted, in the core as in the golden model.
//!
//! The compiler's images never have it happen; images that contradict themselves do.

mod common;

use common::exaggerated::exaggerated;
use sterna_firmware::device::{Device, Want};
use sterna_firmware::geometry::Geometry;
use sterna_model::synth::SynthSpec;
use sterna_sim::fuzz::made_up;
use sterna_sim::{CardOptions, Options, Session};

#[test]
fn what_clamps_in_golden_clamps_in_the_core() {
    let spec = SynthSpec {
        intermediate: Some(64),
        lower_bounds: true,
        seed: common::seed(),
        ..SynthSpec::new(64, 2, 50)
    };
    let model = made_up(&spec).unwrap();
    let geometry = Geometry { ways: 2, quantisers: 4, ..Geometry::for_shape(64, &model.shape()) };
    let options = CardOptions {
        model: Options { assertions: true, quick: true, ..common::options() },
        ..CardOptions::default()
    };
    // From values that all fit, to factors beyond the largest.
    for bits in [0, 6, 8, 16, 30] {
        let mut session = Session::new(&exaggerated(&model, bits), &geometry, &options).unwrap();
        for want in [Want::Top, Want::Logits, Want::State, Want::Top] {
            session.pass(want).unwrap();
        }
        session.state().unwrap();
        let report = session.report();
        assert_eq!(report.mismatches, 0, "2^{bits}: {:?}", report.first_mismatch);
        let (golden, card) = (session.golden().saturations(), session.card().saturations());
        eprintln!("2^{bits}: {golden} clamped");
        assert_eq!(golden, card, "2^{bits}");
        assert_eq!(golden > 0, bits > 0, "2^{bits}: {golden}");
    }
}
