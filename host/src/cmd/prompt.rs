//! MODEL and prompt on the command line: of `run` and `state save`.

use std::path::PathBuf;

use sterna_firmware::model::Model;
use sterna_model::Tokenizer;

use super::tokens;
use crate::cli::usage_error;
use crate::error::{HostError, Result};
use crate::{demo, models};

/// The words and `--tokens`.
#[derive(clap::Args)]
pub struct PromptArgs {
    /// MODEL (a .sterna file, or a pulled model) and PROMPT, or PROMPT alone: clap has no optional first argument,
    /// so the usage line above says it and this stays hidden
    #[arg(hide = true, value_name = "MODEL> <PROMPT")]
    words: Vec<String>,
    /// Prompt as token numbers: 1,2,3 or a file of them; prints numbers if there is no tokenizer
    #[arg(long, value_name = "LIST|FILE")]
    tokens: Option<String>,
}

/// What the words mean.
pub struct Prompt {
    /// The model's file, if one is named.
    pub model: Option<PathBuf>,
    /// The text, if there is one.
    pub text: Option<String>,
    /// The list of tokens, if there is one.
    list: Option<String>,
}

impl PromptArgs {
    /// MODEL and PROMPT, as far as they are given; anything else ends the program with the usage
    /// of `command`. With `optional` there need not be a prompt.
    pub fn read(&self, command: &str, optional: bool) -> Prompt {
        let is_model = |word: &str| word.ends_with(".sterna") || models::find(word).is_some();
        let (model, text) = match (&self.tokens, &self.words[..]) {
            (Some(_), [] | [_]) => (self.words.first().map(PathBuf::from), None),
            (None, []) if optional => (None, None),
            (None, [word]) if optional && is_model(word) => (Some(word.into()), None),
            (None, [_] | [_, _]) => demo::split(self.words.clone()),
            (None, [_, _, ..]) => {
                usage_error(command, "more than MODEL and PROMPT: put quotes around the prompt")
            }
            (Some(_), _) => usage_error(command, "give a PROMPT or --tokens, not both"),
            (None, []) => usage_error(command, "PROMPT is missing"),
        };
        if self.tokens.is_some() && model.as_ref().is_some_and(|word| demo::file(word).is_err()) {
            usage_error(
                command,
                "the word before --tokens is no file, and no pulled model: give MODEL, not a prompt",
            );
        }
        if model.is_none() && text.as_deref().is_some_and(is_model) {
            usage_error(command, &format!("PROMPT is missing: `sterna {command} MODEL PROMPT`"));
        }
        Prompt { model, text, list: self.tokens.clone() }
    }
}

impl Prompt {
    /// The tokens; of a text that begins here also those that the tokenizer puts before it.
    ///
    /// # Errors
    /// Those of the tokenizer and of the list; [`HostError::NoTokenizer`].
    pub fn tokens(
        &self,
        model: &Model,
        tokenizer: Option<&Tokenizer>,
        begins: bool,
    ) -> Result<Vec<u32>> {
        match (&self.list, &self.text) {
            (Some(list), _) => tokens::parse(list, model.shape().vocab),
            (None, Some(text)) => {
                let tokenizer =
                    tokenizer.ok_or_else(|| HostError::NoTokenizer(model.path().into()))?;
                Ok(tokenizer.encode(text, begins)?)
            }
            (None, None) => Ok(vec![]),
        }
    }
}
