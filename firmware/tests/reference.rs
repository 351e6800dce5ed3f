//! How close both devices come to the published code, on its own reference outputs.
//!
//! The references were made by the published code in float32 from exactly the checkpoints
//! that the demo models were imported from (model/demo/README.md).

mod common;

use std::sync::Arc;

use common::{demo, tiny};
use safetensors::SafeTensors;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::float::{Float, ops};
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_firmware::trits;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::layout;

fn small() -> Arc<Model> {
    Model::open(&demo("shakespeare-5m.sterna")).unwrap()
}

/// Tokens and reference logits `[T, vocab]` of one sequence.
fn sequence(file: &SafeTensors<'_>, n: usize) -> (Vec<u32>, Vec<f32>) {
    let words = |name: String| -> Vec<[u8; 4]> {
        let data = file.tensor(&name).unwrap().data().to_vec();
        data.chunks_exact(4).map(|b| b.try_into().unwrap()).collect()
    };
    let tokens = words(format!("tokens.{n}")).into_iter().map(u32::from_le_bytes).collect();
    (tokens, words(format!("logits.{n}")).into_iter().map(f32::from_le_bytes).collect())
}

/// What the reference comparison yields over the three sequences together.
#[derive(Debug, Default)]
struct Agreement {
    kl: f64,
    top: f64,
    /// Where the reference's best two differ by more than 0.1.
    clear: f64,
}

fn best(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a))).unwrap()
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let most = f64::from(logits[best(logits)]);
    let sum: f64 = logits.iter().map(|&v| (f64::from(v) - most).exp()).sum();
    logits.iter().map(|&v| f64::from(v) - most - sum.ln()).collect()
}

fn agreement(device: &mut dyn Device, references: &str) -> Agreement {
    let bytes = std::fs::read(demo(references)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let vocab = device.shape().vocab;
    let (mut count, mut clear) = (0, 0);
    let mut sum = Agreement::default();
    for n in 0..3 {
        let (tokens, reference) = sequence(&file, n);
        device.clear(0).unwrap();
        for (&token, want) in tokens.iter().zip(reference.chunks_exact(vocab)) {
            let heads = device.pass(&[Step { slot: 0, token, want: Want::Logits }]).unwrap();
            let got = &heads[0].logits;
            let (p, q) = (log_softmax(want), log_softmax(got));
            sum.kl += p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
            // A tie within 1e-3 × max(1, |best|) counts as equal.
            let first = want[best(want)];
            let equal = first - want[best(got)] <= 1e-3 * first.abs().max(1.0);
            let mut sorted = want.to_vec();
            sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            count += 1;
            sum.top += f64::from(equal);
            if sorted[0] - sorted[1] > 0.1 {
                clear += 1;
                sum.clear += f64::from(equal);
            }
        }
    }
    Agreement {
        kl: sum.kl / f64::from(count),
        top: sum.top / f64::from(count),
        clear: sum.clear / f64::from(clear),
    }
}

fn fidelity(model: &Arc<Model>, references: &str) {
    let mut float = Float::new(Arc::clone(model), 1).unwrap();
    let got = agreement(&mut float, references);
    println!("float: {got:?}");
    assert!(got.kl <= 5e-4 && got.top >= 0.97, "{got:?}");
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    let got = agreement(&mut golden, references);
    println!("golden: {got:?}");
    assert!(got.kl <= 1e-3 && got.top >= 0.95 && got.clear >= 0.99, "{got:?}");
    assert_eq!(golden.saturations(), 0);
}

#[test]
fn fidelity_5m() {
    fidelity(&small(), "shakespeare-5m.reference.safetensors");
}

#[test]
fn fidelity_tiny() {
    fidelity(&tiny(), "shakespeare-tiny/reference.safetensors");
}

/// Codes of layer 0 and every trit against a direct transcription of docs/model.md §3.
#[test]
fn codes_follow_the_published_rules() {
    let checkpoint = Checkpoint::open(&demo("shakespeare-tiny")).unwrap();
    let bytes = std::fs::read(demo("shakespeare-tiny/reference.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let input = file.tensor("hidden.0.0").unwrap().data().to_vec();
    let input: Vec<f32> =
        input.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let outer = checkpoint.read(&layout::layer(0, "attn_norm.weight")).unwrap();
    let mut near = 0;
    for projection in ["i", "f", "g"] {
        let name = layout::layer(0, &format!("attn.{projection}_proj.norm.weight"));
        let gain = checkpoint.read(&name).unwrap();
        for x in input.chunks_exact(outer.len()) {
            let (codes, _) = ops::quantise(&ops::rms_norm(x, &outer, 1e-6), &gain);
            let exact = exact_codes(x, &outer, &gain);
            for (code, exact) in codes.iter().zip(exact) {
                let want = exact.abs().round().copysign(exact);
                // f32 may fall on the other side of a half, nowhere else.
                let on_edge = (exact.abs().fract() - 0.5).abs() < 1e-3;
                near += usize::from(f64::from(*code) != want);
                assert!(f64::from(*code) == want || on_edge, "{code} for {exact}");
            }
        }
    }
    assert!(near <= input.len() / 1000, "{near} codes differ from exact arithmetic");
}

/// 127·y/max|y| in f64, both norms one after the other.
fn exact_codes(x: &[f32], outer: &[f32], gain: &[f32]) -> Vec<f64> {
    let norm = |x: &[f64], gain: &[f32]| -> Vec<f64> {
        let mean = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        let r = 1.0 / (mean + 1e-6).sqrt();
        x.iter().zip(gain).map(|(v, w)| v * r * f64::from(*w)).collect()
    };
    let x: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    let y = norm(&norm(&x, outer), gain);
    let max = y.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    y.iter().map(|v| v * 127.0 / max).collect()
}

#[test]
fn every_trit_follows_the_published_rule() {
    let model = tiny();
    let checkpoint = Checkpoint::open(&demo("shakespeare-tiny")).unwrap();
    let image = model.image();
    let mut checked = 0;
    for segment in image.segments() {
        let Some((name, _)) = sterna_firmware::compile::tensors(&segment.instruction) else {
            continue;
        };
        let weights = checkpoint.read(&name).unwrap();
        let mean = weights.iter().map(|w| f64::from(w.abs())).sum::<f64>() / weights.len() as f64;
        let t = 1.0 / (mean as f32).max(1e-5);
        let (rows, columns) = segment.instruction.dimensions;
        for part in 0..segment.instruction.opcode.parts() {
            let packed = image.weights(&segment.instruction, part);
            for row in 0..rows {
                for column in 0..columns {
                    let weight = weights[(part * rows + row) * columns + column];
                    let want = (weight * t).round_ties_even().clamp(-1.0, 1.0) as i8;
                    let at = row / 5 * trits::padded_columns(columns) + column;
                    let got = trits::decode(packed[at]).unwrap()[row % 5] as i8 - 1;
                    assert_eq!(got, want, "{name} row {row} column {column} of part {part}");
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, model.shape().weights());
}
