//! Cores of several slots beside the golden model: every vector of every slot, and every clock.
//!
//! `STERNA_SEED` sets what is random.

mod common;

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{Batch, CardOptions, Options, Session};

/// A core of a bus and of so many slots, with a small model, and nothing in its states.
fn session(bus: u32, slots: u32, stalls: Stalls) -> (Session, SynthSpec) {
    let spec =
        SynthSpec { intermediate: Some(160), seed: common::seed(), ..SynthSpec::new(96, 2, 150) };
    let geometry = Geometry::for_shape(bus, &Shape::of(&spec.config().unwrap()));
    let geometry = Geometry { top_k: 8, ..geometry.with_slots(slots) };
    let memory = MemoryOptions { bytes: 1 << 28, latency: 30, stalls, seed: common::seed() };
    let model = Options { assertions: true, quick: true, ..common::options() };
    let options = CardOptions { memory, model, patience: 1 << 24 };
    let mut session = Session::new(&made_up(&spec).unwrap(), &geometry, &options).unwrap();
    session.clear_slots((1 << slots) - 1).unwrap();
    (session, spec)
}

fn sound(session: &mut Session) {
    let report = session.report();
    assert_eq!(report.mismatches, 0, "{:?}", report.first_mismatch);
}

/// The slots of a mask go on, by one token each or by several, separately or as a chain.
fn goes_on(bus: u32, slots: u32, stalls: Stalls) {
    let (mut session, spec) = session(bus, slots, stalls);
    let rng = &mut Rng::new(common::seed());
    for step in 0..6 {
        let mask = match step {
            0 | 1 => (1 << slots) - 1,
            2 => 1,
            _ => 1 + rng.below((1 << slots) - 1),
        };
        let mut token = |slot: u32| (mask >> slot & 1 == 1).then(|| rng.below(spec.vocab as u64));
        let tokens: Vec<_> = (0..slots).map(|slot| token(slot).map(|token| token as u32)).collect();
        let chain = step % 2 == 1;
        let want = [Want::Top, Want::Logits, Want::State][step % 3];
        let count = if step == 0 { 3 } else { 1 };
        let batch = Batch { tokens, chain, want, count, stops: vec![] };
        session.batch(&batch).unwrap();
        let report = session.report();
        assert_eq!(report.mismatches, 0, "{batch:?}: {:?}", report.first_mismatch);
    }
    for slot in 0..slots as usize {
        session.move_state(slot, slot).unwrap();
    }
    sound(&mut session);
}

#[test]
fn two_slots() {
    goes_on(64, 2, Stalls::None);
}

#[test]
fn four_slots() {
    goes_on(128, 4, Stalls::Random);
}

#[test]
fn eight_slots() {
    goes_on(64, 8, Stalls::Burst);
}
