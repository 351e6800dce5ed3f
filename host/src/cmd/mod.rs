//! The subcommands, one a file: arguments, then `run`.

pub mod bench;
pub mod disasm;
pub mod eval;
pub mod import;
pub mod inspect;
pub mod logits;
pub mod run;
pub mod synth;
pub mod tokens;
