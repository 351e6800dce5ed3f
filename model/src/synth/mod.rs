//! Made-up checkpoints of any shape, in the published layout, the same for the same seed.
//!
//! They make no sense as text, but they have the sizes, files and number formats of the
//! published models, so import, memory and speed can be tried without a download.

mod values;
mod writer;

use std::path::Path;

use serde_json::json;

use crate::config::Config;
use crate::error::Result;

/// What the elements of a matrix are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// As the published code initialises them: all three trits, about a third each.
    Normal,
    /// All -1.
    Minus,
    /// All 0: whatever enters, nothing comes out.
    Zero,
    /// All +1: nothing cancels.
    Plus,
    /// -1 or +1, none 0.
    Dense,
    /// One in 64 is not 0.
    Sparse,
    /// Each matrix is one of these.
    Mixed,
}

/// What the channels of the embeddings are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// All of one size.
    Even,
    /// Every 128th (0, 128, …) is 64 times larger, as trained models tend to have a few channels
    /// far outside the others.
    Outliers,
    /// All but every 128th are 0.
    Lone,
    /// All are 0, as the row of a token that was never trained.
    Zero,
}

/// What to make up. Dimensions must be legal, see [`Config`].
#[derive(Debug, Clone, PartialEq)]
pub struct SynthSpec {
    /// Width of the residual stream.
    pub hidden: usize,
    /// The recurrent state is this many times as wide; other than 1 only without lower
    /// bounds.
    pub expand: usize,
    /// Width of the channel mixer's product; `None` for the published formula.
    pub intermediate: Option<usize>,
    /// Layers.
    pub layers: usize,
    /// Tokens.
    pub vocab: usize,
    /// Heads, dividing `hidden × expand`.
    pub heads: usize,
    /// `rms_norm_eps`.
    pub eps: f32,
    /// Whether the model has lower bounds.
    pub lower_bounds: bool,
    /// Another seed gives other weights.
    pub seed: u64,
    /// Of all matrices, the output's among them.
    pub weights: Weights,
    /// Of the embeddings.
    pub channels: Channels,
}

impl SynthSpec {
    /// A shape with all else as published: one head, lower bounds, seed 0, weights as initialised.
    pub fn new(hidden: usize, layers: usize, vocab: usize) -> SynthSpec {
        SynthSpec {
            hidden,
            expand: 1,
            intermediate: None,
            layers,
            vocab,
            heads: 1,
            eps: 1e-6,
            lower_bounds: true,
            seed: 0,
            weights: Weights::Normal,
            channels: Channels::Even,
        }
    }

    /// The shapes of the published models: `370m`, `1.3b`, `2.7b` (in either case).
    pub fn named(name: &str) -> Option<SynthSpec> {
        let (hidden, layers) = match name.to_ascii_lowercase().as_str() {
            "370m" => (1024, 24),
            "1.3b" => (2048, 24),
            "2.7b" => (2560, 32),
            _ => return None,
        };
        Some(SynthSpec::new(hidden, layers, 32_000))
    }

    /// The configuration that the checkpoint would have, without writing it.
    ///
    /// # Errors
    /// The causes of [`Config::from_json`] for an impossible shape.
    pub fn config(&self) -> Result<Config> {
        Config::from_json(Path::new("config.json"), &self.config_json())
    }

    /// The text of the `config.json`, with all keys that matter.
    fn config_json(&self) -> String {
        // By way of the shortest decimal: 1e-6 as an f32 is 9.99999997e-7 as an f64.
        let eps: f64 = self.eps.to_string().parse().unwrap_or(f64::NAN);
        let config = json!({
            "architectures": ["HGRNBitForCausalLM"],
            "attn_mode": "fused_recurrent",
            "bos_token_id": if self.vocab > 1 { Some(1) } else { None },
            "eos_token_id": if self.vocab > 2 { Some(2) } else { None },
            "expand_ratio": self.expand,
            "hidden_act": "swish",
            "hidden_ratio": 4,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "model_type": "hgrn_bit",
            "num_heads": self.heads,
            "num_hidden_layers": self.layers,
            "rms_norm_eps": eps,
            "tie_word_embeddings": false,
            "torch_dtype": "bfloat16",
            "use_lower_bound": self.lower_bounds,
            "use_short_conv": false,
            "vocab_size": self.vocab,
        });
        format!("{config:#}\n")
    }
}

/// Writes the checkpoint of `spec` to `dir`, which is made if it does not exist: bf16
/// safetensors, in shards of at most 5 GB with an index as the hub has them, `config.json`.
///
/// `progress` is called with the bytes of weights done and in total, from the calling
/// thread. Memory stays at some 16 MiB. Files take their names when all are complete;
/// after an error none of them is left.
///
/// # Errors
/// The causes of [`Config::from_json`] for an impossible shape (they name the
/// `config.json` that would be written),
/// [`DirectoryNotEmpty`](crate::ModelError::DirectoryNotEmpty), and
/// [`Io`](crate::ModelError::Io) (a full disk, for instance).
pub fn write(spec: &SynthSpec, dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let config_json = spec.config_json();
    let config = Config::from_json(&dir.join("config.json"), &config_json)?;
    writer::write(spec, &config, &config_json, dir, writer::MAX_SHARD_BYTES, progress)
}
