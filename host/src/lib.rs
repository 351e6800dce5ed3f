//! The runtime: devices, the token loop, scoring, and the command line.
//!
//! | module | one sentence |
//! |---|---|
//! | [`chat`] | a conversation, on a state that holds all before |
//! | [`cli`] | the command line, one file a subcommand in [`cmd`] |
//! | [`config`] | the user's file of defaults |
//! | [`devices`] | which devices there are, and which one is used |
//! | [`demo`] | the model that a word names, or that is used when none is named |
//! | [`hub`] | checkpoints from where they are published |
//! | [`models`] | the folder of models that were fetched |
//! | [`generate`] | prompt to text, token by token |
//! | [`sample`] | one token out of the 64 best |
//! | [`score`] | text through a device in windows: likelihoods, logits |
//! | [`state`] | a recurrent state as a file |
//! | [`tasks`] | questions with several answers, and how many a model gets right |
//! | [`template`] | a conversation as the one text that a model goes on from |
//! | [`board`] | boards: a folder with a board.toml |
//! | [`bitstream`] | from a board to what goes into its FPGA |
//! | [`area`] | what a core costs on an FPGA |
//! | [`doctor`] | what of the machine stands between a card and its use |
//! | [`validate`] | the test of a card, step by step |
//! | [`plan`] | what a token costs on a core, before there is one |
//! | [`power`] | joules a token |
//! | [`picture`] | drawings as SVG and PNG |
//! | [`nearest`] | what was probably meant by a word |
//! | [`output`] | what is printed, and where |
//! | [`page`] | pages for a browser |
//! | [`serve`] | one device for many who ask, over HTTP |
//! | [`stop`] | texts that end an answer |
//! | [`signals`] | commands that run until somebody ends them |
//! | [`error`] | everything that can go wrong here |

pub mod area;
pub mod bitstream;
pub mod board;
pub mod chat;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod error;
pub mod generate;
pub mod hub;
pub mod models;
pub mod nearest;
pub mod output;
pub mod page;
pub mod picture;
pub mod plan;
pub mod power;
pub mod sample;
pub mod score;
pub mod serve;
pub mod signals;
pub mod state;
pub mod stop;
pub mod tasks;
pub mod template;
pub mod validate;

pub use error::{HostError, Result};
