//! Files of a line each, as the kernel shows them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{PowerError, Result};

/// What a file says, without its newline.
///
/// # Errors
/// W003 where it may not be read, with `next` as what to do; W004.
pub fn text(path: &Path, next: &'static str) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().into()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(PowerError::Denied { path: path.into(), next })
        }
        Err(source) => Err(PowerError::Sensor { path: path.into(), source }),
    }
}

/// A whole number that a file holds.
///
/// # Errors
/// As [`text`]; W005.
pub fn integer(path: &Path, next: &'static str) -> Result<i64> {
    let text = text(path, next)?;
    text.parse().map_err(|_| {
        // What a sensor says is short; what else the file holds may not be.
        let text = text.chars().take(40).collect();
        PowerError::Value { path: path.into(), text, wanted: "a whole number" }
    })
}

/// What a file says, if it is there and says something.
pub fn known(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_string()).filter(|text| !text.is_empty())
}

/// What is in a directory, by name and number in it: `hwmon2` before `hwmon10`.
pub fn children(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_by_key(|path| {
        let name = name(path).to_string();
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        (name.len() - digits.len(), digits.len(), name)
    });
    paths
}

/// The last part of a path.
pub fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
