//! Random cores, models, memories and commands, each case by one number.
//!
//! Numbers near each other share a geometry, so that many models run on a core that was compiled
//! once.

mod action;
mod case;
mod shrink;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_rtl::{Design, Generate};

use crate::card::{CardOptions, SimCard};
use crate::error::SimError;
use crate::model::Options;
use crate::session::Session;

pub use case::Case;
pub use shrink::Change;

/// Runs cases, and keeps the core of the last one.
#[derive(Default)]
pub struct Fuzzer {
    core: Option<(Geometry, Design)>,
    /// How cores are compiled; properties of the design are always checked.
    options: Options,
}

impl Fuzzer {
    /// One that compiles cores like this.
    pub fn new(options: Options) -> Fuzzer {
        Fuzzer { core: None, options }
    }

    /// Runs a case.
    ///
    /// # Errors
    /// In words: the first difference, or what failed.
    pub fn run(&mut self, case: &Case) -> Result<(), String> {
        let model = made_up(&case.spec).map_err(|e| format!("{}: {e}", e.code()))?;
        self.play(case, &model).map_err(|e| format!("{}: {e}", e.code()))?
    }

    fn play(
        &mut self,
        case: &Case,
        model: &Arc<Model>,
    ) -> sterna_firmware::Result<Result<(), String>> {
        let compiled = Options { quick: true, assertions: true, ..self.options.clone() };
        let design = self.design(&case.geometry)?;
        let options = case.card(compiled);
        let sim = SimCard::of(design, case.geometry.bus, &options)?;
        case.play(sim, model, &options)
    }

    fn design(&mut self, geometry: &Geometry) -> Result<&Design, SimError> {
        if self.core.as_ref().is_none_or(|(of, _)| of != geometry) {
            let core = Core { geometry: geometry.clone() };
            self.core = Some((geometry.clone(), core.build().map_err(SimError::Core)?));
        }
        Ok(&self.core.as_ref().expect("made just now").1)
    }
}

impl Case {
    /// How its card is simulated, with a core that is compiled so.
    pub fn card(&self, model: Options) -> CardOptions {
        CardOptions { memory: self.memory, model, patience: 1 << 26 }
    }

    /// Runs the case on a card that is there, with its model: the first difference in words.
    ///
    /// # Errors
    /// Those of golden, of the driver and of the simulation.
    pub fn play(
        &self,
        sim: SimCard,
        model: &Arc<Model>,
        options: &CardOptions,
    ) -> sterna_firmware::Result<Result<(), String>> {
        let mut session = Session::over(sim, model, &self.geometry, options)?;
        session.card().transport().hesitate(self.registers, self.seed);
        let slots = self.geometry.slots as usize;
        if slots > 1 {
            session.clear_slots((1 << slots) - 1)?;
        }
        for action in &self.actions {
            action.play(&mut session)?;
            if session.report().mismatches > 0 {
                break;
            }
        }
        match slots {
            1 => session.state().map(|_| ())?,
            slots => (0..slots).try_for_each(|slot| session.move_state(slot, slot))?,
        }
        let report = session.report();
        Ok(match report.first_mismatch {
            None => Ok(()),
            Some(first) => Err(format!("{} mismatches, first {first:?}", report.mismatches)),
        })
    }
}

/// The compiled model of a specification.
///
/// # Errors
/// F and M, as from importing a checkpoint.
pub fn made_up(spec: &SynthSpec) -> sterna_firmware::Result<Arc<Model>> {
    let directory = tempfile::tempdir()
        .map_err(sterna_firmware::FirmwareError::io(&std::env::temp_dir(), "write"))?;
    Model::open(&made_up_in(directory.path(), spec)?)
}

/// The same as a file in a directory, beside the checkpoint that it was imported from.
///
/// # Errors
/// F and M, as from importing a checkpoint.
pub fn made_up_in(directory: &Path, spec: &SynthSpec) -> sterna_firmware::Result<PathBuf> {
    let checkpoint = directory.join("checkpoint");
    synth::write(spec, &checkpoint, &mut |_, _| ())?;
    let path = directory.join("model.sterna");
    compile(&Checkpoint::open(&checkpoint)?, &path, &mut |_| ())?;
    Ok(path)
}
