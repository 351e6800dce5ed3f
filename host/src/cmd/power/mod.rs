//! `sterna power`: joules, one subcommand a file.

pub mod meters;
pub mod run;
