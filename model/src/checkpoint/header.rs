//! The header of one safetensors file: names, types, shapes and byte ranges, all checked.
//!
//! Format: an 8-byte little-endian length, that many bytes of JSON, the data. The crate
//! `safetensors` has the types; its own reader wants the whole file in memory, keeps the
//! last of two equal names and does not say what is wrong where, hence this one.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use safetensors::tensor::TensorInfo;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::{ModelError, Result, shorten};

/// Accepted bytes of header JSON. The format allows 100 MB; the largest model that
/// [`crate::config`] accepts needs under 2 MB.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;
/// Bytes of the length field.
const LENGTH_BYTES: u64 = 8;

/// One tensor of a file, its range checked against the file's length.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub dtype: safetensors::Dtype,
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Reads and checks the header of `file`; entries come in order of their offsets.
///
/// # Errors
/// M040 to M048: anything that is not exactly one range of bytes for each tensor, all of
/// the file used.
pub(super) fn read(path: &Path, file: &File) -> Result<Vec<Entry>> {
    let io = |action, source| ModelError::Io { action, path: path.into(), source };
    let length = file.metadata().map_err(|e| io("examine", e))?.len();
    let truncated = |needed| ModelError::HeaderTruncated { path: path.into(), length, needed };
    if length < LENGTH_BYTES {
        return Err(truncated(LENGTH_BYTES));
    }
    let mut field = [0u8; LENGTH_BYTES as usize];
    file.read_exact_at(&mut field, 0).map_err(|e| io("read", e))?;
    let header = u64::from_le_bytes(field);
    if header > MAX_HEADER_BYTES {
        return Err(ModelError::HeaderTooLarge {
            path: path.into(),
            length: header,
            limit: MAX_HEADER_BYTES,
        });
    }
    let data = LENGTH_BYTES + header;
    if data > length {
        return Err(truncated(data));
    }
    let mut json = vec![0u8; header as usize];
    file.read_exact_at(&mut json, LENGTH_BYTES).map_err(|e| io("read", e))?;
    let Listing(listing) = serde_json::from_slice(&json).map_err(|e| ModelError::HeaderSyntax {
        path: path.into(),
        detail: shorten_detail(&e.to_string()),
    })?;
    check(path, listing, data, length)
}

/// The parser quotes what it found, which may be as long as the header.
fn shorten_detail(detail: &str) -> String {
    match detail.rsplit_once(" at line ") {
        Some((words, position)) => format!("{} at line {position}", shorten(words)),
        None => shorten(detail),
    }
}

/// Names and tensors as listed, equal names kept.
struct Listing(Vec<(String, TensorInfo)>);

impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Listing;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Listing, A::Error> {
                let mut list = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        list.push((name, map.next_value()?));
                    }
                }
                Ok(Listing(list))
            }
        }
        from.deserialize_map(Names)
    }
}

/// `data` is the offset of the data in the file of `length` bytes.
fn check(
    path: &Path,
    mut listing: Vec<(String, TensorInfo)>,
    data: u64,
    length: u64,
) -> Result<Vec<Entry>> {
    let mut names = HashSet::with_capacity(listing.len());
    if let Some((name, _)) = listing.iter().find(|(name, _)| !names.insert(name.as_str())) {
        return Err(ModelError::HeaderDuplicate { path: path.into(), tensor: shorten(name) });
    }
    listing.sort_by_key(|(_, info)| info.data_offsets);

    let mut entries: Vec<Entry> = Vec::with_capacity(listing.len());
    let mut expected = data;
    for (name, info) in listing {
        let entry = check_one(path, name, info, data, length)?;
        if entry.offset < expected {
            let other = entries.last().map_or(String::new(), |e| shorten(&e.name));
            return Err(ModelError::RangeOverlap {
                path: path.into(),
                tensor: shorten(&entry.name),
                offset: entry.offset,
                other,
            });
        }
        if entry.offset > expected {
            return Err(hole(path, expected, entry.offset));
        }
        // `check_one` has found the end to be within the file.
        expected = entry.offset + entry.bytes;
        entries.push(entry);
    }
    if expected < length {
        return Err(hole(path, expected, length));
    }
    Ok(entries)
}

fn hole(path: &Path, from: u64, to: u64) -> ModelError {
    ModelError::RangeHole { path: path.into(), offset: from, bytes: to - from }
}

fn check_one(path: &Path, name: String, info: TensorInfo, data: u64, length: u64) -> Result<Entry> {
    let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
    if end < start {
        let (path, tensor) = (path.into(), shorten(&name));
        return Err(ModelError::RangeReversed { path, tensor, start, end });
    }
    let file_end = data.checked_add(end).filter(|&e| e <= length);
    let Some(file_end) = file_end else {
        return Err(ModelError::RangeTruncated {
            path: path.into(),
            tensor: shorten(&name),
            end: data.saturating_add(end),
            length,
        });
    };
    let bytes = end - start;
    let offset = file_end - bytes;
    let bits = info
        .shape
        .iter()
        .try_fold(info.dtype.bitsize() as u64, |product, &n| product.checked_mul(n as u64));
    if bits != bytes.checked_mul(8) || bits.is_none() {
        return Err(ModelError::RangeSize {
            path: path.into(),
            tensor: shorten(&name),
            shape: info.shape.into_iter().take(8).collect(),
            bytes,
            offset,
        });
    }
    Ok(Entry { name, dtype: info.dtype, shape: info.shape, offset, bytes })
}
