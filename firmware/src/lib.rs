//! The image: what the core executes, how it is made, and what it means.
//!
//! An image is one linear stream of *segments*, each a 64-byte header and a payload, in
//! exactly the order in which the core consumes them. This crate writes it
//! ([`compile`](mod@compile)), reads it ([`image`]), prints it ([`disasm`], [`inspect`]) and
//! executes it twice in software: [`golden`] in the fixed-point arithmetic of the hardware
//! (it is the specification) and [`float`] in `f32` (it tells what fixed point costs).
//!
//! | module | what it is for |
//! |---|---|
//! | [`trits`] | five trits in a byte |
//! | [`isa`] | opcodes, segment headers, operands |
//! | [`rows`] | the embedding table that the device reads by token |
//! | [`mod@file`] | the `.sterna` container: sections, checksums, mapping |
//! | [`shape`] | what an image requires of a device |
//! | [`bounds`] | proofs that no value saturates, from which units follow |
//! | [`compile`](mod@compile) | checkpoint to `.sterna` |
//! | [`image`] | a verified image in memory |
//! | [`model`] | a verified `.sterna` file: image, rows, tokenizer, host-only values |
//! | [`kernel`] | ternary dot products on the host's SIMD units |
//! | [`golden`], [`float`] | the two interpreters |
//! | [`device`] | the trait that every device implements |
//! | [`geometry`] | rates and on-chip sizes of a core, and whether a model fits it |

pub mod bounds;
pub mod compile;
pub mod device;
pub mod disasm;
pub mod error;
pub mod file;
pub mod float;
pub mod geometry;
pub mod golden;
pub mod image;
pub mod inspect;
pub mod isa;
pub mod kernel;
pub mod model;
pub mod rows;
pub mod shape;
pub mod trits;

pub use error::{FirmwareError, Result};
