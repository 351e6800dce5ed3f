//! One file of the cache: fetched, gone on with, checked, and linked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::HubError;
use super::client::{Client, Facts};
use super::repository::is_hexadecimal;
use crate::error::{HostError, Result};

/// Times that a file is gone on with before the user is asked.
const TRIES: usize = 5;
/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// A file by its checksum.
pub struct Blob<'a> {
    facts: &'a Facts,
    /// Where it is when it is whole.
    path: PathBuf,
    /// What there is of it before.
    part: PathBuf,
    lock: PathBuf,
}

impl<'a> Blob<'a> {
    /// In a repository's folder of the cache.
    pub fn new(folder: &Path, cache: &Path, facts: &'a Facts) -> Blob<'a> {
        let blobs = folder.join("blobs");
        let name = folder.file_name().expect("a folder of the cache");
        Blob {
            facts,
            path: blobs.join(&facts.etag),
            part: blobs.join(format!("{}.incomplete", facts.etag)),
            lock: cache.join(".locks").join(name).join(format!("{}.lock", facts.etag)),
        }
    }

    /// Fetches what there is not of it. Returns how many bytes came over the network.
    pub fn have(&self, client: &Client, url: &str, bar: &ProgressBar) -> Result<u64> {
        let _lock = self.lock()?;
        if self.is_whole()? {
            bar.inc(self.facts.size);
            return Ok(0);
        }
        create_parent(&self.part)?;
        let mut options = OpenOptions::new();
        let part = options.read(true).write(true).create(true).truncate(false).open(&self.part);
        let mut file = part.map_err(HostError::io(&self.part, "open"))?;
        let mut coming = Coming::new(self, &mut file, bar)?;
        let fetched = coming.fetch(client, url)?;
        let computed = coming.checksum.finish();
        if computed != self.facts.etag {
            fs::remove_file(&self.part).map_err(HostError::io(&self.part, "delete"))?;
            let (url, stated) = (url.into(), self.facts.etag.clone());
            return Err(HubError::Damaged { url, stated, computed }.into());
        }
        file.sync_all().map_err(HostError::io(&self.part, "write"))?;
        fs::rename(&self.part, &self.path).map_err(HostError::io(&self.path, "rename"))?;
        Ok(fetched)
    }

    /// Makes a link to it, as the cache's layout has them.
    pub fn link(&self, at: &Path) -> Result<PathBuf> {
        let target = Path::new("../../blobs").join(&self.facts.etag);
        if fs::read_link(at).is_ok_and(|old| old == target) {
            return Ok(at.into());
        }
        create_parent(at)?;
        let mut name = at.as_os_str().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(name);
        symlink(&target, &temporary).map_err(HostError::io(&temporary, "write"))?;
        fs::rename(&temporary, at).map_err(HostError::io(at, "rename"))?;
        Ok(at.into())
    }

    /// The lock that the hub's own tools take, too.
    fn lock(&self) -> Result<File> {
        create_parent(&self.lock)?;
        let file = File::create(&self.lock).map_err(HostError::io(&self.lock, "open"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(HubError::Locked { path: self.lock.clone() }.into())
            }
            Err(TryLockError::Error(error)) => Err(HostError::io(&self.lock, "lock")(error)),
        }
    }

    /// Whether it is there, and right: others write here, and may have been killed.
    fn is_whole(&self) -> Result<bool> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(HostError::io(&self.path, "open")(error)),
        };
        let metadata = file.metadata().map_err(HostError::io(&self.path, "read"))?;
        if metadata.len() != self.facts.size {
            return Ok(false);
        }
        let mut checksum = self.checksum();
        each_chunk(&mut file, &mut |bytes| checksum.update(bytes))
            .map_err(HostError::io(&self.path, "read"))?;
        Ok(checksum.finish() == self.facts.etag)
    }

    fn checksum(&self) -> Checksum {
        Checksum::of(&self.facts.etag, self.facts.size).expect("looked at with the facts")
    }
}

/// A file that comes.
struct Coming<'a> {
    blob: &'a Blob<'a>,
    file: &'a mut File,
    bar: &'a ProgressBar,
    /// Bytes that are there.
    at: u64,
    /// Of those.
    checksum: Checksum,
}

impl<'a> Coming<'a> {
    /// Takes in what is there.
    fn new(blob: &'a Blob<'a>, file: &'a mut File, bar: &'a ProgressBar) -> Result<Coming<'a>> {
        let mut coming = Coming { blob, file, bar, at: 0, checksum: blob.checksum() };
        let there = coming.file.metadata().map_err(HostError::io(&blob.part, "read"))?.len();
        if there > blob.facts.size {
            coming.again()?;
            return Ok(coming);
        }
        let Coming { file, checksum, .. } = &mut coming;
        each_chunk(file, &mut |bytes| checksum.update(bytes))
            .map_err(HostError::io(&blob.part, "read"))?;
        coming.at = there;
        bar.inc(there);
        Ok(coming)
    }

    /// Gets the rest, in several goes if need be. Returns how many bytes came.
    fn fetch(&mut self, client: &Client, url: &str) -> Result<u64> {
        let size = self.blob.facts.size;
        let (mut fetched, mut reason) = (0, String::new());
        for _ in 0..TRIES {
            if self.at == size {
                return Ok(fetched);
            }
            let part = client.get(url, self.at, size)?;
            if part.start != self.at {
                // The server takes no ranges.
                self.again()?;
            }
            match self.read(part.reader, &mut fetched)? {
                Ok(()) if self.at > size => {
                    fs::remove_file(&self.blob.part)
                        .map_err(HostError::io(&self.blob.part, "delete"))?;
                    let reason = format!("more than the {size} bytes that {url} has");
                    return Err(client.nonsense(reason).into());
                }
                Ok(()) => reason = "the end came too soon".into(),
                Err(broken) => reason = broken,
            }
        }
        if self.at == size {
            return Ok(fetched);
        }
        Err(HubError::Broken { url: url.into(), at: self.at, size, reason }.into())
    }

    /// Reads until the end, an error of the network (the inner one), or a byte too many, which is
    /// not written.
    fn read(
        &mut self,
        mut reader: Box<dyn Read>,
        fetched: &mut u64,
    ) -> Result<std::result::Result<(), String>> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => return Ok(Ok(())),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error.to_string())),
            };
            *fetched += count as u64;
            self.at += count as u64;
            if self.at > self.blob.facts.size {
                return Ok(Ok(()));
            }
            let bytes = &buffer[..count];
            self.file.write_all(bytes).map_err(HostError::io(&self.blob.part, "write"))?;
            self.checksum.update(bytes);
            self.bar.inc(count as u64);
        }
    }

    /// Forgets what came.
    fn again(&mut self) -> Result<()> {
        let wrap = |error| HostError::io(&self.blob.part, "write")(error);
        self.file.set_len(0).map_err(wrap)?;
        self.file.seek(SeekFrom::Start(0)).map_err(wrap)?;
        self.bar.set_position(self.bar.position().saturating_sub(self.at));
        self.at = 0;
        self.checksum = self.blob.checksum();
        Ok(())
    }
}

/// The two checksums that the hub names files by.
pub enum Checksum {
    /// Of large files.
    Sha256(Sha256),
    /// Of the others: what git makes of their length and bytes.
    Git(Sha1),
}

impl Checksum {
    /// The one that this is of a file of `size` bytes; `None` if it is none.
    pub fn of(etag: &str, size: u64) -> Option<Checksum> {
        if is_hexadecimal(etag, 64) {
            return Some(Checksum::Sha256(Sha256::new()));
        }
        let start = || Sha1::new_with_prefix(format!("blob {size}\0"));
        is_hexadecimal(etag, 40).then(|| Checksum::Git(start()))
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Checksum::Sha256(digest) => digest.update(bytes),
            Checksum::Git(digest) => digest.update(bytes),
        }
    }

    fn finish(&self) -> String {
        let bytes = match self {
            Checksum::Sha256(digest) => digest.clone().finalize().to_vec(),
            Checksum::Git(digest) => digest.clone().finalize().to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn create_parent(path: &Path) -> Result<()> {
    let parent = path.parent().expect("a file of the cache");
    fs::create_dir_all(parent).map_err(HostError::io(parent, "create"))
}

/// Reads a file to its end.
fn each_chunk(file: &mut File, use_chunk: &mut dyn FnMut(&[u8])) -> std::io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => use_chunk(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against what `git hash-object` and `sha256sum` say.
    #[test]
    fn both_checksums() {
        let of = |length: usize| {
            let mut checksum = Checksum::of(&"0".repeat(length), 6).unwrap();
            checksum.update(b"hel");
            checksum.update(b"lo\n");
            checksum.finish()
        };
        assert_eq!(of(40), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(of(64), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
        for etag in ["", "..", "main", &"A".repeat(40), &"0".repeat(41), &"/".repeat(64)] {
            assert!(Checksum::of(etag, 6).is_none(), "{etag}");
        }
    }
}
