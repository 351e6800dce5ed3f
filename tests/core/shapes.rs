//! Made-up models of every legal kind of shape, every vector compared.

use sterna_model::synth::{Channels, SynthSpec};
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::Stalls;

use crate::common::{compare, geometry, memory};

fn shape(hidden: usize, layers: usize, vocab: usize) -> SynthSpec {
    SynthSpec::new(hidden, layers, vocab)
}

/// Three tokens on the core of a bus that has room for it and more.
fn runs(spec: &SynthSpec, bus: u32) {
    let model = made_up(spec).unwrap();
    compare(&model, &geometry(bus), 3, memory(Stalls::Random, spec.seed));
}

#[test]
fn heads_and_outliers() {
    runs(&SynthSpec { heads: 4, channels: Channels::Outliers, seed: 1, ..shape(128, 3, 101) }, 64);
    runs(
        &SynthSpec {
            heads: 2,
            channels: Channels::Outliers,
            eps: 1e-3,
            seed: 2,
            ..shape(256, 2, 64)
        },
        512,
    );
}

#[test]
fn a_recurrence_twice_as_wide() {
    let wide = |hidden, seed| SynthSpec {
        expand: 2,
        lower_bounds: false,
        intermediate: Some(96),
        seed,
        ..shape(hidden, 2, 99)
    };
    for (bus, hidden) in [(64, 64), (128, 96), (256, 256), (512, 160)] {
        runs(&wide(hidden, u64::from(bus)), bus);
    }
}

/// Widths that are no power of two, and columns that are padded to 64; row groups that are not
/// full.
#[test]
fn odd_widths() {
    for (hidden, vocab, bus) in
        [(64, 7, 256), (192, 503, 128), (320, 1003, 64), (320, 304, 512), (96, 2, 512)]
    {
        runs(&SynthSpec { seed: vocab as u64, ..shape(hidden, 2, vocab) }, bus);
    }
    let free = SynthSpec { lower_bounds: false, intermediate: Some(1024), ..shape(224, 3, 61) };
    runs(&free, 256);
}

/// A row group of one beat.
#[test]
fn the_narrowest_model_on_the_widest_bus() {
    runs(&SynthSpec { intermediate: Some(32), ..shape(32, 1, 2) }, 512);
    runs(&SynthSpec { intermediate: Some(64), seed: 3, ..shape(32, 3, 11) }, 512);
}

/// Layers and vocabulary of the published model of 370 M parameters, two of its 24 layers.
#[test]
fn layers_of_the_370m() {
    let model = made_up(&shape(1024, 2, 32_000)).unwrap();
    let shape = model.shape();
    assert_eq!((shape.intermediate, shape.vocab), (2816, 32_000));
    compare(&model, &geometry(512), 1, memory(Stalls::Random, 1));
}
