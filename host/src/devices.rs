//! Which devices there are, and which one is used.

use std::sync::Arc;

use clap::ValueEnum;
use sterna_firmware::device::Device;
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;

use crate::error::Result;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The hardware's fixed-point arithmetic in software
    Golden,
    /// The published model in 32-bit floating point
    Float,
}

/// The `--device` option, the same on every command.
#[derive(clap::Args, Clone, Copy)]
pub struct Choice {
    /// Device to run on [default: golden]
    #[arg(long, value_name = "DEVICE")]
    device: Option<Kind>,
}

impl Choice {
    /// Opens the chosen device, or the default one, with `slots` sequences.
    pub fn open(self, model: &Arc<Model>, slots: usize) -> Result<Box<dyn Device>> {
        Ok(match self.device.unwrap_or(Kind::Golden) {
            Kind::Golden => Box::new(Golden::new(Arc::clone(model), slots)?),
            Kind::Float => Box::new(Float::new(Arc::clone(model), slots)?),
        })
    }
}
