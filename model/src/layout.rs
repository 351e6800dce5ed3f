//! The tensors of a model: names, shapes and order of the published `state_dict()`.
//!
//! Shapes are `[rows, columns]`, stored row by row; a matrix maps `columns` inputs to `rows`
//! outputs. No tensor has a bias.

use crate::config::Config;

/// `[vocab, hidden]`: one row a token.
pub const EMBEDDING: &str = "model.embeddings.weight";
/// `[layers, hidden]`: logits of the forget gates' floors, if the model has them.
pub const LOWER_BOUNDS: &str = "model.lower_bounds";
/// `[hidden]`: gain of the norm after the last layer.
pub const FINAL_NORM: &str = "model.norm.weight";
/// `[vocab, hidden]`: the output matrix, ternary as all others.
pub const HEAD: &str = "lm_head.weight";
/// `[hidden]`: gain of the output matrix's own norm.
pub const HEAD_NORM: &str = "lm_head.norm.weight";

/// What a tensor is for, which decides how it is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Rows looked up by token.
    Embedding,
    /// A norm's gain, one factor a channel.
    Gain,
    /// See [`crate::lower_bounds`].
    LowerBounds,
    /// A matrix to be made ternary, see [`crate::ternary`].
    Ternary,
}

/// One tensor that a checkpoint must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name in the checkpoint.
    pub name: String,
    /// One or two dimensions, none of them zero.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
}

/// The name of a layer's tensor: `model.layers.{n}.{tail}`.
pub fn layer(n: usize, tail: &str) -> String {
    format!("model.layers.{n}.{tail}")
}

/// All tensors of a model, in the published order: 15 a layer, 4 more, and the lower bounds
/// if it has them.
pub fn tensors(config: &Config) -> Vec<TensorSpec> {
    let Config { hidden, inner, intermediate, layers, vocab, .. } = *config;
    let mut list = List(Vec::with_capacity(15 * layers + 5));
    if config.lower_bounds {
        list.push(LOWER_BOUNDS.into(), vec![layers, hidden], Role::LowerBounds);
    }
    list.push(EMBEDDING.into(), vec![vocab, hidden], Role::Embedding);
    for n in 0..layers {
        list.gain(layer(n, "attn_norm.weight"), hidden);
        for projection in ["i", "f", "g"] {
            list.bit_linear(&layer(n, &format!("attn.{projection}_proj")), inner, hidden);
        }
        list.gain(layer(n, "attn.g_norm.weight"), inner);
        list.bit_linear(&layer(n, "attn.o_proj"), hidden, inner);
        list.gain(layer(n, "mlp_norm.weight"), hidden);
        list.bit_linear(&layer(n, "mlp.gate_proj"), 2 * intermediate, hidden);
        list.bit_linear(&layer(n, "mlp.down_proj"), hidden, intermediate);
    }
    list.gain(FINAL_NORM.into(), hidden);
    list.bit_linear("lm_head", vocab, hidden);
    list.0
}

struct List(Vec<TensorSpec>);

impl List {
    fn push(&mut self, name: String, shape: Vec<usize>, role: Role) {
        self.0.push(TensorSpec { name, shape, role });
    }

    fn gain(&mut self, name: String, width: usize) {
        self.push(name, vec![width], Role::Gain);
    }

    /// A ternary matrix and the gain of the norm in front of it.
    fn bit_linear(&mut self, name: &str, rows: usize, cols: usize) {
        self.push(format!("{name}.weight"), vec![rows, cols], Role::Ternary);
        self.gain(format!("{name}.norm.weight"), cols);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn published(hidden: usize, layers: usize) -> Config {
        let text = format!(
            r#"{{"model_type": "hgrn_bit", "hidden_size": {hidden}, "num_hidden_layers": {layers}}}"#
        );
        Config::from_json(Path::new("config.json"), &text).unwrap()
    }

    fn count(specs: &[TensorSpec], role: Role) -> usize {
        specs.iter().filter(|s| s.role == role).map(|s| s.shape.iter().product::<usize>()).sum()
    }

    /// The published sizes, counted by hand from the configurations.
    #[test]
    fn published_models_have_their_published_sizes() {
        for (hidden, layers, tensors_, ternary, embedding, gains, bounds) in [
            (1024, 24, 365, 341_049_344, 32_768_000, 266_240, 24_576),
            (2048, 24, 365, 1_298_661_376, 65_536_000, 532_480, 49_152),
            (2560, 32, 485, 2_619_473_920, 81_920_000, 881_664, 81_920),
        ] {
            let specs = tensors(&published(hidden, layers));
            assert_eq!(specs.len(), tensors_);
            assert_eq!(count(&specs, Role::Ternary), ternary);
            assert_eq!(count(&specs, Role::Embedding), embedding);
            assert_eq!(count(&specs, Role::Gain), gains);
            assert_eq!(count(&specs, Role::LowerBounds), bounds);
        }
    }

    #[test]
    fn order_is_that_of_the_published_code() {
        let specs = tensors(&published(128, 1));
        let names: Vec<&str> = specs.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "model.lower_bounds",
                "model.embeddings.weight",
                "model.layers.0.attn_norm.weight",
                "model.layers.0.attn.i_proj.weight",
                "model.layers.0.attn.i_proj.norm.weight",
                "model.layers.0.attn.f_proj.weight",
                "model.layers.0.attn.f_proj.norm.weight",
                "model.layers.0.attn.g_proj.weight",
                "model.layers.0.attn.g_proj.norm.weight",
                "model.layers.0.attn.g_norm.weight",
                "model.layers.0.attn.o_proj.weight",
                "model.layers.0.attn.o_proj.norm.weight",
                "model.layers.0.mlp_norm.weight",
                "model.layers.0.mlp.gate_proj.weight",
                "model.layers.0.mlp.gate_proj.norm.weight",
                "model.layers.0.mlp.down_proj.weight",
                "model.layers.0.mlp.down_proj.norm.weight",
                "model.norm.weight",
                "lm_head.weight",
                "lm_head.norm.weight",
            ]
        );
    }
}
