//! What moves the data.

mod control;
mod elements;
mod embedding;
mod engine;
mod epilogue;
mod front_end;
mod head;
mod header_check;
mod instruction;
mod issue;
mod lane_memory;
mod memory_port;
mod quantiser;
mod state_mover;
mod top;

pub use control::Control;
pub use elements::Elements;
pub use embedding::Embedding;
pub use engine::Engine;
pub use epilogue::{Epilogue, Way};
pub use front_end::FrontEnd;
pub use head::Head;
pub use header_check::HeaderCheck;
pub use issue::Issue;
pub use lane_memory::{LaneMemory, READ};
pub use memory_port::MemoryPort;
pub use quantiser::Quantiser;
pub use state_mover::StateMover;
pub use top::Core;

use sterna_firmware::trits;
use sterna_rtl::AxiWidths;

/// Bits of an address in the memory.
pub const ADDRESS: u32 = 40;
/// Rows of a group.
pub(crate) const ROWS: u32 = trits::ROWS as u32;
/// Bits of a finished accumulator: `127 · 16384 < 2^21`.
pub(crate) const ACCUMULATOR: u32 = 22;
/// Row groups that may wait between the matrix and the epilogue.
pub(crate) const GROUPS: u32 = 8;
/// Bits of a length or index of a vector: up to 16,384.
pub(crate) const LENGTH: u32 = 15;

/// The CRC-32C of any data that ends in its own CRC-32C.
pub(crate) const RESIDUE: u32 = 0x4867_4bc7;

/// Widths of the memory's bus: reads of the image have ID 0, other reads ID 1.
pub fn memory_widths(bus: u32) -> AxiWidths {
    AxiWidths { addr: ADDRESS, data: bus, id: 1 }
}
