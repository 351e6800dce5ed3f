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
    takes(model, geometry, (tokens, false), memory);
}

/// Clocks of so many passes; with several slots of sequences, or of a prompt.
fn takes(
    model: &Arc<Model>,
    geometry: &Geometry,
    (tokens, prompt): (usize, bool),
    memory: MemoryOptions,
) -> u64 {
    let card = CardOptions { patience: 1 << 30, ..card_options(memory) };
    let options = VerifyOptions { tokens, prompt, card, wave: None };
    let verified = verify(model, geometry, &options).unwrap();
    let slots = geometry.slots;
    let what = format!("{} bits, {slots} slots, prompt {prompt}, {memory:?}", geometry.bus);
    println!("{what}: {} cycles of {tokens} passes", verified.cycles);
    assert_eq!((verified.report.mismatches, verified.report.first_mismatch), (0, None), "{what}");
    assert_eq!(verified.predicted_cycles, verified.cycles, "{what}");
    assert!(verified.cycles > verified.beats);
    assert_eq!(verified.report.tokens, u64::from(slots) * tokens as u64, "{what}");
    verified.cycles
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

/// Sequences and prompts take the same clocks.
#[test]
fn several_slots() {
    let model = tiny();
    for (bus, slots) in [(64, 2), (128, 4)] {
        let geometry = geometry(bus).with_slots(slots);
        let ideal = memory(Stalls::None, 0);
        let [apart, chained] =
            [false, true].map(|prompt| takes(&model, &geometry, (3, prompt), ideal));
        // But for rows of embeddings that cross a page.
        assert!(apart.abs_diff(chained) < 100, "{apart} clocks, {chained} of a prompt");
        takes(&model, &geometry, (2, true), memory(Stalls::Random, 5));
    }
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

/// Four tokens take hardly more than one.
#[test]
#[ignore = "some minutes"]
fn the_370m_at_512_bits_with_four_slots() {
    let model = made_up(&SynthSpec::named("370m").unwrap()).unwrap();
    let geometry = Geometry::for_shape(512, &model.shape());
    let ideal = memory(Stalls::None, 0);
    let alone = takes(&model, &geometry, (1, false), ideal);
    for prompt in [false, true] {
        let all = takes(&model, &geometry.clone().with_slots(4), (1, prompt), ideal);
        assert!(100 * all <= 108 * alone, "{all} clocks, {alone} of one");
    }
}
