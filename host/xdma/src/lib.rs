//! The nodes of the Linux XDMA driver, what the system knows of the card behind them, and nothing
//! else.
//!
//! The driver (AMD's `dma_ip_drivers`, its forks) shows a card as files:
//!
//! | node | what it is |
//! |---|---|
//! | `xdmaN_h2c_0` … `_3` | `pwrite` at a card address: host to card |
//! | `xdmaN_c2h_0` … `_3` | `pread` at a card address: card to host |
//! | `xdmaN_user` | the registers of the design, by `mmap` or 32 bits at a time |
//! | `xdmaN_control` | the registers of the DMA itself; here only what is locked |
//! | `xdmaN_events_0` … `_15` | `read` blocks until the interrupt, `poll` says whether it came |
//!
//! # From one file to the next
//!
//! ```text
//! raw        page-aligned buffers, mapped registers: all that is unsafe
//! access     what is done with a node; the nodes of a directory, or a double for tests
//! discover   which cards there are, and what each has
//! limits     how long something may take
//! engine     a thread for each DMA channel
//! dma        a transfer in pieces over several channels
//! card       a card: lock, registers, memory, interrupts
//! sysfs      the card's PCIe side as the system shows it: link, driver, sensors
//! error      everything that can go wrong, with the next step
//! ```
//!
//! # A transfer that hangs
//!
//! A `pread` or `pwrite` to a card whose DMA engine hangs cannot be called back: the driver gives
//! it up after its own time-out (10 s unless its module was loaded with another), and until then
//! the thread that called is lost. So DMA is done in threads of this crate, one a channel, on
//! buffers that they own. The caller waits until a deadline that follows from the size and then
//! goes on with [`XdmaError::Deadline`]; the thread ends when the driver lets go of it, and the
//! next transfer opens the channel anew.

mod access;
mod card;
mod discover;
mod dma;
mod engine;
mod error;
mod limits;
mod raw;
pub mod sysfs;

pub use access::{Access, Files, Node, Window};
pub use card::{Options, XdmaCard};
pub use discover::{Found, discover};
pub use dma::Shared;
pub use error::{Action, Result, XdmaError};
pub use limits::Limits;
pub use sysfs::{Link, PciDevice, Sensor, Sysfs};
