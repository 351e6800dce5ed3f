//! The files of a made-up checkpoint: shards, header, index.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::SynthSpec;
use super::values::Values;
use crate::config::Config;
use crate::error::{ModelError, Result};
use crate::layout::{self, TensorSpec};

/// Most bytes of tensors in a shard: "5GB" of the library that saves models for the hub.
pub(super) const MAX_SHARD_BYTES: u64 = 5_000_000_000;
/// Bytes of one element.
const ELEMENT: u64 = 2;
/// Bytes that one thread makes up at a time.
const CHUNK: usize = 1 << 20;
/// Chunks that are made up side by side and then written.
const CHUNKS: usize = 16;

fn io(action: &'static str, path: &Path, source: std::io::Error) -> ModelError {
    ModelError::Io { action, path: path.into(), source }
}

fn tensor_bytes(spec: &TensorSpec) -> u64 {
    spec.shape.iter().map(|&n| n as u64).product::<u64>() * ELEMENT
}

/// Splits tensors in the layout's order; one larger than a shard gets its own.
fn split(specs: Vec<TensorSpec>, limit: u64) -> Vec<Vec<TensorSpec>> {
    let mut shards: Vec<Vec<TensorSpec>> = Vec::new();
    let mut filled = 0;
    for spec in specs {
        let bytes = tensor_bytes(&spec);
        match shards.last_mut() {
            Some(shard) if filled + bytes <= limit => {
                shard.push(spec);
                filled += bytes;
            }
            _ => {
                shards.push(vec![spec]);
                filled = bytes;
            }
        }
    }
    // Within a file they stand by name, as the hub's library saves them.
    shards.iter_mut().for_each(|shard| shard.sort_by(|a, b| a.name.cmp(&b.name)));
    shards
}

fn shard_name(number: usize, count: usize) -> String {
    match count {
        1 => "model.safetensors".into(),
        _ => format!("model-{:05}-of-{count:05}.safetensors", number + 1),
    }
}

/// Length field and JSON, padded with spaces to 8 bytes so that the data is aligned.
fn header(specs: &[TensorSpec]) -> Vec<u8> {
    let mut map = Map::new();
    map.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut offset = 0;
    for spec in specs {
        let end = offset + tensor_bytes(spec);
        let info = json!({"dtype": "BF16", "shape": spec.shape, "data_offsets": [offset, end]});
        map.insert(spec.name.clone(), info);
        offset = end;
    }
    let mut text = Value::Object(map).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut header = (text.len() as u64).to_le_bytes().to_vec();
    header.append(&mut text);
    header
}

fn index(shards: &[Vec<TensorSpec>], total: u64) -> String {
    let mut map = BTreeMap::new();
    for (number, shard) in shards.iter().enumerate() {
        let file = shard_name(number, shards.len());
        map.extend(shard.iter().map(|spec| (spec.name.as_str(), file.clone())));
    }
    format!("{:#}\n", json!({"metadata": {"total_size": total}, "weight_map": map}))
}

/// Files under temporary names in a directory; dropped, they vanish, and so does the
/// directory if it was made for them.
struct Output {
    dir: PathBuf,
    made: bool,
    files: Vec<(NamedTempFile, PathBuf)>,
}

impl Output {
    fn new(dir: &Path) -> Result<Output> {
        let made = match fs::read_dir(dir) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(ModelError::DirectoryNotEmpty { dir: dir.into() });
                }
                false
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(dir).map_err(|e| io("create", dir, e))?;
                true
            }
            Err(e) => return Err(io("open", dir, e)),
        };
        Ok(Output { dir: dir.into(), made, files: Vec::new() })
    }

    /// Makes a file and fills it; errors name it by the name that it would get.
    fn add(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut fs::File) -> std::io::Result<()>,
    ) -> Result<()> {
        let path = self.dir.join(name);
        let mut file = tempfile::Builder::new()
            .prefix(name)
            .suffix(".tmp")
            // What any other program's files get: the umask still applies.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.dir)
            .map_err(|e| io("create", &path, e))?;
        fill(file.as_file_mut()).map_err(|e| io("write", &path, e))?;
        self.files.push((file, path));
        Ok(())
    }

    /// Gives all files their names, in the order in which they were added.
    fn finish(mut self) -> Result<()> {
        let mut named: Vec<PathBuf> = Vec::new();
        for (file, path) in std::mem::take(&mut self.files) {
            if let Err(e) = file.persist_noclobber(&path) {
                // Nothing half-written: those that have their names go, too.
                named.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(io("rename", &path, e.error));
            }
            named.push(path);
        }
        self.made = false;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.files.clear();
        if self.made {
            // Fails if somebody else has put something there, which is then kept.
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// `config.json` comes last: a directory that has it is complete. Shards have at most
/// `limit` bytes of tensors, [`MAX_SHARD_BYTES`] outside of tests.
pub(super) fn write(
    spec: &SynthSpec,
    config: &Config,
    config_json: &str,
    dir: &Path,
    limit: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    let specs = layout::tensors(config);
    let total = specs.iter().map(tensor_bytes).sum();
    let shards = split(specs, limit);
    let mut output = Output::new(dir)?;
    let mut done = 0;
    progress(done, total);
    for (number, shard) in shards.iter().enumerate() {
        output.add(&shard_name(number, shards.len()), |file| {
            file.write_all(&header(shard))?;
            for tensor in shard {
                let values = Values::new(spec, tensor);
                write_tensor(file, &values, tensor_bytes(tensor), |bytes| {
                    done += bytes;
                    progress(done, total);
                })?;
            }
            Ok(())
        })?;
    }
    if shards.len() > 1 {
        let text = index(&shards, total);
        output.add("model.safetensors.index.json", |f| f.write_all(text.as_bytes()))?;
    }
    output.add("config.json", |f| f.write_all(config_json.as_bytes()))?;
    output.finish()
}

fn write_tensor(
    file: &mut fs::File,
    values: &Values,
    bytes: u64,
    mut written: impl FnMut(u64),
) -> std::io::Result<()> {
    let batch = bytes.min((CHUNK * CHUNKS) as u64);
    let mut buffer = vec![0u8; batch as usize];
    let mut offset = 0;
    while offset < bytes {
        let part = &mut buffer[..(bytes - offset).min(batch) as usize];
        part.par_chunks_mut(CHUNK).enumerate().for_each(|(number, chunk)| {
            values.fill((offset + (number * CHUNK) as u64) / ELEMENT, chunk);
        });
        file.write_all(part)?;
        offset += part.len() as u64;
        written(part.len() as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    fn shards_of(name: &str) -> (Vec<Vec<TensorSpec>>, u64) {
        let spec = SynthSpec::named(name).unwrap();
        let config = Config::from_json(Path::new("config.json"), &spec.config_json()).unwrap();
        let specs = layout::tensors(&config);
        let total = specs.iter().map(tensor_bytes).sum();
        (split(specs, MAX_SHARD_BYTES), total)
    }

    fn file_bytes(shard: &[TensorSpec]) -> u64 {
        header(shard).len() as u64 + shard.iter().map(tensor_bytes).sum::<u64>()
    }

    /// The sizes that the hub shows for the published files.
    #[test]
    fn files_have_the_published_sizes() {
        let (small, _) = shards_of("370m");
        assert_eq!(small.len(), 1);
        assert_eq!((file_bytes(&small[0]) + 5_000) / 10_000, 74_826);
        let (large, total) = shards_of("2.7b");
        // 4.976 GB and 428.7 MB.
        assert_eq!(large.len(), 2);
        assert_eq!((file_bytes(&large[0]) + 500_000) / 1_000_000, 4_976);
        assert_eq!((file_bytes(&large[1]) + 50_000) / 100_000, 4_287);
        assert!(large[1].iter().any(|s| s.name == "model.layers.30.mlp.gate_proj.weight"));
        assert!(large[0].iter().any(|s| s.name == "model.layers.30.mlp_norm.weight"));
        assert_eq!(index(&large, total).len(), 38_732);
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let (made, kept) = (root.path().join("made"), root.path().join("kept"));
        fs::create_dir(&kept).unwrap();
        for dir in [&made, &kept] {
            let mut output = Output::new(dir).unwrap();
            output.add("a", |_| Ok(())).unwrap();
            assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
        }
        assert!(!made.exists());
        assert_eq!(fs::read_dir(kept).unwrap().count(), 0);
    }

    /// The same weights, in however many files.
    #[test]
    fn shards_and_index_open() {
        let root = tempfile::tempdir().unwrap();
        let spec = SynthSpec::new(64, 2, 100);
        let text = spec.config_json();
        let config = Config::from_json(Path::new("config.json"), &text).unwrap();
        let open = |name: &str, limit| {
            let dir = root.path().join(name);
            write(&spec, &config, &text, &dir, limit, &mut |_, _| {}).unwrap();
            let files = fs::read_dir(&dir).unwrap().count();
            (Checkpoint::open(&dir).unwrap(), files)
        };
        let (single, files) = open("single", MAX_SHARD_BYTES);
        assert_eq!(files, 2);
        let (sharded, files) = open("sharded", 100_000);
        assert!(files > 4, "{files} files are no shards");
        for tensor in layout::tensors(&config) {
            assert_eq!(single.read(&tensor.name).unwrap(), sharded.read(&tensor.name).unwrap());
        }
    }

    /// Whoever makes up which chunk, of whichever batch.
    #[test]
    fn a_tensor_of_many_chunks_is_one_stream() {
        let of = TensorSpec { name: "x".into(), shape: vec![9 << 20], role: layout::Role::Ternary };
        let values = Values::new(&SynthSpec::new(64, 2, 100), &of);
        let bytes = tensor_bytes(&of);
        assert!(bytes > (CHUNK * CHUNKS) as u64);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tensor");
        let mut written = 0;
        let mut file = fs::File::create(&path).unwrap();
        write_tensor(&mut file, &values, bytes, |more| written += more).unwrap();
        let mut whole = vec![0; bytes as usize];
        values.fill(0, &mut whole);
        assert!(fs::read(&path).unwrap() == whole && written == bytes);
    }

    #[test]
    fn a_tensor_larger_than_a_shard_gets_its_own() {
        let spec = |name: &str, n| TensorSpec {
            name: name.into(),
            shape: vec![n],
            role: layout::Role::Gain,
        };
        let shards = split(vec![spec("b", 2), spec("a", 9), spec("d", 1), spec("c", 1)], 4);
        let names: Vec<Vec<&str>> =
            shards.iter().map(|s| s.iter().map(|t| t.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["b"], vec!["a"], vec!["c", "d"]]);
    }
}
