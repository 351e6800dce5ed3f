//! Boards: the core with its memory and its way to the host, down to the pins.
//!
//! | module | what it is for |
//! |---|---|
//! | [`SerialBoard`] | core, SDRAM and serial link: everything between the pins and the clock |

mod serial_board;

pub use serial_board::SerialBoard;
