//! Mapping a file: the crate's one `unsafe` that is not a SIMD kernel.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// The bytes of a container.
pub enum Bytes {
    /// A mapped file: pages are read as they are used and shared between processes.
    Mapped(Mmap),
    /// A file that is part of the program.
    Static(&'static [u8]),
    /// A file that was put together in memory.
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps a whole file for reading.
    pub fn map(file: &File) -> io::Result<Bytes> {
        // SAFETY: the mapping is read-only and private to this value. Another process that
        // truncates or rewrites the file in place while we run could break `&[u8]`'s promise;
        // our own writer never does (it renames a finished file into place), and nothing
        // derived from the bytes (lengths, offsets, indices) is used without a check.
        unsafe { Mmap::map(file) }.map(Bytes::Mapped)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}
