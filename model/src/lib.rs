//! What the model is: published checkpoints, how they are made ternary, their text.
//!
//! The lowest rung of the workspace's ladder; it knows nothing of images or hardware.
//!
//! | module | one sentence |
//! |---|---|
//! | [`config`] | `config.json`, with the published code's defaults |
//! | [`layout`] | the tensors that such a model consists of |
//! | [`checkpoint`] | a model directory, checked and read a piece at a time |
//! | [`ternary`] | float matrices to −1, 0, +1 and one scale |
//! | [`lower_bounds`] | the forget gates' floors |
//! | [`tokenizer`] | text to tokens and back, also token by token |
//! | [`chat`] | how a model wants conversations written |
//! | [`synth`] | made-up checkpoints of any shape |
//! | [`numerics`] | the fixed-point arithmetic of the hardware |
//! | [`error`] | everything that can be wrong with the above |

pub mod chat;
pub mod checkpoint;
pub mod config;
pub mod error;
pub mod layout;
pub mod lower_bounds;
pub mod numerics;
pub mod synth;
pub mod ternary;
pub mod tokenizer;

pub use chat::ChatTemplate;
pub use checkpoint::{Checkpoint, Dtype};
pub use config::Config;
pub use error::{ModelError, Result};
pub use tokenizer::Tokenizer;
