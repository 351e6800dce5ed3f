//! A board on a serial line: registers and memory in frames with a checksum (docs/uart.md).
//!
//! | module | what it is for |
//! |---|---|
//! | [`protocol`] | frames, operations, answers: what both sides agree on |
//! | [`HostLink`] | the board's side: bytes in, AXI accesses, bytes out |
//! | [`UartRx`], [`UartTx`] | a byte on the line |
//! | [`Requests`] | frames that arrive, checked |
//! | [`Commands`] | what they ask for, done |
//! | [`Replies`] | frames that leave |
//! | [`SerialLink`] | the host's side, over any stream of bytes |
//! | [`LinkError`] | everything that can go wrong there |

mod commands;
mod error;
mod host_link;
pub mod protocol;
mod replies;
mod requests;
mod serial;
mod uart_rx;
mod uart_tx;

pub use commands::Commands;
pub use error::LinkError;
pub use host_link::HostLink;
pub use replies::Replies;
pub use requests::Requests;
pub use serial::{SerialLink, SerialSettings, Traffic};
pub use uart_rx::UartRx;
pub use uart_tx::UartTx;

/// Bits of the memory's bus behind a link.
pub const BUS: u32 = 64;

/// Bits of the fraction of a bit's time.
const PHASE: u32 = 16;

/// What the phase of a bit grows by in a clock; the fraction makes any rate of any clock.
fn step(hertz: u32, baud: u32) -> u64 {
    let (hertz, baud) = (u64::from(hertz.max(1)), u64::from(baud));
    ((baud << PHASE) + hertz / 2) / hertz
}

/// Refuses rates that the clock does not resolve.
fn check_rate(m: &sterna_rtl::Module, hertz: u32, baud: u32) -> bool {
    let resolves = baud > 0 && hertz / baud.max(1) >= 8 && step(hertz, baud) > 0;
    m.require("baud", resolves, || {
        format!("{baud} baud need a clock of at least 8 cycles a bit, not {hertz} Hz")
    });
    resolves
}
