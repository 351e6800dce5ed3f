//! Every clock of a token, predicted from the memory's latency alone. From recorded arrivals it is
//! compared in every other test here that compares vectors.

use std::sync::Arc;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_model::synth::SynthSpec;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{CardOptions, VerifyOptions, verify};

use crate::common::{card_options, five, geometry, memory, tiny};

fn predicts(model: &Arc<Model>, geometry: &Geometry, tokens: usize, memory: MemoryOptions) {
    let card = CardOptions { patience: 1 << 30, ..card_options(memory) };
    let options = VerifyOptions { tokens, prompt: false, card, wave: None };
    let verified = verify(model, geometry, &options).unwrap();
    let what = format!("{} bits, {memory:?}", geometry.bus);
    println!("{what}: {} cycles of {tokens} tokens", verified.cycles);
    assert_eq!((verified.report.mismatches, verified.report.first_mismatch), (0, None), "{what}");
    assert_eq!(verified.predicted_cycles, verified.cycles, "{what}");
    assert!(verified.cycles > verified.beats);
}

/// Prompt, as far as usual, and further than the prefetch FIFO reaches.
#[test]
fn latencies_of_an_ideal_memory() {
    let model = tiny();
    for bus in [64, 128, 256, 512] {
        for latency in [1, 60, 900] {
            let memory = MemoryOptions { latency, ..memory(Stalls::None, 0) };
            predicts(&model, &geometry(bus), 2, memory);
        }
    }
}

/// Rows longer than a burst, and more bursts in the FIFO than the memory keeps under way.
#[test]
fn long_rows_and_a_deep_fifo() {
    let spec = SynthSpec { intermediate: Some(32), ..SynthSpec::new(1024, 1, 40) };
    let model = made_up(&spec).unwrap();
    let geometry = Geometry { prefetch: 1 << 14, ..Geometry::for_shape(64, &model.shape()) };
    for latency in [60, 5000] {
        predicts(&model, &geometry, 2, MemoryOptions { latency, ..memory(Stalls::None, 0) });
    }
    predicts(&model, &geometry, 1, memory(Stalls::Random, 3));
}

#[test]
#[ignore = "a minute"]
fn the_demo_at_64_bits() {
    predicts(&five(), &geometry(64), 8, memory(Stalls::None, 0));
}

#[test]
#[ignore = "some minutes"]
fn the_370m_at_512_bits() {
    let model = made_up(&SynthSpec::named("370m").unwrap()).unwrap();
    let geometry = Geometry::for_shape(512, &model.shape());
    predicts(&model, &geometry, 2, memory(Stalls::None, 0));
    predicts(&model, &geometry, 1, memory(Stalls::Burst, 1));
}
