//! SDR SDRAM: the chip, and a controller that makes AXI4 memory of it.
//!
//! | module | what it is for |
//! |---|---|
//! | [`SdramChip`] | geometry and times of a chip, and where a byte lies in it |
//! | [`SdramController`] | the chip behind an AXI4 slave port |
//! | [`SdramRuns`] | bursts of the bus, cut at the ends of rows |
//! | [`SdramEngine`] | commands and data at the chip's pins |

mod chip;
mod controller;
mod engine;
mod runs;

pub use chip::{BANKS, Cell, MODE_CLOCKS, POWER_UP, SdramChip, Times, WRITE_CLOCKS, command};
pub use controller::SdramController;
pub use engine::SdramEngine;
pub use runs::SdramRuns;
