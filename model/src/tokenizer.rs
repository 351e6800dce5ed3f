//! Text to tokens and back, by the model's own `tokenizer.json`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::IgnoredAny;
use tokenizers::models::ModelWrapper;

use crate::error::{ModelError, Result, shorten};

/// Tokens whose text is held back before it is given out as it is. A character has at most
/// four bytes, so text that is still incomplete after this many tokens is not UTF-8.
const MAX_PENDING: usize = 16;

/// Calls the tokenizer library, which has panics that a file from outside can reach: for its
/// callers they are errors as any other. These calls change nothing, so nothing is left in
/// a broken state.
fn guard<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("the tokenizer library does not understand it".into()),
    }
}

/// A tokenizer that fits a model's vocabulary.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    vocab: usize,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocab", &self.vocab).finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Reads a `tokenizer.json` for a model of `vocab` tokens. Fewer tokens than the model
    /// has are fine (published vocabularies are padded), more are not.
    ///
    /// Settings that would make the result depend on chance or length (dropout, truncation,
    /// padding) are switched off.
    ///
    /// # Errors
    /// [`ModelError::TokenizerSyntax`], [`ModelError::TokenizerVocab`].
    pub fn from_json(bytes: &[u8], vocab: usize) -> Result<Self> {
        let syntax = |detail: String| ModelError::TokenizerSyntax { detail: shorten(&detail) };
        // The library panics on JSON that breaks off inside some of its objects.
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|e| syntax(e.to_string()))?;
        let mut inner = guard(|| tokenizers::Tokenizer::from_bytes(bytes)).map_err(syntax)?;
        inner.with_truncation(None).map_err(|e| syntax(e.to_string()))?;
        inner.with_padding(None);
        if let ModelWrapper::BPE(bpe) = inner.get_model()
            && bpe.dropout.is_some()
        {
            let mut bpe = bpe.clone();
            bpe.dropout = None;
            inner.with_model(bpe);
        }
        let last = inner.get_vocab(true).into_iter().max_by_key(|(_, id)| *id);
        match last {
            None => Err(syntax("it has no tokens".into())),
            Some((token, id)) if id as usize >= vocab => {
                Err(ModelError::TokenizerVocab { token: shorten(&token), id, vocab })
            }
            Some(_) => Ok(Tokenizer { inner, vocab }),
        }
    }

    /// The tokens of a text; with special tokens, those that the file's post-processor adds
    /// around it (a begin token, usually).
    ///
    /// # Errors
    /// [`ModelError::Encode`]; [`ModelError::TokenRange`] if the post-processor adds a token
    /// that the model does not have.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>> {
        let encoding = self.encoding(text, add_special_tokens)?;
        self.in_range(encoding.get_ids())?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of a text without special ones, and how many bytes of it each covers.
    ///
    /// The bytes add up to the text's length: what lies between two tokens (trimmed spaces)
    /// counts for the later one, what follows the last for the last, and a character cut
    /// into several tokens for its first.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_with_bytes(&self, text: &str) -> Result<(Vec<u32>, Vec<usize>)> {
        let encoding = self.encoding(text, false)?;
        self.in_range(encoding.get_ids())?;
        let mut covered = 0;
        let mut bytes: Vec<usize> = encoding
            .get_offsets()
            .iter()
            .map(|&(_, end)| {
                let end = end.clamp(covered, text.len());
                let new = end - covered;
                covered = end;
                new
            })
            .collect();
        if let Some(last) = bytes.last_mut() {
            *last += text.len() - covered;
        }
        Ok((encoding.get_ids().to_vec(), bytes))
    }

    /// The text of tokens, without special ones. Ids below `vocab` that the tokenizer has no
    /// token for give no text.
    ///
    /// # Errors
    /// [`ModelError::TokenRange`], [`ModelError::Decode`].
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.in_range(ids)?;
        guard(|| self.inner.decode(ids, true))
            .map_err(|detail| ModelError::Decode { detail: shorten(&detail) })
    }

    /// Starts to decode token by token.
    pub fn stream(&self) -> TextStream<'_> {
        TextStream { tokenizer: self, window: Vec::new(), context: 0, given: String::new() }
    }

    fn encoding(&self, text: &str, add_special_tokens: bool) -> Result<tokenizers::Encoding> {
        guard(|| self.inner.encode(text, add_special_tokens))
            .map_err(|detail| ModelError::Encode { detail: shorten(&detail) })
    }

    fn in_range(&self, ids: &[u32]) -> Result<()> {
        match ids.iter().find(|&&id| id as usize >= self.vocab) {
            Some(&id) => Err(ModelError::TokenRange { id, vocab: self.vocab }),
            None => Ok(()),
        }
    }

    /// Whether a token never gives text: a special one, or none at all.
    fn is_silent(&self, id: u32) -> bool {
        self.inner
            .id_to_token(id)
            .is_none_or(|token| self.inner.get_added_vocabulary().is_special_token(&token))
    }
}

/// Decodes token by token; all pieces together are the text of all tokens together.
///
/// A piece of a character is held back until the character is complete, and so is U+FFFD at
/// the end of the text, which is how decoders show a piece. What a token says depends on
/// the one before it (a leading space is dropped only at the start of a text), so each step
/// decodes a window: the tokens of the last piece as context, and those still to be given
/// out. Its length is bounded, so a step costs the same however long the text is.
#[derive(Debug)]
pub struct TextStream<'t> {
    tokenizer: &'t Tokenizer,
    window: Vec<u32>,
    /// How many tokens at the window's start are context.
    context: usize,
    /// What of the window's text has been given out, that of the context included.
    given: String,
}

impl TextStream<'_> {
    /// Takes one token; returns text if some has become certain.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`]; the stream then goes on without the token.
    pub fn push(&mut self, id: u32) -> Result<Option<String>> {
        self.tokenizer.in_range(&[id])?;
        if self.tokenizer.is_silent(id) {
            return Ok(None);
        }
        self.window.push(id);
        let text = match self.tokenizer.decode(&self.window) {
            Ok(text) => text,
            Err(error) => {
                self.window.pop();
                return Err(error);
            }
        };
        let certain = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let clean = certain.len() == text.len();
        let piece = match certain.strip_prefix(self.given.as_str()) {
            Some(piece) => piece.to_owned(),
            // What was given out reads differently now: bytes after it made it invalid.
            None if clean => self.without_context()?,
            None => String::new(),
        };
        let pending = self.window.len() - self.context;
        if clean && !piece.is_empty() {
            self.advance()?;
        } else if pending >= MAX_PENDING {
            let rest = self.rest()?;
            self.advance()?;
            return Ok(Some(rest).filter(|text| !text.is_empty()));
        } else if !piece.is_empty() {
            self.given.push_str(&piece);
        }
        Ok(Some(piece).filter(|text| !text.is_empty()))
    }

    /// Gives out what is still held back, complete or not, and starts anew.
    ///
    /// # Errors
    /// [`ModelError::Decode`].
    pub fn finish(&mut self) -> Result<String> {
        let rest = self.rest()?;
        *self = self.tokenizer.stream();
        Ok(rest)
    }

    /// All text of the window that has not been given out.
    fn rest(&self) -> Result<String> {
        let text = self.tokenizer.decode(&self.window)?;
        match text.strip_prefix(self.given.as_str()) {
            Some(rest) => Ok(rest.to_owned()),
            None => self.without_context(),
        }
    }

    fn without_context(&self) -> Result<String> {
        self.tokenizer.decode(&self.window[self.context..])
    }

    /// The pending tokens become the context of those to come.
    fn advance(&mut self) -> Result<()> {
        self.window.drain(..self.context);
        self.context = self.window.len();
        self.given = self.tokenizer.decode(&self.window)?;
        Ok(())
    }
}
