//! Which files hold the weights, and which tensor is where.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::files;
use super::header::{self, Entry};
use crate::error::{ModelError, Result, shorten};

/// Accepted bytes of a shard index; the largest legal model needs about 1 MB.
pub const MAX_INDEX_BYTES: u64 = 16 << 20;

/// An open file of weights.
#[derive(Debug)]
pub(super) struct Shard {
    pub path: PathBuf,
    pub file: File,
}

/// All shards, and for each tensor its shard and place.
#[derive(Debug)]
pub(super) struct Shards {
    pub shards: Vec<Shard>,
    pub tensors: HashMap<String, (usize, Entry)>,
    /// The file that lists the tensors: the only shard or the index.
    pub list: PathBuf,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// Reads an index whose shards are plain file names; `path` is for messages.
    fn read(path: &Path, bytes: &[u8]) -> Result<Index> {
        let index: Index = serde_json::from_slice(bytes).map_err(|e| ModelError::IndexSyntax {
            path: path.into(),
            detail: shorten(&e.to_string()),
        })?;
        for (tensor, shard) in &index.weight_map {
            if files::neighbour(Path::new(""), shard).is_none() {
                let (tensor, shard) = (shorten(tensor), shorten(shard));
                return Err(ModelError::ShardName { path: path.into(), tensor, shard });
            }
        }
        Ok(index)
    }

    fn shards(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }
}

/// The shards that an index of this text names, each a plain file name; `path` is for messages.
///
/// # Errors
/// [`ModelError::IndexSyntax`], [`ModelError::ShardName`].
pub fn shards_of_index(path: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    Ok(Index::read(path, bytes)?.shards().into_iter().map(str::to_owned).collect())
}

/// Opens `model.safetensors`, else the shards of `model.safetensors.index.json`: the order
/// in which the hub's library looks for them.
pub(super) fn open(dir: &Path) -> Result<Shards> {
    let single = dir.join("model.safetensors");
    if let Some(file) = files::open(&single)? {
        let mut found = Shards { shards: vec![], tensors: HashMap::new(), list: single.clone() };
        found.add(single, file)?;
        return Ok(found);
    }
    let list = dir.join("model.safetensors.index.json");
    let Some(bytes) = files::read(&list, "a shard index", MAX_INDEX_BYTES)? else {
        return Err(ModelError::NoWeights { dir: dir.into() });
    };
    let index = Index::read(&list, &bytes)?;
    let mut found = Shards { shards: vec![], tensors: HashMap::new(), list };
    for name in index.shards() {
        let path = dir.join(name);
        let Some(file) = files::open(&path)? else {
            return Err(ModelError::ShardMissing { path, index: found.list });
        };
        found.add(path, file)?;
    }
    for (tensor, shard) in &index.weight_map {
        let path = dir.join(shard);
        let holder = found.tensors.get(tensor).map(|(number, _)| &found.shards[*number].path);
        if holder != Some(&path) {
            return Err(ModelError::IndexedTensorMissing { path, tensor: shorten(tensor) });
        }
    }
    Ok(found)
}

impl Shards {
    fn add(&mut self, path: PathBuf, file: File) -> Result<()> {
        for entry in header::read(&path, &file)? {
            let tensor = shorten(&entry.name);
            let before = self.tensors.insert(entry.name.clone(), (self.shards.len(), entry));
            if let Some((first, _)) = before {
                let first = self.shards[first].path.clone();
                return Err(ModelError::TensorTwice { path, tensor, first });
            }
        }
        self.shards.push(Shard { path, file });
        Ok(())
    }
}
