//! The demo models, whose weights were trained.

use std::sync::Arc;

use sterna::generate::{Request, generate};
use sterna::sample::Sampling;
use sterna_firmware::device::Device;
use sterna_firmware::golden::Golden;
use sterna_hdl::driver::Settings;
use sterna_sim::memory::Stalls;

use crate::common::{card, compare, five, geometry, memory, tiny};

const BUSES: [u32; 4] = [64, 128, 256, 512];

#[test]
fn tiny_at_64_bits() {
    compare(&tiny(), &geometry(64), 64, memory(Stalls::Random, 1));
}

#[test]
fn tiny_at_128_bits() {
    compare(&tiny(), &geometry(128), 64, memory(Stalls::Random, 2));
}

#[test]
fn tiny_at_256_bits() {
    compare(&tiny(), &geometry(256), 64, memory(Stalls::Random, 3));
}

#[test]
fn tiny_at_512_bits() {
    compare(&tiny(), &geometry(512), 64, memory(Stalls::Random, 4));
    compare(&tiny(), &geometry(512), 8, memory(Stalls::Burst, 5));
}

#[test]
fn five_million_parameters() {
    compare(&five(), &geometry(64), 3, memory(Stalls::Burst, 6));
    compare(&five(), &geometry(512), 8, memory(Stalls::Random, 7));
}

#[test]
#[ignore = "some minutes"]
fn every_demo_at_every_bus() {
    for model in [tiny(), five()] {
        for bus in BUSES {
            for stalls in [Stalls::Random, Stalls::Burst] {
                compare(&model, &geometry(bus), 64, memory(stalls, bus.into()));
            }
        }
    }
}

/// The core chooses its tokens itself, and the text is golden's.
#[test]
fn two_hundred_tokens_of_text() {
    let model = five();
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let prompt = tokenizer.encode("ROMEO:\n", true).unwrap();
    let text = |device: &mut dyn Device| {
        let request =
            Request { prompt: &prompt, count: 200, sampling: Sampling::default(), stop: &[] };
        let tokens = generate(device, &request, &mut |_| Ok(())).unwrap().tokens;
        tokenizer.decode(&tokens).unwrap()
    };
    let mut card = card(&model, &geometry(512), memory(Stalls::None, 0), &Settings::default());
    let core = text(&mut card);
    let golden = text(&mut Golden::new(Arc::clone(&model), 1).unwrap());
    assert_eq!(core, golden);
    assert!(core.len() > 200, "{core}");
}
