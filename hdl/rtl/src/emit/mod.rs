//! Verilog-2005.
//!
//! Verilog sizes and signs an expression by its context. The emitter never relies on that: every
//! operand already has its operator's width (see [`crate::netlist`]), and the three operators that
//! depend on signedness (`<`, `*`, `>>>`) get operands that are signed where they stand.

mod body;
mod expr;
mod literal;
mod narrow;
mod plan;

pub(crate) use body::{Text, module};
pub(crate) use narrow::narrow;
pub(crate) use plan::Plan;
