//! The folder of a report: written beside its place, and moved there when it is whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sterna_power::Recording;
use sterna_power::recording::csv_of;
use tempfile::TempDir;

use super::Report;
use crate::error::{HostError, Result};
use crate::picture::{raster, svg};

/// A folder that is being written.
pub struct Folder {
    dir: PathBuf,
    part: TempDir,
}

impl Folder {
    /// Begins a folder; `dir` may exist if nothing is in it.
    ///
    /// # Errors
    /// H013 where there is something, F001 where the system refuses a folder.
    pub fn create(dir: &Path) -> Result<Folder> {
        let io = |action| HostError::io(dir, action);
        if dir.exists() {
            let foreign = !dir.is_dir() || fs::read_dir(dir).map_err(io("read"))?.next().is_some();
            if foreign {
                return Err(HostError::NotEmpty { dir: dir.into() });
            }
        }
        let parent = match dir.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(HostError::io(parent, "create"))?;
        let part = tempfile::Builder::new()
            .prefix(".sterna-")
            // The process's umask applies, as for any folder that a user makes.
            .permissions(Permissions::from_mode(0o777))
            .tempdir_in(parent);
        Ok(Folder { dir: dir.into(), part: part.map_err(io("create"))? })
    }

    /// The samples of a recording.
    ///
    /// # Errors
    /// F001 where the system refuses the file.
    pub fn samples(&self, number: usize, recording: &Recording) -> Result<()> {
        self.put(&format!("samples-{number}.csv"), csv_of(recording).as_bytes())
    }

    /// All the rest; then the folder has its name.
    ///
    /// # Errors
    /// F001 where the system refuses a file or the folder.
    pub fn finish(self, report: &Report) -> Result<()> {
        self.put("report.json", report.json().as_bytes())?;
        self.put("report.csv", report.csv().as_bytes())?;
        self.put("report.html", report.html().as_bytes())?;
        report.drawings().par_iter().try_for_each(|drawing| {
            self.put(&format!("{}.svg", drawing.name), svg::svg(drawing).as_bytes())?;
            self.put(&format!("{}.png", drawing.name), &raster::png(drawing))
        })?;
        // An empty folder in its place is replaced.
        fs::rename(self.part.path(), &self.dir).map_err(HostError::io(&self.dir, "rename"))?;
        // It has moved, there is nothing left to remove.
        let _ = self.part.keep();
        Ok(())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.part.path().join(name);
        fs::write(&path, bytes).map_err(HostError::io(&self.dir.join(name), "write"))
    }
}
