//! A model directory as its authors publish it: checked when opened, read piece by piece.
//!
//! Opening reads the small files and the headers only; a tensor's bytes are read when asked
//! for, with positioned reads of a few MiB. Nothing is mapped, so the memory that a user
//! sees is the memory that is used.

mod dtype;
mod files;
mod header;
mod shards;

use std::collections::HashMap;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use dtype::Dtype;
pub use header::MAX_HEADER_BYTES;
use serde::{Deserialize, Serialize};
pub use shards::{MAX_INDEX_BYTES, shards_of_index};

use crate::chat::{ChatTemplate, MAX_TEMPLATE_BYTES, MAX_TOKENIZER_CONFIG_BYTES};
use crate::config::{Config, MAX_CONFIG_BYTES};
use crate::error::{ModelError, Result, shorten};
use crate::layout;
use shards::{Shard, Shards};

/// Accepted bytes of a `tokenizer.json`; published ones have 2 MB.
pub const MAX_TOKENIZER_BYTES: u64 = 64 << 20;
/// Bytes that one read asks for: large enough for full disk speed, small beside a tensor.
const CHUNK_BYTES: usize = 4 << 20;

/// Where a tensor of the layout is stored.
#[derive(Debug)]
struct Place {
    shard: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// First byte in the shard.
    offset: u64,
}

impl Place {
    fn rows(&self) -> usize {
        self.shape[0]
    }

    /// Elements of a row; a vector's rows have one.
    fn row_elements(&self) -> usize {
        self.shape[1..].iter().product()
    }
}

/// An open model directory whose tensors are exactly those that its `config.json` asks for.
#[derive(Debug)]
pub struct Checkpoint {
    dir: PathBuf,
    config: Config,
    config_json: String,
    tokenizer_json: Option<Vec<u8>>,
    chat: Option<ChatTemplate>,
    origin: Option<Origin>,
    shards: Vec<Shard>,
    places: HashMap<String, Place>,
}

/// Where a checkpoint was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `OWNER/NAME` on the hub.
    pub repository: String,
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
}

impl Checkpoint {
    /// Opens the directory that holds `config.json`, the weights (`model.safetensors`, or
    /// `model.safetensors.index.json` with its shards) and perhaps `tokenizer.json`,
    /// `tokenizer_config.json` and `chat_template.jinja`.
    ///
    /// Every header is checked, no weight is read yet.
    ///
    /// # Errors
    /// M001 to M053: each names the file and what to do.
    pub fn open(dir: &Path) -> Result<Self> {
        files::require_directory(dir)?;
        let path = dir.join("config.json");
        let Some(bytes) = files::read(&path, "a config.json", MAX_CONFIG_BYTES)? else {
            return Err(ModelError::NoConfig { dir: dir.into() });
        };
        let config_json = files::utf8(&path, bytes)?;
        let config = Config::from_json(&path, &config_json)?;
        let tokenizer = dir.join("tokenizer.json");
        let tokenizer_json = files::read(&tokenizer, "a tokenizer.json", MAX_TOKENIZER_BYTES)?;
        let chat = chat_template(dir)?;
        let found = shards::open(dir)?;
        let (shards, places) = match_layout(&config, found)?;
        let dir = dir.into();
        let origin = None;
        Ok(Checkpoint { dir, config, config_json, tokenizer_json, chat, origin, shards, places })
    }

    /// The same, known to be published there.
    pub fn published_at(self, origin: Origin) -> Checkpoint {
        Checkpoint { origin: Some(origin), ..self }
    }

    /// Where it was published, if that is known.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The model's dimensions.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The text of `config.json`, unchanged.
    pub fn config_json(&self) -> &str {
        &self.config_json
    }

    /// The bytes of `tokenizer.json`, not checked yet, if the directory has one.
    pub fn tokenizer_json(&self) -> Option<&[u8]> {
        self.tokenizer_json.as_deref()
    }

    /// The chat template, not looked into yet, if there is one.
    pub fn chat_template(&self) -> Option<&ChatTemplate> {
        self.chat.as_ref()
    }

    /// The directory, as given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How a tensor is stored.
    ///
    /// # Errors
    /// [`ModelError::UnknownTensor`] for a name outside the layout.
    pub fn dtype(&self, name: &str) -> Result<Dtype> {
        Ok(self.place(name)?.dtype)
    }

    /// A tensor's shape, that of the layout.
    ///
    /// # Errors
    /// [`ModelError::UnknownTensor`] for a name outside the layout.
    pub fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(&self.place(name)?.shape)
    }

    /// A whole tensor as f32, row by row.
    ///
    /// # Errors
    /// [`ModelError::NotFinite`] for NaN and infinities, M055 to M058 otherwise.
    pub fn read(&self, name: &str) -> Result<Vec<f32>> {
        let rows = self.place(name)?.rows();
        self.read_rows(name, 0..rows)
    }

    /// Some rows of a tensor as f32. A vector's rows have one element each.
    ///
    /// # Errors
    /// As [`Checkpoint::read`], and [`ModelError::RowRange`].
    pub fn read_rows(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>> {
        let (place, offset, bytes) = self.range(name, rows)?;
        let size = place.dtype.size();
        let path = &self.shards[place.shard].path;
        let mut values: Vec<f32> = Vec::new();
        reserve(&mut values, bytes / size, path, name)?;
        self.chunks(place, name, offset, bytes, |chunk| {
            let before = values.len();
            place.dtype.extend_f32(chunk, &mut values);
            // Without a branch for each element: the usual case is that all are finite.
            let new = &values[before..];
            if new.iter().fold(true, |all, value| all & value.is_finite()) {
                return Ok(());
            }
            let bad = new.iter().position(|value| !value.is_finite()).unwrap_or(0);
            let at = offset + ((before + bad) * size) as u64;
            Err(ModelError::NotFinite {
                path: path.clone(),
                tensor: name.into(),
                index: (at - place.offset) / size as u64,
                offset: at,
                value: new[bad],
            })
        })?;
        Ok(values)
    }

    /// The stored bytes of some rows. A vector's rows have one element each.
    ///
    /// Values are not looked at: NaN passes.
    ///
    /// # Errors
    /// M055 to M058.
    pub fn read_raw(&self, name: &str, rows: Range<usize>) -> Result<Vec<u8>> {
        let (place, offset, bytes) = self.range(name, rows)?;
        let mut raw: Vec<u8> = Vec::new();
        reserve(&mut raw, bytes, &self.shards[place.shard].path, name)?;
        raw.resize(bytes, 0);
        self.read_at(place, name, &mut raw, offset)?;
        Ok(raw)
    }

    fn place(&self, name: &str) -> Result<&Place> {
        self.places.get(name).ok_or_else(|| ModelError::UnknownTensor {
            dir: self.dir.clone(),
            tensor: shorten(name),
        })
    }

    /// Place, first byte and number of bytes of some rows.
    fn range(&self, name: &str, rows: Range<usize>) -> Result<(&Place, u64, usize)> {
        let place = self.place(name)?;
        if rows.start > rows.end || rows.end > place.rows() {
            return Err(ModelError::RowRange {
                path: self.shards[place.shard].path.clone(),
                tensor: name.into(),
                rows: place.rows(),
                start: rows.start,
                end: rows.end,
            });
        }
        // Parts of a range that was checked against the file's length: no overflow.
        let row_bytes = place.row_elements() * place.dtype.size();
        let offset = place.offset + rows.start as u64 * row_bytes as u64;
        Ok((place, offset, (rows.end - rows.start) * row_bytes))
    }

    fn chunks(
        &self,
        place: &Place,
        name: &str,
        mut offset: u64,
        bytes: usize,
        mut use_chunk: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut buffer = vec![0u8; bytes.min(CHUNK_BYTES)];
        let mut left = bytes;
        while left > 0 {
            let chunk = &mut buffer[..left.min(CHUNK_BYTES)];
            self.read_at(place, name, chunk, offset)?;
            use_chunk(chunk)?;
            offset += chunk.len() as u64;
            left -= chunk.len();
        }
        Ok(())
    }

    fn read_at(&self, place: &Place, name: &str, to: &mut [u8], offset: u64) -> Result<()> {
        let Shard { path, file } = &self.shards[place.shard];
        file.read_exact_at(to, offset).map_err(|source| ModelError::TensorRead {
            path: path.clone(),
            tensor: name.into(),
            offset,
            source,
        })
    }
}

/// The template of a `chat_template.jinja`, else of a `tokenizer_config.json`, if there is one.
fn chat_template(dir: &Path) -> Result<Option<ChatTemplate>> {
    let text = |name: &str, what, limit| {
        let path = dir.join(name);
        let bytes = files::read(&path, what, limit)?;
        bytes.map(|bytes| files::utf8(&path, bytes)).transpose()
    };
    let most = MAX_TEMPLATE_BYTES as u64;
    let template = text("chat_template.jinja", "a chat template", most)?;
    let name = "tokenizer_config.json";
    let config = text(name, "a tokenizer_config.json", MAX_TOKENIZER_CONFIG_BYTES)?;
    if config.is_none() && template.is_none() {
        return Ok(None);
    }
    let config = config.as_deref().unwrap_or("{}");
    ChatTemplate::from_json(&dir.join(name), config, template.as_deref())
}

/// Room for a tensor, or an error: a header that lies must not end the process.
fn reserve<T>(to: &mut Vec<T>, count: usize, path: &Path, name: &str) -> Result<()> {
    to.try_reserve_exact(count).map_err(|_| ModelError::OutOfMemory {
        path: path.into(),
        tensor: name.into(),
        bytes: (count as u64).saturating_mul(size_of::<T>() as u64),
    })
}

/// Every tensor of the layout with its shape and a type that is read, and no other.
fn match_layout(
    config: &Config,
    mut found: Shards,
) -> Result<(Vec<Shard>, HashMap<String, Place>)> {
    let mut places = HashMap::new();
    for spec in layout::tensors(config) {
        let Some((shard, entry)) = found.tensors.remove(&spec.name) else {
            return Err(ModelError::TensorMissing { path: found.list, tensor: spec.name });
        };
        let path = || found.shards[shard].path.clone();
        if entry.shape != spec.shape {
            return Err(ModelError::TensorShape {
                path: path(),
                tensor: spec.name,
                found: entry.shape.into_iter().take(8).collect(),
                expected: spec.shape,
            });
        }
        let Some(dtype) = Dtype::from_safetensors(entry.dtype) else {
            return Err(ModelError::TensorDtype {
                path: path(),
                tensor: spec.name,
                found: format!("{:?}", entry.dtype),
            });
        };
        let place = Place { shard, dtype, shape: spec.shape, offset: entry.offset };
        places.insert(spec.name, place);
    }
    // The first by name, so that the same directory gives the same message.
    if let Some((name, (shard, _))) = found.tensors.iter().min_by_key(|(name, _)| *name) {
        return Err(ModelError::TensorExtra {
            path: found.shards[*shard].path.clone(),
            tensor: shorten(name),
        });
    }
    Ok((found.shards, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_memory_holds_is_an_error() {
        let error = reserve(&mut Vec::<u64>::new(), usize::MAX, Path::new("x"), "t").unwrap_err();
        assert_eq!(error.code(), "M058");
        reserve(&mut Vec::<u64>::new(), 9, Path::new("x"), "t").unwrap();
    }
}
