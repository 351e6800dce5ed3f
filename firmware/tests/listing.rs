//! What a compiled model is made of, as `sterna image` lists it, and what a device in software says
//! of itself.

mod common;

use std::sync::Arc;

use common::Desk;
use sterna_firmware::device::Device;
use sterna_firmware::disasm::Listing;
use sterna_firmware::golden::Golden;
use sterna_model::synth::SynthSpec;

/// Every field, formats and norms included, which come of bounds of the values.
#[test]
fn a_model_is_listed() {
    let desk = Desk::of(&SynthSpec { lower_bounds: true, ..SynthSpec::new(64, 2, 40) });
    let model = desk.open(&desk.good).unwrap();
    insta::assert_snapshot!(Listing::new(&model.image()));
}

#[test]
fn golden_has_no_clock_no_memory_and_no_sensors() {
    let desk = Desk::new();
    let mut golden = Golden::new(Arc::clone(&desk.open(&desk.good).unwrap()), 1).unwrap();
    assert!(golden.counters().unwrap().is_none());
    assert_eq!(golden.streamed(), None);
    assert!(golden.sensors().is_empty());
}
