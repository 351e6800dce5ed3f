//! `config.json`: the dimensions of a model, with the published code's defaults.
//!
//! Source: `configuration_hgrn_bit.py` of ridgerchu/matmulfreellm, lines 13-37. Keys that
//! change no value (dropout, cache, initialisation, …) are not looked at.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{ModelError, Result, shorten};

/// Bytes of a `config.json` that are still read; published ones have under 1 KiB.
pub const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Greatest accepted width (hidden, inner and intermediate).
pub const MAX_WIDTH: u64 = 16_384;
/// Greatest accepted number of layers.
pub const MAX_LAYERS: u64 = 512;
/// Greatest accepted vocabulary.
pub const MAX_VOCAB: u64 = 1 << 20;
/// Widths divide by this: a 64-bit bus and every on-chip row then hold whole groups.
pub const WIDTH_MULTIPLE: u64 = 32;

/// Dimensions and switches of one model. Made by [`Config::from_json`], hence always legal.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Width of the residual stream; a multiple of 32, at most [`MAX_WIDTH`].
    pub hidden: usize,
    /// Width of the recurrent state, `hidden × expand_ratio`; same range.
    pub inner: usize,
    /// Width of the channel mixer's product; same range.
    pub intermediate: usize,
    /// Layers, 1 to [`MAX_LAYERS`].
    pub layers: usize,
    /// Tokens, 2 to [`MAX_VOCAB`].
    pub vocab: usize,
    /// Heads; they divide `inner` and change no result.
    pub heads: usize,
    /// ε of the block norms, of g_norm and of the final norm, in (0, 1). BitLinear's own
    /// norms do not use it: theirs is 1e-6 always.
    pub rms_norm_eps: f32,
    /// Whether forget gates have a floor that rises with depth.
    pub lower_bounds: bool,
    /// Token that starts a text.
    pub bos: Option<u32>,
    /// Tokens that end a text, possibly none.
    pub eos: Vec<u32>,
}

impl Config {
    /// Reads the text of a `config.json`; `path` only names it in errors.
    ///
    /// # Errors
    /// [`ModelError::FileTooLarge`] above [`MAX_CONFIG_BYTES`], and the `Config…` causes and
    /// their neighbours (M010 to M022) for everything that cannot be built.
    pub fn from_json(path: &Path, text: &str) -> Result<Config> {
        if text.len() as u64 > MAX_CONFIG_BYTES {
            return Err(ModelError::FileTooLarge {
                path: path.into(),
                what: "a config.json",
                limit: MAX_CONFIG_BYTES,
            });
        }
        let map: Map<String, Value> = serde_json::from_str(text)
            .map_err(|e| ModelError::ConfigSyntax { path: path.into(), detail: e.to_string() })?;
        let keys = Keys { path, map: &map };
        keys.refuse_what_cannot_run()?;

        let hidden = keys.width("hidden_size", keys.uint("hidden_size", 2048)?)?;
        let ratio = keys.uint("expand_ratio", 1)?;
        keys.within("expand_ratio", ratio, 1, MAX_WIDTH)?;
        let lower_bounds = keys.bool("use_lower_bound", true)?;
        if ratio != 1 && lower_bounds {
            return Err(ModelError::ExpandWithLowerBounds { path: path.into(), ratio });
        }
        // Both factors are at most 2^14, so no product here can overflow.
        let inner = keys.width("hidden_size × expand_ratio", hidden * ratio)?;
        let intermediate = keys.intermediate(hidden)?;
        let layers = keys.uint("num_hidden_layers", 24)?;
        keys.within("num_hidden_layers", layers, 1, MAX_LAYERS)?;
        let vocab = keys.uint("vocab_size", 32_000)?;
        keys.within("vocab_size", vocab, 2, MAX_VOCAB)?;
        let heads = keys.heads(inner)?;
        let rms_norm_eps = keys.epsilon()?;
        let vocab = vocab as usize;
        Ok(Config {
            hidden: hidden as usize,
            inner: inner as usize,
            intermediate: intermediate as usize,
            layers: layers as usize,
            vocab,
            heads: heads as usize,
            rms_norm_eps,
            lower_bounds,
            bos: keys.bos(vocab)?,
            eos: keys.eos(vocab)?,
        })
    }
}

/// The object of a config.json, with the path for errors.
struct Keys<'a> {
    path: &'a Path,
    map: &'a Map<String, Value>,
}

impl Keys<'_> {
    fn wrong_type(&self, key: &'static str, found: &Value, expected: &'static str) -> ModelError {
        ModelError::ConfigType {
            path: self.path.into(),
            key,
            found: shorten(&found.to_string()),
            expected,
        }
    }

    fn uint(&self, key: &'static str, default: u64) -> Result<u64> {
        match self.map.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .ok_or_else(|| self.wrong_type(key, value, "a whole number, not negative")),
        }
    }

    fn bool(&self, key: &'static str, default: bool) -> Result<bool> {
        match self.map.get(key) {
            None => Ok(default),
            Some(value) => {
                value.as_bool().ok_or_else(|| self.wrong_type(key, value, "true or false"))
            }
        }
    }

    fn within(&self, key: &'static str, found: u64, min: u64, max: u64) -> Result<()> {
        if (min..=max).contains(&found) {
            return Ok(());
        }
        Err(ModelError::ConfigRange { path: self.path.into(), key, found, min, max })
    }

    fn width(&self, key: &'static str, found: u64) -> Result<u64> {
        self.within(key, found, WIDTH_MULTIPLE, MAX_WIDTH)?;
        if !found.is_multiple_of(WIDTH_MULTIPLE) {
            return Err(ModelError::ConfigMultiple { path: self.path.into(), key, found });
        }
        Ok(found)
    }

    /// Models of another kind first: what is said about their dimensions would mislead.
    fn refuse_what_cannot_run(&self) -> Result<()> {
        let path = self.path;
        let is = |key: &str, name: &str| self.map.get(key).is_none_or(|v| v.as_str() == Some(name));
        let found = |key| self.map.get(key).map_or("absent".into(), |v| shorten(&v.to_string()));
        // The published class always writes its model_type; a file without one is another's.
        if !self.map.contains_key("model_type") || !is("model_type", "hgrn_bit") {
            return Err(ModelError::ModelType { path: path.into(), found: found("model_type") });
        }
        if self.bool("use_short_conv", false)? {
            return Err(ModelError::ShortConv { path: path.into() });
        }
        if self.bool("tie_word_embeddings", false)? {
            return Err(ModelError::TiedEmbeddings { path: path.into() });
        }
        if !is("attn_mode", "fused_recurrent") {
            return Err(ModelError::AttnMode { path: path.into(), found: found("attn_mode") });
        }
        Ok(())
    }

    /// `modeling_hgrn_bit.py`:43-47: two thirds of hidden × ratio, up to a multiple of 256,
    /// unless the file says a width.
    fn intermediate(&self, hidden: u64) -> Result<u64> {
        if self.map.get("intermediate_size").is_some_and(|v| !v.is_null()) {
            return self.width("intermediate_size", self.uint("intermediate_size", 0)?);
        }
        let ratio = match self.map.get("hidden_ratio") {
            Some(Value::Null) => 4,
            _ => self.uint("hidden_ratio", 4)?,
        };
        self.within("hidden_ratio", ratio, 1, MAX_WIDTH)?;
        let exact = hidden * ratio * 2 / 3;
        self.width("the intermediate width", exact.next_multiple_of(256))
    }

    fn heads(&self, inner: u64) -> Result<u64> {
        let none = |found| ModelError::NoHeads { path: self.path.into(), found };
        if self.map.get("num_heads").is_some_and(Value::is_null) {
            return Err(none("null"));
        }
        match self.uint("num_heads", 1)? {
            0 => Err(none("0")),
            heads if !inner.is_multiple_of(heads) => {
                Err(ModelError::HeadsDivide { path: self.path.into(), heads, inner })
            }
            heads => Ok(heads),
        }
    }

    fn epsilon(&self) -> Result<f32> {
        let Some(value) = self.map.get("rms_norm_eps") else { return Ok(1e-6) };
        let number =
            value.as_f64().ok_or_else(|| self.wrong_type("rms_norm_eps", value, "a number"))?;
        // Checked after rounding: 1e-60 is positive but zero as an f32.
        let eps = number as f32;
        if eps > 0.0 && eps < 1.0 {
            return Ok(eps);
        }
        Err(ModelError::Epsilon { path: self.path.into(), found: shorten(&value.to_string()) })
    }

    fn token(&self, key: &'static str, value: &Value, vocab: usize) -> Result<u32> {
        let id = value
            .as_u64()
            .ok_or_else(|| self.wrong_type(key, value, "a token number, a list of them or null"))?;
        self.token_in_vocab(key, id, vocab)
    }

    fn token_in_vocab(&self, key: &'static str, id: u64, vocab: usize) -> Result<u32> {
        match u32::try_from(id) {
            Ok(token) if id < vocab as u64 => Ok(token),
            _ => Err(ModelError::ConfigToken { path: self.path.into(), key, id, vocab }),
        }
    }

    fn bos(&self, vocab: usize) -> Result<Option<u32>> {
        let key = "bos_token_id";
        match self.map.get(key) {
            None => self.token_in_vocab(key, 1, vocab).map(Some),
            Some(Value::Null) => Ok(None),
            Some(value) => self.token(key, value, vocab).map(Some),
        }
    }

    fn eos(&self, vocab: usize) -> Result<Vec<u32>> {
        let key = "eos_token_id";
        match self.map.get(key) {
            None => self.token_in_vocab(key, 2, vocab).map(|id| vec![id]),
            Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(|v| self.token(key, v, vocab)).collect(),
            Some(value) => self.token(key, value, vocab).map(|id| vec![id]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::from_json(Path::new("config.json"), text)
    }

    #[test]
    fn absent_keys_take_the_published_defaults() {
        let config = parse(r#"{"model_type": "hgrn_bit"}"#).unwrap();
        let expected = Config {
            hidden: 2048,
            inner: 2048,
            intermediate: 5632,
            layers: 24,
            vocab: 32_000,
            heads: 1,
            rms_norm_eps: 1e-6,
            lower_bounds: true,
            bos: Some(1),
            eos: vec![2],
        };
        assert_eq!(config, expected);
        let none = r#"{"model_type": "hgrn_bit", "hidden_ratio": null, "intermediate_size": null}"#;
        assert_eq!(parse(none).unwrap(), expected);
    }

    #[test]
    fn a_text_of_a_mebibyte_is_read() {
        let text = r#"{"model_type": "hgrn_bit"}"#;
        let text = " ".repeat(MAX_CONFIG_BYTES as usize - text.len()) + text;
        parse(&text).unwrap();
        assert_eq!(parse(&(text + " ")).unwrap_err().code(), "M006");
    }

    #[test]
    fn intermediate_follows_the_formula() {
        for (hidden, expected) in [(1024, 2816), (2048, 5632), (2560, 6912), (128, 512), (256, 768)]
        {
            let text = format!(r#"{{"model_type": "hgrn_bit", "hidden_size": {hidden}}}"#);
            assert_eq!(parse(&text).unwrap().intermediate, expected, "hidden {hidden}");
        }
    }

    #[test]
    fn expanded_state_without_lower_bounds_is_legal() {
        let text = r#"{"model_type": "hgrn_bit", "hidden_size": 96, "expand_ratio": 2,
            "use_lower_bound": false, "num_heads": 3, "eos_token_id": [2, 5],
            "bos_token_id": null, "intermediate_size": 160, "rms_norm_eps": 1e-5, "other": {}}"#;
        let config = parse(text).unwrap();
        assert_eq!((config.inner, config.intermediate, config.heads), (192, 160, 3));
        assert_eq!((config.bos, config.eos), (None, vec![2, 5]));
        assert_eq!(config.rms_norm_eps, 1e-5);
        assert!(!config.lower_bounds);
    }
}
