//! `/v1/completions`: a prompt goes on.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sterna_model::Tokenizer;

use super::App;
use super::answer::{Form, Question, answer};
use super::body::Body;
use super::error::ApiError;
use super::guard::Peer;
use super::params::{Params, prompt, within};
use crate::serve::engine::sequence::{Choice, Piece};

/// Candidates that may be asked for of each token.
pub const CANDIDATES: usize = 20;
/// Tokens of an answer, if it is not said.
const TOKENS: usize = 16;

/// What is asked.
#[derive(Deserialize)]
pub struct Ask {
    prompt: Prompt,
    max_tokens: Option<i64>,
    logprobs: Option<i64>,
    #[serde(default)]
    echo: bool,
    suffix: Option<String>,
    best_of: Option<i64>,
    #[serde(flatten)]
    params: Params,
}

/// Texts, or tokens.
#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
    Lists(Vec<Vec<u32>>),
}

/// Answers a request.
pub async fn create(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    let most = within("max_tokens", ask.max_tokens, app.bounds.answer, TOKENS)?;
    if ask.suffix.is_some_and(|suffix| !suffix.is_empty()) {
        return Err(ApiError::invalid("suffix", "this model only goes on at the end"));
    }
    if ask.best_of.is_some_and(|best| best != ask.params.n.unwrap_or(1)) {
        return Err(ApiError::invalid("best_of", "every answer is given; leave it out"));
    }
    if ask.echo && ask.logprobs.is_some() {
        return Err(ApiError::invalid("echo", "the prompt has no logprobs here; one of both"));
    }
    let candidates = match ask.logprobs {
        None => None,
        Some(0) => Some(0),
        some => Some(within("logprobs", some, CANDIDATES, 0)?),
    };
    let checked = ask.params.check(&app)?;
    let (prompts, texts) = tokens(&app, ask.prompt).await?;
    let echo: Vec<String> = if ask.echo { texts } else { vec![] };
    let echo = echo.into_iter().flat_map(|text| vec![text; checked.n]).collect();
    let form = Text { tokenizer: app.tokenizer.clone(), echo, offsets: vec![] };
    answer(app, peer, Question { checked, prompts, most, candidates }, form).await
}

/// Prompts as tokens, and as the texts that they are.
async fn tokens(app: &Arc<App>, asked: Prompt) -> Result<(Vec<Vec<u32>>, Vec<String>), ApiError> {
    let (lists, texts) = match asked {
        Prompt::Text(text) => (None, vec![text]),
        Prompt::Texts(texts) => (None, texts),
        Prompt::Tokens(tokens) => (Some(vec![tokens]), vec![]),
        Prompt::Lists(lists) => (Some(lists), vec![]),
    };
    if let Some(lists) = lists {
        let lists: Result<Vec<_>, _> =
            lists.into_iter().map(|tokens| prompt(app, "prompt", tokens)).collect();
        let lists = lists?;
        let texts =
            lists.iter().map(|tokens| super::text_of(app.tokenizer.as_deref(), tokens)).collect();
        return Ok((lists, texts));
    }
    let mut lists = vec![];
    for text in &texts {
        let encode = |tokenizer: &Tokenizer, text: &str| Ok(tokenizer.encode(text, true)?);
        let tokens = super::encode(app, "prompt", text.clone(), encode).await?;
        lists.push(prompt(app, "prompt", tokens)?);
    }
    Ok((lists, texts))
}

/// `text_completion`.
struct Text {
    tokenizer: Option<Arc<Tokenizer>>,
    /// The prompt of each answer, if it is to be repeated.
    echo: Vec<String>,
    /// Characters of each answer so far.
    offsets: Vec<usize>,
}

impl Text {
    fn offset(&mut self, of: usize) -> &mut usize {
        if self.offsets.len() <= of {
            self.offsets.resize(of + 1, 0);
        }
        &mut self.offsets[of]
    }

    fn entry(of: usize, text: &str, logprobs: Value, reason: Option<&str>) -> Value {
        json!({ "index": of, "text": text, "logprobs": logprobs, "finish_reason": reason })
    }

    /// Pieces with choices, one after the other.
    fn logprobs(&mut self, of: usize, pieces: &[Piece]) -> Value {
        let mut lists = (vec![], vec![], vec![], vec![]);
        for Piece { text, choice } in pieces {
            let offset = *self.offset(of);
            if let Some(Choice { token, logprob, best }) = choice {
                let name = |token: u32| super::text_of(self.tokenizer.as_deref(), &[token]);
                lists.0.push(name(*token));
                lists.1.push(*logprob);
                // Of tokens with one text, the likeliest.
                let mut top = Map::new();
                for &(token, logprob) in best {
                    top.entry(name(token)).or_insert_with(|| logprob.into());
                }
                lists.2.push(top);
                lists.3.push(offset);
            }
            *self.offset(of) += text.chars().count();
        }
        if lists.0.is_empty() {
            return Value::Null;
        }
        json!({
            "tokens": lists.0,
            "token_logprobs": lists.1,
            "top_logprobs": lists.2,
            "text_offset": lists.3,
        })
    }
}

impl Form for Text {
    const OBJECTS: (&'static str, &'static str) = ("text_completion", "text_completion");
    const PREFIX: &'static str = "cmpl";

    fn opening(&mut self, of: usize) -> Option<Value> {
        let text = self.echo.get(of)?;
        Some(Self::entry(of, text, Value::Null, None))
    }

    fn piece(&mut self, of: usize, piece: Piece) -> Option<Value> {
        let logprobs = self.logprobs(of, std::slice::from_ref(&piece));
        Some(Self::entry(of, &piece.text, logprobs, None))
    }

    fn end(&mut self, of: usize, reason: &'static str) -> Value {
        Self::entry(of, "", Value::Null, Some(reason))
    }

    fn whole(&mut self, of: usize, pieces: Vec<Piece>, reason: &'static str) -> Value {
        let mut text = self.echo.get(of).cloned().unwrap_or_default();
        pieces.iter().for_each(|piece| text += &piece.text);
        let logprobs = self.logprobs(of, &pieces);
        Self::entry(of, &text, logprobs, Some(reason))
    }
}
