//! What a compiled model is made of, as `sterna image` lists it, and what a device in software says
//! of itself.

mod common;

use std::sync::Arc;

use common::Desk;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::disasm::Listing;
use sterna_firmware::file::SectionKind;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_model::synth::SynthSpec;

/// Every field, formats and norms included, which come of bounds of the values.
#[test]
fn a_model_is_listed() {
    let desk = Desk::of(&SynthSpec { lower_bounds: true, ..SynthSpec::new(64, 2, 40) });
    let model = desk.open(&desk.good).unwrap();
    insta::assert_snapshot!(Listing::new(&model.image()));
}

/// Image and rows alone are a model, as in a card's memory: of the same instructions and tokens.
#[test]
fn what_a_memory_holds_is_a_model() {
    let desk = Desk::new();
    let model = desk.open(&desk.good).unwrap();
    let rows = model.container().section(SectionKind::Embedding).unwrap();
    let other = Model::of_memory("card", model.image().bytes(), rows).unwrap();
    assert_eq!(Listing::new(&other.image()).to_string(), Listing::new(&model.image()).to_string());
    let top = |model: &Arc<Model>| {
        let step = [Step { slot: 0, token: 3, want: Want::Top }];
        Golden::new(Arc::clone(model), 1).unwrap().pass(&step).unwrap()[0].top.clone()
    };
    assert_eq!(top(&other), top(&model));
}

#[test]
fn golden_has_no_clock_no_memory_and_no_sensors() {
    let desk = Desk::new();
    let mut golden = Golden::new(Arc::clone(&desk.open(&desk.good).unwrap()), 1).unwrap();
    assert!(golden.counters().unwrap().is_none());
    assert_eq!(golden.streamed(), None);
    assert!(golden.sensors().is_empty());
}
