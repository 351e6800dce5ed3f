//! Bits that change on their way from the card's memory: whichever it is, nobody computes with it.

mod fake;

use std::ops::ControlFlow;
use std::ops::Range;
use std::sync::Arc;

use fake::Fake;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_hdl::record::stride;
use sterna_model::synth::SynthSpec;

const BYTES: usize = 1 << 20;
const TOKEN: u32 = 5;

fn small() -> Arc<Model> {
    fake::model(&SynthSpec::new(32, 1, 21))
}

fn card(model: &Arc<Model>, top_k: u32) -> Card<Fake> {
    let geometry = Geometry { top_k, ..Geometry::for_shape(64, &model.shape()) };
    let fake = Fake::new(model, &geometry, BYTES);
    let settings = Settings { slots: 2, ..Settings::default() };
    Card::open(fake, "fake", Arc::clone(model), &settings).unwrap()
}

/// Asks while each bit of a stretch changes in turn: once, the answer is right all the same;
/// always, it is right or an error.
fn flip<R: PartialEq + std::fmt::Debug>(
    card: &mut Card<Fake>,
    bytes: Range<usize>,
    ask: impl Fn(&mut Card<Fake>) -> sterna_firmware::Result<R>,
    right: &R,
) {
    for at in bytes {
        for bit in 0..8 {
            card.transport().flip = Some((1, at, 1 << bit));
            card.clear(0).unwrap();
            assert_eq!(&ask(card).unwrap(), right, "bit {bit} at {at:#x}");
            assert_eq!(card.transport().flip.map(|(times, ..)| times), Some(0), "it was read");
        }
    }
    card.transport().flip = None;
}

#[test]
fn every_bit_of_a_record() {
    let model = small();
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    let step = |want| [Step { slot: 0, token: TOKEN, want }];
    for top_k in [1, 8, 64] {
        let mut card = card(&model, top_k);
        let at = card.map().results as usize;
        golden.clear(0).unwrap();
        let right = golden.pass(&step(Want::Top)).unwrap();
        flip(&mut card, at..at + stride(top_k), |card| card.pass(&step(Want::Top)), &right);
        let at = card.map().logits as usize;
        golden.clear(0).unwrap();
        let right = golden.pass(&step(Want::Logits)).unwrap();
        let length = 4 * model.shape().vocab;
        flip(&mut card, at..at + length, |card| card.pass(&step(Want::Logits)), &right);
    }
}

#[test]
fn every_bit_of_the_records_of_a_run() {
    let model = small();
    let (mut card, mut golden) = (card(&model, 8), Golden::new(Arc::clone(&model), 1).unwrap());
    let run = |device: &mut dyn Device| -> sterna_firmware::Result<Vec<u32>> {
        let mut tokens = vec![];
        let mut keep = |head: Head| {
            tokens.push(head.top[0].token);
            ControlFlow::Continue(())
        };
        device.generate(0, TOKEN, 3, &[], &mut keep)?;
        Ok(tokens)
    };
    let right = run(&mut golden).unwrap();
    let at = card.map().results as usize;
    flip(&mut card, at..at + 3 * stride(8), |card| run(card), &right);
}

#[test]
fn every_bit_of_a_state() {
    let model = small();
    let (mut card, mut golden) = (card(&model, 8), Golden::new(Arc::clone(&model), 1).unwrap());
    let step = [Step { slot: 0, token: TOKEN, want: Want::State }];
    golden.pass(&step).unwrap();
    let at = card.map().state(0) as usize;
    let state = |card: &mut Card<Fake>| {
        card.pass(&step)?;
        Ok(card.state(0)?)
    };
    flip(&mut card, at..at + 4 * model.shape().state(), state, &golden.state(0).to_vec());
}

/// Memory that never reads the same, and memory that always reads the same wrong.
#[test]
fn what_does_not_settle_is_told() {
    let model = small();
    let mut card = card(&model, 8);
    let at = card.map().results as usize;
    let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
    card.transport().flip = Some((u32::MAX, at + 4, 1));
    assert_eq!(card.pass(&step).unwrap_err().code(), "C008");
    card.transport().flip = None;
    card.transport().noise = true;
    card.clear(0).unwrap();
    let error = card.pass(&step).unwrap_err();
    insta::assert_snapshot!(format!("{}: {error}", error.code()));
    card.transport().noise = false;
    card.clear(0).unwrap();
    card.pass(&step).unwrap();
}
