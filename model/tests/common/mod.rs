//! Small checkpoints, written byte by byte so that every part of them can be damaged.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use serde_json::{Map, Value, json};
use sterna_model::layout;
use sterna_model::{Config, Dtype};

/// A random test of so many cases (or `PROPTEST_CASES`), whose seed is new each time, printed
/// when the test fails, and replayed if `STERNA_SEED` has it.
pub fn seeded(cases: u32) -> ProptestConfig {
    let fresh = || RandomState::new().build_hasher().finish();
    let seed = env::var("STERNA_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(fresh);
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    let mut config = ProptestConfig::default();
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.rng_seed = RngSeed::Fixed(seed);
    config.failure_persistence = None;
    config
}

/// The repository's small trained model.
pub fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/shakespeare-tiny")
}

/// A legal configuration of the least size, as an object to change.
pub fn config() -> Map<String, Value> {
    let config = json!({
        "model_type": "hgrn_bit",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "vocab_size": 40,
    });
    match config {
        Value::Object(map) => map,
        _ => unreachable!(),
    }
}

/// Parses a configuration that must be legal.
pub fn parse(config: &Map<String, Value>) -> Config {
    let text = Value::Object(config.clone()).to_string();
    Config::from_json(Path::new("config.json"), &text).unwrap()
}

/// One tensor of a file to be written.
#[derive(Debug, Clone)]
pub struct Tensor {
    pub name: String,
    pub dtype: String,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Stored bytes of numbers.
pub fn encode(dtype: Dtype, values: &[f32]) -> Vec<u8> {
    match dtype {
        Dtype::BF16 => values.iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes()).collect(),
        Dtype::F16 => values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect(),
        Dtype::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

/// All tensors of a model; element `i` of each is `value(i)`.
pub fn tensors(config: &Config, dtype: Dtype, value: impl Fn(usize) -> f32) -> Vec<Tensor> {
    layout::tensors(config)
        .into_iter()
        .map(|spec| {
            let count = spec.shape.iter().product();
            let values: Vec<f32> = (0..count).map(&value).collect();
            Tensor {
                name: spec.name,
                dtype: format!("{dtype:?}"),
                shape: spec.shape,
                bytes: encode(dtype, &values),
            }
        })
        .collect()
}

/// A file of this header and data.
pub fn raw_file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    file
}

/// Header (as an object to change) and data of these tensors, one after the other.
pub fn header(tensors: &[Tensor]) -> (Map<String, Value>, Vec<u8>) {
    let mut map = Map::new();
    let mut data = Vec::new();
    for t in tensors {
        let end = data.len() + t.bytes.len();
        let offsets = [data.len(), end];
        let info = json!({"dtype": t.dtype, "shape": t.shape, "data_offsets": offsets});
        map.insert(t.name.clone(), info);
        data.extend_from_slice(&t.bytes);
    }
    (map, data)
}

/// A safetensors file of these tensors.
pub fn file(tensors: &[Tensor]) -> Vec<u8> {
    let (map, data) = header(tensors);
    raw_file(&Value::Object(map).to_string(), &data)
}

/// Writes `config.json`.
pub fn write_config(dir: &Path, config: &Map<String, Value>) {
    fs::write(dir.join("config.json"), Value::Object(config.clone()).to_string()).unwrap();
}

/// Writes a checkpoint of one file.
pub fn write(dir: &Path, config: &Map<String, Value>, tensors: &[Tensor]) {
    write_config(dir, config);
    fs::write(dir.join("model.safetensors"), file(tensors)).unwrap();
}

/// Writes a checkpoint of several files; `shard_of` gives each tensor its file.
pub fn write_sharded(
    dir: &Path,
    config: &Map<String, Value>,
    tensors: &[Tensor],
    shards: usize,
    shard_of: impl Fn(usize) -> usize,
) {
    write_config(dir, config);
    let mut parts = vec![Vec::new(); shards];
    let mut map = Map::new();
    for (number, tensor) in tensors.iter().enumerate() {
        let shard = shard_of(number);
        map.insert(tensor.name.clone(), shard_name(shard).into());
        parts[shard].push(tensor.clone());
    }
    for (number, part) in parts.iter().enumerate() {
        fs::write(dir.join(shard_name(number)), file(part)).unwrap();
    }
    write_index(dir, &map);
}

/// Name of a shard that [`write_sharded`] writes.
pub fn shard_name(number: usize) -> String {
    format!("model-{number}.safetensors")
}

/// Writes the index of a sharded checkpoint.
pub fn write_index(dir: &Path, map: &Map<String, Value>) {
    let index = json!({"metadata": {"total_size": 0}, "weight_map": map});
    fs::write(dir.join("model.safetensors.index.json"), index.to_string()).unwrap();
}
