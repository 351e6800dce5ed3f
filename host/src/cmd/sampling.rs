//! How a token is chosen, on the command line: of `run` and `chat`.

use clap::value_parser;
use sterna_firmware::device::TOP_K_MAX;

use crate::sample::Sampling;

/// The options.
#[derive(clap::Args)]
pub struct SamplingArgs {
    /// Temperature; 0 is greedy
    #[arg(long, default_value_t = 0.0, value_parser = temperature)]
    temp: f64,
    /// Consider only the K best tokens, at most 64
    #[arg(long, default_value_t = TOP_K_MAX as i64, value_name = "K",
          value_parser = value_parser!(i64).range(1..=TOP_K_MAX as i64))]
    top_k: i64,
    /// Consider the best tokens until their probabilities reach this sum
    #[arg(long, default_value_t = 1.0, value_name = "P", value_parser = probability)]
    top_p: f64,
    /// Start of the random sequence
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl SamplingArgs {
    /// The same for the sampler.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temp,
            top_k: self.top_k as usize,
            top_p: self.top_p,
            seed: self.seed,
        }
    }
}

fn temperature(word: &str) -> Result<f64, String> {
    let value: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if value == 0.0 || (1e-3..=1e3).contains(&value) {
        Ok(value)
    } else {
        Err("a temperature is 0 or between 0.001 and 1000".into())
    }
}

fn probability(word: &str) -> Result<f64, String> {
    let value: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err("it must be in 0 < P <= 1".into()) }
}
