//! How a model wants conversations written: of `tokenizer_config.json` and
//! `chat_template.jinja`, kept as it is.
//!
//! The template is a program in Jinja; what runs it lies further up.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ModelError, Result, shorten};

/// Bytes of a `tokenizer_config.json` that are still read; published ones have 1 MB at most.
pub const MAX_TOKENIZER_CONFIG_BYTES: u64 = 16 << 20;
/// Bytes of a template that is still kept; published ones have 20 KB at most.
pub const MAX_TEMPLATE_BYTES: usize = 64 << 10;
/// Bytes of the text of a begin or end token that is still kept.
pub const MAX_TOKEN_BYTES: usize = 256;

/// What a template is, in messages.
const A_TEMPLATE: &str =
    "a text of at most 65536 bytes, or a list of {name, template} with one named default";
/// What a token is, in messages.
const A_TOKEN: &str = "a text of at most 256 bytes, or {content: such a text}";

/// A chat template with the texts that it may insert; none is too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct ChatTemplate {
    parts: Parts,
}

/// The same before its lengths are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    template: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bos_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eos_token: Option<String>,
}

impl TryFrom<Parts> for ChatTemplate {
    type Error = &'static str;

    fn try_from(parts: Parts) -> std::result::Result<ChatTemplate, &'static str> {
        let tokens = [&parts.bos_token, &parts.eos_token];
        if parts.template.len() > MAX_TEMPLATE_BYTES {
            return Err("the chat template is longer than 65536 bytes");
        }
        if tokens.into_iter().flatten().any(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err("a token of the chat template is longer than 256 bytes");
        }
        Ok(ChatTemplate { parts })
    }
}

impl From<ChatTemplate> for Parts {
    fn from(chat: ChatTemplate) -> Parts {
        chat.parts
    }
}

impl ChatTemplate {
    /// Puts one together; `None` if a text is too long.
    pub fn new(template: &str, bos: Option<&str>, eos: Option<&str>) -> Option<ChatTemplate> {
        let bos_token = bos.map(str::to_owned);
        let parts =
            Parts { template: template.into(), bos_token, eos_token: eos.map(str::to_owned) };
        ChatTemplate::try_from(parts).ok()
    }

    /// Reads the text of a `tokenizer_config.json`; `path` only names it in errors.
    ///
    /// `beside` is the text of a `chat_template.jinja`, which newer checkpoints have: it wins over
    /// the key. `None` if there is neither. Of several, the one named `default` is taken. The
    /// template itself is not looked into.
    ///
    /// # Errors
    /// [`ModelError::ConfigSyntax`], [`ModelError::ConfigType`].
    pub fn from_json(
        path: &Path,
        text: &str,
        beside: Option<&str>,
    ) -> Result<Option<ChatTemplate>> {
        let map: Map<String, Value> = serde_json::from_str(text)
            .map_err(|e| ModelError::ConfigSyntax { path: path.into(), detail: e.to_string() })?;
        let wrong = |key, expected| {
            let found = shorten(&map.get(key).unwrap_or(&Value::Null).to_string());
            move || ModelError::ConfigType { path: path.into(), key, found, expected }
        };
        let template = match (beside, map.get("chat_template")) {
            (Some(text), _) => Some(text),
            (None, None | Some(Value::Null)) => return Ok(None),
            (None, Some(Value::String(text))) => Some(text.as_str()),
            (None, Some(Value::Array(list))) => default_of(list),
            (None, Some(_)) => None,
        };
        let template = template
            .filter(|text| text.len() <= MAX_TEMPLATE_BYTES)
            .ok_or_else(wrong("chat_template", A_TEMPLATE))?;
        let token = |key| match map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => token_text(value).map(Some).ok_or_else(wrong(key, A_TOKEN)),
        };
        Ok(ChatTemplate::new(template, token("bos_token")?, token("eos_token")?))
    }

    /// The template.
    pub fn template(&self) -> &str {
        &self.parts.template
    }

    /// Text of the token that begins a text.
    pub fn bos_token(&self) -> Option<&str> {
        self.parts.bos_token.as_deref()
    }

    /// Text of the token that ends a text, or an answer.
    pub fn eos_token(&self) -> Option<&str> {
        self.parts.eos_token.as_deref()
    }
}

/// The template that is called `default`.
fn default_of(list: &[Value]) -> Option<&str> {
    let is_default = |entry: &&Value| entry.get("name").is_some_and(|name| name == "default");
    list.iter().find(is_default)?.get("template")?.as_str()
}

/// A token's text, plain or as an object, if it is not too long.
fn token_text(value: &Value) -> Option<&str> {
    let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
    (text.len() <= MAX_TOKEN_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Option<ChatTemplate>> {
        ChatTemplate::from_json(Path::new("tokenizer_config.json"), &value.to_string(), None)
    }

    #[test]
    fn a_template_beside_it_wins() {
        let read = |value: Value| {
            let path = Path::new("tokenizer_config.json");
            ChatTemplate::from_json(path, &value.to_string(), Some("new")).unwrap()
        };
        let want = ChatTemplate::new("new", None, Some("</s>"));
        assert_eq!(read(json!({"chat_template": "old", "eos_token": "</s>"})), want);
        assert_eq!(read(json!({"chat_template": 3, "eos_token": "</s>"})), want);
        assert_eq!(read(json!({})), ChatTemplate::new("new", None, None));
    }

    #[test]
    fn both_forms_of_templates_and_of_tokens() {
        let plain = json!({"chat_template": "x", "bos_token": "<s>", "eos_token": "</s>"});
        let object = json!({
            "chat_template": [
                {"name": "tool_use", "template": "y"},
                {"name": "default", "template": "x"},
            ],
            "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": false},
            "eos_token": {"content": "</s>"},
        });
        let want = ChatTemplate::new("x", Some("<s>"), Some("</s>"));
        let said = want.as_ref().map(|of| (of.template(), of.bos_token(), of.eos_token()));
        assert_eq!(said, Some(("x", Some("<s>"), Some("</s>"))));
        assert_eq!(read(&plain).unwrap(), want);
        assert_eq!(read(&object).unwrap(), want);
        let bare = json!({"chat_template": "x", "bos_token": null});
        assert_eq!(read(&bare).unwrap(), ChatTemplate::new("x", None, None));
        // Without a template the tokens matter to nobody, whatever they are.
        for none in [json!({}), json!({"chat_template": null, "bos_token": 3})] {
            assert_eq!(read(&none).unwrap(), None);
        }
    }

    #[test]
    fn lengths_are_bounded_to_the_byte() {
        let longest = "x".repeat(MAX_TEMPLATE_BYTES);
        assert!(read(&json!({"chat_template": longest})).unwrap().is_some());
        let over = longest + "x";
        assert_eq!(read(&json!({"chat_template": over})).unwrap_err().code(), "M011");
        let token = "é".repeat(MAX_TOKEN_BYTES / 2);
        let good = json!({"chat_template": "", "eos_token": token});
        assert_eq!(read(&good).unwrap().unwrap().eos_token(), Some(token.as_str()));
        let bad = json!({"chat_template": "", "eos_token": {"content": token.clone() + "x"}});
        assert_eq!(read(&bad).unwrap_err().code(), "M011");
        assert_eq!(ChatTemplate::new(&over, None, None), None);
        assert_eq!(ChatTemplate::new("", Some(&(token + "x")), None), None);
    }

    #[test]
    fn what_is_kept_is_read_again_and_checked_again() {
        let chat = ChatTemplate::new("{{ a }}", None, Some("</s>")).unwrap();
        let text = serde_json::to_string(&chat).unwrap();
        assert_eq!(text, r#"{"template":"{{ a }}","eos_token":"</s>"}"#);
        assert_eq!(serde_json::from_str::<ChatTemplate>(&text).unwrap(), chat);
        let long = json!({"template": "x".repeat(MAX_TEMPLATE_BYTES + 1)});
        let error = serde_json::from_value::<ChatTemplate>(long).unwrap_err().to_string();
        assert_eq!(error, "the chat template is longer than 65536 bytes");
        assert!(serde_json::from_str::<ChatTemplate>(r#"{"template": 3}"#).is_err());
    }
}
