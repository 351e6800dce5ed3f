//! Several tokens of a sequence in one pass: every value the same in every bit as token by token.

mod common;

use std::sync::Arc;

use common::{Desk, Random};
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::float::Float;
use sterna_firmware::golden::{Golden, Observation};
use sterna_firmware::kernel::Kernel;
use sterna_firmware::model::Model;
use sterna_model::synth::{Channels, SynthSpec};

/// All that an instruction did for a step; the last number says for which.
fn all(seen: &Observation<'_>) -> (String, usize) {
    let Observation { segment, codes, scale, rescale, output, statistics, .. } = seen;
    let of = (segment.instruction.sequence, segment.instruction.opcode);
    (format!("{of:?} {codes:?} {scale:?} {rescale:?} {output:?} {statistics:?}"), seen.step)
}

fn model(random: &mut Random) -> Arc<Model> {
    let hidden = 32 * (1 + random.below(3));
    let plain = random.below(2) == 0;
    let spec = SynthSpec {
        expand: if plain { 1 + random.below(2) } else { 1 },
        intermediate: Some(32 * (1 + random.below(5))),
        lower_bounds: !plain,
        channels: [Channels::Outliers, Channels::Even][random.below(3).min(1)],
        seed: random.below(1 << 30) as u64,
        ..SynthSpec::new(hidden, 1 + random.below(3), 2 + random.below(200))
    };
    println!("{spec:?}");
    let desk = Desk::of(&spec);
    desk.open(&desk.good).unwrap()
}

fn tokens(random: &mut Random, model: &Model, count: usize) -> Vec<u32> {
    (0..count).map(|_| random.below(model.shape().vocab) as u32).collect()
}

fn want(random: &mut Random) -> Want {
    [Want::State, Want::Top, Want::Logits][random.below(3)]
}

/// Each token with a pass of its own: what everything is compared with.
fn one_by_one(golden: &mut Golden, steps: &[Step], seen: &mut Vec<(String, usize)>) -> Vec<Head> {
    let mut heads = vec![];
    for (n, step) in steps.iter().enumerate() {
        let mut observer = |at: Observation<'_>| seen.push((all(&at).0, n));
        heads.extend(golden.observe(&[*step], &mut observer).unwrap());
    }
    heads
}

#[test]
fn tokens_that_share_a_pass_are_as_alone() {
    let random = &mut Random::seeded();
    for _ in 0..24 {
        let model = model(random);
        let slots = 1 + random.below(4);
        let mut alone = Golden::with_kernel(Arc::clone(&model), slots, Kernel::Portable).unwrap();
        let mut together = Golden::new(Arc::clone(&model), slots).unwrap();
        for _ in 0..3 {
            // Some of the sequences, in any order, some tokens each.
            let mut left: Vec<usize> = (0..slots).collect();
            let mut steps = vec![];
            while !left.is_empty() && (steps.is_empty() || random.below(3) > 0) {
                let slot = left.swap_remove(random.below(left.len()));
                let count = 1 + random.below(6);
                for token in tokens(random, &model, count) {
                    steps.push(Step { slot, token, want: want(random) });
                }
            }
            let (mut expected, mut got) = (vec![], vec![]);
            let heads = one_by_one(&mut alone, &steps, &mut expected);
            let found = together.observe(&steps, &mut |at| got.push(all(&at))).unwrap();
            assert_eq!(found, heads);
            // Instruction by instruction, not step by step.
            got.sort_by_key(|(_, step)| *step);
            assert_eq!(got, expected);
            for slot in 0..slots {
                assert_eq!(together.state(slot), alone.state(slot), "slot {slot}");
            }
        }
        assert_eq!(together.saturations(), alone.saturations());
    }
}

#[test]
fn a_prompt_is_its_tokens() {
    let random = &mut Random::seeded();
    for _ in 0..12 {
        let model = model(random);
        let mut golden: [Golden; 2] =
            std::array::from_fn(|_| Golden::new(Arc::clone(&model), 2).unwrap());
        let mut float: [Float; 2] =
            std::array::from_fn(|_| Float::new(Arc::clone(&model), 2).unwrap());
        // Shorter and longer than what shares a pass.
        for _ in 0..3 {
            let (slot, count, want) = (random.below(2), random.below(80), want(random));
            let tokens = tokens(random, &model, count);
            let [a, b] = &mut golden;
            compare([a, b], slot, &tokens, want);
            let [a, b] = &mut float;
            compare([a, b], slot, &tokens, want);
        }
    }
}

fn compare([one, other]: [&mut dyn Device; 2], slot: usize, tokens: &[u32], want: Want) {
    let mut expected = Head::default();
    for (n, &token) in tokens.iter().enumerate() {
        let want = if n + 1 == tokens.len() { want } else { Want::State };
        expected = one.pass(&[Step { slot, token, want }]).unwrap().remove(0);
    }
    assert_eq!(other.prompt(slot, tokens, want).unwrap(), expected);
    for slot in 0..2 {
        assert_eq!(one.save(slot).unwrap(), other.save(slot).unwrap(), "{} {slot}", one.name());
    }
}

/// Nothing has changed where a prompt was refused.
#[test]
fn a_wrong_prompt_is_refused_whole() {
    let desk = Desk::new();
    let model = desk.open(&desk.good).unwrap();
    let mut golden = Golden::new(Arc::clone(&model), 2).unwrap();
    let mut float = Float::new(model, 2).unwrap();
    for device in [&mut golden as &mut dyn Device, &mut float] {
        device.prompt(1, &[1, 2, 3], Want::State).unwrap();
        let before = device.save(1).unwrap();
        let codes = [
            device.prompt(2, &[1], Want::Top),
            device.prompt(2, &[], Want::Top),
            device.prompt(1, &[1, 2, 11], Want::Top),
        ]
        .map(|result| result.unwrap_err().code());
        assert_eq!(codes, ["F012", "F012", "F011"]);
        assert_eq!(device.save(1).unwrap(), before);
    }
    // A pass has each slot once, and where it may have one several times they stand together.
    let step = |slot, token| Step { slot, token, want: Want::Top };
    let refused = golden.pass(&[step(0, 1), step(0, 2)]).unwrap_err();
    assert_eq!(refused.code(), "F013");
    let apart = [step(0, 1), step(1, 2), step(0, 3)];
    assert_eq!(golden.observe(&apart, &mut |_| ()).unwrap_err().code(), "F013");
}
