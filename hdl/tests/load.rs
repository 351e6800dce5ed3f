//! Loading a model: whole, not at all, the rest of it; and what a token costs.

mod fake;

use std::ops::ControlFlow;
use std::sync::Arc;

use fake::Fake;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, CardError, Loaded, Progress, Settings, bare};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, command};
use sterna_model::synth::SynthSpec;

const BYTES: usize = 1 << 20;
const CHUNK: u32 = 8192;

fn small(seed: u64) -> Arc<Model> {
    fake::model(&SynthSpec { seed, ..SynthSpec::new(64, 2, 101) })
}

/// One with more pages than a sample.
fn large() -> Arc<Model> {
    fake::model(&SynthSpec::new(64, 2, 2000))
}

fn fake(model: &Arc<Model>) -> Fake {
    Fake::new(model, &Geometry::for_shape(64, &model.shape()), BYTES)
}

fn open(fake: Fake, model: &Arc<Model>) -> Result<(Card<Fake>, Vec<Progress>), CardError> {
    let settings = Settings { chunk: CHUNK, ..Settings::default() };
    let mut seen = vec![];
    let model = Arc::clone(model);
    Ok((Card::open_with(fake, "fake", model, &settings, &mut |now| seen.push(now))?, seen))
}

/// Bytes of image and rows.
fn total(model: &Model) -> u64 {
    let shape = model.shape();
    (model.image().bytes().len() + shape.row_stride() * shape.vocab) as u64
}

/// The next token is golden's.
fn is_right(card: &mut Card<Fake>, model: &Arc<Model>) {
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    for token in [5, 100] {
        let steps = [Step { slot: 0, token, want: Want::Logits }];
        assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap());
    }
}

#[test]
fn a_model_is_loaded_once() {
    let (model, other) = (small(1), small(2));
    let total = total(&model);
    let (mut card, seen) = open(fake(&model), &model).unwrap();
    assert_eq!(card.loaded(), Loaded { held: 0, written: total });
    assert_eq!(seen.first(), Some(&Progress { done: 0, total }));
    assert_eq!(seen.last(), Some(&Progress { done: total, total }));
    assert!(seen.windows(2).all(|pair| pair[1].done - pair[0].done <= u64::from(CHUNK)));
    is_right(&mut card, &model);

    let mut fake = card.into_transport();
    fake.loads.clear();
    let (mut card, seen) = open(fake, &model).unwrap();
    assert_eq!(card.loaded(), Loaded { held: total, written: 0 });
    assert_eq!(seen, [Progress { done: total, total }]);
    assert_eq!(card.transport().loads, []);
    // The core looked for itself.
    assert_eq!(card.transport().commands.last(), Some(&command::RUN));
    is_right(&mut card, &model);

    // Unless it is told to load, or is another model.
    let settings = Settings { reuse: false, ..Settings::default() };
    let card = Card::open(card.into_transport(), "fake", Arc::clone(&model), &settings).unwrap();
    assert_eq!(card.loaded(), Loaded { held: 0, written: total });
    let mut fake = card.into_transport();
    (fake.model, fake.golden) = (Arc::clone(&other), Golden::new(Arc::clone(&other), 1).unwrap());
    let (mut card, _) = open(fake, &other).unwrap();
    assert_eq!(card.loaded(), Loaded { held: 0, written: total });
    is_right(&mut card, &other);
}

#[test]
fn a_load_that_was_ended_goes_on() {
    let model = small(1);
    let total = total(&model);
    let mut stages = vec![];
    for left in 0.. {
        let mut fake = fake(&model);
        // What was there before is no model.
        open_with_writes(&mut fake, left, &model);
        if fake.left_loads.is_none() {
            break;
        }
        fake.left_loads = None;
        fake.loads.clear();
        let label = bare::holds(&mut fake).unwrap();
        let (mut card, seen) = open(fake, &model).unwrap();
        let Loaded { held, written } = card.loaded();
        assert_eq!(label.map_or(0, |holds| holds.bytes), held);
        assert_eq!(held + written, total);
        assert_eq!(seen.first(), Some(&Progress { done: held, total }));
        is_right(&mut card, &model);
        stages.push(held);
    }
    // The label says a chunk more after each; the last stage has them all.
    assert!(stages.is_sorted());
    assert_eq!((stages[0], stages[1]), (0, 0));
    assert!(stages.windows(2).all(|pair| pair[1] - pair[0] <= u64::from(CHUNK)));
    assert!(stages.iter().filter(|&&held| held > 0).count() > 4, "{stages:?}");
}

/// Has a load end after some writes; with enough of them it does not.
fn open_with_writes(fake: &mut Fake, left: usize, model: &Arc<Model>) {
    fake.left_loads = Some(left);
    let settings = Settings { chunk: CHUNK, ..Settings::default() };
    let result = Card::open(&mut *fake, "fake", Arc::clone(model), &settings).map(|_| ());
    match result {
        Ok(()) => fake.left_loads = None,
        Err(error) => assert_eq!(error.code(), "X001"),
    }
}

/// A label over something else: what the sample shows, and what only the core finds.
#[test]
fn a_label_is_not_believed() {
    let model = large();
    let (card, _) = open(fake(&model), &model).unwrap();
    let map = card.map().clone();
    let whole = card.into_transport().memory;
    let length = model.image().bytes().len() as u64;
    for (at, told) in [
        (map.label + 3, true),
        (map.image, true),
        (map.image + 5 * 4096, false),
        (map.image + length - 1, false),
        (map.embeddings + (model.shape().row_stride() * 2000) as u64 - 1, true),
    ] {
        let mut fake = fake(&model);
        fake.memory.clone_from(&whole);
        fake.memory[at as usize] ^= 0x10;
        let (mut card, seen) = open(fake, &model).unwrap();
        assert_eq!(card.loaded(), Loaded { held: 0, written: total(&model) }, "at {at:#x}");
        // Either it is loaded at once, or after a pass.
        assert_eq!(seen[0].done == 0, told, "at {at:#x}");
        is_right(&mut card, &model);
    }
}

/// A row that no sample saw: a fault, and the next process does not believe the label either.
#[test]
fn damage_is_remembered() {
    let model = large();
    let (card, _) = open(fake(&model), &model).unwrap();
    let at = card.map().embeddings + 50 * model.shape().row_stride() as u64;
    let mut fake = card.into_transport();
    fake.memory[at as usize] ^= 1;
    let (mut card, _) = open(fake, &model).unwrap();
    assert_eq!(card.loaded().written, 0);
    let error = card.pass(&[Step { slot: 0, token: 50, want: Want::Top }]).unwrap_err();
    assert_eq!(error.code(), "C108");
    let (mut card, _) = open(card.into_transport(), &model).unwrap();
    assert_eq!(card.loaded().held, 0);
    // The same card loads again by itself.
    card.transport().memory[at as usize] ^= 1;
    card.pass(&[Step { slot: 0, token: 50, want: Want::Top }]).unwrap_err();
    card.clear(0).unwrap();
    is_right(&mut card, &model);
}

#[test]
fn what_is_loaded_can_be_read_back() {
    let model = small(1);
    let settings = Settings { read_back: true, ..Settings::default() };
    let mut damaged = fake(&model);
    damaged.dead = Some(3 * 4096 + 5);
    let error = Card::open(damaged, "fake", Arc::clone(&model), &settings).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "C014");
    insta::assert_snapshot!(format!("{}: {error}", error.code()));
    let card = Card::open(fake(&model), "fake", Arc::clone(&model), &settings).unwrap();
    assert_eq!(card.loaded().held, 0);
}

/// At most two registers are written for a token, and one for a run in the core's own loop.
#[test]
fn a_token_costs_two_writes() {
    let model = small(1);
    let (mut card, _) = open(fake(&model), &model).unwrap();
    card.pass(&[Step { slot: 0, token: 1, want: Want::Top }]).unwrap();
    for token in [2, 3, 3] {
        card.transport().writes.clear();
        card.pass(&[Step { slot: 0, token, want: Want::Top }]).unwrap();
        let writes = &card.transport().writes;
        assert!(writes.len() <= 2 && writes.last() == Some(&regs::COMMAND.offset), "{writes:?}");
    }
    card.transport().writes.clear();
    let mut each = |_| ControlFlow::Continue(());
    card.generate(0, 3, 60, &[7], &mut each).unwrap();
    // Beside TOKEN and COMMAND: COUNT and a stop register.
    assert!(card.transport().writes.len() <= 4);
}

/// A core that comes back without its memory: nothing is taken for what it was.
#[test]
fn a_card_that_comes_back_is_looked_at() {
    let model = small(1);
    let settings = Settings { slots: 2, ..Settings::default() };
    for forgets in [false, true] {
        let mut card = Card::open(fake(&model), "fake", Arc::clone(&model), &settings).unwrap();
        let step = |slot, token| [Step { slot, token, want: Want::Top }];
        card.pass(&step(0, 1)).unwrap();
        card.pass(&step(1, 1)).unwrap();
        card.transport().unplugged = true;
        assert_eq!(card.pass(&step(1, 2)).unwrap_err().code(), "X001");
        card.clear(1).unwrap();
        assert_eq!(card.pass(&step(1, 2)).unwrap_err().code(), "X001");
        card.transport().unplugged = false;
        if forgets {
            card.transport().memory.fill(0);
        }
        card.clear(1).unwrap();
        card.pass(&step(1, 2)).unwrap();
        // The state of slot 0 was in memory.
        assert_eq!(card.pass(&step(0, 2)).is_err(), forgets);
    }
    // The same if that is the first to be asked for, as a pass or as a state.
    for (forgets, reset) in [(false, false), (true, false), (false, true)] {
        for ask in [false, true] {
            let mut card = Card::open(fake(&model), "fake", Arc::clone(&model), &settings).unwrap();
            let step = |slot, token| [Step { slot, token, want: Want::Top }];
            card.pass(&step(0, 1)).unwrap();
            card.pass(&step(1, 1)).unwrap();
            card.transport().unplugged = true;
            card.pass(&step(1, 2)).unwrap_err();
            card.transport().unplugged = false;
            if forgets {
                card.transport().memory.fill(0);
            }
            if reset {
                card.transport().power_up();
            }
            let result = match ask {
                false => card.pass(&step(0, 2)).map(|_| ()).map_err(|error| error.code()),
                true => card.state(0).map(|_| ()).map_err(|error| error.code()),
            };
            assert_eq!(result.err(), (forgets || reset).then_some("C011"), "{forgets} {reset}");
            for slot in 0..2 {
                card.clear(slot).unwrap();
            }
            is_right(&mut card, &model);
        }
    }
    let mut card = Card::open(fake(&model), "fake", Arc::clone(&model), &settings).unwrap();
    card.transport().unplugged = true;
    card.reset().unwrap_err();
    card.transport().unplugged = false;
    card.transport().geometry.top_k = 8;
    let error = card.reset().unwrap_err();
    let mut messages = format!("{}: {error}\n", error.code());
    card.transport().geometry.top_k = 64;
    card.reset().unwrap();
    card.clear(0).unwrap();
    card.pass(&[Step { slot: 0, token: 2, want: Want::Top }]).unwrap();
    // Somebody else resets it.
    card.transport().forced.insert(regs::STATUS.offset, 0);
    card.transport().forced.insert(regs::WATCHDOG.offset, 0);
    let error = card.pass(&[Step { slot: 0, token: 2, want: Want::Top }]).unwrap_err();
    messages += &format!("{}: {error}", error.code());
    insta::assert_snapshot!(messages);
    card.transport().forced.clear();
    card.clear(0).unwrap();
    card.transport().fault = Some((Fault::Watchdog, 0));
    assert_eq!(
        card.pass(&[Step { slot: 0, token: 2, want: Want::Top }]).unwrap_err().code(),
        "C111"
    );
}
