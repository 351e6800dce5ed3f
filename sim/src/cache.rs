//! Results by the hash of all that they are made from.
//!
//! `<cache>/<hash>/` appears complete or not at all: it is built beside its place and renamed into
//! it, so any number of processes may share a cache, and any part of it may be deleted.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::SimError;
use crate::model::Options;

/// The folder of compiled models: what the options name, else `STERNA_CACHE`, else `sterna` in
/// the user's cache folder.
pub(crate) fn folder(options: &Options) -> Result<PathBuf, SimError> {
    let var = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let folder = options
        .cache
        .clone()
        .or_else(|| var("STERNA_CACHE"))
        .or_else(|| var("XDG_CACHE_HOME").map(|f| f.join("sterna")))
        .or_else(|| var("HOME").map(|f| f.join(".cache/sterna")))
        .ok_or(SimError::NoCache)?
        .join("verilated");
    fs::create_dir_all(&folder).map_err(SimError::file("create", &folder))?;
    // Verilator and the compiler run in other folders.
    folder.canonicalize().map_err(SimError::file("find", &folder))
}

/// 128 bits of the SHA-256 of all parts, as 32 hexadecimal digits.
pub(crate) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        // The length keeps "ab", "c" and "a", "bc" apart.
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    sha.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The folder `<cache>/<hash>`, and whether `make` had to fill it. `make` gets an empty folder.
pub(crate) fn get(
    cache: &Path,
    hash: &str,
    make: impl FnOnce(&Path) -> Result<(), SimError>,
) -> Result<(PathBuf, bool), SimError> {
    let place = cache.join(hash);
    if place.is_dir() {
        return Ok((place, false));
    }
    // Who needs the same result waits instead of making it twice. Where a file system has no
    // locks it is made twice, and the rename still decides.
    let lock_path = cache.join(format!("{hash}.lock"));
    let lock = fs::File::create(&lock_path).map_err(SimError::file("create", &lock_path))?;
    let _ = lock.lock();
    if place.is_dir() {
        return Ok((place, false));
    }
    let work = tempfile::Builder::new()
        .prefix(".build-")
        .tempdir_in(cache)
        .map_err(SimError::file("create a folder in", cache))?;
    make(work.path())?;
    match fs::rename(work.path(), &place) {
        // The guard's folder is gone, and that it has nothing to delete is no error.
        Ok(()) => drop(work.keep()),
        Err(_) if place.is_dir() => {}
        Err(e) => return Err(SimError::file("create", &place)(e)),
    }
    let _ = fs::remove_file(&lock_path);
    Ok((place, true))
}
