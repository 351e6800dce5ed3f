//! A sequence's recurrent state as a file, from which a text goes on at once.
//!
//! A state is small, whatever led to it: [`Saved`] is a safetensors file of one tensor with what
//! must be known beside it (docs/image-format.md §10). Between two tokens there is always one that
//! was chosen, or given, and has not entered the state yet. It is saved as a number, and enters
//! first when the text goes on: so the head's candidates need not be kept, and no token is computed
//! twice.

mod file;

use std::path::Path;

use serde::{Deserialize, Serialize};
use sterna_firmware::device::{Device, State};
use sterna_firmware::model::Model;

use crate::error::{HostError, Result};
use crate::template::Message;

/// A sequence between two of its tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The image that it is of, 16 hexadecimal digits.
    pub image_id: String,
    /// Layers and elements of a layer.
    pub shape: [usize; 2],
    /// The state, `layers × elements`.
    pub state: State,
    /// Tokens that have entered it.
    pub entered: u64,
    /// The token that enters next; `None` after a turn that ended with a stop.
    pub pending: Option<u32>,
    /// Random numbers that sampling has drawn.
    pub draws: u64,
    /// What was said, if it is a conversation.
    pub conversation: Option<Conversation>,
}

/// What was said until a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// The turns.
    pub messages: Vec<Message>,
    /// The text that entered.
    pub text: String,
    /// That of the pending token, if it is an answer's.
    pub next: String,
}

impl Saved {
    /// The state that a slot has now; of the rest only that nothing has entered.
    ///
    /// # Errors
    /// Those of the device.
    pub fn of(model: &Model, device: &mut dyn Device, slot: usize) -> Result<Saved> {
        let shape = model.shape();
        Ok(Saved {
            image_id: model.description().image_id.clone(),
            shape: [shape.layers, shape.inner],
            state: device.save(slot)?,
            entered: 0,
            pending: None,
            draws: 0,
            conversation: None,
        })
    }

    /// Writes the file: under a temporary name, renamed when it is whole.
    ///
    /// # Errors
    /// [`HostError::StateRange`], and those of writing.
    pub fn write(&self, path: &Path) -> Result<u64> {
        let bytes = file::encode(self)?;
        crate::output::write_file(path, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Reads a file, all of it checked.
    ///
    /// # Errors
    /// [`HostError::StateFile`], [`HostError::StateVersion`], [`HostError::StateChecksum`].
    pub fn open(path: &Path) -> Result<Saved> {
        file::decode(path, &file::read(path)?)
    }

    /// Gives a slot of a device the state; `path` is for messages.
    ///
    /// # Errors
    /// [`HostError::StateModel`] if it is of another model, F018 if the device has another
    /// arithmetic.
    pub fn restore(
        &self,
        path: &Path,
        model: &Model,
        device: &mut dyn Device,
        slot: usize,
    ) -> Result<()> {
        let (shape, description) = (model.shape(), model.description());
        if self.image_id != description.image_id {
            return Err(HostError::StateModel {
                path: path.into(),
                found: self.image_id.clone(),
                model: model.path().into(),
                wanted: description.image_id.clone(),
            });
        }
        let wrong = |reason| HostError::StateFile { path: path.into(), reason };
        if self.shape != [shape.layers, shape.inner] {
            let [layers, inner] = self.shape;
            let reason = format!(
                "it has {layers} layers of {inner}, its model {} of {}",
                shape.layers, shape.inner
            );
            return Err(wrong(reason));
        }
        if self.pending.is_some_and(|token| token as usize >= shape.vocab) {
            return Err(wrong(format!("its next token is none of the {} there are", shape.vocab)));
        }
        Ok(device.restore(slot, &self.state)?)
    }

    /// `fixed` or `float`.
    pub fn arithmetic(&self) -> &'static str {
        match self.state {
            State::Fixed(_) => "fixed",
            State::Float(_) => "float",
        }
    }
}
