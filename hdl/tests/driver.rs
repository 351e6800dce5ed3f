//! The driver over a card without hardware.

mod fake;

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use fake::Fake;
use sterna_firmware::device::{Counters, Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::Opcode;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, CardError, Settings};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, command, status};
use sterna_model::synth::SynthSpec;

/// What is done to words on their way to memory.
type Tamper<T> = fn(&mut [T]);

const BYTES: usize = 1 << 20;

fn small() -> Arc<Model> {
    fake::model(&SynthSpec::new(64, 2, 101))
}

fn geometry(model: &Model) -> Geometry {
    Geometry::for_shape(64, &model.shape())
}

fn card(model: &Arc<Model>, slots: usize) -> Card<Fake> {
    let fake = Fake::new(model, &geometry(model), BYTES);
    let settings = Settings { slots, ..Settings::default() };
    Card::open(fake, "fake", Arc::clone(model), &settings).unwrap()
}

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

#[test]
fn a_card_is_golden() {
    let model = small();
    for top_k in [1, 8, 64] {
        let fake = Fake::new(&model, &Geometry { top_k, ..geometry(&model) }, BYTES);
        let settings = Settings { slots: 3, ..Settings::default() };
        let mut card = Card::open(fake, "fake", Arc::clone(&model), &settings).unwrap();
        let mut golden = Golden::new(Arc::clone(&model), 3).unwrap();
        assert_eq!((card.name(), card.slots(), card.shape()), ("fake", 3, model.shape()));
        for n in 0..20u32 {
            let wants = [Want::State, Want::Top, Want::Logits];
            let want = |k: u32| wants[((n + k) % 3) as usize];
            let mut steps = vec![step(1, n * 7 % 101, want(0)), step(0, n, want(1))];
            if n % 3 == 0 {
                steps.push(step(2, 100 - n, want(2)));
            }
            assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap(), "pass {n}");
            if n == 10 {
                card.clear(1).unwrap();
                golden.clear(1).unwrap();
            }
        }
        for slot in 0..3 {
            assert_eq!(card.state(slot).unwrap(), golden.state(slot));
        }
        assert_eq!(card.saturations(), 2 * (20 + 20 + 7));
    }
}

fn generate(device: &mut dyn Device, token: u32, count: usize, stops: &[u32]) -> Vec<Head> {
    let mut heads = vec![];
    device
        .generate(0, token, count, stops, &mut |head| {
            heads.push(head);
            ControlFlow::Continue(())
        })
        .unwrap();
    heads
}

#[test]
fn the_cores_own_loop_is_golden() {
    let model = small();
    let (mut card, mut golden) = (card(&model, 1), Golden::new(Arc::clone(&model), 1).unwrap());
    let all = generate(&mut golden, 3, 150, &[]);
    assert_eq!(generate(&mut card, 3, 150, &[]), all);
    assert_eq!(card.state(0).unwrap(), golden.state(0));
    // 150 passes are three runs.
    let runs = card.transport().commands.iter().filter(|&&c| c == command::RUN).count();
    assert_eq!(runs, 3);

    // Stops, among them more than the core has registers for, and one that is no token.
    let best: Vec<u32> = all.iter().map(|head| head.top[0].token).collect();
    let stop = *best.iter().skip(5).find(|token| !best[..5].contains(token)).unwrap();
    let at = best.iter().position(|&token| token == stop).unwrap();
    for stops in [vec![stop], vec![5000, stop], vec![5000, 5001, 5002, 5003, 5004, stop]] {
        card.clear(0).unwrap();
        golden.clear(0).unwrap();
        let heads = generate(&mut card, 3, 150, &stops);
        assert_eq!(heads, all[..=at]);
        assert_eq!(generate(&mut golden, 3, 150, &stops), heads);
        assert_eq!(card.state(0).unwrap(), golden.state(0));
    }

    // Who breaks off has to clear.
    card.clear(0).unwrap();
    let mut count = 0;
    card.generate(0, 3, 20, &[], &mut |_| {
        count += 1;
        if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(count, 3);
    assert_eq!(card.pass(&[step(0, 1, Want::Top)]).unwrap_err().code(), "C011");
    assert_eq!(
        card.generate(0, 101, 1, &[], &mut |_| ControlFlow::Continue(())).unwrap_err().code(),
        "F011"
    );
}

#[test]
fn states_are_saved_and_restored() {
    let model = small();
    let mut card = card(&model, 2);
    assert!(card.state(1).unwrap().iter().all(|&v| v == 0));
    let tokens = [4, 50, 9];
    for token in tokens {
        card.pass(&[step(0, token, Want::State)]).unwrap();
    }
    let state = card.state(0).unwrap();
    assert!(state.iter().any(|&v| v != 0));
    let next = card.pass(&[step(0, 1, Want::Logits)]).unwrap();
    card.set_state(1, &state).unwrap();
    assert_eq!(card.pass(&[step(1, 1, Want::Logits)]).unwrap(), next);
    card.set_state(0, &state).unwrap();
    assert_eq!(card.pass(&[step(0, 1, Want::Logits)]).unwrap(), next);
    let error = card.set_state(0, &state[1..]).unwrap_err();
    let mut messages = line(&error) + "\n";
    card.transport().fault = Some((Fault::Watchdog, 0));
    card.pass(&[step(0, 1, Want::Top)]).unwrap_err();
    messages += &line(&card.state(0).unwrap_err());
    insta::assert_snapshot!(messages);
}

#[test]
fn counters_are_read_whole() {
    let mut card = card(&small(), 1);
    let expected =
        Counters { cycles: (1 << 32) + 5, beats: 4, idle: (1 << 32) + 1, ..Counters::default() };
    assert_eq!(card.counters().unwrap(), expected);
}

fn line(error: &CardError) -> String {
    format!("{}: {error}", error.code())
}

/// Everything that a card is refused for.
#[test]
fn strangers_are_refused() {
    let model = small();
    let geometry = geometry(&model);
    let mut messages = String::new();
    let mut note = |what: &str, fake: Fake, slots: usize| {
        let settings = Settings { slots, ..Settings::default() };
        let error =
            Card::open(fake, "fake", Arc::clone(&model), &settings).map(|_| ()).unwrap_err();
        writeln!(messages, "{what}\n{}", line(&error)).unwrap();
    };
    let wrong: [(&Reg, u32); 14] = [
        (&regs::ID, 0xffff_ffff),
        (&regs::ISA, 2),
        (&regs::SLOTS, 3),
        (&regs::CHANNELS, 0),
        (&regs::BUS, 96),
        (&regs::WAYS, 3),
        (&regs::QUANTISERS, 64),
        (&regs::TOP_K, 2),
        (&regs::MAX_HIDDEN, 33),
        (&regs::MAX_INNER, 0),
        (&regs::MAX_INTERMEDIATE, 65504),
        (&regs::MAX_STATE, 32),
        (&regs::PREFETCH, 1),
        (&regs::MANIFEST_HI, 0x1234_5678),
    ];
    for (reg, value) in wrong {
        let mut fake = Fake::new(&model, &geometry, BYTES);
        // Its hash is not part of the message.
        fake.forced.insert(regs::MANIFEST_LO.offset, 0x9abc_def0);
        fake.forced.insert(reg.offset, value);
        note(reg.name, fake, 1);
    }
    note("a small memory", Fake::new(&model, &geometry, BYTES), 1000);
    let less = Geometry { hidden: 32, state: 64, ..geometry.clone() };
    note("a small core", Fake::new(&model, &less, BYTES), 1);
    note("no slots", Fake::new(&model, &geometry, BYTES), 0);
    let mut fake = Fake::new(&model, &geometry, BYTES);
    fake.stuck = true;
    note("no end of a reset", fake, 1);
    let mut fake = Fake::new(&model, &geometry, BYTES);
    fake.unplugged = true;
    note("no way to it", fake, 1);
    insta::assert_snapshot!(messages);
}

/// After every fault: no token, the state is void, other sequences are not, and after a clear
/// the next token is right.
#[test]
fn every_fault_is_told_and_survived() {
    let model = small();
    let mut messages = String::new();
    for fault in Fault::ALL {
        let (mut card, mut golden) = (card(&model, 2), Golden::new(Arc::clone(&model), 2).unwrap());
        let begin = [step(0, 7, Want::Top), step(1, 8, Want::Top)];
        assert_eq!(card.pass(&begin).unwrap(), golden.pass(&begin).unwrap());
        card.transport().fault = Some((fault, 3));
        // Slot 1 is on chip.
        let error = card.pass(&[step(1, 9, Want::Top)]).unwrap_err();
        writeln!(messages, "{}: {error}", error.code()).unwrap();
        let error = card.pass(&[step(1, 9, Want::Top)]).unwrap_err();
        assert_eq!(error.code(), "C011");
        assert_eq!(card.state(1).unwrap_err().code(), "C011");
        let other = [step(0, 9, Want::Top)];
        assert_eq!(card.pass(&other).unwrap(), golden.pass(&other).unwrap());
        card.clear(1).unwrap();
        golden.clear(1).unwrap();
        for token in [8, 9] {
            let again = [step(1, token, Want::Logits)];
            assert_eq!(card.pass(&again).unwrap(), golden.pass(&again).unwrap());
        }
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn damage_in_memory_is_found_and_mended() {
    let model = small();
    let (mut card, mut golden) = (card(&model, 1), Golden::new(Arc::clone(&model), 1).unwrap());
    let map = card.map().clone();
    let image = model.image();
    let glu = image.segments().iter().find(|s| s.instruction.opcode == Opcode::Glu).unwrap();
    let mut messages = String::new();
    for at in [
        map.image + glu.instruction.payload_offset() as u64 + 100,
        map.image + glu.instruction.offset as u64 + 20,
        map.embeddings + 5 * model.shape().row_stride() as u64,
    ] {
        card.clear(0).unwrap();
        golden.clear(0).unwrap();
        card.transport().memory[at as usize] ^= 1;
        let error = card.pass(&[step(0, 5, Want::Top)]).unwrap_err();
        writeln!(messages, "{}: {error}", error.code()).unwrap();
        card.clear(0).unwrap();
        card.load().unwrap();
        let again = [step(0, 5, Want::Logits)];
        assert_eq!(card.pass(&again).unwrap(), golden.pass(&again).unwrap());
    }
    insta::assert_snapshot!(messages);
}

/// Records and numbers that cannot be: none of them becomes a token.
#[test]
fn nothing_from_the_card_is_believed() {
    let model = small();
    let mut messages = String::new();
    let tampers: [(&str, Tamper<u32>); 9] = [
        ("never written", |words| words.fill(0xeeee_eeee)),
        ("another number", |words| words[0] = 1),
        ("another image", |words| words[6] ^= 1),
        ("best is not first", |words| words[1] ^= 1),
        ("too many candidates", |words| words[2] = 65),
        ("too few candidates", |words| words[2] = 63),
        ("no such token", |words| words[18] = 101),
        ("a huge accumulator", |words| words[19] = 1 << 21),
        ("not in order", |words| {
            let (a, b) = words.split_at_mut(20);
            a[18..20].swap_with_slice(&mut b[..2]);
        }),
    ];
    for (what, tamper) in tampers {
        let mut card = card(&model, 1);
        card.transport().tamper = Some(tamper);
        let error = card.pass(&[step(0, 5, Want::Top)]).unwrap_err();
        let message = error.to_string().replace(&format!("{:016x}", model.image().start().id), "…");
        let message = message
            .split_once("image ")
            .map_or(message.clone(), |(a, b)| format!("{a}image …{}", &b[16..]));
        writeln!(messages, "{what}\n{}: {message}", error.code()).unwrap();
        let mut count = 0;
        let error = card.generate(0, 5, 3, &[], &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        assert_eq!((error.unwrap_err().code(), count), ("C011", 0));
    }
    let spoils: [(&str, Tamper<i32>); 2] = [
        ("a huge number", |values| values[17] = -(1 << 23) - 1),
        ("a changed number", |values| values.iter_mut().for_each(|v| *v ^= 1)),
    ];
    for (what, spoil) in spoils {
        let mut card = card(&model, 1);
        card.pass(&[step(0, 5, Want::Top)]).unwrap();
        card.transport().spoil = Some(spoil);
        let error = card.state(0).map(|_| ());
        if what == "a huge number" {
            writeln!(messages, "state: {what}\n{}", line(&error.unwrap_err())).unwrap();
        }
        let error = card.pass(&[step(0, 5, Want::Logits)]).unwrap_err();
        let message = error.to_string();
        let kept: String = message.chars().filter(|c| !"-0123456789".contains(*c)).collect();
        let message = if what == "a changed number" { kept } else { message };
        writeln!(messages, "logits: {what}\n{}: {message}", error.code()).unwrap();
    }
    // A token that the record left out; as the core chose by itself, so would have its next token.
    let few = Geometry { top_k: 8, ..geometry(&model) };
    let fake = Fake::new(&model, &few, BYTES);
    let mut card = Card::open(fake, "fake", Arc::clone(&model), &Settings::default()).unwrap();
    card.transport().spoil = Some(|values| {
        let least = (0..values.len()).min_by_key(|&n| values[n]).unwrap();
        values[least] = (1 << 20) - 1;
    });
    let error = card.pass(&[step(0, 5, Want::Top)]).unwrap_err();
    writeln!(messages, "logits: a better token\n{}: {error}", error.code()).unwrap();
    insta::assert_snapshot!(messages);
}

/// A core that answers, but not as the manual says.
#[test]
fn contradictions_are_told() {
    let model = small();
    let mut messages = String::new();
    let cases: [(&str, &Reg, u32); 6] = [
        ("never done", &regs::STATUS, status::BUSY),
        ("neither done nor failed", &regs::STATUS, status::STATE_VALID),
        ("done without a state", &regs::STATUS, status::DONE),
        ("an unknown fault", &regs::ERROR, 14),
        ("too few passes", &regs::TOKENS_DONE, 0),
        ("too many passes", &regs::TOKENS_DONE, 7),
    ];
    for (what, reg, value) in cases {
        let mut card = card(&model, 1);
        card.pass(&[step(0, 5, Want::Top)]).unwrap();
        let fake = card.transport();
        fake.forced.insert(reg.offset, value);
        fake.stuck = what == "never done";
        fake.fault = (what == "an unknown fault").then_some((Fault::Row, 0));
        let error = card.pass(&[step(0, 5, Want::Top)]).unwrap_err();
        writeln!(messages, "{what}\n{}: {error}", error.code()).unwrap();
        let fake = card.transport();
        fake.stuck = false;
        fake.forced.clear();
        card.clear(0).unwrap();
        card.pass(&[step(0, 5, Want::Top)]).unwrap();
    }
    // A run that ends early without a reason, and one that the watchdog does not end.
    let mut card = card(&model, 1);
    card.transport().forced.insert(regs::TOKENS_DONE.offset, 2);
    let error = card.generate(0, 5, 4, &[], &mut |_| ControlFlow::Continue(())).unwrap_err();
    writeln!(messages, "an early end\n{}: {error}", error.code()).unwrap();
    insta::assert_snapshot!(messages);
}
