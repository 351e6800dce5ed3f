//! The core: a token's whole path in hardware, written with `sterna-rtl`.
//!
//! | module | what it is for |
//! |---|---|
//! | [`units`] | the arithmetic, one unit a file, each equal to its function in `sterna_model::numerics` |
//! | [`core`] | what moves the data: front end, memories, quantiser, epilogue, head, control, top |
//! | [`probe`] | what a simulation sees of every instruction |
//! | [`record`] | what a run leaves in memory |
//! | [`registers`] | the register map |
//! | [`fault`] | why a core stopped |
//! | [`board`] | all of it, down to the pins of a board |
//! | [`link`] | a board on a serial line: the hardware, the protocol, the host's side |
//! | [`sdram`] | a board's memory: the chip behind AXI4 |
//! | `read_queue` | beats that a memory has read and the bus has not taken |
//! | `slots` | what each of several sequences has |
//! | [`driver`] | a card with the core, from the host: over PCIe, a serial line, or in simulation |

pub mod board;
pub mod core;
pub mod driver;
pub mod fault;
pub mod link;
pub mod probe;
mod read_queue;
pub mod record;
pub mod registers;
pub mod sdram;
mod slots;
pub mod units;
