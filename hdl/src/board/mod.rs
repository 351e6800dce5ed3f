//! Boards: the core with its memory and its way to the host, down to the pins.
//!
//! | module | what it is for |
//! |---|---|
//! | [`SerialBoard`] | core, memory and serial link: everything between the pins and the clock |
//! | [`BlockMemory`] | block RAM behind an AXI4 slave port |

mod block_memory;
mod serial_board;

pub use block_memory::{BlockMemory, BlockRam};
pub use serial_board::{BoardMemory, SerialBoard};
