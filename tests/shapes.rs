//! Every legal shape: golden against float, and golden against itself.

use std::path::Path;
use std::sync::Arc;

use sterna::score::negative_log_likelihood;
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::kernel::Kernel;
use sterna_firmware::model::Model;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, Channels, SynthSpec};

fn model(spec: &SynthSpec) -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    synth::write(spec, &checkpoint, &mut |_, _| ()).unwrap();
    import(&checkpoint, directory.path())
}

fn import(checkpoint: &Path, directory: &Path) -> Arc<Model> {
    let path = directory.join("model.sterna");
    compile(&Checkpoint::open(checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn tokens(count: usize, vocab: usize) -> Vec<u32> {
    (0..count).map(|n| (n * n * 31 + n * 7) as u32 % vocab as u32).collect()
}

fn run(device: &mut dyn Device, tokens: &[u32]) -> Vec<Head> {
    tokens
        .iter()
        .flat_map(|&token| {
            device.pass(&[Step { slot: 0, token, want: Want::Logits }]).expect("a legal step")
        })
        .collect()
}

/// Mean KL divergence of golden from float in nats per token.
fn divergence(model: &Arc<Model>, count: usize) -> f64 {
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    let mut float = Float::new(Arc::clone(model), 1).unwrap();
    let tokens = tokens(count, model.shape().vocab);
    let (p, q) = (run(&mut float, &tokens), run(&mut golden, &tokens));
    assert_eq!(golden.saturations(), 0);
    let kl = |(p, q): (&Head, &Head)| -> f64 {
        (0..p.logits.len())
            .map(|n| {
                let [p, q] = [p, q].map(|head| -negative_log_likelihood(&head.logits, n as u32));
                p.exp() * (p - q)
            })
            .sum()
    };
    p.iter().zip(&q).map(kl).sum::<f64>() / count as f64
}

#[test]
fn legal_shapes_stay_close_to_float() {
    let base = SynthSpec::new(64, 2, 101);
    let specs = [
        ("as published", base.clone()),
        ("several heads", SynthSpec { heads: 4, ..base.clone() }),
        ("no lower bounds", SynthSpec { lower_bounds: false, ..base.clone() }),
        ("expand 2", SynthSpec { lower_bounds: false, expand: 2, ..base.clone() }),
        ("another epsilon", SynthSpec { eps: 1e-3, ..base.clone() }),
        ("hidden 32", SynthSpec::new(32, 1, 7)),
        ("hidden 192", SynthSpec::new(192, 3, 64)),
        ("hidden 320", SynthSpec { intermediate: Some(96), ..SynthSpec::new(320, 2, 1003) }),
        ("outliers", SynthSpec { channels: Channels::Outliers, ..SynthSpec::new(256, 4, 512) }),
    ];
    for (name, spec) in specs {
        let kl = divergence(&model(&spec), 24);
        println!("{name}: KL {kl:.2e}");
        assert!(kl <= 1e-3, "{name}: {kl}");
    }
}

#[test]
fn batches_kernels_and_threads_give_the_same_bits() {
    // Large enough that the threads share every matrix.
    let model = model(&SynthSpec { seed: 9, ..SynthSpec::new(416, 2, 1333) });
    let tokens = tokens(12, 1333);
    let mut alone = Golden::with_kernel(Arc::clone(&model), 1, Kernel::Portable).unwrap();
    let want = run(&mut alone, &tokens);
    for kernel in Kernel::available() {
        for threads in [1, 2, 5] {
            let batch = Golden::with_kernel(Arc::clone(&model), 3, kernel).unwrap();
            let mut batch = batch.with_threads(threads);
            // Slot 2 runs the sequence two tokens behind slot 1; slot 0 another one.
            for at in 0..tokens.len() + 2 {
                let mut steps = vec![Step { slot: 0, token: at as u32, want: Want::State }];
                if let Some(&token) = tokens.get(at) {
                    steps.push(Step { slot: 1, token, want: Want::Logits });
                }
                if at >= 2 {
                    steps.insert(0, Step { slot: 2, token: tokens[at - 2], want: Want::Logits });
                }
                let heads = batch.pass(&steps).unwrap();
                for (step, head) in steps.iter().zip(heads) {
                    match step.slot {
                        1 => assert_eq!(head, want[at], "{kernel:?}, {threads} threads"),
                        2 => assert_eq!(head, want[at - 2], "{kernel:?}, {threads} threads"),
                        _ => assert_eq!(head, Head::default()),
                    }
                }
            }
            assert_eq!(batch.state(1), alone.state(0));
            assert_eq!(batch.state(2), alone.state(0));
        }
    }
}

#[test]
fn clearing_forgets() {
    let model = model(&SynthSpec::new(32, 2, 50));
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    let first = run(&mut golden, &[3, 4, 5]);
    let second = run(&mut golden, &[3, 4, 5]);
    assert_ne!(first, second, "the state matters");
    golden.clear(0).unwrap();
    assert!(golden.state(0).iter().all(|&s| s == 0));
    assert_eq!(run(&mut golden, &[3, 4, 5]), first);
}

#[test]
fn ternary_weights_are_not_made_ternary_twice() {
    // The dequantised model (c / t, stored as bf16) must give the same trits and be said so.
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("latent");
    synth::write(&SynthSpec::new(64, 1, 20), &source, &mut |_, _| ()).unwrap();
    let latent = import(&source, directory.path());
    let dequantised = directory.path().join("dequantised");
    dequantise(&source, &dequantised);
    let again = import(&dequantised, directory.path());
    let matrices = again.description().matrices.iter().zip(&latent.description().matrices);
    for (again, latent) in matrices {
        assert!(again.already_ternary && !latent.already_ternary, "{}", again.name);
        assert_eq!(again.histogram, latent.histogram);
        assert!((again.t / latent.t - 1.0).abs() < 0.004, "bf16 keeps 8 bits");
    }
    for (a, b) in again.image().segments().iter().zip(latent.image().segments()) {
        for part in 0..a.instruction.opcode.parts() {
            let weights = again.image().weights(&a.instruction, part);
            assert_eq!(weights, latent.image().weights(&b.instruction, part));
        }
    }
}

/// Copies a bf16 checkpoint with every ternary tensor replaced by its dequantised values.
fn dequantise(source: &Path, target: &Path) {
    use sterna_model::layout::{Role, tensors};
    let checkpoint = Checkpoint::open(source).unwrap();
    let blobs: Vec<(String, Vec<usize>, Vec<u8>)> = tensors(checkpoint.config())
        .into_iter()
        .map(|spec| {
            let mut values = checkpoint.read(&spec.name).unwrap();
            if spec.role == Role::Ternary {
                let ternary =
                    sterna_model::ternary::ternarise(&values, spec.shape[0], spec.shape[1]);
                values = ternary.trits.iter().map(|&c| f32::from(c) / ternary.t).collect();
            }
            let bytes =
                values.iter().flat_map(|&v| half::bf16::from_f32(v).to_le_bytes()).collect();
            (spec.name, spec.shape, bytes)
        })
        .collect();
    let views = blobs.iter().map(|(name, shape, bytes)| {
        let dtype = safetensors::Dtype::BF16;
        (name, safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    std::fs::create_dir(target).unwrap();
    let file = safetensors::serialize(views, None).unwrap();
    std::fs::write(target.join("model.safetensors"), file).unwrap();
    std::fs::copy(source.join("config.json"), target.join("config.json")).unwrap();
}
