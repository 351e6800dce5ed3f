//! The test of a card, step by step: what `sterna validate` does.
//!
//! | module | its steps |
//! |---|---|
//! | [`registers`] | core, registers that are read, registers that are written, interrupt |
//! | [`memory`] | size, address lines, march test |
//! | [`rates`] | DMA channels, one by one and together |
//! | [`layer`] | load, checksums by the core, passes against golden |
//!
//! A step that fails does not end the test: the way to the card is mended and the next one is
//! tried. Only what needs the result of a failed step is left out, and says so.

pub mod layer;
pub mod memory;
pub mod rates;
pub mod registers;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{CardError, Transport, bare};

use crate::devices::xdma::{TransportError, XdmaTransport};
use crate::error::HostError;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Passed,
    /// Something is wrong with the card.
    Failed,
    /// It could not be tried.
    Skipped,
}

impl Outcome {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "pass",
            Outcome::Failed => "FAIL",
            Outcome::Skipped => "skip",
        }
    }
}

/// A step and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Figures, or what is wrong, for people.
    pub text: String,
    /// Figures for programs: an object.
    pub figures: Value,
    /// How long it took.
    pub seconds: f64,
}

/// What a step that passes says: words, and figures as an object.
pub type Passed = (String, Value);

/// Why a step does not pass.
pub enum Trouble {
    /// The card does something wrong.
    Wrong(String, Value),
    /// It could not be asked.
    Error(HostError),
    /// There is nothing to try.
    Skip(&'static str),
}

/// A result of a step.
pub type Tried = Result<Passed, Trouble>;

impl From<HostError> for Trouble {
    fn from(error: HostError) -> Trouble {
        Trouble::Error(error)
    }
}

impl From<FirmwareError> for Trouble {
    fn from(error: FirmwareError) -> Trouble {
        Trouble::Error(error.into())
    }
}

impl From<CardError> for Trouble {
    fn from(error: CardError) -> Trouble {
        FirmwareError::from(error).into()
    }
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Trouble {
        Trouble::Error(error.into())
    }
}

/// What is tested, and how.
pub struct Plan {
    /// Bytes of memory, if they are known.
    pub memory: Option<u64>,
    /// Test every byte of the memory.
    pub full: bool,
    /// The model for the passes; without one it is made up.
    pub model: Option<Arc<Model>>,
}

/// A card under test.
pub struct Bench<'a> {
    /// The way to the card.
    pub transport: XdmaTransport,
    /// The core, once it was identified.
    pub geometry: Option<Geometry>,
    /// Told of every step as it ends.
    emit: &'a mut dyn FnMut(&Step),
    /// The steps that have ended.
    pub steps: Vec<Step>,
}

impl Bench<'_> {
    /// Tries a step.
    pub fn step(
        &mut self,
        name: impl Into<String>,
        what: impl FnOnce(&mut Self) -> Tried,
    ) -> Outcome {
        let begin = Instant::now();
        let (outcome, text, figures) = match what(self) {
            Ok((text, figures)) => (Outcome::Passed, text, figures),
            Err(Trouble::Wrong(text, figures)) => (Outcome::Failed, text, figures),
            Err(Trouble::Error(error)) => {
                let figures = json!({ "error": crate::output::error(&error) });
                (Outcome::Failed, format!("[{}] {error}", error.code()), figures)
            }
            Err(Trouble::Skip(why)) => (Outcome::Skipped, why.into(), json!({})),
        };
        let seconds = begin.elapsed().as_secs_f64();
        let step = Step { name: name.into(), outcome, text, figures, seconds };
        (self.emit)(&step);
        self.steps.push(step);
        if outcome == Outcome::Failed {
            // What hung or was gone may be back for the next step.
            let _ = self.transport.recover();
        }
        outcome
    }

    /// The core, or why a step that needs it is left out.
    pub fn core(&self) -> Result<Geometry, Trouble> {
        self.geometry.clone().ok_or(Trouble::Skip("the core was not identified"))
    }

    /// Bytes of memory, or why a step that needs some is left out.
    pub fn bytes(&self) -> Result<u64, Trouble> {
        match self.transport.memory_bytes() {
            0 => Err(Trouble::Skip("the size of the memory is not known")),
            bytes => Ok(bytes),
        }
    }
}

/// Tests a card. What was in its memory is lost, and its label is void.
pub fn validate(transport: XdmaTransport, plan: &Plan, emit: &mut dyn FnMut(&Step)) -> Vec<Step> {
    let mut bench = Bench { transport, geometry: None, emit, steps: vec![] };
    registers::steps(&mut bench);
    memory::steps(&mut bench, plan);
    rates::steps(&mut bench);
    layer::steps(&mut bench, plan.model.as_ref());
    bench.step("label", |bench| {
        bench.bytes()?;
        bare::forget(&mut bench.transport)?;
        match bare::holds(&mut bench.transport)? {
            None => Ok(("void: the next load writes everything".into(), json!({}))),
            Some(_) => Err(Trouble::Wrong("the label does not go away".into(), json!({}))),
        }
    });
    bench.steps
}
