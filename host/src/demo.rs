//! The model that a word names; without one 5 million parameters of Shakespeare.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sterna_firmware::model::Model;

use crate::error::Result;
use crate::hub::HubError;
use crate::models;
use crate::output;

/// The demo model; its card is `model/demo/README.md`.
static DEMO: &[u8] = include_bytes!("../../model/demo/shakespeare-5m.sterna");

/// Name of the demo model in messages.
pub const NAME: &str = "shakespeare-5m (built in)";

/// Opens a model: a file, or a pulled one by its name; the demo model if none is named.
///
/// # Errors
/// [`HubError::NoModel`] if the word is neither; those of opening.
pub fn open(word: Option<&Path>) -> Result<Arc<Model>> {
    let begin = Instant::now();
    let model = match word {
        Some(word) => Model::open(&file(word)?)?,
        None => Model::from_static(NAME, DEMO)?,
    };
    output::detail(&format!(
        "{}: image {}, every checksum right, {:.2} s",
        model.path().display(),
        model.description().image_id,
        begin.elapsed().as_secs_f64()
    ));
    Ok(model)
}

/// The file that a word means: that of this name, else a pulled model of this name.
///
/// # Errors
/// [`HubError::NoModel`].
pub fn file(word: &Path) -> Result<PathBuf> {
    if !word.is_file()
        && let Some(pulled) = word.to_str().and_then(models::find)
    {
        return Ok(pulled);
    }
    // A directory is opened all the same: what is wrong with it is said there.
    match word.exists() {
        true => Ok(word.into()),
        false => Err(HubError::NoModel { word: word.into() }.into()),
    }
}

/// Splits the words of `[MODEL] LAST`: with one word it is `LAST`.
pub fn split(mut words: Vec<String>) -> (Option<PathBuf>, Option<String>) {
    let last = words.pop();
    (words.pop().map(PathBuf::from), last)
}
