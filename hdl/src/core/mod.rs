//! What moves the data.
//!
//! ```text
//!  registers -- control -- engine -- memory port -- m_axi
//!                            |
//!    front end -> ternary unit -> elements -> epilogue -> memories -> quantiser -> codes -> ...
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`Core`] | the top: registers, control, engine |
//! | [`Control`] | commands, passes, faults, counters |
//! | [`Engine`] | the units and memories of a pass, joined |
//! | [`MemoryPort`] | image reader, row reader and writer behind one AXI4 port |
//! | [`FrontEnd`], [`HeaderCheck`] | the image as it streams: headers, operands, weights |
//! | [`Issue`] | an instruction's scale, prepared while the one before is finished |
//! | [`Quantiser`] | vectors to codes, ahead of the matrices |
//! | [`Epilogue`], [`Elements`], [`Way`] | accumulators to vectors, and their statistics |
//! | [`Embedding`] | a token's row into the residual |
//! | [`Head`] | best tokens, logits, the record |
//! | [`StateMover`] | recurrent state to memory and back |
//! | [`LaneMemory`] | a vector on chip |
//!
//! # What follows what
//!
//! Three machines run side by side: the front end along the image, the quantiser along the vectors,
//! the epilogue along the instructions. They meet in four rules.
//!
//! - Weights wait for their codes, a word of codes at a time, so a matrix starts behind the first
//!   word. Codes wait for a buffer, and for the maxima of their vector; those of f and g are made
//!   behind the matrix before.
//! - Row groups wait in a FIFO of eight; the first beat of a ninth waits in the stream.
//! - The epilogue holds one instruction, [`Issue`] the next, and the payload of the one after is not
//!   read before that. So a vector of operands may overwrite the one two instructions before it.
//! - A scale waits for the statistics that it is made of.
//!
//! Each memory has one writer and one reader at a time because of them; assertions say so.

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

use sterna_firmware::geometry::Geometry;
use sterna_firmware::trits;
use sterna_rtl::parts::{Fifo, Storage};
use sterna_rtl::{AxiWidths, UInt};

/// Bits of an address in the memory.
pub const ADDRESS: u32 = 40;
/// Rows of a group.
pub(crate) const ROWS: u32 = trits::ROWS as u32;
/// Bits of a finished accumulator: `127 · 16384 < 2^21`.
pub(crate) const ACCUMULATOR: u32 = 22;
/// Row groups that may wait between the matrix and the epilogue: eight, or of several sequences
/// those of two turns.
pub fn groups(geometry: &Geometry) -> Fifo {
    let ty = UInt(ROWS * ACCUMULATOR);
    let (depth, storage) = match geometry.slots {
        1 => (8, Storage::Registers),
        _ => (8 * geometry.ways as usize, Storage::Block),
    };
    Fifo { ty, depth, last: false, storage }
}

/// Bits of a length or index of a vector: up to 16,384.
pub(crate) const LENGTH: u32 = 15;

/// The CRC-32C of any data that ends in its own CRC-32C.
pub(crate) const RESIDUE: u32 = 0x4867_4bc7;

/// Widths of the memory's bus: reads of the image have ID 0, other reads ID 1.
pub fn memory_widths(bus: u32) -> AxiWidths {
    AxiWidths { addr: ADDRESS, data: bus, id: 1 }
}
