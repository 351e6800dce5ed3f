//! The model that is used when none is named: 5 million parameters of Shakespeare.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sterna_firmware::model::Model;

use crate::error::Result;
use crate::output;

/// The demo model; its card is `model/demo/README.md`.
static DEMO: &[u8] = include_bytes!("../../model/demo/shakespeare-5m.sterna");

/// Name of the demo model in messages.
pub const NAME: &str = "shakespeare-5m (built in)";

/// Opens a model file, or the demo model if none is named.
pub fn open(path: Option<&Path>) -> Result<Arc<Model>> {
    let begin = Instant::now();
    let model = match path {
        Some(path) => Model::open(path)?,
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

/// Splits the words of `[MODEL] LAST`: with one word it is `LAST`.
pub fn split(mut words: Vec<String>) -> (Option<PathBuf>, Option<String>) {
    let last = words.pop();
    (words.pop().map(PathBuf::from), last)
}
