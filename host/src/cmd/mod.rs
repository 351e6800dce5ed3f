//! The subcommands, one a file: arguments, then `run`.

pub mod bench;
pub mod bitstream;
pub mod boards;
pub mod devices;
pub mod disasm;
pub mod doctor;
pub mod eval;
pub mod fake_board;
pub mod fake_card;
pub mod flash;
pub mod fuzz;
pub mod geometry;
pub mod hdl;
pub mod import;
pub mod info;
pub mod inspect;
pub mod load;
pub mod logits;
pub mod plan;
pub mod power;
pub mod reset;
pub mod run;
mod status;
pub mod synth;
pub mod tokens;
pub mod validate;
pub mod verify;
