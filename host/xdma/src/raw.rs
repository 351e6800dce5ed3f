//! Page-aligned buffers and mapped registers: the crate's one file with `unsafe`.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::access::Window;

/// Alignment and granularity of buffers.
pub const PAGE: usize = 4096;

#[derive(Clone, Copy)]
#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// Bytes that begin at a page: the driver pins whole pages, and makes one descriptor less of them.
pub struct Buffer {
    pages: Vec<Page>,
    length: usize,
}

impl Buffer {
    /// So many zeros.
    pub fn new(length: usize) -> Buffer {
        Buffer { pages: vec![Page([0; PAGE]); length.div_ceil(PAGE)], length }
    }

    /// Makes it another length, at most its capacity: what is in it stays.
    pub fn resize(&mut self, length: usize) {
        assert!(length <= self.capacity());
        self.length = length;
    }

    /// The longest that it can be.
    pub fn capacity(&self) -> usize {
        self.pages.len() * PAGE
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `Page` is an array of bytes without padding (its alignment is its size), so the
        // pages are `capacity` initialised bytes in a row, and `length` is at most that. They are
        // borrowed as long as the slice is.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; the borrow is exclusive, and any byte may be written to a page.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr().cast(), self.length) }
    }
}

/// Registers that are mapped into this process.
pub struct Mapping {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread, and `Mapping` is its only owner.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of a node.
    pub fn new(file: &File, length: usize) -> io::Result<Mapping> {
        let flags = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory of ours.
        let base = unsafe { mmap(ptr::null_mut(), length, flags, MapFlags::SHARED, file, 0) }?;
        let base = NonNull::new(base.cast()).expect("the kernel maps nothing at 0");
        Ok(Mapping { base, length })
    }

    fn at(&self, offset: u32) -> *mut u32 {
        let offset = offset as usize;
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.length, "no register {offset:#x}");
        // SAFETY: `offset` is inside the mapping, as was just checked.
        unsafe { self.base.as_ptr().add(offset).cast() }
    }
}

impl Window for Mapping {
    fn read(&self, offset: u32) -> u32 {
        // SAFETY: `at` is inside the mapping and aligned. Other processes and the device may
        // change it at any time, which is what a volatile access is for; no reference is made.
        unsafe { ptr::read_volatile(self.at(offset)) }
    }

    fn write(&self, offset: u32, value: u32) {
        // SAFETY: as in `read`; the mapping is writable.
        unsafe { ptr::write_volatile(self.at(offset), value) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped in `new` with this length, and nobody else has its address.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_at_a_page() {
        for length in [0, 1, 4095, 4096, 4097, 1 << 20] {
            let mut buffer = Buffer::new(length);
            assert_eq!(buffer.len(), length);
            assert!(length == 0 || (buffer.as_ptr() as usize).is_multiple_of(PAGE));
            assert!(buffer.iter().all(|&byte| byte == 0));
            buffer.fill(7);
            buffer.resize(length / 2);
            assert_eq!(&buffer[..], vec![7; length / 2]);
        }
    }

    #[test]
    fn registers_are_words_of_the_file() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        let mapping = Mapping::new(&file, 4096).unwrap();
        mapping.write(8, 0x1234_5678);
        let mut bytes = [0; 12];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0).unwrap();
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12]);
        assert_eq!((mapping.read(8), mapping.read(4092)), (0x1234_5678, 0));
        let beyond = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| mapping.read(4096)));
        assert!(beyond.is_err());
    }

    #[test]
    fn nothing_stays_mapped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4096).unwrap();
        let name = file.path().to_str().unwrap();
        let mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains(name);
        let mapping = Mapping::new(file.as_file(), 4096).unwrap();
        assert!(mapped());
        drop(mapping);
        assert!(!mapped());
    }
}
