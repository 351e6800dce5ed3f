//! A conversation as the one text that a model goes on from.
//!
//! The text is made by the chat template of the checkpoint, a program in Jinja that
//! `sterna import` keeps in the model file, or, where there is none, in the **plain** form:
//!
//! ```text
//! What the system message says.
//!
//! User: A question.
//! Assistant: An answer.
//! User: The next question.
//! Assistant:
//! ```
//!
//! A model of plain text goes on with the dialogue, so its answer ends where the next `\nUser:`
//! begins ([`Template::stop`]). An answer is written as it is, with a space before it if it begins
//! with none: what a model said and what is rendered later are then the same text.
//!
//! A template comes from outside. It sees the messages and nothing else of this machine, and it
//! gets so many steps ([`FUEL`]), with which it also pays for every text and list that it makes: it
//! neither hangs nor fills the memory. Contents of messages are data and never run.

mod engine;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, context};
use serde::{Deserialize, Serialize};
use sterna_firmware::model::Description;
use sterna_model::{ChatTemplate, Tokenizer};

use crate::error::{HostError, Result};

/// Steps of one rendering; 64 bytes of text are a step too. A tenth of a second and 100 MB or so at
/// most.
pub const FUEL: u64 = 1_000_000;

/// Where an answer ends in the plain form.
const PLAIN_STOP: &str = "\nUser:";

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who says how to answer.
    System,
    /// Who asks.
    User,
    /// Who answers: the model.
    Assistant,
}

impl Role {
    /// As messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// A turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A turn.
    pub fn new(role: Role, content: impl Into<String>) -> Message {
        Message { role, content: content.into() }
    }
}

/// How conversations are written for a model.
#[derive(Clone, Debug)]
pub struct Template {
    /// `None`: the plain form.
    own: Option<Own>,
}

/// The model's own template.
#[derive(Clone, Debug)]
struct Own {
    environment: Environment<'static>,
    chat: ChatTemplate,
}

impl Template {
    /// The model's own template, or the plain form if it has none.
    ///
    /// # Errors
    /// [`HostError::Template`] if it cannot be read.
    pub fn of(description: &Description) -> Result<Template> {
        match &description.chat {
            None => Ok(Template::plain()),
            Some(chat) => Template::new(chat),
        }
    }

    /// The plain form.
    pub fn plain() -> Template {
        Template { own: None }
    }

    /// A template from outside.
    ///
    /// # Errors
    /// [`HostError::Template`] if it cannot be read.
    pub fn new(chat: &ChatTemplate) -> Result<Template> {
        let own = Own { environment: engine::environment(raise), chat: chat.clone() };
        engine::compile(own.chat.template()).map_err(|error| failure(&error))?;
        Ok(Template { own: Some(own) })
    }

    /// Whether it is the plain form.
    pub fn is_plain(&self) -> bool {
        self.own.is_none()
    }

    /// The text of a conversation; with `add_generation_prompt` up to where the model answers.
    ///
    /// # Errors
    /// [`HostError::Template`], [`HostError::Conversation`] if the template refuses the messages,
    /// [`HostError::Endless`].
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        let Some(own) = &self.own else { return Ok(plain(messages, add_generation_prompt)) };
        let context = context! {
            messages => messages.iter().map(value).collect::<Vec<Value>>(),
            add_generation_prompt => add_generation_prompt,
            bos_token => own.chat.bos_token().unwrap_or_default(),
            eos_token => own.chat.eos_token().unwrap_or_default(),
            // Templates ask whether these are none, not whether they are there.
            tools => Value::from(()),
            documents => Value::from(()),
        };
        let render = || {
            let program = engine::compile(own.chat.template())?;
            engine::run(&own.environment, &program, context)
        };
        render().map_err(|error| failure(&error))
    }

    /// The tokens of a rendered text, or of its beginning.
    ///
    /// A template writes special tokens itself; before the plain form come those that the
    /// tokenizer adds.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`].
    pub fn encode(&self, tokenizer: &Tokenizer, rendered: &str) -> Result<Vec<u32>> {
        Ok(tokenizer.encode(rendered, self.is_plain())?)
    }

    /// The text at which an answer ends; it is not part of the answer.
    pub fn stop(&self) -> Option<&'static str> {
        self.is_plain().then_some(PLAIN_STOP)
    }

    /// The tokens at which an answer ends: the model's end tokens, and that of the template, which
    /// in many checkpoints ends a turn and not a text.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`].
    pub fn stop_tokens(
        &self,
        tokenizer: &Tokenizer,
        description: &Description,
    ) -> Result<Vec<u32>> {
        let mut stops = description.eos.clone();
        if let Some(text) = self.own.as_ref().and_then(|own| own.chat.eos_token()) {
            // Of several tokens none ends anything by itself.
            match tokenizer.encode(text, false)?[..] {
                [token] if !stops.contains(&token) => stops.push(token),
                _ => {}
            }
        }
        Ok(stops)
    }
}

/// A message as templates see it.
fn value(message: &Message) -> Value {
    let Message { role, content } = message;
    Value::from_pairs([("role", role.name()), ("content", content)])
}

/// The plain form.
fn plain(messages: &[Message], add_generation_prompt: bool) -> String {
    let mut text = String::new();
    for Message { role, content } in messages {
        let gap = if content.starts_with(char::is_whitespace) { "" } else { " " };
        match role {
            Role::System => text.extend([content, "\n\n"]),
            Role::User => text.extend(["User:", gap, content, "\n"]),
            Role::Assistant => text.extend(["Assistant:", gap, content, "\n"]),
        }
    }
    if add_generation_prompt {
        text.push_str("Assistant:");
    }
    text
}

/// That a template called `raise_exception`, and with which words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

/// What templates call if the messages do not suit them.
fn raise(message: String) -> std::result::Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "raise_exception").with_source(Refusal(message)))
}

/// What an error of the library means here.
fn failure(error: &Error) -> HostError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = cause {
        if let Some(Refusal(message)) = at.downcast_ref() {
            return HostError::Conversation { reason: shorten(message) };
        }
        cause = at.source();
    }
    if error.kind() == ErrorKind::OutOfFuel {
        return HostError::Endless { steps: FUEL };
    }
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    HostError::Template { line: error.line().unwrap_or(1), reason: shorten(&what) }
}

/// At most 200 characters of what a template says, on one line.
fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(MOST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
