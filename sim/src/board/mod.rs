//! Boards on a serial line that are not there.
//!
//! ```text
//!  SerialLink --+-- SimBoard: the Verilated board, UART and SDRAM chip at its pins
//!   (host)      |     BackDoor: the same, its memory beside the line
//!               +-- SoftBoard: the link's protocol over any Transport, such as a SoftCore
//!               +-- Pty: a terminal of the system's, with one of them at its other end
//! ```
//!
//! Both are streams of bytes as the host sees them: what is written goes to the board, and reading
//! lets its time pass.

mod back_door;
mod pty;
mod sim;
mod soft;

pub use back_door::BackDoor;
pub use pty::Pty;
pub use sim::SimBoard;
pub use soft::SoftBoard;
