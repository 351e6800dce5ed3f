//! The subcommands, one a file: arguments, then `run`.

pub mod bench;
pub mod disasm;
pub mod eval;
pub mod fake_card;
pub mod fuzz;
pub mod geometry;
pub mod hdl;
pub mod import;
pub mod inspect;
pub mod logits;
pub mod run;
pub mod synth;
pub mod tokens;
pub mod verify;
