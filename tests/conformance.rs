//! What every device does, whatever is behind it: one suite for golden, float, the simulated core,
//! cards through mapped registers, through calls and through files, and boards on a serial line.

#[path = "core/common.rs"]
#[allow(dead_code, reason = "made for the tests of the core")]
mod common;
#[path = "card/desk.rs"]
mod desk;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use common::run;
use sterna::devices::uart::UartTransport;
use sterna::devices::xdma::XdmaTransport;
use sterna_firmware::device::{Device, Head, State, Step, TOP_K_MAX, Want, best};
use sterna_firmware::float::Float;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::board::{BoardMemory, SerialBoard};
use sterna_hdl::driver::{Card, Settings};
use sterna_hdl::sdram::SdramChip;
use sterna_model::synth::{self, SynthSpec};
use sterna_sim::board::{Pty, SimBoard, SoftBoard};
use sterna_sim::fake_card::FakeCard;
use sterna_sim::memory::Stalls;
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::{Access, Files, Options};

const VOCAB: u32 = 101;
const SLOTS: usize = 3;
/// More than a run of a core.
const LONG: usize = 70;
/// As many tokens side by side.
const SHORT: usize = 20;
const MEMORY: u64 = 4 << 20;

fn write(directory: &Path) -> Arc<Model> {
    let checkpoint = directory.join("made");
    synth::write(&SynthSpec::new(64, 2, VOCAB as usize), &checkpoint, &mut |_, _| ()).unwrap();
    common::import(&checkpoint, directory)
}

fn model() -> Arc<Model> {
    write(tempfile::tempdir().unwrap().path())
}

fn settings(slots: usize) -> Settings {
    Settings { slots, ..Settings::default() }
}

fn xdma(model: &Arc<Model>, access: Arc<dyn Access>, options: Options) -> Card<XdmaTransport> {
    let transport = XdmaTransport::open(access, None, options, None).unwrap();
    Card::open(transport, "xdma", Arc::clone(model), &settings(SLOTS)).unwrap()
}

fn fake(model: &Model) -> FakeCard {
    fake_of(model, 1)
}

fn fake_of(model: &Model, slots: u32) -> FakeCard {
    let geometry = Geometry::for_shape(256, &model.shape()).with_slots(slots);
    FakeCard::new(SoftCore::new(&geometry, MEMORY, Arithmetic::Golden), 0)
}

#[test]
fn golden() {
    let model = model();
    let ties =
        suite("golden", &model, &|| Box::new(Golden::new(Arc::clone(&model), SLOTS).unwrap()));
    assert!(ties > 0, "no two tokens were equally good: take another seed");
}

#[test]
fn float() {
    let model = model();
    suite("float", &model, &|| Box::new(Float::new(Arc::clone(&model), SLOTS).unwrap()));
}

#[test]
fn sim() {
    let model = model();
    let memory = common::memory(Stalls::Random, 3);
    suite("sim", &model, &|| {
        Box::new(common::card(&model, &common::geometry(64), memory, &settings(SLOTS)))
    });
}

/// Sequences that share a pass, and chains of a prompt, by the core itself.
#[test]
fn sim_with_slots() {
    let model = model();
    let memory = common::memory(Stalls::Random, 4);
    let geometry = common::geometry(64).with_slots(2);
    suite("sim", &model, &|| Box::new(common::card(&model, &geometry, memory, &settings(SLOTS))));
}

#[test]
fn xdma_with_mapped_registers() {
    let model = model();
    let make = || xdma(&model, Arc::new(fake(&model).local()), Options::default());
    assert!(make().transport().card().mapped());
    suite("xdma", &model, &|| Box::new(make()));
}

/// A core with room for some of the sequences, for all, and for more.
#[test]
fn xdma_with_slots() {
    let model = model();
    for slots in [2, 4, 8] {
        let make = || xdma(&model, Arc::new(fake_of(&model, slots).local()), Options::default());
        assert_eq!(make().geometry().slots, slots);
        suite("xdma", &model, &|| Box::new(make()));
    }
}

#[test]
fn xdma_with_calls() {
    let model = model();
    let options = Options { unmapped: true, ..Options::default() };
    let make = || xdma(&model, Arc::new(fake(&model).local()), options);
    assert!(!make().transport().card().mapped());
    suite("xdma", &model, &|| Box::new(make()));
}

#[test]
fn xdma_through_files() {
    let Some(mut desk) = desk::fuse_without_card("xdma_through_files") else { return };
    let model = write(&desk.path(""));
    desk.start_for("model.sterna", "4M", &[]);
    let make = || xdma(&model, Arc::new(Files::new(desk.path("card"))), Options::default());
    assert!(make().transport().card().interrupts());
    suite("xdma", &model, &|| Box::new(make()));
}

#[test]
fn uart() {
    let (model, desk) = (model(), tempfile::tempdir().unwrap());
    let port = desk.path().join("board");
    let core = SoftCore::new(&Geometry::for_shape(64, &model.shape()), MEMORY, Arithmetic::Golden);
    let _pty = Pty::serve(SoftBoard::new(core), &port).unwrap();
    suite("uart", &model, &|| Box::new(board(&model, &port, 3_000_000)));
}

#[test]
#[ignore = "a board pins to pins, some minutes"]
fn uart_simulated() {
    let (model, desk) = (model(), tempfile::tempdir().unwrap());
    let port = desk.path().join("board");
    let geometry = Geometry::for_shape(64, &model.shape());
    // Eight clocks a bit: the core is not slower for it, and the line is faster.
    let (chip, hertz, baud) = (SdramChip::ULX3S, 24_000_000, 3_000_000);
    let options = sterna_sim::Options { quick: false, ..common::options() };
    let memory = BoardMemory::Sdram(chip);
    let sim = SimBoard::new(&SerialBoard { geometry, memory, hertz, baud }, &options);
    let _pty = Pty::serve(sim.unwrap(), &port).unwrap();
    // Simulated seconds take long, so be patient.
    suite("uart", &model, &|| Box::new(board(&model, &port, 1200)));
}

fn board(model: &Arc<Model>, port: &Path, baud: u32) -> Card<UartTransport> {
    let transport = UartTransport::open(port, baud).unwrap();
    Card::open(transport, "uart", Arc::clone(model), &settings(SLOTS)).unwrap()
}

type Make<'a> = &'a dyn Fn() -> Box<dyn Device + 'a>;

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

fn one(device: &mut dyn Device, slot: usize, token: u32, want: Want) -> Head {
    device.pass(&[step(slot, token, want)]).unwrap().remove(0)
}

/// A sequence of tokens, each with all its logits, from an empty state.
fn sequence(device: &mut dyn Device, slot: usize, tokens: &[u32]) -> Vec<Head> {
    device.clear(slot).unwrap();
    tokens.iter().map(|&token| one(device, slot, token, Want::Logits)).collect()
}

/// Every check; returns how often two of the best tokens were equally good.
fn suite(name: &str, model: &Arc<Model>, make: Make<'_>) -> usize {
    let device = &mut *make();
    assert_eq!(device.name(), name);
    assert_eq!((device.shape(), device.slots()), (model.shape(), SLOTS));
    let ties = candidates_are_the_best(device);
    a_clear_forgets(device);
    a_state_without_a_head_is_the_same(device);
    sequences_do_not_meet(device);
    wrong_requests_change_nothing(device);
    runs_are_passes(device);
    prompts_are_passes(device);
    several_go_on_as_alone(device);
    who_breaks_off_clears(device);
    states_are_saved_and_restored(device);
    clocks_add_up(device);
    is_as_golden(name, model, device);
    ties
}

/// The candidates are the best of all logits, best first, of equal ones the lowest token.
fn candidates_are_the_best(device: &mut dyn Device) -> usize {
    let mut ties = 0;
    device.clear(0).unwrap();
    for token in 0..20 {
        let head = one(device, 0, token, Want::Logits);
        assert_eq!(head.logits.len(), VOCAB as usize);
        assert!(head.logits.iter().all(|logit| logit.is_finite()));
        let order = best(&head.logits, TOP_K_MAX, |a, b| a > b);
        let found: Vec<usize> = head.top.iter().map(|best| best.token as usize).collect();
        assert_eq!(found, order, "after {token}");
        assert!(head.top.iter().all(|best| best.logit == head.logits[best.token as usize]));
        ties += head.top.windows(2).filter(|pair| pair[0].logit == pair[1].logit).count();
    }
    ties
}

fn a_clear_forgets(device: &mut dyn Device) {
    let tokens = [1, 50, 1, 100, 7];
    let first = sequence(device, 0, &tokens);
    assert_ne!(first[0], first[2], "what came before matters");
    assert_eq!(sequence(device, 0, &tokens), first);
    assert_eq!(sequence(device, 2, &tokens), first, "in another slot");
}

fn a_state_without_a_head_is_the_same(device: &mut dyn Device) {
    let right = sequence(device, 0, &[4, 5, 6, 7]);
    device.clear(0).unwrap();
    for token in [4, 5] {
        assert_eq!(one(device, 0, token, Want::State), Head::default());
    }
    let top = one(device, 0, 6, Want::Top);
    assert_eq!((&top.top, top.logits.len()), (&right[2].top, 0));
    assert_eq!(one(device, 0, 7, Want::Logits), right[3]);
}

fn sequences_do_not_meet(device: &mut dyn Device) {
    let texts = [[3, 60, 3, 9], [9, 8, 7, 6], [100, 0, 50, 3]];
    let alone = texts.map(|text| sequence(device, 1, &text));
    for slot in 0..SLOTS {
        device.clear(slot).unwrap();
    }
    // All in one pass, in changing order; then one after the other; then two of them.
    let wants = |slots: &[usize], n: usize| {
        slots.iter().map(|&slot| step(slot, texts[slot][n], Want::Logits)).collect::<Vec<Step>>()
    };
    for (n, rounds) in [&[&[0, 1, 2][..]][..], &[&[2, 0, 1]], &[&[1], &[0], &[2]], &[&[2, 1], &[0]]]
        .iter()
        .enumerate()
    {
        for slots in *rounds {
            let heads = device.pass(&wants(slots, n)).unwrap();
            for (slot, head) in slots.iter().zip(heads) {
                assert_eq!(head, alone[*slot][n], "slot {slot}, token {n}");
            }
        }
    }
    assert_eq!(device.pass(&[]).unwrap(), []);
}

fn wrong_requests_change_nothing(device: &mut dyn Device) {
    let right = [0, 1].map(|slot| sequence(device, slot, &[10 + slot as u32, 20, 30]));
    for slot in 0..2 {
        sequence(device, slot, &[10 + slot as u32, 20]);
    }
    let good = step(0, 5, Want::Top);
    for (wrong, code) in [
        (step(SLOTS, 5, Want::Top), "F012"),
        (step(usize::MAX, 5, Want::State), "F012"),
        (step(0, 6, Want::Logits), "F013"),
        (step(1, VOCAB, Want::Top), "F011"),
        (step(1, u32::MAX, Want::State), "F011"),
    ] {
        // After one that would be done.
        assert_eq!(device.pass(&[good, wrong]).unwrap_err().code(), code, "{wrong:?}");
    }
    let mut nobody = |_| -> ControlFlow<()> { panic!("nothing is generated") };
    let mut generate = |slot, token| {
        device.generate(slot, token, 5, &[], &mut nobody).map_err(|error| error.code())
    };
    assert_eq!(generate(SLOTS, 1), Err("F012"));
    assert_eq!(generate(0, VOCAB), Err("F011"));
    let mut prompt =
        |slot, tokens: &[u32]| device.prompt(slot, tokens, Want::Top).map_err(|error| error.code());
    assert_eq!(prompt(SLOTS, &[1]), Err("F012"));
    assert_eq!(prompt(1, &[1, VOCAB]), Err("F011"));
    assert_eq!(device.clear(SLOTS).map_err(|error| error.code()), Err("F012"));
    for (slot, right) in right.iter().enumerate() {
        assert_eq!(one(device, slot, 30, Want::Logits), right[2]);
    }
}

/// The device's own loop, against one pass after the other.
fn runs_are_passes(device: &mut dyn Device) {
    let mut right = vec![];
    device.clear(1).unwrap();
    let mut token = 3;
    for _ in 0..LONG {
        let head = one(device, 1, token, Want::Top);
        token = head.top[0].token;
        right.push(head);
    }
    let after = one(device, 1, token, Want::Logits);
    device.clear(1).unwrap();
    assert_eq!(run(device, 1, 3, 0, &[]), [], "none");
    assert!(run(device, 1, 3, LONG, &[]) == right);
    assert_eq!(one(device, 1, token, Want::Logits), after, "it goes on");

    let chosen: Vec<u32> = right.iter().map(|head| head.top[0].token).collect();
    let place = |token: u32| chosen.iter().position(|&other| other == token).unwrap();
    // The token that comes first as late as possible, but not with the last pass.
    let early = chosen[..LONG - 5].iter();
    let stop = *early.max_by_key(|&&token| place(token)).unwrap();
    println!("stops at {stop} after {} of {LONG} tokens", place(stop) + 1);
    assert!(place(stop) > 4, "a text that goes round: take another seed");
    let seen: BTreeSet<u32> = chosen.iter().copied().collect();
    let never: Vec<u32> = (0..VOCAB).filter(|token| !seen.contains(token)).take(5).collect();
    let all = |more: &[u32]| [&never[..], more].concat();
    for stops in [vec![stop], all(&[stop]), vec![VOCAB, u32::MAX, stop], vec![stop, stop]] {
        device.clear(1).unwrap();
        let heads = run(device, 1, 3, LONG, &stops);
        assert_eq!(heads.len(), place(stop) + 1, "{stops:?}");
        assert!(heads == right[..heads.len()], "{stops:?}");
        // The stop token has not entered.
        let next = one(device, 1, stop, Want::Top);
        assert_eq!(next, right[heads.len()], "{stops:?}");
    }
    device.clear(1).unwrap();
    assert!(run(device, 1, 3, 9, &all(&[VOCAB])) == right[..9], "stops that do not come");
}

/// Several tokens at once, against one pass after the other.
fn prompts_are_passes(device: &mut dyn Device) {
    let tokens: Vec<u32> = (0..27).map(|n| n * n * 7 % VOCAB).collect();
    let right = sequence(device, 0, &tokens);
    sequence(device, 1, &[60, 61]);
    device.clear(2).unwrap();
    for (slot, lengths) in [(2, &[1, 2, 3, 0, 4, 9, 7, 1][..]), (0, &[27])] {
        device.clear(slot).unwrap();
        let mut done = 0;
        for (n, &length) in lengths.iter().enumerate() {
            let want = [Want::Top, Want::State, Want::Logits][n % 3];
            let head = device.prompt(slot, &tokens[done..done + length], want).unwrap();
            done += length;
            match (length, want) {
                (0, _) | (_, Want::State) => assert_eq!(head, Head::default()),
                (_, Want::Top) => assert_eq!(head.top, right[done - 1].top, "{done} tokens"),
                (_, Want::Logits) => assert_eq!(head, right[done - 1], "{done} tokens"),
            }
        }
        assert_eq!(done, tokens.len());
    }
    // Both have come to the same, and the one between them has not moved.
    assert!(device.save(0).unwrap() == device.save(2).unwrap());
    let next = one(device, 1, 62, Want::Logits);
    assert_eq!(sequence(device, 1, &[60, 61, 62])[2], next);
}

/// Sequences that generate side by side, each to its own end.
fn several_go_on_as_alone(device: &mut dyn Device) {
    let firsts = [(1, 3), (0, 50), (2, 99)];
    let alone = firsts.map(|(slot, token)| {
        device.clear(slot).unwrap();
        run(device, slot, token, SHORT, &[])
    });
    let chosen = |heads: &[Head]| heads.iter().map(|head| head.top[0].token).collect::<Vec<_>>();
    let stop = chosen(&alone[0])[9];
    let ends = alone.each_ref().map(|heads| {
        chosen(heads).iter().position(|&token| token == stop).map_or(SHORT, |at| at + 1)
    });
    let side_by_side = |device: &mut dyn Device, which: &[usize], stops: &[u32]| {
        let starts: Vec<(usize, u32)> = which.iter().map(|&n| firsts[n]).collect();
        let mut heads = vec![vec![]; which.len()];
        for &(slot, _) in &starts {
            device.clear(slot).unwrap();
        }
        let mut keep = |n: usize, head| {
            heads[n].push(head);
            ControlFlow::Continue(())
        };
        device.generate_all(&starts, SHORT, stops, &mut keep).unwrap();
        heads
    };
    for which in [&[0, 1, 2][..], &[2, 0], &[1]] {
        let heads = side_by_side(device, which, &[]);
        for (heads, &n) in heads.iter().zip(which) {
            assert!(*heads == alone[n], "sequence {n} of {which:?}");
        }
        let heads = side_by_side(device, which, &[VOCAB, stop]);
        for (heads, &n) in heads.iter().zip(which) {
            assert!(*heads == alone[n][..ends[n]], "sequence {n} of {which:?} to {stop}");
            // The stop has not entered.
            if let Some(next) = alone[n].get(ends[n]) {
                assert_eq!(one(device, firsts[n].0, stop, Want::Top), *next);
            }
        }
    }
    let mut nobody = |_, _| -> ControlFlow<()> { panic!("nothing is generated") };
    assert_eq!(device.generate_all(&[], 5, &[], &mut nobody).map_err(|e| e.code()), Ok(()));
    let mut codes = vec![];
    for wrong in [[(0, 1), (0, 2)], [(0, 1), (SLOTS, 2)], [(0, 1), (1, VOCAB)]] {
        let error = device.generate_all(&wrong, 5, &[], &mut nobody).unwrap_err();
        codes.push(error.code());
    }
    assert_eq!(codes, ["F013", "F012", "F011"]);
}

fn who_breaks_off_clears(device: &mut dyn Device) {
    let right = sequence(device, 0, &[1, 2, 3]);
    sequence(device, 0, &[1, 2]);
    let whole = sequence(device, 1, &[7, 8]);
    for after in [1, 3] {
        let mut count = 0;
        device.clear(1).unwrap();
        device
            .generate(1, 7, 20, &[], &mut |_| {
                count += 1;
                if count == after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        assert_eq!(count, after);
        assert_eq!(sequence(device, 1, &[7, 8]), whole);
    }
    assert_eq!(one(device, 0, 3, Want::Logits), right[2], "the others go on");
}

/// A state goes to any slot, as often as wanted, and only where it fits.
fn states_are_saved_and_restored(device: &mut dyn Device) {
    let right = sequence(device, 0, &[1, 2, 3, 4]);
    sequence(device, 0, &[1, 2]);
    let state = device.save(0).unwrap();
    for slot in [2, 0, 2] {
        device.restore(slot, &state).unwrap();
        assert_eq!(device.save(slot).unwrap(), state);
        assert_eq!(one(device, slot, 3, Want::Logits), right[2]);
        assert_eq!(one(device, slot, 4, Want::Logits), right[3]);
    }
    let elements = state.elements();
    let wrong = match &state {
        State::Fixed(_) => [State::Fixed(vec![0; elements + 1]), State::Float(vec![0.0; elements])],
        State::Float(_) => [State::Float(vec![0.0; elements - 1]), State::Fixed(vec![0; elements])],
    };
    for wrong in wrong {
        assert_eq!(device.restore(0, &wrong).unwrap_err().code(), "F018");
    }
    assert_eq!(device.save(SLOTS).unwrap_err().code(), "F012");
    assert_eq!(device.restore(SLOTS, &state).unwrap_err().code(), "F012");
    // A reset leaves nothing of any.
    device.reset().unwrap();
    assert_eq!(sequence(device, 0, &[1, 2, 3, 4]), right);
    device.reset().unwrap();
    assert_eq!(one(device, 2, 1, Want::Logits), right[0]);
}

fn clocks_add_up(device: &mut dyn Device) {
    one(device, 0, 1, Want::Top);
    let clocks = device.counters().unwrap();
    assert_eq!(clocks.is_some(), matches!(device.name(), "sim" | "xdma" | "uart"));
    if let Some(c) = clocks {
        assert!(c.beats > 0);
        assert_eq!(c.cycles, c.beats + c.starved + c.blocked + c.idle);
    }
    assert_eq!((device.streamed(), device.sensors()), (None, vec![]));
}

/// Golden's logits, in every bit, or those of the published model in floating point.
fn is_as_golden(name: &str, model: &Arc<Model>, device: &mut dyn Device) {
    let golden = &mut Golden::new(Arc::clone(model), SLOTS).unwrap();
    let tokens: Vec<u32> = (0..40).map(|n| n * 37 % VOCAB).collect();
    let (expected, got) = (sequence(golden, 2, &tokens), sequence(device, 2, &tokens));
    assert_eq!((golden.saturations(), device.saturations()), (0, 0));
    if name != "float" {
        assert!(got == expected);
        assert!(run(device, 0, 5, 5, &[]).len() == 5);
        return;
    }
    let all = |heads: &[Head]| -> Vec<f64> {
        heads.iter().flat_map(|head| head.logits.iter().map(|&logit| f64::from(logit))).collect()
    };
    let (a, b) = (all(&expected), all(&got));
    let size = a.iter().map(|a| a * a).sum::<f64>().sqrt();
    let error = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() / size;
    println!("float differs from golden by {error:.4} of its logits' size");
    assert!(error > 0.0 && error < 0.05);
}
