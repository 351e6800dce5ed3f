//! What a core is built of. Every module states its schematic, latency and cost beside its code.
//!
//! | module | for |
//! |---|---|
//! | [`SkidBuffer`] | cutting the long `ready` path of a stream |
//! | [`Fifo`] | streams that come in bursts |
//! | [`AdderTree`] | one sum of many lanes, every clock |
//! | [`RoundShift`] | back from a wide accumulator to a format |

mod adder_tree;
mod fifo;
mod round_shift;
mod skid_buffer;

pub use adder_tree::AdderTree;
pub use fifo::{Fifo, Storage};
pub use round_shift::{RoundShift, Rounding};
pub use skid_buffer::SkidBuffer;

use crate::types::Type;

/// `u8` or `s22`: a type inside a module's name.
pub(crate) fn short(ty: Type) -> String {
    format!("{}{}", if ty.is_signed() { "s" } else { "u" }, ty.width())
}
