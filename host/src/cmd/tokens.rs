//! Token lists on the command line, shared by `run` and `logits`.

use std::path::Path;

use sterna_firmware::FirmwareError;

use crate::error::{HostError, Result};
use crate::output;

/// Reads `1,2,3`, or a file of numbers separated by commas or white space; a JSON list of
/// numbers is one too.
///
/// A word that names an existing file is read as one; every token must be below `vocab`.
pub fn parse(word: &str, vocab: usize) -> Result<Vec<u32>> {
    let path = Path::new(word);
    let text = if path.is_file() { output::read_text(path)? } else { word.to_owned() };
    let separates = |c: char| ",[]".contains(c) || c.is_whitespace();
    let words = text.split(separates).filter(|word| !word.is_empty());
    let tokens = words
        .map(|word| word.parse().map_err(|_| HostError::BadTokens { word: word.into() }))
        .collect::<Result<Vec<u32>>>()?;
    if let Some(&token) = tokens.iter().find(|&&token| token as usize >= vocab) {
        return Err(FirmwareError::Token { token, vocab }.into());
    }
    if tokens.is_empty() { Err(HostError::EmptyPrompt) } else { Ok(tokens) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_every_spelling() {
        for list in ["1,2,3", "1 2\n3", "[1, 2, 3]", ",1,,2,3,"] {
            assert_eq!(parse(list, 4).unwrap(), [1, 2, 3], "{list}");
        }
        let codes = ["1,4", "1,-2", "1,x", "", "[]"].map(|list| parse(list, 4).unwrap_err().code());
        assert_eq!(codes, ["F011", "H004", "H004", "H003", "H003"]);
    }
}
