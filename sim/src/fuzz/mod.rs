//! Random cores, models, memories and commands, each case by one number.
//!
//! Neighbouring numbers share a geometry, so that several models run on a core that was compiled
//! once: cases `8 n` to `8 n + 7` do.

mod action;
mod shrink;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate};

use crate::card::CardOptions;
use crate::error::SimError;
use crate::memory::{MemoryOptions, Stalls};
use crate::model::Options;
use crate::session::Session;

use action::Action;
pub use shrink::Change;

/// Cases of one geometry.
const SHARED: u64 = 8;
/// Bits of codes that a beat meets at most: what takes a C++ compiler a minute, not several.
const WIDEST: u32 = 1024;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number.
    pub seed: u64,
    /// The core.
    pub geometry: Geometry,
    /// The model.
    pub spec: SynthSpec,
    /// The memory.
    pub memory: MemoryOptions,
    actions: Vec<Action>,
    /// What makes it smaller than the case of its number.
    changes: Vec<Change>,
}

fn choose<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

/// A multiple of 32 up to `most`, and that itself in one case of three.
fn width(rng: &mut Rng, most: usize) -> usize {
    if rng.one_in(3) { most } else { 32 * (1 + rng.below(most as u64 / 32) as usize) }
}

fn geometry(seed: u64) -> Geometry {
    let rng = &mut Rng::new(Rng::new(seed ^ 0x6765_6f6d).next_u64());
    let bus = choose(rng, &[64, 128, 256, 512]);
    let ways: Vec<u32> = [1, 2, 4, 8].into_iter().filter(|&n| n <= bus / 32).collect();
    let hidden = width(rng, 320);
    let inner = hidden * choose(rng, &[1, 1, 2]);
    let intermediate = 32 * (1 + rng.below(16) as usize);
    let burst = (4096 / (bus as usize / 8)).min(256);
    let ways = choose(rng, &ways);
    let legal = |&n: &u32| (ways..=bus / 8).contains(&n);
    let slots: Vec<u32> = [1, 1, 1, 2, 4, 8].into_iter().filter(|&n| n * bus <= WIDEST).collect();
    let quantisers: Vec<u32> = [2, 4, 8, 16, 32].into_iter().filter(legal).collect();
    let geometry = Geometry {
        bus,
        ways,
        quantisers: choose(rng, &quantisers),
        top_k: choose(rng, &[1, 8, 64]),
        slots: 1,
        hidden,
        inner,
        intermediate,
        state: inner * (1 + rng.below(3) as usize) + 32 * rng.below(3) as usize,
        prefetch: burst << rng.below(3),
    };
    Geometry { slots: choose(rng, &slots), ..geometry }
}

/// A model that fits.
fn model(rng: &mut Rng, geometry: &Geometry) -> SynthSpec {
    let hidden = width(rng, geometry.hidden);
    let expand = if geometry.inner >= 2 * hidden && rng.one_in(2) { 2 } else { 1 };
    let inner = hidden * expand;
    let layers = 1 + rng.below((geometry.state / inner).min(3) as u64) as usize;
    let divides: Vec<usize> = [1, 2, 4].into_iter().filter(|&n| inner.is_multiple_of(n)).collect();
    SynthSpec {
        expand,
        intermediate: Some(width(rng, geometry.intermediate)),
        heads: choose(rng, &divides),
        eps: choose(rng, &[1e-6, 1e-5, 1e-3]),
        lower_bounds: expand == 1 && !rng.one_in(3),
        seed: rng.next_u64(),
        outliers: rng.one_in(3),
        ..SynthSpec::new(hidden, layers, 2 + rng.below(700) as usize)
    }
}

impl Case {
    /// The numbers of so many cases.
    pub fn seeds(seed: u64, cases: u64) -> impl Iterator<Item = u64> {
        let first = (Rng::new(seed).next_u64() >> 24) * SHARED;
        (0..cases).map(move |n| first + n)
    }

    /// The case of a number.
    pub fn new(seed: u64) -> Case {
        let geometry = geometry(seed / SHARED);
        let rng = &mut Rng::new(Rng::new(seed).next_u64());
        let spec = model(rng, &geometry);
        let memory = MemoryOptions {
            bytes: 1 << 28,
            latency: 1 + rng.below(100) as u32,
            stalls: choose(rng, &[Stalls::None, Stalls::Random, Stalls::Burst]),
            seed: rng.next_u64(),
        };
        let vocab = spec.vocab as u32;
        let actions = match geometry.slots as usize {
            1 => Action::of_one(rng, vocab),
            slots => Action::of_several(rng, vocab, slots),
        };
        Case { seed, geometry, spec, memory, actions, changes: vec![] }
    }
}

/// One line: what to reproduce it by hand from.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (g, s, m) = (&self.geometry, &self.spec, &self.memory);
        write!(
            f,
            "case {}: bus {}, slots {}, ways {}, quantisers {}, top_k {}, prefetch {}; model {} x {} x {:?}, \
             {} layers, {} tokens{}{}; {:?}, latency {}; {:?}",
            self.seed,
            g.bus,
            g.slots,
            g.ways,
            g.quantisers,
            g.top_k,
            g.prefetch,
            s.hidden,
            s.hidden * s.expand,
            s.intermediate.unwrap_or_default(),
            s.layers,
            s.vocab,
            if s.lower_bounds { ", lower bounds" } else { "" },
            if s.outliers { ", outliers" } else { "" },
            m.stalls,
            m.latency,
            self.actions
        )
    }
}

/// Runs cases, and keeps the core of the last one.
#[derive(Default)]
pub struct Fuzzer {
    core: Option<(Geometry, Design)>,
    /// How cores are compiled; properties of the design are always checked.
    pub options: Options,
}

impl Fuzzer {
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
        let model_options = Options { quick: true, assertions: true, ..self.options.clone() };
        let design = self.design(&case.geometry)?;
        let options = CardOptions { memory: case.memory, model: model_options, patience: 1 << 26 };
        let mut session = Session::of(design, model, &case.geometry, &options)?;
        let slots = case.geometry.slots as usize;
        if slots > 1 {
            session.clear_slots((1 << slots) - 1)?;
        }
        for action in &case.actions {
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

    fn design(&mut self, geometry: &Geometry) -> Result<&Design, SimError> {
        if self.core.as_ref().is_none_or(|(of, _)| of != geometry) {
            let core = Core { geometry: geometry.clone() };
            self.core = Some((geometry.clone(), core.build().map_err(SimError::Core)?));
        }
        Ok(&self.core.as_ref().expect("made just now").1)
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

#[cfg(test)]
mod tests {
    use super::*;
    use sterna_firmware::shape::Shape;

    #[test]
    fn every_case_is_legal_and_the_same_again() {
        let mut kinds = std::collections::BTreeSet::new();
        for seed in Case::seeds(3, 400) {
            let case = Case::new(seed);
            case.geometry.check().unwrap();
            let shape = Shape::of(&case.spec.config().unwrap());
            case.geometry.fits(&shape).unwrap();
            assert_eq!(case.to_string(), Case::new(seed).to_string());
            assert_eq!(case.geometry, Case::new(seed - seed % SHARED).geometry);
            kinds.insert((case.geometry.bus, case.spec.expand, case.spec.layers));
        }
        assert_eq!(kinds.len(), 4 * 2 * 3, "every bus, expand and depth: {kinds:?}");
    }
}
