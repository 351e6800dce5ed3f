//! Reading checkpoints: every number format, one file or several, any bytes as a header.

mod common;

use std::fs;
use std::path::Path;

use common::encode;
use proptest::prelude::*;
use serde_json::json;
use sterna_model::checkpoint::{MAX_HEADER_BYTES, Origin, shards_of_index};
use sterna_model::config::MAX_CONFIG_BYTES;
use sterna_model::layout::{self, EMBEDDING, FINAL_NORM, HEAD, LOWER_BOUNDS};
use sterna_model::synth::{self, Channels, SynthSpec};
use sterna_model::{ChatTemplate, Checkpoint, Dtype, Tokenizer, ternary};

const DTYPES: [Dtype; 3] = [Dtype::BF16, Dtype::F16, Dtype::F32];

#[test]
fn the_demo_opens_and_is_latent() {
    let checkpoint = Checkpoint::open(&common::demo()).unwrap();
    let config = checkpoint.config();
    assert_eq!((config.hidden, config.inner, config.intermediate), (128, 128, 512));
    assert_eq!((config.layers, config.vocab, config.heads), (2, 512, 1));
    assert_eq!((config.bos, config.eos.as_slice()), (Some(1), &[2][..]));
    assert_eq!(checkpoint.dtype(HEAD).unwrap(), Dtype::BF16);
    assert_eq!(checkpoint.dtype(FINAL_NORM).unwrap(), Dtype::F32);
    assert_eq!(checkpoint.shape(LOWER_BOUNDS).unwrap(), [2, 128]);
    assert!(checkpoint.config_json().contains("hgrn_bit"));
    Tokenizer::from_json(checkpoint.tokenizer_json().unwrap(), config.vocab).unwrap();
    for spec in layout::tensors(config) {
        let values = checkpoint.read(&spec.name).unwrap();
        assert_eq!(values.len(), spec.shape.iter().product::<usize>());
        if spec.role == layout::Role::Ternary {
            let matrix = ternary::ternarise(&values, spec.shape[0], spec.shape[1]);
            assert!(!matrix.already_ternary, "{}", spec.name);
            // A trained matrix has about a third of each.
            let smallest = matrix.histogram.iter().min().unwrap();
            assert!(*smallest * 5 > values.len() as u64, "{}", spec.name);
        }
    }
}

/// Longer than one read's chunk, which is 4 MiB.
#[test]
fn a_tensor_longer_than_a_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = common::config();
    config.insert("vocab_size".into(), json!(50_000));
    let parsed = common::parse(&config);
    for dtype in [Dtype::F16, Dtype::F32] {
        let value = |i: usize| (i % 2003) as f32 - 1000.0;
        common::write(dir.path(), &config, &common::tensors(&parsed, dtype, value));
        let checkpoint = Checkpoint::open(dir.path()).unwrap();
        let all = checkpoint.read(HEAD).unwrap();
        assert!(all.iter().enumerate().all(|(i, &x)| x == value(i)), "{dtype:?}");
        assert_eq!(checkpoint.read_rows(HEAD, 49_999..50_000).unwrap(), all[49_999 * 32..]);
        assert_eq!(all.capacity(), all.len(), "memory for nothing");
        // As few as there can be.
        assert_eq!(checkpoint.read_rows(FINAL_NORM, 3..4).unwrap(), [value(3)]);
        assert!(checkpoint.read_rows(HEAD, 5..5).unwrap().is_empty());
    }
}

/// A directory with a checkpoint of the least size.
fn least() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = common::config();
    let tensors = common::tensors(&common::parse(&config), DTYPES[0], |_| 1.0);
    common::write(dir.path(), &config, &tensors);
    dir
}

#[test]
fn where_it_was_published_and_how_it_talks() {
    let dir = least();
    let checkpoint = Checkpoint::open(dir.path()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.chat_template()), (None, None));
    fs::write(dir.path().join("chat_template.jinja"), "{{ bos_token }}").unwrap();
    let origin = Origin { repository: "a/b".into(), commit: "0".repeat(40) };
    let checkpoint = Checkpoint::open(dir.path()).unwrap().published_at(origin.clone());
    assert_eq!(checkpoint.origin(), Some(&origin));
    assert_eq!(checkpoint.chat_template().map(ChatTemplate::template), Some("{{ bos_token }}"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_pipes_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::os::unix::fs::symlink(common::demo().join(name), dir.path().join(name)).unwrap();
    }
    let checkpoint = Checkpoint::open(dir.path()).unwrap();
    assert!(checkpoint.tokenizer_json().is_none());
    // Opening a socket or pipe would block or fail late; a character device never ends.
    fs::remove_file(dir.path().join("config.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("config.json")).unwrap();
    assert_eq!(Checkpoint::open(dir.path()).unwrap_err().code(), "M001");
}

/// Which is not the same as that there is nothing: who looks for it may have no right to.
#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_looked_at_is_not_a_missing_one() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Checkpoint::open(&dir.path().join("none")).unwrap_err().code(), "M002");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(Checkpoint::open(&file.join("below")).unwrap_err().code(), "M001");
    // A link that leads to itself is there, too.
    std::os::unix::fs::symlink("config.json", dir.path().join("config.json")).unwrap();
    assert_eq!(Checkpoint::open(dir.path()).unwrap_err().code(), "M001");
    for (name, code) in [("a.sterna", "M004"), ("a.gguf", "M003")] {
        fs::write(dir.path().join(name), "").unwrap();
        assert_eq!(Checkpoint::open(&dir.path().join(name)).unwrap_err().code(), code, "{name}");
    }
}

/// A bound is what is still read.
#[test]
fn files_as_long_as_they_may_be() {
    let dir = least();
    let path = dir.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    let text = " ".repeat(MAX_CONFIG_BYTES as usize - text.len()) + &text;
    fs::write(&path, &text).unwrap();
    Checkpoint::open(dir.path()).unwrap();
    fs::write(&path, text + " ").unwrap();
    assert_eq!(Checkpoint::open(dir.path()).unwrap_err().code(), "M006");
    common::write_config(dir.path(), &common::config());
    // The longest header is not too long; this one is not there.
    for (length, code) in [(MAX_HEADER_BYTES, "M040"), (MAX_HEADER_BYTES + 1, "M041")] {
        fs::write(dir.path().join("model.safetensors"), length.to_le_bytes()).unwrap();
        assert_eq!(Checkpoint::open(dir.path()).unwrap_err().code(), code);
    }
}

#[test]
fn an_index_names_each_shard_once() {
    let path = Path::new("model.safetensors.index.json");
    let index =
        json!({"weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "2.safetensors"}});
    let shards = shards_of_index(path, index.to_string().as_bytes()).unwrap();
    assert_eq!(shards, ["1.safetensors", "2.safetensors"]);
    let outside = json!({"weight_map": {"a": "../1.safetensors"}}).to_string();
    assert!(shards_of_index(path, outside.as_bytes()).is_err());
}

#[test]
fn published_shapes_have_names() {
    let shape = |name: &str| {
        let spec = SynthSpec::named(name)?;
        Some((spec.hidden, spec.layers, spec.vocab))
    };
    assert_eq!(shape("370m"), Some((1024, 24, 32_000)));
    assert_eq!(shape("1.3B"), Some((2048, 24, 32_000)));
    assert_eq!(shape("2.7b"), Some((2560, 32, 32_000)));
    assert_eq!(shape("7b"), None);
}

#[test]
fn synthetic_checkpoints_open_and_repeat() {
    let root = tempfile::tempdir().unwrap();
    let spec = SynthSpec {
        expand: 2,
        intermediate: Some(96),
        heads: 4,
        eps: 1e-5,
        lower_bounds: false,
        channels: Channels::Outliers,
        ..SynthSpec::new(256, 2, 300)
    };
    let write = |name: &str, spec: &SynthSpec, threads: usize| {
        let dir = root.path().join(name);
        let mut last = (0, 0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let calls = std::sync::Mutex::new(Vec::new());
        let mut note = |done, total| calls.lock().unwrap().push((done, total));
        pool.install(|| synth::write(spec, &dir, &mut note)).unwrap();
        for call in calls.into_inner().unwrap() {
            assert!(call.0 >= last.0 && call.0 <= call.1);
            last = call;
        }
        assert_eq!(last.0, last.1);
        let bytes = fs::read(dir.join("model.safetensors")).unwrap();
        let config = fs::read(dir.join("config.json")).unwrap();
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "nothing but the two files");
        (dir, bytes, config)
    };
    let (dir, first, config) = write("one", &spec, 1);
    let (_, again, config_again) = write("two", &spec, 3);
    assert!(first == again && config == config_again, "the same seed, other files");
    let (_, other, _) = write("three", &SynthSpec { seed: 1, ..spec.clone() }, 2);
    assert!(first != other, "another seed, the same files");

    let checkpoint = Checkpoint::open(&dir).unwrap();
    let config = checkpoint.config();
    assert_eq!((config.hidden, config.inner, config.intermediate), (256, 512, 96));
    assert_eq!((config.heads, config.rms_norm_eps, config.lower_bounds), (4, 1e-5, false));
    for spec in layout::tensors(config) {
        assert_eq!(checkpoint.dtype(&spec.name).unwrap(), Dtype::BF16);
        checkpoint.read(&spec.name).unwrap();
    }
    let rms = |channel: usize| {
        let rows = checkpoint.read(EMBEDDING).unwrap();
        let sum: f32 = rows.chunks(256).map(|row| row[channel] * row[channel]).sum();
        (sum / 300.0).sqrt()
    };
    assert!((1.1..1.5).contains(&rms(0)) && (1.1..1.5).contains(&rms(128)));
    assert!((0.016..0.024).contains(&rms(1)) && (0.016..0.024).contains(&rms(255)));
}

/// Run by name: `cargo test --release -p sterna-model --test checkpoints -- --ignored
/// --nocapture`.
#[test]
#[ignore = "writes 748 MB"]
fn the_370m_shape_is_made_and_read_in_seconds() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("370m");
    let start = std::time::Instant::now();
    synth::write(&SynthSpec::named("370m").unwrap(), &dir, &mut |_, _| {}).unwrap();
    let made = start.elapsed().as_secs_f64();
    let start = std::time::Instant::now();
    let checkpoint = Checkpoint::open(&dir).unwrap();
    let mut counts = [0u64; 3];
    for spec in layout::tensors(checkpoint.config()) {
        let values = checkpoint.read(&spec.name).unwrap();
        if spec.role == layout::Role::Ternary {
            let matrix = ternary::ternarise(&values, spec.shape[0], spec.shape[1]);
            counts.iter_mut().zip(matrix.histogram).for_each(|(sum, n)| *sum += n);
        }
    }
    let read = start.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    eprintln!("measured: made in {made:.1} s, read and ternarised in {read:.1} s, {peak}");
    assert_eq!(counts.iter().sum::<u64>(), 341_049_344);
    assert!(made < 30.0 && read < 30.0);
}

proptest! {
    #![proptest_config(common::seeded(24))]

    /// Whatever the format and however cut into files, what was written is read.
    #[test]
    fn what_was_written_is_read(
        seed in any::<u32>(),
        format in 0usize..3,
        shards in 1usize..5,
        layers in 1usize..4,
        bounds in any::<bool>(),
        rows in (0usize..40, 0usize..40),
    ) {
        let dtype = DTYPES[format];
        let mut config = common::config();
        config.insert("num_hidden_layers".into(), json!(layers));
        config.insert("use_lower_bound".into(), json!(bounds));
        let value = |i: usize| {
            let mixed = (i as u32).wrapping_mul(2_654_435_761) ^ seed;
            (mixed % 20_011) as f32 / 97.0 - 100.0
        };
        let tensors = common::tensors(&common::parse(&config), dtype, value);
        let dir = tempfile::tempdir().unwrap();
        if shards == 1 {
            common::write(dir.path(), &config, &tensors);
        } else {
            let shard_of = |i: usize| (i.wrapping_mul(31) ^ seed as usize) % shards;
            common::write_sharded(dir.path(), &config, &tensors, shards, shard_of);
        }
        let checkpoint = Checkpoint::open(dir.path()).unwrap();
        for tensor in &tensors {
            let read = checkpoint.read(&tensor.name).unwrap();
            prop_assert_eq!(checkpoint.dtype(&tensor.name).unwrap(), dtype);
            prop_assert_eq!(checkpoint.shape(&tensor.name).unwrap(), &tensor.shape[..]);
            prop_assert_eq!(encode(dtype, &read), tensor.bytes.clone());
            let all = 0..tensor.shape[0];
            prop_assert_eq!(&checkpoint.read_raw(&tensor.name, all).unwrap(), &tensor.bytes);
        }
        let (from, to) = (rows.0.min(rows.1), rows.0.max(rows.1));
        let part = checkpoint.read_rows(HEAD, from..to).unwrap();
        prop_assert_eq!(&part, &checkpoint.read(HEAD).unwrap()[from * 32..to * 32]);
        let raw = checkpoint.read_raw(FINAL_NORM, 3..5).unwrap();
        prop_assert_eq!(encode(dtype, &[value(3), value(4)]), raw);
    }
}

proptest! {
    #![proptest_config(common::seeded(400))]

    /// Any bytes are an error, never a panic.
    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let dir = tempfile::tempdir().unwrap();
        common::write_config(dir.path(), &common::config());
        fs::write(dir.path().join("model.safetensors"), &bytes).unwrap();
        prop_assert!(Checkpoint::open(dir.path()).is_err());
        // The same as JSON text of the right length.
        let text = String::from_utf8_lossy(&bytes);
        fs::write(dir.path().join("model.safetensors"), common::raw_file(&text, b"")).unwrap();
        prop_assert!(Checkpoint::open(dir.path()).is_err());
    }

    /// A good file with a few bytes of its header changed opens or is an error.
    #[test]
    fn changed_headers_never_panic(
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 1..5),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let config = common::config();
        let tensors = common::tensors(&common::parse(&config), Dtype::BF16, |_| 1.0);
        let mut file = common::file(&tensors);
        for (at, byte) in changes {
            file[at] = byte;
        }
        common::write_config(dir.path(), &config);
        fs::write(dir.path().join("model.safetensors"), file).unwrap();
        if let Ok(checkpoint) = Checkpoint::open(dir.path()) {
            let _ = checkpoint.read(HEAD);
        }
    }

    /// A configuration with any numbers is legal or an error, and the legal ones are small.
    #[test]
    fn any_numbers_in_a_configuration(
        hidden in 0u64..40_000, ratio in 0u64..4, intermediate in prop::option::of(any::<u64>()),
        layers in 0u64..1000, vocab in 0u64..2_000_000, heads in any::<u64>(),
    ) {
        let text = json!({
            "model_type": "hgrn_bit", "hidden_size": hidden * 32, "expand_ratio": ratio,
            "intermediate_size": intermediate, "num_hidden_layers": layers,
            "vocab_size": vocab, "num_heads": heads % 8, "use_lower_bound": ratio < 2,
        });
        let parsed = sterna_model::Config::from_json("c".as_ref(), &text.to_string());
        if let Ok(config) = parsed {
            prop_assert!(config.inner <= 16_384 && config.inner % config.heads == 0);
            prop_assert!(layout::tensors(&config).len() <= 15 * 512 + 5);
        }
    }
}
