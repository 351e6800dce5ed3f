//! Which model a board can hold, and how fast it could be.

use serde::Serialize;
use sterna_firmware::isa::instructions;
use sterna_firmware::shape::Shape;
use sterna_hdl::driver::{CardError, MemoryMap};
use sterna_model::synth::SynthSpec;

use super::Board;
use super::schema::MODELS;
use crate::output;

/// The shape of a demo or published model: `tiny`, `5m`, `370m`, `1.3b`, `2.7b`.
pub fn shape(model: &str) -> Option<Shape> {
    match model {
        "tiny" => Some(Shape { hidden: 128, inner: 128, intermediate: 512, layers: 2, vocab: 512 }),
        "5m" => Some(Shape { hidden: 256, inner: 256, intermediate: 768, layers: 6, vocab: 512 }),
        _ => Some(Shape::of(&SynthSpec::named(model)?.config().ok()?)),
    }
}

/// A model on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// Its name.
    pub model: String,
    /// Whether core and memory are large enough.
    pub fits: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Bytes of the image: what a token reads.
    pub image_bytes: u64,
    /// Tokens a second at most, where it fits. *Projected.*
    pub bound_tokens_per_second: Option<f64>,
}

/// What a board's speed cannot exceed, for any model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// Bytes a second of image: the less of what memory gives and the core takes. *Projected.*
    pub bytes_per_second: f64,
    /// Which of the two it is: `memory` or `core`.
    pub limit: &'static str,
}

/// Bytes of the image of a shape.
pub fn image_bytes(shape: &Shape) -> u64 {
    instructions(shape).last().map_or(0, |last| last.end() as u64)
}

impl Board {
    /// What limits a token.
    pub fn bound(&self) -> Bound {
        let (memory, core) = (self.memory_bandwidth(), self.core_bandwidth());
        // Block RAM is never slower than the core's port.
        let limit = if memory <= core && self.memory.kind != "block" { "memory" } else { "core" };
        Bound { bytes_per_second: memory.min(core), limit }
    }

    /// One model, by name and shape.
    pub fn fit(&self, model: &str, shape: &Shape) -> Fit {
        let image_bytes = image_bytes(shape);
        let reason = self.lacks(model, shape);
        let fits = reason.is_none();
        let bound = self.bound().bytes_per_second / image_bytes as f64;
        let bound_tokens_per_second = fits.then_some(bound);
        Fit { model: model.into(), fits, reason, image_bytes, bound_tokens_per_second }
    }

    /// Why a model does not fit: the memory, which nobody can change, before the core.
    fn lacks(&self, model: &str, shape: &Shape) -> Option<String> {
        let plan = MemoryMap::plan(
            shape,
            &instructions(shape),
            &self.geometry,
            1,
            self.memory.bytes,
            false,
        );
        match plan {
            Ok(_) => {}
            Err(CardError::Memory { needed, bytes, .. }) => {
                let (needed, bytes) = (output::mib(needed), output::mib(bytes));
                return Some(format!("it needs {needed} of memory, there are {bytes}"));
            }
            Err(error) => return Some(error.to_string()),
        }
        self.geometry.fits(shape).err()?;
        Some(format!(
            "the core is made for a smaller model; `sterna bitstream --board {} --model {model}` \
             makes a larger one",
            self.name
        ))
    }

    /// The demo and published models.
    pub fn fits(&self) -> Vec<Fit> {
        MODELS.iter().map(|name| self.fit(name, &shape(name).expect("a known model"))).collect()
    }
}
