//! Sequences that take turns, tokens that end a run, and states that hardly move.

use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use sterna::generate::{Request, generate, go_on};
use sterna::sample::{Sampler, Sampling};
use sterna::state::Saved;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_model::synth::{self, SynthSpec};
use sterna_rtl::random::Rng;
use sterna_sim::SimCard;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::Stalls;

use crate::common::{card, geometry, import, memory, run};

fn both(model: &Arc<Model>, bus: u32, slots: usize) -> (Card<SimCard>, Golden) {
    let settings = Settings { slots, ..Settings::default() };
    let card = card(model, &geometry(bus), memory(Stalls::Random, 5), &settings);
    (card, Golden::new(Arc::clone(model), slots).unwrap())
}

/// Passes with and without a head, with all logits, runs, clears, copies of states: whatever the
/// four sequences do in turn, each goes on as golden's does.
#[test]
fn sequences_take_turns() {
    const SLOTS: usize = 4;
    for (bus, seed) in [(64, 1), (512, 2)] {
        let model = made_up(&SynthSpec { seed, ..SynthSpec::new(96, 2, 103) }).unwrap();
        let (mut card, mut golden) = both(&model, bus, SLOTS);
        let rng = &mut Rng::new(seed);
        let mut below = |n: usize| rng.below(n as u64) as usize;
        for n in 0..50 {
            let (slot, token) = (below(SLOTS), below(103) as u32);
            match below(8) {
                0 => {
                    card.clear(slot).unwrap();
                    golden.clear(slot).unwrap();
                }
                1 => {
                    let state = card.state(slot).unwrap();
                    assert_eq!(state, golden.state(slot), "{n}: state of {slot}");
                    let to = below(SLOTS);
                    card.set_state(to, &state).unwrap();
                    golden.set_state(to, &state);
                }
                2 => {
                    let (count, stops) = (1 + below(4), [below(103) as u32, 7]);
                    let got = run(&mut card, slot, token, count, &stops);
                    assert_eq!(got, run(&mut golden, slot, token, count, &stops), "{n}: a run");
                }
                _ => {
                    let want = [Want::State, Want::Top, Want::Logits];
                    let mut steps = vec![Step { slot, token, want: want[below(3)] }];
                    if below(2) == 0 {
                        let slot = (slot + 1) % SLOTS;
                        steps.push(Step { slot, token: token / 2, want: want[below(3)] });
                    }
                    assert_eq!(
                        card.pass(&steps).unwrap(),
                        golden.pass(&steps).unwrap(),
                        "{n}: {steps:?}"
                    );
                }
            }
        }
        for slot in 0..SLOTS {
            assert_eq!(card.state(slot).unwrap(), golden.state(slot));
        }
    }
}

#[test]
fn runs_end_at_stop_tokens() {
    let model = made_up(&SynthSpec::new(64, 1, 50)).unwrap();
    let (mut card, mut golden) = both(&model, 128, 1);
    let all = run(&mut golden, 0, 1, 70, &[]);
    let chosen: Vec<u32> = all.iter().map(|head| head.top[0].token).collect();
    // A run of more passes than there are records.
    assert_eq!(run(&mut card, 0, 1, 70, &[]), all);
    let others: Vec<u32> = (0..50).filter(|token| !chosen.contains(token)).collect();
    assert!(others.len() >= 5, "choose another seed: {chosen:?}");
    let mut fresh = |count: usize, stops: &[u32]| {
        card.clear(0).unwrap();
        golden.clear(0).unwrap();
        let heads = run(&mut card, 0, 1, count, stops);
        assert_eq!(heads, run(&mut golden, 0, 1, count, stops));
        assert_eq!(card.state(0).unwrap(), golden.state(0), "nothing entered after the stop");
        heads.len()
    };
    let at = |token: u32| chosen.iter().position(|&c| c == token).unwrap() + 1;
    let stop = chosen[7];
    // In each of the four registers, and beyond what four can hold.
    for place in 0..=4 {
        let mut stops = others[..place].to_vec();
        stops.push(stop);
        assert_eq!(fresh(20, &stops), at(stop), "{place} others before it");
    }
    assert_eq!(fresh(20, &[chosen[0]]), 1);
    assert_eq!(fresh(20, &others[..5]), 20);
    assert_eq!(fresh(1, &[]), 1);
    // The stop comes with the last pass.
    assert_eq!(fresh(at(stop), &[stop]), at(stop));
}

/// A checkpoint whose forget gates of layer 1 are at least 1 - 2^-12: the first layer has no lower
/// bounds, so that there are two. What enters a state of layer 1 is at most 2^-12 of its distance, and
/// an error of one unit would stay for thousands of tokens.
fn slow(directory: &Path) -> Arc<Model> {
    let checkpoint = directory.join("checkpoint");
    let spec = SynthSpec { intermediate: Some(32), seed: 4, ..SynthSpec::new(32, 2, 11) };
    synth::write(&spec, &checkpoint, &mut |_, _| ()).unwrap();
    let path = checkpoint.join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let begin = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize + 8;
    let tensor = header.info("model.lower_bounds").unwrap();
    assert_eq!((tensor.dtype, &tensor.shape[..]), (safetensors::Dtype::BF16, &[2, 32][..]));
    // Of softmax over the layers: e^8.3125 : 1 = 4,075 : 1.
    let values = [half::bf16::from_f32(0.0), half::bf16::from_f32(8.3125)];
    let from = begin + tensor.data_offsets.0;
    for (n, to) in bytes[from..from + 128].chunks_exact_mut(2).enumerate() {
        to.copy_from_slice(&values[n / 32].to_le_bytes());
    }
    std::fs::write(&path, bytes).unwrap();
    let model = import(&checkpoint, directory);
    let of = model.image().segments()[8].instruction;
    let bounds: Vec<u16> = model.image().operand(&of, 0).map(|bound| bound as u16).collect();
    // Of 2^16.
    assert_eq!(bounds, [65_536 - 16; 32].map(|bound: u32| bound as u16));
    model
}

/// So many tokens by the core's own loop: every head and, now and then, the state.
fn slow_decay(tokens: usize) {
    let directory = tempfile::tempdir().unwrap();
    let model = slow(directory.path());
    let settings = Settings::default();
    let mut card = card(&model, &geometry(64), memory(Stalls::None, 0), &settings);
    let mut golden = Golden::new(model, 1).unwrap();
    let mut token = 1;
    for n in 0..tokens / 100 {
        let heads = run(&mut golden, 0, token, 100, &[]);
        assert_eq!(run(&mut card, 0, token, 100, &[]), heads, "tokens from {}", 100 * n);
        assert_eq!(card.state(0).unwrap(), golden.state(0), "after {} tokens", 100 * (n + 1));
        // Another token than the best, so that the text does not go round in a circle.
        token = heads[99].top[n % heads[99].top.len()].token;
    }
    assert!(golden.state(0)[32..].iter().any(|&state| state != 0));
    println!("{} clocks", card.transport().clocks());
}

#[test]
fn a_thousand_tokens_of_slow_decay() {
    slow_decay(1000);
}

#[test]
#[ignore = "a minute"]
fn ten_thousand_tokens_of_slow_decay() {
    slow_decay(10_000);
}

/// A text is cut, its state kept in a file, and gone on with: by the core from golden's file and by
/// golden from the core's.
#[test]
fn a_text_goes_on_from_a_file() {
    let model = made_up(&SynthSpec { seed: 3, ..SynthSpec::new(96, 2, 103) }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    let (mut card, mut golden) = both(&model, 64, 1);
    let sampling = Sampling::default();
    let request =
        |prompt, count| -> Request<'static> { Request { prompt, count, sampling, stop: &[] } };
    static PROMPT: [u32; 5] = [3, 1, 4, 1, 5];
    let whole = generate(&mut golden, &request(&PROMPT, 9), &mut |_| Ok(())).unwrap().tokens;
    for cut in [0, 1, 4, 9] {
        let devices: [[&mut dyn Device; 2]; 1] =
            if cut % 2 == 0 { [[&mut card, &mut golden]] } else { [[&mut golden, &mut card]] };
        for [first, second] in devices {
            let before = generate(first, &request(&PROMPT, cut), &mut |_| Ok(())).unwrap();
            let saved = Saved { pending: before.pending, ..Saved::of(&model, first, 0).unwrap() };
            saved.write(&path).unwrap();
            let saved = Saved::open(&path).unwrap();
            saved.restore(&path, &model, second, 0).unwrap();
            let pending = [saved.pending.unwrap()];
            let rest = Request { prompt: &pending, count: 9 - cut, sampling, stop: &[] };
            let mut sampler = Sampler::new(sampling);
            let rest = go_on(second, &rest, &mut sampler, &mut |_| Ok(())).unwrap();
            let name = second.name();
            assert_eq!([before.tokens, rest.tokens].concat(), whole, "{name}, cut at {cut}");
        }
    }
}
