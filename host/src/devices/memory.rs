//! How much memory a card has.

use sterna_xdma::{XdmaCard, XdmaError};

/// The smallest and the largest memory that is looked for.
const LEAST: u64 = 1 << 20;
const MOST: u64 = 1 << 37;
/// Bytes that are written and read in each place.
const PROBE: usize = 64;

/// Finds the memory of a card, in powers of two, and leaves what is in it as it was.
///
/// The last bytes below each power of two are read, written, read and restored. The memory ends
/// where the driver refuses, where the bytes do not stay, or where they show up below the power of
/// two before as well, because the upper bits of the address are not looked at. A memory of
/// another size counts as the power of two below it: `--card-memory` says more.
///
/// # Errors
/// Whatever is wrong with the first MiB.
pub fn probe(card: &mut XdmaCard) -> Result<u64, XdmaError> {
    let mut found = LEAST;
    card.read_memory(found - PROBE as u64, &mut [0; PROBE])?;
    while found < MOST && holds_twice(card, found)? {
        found *= 2;
    }
    Ok(found)
}

/// Whether a card that has `bytes` of memory has as many again.
fn holds_twice(card: &mut XdmaCard, bytes: u64) -> Result<bool, XdmaError> {
    let (below, at) = (bytes - PROBE as u64, 2 * bytes - PROBE as u64);
    let (mut first, mut old) = ([0; PROBE], [0; PROBE]);
    card.read_memory(below, &mut first)?;
    if refuses(card.read_memory(at, &mut old))? {
        return Ok(false);
    }
    let pattern = old.map(|byte| !byte);
    if refuses(card.write_memory(at, &pattern))? {
        return Ok(false);
    }
    let (mut seen, mut alias) = ([0; PROBE], [0; PROBE]);
    card.read_memory(at, &mut seen)?;
    card.read_memory(below, &mut alias)?;
    card.write_memory(at, &old)?;
    Ok(seen == pattern && alias == first)
}

/// Whether there is no memory; anything else is the card's trouble, not the address's.
fn refuses(result: Result<(), XdmaError>) -> Result<bool, XdmaError> {
    match result {
        Ok(()) => Ok(false),
        Err(XdmaError::Io { .. } | XdmaError::Short { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// A size as users write it.
pub fn size(word: &str) -> Result<u64, String> {
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &word[digits.len()..] {
        "" => 0,
        "K" | "k" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        other => return Err(format!("`{other}` is no unit: K, M or G")),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number with K, M or G".to_string())?;
    let bytes = number.checked_mul(1 << unit).filter(|&bytes| (4096..=1 << 40).contains(&bytes));
    bytes.ok_or_else(|| "between 4K and 1024G".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use sterna_firmware::geometry::Geometry;
    use sterna_firmware::shape::Shape;
    use sterna_hdl::driver::Transport;
    use sterna_sim::fake_card::FakeCard;
    use sterna_sim::soft_core::{Arithmetic, SoftCore};
    use sterna_xdma::Options;

    /// A memory that repeats itself, as one does whose upper address bits are not connected.
    struct Wraps(SoftCore, u64);

    impl Transport for Wraps {
        type Error = <SoftCore as Transport>::Error;
        fn memory_bytes(&self) -> u64 {
            self.1
        }
        fn read_register(&mut self, offset: u32) -> Result<u32, Self::Error> {
            self.0.read_register(offset)
        }
        fn write_register(&mut self, offset: u32, value: u32) -> Result<(), Self::Error> {
            self.0.write_register(offset, value)
        }
        fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
            self.0.read_memory(at % self.1, bytes)
        }
        fn write_memory(&mut self, at: u64, bytes: &[u8]) -> Result<(), Self::Error> {
            self.0.write_memory(at % self.1, bytes)
        }
        fn wait(&mut self, polls: u64) -> Result<bool, Self::Error> {
            self.0.wait(polls)
        }
    }

    fn core(bytes: u64) -> SoftCore {
        let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 1, vocab: 2 };
        SoftCore::new(&Geometry::for_shape(64, &shape), bytes, Arithmetic::Golden)
    }

    #[test]
    fn a_memory_is_found_and_left_as_it_was() {
        for (bytes, expected) in [(1 << 20, 1 << 20), (3 << 20, 2 << 20), (1 << 30, 1 << 30)] {
            for wraps in [false, true] {
                let mut core = core(bytes);
                let ends = (0..40).map(|k| 1u64 << k).filter(|&end| end >= 64 && end <= bytes);
                let ends: Vec<u64> = ends.map(|end| end - 64).collect();
                for &at in &ends {
                    core.write_memory(at, &[at.trailing_ones() as u8; 64]).unwrap();
                }
                let card = match wraps {
                    false => FakeCard::new(core, 0),
                    true => FakeCard::new(Wraps(core, bytes), 0),
                };
                let mut nodes =
                    XdmaCard::open(Arc::new(card.local()), None, Options::default()).unwrap();
                // One that wraps at no power of two is found too large: that is what
                // --card-memory is for.
                if !wraps || bytes.is_power_of_two() {
                    assert_eq!(probe(&mut nodes).unwrap(), expected);
                }
                for &at in &ends {
                    let mut seen = [0; 64];
                    nodes.read_memory(at, &mut seen).unwrap();
                    assert_eq!(seen, [at.trailing_ones() as u8; 64]);
                }
            }
        }
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(
            (size("512M"), size("4GiB"), size("64K")),
            (Ok(1 << 29), Ok(1 << 32), Ok(1 << 16))
        );
        for wrong in ["", "M", "4T", "1", "-5M", "2000G", "1.5G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
