//! How well both devices predict the text that the demo models were not trained on.
//!
//! What the published code predicts stands beside each model (model/demo/README.md).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna::score::{self, negative_log_likelihood};
use sterna_firmware::compile::compile;
use sterna_firmware::device::Device;
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_model::checkpoint::Checkpoint;

const WINDOW: usize = 256;
const SLOTS: usize = 64;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// All 59,392 predictions of the validation text, on both devices; `most` is the largest relative
/// deviation of golden's NLL from what `facts` say.
fn validation(model: &Arc<Model>, facts: &str, most: f64) {
    let facts: serde_json::Value =
        serde_json::from_slice(&std::fs::read(demo(facts)).unwrap()).unwrap();
    let text = std::fs::read_to_string(demo("validation.txt")).unwrap();
    let (tokens, _) = model.tokenizer().unwrap().unwrap().encode_with_bytes(&text).unwrap();
    assert_eq!(tokens.len() as u64, facts["val_tokens"].as_u64().unwrap());
    let windows = score::windows(tokens.len(), WINDOW);
    let run = |device: &mut dyn Device| {
        let mut nll = 0.0;
        let mut choices = vec![0; windows.len() * WINDOW];
        score::predictions(device, &tokens, &windows, &mut |p| {
            nll += negative_log_likelihood(&p.head.logits, p.target);
            choices[p.position] = p.head.top[0].token;
        })
        .unwrap();
        (nll / choices.len() as f64, choices)
    };
    let mut float = Float::new(Arc::clone(model), SLOTS).unwrap();
    let mut golden = Golden::new(Arc::clone(model), SLOTS).unwrap();
    let (float_nll, float_choices) = run(&mut float);
    let (nll, choices) = run(&mut golden);
    assert_eq!(choices.len(), 59_392);
    let same = choices.iter().zip(&float_choices).filter(|(a, b)| a == b).count();
    let same = same as f64 / choices.len() as f64;
    let reference = facts["val_nll_nats_per_token"].as_f64().unwrap();
    println!("nll: golden {nll:.5}, float {float_nll:.5}, reference {reference:.5}; top-1 {same}");
    assert!((nll / reference - 1.0).abs() <= most, "{nll} instead of {reference}");
    assert!((float_nll / reference - 1.0).abs() <= 0.0005, "{float_nll}");
    assert!(same >= 0.97, "golden and float agree on {same}");
    assert_eq!(golden.saturations(), 0);
}

#[test]
fn validation_5m() {
    let model = Model::open(&demo("shakespeare-5m.sterna")).unwrap();
    validation(&model, "shakespeare-5m.reference.json", 0.0015);
}

#[test]
fn validation_tiny() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tiny.sterna");
    let checkpoint = Checkpoint::open(&demo("shakespeare-tiny")).unwrap();
    compile(&checkpoint, &path, &mut |_| ()).unwrap();
    validation(&Model::open(&path).unwrap(), "shakespeare-tiny/reference.json", 0.003);
}
