//! A card that is looked at and reset without a model.

mod fake;

use std::sync::Arc;

use fake::Fake;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, CoreState, Holds, Settings, bare};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, status};
use sterna_model::synth::SynthSpec;

const BYTES: usize = 1 << 20;

fn small() -> Arc<Model> {
    fake::model(&SynthSpec::new(64, 2, 101))
}

fn fake(model: &Arc<Model>) -> Fake {
    Fake::new(model, &Geometry::for_shape(64, &model.shape()), BYTES)
}

#[test]
fn a_core_is_reset_from_any_state() {
    let model = small();
    let mut fresh = fake(&model);
    // What power-up leaves of this one.
    assert_eq!(CoreState::read(&mut fresh).unwrap().flags(), ["failed", "draining"]);
    bare::reset(&mut fresh).unwrap();
    assert_eq!(CoreState::read(&mut fresh).unwrap().status, 0);

    let mut card = Card::open(fresh, "fake", Arc::clone(&model), &Settings::default()).unwrap();
    card.transport().fault = Some((Fault::PayloadCrc, 3));
    card.pass(&[Step { slot: 0, token: 1, want: Want::Top }]).unwrap_err();
    let mut fake = card.into_transport();
    let state = CoreState::read(&mut fake).unwrap();
    assert!(state.flags().contains(&"failed"), "{state:?}");
    assert_eq!((state.fault(), state.segment), (Some(Fault::PayloadCrc), 3));
    bare::reset(&mut fake).unwrap();
    let state = CoreState::read(&mut fake).unwrap();
    assert_eq!((state.status, state.error, state.fault()), (0, 0, None));

    fake.stuck = true;
    assert_eq!(bare::reset(&mut fake).unwrap_err().code(), "C006");
    fake.unplugged = true;
    assert_eq!(bare::reset(&mut fake).unwrap_err().code(), "X001");
    assert_eq!(CoreState::read(&mut fake).unwrap_err().code(), "X001");
}

#[test]
fn every_number_of_the_core_is_its_registers() {
    let mut fake = fake(&small());
    let wide = [
        (&regs::IMAGE_ID_LO, &regs::IMAGE_ID_HI),
        (&regs::CYCLES_LO, &regs::CYCLES_HI),
        (&regs::BEATS_LO, &regs::BEATS_HI),
        (&regs::STARVED_LO, &regs::STARVED_HI),
        (&regs::BLOCKED_LO, &regs::BLOCKED_HI),
        (&regs::IDLE_LO, &regs::IDLE_HI),
    ];
    for (n, (low, high)) in (1..).zip(wide) {
        fake.forced.extend([(low.offset, 100 + n), (high.offset, n)]);
    }
    let narrow = [
        (regs::STATUS, status::BUSY | status::STATE_VALID),
        (regs::ERROR, 200),
        (regs::ERROR_SEGMENT, 8),
        (regs::TOKENS_DONE, 9),
        (regs::LAST_TOKEN, 10),
        (regs::SATURATIONS, 11),
    ];
    fake.forced.extend(narrow.map(|(reg, value)| (reg.offset, value)));
    let state = CoreState::read(&mut fake).unwrap();
    let c = state.counters;
    let of = |n: u64| n << 32 | (100 + n);
    assert_eq!(
        [state.image_id, c.cycles, c.beats, c.starved, c.blocked, c.idle],
        [1, 2, 3, 4, 5, 6].map(of)
    );
    assert_eq!(
        [state.status, state.error, state.segment, state.tokens, state.last_token],
        [9, 200, 8, 9, 10]
    );
    assert_eq!((state.saturations, state.flags()), (11, vec!["busy", "state valid"]));
    assert_eq!(state.fault(), None, "a code that nobody knows");
}

#[test]
fn a_label_says_what_is_there() {
    let model = small();
    let shape = model.shape();
    let total = (model.image().bytes().len() + shape.row_stride() * shape.vocab) as u64;
    let mut fresh = fake(&model);
    assert_eq!(bare::holds(&mut fresh).unwrap(), None);
    let mut card = Card::open(fresh, "fake", Arc::clone(&model), &Settings::default()).unwrap();
    let image_id = model.image().start().id;
    assert_eq!(
        bare::holds(card.transport()).unwrap(),
        Some(Holds { image_id, bytes: total, total })
    );

    bare::forget(card.transport()).unwrap();
    assert_eq!(bare::holds(card.transport()).unwrap(), None);
    let fake = card.into_transport();
    let card = Card::open(fake, "fake", Arc::clone(&model), &Settings::default()).unwrap();
    assert_eq!((card.loaded().held, card.loaded().written), (0, total));
}
