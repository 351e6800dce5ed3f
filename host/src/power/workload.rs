//! What a device does while it is measured: the same tokens in every run.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_firmware::device::Device;
use sterna_firmware::model::Model;

use crate::demo;
use crate::error::Result;
use crate::generate::{Generation, Request, generate};
use crate::sample::Sampling;

/// A model and a prompt, which is continued greedily.
pub struct Workload {
    /// The model.
    pub model: Arc<Model>,
    /// Tokens of the prompt.
    pub prompt: Vec<u32>,
}

/// The prompt of a model with a tokenizer, if there is no other.
const PROMPT: &str = "ROMEO:";
/// Tokens that tell a device's rate.
const TRIAL: usize = 4;

impl Workload {
    /// Reads the model, and the prompt by its tokenizer.
    ///
    /// # Errors
    /// Those of the model and of the tokenizer.
    pub fn open(path: Option<&Path>, prompt: Option<&str>) -> Result<Workload> {
        let model = demo::open(path)?;
        let prompt = match model.tokenizer()? {
            Some(tokenizer) => tokenizer.encode(prompt.unwrap_or(PROMPT), true)?,
            None => vec![],
        };
        let first = model.description().bos.unwrap_or(0);
        Ok(Workload { model, prompt: if prompt.is_empty() { vec![first] } else { prompt } })
    }

    /// Continues the prompt by `count` tokens; no token ends the text.
    ///
    /// # Errors
    /// Those of the device and of `emit`.
    pub fn generate(
        &self,
        device: &mut dyn Device,
        count: usize,
        emit: &mut dyn FnMut(u32) -> Result<()>,
    ) -> Result<Generation> {
        let sampling = Sampling { temperature: 0.0, top_k: 1, top_p: 1.0, seed: 0 };
        let request = Request { prompt: &self.prompt, count, sampling, stop: &[] };
        generate(device, &request, emit)
    }

    /// How many tokens take about so long; at least two.
    ///
    /// # Errors
    /// Those of the device.
    pub fn count(&self, device: &mut dyn Device, time: Duration) -> Result<usize> {
        // The first run pays for what is made late.
        self.generate(device, 1, &mut |_| Ok(()))?;
        let (mut count, mut spent) = (TRIAL, Duration::ZERO);
        // A quick device needs more tokens until they take time at all.
        while spent < time / 20 && count < 1 << 20 {
            let begin = Instant::now();
            self.generate(device, count, &mut |_| Ok(()))?;
            spent = begin.elapsed();
            if spent < time / 20 {
                count *= 4;
            }
        }
        let each = spent.as_secs_f64() / (count + self.prompt.len()) as f64;
        Ok(((time.as_secs_f64() / each.max(1e-9)) as usize).max(2))
    }
}
