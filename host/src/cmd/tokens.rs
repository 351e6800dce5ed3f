//! Token lists on the command line, shared by `run` and `logits`.

use std::path::Path;

use sterna_firmware::FirmwareError;

use crate::error::{HostError, Result};
use crate::output;

/// Reads `1,2,3`, or a file of numbers separated by commas or white space.
///
/// A word that names an existing file is read as one; every token must be below `vocab`.
pub fn parse(word: &str, vocab: usize) -> Result<Vec<u32>> {
    let path = Path::new(word);
    let text = if path.is_file() { output::read_text(path)? } else { word.to_owned() };
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|w| !w.is_empty());
    let tokens = words
        .map(|word| word.parse().map_err(|_| HostError::BadTokens { word: word.into() }))
        .collect::<Result<Vec<u32>>>()?;
    if let Some(&token) = tokens.iter().find(|&&token| token as usize >= vocab) {
        return Err(FirmwareError::Token { token, vocab }.into());
    }
    if tokens.is_empty() { Err(HostError::EmptyPrompt) } else { Ok(tokens) }
}
