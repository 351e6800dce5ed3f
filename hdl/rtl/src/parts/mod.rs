//! What a core is built of. Every module states its schematic, latency and cost beside its code.
//!
//! | module | for |
//! |---|---|
//! | [`SkidBuffer`] | cutting the long `ready` path of a stream |
//! | [`Fifo`] | streams that come in bursts |
//! | [`RoundRobin`] | one resource, several users |
//! | [`Pack`], [`Unpack`] | narrow words in wide beats |
//! | [`ReadMaster`], [`WriteMaster`] | memory as a stream, over AXI4 |
//! | [`ReadMux`] | two readers on one port |
//! | [`AxiMux`] | two masters on one memory |
//! | [`LiteRegisters`] | registers on AXI4-Lite, from a table |
//! | [`Crc32c`] | the checksum of a stream, a beat a clock |
//! | [`AdderTree`] | one sum of many lanes, every clock |
//! | [`RoundShift`] | back from a wide accumulator to a format |
//! | [`LinearTable`] | a smooth function |
//! | [`Divider`], [`Isqrt`], [`InverseRoot`] | what happens once a vector |

mod adder_tree;
mod axi_mux;
mod crc32c;
mod divider;
mod fifo;
mod gearbox;
mod inverse_root;
mod isqrt;
mod linear_table;
mod lite_registers;
mod read_master;
mod read_mux;
mod round_robin;
mod round_shift;
mod skid_buffer;
mod write_master;

pub use adder_tree::AdderTree;
pub use axi_mux::AxiMux;
pub use crc32c::{Crc32c, POLYNOMIAL as CRC32C_POLYNOMIAL};
pub use divider::Divider;
pub use fifo::{Fifo, Storage};
pub use gearbox::{Pack, Unpack};
pub use inverse_root::InverseRoot;
pub use isqrt::Isqrt;
pub use linear_table::LinearTable;
pub use lite_registers::{Access, LiteRegisters, Register};
pub use read_master::ReadMaster;
pub use read_mux::ReadMux;
pub use round_robin::RoundRobin;
pub use round_shift::{RoundShift, Rounding};
pub use skid_buffer::SkidBuffer;
pub use write_master::WriteMaster;

use crate::types::Type;

/// `u8` or `s22`: a type inside a module's name.
pub(crate) fn short(ty: Type) -> String {
    format!("{}{}", if ty.is_signed() { "s" } else { "u" }, ty.width())
}
