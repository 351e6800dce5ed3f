//! What both kinds of questions have in common.

use serde::Deserialize;
use serde_json::Value;
use sterna_firmware::device::TOP_K_MAX;

use super::error::ApiError;
use super::{App, Bounds};
use crate::sample::Sampling;

/// Most answers to a question.
pub const ANSWERS: usize = 16;
/// Most texts that end an answer, and bytes of each.
const STOPS: (usize, usize) = (8, 256);
/// A lower temperature takes the best token.
const COLD: f64 = 1e-3;
/// The highest temperature.
const HOT: f64 = 1e3;

/// One word, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Words {
    /// As a list.
    pub fn list(self) -> Vec<String> {
        match self {
            Words::One(word) => vec![word],
            Words::Many(words) => words,
        }
    }
}

/// `stream_options`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether the last event tells the usage.
    #[serde(default)]
    pub include_usage: bool,
}

/// Parameters of OpenAI's, and `top_k` and `ignore_eos` beside them. What is not known is left out
/// of account, as clients send all kinds of things; what is known and cannot be had is refused.
#[derive(Clone, Debug, Deserialize)]
pub struct Params {
    /// The model that is meant.
    pub model: String,
    /// 0 takes the best token; 1 if it is not said.
    pub temperature: Option<f64>,
    /// As of `sterna run`.
    pub top_p: Option<f64>,
    /// As of `sterna run`.
    pub top_k: Option<i64>,
    /// The same answer for the same seed; without one it is drawn.
    pub seed: Option<i64>,
    /// Answers to each prompt.
    pub n: Option<i64>,
    /// Texts that end an answer.
    pub stop: Option<Words>,
    /// Whether the answer comes in pieces.
    #[serde(default)]
    pub stream: bool,
    /// How.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// Who asks, of those behind one address.
    pub user: Option<String>,
    /// Whether an answer goes on after an end of text.
    #[serde(default)]
    pub ignore_eos: bool,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    logit_bias: Option<Value>,
}

/// Parameters that were looked at.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How tokens are chosen; answer `n` to a prompt adds `n` to the seed.
    pub sampling: Sampling,
    /// Answers to each prompt.
    pub n: usize,
    /// Texts that end an answer.
    pub stops: Vec<String>,
    /// Tokens that end an answer.
    pub ends: Vec<u32>,
    /// Whether the answer comes in pieces, and then whether usage is told.
    pub stream: Option<bool>,
    /// Who asks.
    pub user: String,
}

impl Params {
    /// Looks at all of them.
    pub fn check(self, app: &App) -> Result<Checked, ApiError> {
        if self.model != app.model {
            return Err(ApiError::model(&self.model, &app.model));
        }
        for (name, value) in [
            ("presence_penalty", self.presence_penalty),
            ("frequency_penalty", self.frequency_penalty),
        ] {
            if value.is_some_and(|value| value != 0.0) {
                return Err(ApiError::invalid(name, "penalties cannot be had here; leave it at 0"));
            }
        }
        if self.logit_bias.is_some_and(|bias| bias.as_object().is_none_or(|map| !map.is_empty())) {
            return Err(ApiError::invalid("logit_bias", "biases cannot be had here; leave it out"));
        }
        let temperature = self.temperature.unwrap_or(1.0);
        if !(0.0..=HOT).contains(&temperature) {
            return Err(ApiError::invalid("temperature", "it has to be between 0 and 1000"));
        }
        let top_p = self.top_p.unwrap_or(1.0);
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(ApiError::invalid("top_p", "it has to be in 0 < top_p <= 1"));
        }
        let top_k = within("top_k", self.top_k, TOP_K_MAX, TOP_K_MAX)?;
        let stops = self.stop.map(Words::list).unwrap_or_default();
        let (most, long) = STOPS;
        if stops.len() > most || stops.iter().any(|stop| stop.is_empty() || stop.len() > long) {
            let message = format!("at most {most} texts of 1 to {long} bytes");
            return Err(ApiError::invalid("stop", message));
        }
        let seed = self.seed.map_or_else(super::drawn, |seed| seed as u64);
        Ok(Checked {
            sampling: Sampling {
                temperature: if temperature < COLD { 0.0 } else { temperature },
                top_k,
                top_p,
                seed,
            },
            n: within("n", self.n, ANSWERS, 1)?,
            stops,
            ends: if self.ignore_eos { vec![] } else { app.eos.clone() },
            stream: self.stream.then(|| self.stream_options.unwrap_or_default().include_usage),
            user: self.user.unwrap_or_default(),
        })
    }
}

/// A number from 1 to `most`.
pub fn within(
    name: &'static str,
    value: Option<i64>,
    most: usize,
    default: usize,
) -> Result<usize, ApiError> {
    match value {
        None => Ok(default),
        Some(value) => usize::try_from(value)
            .ok()
            .filter(|value| (1..=most).contains(value))
            .ok_or_else(|| ApiError::invalid(name, format!("it has to be between 1 and {most}"))),
    }
}

/// The tokens of a prompt, by length and number.
pub fn prompt(app: &App, name: &'static str, tokens: Vec<u32>) -> Result<Vec<u32>, ApiError> {
    let Bounds { prompt: most, .. } = app.bounds;
    if tokens.is_empty() {
        return Err(ApiError::invalid(name, "it has no tokens"));
    }
    if tokens.len() > most {
        let message = format!("it has {} tokens; this server takes {most}", tokens.len());
        return Err(ApiError::invalid(name, message));
    }
    match tokens.iter().find(|&&token| token as usize >= app.vocab) {
        Some(token) => {
            let message = format!("there is no token {token}; there are {}", app.vocab);
            Err(ApiError::invalid(name, message))
        }
        None => Ok(tokens),
    }
}
