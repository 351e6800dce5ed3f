//! What is done with a node, whatever is behind it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::raw::Mapping;

/// An open node.
pub trait Node: Send + Sync {
    /// `pread`.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// `pwrite`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Waits until a read would not block; `false` says that it still would.
    fn ready(&self, timeout: Duration) -> io::Result<bool>;

    /// `mmap` of the first bytes.
    fn map(&self, length: usize) -> io::Result<Box<dyn Window>>;

    /// Takes the lock that one open node at a time can have; `false` says that another has it.
    fn lock(&self) -> io::Result<bool>;
}

/// Registers that are read and written without a call to the system.
pub trait Window: Send {
    /// Reads 32 bits at a byte offset.
    fn read(&self, offset: u32) -> u32;

    /// Writes 32 bits at a byte offset.
    fn write(&self, offset: u32, value: u32);
}

/// A place where nodes are: a directory, or a double of one.
pub trait Access: Send + Sync {
    /// Names of everything there.
    fn names(&self) -> io::Result<Vec<OsString>>;

    /// Opens a node by name.
    fn open(&self, name: &str) -> io::Result<Arc<dyn Node>>;

    /// What a node, or the place itself if the name is empty, is called in messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// The nodes of a directory.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// The nodes of this directory.
    pub fn new(root: impl Into<PathBuf>) -> Files {
        Files { root: root.into() }
    }
}

impl Default for Files {
    /// Those of `/dev`.
    fn default() -> Files {
        Files::new("/dev")
    }
}

impl Access for Files {
    fn names(&self) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(&self.root)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Node>> {
        // The driver refuses the other direction; to ask for less is what a strict mode allows.
        let (read, write) = (!name.contains("_h2c_"), !name.contains("_c2h_"));
        let write = write && !name.contains("_events_");
        let file = OpenOptions::new().read(read).write(write).open(self.path(name))?;
        Ok(Arc::new(file))
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.root.clone() } else { self.root.join(name) }
    }
}

impl Node for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn ready(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        let count = poll(&mut [PollFd::new(self, PollFlags::IN)], timeout.as_ref())?;
        Ok(count > 0)
    }

    fn map(&self, length: usize) -> io::Result<Box<dyn Window>> {
        Ok(Box::new(Mapping::new(self, length)?))
    }

    fn lock(&self) -> io::Result<bool> {
        match self.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
