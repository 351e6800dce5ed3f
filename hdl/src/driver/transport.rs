//! The way to a card.

use sterna_firmware::error::DeviceError;

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

    /// Lets some time pass before the status is read again; `polls` counts how often it was since
    /// the core was given something to do. `false` says that this has taken too long.
    fn wait(&mut self, polls: u64) -> Result<bool, Self::Error>;
}
