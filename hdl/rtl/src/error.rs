//! Everything that can be wrong with a module, each with the line of Rust that wrote it.
//!
//! Nothing panics while a module is described: a faulty expression becomes a placeholder that
//! silences its consequences, and all faults come out of `build()` together.

use std::panic::Location;

use derive_more::Display;
use thiserror::Error;

use crate::types::{MAX_WIDTH, Type};

/// Where in the Rust source something was written.
pub type At = &'static Location<'static>;

/// A signal as messages show it: its name, or what made it, and its type.
#[derive(Clone, Debug, Display, PartialEq, Eq)]
#[display("`{name}`: {ty}")]
pub struct Described {
    /// The signal's name, or its operator where it has none.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// What is wrong, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages are the documentation
pub enum Fault {
    #[error(
        "{op} mixes {left} and {right}; cast one of them with to_sint(), as_sint() or as_uint()"
    )]
    MixedSigns { op: &'static str, left: Described, right: Described },
    #[error(
        "{what} takes {expected}, but {got} was given; widen with extend(), narrow with truncate() \
         or saturate(), cast with as_uint() or as_sint()"
    )]
    WrongType { what: String, expected: Type, got: Described },
    #[error(
        "the literal {value} does not fit {ty}; give it a type of its own with lit(type, value)"
    )]
    LiteralRange { value: String, ty: Type },
    #[error("{op} has only literals as operands; give one of them a type with lit(type, value)")]
    UntypedLiteral { op: &'static str },
    #[error("{what} has {width} bits; a signal has 1 to {MAX_WIDTH}")]
    Width { what: String, width: u64 },
    #[error("{op} to {to} bits of {from}, which has {}; use {instead}()", from.ty.width())]
    Resize { op: &'static str, from: Described, to: u32, instead: &'static str },
    #[error("bits {lo}..{hi} of {of} are empty; a slice has at least one bit")]
    EmptySlice { of: Described, lo: u32, hi: u32 },
    #[error("bits {lo}..{hi} lie outside {of}")]
    SliceRange { of: Described, lo: u32, hi: u32 },
    #[error("{op} must be UInt, not {of}; cast it with as_uint()")]
    Unsuitable { op: &'static str, of: Described },
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("case {value} of the switch on {on} appears twice")]
    DuplicateCase { value: String, on: Described },
    #[error("{signal} belongs to module `{other}`; connect it through a port")]
    OtherModule { signal: Described, other: String },
    #[error(
        "{signal} cannot be driven: only outputs, wires, registers and inputs of instances can"
    )]
    NotDrivable { signal: Described },
    #[error("{signal} is not a register, so it has no reset")]
    NotRegister { signal: Described },
    #[error(
        "{signal} is driven again (first at {first}); only a drive under when() may follow another"
    )]
    DrivenTwice { signal: Described, first: String },
    #[error("{signal} is never driven; call set() on it")]
    Undriven { signal: Described },
    #[error("{signal} keeps no value when no condition holds; set() a default before the when()")]
    NoDefault { signal: Described },
    #[error("combinational loop: {path}; put a register into it")]
    Loop { path: String },
    #[error("`{name}` is not a usable name: {why}")]
    Name { name: String, why: &'static str },
    #[error("the name `{name}` is taken already; use scope() or another name")]
    NameTaken { name: String },
    #[error("instance `{instance}` of `{module}` has no port `{port}`; it has {ports}")]
    NoPort { instance: String, module: String, port: String, ports: String },
    #[error("two different modules are called `{name}`; put what differs into the name")]
    ModuleClash { name: String },
    #[error("memory `{memory}` {why}")]
    Memory { memory: String, why: String },
    #[error("{what}: {why}")]
    Parameter { what: String, why: String },
}

/// One fault and its place.
#[derive(Clone, Debug, Display, PartialEq, Eq)]
#[display("{}: in `{module}`: {fault}", place(at))]
pub struct Problem {
    /// The module that was being described.
    pub module: String,
    /// The line that wrote it.
    pub at: At,
    /// What is wrong.
    pub fault: Fault,
}

/// `file:line`, as messages and comments cite it.
pub(crate) fn place(at: At) -> String {
    format!("{}:{}", at.file(), at.line())
}

/// A module that cannot be built, with everything that is wrong with it and its sub-modules.
///
/// Its `Debug` is its `Display`: `unwrap()` in a test shall show the messages, not their fields.
#[derive(Clone, derive_more::Debug, Error, PartialEq, Eq)]
#[error("module `{module}` cannot be built{}", lines(problems))]
#[debug("{self}")]
pub struct RtlError {
    /// The module that was to be built.
    pub module: String,
    /// At least one problem, in the order in which they were written.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("\n  {p}")).collect()
}
