//! `/v1/chat/completions`: a conversation goes on.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use sterna_model::Tokenizer;

use super::App;
use super::answer::{Form, Question, answer};
use super::body::Body;
use super::completions::CANDIDATES;
use super::error::ApiError;
use super::guard::Peer;
use super::params::{Params, prompt, within};
use crate::serve::engine::sequence::{Choice, Piece};
use crate::template::{Message, Role};

/// Tokens of an answer, if it is not said and so many are allowed.
const TOKENS: usize = 1024;
/// Most messages of a conversation.
const MESSAGES: usize = 1024;

/// What is asked.
#[derive(Deserialize)]
pub struct Ask {
    messages: Vec<Said>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    #[serde(default)]
    logprobs: bool,
    top_logprobs: Option<i64>,
    tools: Option<Value>,
    functions: Option<Value>,
    response_format: Option<Value>,
    #[serde(flatten)]
    params: Params,
}

/// A message as OpenAI has it.
#[derive(Deserialize)]
struct Said {
    role: Role,
    content: Content,
}

/// Text, or parts that have to be text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Said {
    fn message(self) -> Result<Message, ApiError> {
        let content = match self.content {
            Content::Text(text) => text,
            Content::Parts(parts) => {
                let text = |part: Part| part.text.filter(|_| part.kind == "text");
                let texts: Option<Vec<String>> = parts.into_iter().map(text).collect();
                let refused = || ApiError::invalid("messages", "this model understands text only");
                texts.ok_or_else(refused)?.concat()
            }
        };
        Ok(Message { role: self.role, content })
    }
}

/// Whether a value asks for nothing.
fn is_nothing(value: &Option<Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => map.get("type").is_some_and(|kind| kind == "text"),
        Some(_) => false,
    }
}

/// Answers a request.
pub async fn create(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    for (name, value) in [
        ("tools", &ask.tools),
        ("functions", &ask.functions),
        ("response_format", &ask.response_format),
    ] {
        if !is_nothing(value) {
            return Err(ApiError::invalid(name, "this cannot be had here; leave it out"));
        }
    }
    if ask.messages.is_empty() || ask.messages.len() > MESSAGES {
        let message = format!("a conversation has 1 to {MESSAGES} messages");
        return Err(ApiError::invalid("messages", message));
    }
    let bound = app.bounds.answer;
    let most = ask.max_completion_tokens.or(ask.max_tokens);
    let most = within("max_tokens", most, bound, TOKENS.min(bound))?;
    let candidates = match (ask.logprobs, ask.top_logprobs) {
        (false, None | Some(0)) => None,
        (false, Some(_)) => {
            return Err(ApiError::invalid("top_logprobs", "it needs logprobs: true"));
        }
        (true, None | Some(0)) => Some(0),
        (true, some) => Some(within("top_logprobs", some, CANDIDATES, 0)?),
    };
    let mut checked = ask.params.check(&app)?;
    let messages: Result<Vec<Message>, _> = ask.messages.into_iter().map(Said::message).collect();
    let text = app.template.render(&messages?, true);
    let text = text.map_err(|error| ApiError::invalid("messages", error.to_string()))?;
    checked.stops.extend(app.template.stop().map(str::to_string));
    if !checked.ends.is_empty() {
        checked.ends.clone_from(&app.chat_ends);
    }
    let template = app.template.clone();
    let encode = move |tokenizer: &Tokenizer, text: &str| template.encode(tokenizer, text);
    let tokens = super::encode(&app, "messages", text, encode).await?;
    let prompts = vec![prompt(&app, "messages", tokens)?];
    let form = Chat { tokenizer: app.tokenizer.clone() };
    answer(app, peer, Question { checked, prompts, most, candidates }, form).await
}

/// `chat.completion`.
struct Chat {
    tokenizer: Option<Arc<Tokenizer>>,
}

impl Chat {
    fn logprobs(&self, pieces: &[Piece]) -> Value {
        let entry = |token: u32, logprob: f64| {
            let text = super::text_of(self.tokenizer.as_deref(), &[token]);
            json!({ "bytes": text.as_bytes(), "token": text, "logprob": logprob })
        };
        let choices = pieces.iter().filter_map(|piece| piece.choice.as_ref());
        let content: Vec<Value> = choices
            .map(|Choice { token, logprob, best }| {
                let mut value = entry(*token, *logprob);
                value["top_logprobs"] = best.iter().map(|best| entry(best.0, best.1)).collect();
                value
            })
            .collect();
        if content.is_empty() { Value::Null } else { json!({ "content": content }) }
    }

    fn delta(of: usize, delta: &Value, logprobs: Value, reason: Option<&str>) -> Value {
        json!({ "index": of, "delta": delta, "logprobs": logprobs, "finish_reason": reason })
    }
}

impl Form for Chat {
    const OBJECTS: (&'static str, &'static str) = ("chat.completion", "chat.completion.chunk");
    const PREFIX: &'static str = "chatcmpl";

    fn opening(&mut self, of: usize) -> Option<Value> {
        let delta = json!({ "role": "assistant", "content": "" });
        Some(Self::delta(of, &delta, Value::Null, None))
    }

    fn piece(&mut self, of: usize, piece: Piece) -> Option<Value> {
        let logprobs = self.logprobs(std::slice::from_ref(&piece));
        Some(Self::delta(of, &json!({ "content": piece.text }), logprobs, None))
    }

    fn end(&mut self, of: usize, reason: &'static str) -> Value {
        Self::delta(of, &json!({}), Value::Null, Some(reason))
    }

    fn whole(&mut self, of: usize, pieces: Vec<Piece>, reason: &'static str) -> Value {
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        json!({
            "index": of,
            "message": { "role": "assistant", "content": text, "refusal": null },
            "logprobs": self.logprobs(&pieces),
            "finish_reason": reason,
        })
    }
}
