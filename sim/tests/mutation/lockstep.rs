//! The core with the mutants of its modules, in one Verilated build, beside the golden model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use sterna_firmware::Result;
use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_model::synth::{Channels, SynthSpec};
use sterna_rtl::mutate::{INPUT, Mutant};
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Model as Compiled, Options, Session, SimCard};

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

/// Models that it can hold.
fn specs() -> [SynthSpec; 2] {
    [
        SynthSpec { intermediate: Some(96), ..SynthSpec::new(32, 2, 101) },
        SynthSpec {
            intermediate: Some(64),
            heads: 4,
            lower_bounds: true,
            channels: Channels::Outliers,
            ..SynthSpec::new(64, 1, 40)
        },
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

/// Both models on a mutated core.
pub struct Lockstep {
    core: Compiled,
    models: Vec<Arc<Model>>,
}

impl Lockstep {
    /// The core with all of these, compiled.
    pub fn new(mutants: &[Mutant]) -> Lockstep {
        let design = core().mutated(mutants).unwrap();
        let core = Compiled::build(&design, &options()).unwrap();
        Lockstep { core, models: specs().iter().map(|spec| made_up(spec).unwrap()).collect() }
    }

    /// What golden, the driver or the core's assertions say of a mutant; `None` where nothing.
    pub fn notice(&self, number: usize) -> Option<String> {
        let stalls = [Stalls::Random, Stalls::None];
        self.models.iter().zip(stalls).find_map(|(model, stalls)| {
            let run = || self.run(number, model, stalls);
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Ok(said)) => said,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("a panic".into()),
            }
        })
    }

    fn run(&self, number: usize, model: &Arc<Model>, stalls: Stalls) -> Result<Option<String>> {
        let geometry = geometry();
        let memory = MemoryOptions { bytes: 1 << 22, latency: 20, stalls, seed: 1 };
        let options = CardOptions { memory, patience: 1 << 15, ..CardOptions::default() };
        let mut sim = SimCard::with(&self.core, geometry.bus, &options)?;
        sim.hold(INPUT, number as u64)?;
        let mut session = Session::over(sim, model, &geometry, &options)?;
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
