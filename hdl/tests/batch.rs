//! The driver over a core of several slots: who shares a run, and who sits where.

mod fake;

use std::ops::ControlFlow;
use std::sync::Arc;

use fake::Fake;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, command, status};
use sterna_model::synth::SynthSpec;

const BYTES: usize = 1 << 20;
const VOCAB: u32 = 101;

fn small() -> Arc<Model> {
    fake::model(&SynthSpec::new(64, 2, VOCAB as usize))
}

/// A core of so many slots, with room for so many sequences, and golden.
fn both(model: &Arc<Model>, slots: u32, sequences: usize) -> (Card<Fake>, Golden) {
    let geometry = Geometry::for_shape(128, &model.shape()).with_slots(slots);
    let fake = Fake::new(model, &geometry, BYTES);
    let settings = Settings { slots: sequences, ..Settings::default() };
    let card = Card::open(fake, "fake", Arc::clone(model), &settings).unwrap();
    assert_eq!(card.geometry().slots, slots);
    (card, Golden::new(Arc::clone(model), sequences).unwrap())
}

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

/// Commands since this was asked last: runs, clears, saves, loads.
fn commands(card: &mut Card<Fake>) -> [usize; 4] {
    let given = std::mem::take(&mut card.transport().commands);
    [command::RUN, command::CLEAR, command::SAVE, command::LOAD]
        .map(|bit| given.iter().filter(|&&bits| bits == bit).count())
}

/// The register as it was written last.
fn mask(card: &mut Card<Fake>) -> u32 {
    use sterna_hdl::driver::Transport;
    card.transport().read_register(regs::SLOT_MASK.offset).unwrap()
}

#[test]
fn sequences_share_runs() {
    let model = small();
    for (slots, sequences) in [(2, 5), (4, 5), (8, 5), (4, 4)] {
        let (mut card, mut golden) = both(&model, slots, sequences);
        commands(&mut card);
        let mut runs = 0;
        for n in 0..12u32 {
            let want = if n % 4 == 3 { Want::State } else { Want::Top };
            let order = (0..sequences).map(|k| (k * 3 + n as usize) % sequences);
            let steps: Vec<Step> =
                order.map(|slot| step(slot, (n + slot as u32 * 17) % VOCAB, want)).collect();
            // Five is a number that three does not divide, and so is four.
            assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap(), "pass {n}");
            runs += sequences.div_ceil(slots as usize);
        }
        let [run, clear, save, load] = commands(&mut card);
        assert_eq!((run, clear), (runs, sequences));
        // Who has a seat keeps it.
        assert_eq!(save == 0 && load == 0, sequences <= slots as usize, "{slots}: {save} {load}");
        for slot in 0..sequences {
            assert_eq!(card.state(slot).unwrap(), golden.state(slot), "slot {slot}");
        }
    }
}

/// The accumulators are those of one slot, so who wants them shares with nobody.
#[test]
fn all_logits_are_asked_for_alone() {
    let model = small();
    let (mut card, mut golden) = both(&model, 4, 4);
    let steps = [
        step(3, 1, Want::Top),
        step(1, 2, Want::State),
        step(0, 3, Want::Logits),
        step(2, 4, Want::Top),
    ];
    commands(&mut card);
    for n in 1..=3 {
        assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap());
        assert_eq!(commands(&mut card)[0], 3, "pass {n}");
    }
    // The one that wants a state alone has shared a run with a head.
    assert_eq!(card.state(1).unwrap(), golden.state(1));
    // All that want no more than a state do without.
    let steps = [0, 1, 2, 3].map(|slot| step(slot, 9, Want::State));
    assert_eq!(card.pass(&steps).unwrap(), vec![Head::default(); 4]);
    assert_eq!((commands(&mut card)[0], mask(&mut card)), (1, 0b1111));
    for slot in 0..4 {
        golden.pass(&[step(slot, 9, Want::State)]).unwrap();
        assert_eq!(card.state(slot).unwrap(), golden.state(slot));
    }
}

#[test]
fn tokens_of_a_prompt_chain() {
    let model = small();
    let tokens: Vec<u32> = (0..23).map(|n| n * 31 % VOCAB).collect();
    for slots in [1, 2, 4, 8] {
        for want in [Want::State, Want::Top, Want::Logits] {
            let (mut card, mut golden) = both(&model, slots, 3);
            // Others have the seats first.
            for slot in [2, 1] {
                let other = [step(slot, 40 + slot as u32, Want::Top)];
                assert_eq!(card.pass(&other).unwrap(), golden.pass(&other).unwrap());
            }
            commands(&mut card);
            let head = card.prompt(1, &tokens, want).unwrap();
            assert_eq!(head, golden.prompt(1, &tokens, want).unwrap(), "{slots} {want:?}");
            assert_eq!(commands(&mut card)[0], tokens.len().div_ceil(slots as usize));
            for slot in 0..3 {
                assert_eq!(
                    card.state(slot).unwrap(),
                    golden.state(slot),
                    "{slots} {want:?} {slot}"
                );
            }
            let next = [step(1, 7, Want::Logits), step(2, 8, Want::Logits)];
            assert_eq!(card.pass(&next).unwrap(), golden.pass(&next).unwrap());
        }
    }
}

/// A core that reports few candidates says all logits for the rest.
#[test]
fn few_candidates_are_made_up_for() {
    let model = small();
    let geometry = Geometry { top_k: 8, ..Geometry::for_shape(128, &model.shape()).with_slots(4) };
    let fake = Fake::new(&model, &geometry, BYTES);
    let settings = Settings { slots: 2, ..Settings::default() };
    let mut card = Card::open(fake, "fake", Arc::clone(&model), &settings).unwrap();
    let mut golden = Golden::new(Arc::clone(&model), 2).unwrap();
    let tokens = [1, 2, 3, 4, 5, 6, 7];
    for want in [Want::Top, Want::Logits] {
        let head = card.prompt(0, &tokens, want).unwrap();
        assert_eq!(head, golden.prompt(0, &tokens, want).unwrap());
        let steps = [step(1, 5, want), step(0, 6, want)];
        assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap());
    }
}

#[test]
fn several_go_on_by_themselves() {
    let model = small();
    let starts: Vec<(usize, u32)> = (0..5).map(|slot| (slot, 20 * slot as u32)).collect();
    let all = |device: &mut dyn Device, stops: &[u32], count: usize| {
        let mut heads = vec![vec![]; starts.len()];
        let mut keep = |n: usize, head: Head| {
            heads[n].push(head.top[0].token);
            ControlFlow::Continue(())
        };
        device.generate_all(&starts, count, stops, &mut keep).unwrap();
        heads
    };
    let (_, mut golden) = both(&model, 1, 5);
    let free = all(&mut golden, &[], 70);
    let stop = free[2][20];
    let last = free.iter().map(|tokens| tokens.iter().position(|&token| token == stop));
    println!("{stop} comes at {:?}", last.collect::<Vec<_>>());
    for slots in [1, 2, 8] {
        // Stops that the core watches for, and more than it can.
        for stops in [&[][..], &[stop], &[stop, 500, 501, 502, 503, 504, 505]] {
            let (mut card, mut golden) = both(&model, slots, 5);
            commands(&mut card);
            assert_eq!(all(&mut card, stops, 70), all(&mut golden, stops, 70), "{slots}");
            if stops.is_empty() {
                // Runs of 64 passes at most, for as many sequences as there are slots.
                assert_eq!(commands(&mut card)[0], 2 * 5usize.div_ceil(slots as usize));
            }
            for slot in 0..5 {
                assert_eq!(card.state(slot).unwrap(), golden.state(slot), "{slots}, {slot}");
            }
        }
    }
}

#[test]
fn who_breaks_off_loses_those_of_the_run() {
    let model = small();
    let (mut card, mut golden) = both(&model, 4, 5);
    let alone = [step(4, 1, Want::Top)];
    assert_eq!(card.pass(&alone).unwrap(), golden.pass(&alone).unwrap());
    let mut count = 0;
    let mut third = |_, _| {
        count += 1;
        if count == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    card.generate_all(&[(0, 1), (1, 2)], 20, &[], &mut third).unwrap();
    assert_eq!(count, 3);
    for slot in 0..2 {
        let error = card.pass(&[step(slot, 1, Want::Top)]).unwrap_err();
        assert_eq!(error.code(), "C011");
        card.clear(slot).unwrap();
    }
    assert_eq!(card.pass(&alone).unwrap(), golden.pass(&alone).unwrap());
}

/// After a fault no state on chip is valid, those in memory are.
#[test]
fn a_fault_takes_all_on_chip() {
    let model = small();
    let (mut card, mut golden) = both(&model, 2, 3);
    for slot in 0..3 {
        let step = [step(slot, 5, Want::Top)];
        assert_eq!(card.pass(&step).unwrap(), golden.pass(&step).unwrap());
    }
    // The third has taken the first seat.
    card.transport().fault = Some((Fault::Watchdog, 3));
    assert_eq!(card.prompt(1, &[1, 2, 3], Want::Top).unwrap_err().code(), "C111");
    let codes: Vec<&str> = (0..3)
        .map(|slot| match card.pass(&[step(slot, 6, Want::Top)]) {
            Ok(heads) => {
                assert_eq!(heads, golden.pass(&[step(slot, 6, Want::Top)]).unwrap());
                "well"
            }
            Err(error) => error.code(),
        })
        .collect();
    // Moving the second to the first seat has saved the third.
    assert_eq!(codes, ["well", "C011", "well"]);
}

#[test]
fn a_core_has_to_do_what_it_was_asked() {
    let model = small();
    let fresh = || {
        let (mut card, _) = both(&model, 4, 4);
        let steps = [0, 1, 2].map(|slot| step(slot, 1, Want::Top));
        card.pass(&steps).unwrap();
        card
    };
    let steps = [0, 1, 2].map(|slot| step(slot, 2, Want::Top));
    for (reg, value, code) in [
        // Not valid; neither done nor failed; more passes than one.
        (regs::STATUS, status::DONE, "C007"),
        (regs::STATUS, 0, "C007"),
        (regs::TOKENS_DONE, 2, "C010"),
        (regs::TOKENS_DONE, 0, "C010"),
    ] {
        let mut card = fresh();
        card.transport().forced.insert(reg.offset, value);
        assert_eq!(card.pass(&steps).unwrap_err().code(), code, "{} {value}", reg.name);
        card.transport().forced.clear();
        // None of them is what the caller thinks.
        for slot in 0..3 {
            assert_eq!(card.state(slot).unwrap_err().code(), "C011");
        }
    }
    let mut card = fresh();
    card.transport().tamper = Some(|words| words[0] += 1);
    assert_eq!(card.pass(&steps).unwrap_err().code(), "C008");
    // A run that goes on when all have stopped.
    let mut card = fresh();
    let best: Vec<u32> = {
        let heads = card.pass(&steps).unwrap();
        heads.iter().map(|head| head.top[0].token).collect()
    };
    card.transport().deaf = true;
    let starts = [0, 1, 2].map(|slot| (slot, 2));
    for slot in 0..3 {
        card.clear(slot).unwrap();
        card.pass(&[step(slot, 1, Want::Top)]).unwrap();
    }
    let mut keep = |_, _| ControlFlow::Continue(());
    let error = card.generate_all(&starts, 9, &best, &mut keep).unwrap_err();
    assert_eq!(error.code(), "C010");
}
