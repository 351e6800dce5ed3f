//! Whether the card's memory holds what is written to it.
//!
//! The march is March C−: every block is written and read in rising and in falling order, with a
//! pattern and its complement, so that a cell that is stuck, that does not change, or that changes
//! with another one is found. A block is what the DMA moves at a time; the order inside it is the
//! DMA's. The patterns are zeros, alternating bits, and each word's own address.

use std::ops::Range;

use serde_json::json;
use sterna_hdl::driver::Transport;

use super::{Bench, Passed, Plan, Tried, Trouble};
use crate::output;

/// Bytes that an address is tried with.
const LINE: u64 = 64;
/// Blocks of the sample, and bytes of one.
const BLOCKS: u64 = 128;
const BLOCK: u64 = 32 << 10;
/// Bytes of a block where every byte is tested.
const LARGE_BLOCK: u64 = 1 << 20;

/// The steps.
pub fn steps(bench: &mut Bench<'_>, plan: &Plan) {
    bench.step("memory size", |bench| {
        let bytes = bench.transport.measure(plan.memory)?;
        let how = if plan.memory.is_some() { "as --card-memory says" } else { "found" };
        Ok((format!("{}, {how}", output::mib(bytes)), json!({ "bytes": bytes })))
    });
    bench.step("address lines", |bench| {
        let bytes = bench.bytes()?;
        address_lines(&mut bench.transport, bytes)
    });
    bench.step("march", |bench| {
        let bytes = bench.bytes()?;
        march(&mut bench.transport, &blocks(bytes, plan.full))
    });
}

/// What is written to memory.
#[derive(Clone, Copy)]
enum Pattern {
    Zeros,
    Alternating,
    Address,
}

impl Pattern {
    const ALL: [Pattern; 3] = [Pattern::Zeros, Pattern::Alternating, Pattern::Address];

    /// Fills what is at an address with the pattern, or its complement.
    fn fill(self, at: u64, complement: bool, bytes: &mut [u8]) {
        let flip = if complement { u64::MAX } else { 0 };
        for (n, word) in (0..).zip(bytes.chunks_mut(8)) {
            let value = match self {
                Pattern::Zeros => 0,
                Pattern::Alternating => 0x5555_5555_5555_5555,
                // Times an odd number: every bit of the address matters to many of the word.
                Pattern::Address => (at + 8 * n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            };
            word.copy_from_slice(&(value ^ flip).to_le_bytes()[..word.len()]);
        }
    }
}

/// Writes to every power of two before it reads any: two addresses that are the same place show.
fn address_lines<T: Transport>(transport: &mut T, bytes: u64) -> Tried
where
    Trouble: From<T::Error>,
{
    let powers = (0..64).map(|bit| 1u64 << bit).filter(|&at| at >= LINE && at + LINE <= bytes);
    let places: Vec<u64> = [0].into_iter().chain(powers).collect();
    let (mut expected, mut read) = ([0; LINE as usize], [0; LINE as usize]);
    for complement in [false, true] {
        for &at in &places {
            Pattern::Address.fill(at, complement, &mut expected);
            transport.write_memory(at, &expected)?;
        }
        for &at in &places {
            Pattern::Address.fill(at, complement, &mut expected);
            transport.read_memory(at, &mut read)?;
            compare(at, &expected, &read)?;
        }
    }
    let figures = json!({ "addresses": places.len() });
    Ok((format!("{} addresses, each its own place", places.len()), figures))
}

/// What is tested: a sample that is spread from the first byte to the last, or all.
fn blocks(bytes: u64, full: bool) -> Vec<Range<u64>> {
    if full || bytes <= BLOCKS * BLOCK {
        let size = if full { LARGE_BLOCK } else { BLOCK };
        return (0..bytes).step_by(size as usize).map(|at| at..bytes.min(at + size)).collect();
    }
    let last = (bytes - BLOCK) / BLOCK;
    let place = |n: u64| n * last / (BLOCKS - 1) * BLOCK;
    (0..BLOCKS)
        .map(|n| if n + 1 < BLOCKS { place(n) } else { bytes - BLOCK })
        .map(|at| at..at + BLOCK)
        .collect()
}

fn march<T: Transport>(transport: &mut T, blocks: &[Range<u64>]) -> Tried
where
    Trouble: From<T::Error>,
{
    let tested: u64 = blocks.iter().map(|block| block.end - block.start).sum();
    let longest = blocks.iter().map(|block| block.end - block.start).max().unwrap_or(0);
    let (mut expected, mut read) = (vec![0; longest as usize], vec![0; longest as usize]);
    let bar = output::bar(10 * tested * Pattern::ALL.len() as u64, "bytes");
    let rising: Vec<&Range<u64>> = blocks.iter().collect();
    let falling: Vec<&Range<u64>> = blocks.iter().rev().collect();
    for pattern in Pattern::ALL {
        // What is read, if anything, and what is written, each plain or as its complement.
        for (order, reads, writes) in [
            (&rising, None, Some(false)),
            (&rising, Some(false), Some(true)),
            (&rising, Some(true), Some(false)),
            (&falling, Some(false), Some(true)),
            (&falling, Some(true), Some(false)),
            (&falling, Some(false), None),
        ] {
            for block in order {
                let length = (block.end - block.start) as usize;
                let (expected, read) = (&mut expected[..length], &mut read[..length]);
                if let Some(complement) = reads {
                    transport.read_memory(block.start, read)?;
                    pattern.fill(block.start, complement, expected);
                    compare(block.start, expected, read)?;
                    bar.inc(length as u64);
                }
                if let Some(complement) = writes {
                    pattern.fill(block.start, complement, expected);
                    transport.write_memory(block.start, expected)?;
                    bar.inc(length as u64);
                }
            }
        }
    }
    bar.finish_and_clear();
    Ok(passed(tested, blocks.len()))
}

fn passed(tested: u64, blocks: usize) -> Passed {
    let text =
        format!("{} in {blocks} blocks, three patterns and their complements", output::mib(tested));
    (text, json!({ "bytes": tested, "blocks": blocks }))
}

/// What is wrong with what was read.
pub(super) fn compare(at: u64, expected: &[u8], read: &[u8]) -> Result<(), Trouble> {
    if expected == read {
        return Ok(());
    }
    let pairs = || expected.iter().zip(read);
    let first = pairs().position(|(a, b)| a != b).unwrap_or(0);
    let count = pairs().filter(|(a, b)| a != b).count();
    let bits = pairs().fold(0, |bits, (a, b)| bits | (a ^ b));
    let (address, written, read) = (at + first as u64, expected[first], read[first]);
    let text = format!(
        "{address:#x} reads {read:#04x} after {written:#04x} was written; {count} of {} bytes there \
         differ, in bits {bits:#04x}: check the memory's calibration, clock and supply",
        expected.len()
    );
    let figures = json!({
        "address": address, "written": written, "read": read, "differ": count, "bits": bits
    });
    Err(Trouble::Wrong(text, figures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sterna_firmware::error::DeviceError;

    /// What is broken, as cells or address lines break.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Defect {
        None,
        /// A bit of a byte that is always this.
        Stuck(u64, u8, bool),
        /// A bit that goes from 0 to 1 and never back.
        Rises(u64, u8),
        /// A byte that turns over a bit of another one when it changes.
        Coupled(u64, u64),
        /// An address line that is not connected.
        Line(u32),
    }

    struct Broken(Vec<u8>, Defect);

    #[derive(Debug, thiserror::Error)]
    #[error("never")]
    struct Never;

    impl DeviceError for Never {
        fn code(&self) -> &'static str {
            "X000"
        }
    }

    impl From<Never> for Trouble {
        fn from(_: Never) -> Trouble {
            Trouble::Skip("never")
        }
    }

    impl Broken {
        fn place(&self, at: u64) -> usize {
            match self.1 {
                Defect::Line(line) => (at & !(1 << line)) as usize,
                _ => at as usize,
            }
        }
    }

    impl Transport for Broken {
        type Error = Never;
        fn memory_bytes(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_register(&mut self, _: u32) -> Result<u32, Never> {
            Ok(0)
        }
        fn write_register(&mut self, _: u32, _: u32) -> Result<(), Never> {
            Ok(())
        }
        fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Never> {
            for (at, byte) in (at..).zip(bytes) {
                *byte = self.0[self.place(at)];
                if let Defect::Stuck(place, bit, high) = self.1
                    && place == at
                {
                    *byte = if high { *byte | 1 << bit } else { *byte & !(1 << bit) };
                }
            }
            Ok(())
        }
        fn write_memory(&mut self, at: u64, bytes: &[u8]) -> Result<(), Never> {
            for (at, &byte) in (at..).zip(bytes) {
                let place = self.place(at);
                let old = std::mem::replace(&mut self.0[place], byte);
                match self.1 {
                    Defect::Rises(bad, bit) if bad == at => self.0[place] |= old & 1 << bit,
                    Defect::Coupled(from, to) if from == at && old != byte => {
                        self.0[to as usize] ^= 1;
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        fn wait(&mut self, _: u64) -> Result<bool, Never> {
            Ok(false)
        }
    }

    const BYTES: u64 = 1 << 20;

    fn fails(defect: Defect) -> [bool; 2] {
        let mut memory = Broken(vec![0x3c; BYTES as usize], defect);
        let lines = address_lines(&mut memory, BYTES).is_err();
        [lines, march(&mut memory, &blocks(BYTES, false)).is_err()]
    }

    #[test]
    fn every_defect_is_found() {
        assert_eq!(fails(Defect::None), [false, false]);
        for bit in [0, 7] {
            for high in [false, true] {
                assert!(fails(Defect::Stuck(0x1_2345, bit, high))[1]);
            }
            assert!(fails(Defect::Rises(BYTES - 1, bit))[1]);
        }
        for (from, to) in [(5, 0x8_0000), (0x8_0000, 5)] {
            assert!(fails(Defect::Coupled(from, to))[1], "{from} {to}");
        }
        for line in 6..20 {
            assert!(fails(Defect::Line(line))[0], "line {line}");
        }
    }

    #[test]
    fn a_sample_is_spread_over_the_memory() {
        for (bytes, full) in
            [(1 << 20, false), (1 << 20, true), (5 << 20, true), ((4 << 20) + 7, true)]
        {
            let blocks = blocks(bytes, full);
            assert_eq!((blocks[0].start, blocks[blocks.len() - 1].end), (0, bytes));
            assert!(blocks.windows(2).all(|pair| pair[0].end == pair[1].start), "{bytes}");
        }
        for bytes in [(4 << 20) + 1, 16 << 20, (1 << 30) + 4096, 1 << 40] {
            let blocks = blocks(bytes, false);
            assert_eq!((blocks.len(), blocks[0].start), (128, 0));
            assert_eq!(blocks[127].end, bytes);
            assert!(blocks[..127].windows(2).all(|pair| pair[0].end <= pair[1].start), "{bytes}");
        }
    }
}
