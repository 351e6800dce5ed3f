//! The bytes of a memory: only what was written takes room.

use std::collections::HashMap;
use std::ops::Range;

/// Bytes of a page.
const PAGE: usize = 1 << 16;

/// Zeros, except where something was written.
pub(crate) struct Store {
    pages: HashMap<usize, Box<[u8]>>,
    bytes: u64,
}

impl Store {
    pub fn new(bytes: u64) -> Store {
        Store { pages: HashMap::new(), bytes }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether all of a stretch is inside.
    pub fn holds(&self, address: u64, length: u64) -> bool {
        address.checked_add(length).is_some_and(|end| end <= self.bytes)
    }

    /// Copies bytes out of the memory; the stretch must be inside.
    pub fn read(&self, address: u64, out: &mut [u8]) {
        for (page, part, at) in pieces(address, out.len()) {
            match self.pages.get(&page) {
                Some(bytes) => out[at..at + part.len()].copy_from_slice(&bytes[part]),
                None => out[at..at + part.len()].fill(0),
            }
        }
    }

    /// Copies bytes into the memory; the stretch must be inside.
    pub fn write(&mut self, address: u64, bytes: &[u8]) {
        for (page, part, at) in pieces(address, bytes.len()) {
            let from = &bytes[at..at + part.len()];
            self.page(page)[part].copy_from_slice(from);
        }
    }

    /// A beat as words of 32 bits. It is aligned to its length, so it lies in one page.
    pub fn beat(&self, address: u64, words: &mut [u32]) {
        let (page, at) = split(address);
        match self.pages.get(&page) {
            Some(bytes) => {
                let bytes = &bytes[at..at + 4 * words.len()];
                for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
                    *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
            }
            None => words.fill(0),
        }
    }

    /// Writes those bytes of a beat whose strobes are set.
    pub fn write_beat(&mut self, address: u64, words: &[u32], strobes: u64) {
        let (page, at) = split(address);
        let to = &mut self.page(page)[at..at + 4 * words.len()];
        let from = words.iter().flat_map(|word| word.to_le_bytes());
        for (n, (to, from)) in to.iter_mut().zip(from).enumerate() {
            if strobes >> n & 1 == 1 {
                *to = from;
            }
        }
    }

    fn page(&mut self, page: usize) -> &mut [u8] {
        self.pages.entry(page).or_insert_with(|| vec![0; PAGE].into_boxed_slice())
    }
}

fn split(address: u64) -> (usize, usize) {
    ((address / PAGE as u64) as usize, (address % PAGE as u64) as usize)
}

/// A stretch by pages: the page, the part of it, and where that part begins in the stretch.
fn pieces(address: u64, length: usize) -> impl Iterator<Item = (usize, Range<usize>, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let (page, at) = split(address + done as u64);
        let count = (PAGE - at).min(length - done);
        done += count;
        Some((page, at..at + count, done - count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cross_pages() {
        let mut store = Store::new(3 * PAGE as u64 + 64);
        let bytes: Vec<u8> = (0..2 * PAGE + 9).map(|n| (n % 251) as u8).collect();
        store.write(PAGE as u64 - 5, &bytes);
        let mut back = vec![1; bytes.len() + 2];
        store.read(PAGE as u64 - 6, &mut back);
        assert_eq!(back[0], 0);
        assert_eq!(back[1..=bytes.len()], bytes[..]);
        assert_eq!(back[bytes.len() + 1], 0);
        assert!(store.holds(store.bytes() - 64, 64) && !store.holds(store.bytes() - 63, 64));
        assert!(!store.holds(u64::MAX, 2));
    }

    #[test]
    fn strobes_choose_bytes() {
        let mut store = Store::new(4096);
        store.write(64, &[0xff; 16]);
        store.write_beat(64, &[0x0403_0201, 0x0807_0605, 0, 0], 0b1000_0001_0000_0110);
        let mut words = [0; 4];
        store.beat(64, &mut words);
        assert_eq!(words, [0xff03_02ff, 0xffff_ffff, 0xffff_ff00, 0x00ff_ffff]);
    }
}
