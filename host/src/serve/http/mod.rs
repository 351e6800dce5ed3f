//! The engine over HTTP, as OpenAI's clients speak it.
//!
//! | path | |
//! |---|---|
//! | `/v1/completions`, `/v1/chat/completions` | answers, whole or as they come |
//! | `/v1/models`, `/v1/models/{id}` | the one model |
//! | `/health`, `/metrics`, `/live` | for who looks after it: a probe, Prometheus, the page |
//! | `/` | the page |

pub mod answer;
pub mod body;
pub mod chat;
pub mod completions;
pub mod error;
pub mod guard;
pub mod listen;
pub mod look;
pub mod params;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use sterna_model::Tokenizer;
use tokio::task::spawn_blocking;

use self::error::ApiError;
use self::guard::Guard;
use super::engine::Engine;
use super::metrics::Metrics;
use crate::error::Result;
use crate::power::beside::Power;
use crate::template::Template;

/// Bounds of a question.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most tokens of an answer.
    pub answer: usize,
    /// Most tokens of a prompt.
    pub prompt: usize,
}

/// What all requests share.
pub struct App {
    /// The device at work.
    pub engine: Engine,
    /// The model's name.
    pub model: String,
    /// What is computed: the image's id.
    pub image_id: String,
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Tokens that end a text.
    pub eos: Vec<u32>,
    /// Those that end an answer in a conversation.
    pub chat_ends: Vec<u32>,
    /// Text to tokens, if the model has that.
    pub tokenizer: Option<Arc<Tokenizer>>,
    /// Conversations to text.
    pub template: Template,
    /// Bounds of a question.
    pub bounds: Bounds,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is drawn.
    pub power: Arc<Power>,
    /// When the server began, in seconds since 1970.
    pub created: u64,
}

/// Seconds since 1970.
pub fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A number by chance: a seed, or what no other answer is called.
fn drawn() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

/// Tokens of a text, made where it does not hold up others.
async fn encode(
    app: &Arc<App>,
    name: &'static str,
    text: String,
    encode: impl FnOnce(&Tokenizer, &str) -> Result<Vec<u32>> + Send + 'static,
) -> std::result::Result<Vec<u32>, ApiError> {
    let Some(tokenizer) = app.tokenizer.clone() else {
        return Err(ApiError::invalid(name, "this model has no tokenizer; give token numbers"));
    };
    let made = spawn_blocking(move || encode(&tokenizer, &text)).await;
    let made = made.map_err(|_| ApiError::invalid(name, "the tokenizer cannot read it"))?;
    made.map_err(|error| ApiError::invalid(name, error.to_string()))
}

/// The text of tokens, special ones left out; without a tokenizer their numbers.
fn text_of(tokenizer: Option<&Tokenizer>, tokens: &[u32]) -> String {
    let text = tokenizer.map(|tokenizer| tokenizer.decode(tokens).unwrap_or_default());
    text.unwrap_or_else(|| tokens.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
}

/// Every path.
pub fn router(app: Arc<App>, guard: Guard) -> Router {
    let guard = Arc::new(guard);
    Router::new()
        .route("/v1/completions", post(completions::create))
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/models", get(look::models))
        .route("/v1/models/{id}", get(look::model))
        .route("/metrics", get(look::metrics))
        .route("/live", get(look::live))
        .route_layer(from_fn_with_state(Arc::clone(&guard), guard::key))
        .route("/health", get(look::health))
        .route("/", get(look::page))
        .route_layer(from_fn_with_state(guard, guard::host))
        .fallback(|| async { ApiError::not_found("there is nothing here; see docs/serve.md") })
        .method_not_allowed_fallback(|| async { ApiError::method() })
        .layer(from_fn_with_state(Arc::clone(&app), look::count))
        .layer(from_fn(guard::sober))
        .with_state(app)
}
