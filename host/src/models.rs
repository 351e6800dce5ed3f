//! The folder of models that were fetched: `OWNER/NAME.sterna` each.
//!
//! Nothing else is kept beside them: a file says itself what it was made of.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sterna_firmware::model::{Description, Model};

use crate::error::{HostError, Result};
use crate::hub::{HubError, is_name, path};

/// What a model's file ends with.
const ENDING: &str = ".sterna";

/// A model of the folder.
pub struct Pulled {
    /// `OWNER/NAME`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Length of the file.
    pub bytes: u64,
    /// When it was written.
    pub written: SystemTime,
    /// What it says of itself, or why it cannot be used.
    pub description: Result<Description>,
}

/// The folder: `STERNA_MODELS`, else `sterna/models` in `XDG_DATA_HOME` or `~/.local/share`. It
/// need not be there.
///
/// # Errors
/// [`HubError::NoFolder`] without a home.
pub fn folder() -> Result<PathBuf> {
    let folder = path("STERNA_MODELS")
        .or_else(|| Some(path("XDG_DATA_HOME")?.join("sterna/models")))
        .or_else(|| Some(path("HOME")?.join(".local/share/sterna/models")));
    folder.ok_or_else(|| HubError::NoFolder { what: "models", set: "STERNA_MODELS" }.into())
}

/// The file that a model of this name has, or would have.
///
/// # Errors
/// [`HubError::NoFolder`].
pub fn file(name: &str) -> Result<PathBuf> {
    // Not by way of an extension: `MMfreeLM-2.7B` has a point.
    Ok(folder()?.join(format!("{name}{ENDING}")))
}

/// The file of a pulled model, if there is one of this name.
pub fn find(name: &str) -> Option<PathBuf> {
    if !is_name(name) {
        return None;
    }
    file(name).ok().filter(|path| path.is_file())
}

/// Every model of the folder, by name. Headers are looked at; with `check` everything is.
///
/// # Errors
/// [`HubError::NoFolder`], those of reading the folder.
pub fn list(check: bool) -> Result<Vec<Pulled>> {
    let folder = folder()?;
    let mut models = vec![];
    for path in entries(&folder)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() {
            for path in entries(&path)? {
                let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
                models.extend(look(&format!("{name}/{file}"), &path, check)?);
            }
        } else {
            models.extend(look(name, &path, check)?);
        }
    }
    models.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(models)
}

/// What a directory has; nothing if it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |error| HostError::io(folder, "read")(error);
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(read)?.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(read(error)),
    }
}

/// A model, if a file of the folder is one by its name.
fn look(name: &str, path: &Path, check: bool) -> Result<Option<Pulled>> {
    let Some(name) = name.strip_suffix(ENDING).filter(|name| is_name(name)) else {
        return Ok(None);
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        // Removed meanwhile, or no model.
        _ => return Ok(None),
    };
    let description = match check {
        true => Model::open(path).map(|model| model.description().clone()),
        false => Description::read(path),
    };
    Ok(Some(Pulled {
        name: name.into(),
        path: path.into(),
        bytes: metadata.len(),
        written: metadata.modified().map_err(HostError::io(path, "read"))?,
        description: description.map_err(HostError::from),
    }))
}
