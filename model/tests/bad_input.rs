//! Every kind of damaged or foreign checkpoint gives its own error, and says what to do.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use common::Tensor;
use serde_json::{Map, Value, json};
use sterna_model::layout::{EMBEDDING, HEAD, LOWER_BOUNDS};
use sterna_model::synth::{self, SynthSpec};
use sterna_model::{Checkpoint, Config, Dtype, ModelError, Result, Tokenizer};

/// Name of the case, and the error of a directory prepared for it.
type Case = (&'static str, ModelError);

fn failure<T>(case: &str, result: Result<T>) -> ModelError {
    match result {
        Ok(_) => panic!("{case}: accepted"),
        Err(error) => error,
    }
}

/// A good checkpoint's tensors.
fn good() -> Vec<Tensor> {
    common::tensors(&common::parse(&common::config()), Dtype::BF16, |i| (i % 7) as f32 - 3.0)
}

/// All messages as one text without the temporary directory's name.
fn report(cases: &[Case], dir: &Path) -> String {
    let mut text = String::new();
    for (name, error) in cases {
        let message = error.to_string().replace(&dir.display().to_string(), "DIR");
        writeln!(text, "{name}\n  {} {message}", error.code()).unwrap();
    }
    text
}

fn check_next_steps(cases: &[Case]) {
    for (name, error) in cases {
        let message = error.to_string();
        let step = message.rsplit_once("; ").or_else(|| message.rsplit_once("? "));
        assert!(step.is_some(), "{name}: no next step in: {message}");
    }
}

#[test]
fn configurations() {
    let path = Path::new("DIR/config.json");
    let text_cases = [
        ("no JSON", "hidden_size = 3".to_string()),
        ("a list", "[1, 2]".into()),
        ("cut off", r#"{"model_type": "hgrn_bit", "hidden"#.into()),
        ("deeply nested", format!(r#"{{"x": {}}}"#, "[".repeat(100_000))),
        ("larger than 1 MiB", " ".repeat(1 + (1 << 20))),
        ("no model_type", "{}".into()),
    ];
    let value_cases = [
        ("another model", "model_type", json!("llama")),
        ("model_type is a number", "model_type", json!(3)),
        ("short convolutions", "use_short_conv", json!(true)),
        ("tied embeddings", "tie_word_embeddings", json!(true)),
        ("another attention", "attn_mode", json!("chunk")),
        ("no heads", "num_heads", json!(null)),
        ("zero heads", "num_heads", json!(0)),
        ("heads that do not divide", "num_heads", json!(5)),
        ("expanded with lower bounds", "expand_ratio", json!(2)),
        ("zero expansion", "expand_ratio", json!(0)),
        ("fractional expansion", "expand_ratio", json!(1.5)),
        ("hidden not a multiple", "hidden_size", json!(100)),
        ("hidden zero", "hidden_size", json!(0)),
        ("hidden too large", "hidden_size", json!(16_416)),
        ("hidden absurd", "hidden_size", json!(u64::MAX)),
        ("hidden negative", "hidden_size", json!(-32)),
        ("hidden null", "hidden_size", json!(null)),
        ("intermediate not a multiple", "intermediate_size", json!(33)),
        ("intermediate too large", "intermediate_size", json!(1u64 << 40)),
        ("no layers", "num_hidden_layers", json!(0)),
        ("too many layers", "num_hidden_layers", json!(513)),
        ("a vocabulary of one", "vocab_size", json!(1)),
        ("vocabulary too large", "vocab_size", json!((1 << 20) + 1)),
        ("eps zero", "rms_norm_eps", json!(0.0)),
        ("eps one", "rms_norm_eps", json!(1.0)),
        ("eps underflows", "rms_norm_eps", json!(1e-60)),
        ("eps is text", "rms_norm_eps", json!("1e-6")),
        ("lower bounds is text", "use_lower_bound", json!("yes")),
        ("bos outside", "bos_token_id", json!(40)),
        ("eos outside, in a list", "eos_token_id", json!([2, 4_294_967_298u64])),
        ("eos negative", "eos_token_id", json!(-1)),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (name, text) in text_cases {
        cases.push((name, failure(name, Config::from_json(path, &text))));
    }
    for (name, key, value) in value_cases {
        let mut config = common::config();
        config.insert(key.into(), value);
        let text = Value::Object(config).to_string();
        cases.push((name, failure(name, Config::from_json(path, &text))));
    }
    let mut config = common::config();
    config.remove("intermediate_size");
    config.insert("hidden_ratio".into(), json!(u64::MAX));
    let text = Value::Object(config).to_string();
    cases.push(("hidden_ratio absurd", failure("", Config::from_json(path, &text))));
    check_next_steps(&cases);
    insta::assert_snapshot!(report(&cases, Path::new("/nowhere")));
}

/// Cases of whole directories: each is prepared in a directory of its own.
struct Directories {
    root: tempfile::TempDir,
    cases: Vec<Case>,
}

impl Directories {
    fn new() -> Self {
        Directories { root: tempfile::tempdir().unwrap(), cases: Vec::new() }
    }

    /// An empty directory, always of the same name, so that messages stay the same.
    fn fresh(&self) -> PathBuf {
        let dir = self.root.path().join("model");
        // The case before may have left a directory, a file or nothing.
        let _ = fs::remove_dir_all(&dir);
        let _ = fs::remove_file(&dir);
        fs::create_dir(&dir).unwrap();
        dir
    }

    fn case(&mut self, name: &'static str, prepare: impl FnOnce(&Path)) {
        let dir = self.fresh();
        prepare(&dir);
        self.cases.push((name, failure(name, Checkpoint::open(&dir))));
    }

    /// A good checkpoint whose tensors have been changed.
    fn tensors(&mut self, name: &'static str, change: impl FnOnce(&mut Vec<Tensor>)) {
        self.case(name, |dir| {
            let mut tensors = good();
            change(&mut tensors);
            common::write(dir, &common::config(), &tensors);
        });
    }

    /// A good checkpoint whose header has been changed.
    fn header(&mut self, name: &'static str, change: impl FnOnce(&mut Map<String, Value>)) {
        self.case(name, |dir| {
            let (mut map, data) = common::header(&good());
            change(&mut map);
            common::write_config(dir, &common::config());
            let file = common::raw_file(&Value::Object(map).to_string(), &data);
            fs::write(dir.join("model.safetensors"), file).unwrap();
        });
    }

    /// These bytes as weights.
    fn file(&mut self, name: &'static str, bytes: &[u8]) {
        self.case(name, |dir| {
            common::write_config(dir, &common::config());
            fs::write(dir.join("model.safetensors"), bytes).unwrap();
        });
    }

    /// A good checkpoint in two shards, changed afterwards.
    fn shards(&mut self, name: &'static str, change: impl FnOnce(&Path, &mut Map<String, Value>)) {
        self.case(name, |dir| {
            let tensors = good();
            common::write_sharded(dir, &common::config(), &tensors, 2, |i| i % 2);
            let mut map = Map::new();
            for (i, tensor) in tensors.iter().enumerate() {
                map.insert(tensor.name.clone(), common::shard_name(i % 2).into());
            }
            change(dir, &mut map);
            common::write_index(dir, &map);
        });
    }

    fn finish(self) -> String {
        check_next_steps(&self.cases);
        report(&self.cases, self.root.path())
    }
}

fn find<'a>(tensors: &'a mut [Tensor], name: &str) -> &'a mut Tensor {
    tensors.iter_mut().find(|t| t.name == name).unwrap()
}

#[test]
fn directories() {
    let mut d = Directories::new();
    d.case("a directory of something else", |dir| fs::write(dir.join("x"), "").unwrap());
    d.case("no directory", |dir| fs::remove_dir(dir).unwrap());
    d.case("a file", |dir| {
        fs::remove_dir(dir).unwrap();
        fs::write(dir, "").unwrap();
    });
    let image = d.root.path().join("demo.sterna");
    fs::write(&image, "").unwrap();
    d.cases.push(("an imported model", failure("", Checkpoint::open(&image))));
    d.case("config.json is a directory", |dir| fs::create_dir(dir.join("config.json")).unwrap());
    d.case("config.json is not UTF-8", |dir| {
        fs::write(dir.join("config.json"), b"{\"a\": \"\xff\"}").unwrap();
    });
    d.case("config.json is too large", |dir| {
        fs::write(dir.join("config.json"), vec![b' '; 2 << 20]).unwrap();
    });
    d.case("no weights", |dir| common::write_config(dir, &common::config()));
    d.case("tokenizer.json is too large", |dir| {
        common::write(dir, &common::config(), &good());
        // Sparse: takes no space.
        let file = fs::File::create(dir.join("tokenizer.json")).unwrap();
        file.set_len((64 << 20) + 1).unwrap();
    });
    for (case, text) in [
        ("tokenizer_config.json is no object", "[]"),
        ("a chat template is a number", r#"{"chat_template": 3}"#),
        (
            "no chat template is the default",
            r#"{"chat_template": [{"name": "rag", "template": "x"}]}"#,
        ),
        ("the default is no text", r#"{"chat_template": [{"name": "default", "template": null}]}"#),
        ("a begin token is a number", r#"{"chat_template": "x", "bos_token": 1}"#),
        ("an end token has no content", r#"{"chat_template": "x", "eos_token": {"id": 2}}"#),
    ] {
        d.case(case, |dir| {
            common::write(dir, &common::config(), &good());
            fs::write(dir.join("tokenizer_config.json"), text).unwrap();
        });
    }
    d.case("tokenizer_config.json is too large", |dir| {
        common::write(dir, &common::config(), &good());
        let file = fs::File::create(dir.join("tokenizer_config.json")).unwrap();
        file.set_len((16 << 20) + 1).unwrap();
    });
    d.case("chat_template.jinja is too large", |dir| {
        common::write(dir, &common::config(), &good());
        fs::write(dir.join("chat_template.jinja"), vec![b' '; (64 << 10) + 1]).unwrap();
    });
    d.case("chat_template.jinja is not UTF-8", |dir| {
        common::write(dir, &common::config(), &good());
        fs::write(dir.join("chat_template.jinja"), b"caf\xe9").unwrap();
    });
    insta::assert_snapshot!(d.finish());
}

#[test]
fn shards() {
    let mut d = Directories::new();
    d.case("the index is no JSON", |dir| {
        common::write_config(dir, &common::config());
        fs::write(dir.join("model.safetensors.index.json"), "PK").unwrap();
    });
    d.case("the index has no weight_map", |dir| {
        common::write_config(dir, &common::config());
        fs::write(dir.join("model.safetensors.index.json"), "{}").unwrap();
    });
    d.case("the index is empty", |dir| {
        common::write_config(dir, &common::config());
        common::write_index(dir, &Map::new());
    });
    for (case, name) in [
        ("a shard above", "../model-0.safetensors"),
        ("a shard below", "sub/model-0.safetensors"),
        ("an absolute shard", "/etc/passwd"),
        ("a shard with a trailing slash", "model-0.safetensors/"),
        ("a shard of the parent", ".."),
        ("the directory itself as a shard", "."),
        ("a shard without a name", ""),
        ("a shard with backslashes", "..\\model-0.safetensors"),
        ("a shard with a null", "model\0"),
    ] {
        d.shards(case, |_, map| {
            map.insert(HEAD.into(), name.into());
        });
    }
    d.shards("a missing shard", |dir, _| {
        fs::remove_file(dir.join(common::shard_name(1))).unwrap();
    });
    d.shards("a truncated shard", |dir, _| {
        let path = dir.join(common::shard_name(1));
        let bytes = fs::read(&path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 100]).unwrap();
    });
    d.shards("an empty shard", |dir, _| {
        fs::write(dir.join(common::shard_name(1)), "").unwrap();
    });
    d.shards("the index names a tensor that no shard has", |_, map| {
        map.insert("model.other".into(), common::shard_name(1).into());
    });
    d.shards("the index names the wrong shard", |_, map| {
        let wrong = match map[HEAD].as_str() {
            Some("model-0.safetensors") => 1,
            _ => 0,
        };
        map.insert(HEAD.into(), common::shard_name(wrong).into());
    });
    d.shards("a tensor in two shards", |dir, map| {
        fs::copy(dir.join(common::shard_name(0)), dir.join("second.safetensors")).unwrap();
        map.insert("model.second".into(), "second.safetensors".into());
    });
    d.shards("a shard is a directory", |dir, _| {
        fs::remove_file(dir.join(common::shard_name(1))).unwrap();
        fs::create_dir(dir.join(common::shard_name(1))).unwrap();
    });
    insta::assert_snapshot!(d.finish());
}

#[test]
fn headers() {
    let mut d = Directories::new();
    d.file("an empty file", b"");
    d.file("half a length", &[1, 0, 0]);
    d.file("a length and no header", &100u64.to_le_bytes());
    d.file("a zip archive", b"PK\x03\x04\x14\x00\x00\x00\x08\x00 and so on");
    d.file("a huge header", &((16u64 << 20) + 1).to_le_bytes());
    d.file("the hugest header", &u64::MAX.to_le_bytes());
    d.file("a header of no bytes", &common::raw_file("", b""));
    d.file("a header that is no JSON", &common::raw_file("not JSON", b""));
    d.file("a header that is a list", &common::raw_file("[1]", b""));
    d.file("a header that is not UTF-8", &[&2u64.to_le_bytes()[..], b"\xff\xfe"].concat());
    d.file("a deeply nested header", &common::raw_file(&"{\"a\":".repeat(50_000), b""));
    d.file("an empty header", &common::raw_file("{}", b""));
    d.file("bytes behind an empty header", &common::raw_file("{}", b"1234"));
    let long = format!(r#"{{"a": {{"dtype": "{}"}}}}"#, "Q".repeat(5000));
    d.file("an unknown type with a long name", &common::raw_file(&long, b""));
    let twice = r#"{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}"#;
    let twice = format!(r#"{{"a": {twice}, "a": {twice}}}"#);
    d.file("a name twice", &common::raw_file(&twice, &[0; 4]));
    let good_file = common::file(&good());
    d.file("the last byte is missing", &good_file[..good_file.len() - 1]);
    d.file("a byte too many", &[&good_file[..], &[0]].concat());
    d.file("cut off within the header", &good_file[..200]);

    let set = |map: &mut Map<String, Value>, name: &str, key: &str, value: Value| {
        map[name][key] = value;
    };
    d.header("offsets that are reversed", |m| set(m, HEAD, "data_offsets", json!([8, 4])));
    d.header("offsets of nothing", |m| set(m, HEAD, "data_offsets", json!([8, 8])));
    d.header("offsets that are negative", |m| set(m, HEAD, "data_offsets", json!([-8, 4])));
    d.header("offsets outside the file", |m| {
        let end = u64::MAX - 7;
        set(m, "lm_head.norm.weight", "data_offsets", json!([end - 64, end]));
    });
    d.header("a range too short for its shape", |m| {
        set(m, EMBEDDING, "shape", json!([40, 33]));
    });
    d.header("a shape that overflows", |m| {
        set(m, EMBEDDING, "shape", json!([1u64 << 40, 1u64 << 40]));
    });
    d.header("a shape that wraps round to the right size", |m| {
        set(m, EMBEDDING, "shape", json!([40, 32, 1u64 << 32, 1u64 << 32, 3]));
    });
    d.header("tensors that overlap", |m| {
        let embedding = m[EMBEDDING]["data_offsets"].clone();
        set(m, HEAD, "data_offsets", embedding);
    });
    d.header("a hole", |m| {
        m.remove(LOWER_BOUNDS);
    });
    d.header("no offsets", |m| {
        m[HEAD].as_object_mut().unwrap().remove("data_offsets");
    });
    insta::assert_snapshot!(d.finish());
}

#[test]
fn tensors() {
    let mut d = Directories::new();
    d.tensors("a missing matrix", |t| t.retain(|t| t.name != HEAD));
    d.tensors("missing lower bounds", |t| t.retain(|t| t.name != LOWER_BOUNDS));
    d.tensors("a missing gain", |t| {
        t.retain(|t| t.name != "model.layers.1.attn.o_proj.norm.weight");
    });
    let extra = |name: &str| Tensor {
        name: name.into(),
        dtype: "F32".into(),
        shape: vec![2],
        bytes: vec![0; 8],
    };
    d.tensors("a bias", |t| t.push(extra("lm_head.bias")));
    d.tensors("a buffer", |t| t.push(extra("model.layers.0.attn.rotary.inv_freq")));
    d.tensors("one layer too many", |t| t.push(extra("model.layers.2.attn_norm.weight")));
    d.tensors("a transposed matrix", |t| find(t, HEAD).shape.reverse());
    d.tensors("a vector as a matrix", |t| find(t, "model.norm.weight").shape = vec![1, 32]);
    d.tensors("int8", |t| {
        let head = find(t, HEAD);
        head.dtype = "I8".into();
        head.bytes.truncate(40 * 32);
    });
    d.tensors("f64", |t| {
        let norm = find(t, "model.norm.weight");
        norm.dtype = "F64".into();
        norm.bytes = vec![0; 8 * 32];
    });
    d.case("lower bounds that config.json denies", |dir| {
        let mut config = common::config();
        config.insert("use_lower_bound".into(), json!(false));
        common::write(dir, &config, &good());
    });
    insta::assert_snapshot!(d.finish());
}

#[test]
fn reading() {
    let mut d = Directories::new();
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for (name, dtype, value) in [
        ("NaN in bf16", Dtype::BF16, special[0]),
        ("infinity in f16", Dtype::F16, special[1]),
        ("minus infinity in f32", Dtype::F32, special[2]),
    ] {
        let dir = d.fresh();
        let config = common::config();
        let tensors = common::tensors(&common::parse(&config), dtype, |i| match i {
            37 => value,
            _ => 0.5,
        });
        common::write(&dir, &config, &tensors);
        let checkpoint = Checkpoint::open(&dir).unwrap();
        d.cases.push((name, failure(name, checkpoint.read(EMBEDDING))));
        // Counted from the tensor's start also when reading starts later.
        let error = failure(name, checkpoint.read_rows(EMBEDDING, 1..3));
        assert!(matches!(error, ModelError::NotFinite { index: 37, .. }), "{error}");
        assert_eq!(checkpoint.read_rows(EMBEDDING, 2..40).unwrap(), vec![0.5; 38 * 32]);
    }
    let dir = d.fresh();
    common::write(&dir, &common::config(), &good());
    let checkpoint = Checkpoint::open(&dir).unwrap();
    d.cases.push(("a tensor of no model", failure("", checkpoint.read("model.other"))));
    d.cases.push(("its type", failure("", checkpoint.dtype("model.other"))));
    d.cases.push(("its shape", failure("", checkpoint.shape("model.other"))));
    d.cases.push(("rows outside", failure("", checkpoint.read_rows(HEAD, 39..41))));
    d.cases.push(("raw rows outside", failure("", checkpoint.read_raw(HEAD, 0..usize::MAX))));
    #[expect(clippy::reversed_empty_ranges, reason = "it is the bad input")]
    d.cases.push(("rows reversed", failure("", checkpoint.read_rows(HEAD, 3..2))));
    let path = dir.join("model.safetensors");
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length - 5).unwrap();
    let last = "lm_head.norm.weight";
    d.cases.push(("a file that has shrunk", failure("", checkpoint.read(last))));
    insta::assert_snapshot!(d.finish());
}

#[test]
fn tokenizers_and_tokens() {
    let good = fs::read(common::demo().join("tokenizer.json")).unwrap();
    let tokenizer = Tokenizer::from_json(&good, 512).unwrap();
    let cases = [
        ("no JSON", failure("", Tokenizer::from_json(b"", 512))),
        ("cut off", failure("", Tokenizer::from_json(&good[..good.len() / 2], 512))),
        ("not a tokenizer", failure("", Tokenizer::from_json(b"{\"a\": 1}", 512))),
        (
            "an unknown decoder",
            failure("", Tokenizer::from_json(br#"{"decoder": {"type": "?"}, "model": {}}"#, 512)),
        ),
        ("more tokens than the model", failure("", Tokenizer::from_json(&good, 511))),
        ("a token outside", failure("", tokenizer.decode(&[5, 512]))),
        ("a token outside in a stream", failure("", tokenizer.stream().push(u32::MAX))),
    ];
    check_next_steps(&cases);
    insta::assert_snapshot!(report(&cases, Path::new("/nowhere")));
}

#[test]
fn synthetic_checkpoints() {
    let mut d = Directories::new();
    let mut synth = |name: &'static str, spec: SynthSpec, fill: bool| {
        let dir = d.fresh();
        if fill {
            fs::write(dir.join("notes.txt"), "mine").unwrap();
        }
        let error = failure(name, synth::write(&spec, &dir, &mut |_, _| {}));
        let left = fs::read_dir(&dir).unwrap().count();
        assert_eq!(left, usize::from(fill), "{name}: files were left");
        d.cases.push((name, error));
    };
    let small = SynthSpec::new(32, 1, 16);
    synth("a directory in use", small.clone(), true);
    synth("an illegal width", SynthSpec { hidden: 33, ..small.clone() }, false);
    synth("eps is NaN", SynthSpec { eps: f32::NAN, ..small.clone() }, false);
    synth("expanded with lower bounds", SynthSpec { expand: 2, ..small.clone() }, false);
    let file = d.root.path().join("file");
    fs::write(&file, "").unwrap();
    d.cases.push(("a file", failure("", synth::write(&small, &file, &mut |_, _| {}))));
    insta::assert_snapshot!(d.finish());
}

/// A cause without a case here is one that no test has seen.
#[test]
fn every_cause_is_among_the_snapshots() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(snapshots).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for code in sterna_model::error::CODES {
            if text.contains(&format!("\n  {code} ")) {
                seen.insert(*code);
            }
        }
    }
    // Not to be had on purpose: memory that is refused, and text or tokens that the
    // tokenizer library itself cannot handle.
    let exempt = ["M058", "M062", "M063"];
    let missing: Vec<_> =
        sterna_model::error::CODES.iter().filter(|c| !seen.contains(*c)).copied().collect();
    assert_eq!(missing, exempt);
}
