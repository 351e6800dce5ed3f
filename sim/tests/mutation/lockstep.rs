//! The core with the mutants of its modules, in one Verilated build, beside the golden model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use sterna_firmware::Result;
use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_hdl::driver::Transport;
use sterna_hdl::registers as regs;
use sterna_model::synth::{Channels, SynthSpec};
use sterna_rtl::mutate::{INPUT, Mutant};
use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::{Case, made_up};
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Model as Compiled, Options, Session, SimCard};

use crate::common::attacks::ATTACKS;
use crate::common::bench::{self, Bench};
use crate::common::exaggerated::exaggerated;

/// A small core, with more than one way.
fn geometry() -> Geometry {
    Geometry {
        ways: 2,
        quantisers: 4,
        top_k: 8,
        hidden: 64,
        inner: 64,
        intermediate: 96,
        state: 128,
        ..Geometry::for_shape(64, &specs().map(|spec| made_up(&spec).unwrap().shape())[0])
    }
}

/// Models that it can hold; the last has a row more than a row group.
fn specs() -> [SynthSpec; 3] {
    [
        SynthSpec { intermediate: Some(96), ..SynthSpec::new(32, 2, 101) },
        SynthSpec {
            intermediate: Some(64),
            heads: 4,
            lower_bounds: true,
            channels: Channels::Outliers,
            ..SynthSpec::new(64, 1, 40)
        },
        SynthSpec { intermediate: Some(32), ..SynthSpec::new(32, 1, 6) },
    ]
}

/// Compiled in little time, the design's properties checked, in a folder of its own, so that none is
/// ever taken for sound.
pub fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutated");
    Options { quick: true, assertions: true, cache: Some(cache), ..Options::default() }
}

/// The core as it is.
pub fn core() -> Design {
    Core { geometry: geometry() }.build().unwrap()
}

/// Random cases: some of each kind of memory, and with resets in the middle.
const CASES: std::ops::Range<u64> = 1..13;

/// A mutated core, and what is run on it.
pub struct Lockstep {
    core: Compiled,
    models: Vec<Arc<Model>>,
    /// The model that is damaged.
    attacked: Arc<Model>,
    cases: Vec<(Case, Arc<Model>)>,
}

impl Lockstep {
    /// The core with all of these, compiled.
    pub fn new(mutants: &[Mutant]) -> Lockstep {
        let design = core().mutated(mutants).unwrap();
        let core = Compiled::build(&design, &options()).unwrap();
        let case = |seed| {
            let case = Case::on(geometry(), seed);
            let model = made_up(&case.spec).unwrap();
            (case, model)
        };
        let mut models = specs().map(|spec| made_up(&spec).unwrap()).to_vec();
        // What its values clamp to counts, and how often.
        models.push(exaggerated(&models[0], 16));
        Lockstep { core, models, attacked: bench::model(1), cases: CASES.map(case).collect() }
    }

    /// What golden, the driver or the core's assertions say of a mutant when it runs as it should;
    /// `None` where nothing.
    pub fn notice(&self, number: usize) -> Option<String> {
        let stalls = [Stalls::Random, Stalls::None, Stalls::None, Stalls::None];
        let mut models = self.models.iter().zip(stalls);
        models.find_map(|(model, stalls)| said(|| self.run(number, model, stalls)))
    }

    /// The same when it runs random cases, and when it is attacked.
    pub fn attacked(&self, number: usize) -> Option<String> {
        let in_cases = || {
            self.cases.iter().find_map(|(case, model)| {
                let options = CardOptions { patience: 1 << 16, ..case.card(options()) };
                let run = || Ok(case.play(self.card(number, &options)?, model, &options)?.err());
                Some(format!("{}: {}", case.seed, said(run)?))
            })
        };
        let in_attacks = || {
            let card = self.card(number, &bench::options(options(), 1)).ok()?;
            let mut bench = Bench::new(card, &self.attacked, 1);
            ATTACKS.iter().find_map(|(name, attack, places)| {
                let run = || {
                    attack(&mut bench, &mut Rng::new(1), *places);
                    Ok(None)
                };
                Some(format!("{name}: {}", said(run)?))
            })
        };
        in_cases().or_else(|| said(|| Ok(in_attacks())))
    }

    /// A card with one of the mutants.
    fn card(&self, number: usize, options: &CardOptions) -> Result<SimCard> {
        let mut sim = SimCard::with(&self.core, geometry().bus, options)?;
        sim.hold(INPUT, number as u64)?;
        Ok(sim)
    }

    fn run(&self, number: usize, model: &Arc<Model>, stalls: Stalls) -> Result<Option<String>> {
        let memory = MemoryOptions { bytes: 1 << 22, latency: 20, stalls, seed: 1 };
        let options = CardOptions { memory, patience: 1 << 15, ..CardOptions::default() };
        let mut session =
            Session::over(self.card(number, &options)?, model, &geometry(), &options)?;
        // A core that does nothing is not waited for, unless it is the watchdog that sleeps.
        session.card().transport().write_register(regs::WATCHDOG.offset, bench::WATCHDOG)?;
        type Act = fn(&mut Session) -> Result<()>;
        let acts: [Act; 6] = [
            |session| session.pass(Want::Top),
            |session| session.pass(Want::Logits),
            |session| session.save_and_load(),
            |session| session.run(3, &[5]),
            |session| session.pass(Want::State),
            |session| session.state().map(|_| ()),
        ];
        for act in acts {
            act(&mut session)?;
            if let Some(first) = session.report().first_mismatch {
                return Ok(Some(format!("{first:?}")));
            }
        }
        Ok(None)
    }
}

/// What a run says: a difference, an error, or that it panicked.
fn said(run: impl FnOnce() -> Result<Option<String>>) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").into())
        }
    }
}
