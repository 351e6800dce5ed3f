//! The way to a card.

use std::ops::Range;
use std::sync::Arc;

use sterna_firmware::device::Reading;
use sterna_firmware::error::DeviceError;

/// Bytes that outlive whoever writes them to a card, so that a transport may leave a transfer to
/// itself.
pub type Shared = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What can reach the registers and the memory of a card: a simulation, a PCIe driver's nodes, a
/// serial line.
pub trait Transport {
    /// What can go wrong on the way.
    type Error: DeviceError + 'static;

    /// Bytes of memory, from address 0.
    fn memory_bytes(&self) -> u64;

    /// Reads a register by its byte offset.
    fn read_register(&mut self, offset: u32) -> Result<u32, Self::Error>;

    /// Writes a register by its byte offset.
    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), Self::Error>;

    /// Reads memory as the core sees it.
    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes memory as the core sees it.
    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Writes part of some bytes to memory; a transport that can does so without a copy.
    fn write_shared(
        &mut self,
        address: u64,
        bytes: &Shared,
        range: Range<usize>,
    ) -> Result<(), Self::Error> {
        self.write_memory(address, &(**bytes).as_ref()[range])
    }

    /// Told before each command how many bytes the core moves until it can show progress: what a
    /// deadline can be made of.
    fn expect(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// What the card's own sensors say, as far as this machine can read them.
    fn sensors(&mut self) -> Vec<Reading> {
        vec![]
    }

    /// Transfers that were tried again, since it was opened.
    fn retries(&self) -> u64 {
        0
    }

    /// Mends the way after an error on it, before the core is reset.
    fn recover(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Lets some time pass before the status is read again; `polls` counts how often it was since
    /// the core was given something to do, or since it last showed progress. `false` says that
    /// this has taken too long.
    fn wait(&mut self, polls: u64) -> Result<bool, Self::Error>;
}

/// A way that is lent.
impl<T: Transport> Transport for &mut T {
    type Error = T::Error;

    fn memory_bytes(&self) -> u64 {
        (**self).memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, T::Error> {
        (**self).read_register(offset)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), T::Error> {
        (**self).write_register(offset, value)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), T::Error> {
        (**self).read_memory(address, bytes)
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), T::Error> {
        (**self).write_memory(address, bytes)
    }

    fn write_shared(
        &mut self,
        address: u64,
        bytes: &Shared,
        range: Range<usize>,
    ) -> Result<(), T::Error> {
        (**self).write_shared(address, bytes, range)
    }

    fn expect(&mut self, bytes: u64) {
        (**self).expect(bytes);
    }

    fn recover(&mut self) -> Result<(), T::Error> {
        (**self).recover()
    }

    fn wait(&mut self, polls: u64) -> Result<bool, T::Error> {
        (**self).wait(polls)
    }
}
