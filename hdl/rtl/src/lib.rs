//! Hardware from Rust: values in, Verilog-2005 out.
//!
//! The accelerator core is generated, because its geometry is data: a board file or a random test
//! chooses widths and lane counts at run time. This crate is the small, strict language that it is
//! written in.
//!
//! ```
//! use sterna_rtl::{Interpreter, Module, UInt};
//!
//! let m = Module::new("counter");
//! m.doc("Counts the clocks in which `en` is high.");
//! let en = m.input("en", UInt(1));
//! let count = m.reg("count", UInt(8)).reset(0);
//! m.when(en, || count.set(count.wrapping_add(1)));
//! m.output("value", UInt(8)).set(count);
//! let design = m.build()?;
//!
//! assert!(design.file("counter").unwrap().contains("if (rst) count <= 8'd0;"));
//!
//! let mut sim = Interpreter::new(&design);
//! sim.reset();
//! sim.poke("en", 1);
//! sim.step();
//! assert_eq!(sim.u64("value"), 1);
//! # Ok::<(), sterna_rtl::RtlError>(())
//! ```
//!
//! # Rules
//!
//! - A signal is `UInt(w)` or `SInt(w)`, `w` a run-time value. Mixing them is refused at the line
//!   of Rust that did it; [`Sig::to_sint`] keeps the value, [`Sig::as_sint`] and [`Sig::as_uint`]
//!   keep the bits.
//! - `+`, `-`, `*`, unary `-` and `<<` are exact: the result grows until every value fits, and a
//!   difference is signed. What keeps or narrows a width says so: [`Sig::wrapping_add`],
//!   [`Sig::truncate`], [`Sig::saturate`], [`Sig::round_half_away_shift`].
//! - Operands of different widths meet at the wider one; what is driven ([`Sig::set`]) must have
//!   exactly its target's type.
//! - A bare number adopts the type of the signal beside it, and is refused where it does not fit.
//! - Shifts are defined for every amount, slices of nothing are refused, reads of a memory take one
//!   clock, the clock is `clk`, the reset `rst`, synchronous and active high.
//! - Nothing panics and nothing is global: mistakes gather in the module and come out of
//!   [`Module::build`] together, and building twice gives the same bytes.
//!
//! # From one file to the next
//!
//! ```text
//! types, bits        what a signal is, what a value is
//! module, sig        the builder and its handles; drive, ops, narrow, select, memory add the verbs
//! fold -> netlist    expressions become nodes whose operands have their operator's width
//! check              undriven, driven twice, combinational loops
//! emit               Verilog;  interp: the same netlist run in Rust;  report: widths
//! component          finished modules, instances, the built `Design`
//! resources          what the design is made of: nets, memories, products
//! mutate             the design with faults that an input chooses
//! ```
mod axi;
mod bits;
mod check;
mod component;
mod drive;
mod emit;
mod error;
mod eval;
mod fold;
mod interp;
mod memory;
mod module;
pub mod mutate;
mod names;
mod narrow;
mod netlist;
mod node;
mod ops;
pub mod parts;
pub mod random;
mod report;
mod resources;
mod select;
mod sig;
mod stream;
mod types;

pub use axi::{Axi, AxiKind, AxiWidths};
pub use bits::Bits;
pub use component::{Component, DataFile, Design, Generate, Instance, Port, VerilogFile};
pub use drive::When;
pub use error::{At, Described, Fault, Problem, RtlError};
pub use interp::{Interpreter, Violation};
pub use memory::Memory;
pub use module::Module;
pub use netlist::Direction;
pub use report::WidthReport;
pub use resources::{Condition, MemoryUse, Net, NetKind, Place, Product, Resources};
pub use select::Switch;
pub use sig::{Operand, Sig};
pub use stream::Stream;
pub use types::{MAX_WIDTH, Number, Type, Type::SInt, Type::UInt, index_width};
