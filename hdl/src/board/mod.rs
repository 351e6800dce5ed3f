//! Boards: the core with its memory and its way to the host, down to the pins.
//!
//! | module | what it is for |
//! |---|---|
//! | [`SerialBoard`] | core, memory and serial link: everything between the pins and the clock |
//! | [`BlockMemory`] | block RAM behind an AXI4 slave port |
//! | [`Trial`] | a module by itself, to find its clock |

mod block_memory;
mod serial_board;
mod trial;

pub use block_memory::{BlockMemory, BlockRam};
pub use serial_board::{BoardMemory, SerialBoard};
pub use trial::Trial;
