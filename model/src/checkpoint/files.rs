//! Opening the files of a model directory, within bounds.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use crate::error::{ModelError, Result};

fn io(action: &'static str, path: &Path, source: std::io::Error) -> ModelError {
    ModelError::Io { action, path: path.into(), source }
}

/// Refuses what is not a directory, with a hint at what it is.
pub(super) fn require_directory(dir: &Path) -> Result<()> {
    let metadata = match fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(ModelError::NoDirectory { path: dir.into() });
        }
        Err(e) => return Err(io("open", dir, e)),
    };
    if metadata.is_dir() {
        return Ok(());
    }
    Err(match dir.extension() {
        Some(extension) if extension == "sterna" => {
            ModelError::AlreadyImported { path: dir.into() }
        }
        _ => ModelError::NotADirectory { path: dir.into() },
    })
}

/// Opens a regular file (or a link to one, as the hub's cache has them); `None` if it does
/// not exist. Checked before opening, because opening a pipe would wait for its writer.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            File::open(path).map(Some).map_err(|e| io("open", path, e))
        }
        Ok(_) => Err(io("open", path, std::io::Error::other("not a regular file"))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io("open", path, e)),
    }
}

/// The whole of a file of at most `limit` bytes; `None` if it does not exist.
pub(super) fn read(path: &Path, what: &'static str, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(file) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a longer file, even one that is growing.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(ModelError::FileTooLarge { path: path.into(), what, limit });
    }
    Ok(Some(bytes))
}

/// Bytes as text.
pub(super) fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| ModelError::NotUtf8 {
        path: path.into(),
        offset: e.utf8_error().valid_up_to(),
    })
}

/// `dir/name` if `name` is one plain component: an index from outside must not reach
/// other files than its neighbours.
pub(super) fn neighbour(dir: &Path, name: &str) -> Option<PathBuf> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None)
            if only.to_str() == Some(name) && !name.contains(['\\', '\0']) =>
        {
            Some(dir.join(name))
        }
        _ => None,
    }
}
