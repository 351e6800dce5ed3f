//! The proof by example: greedy tokens through the core, every vector compared with golden's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sterna_firmware::Result;
use sterna_firmware::device::Counters;
use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_rtl::Design;

use crate::card::{CardOptions, Window};
use crate::error::SimError;
use crate::lockstep::{Mismatch, Report};
use crate::model::Trace;
use crate::session::Session;

/// What is verified, and how.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Tokens.
    pub tokens: usize,
    /// The card.
    pub card: CardOptions,
    /// Folder of the waveform of the first mismatch, if one is wanted.
    pub wave: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// What was compared, and what differs.
    #[serde(flatten)]
    pub report: Report,
    /// Clocks of all runs.
    pub cycles: u64,
    /// The same as the timing model has them: from the memory's latency where it never stalls, else
    /// from the arrival of each beat.
    pub predicted_cycles: u64,
    /// Of these, clocks in which a beat of the image was taken.
    pub beats: u64,
    /// The core could have taken a beat and had none.
    pub starved: u64,
    /// A beat waited for the core.
    pub blocked: u64,
    /// Neither.
    pub idle: u64,
    /// The core.
    pub geometry: Geometry,
    /// Speed of the simulation.
    pub sim_cycles_per_second: f64,
    /// The waveform, if there is one.
    pub wave: Option<PathBuf>,
}

/// Clocks of a waveform before and after the first mismatch.
const WINDOW: (u64, u64) = (1000, 100);

/// Has the core follow golden's greedy choice for some tokens, from an empty state, and compares
/// everything: each vector of each instruction, records, final state, counters. Ends with the
/// first pass that differs.
///
/// # Errors
/// Those of the simulation and of the driver; a difference is none.
pub fn verify(
    model: &Arc<Model>,
    geometry: &Geometry,
    options: &VerifyOptions,
) -> Result<Verified> {
    use sterna_rtl::Generate;
    geometry.check()?;
    geometry.fits(&model.shape())?;
    let core = sterna_hdl::core::Core { geometry: geometry.clone() };
    let design = core.build().map_err(SimError::Core)?;
    verify_design(&design, model, geometry, options)
}

/// [`verify`] with a design in the place of the core.
///
/// # Errors
/// As [`verify`].
pub fn verify_design(
    design: &Design,
    model: &Arc<Model>,
    geometry: &Geometry,
    options: &VerifyOptions,
) -> Result<Verified> {
    let mut session = Session::of(design, model, geometry, &options.card)?;
    follow(&mut session, options.tokens)?;
    let report = session.report();
    let wave = match (&options.wave, &report.first_mismatch) {
        (Some(folder), Some(first)) => {
            Some(waveform(design, model, geometry, options, folder, first)?)
        }
        _ => None,
    };
    let Counters { cycles, beats, starved, blocked, idle } = session.counters();
    Ok(Verified {
        report,
        cycles,
        predicted_cycles: session.predicted().cycles,
        beats,
        starved,
        blocked,
        idle,
        geometry: geometry.clone(),
        sim_cycles_per_second: session.clocks_per_second(),
        wave,
    })
}

fn follow(session: &mut Session, tokens: usize) -> Result<()> {
    for _ in 0..tokens {
        session.pass(Want::Top)?;
        if session.report().mismatches > 0 {
            return Ok(());
        }
    }
    session.state().map(|_| ())
}

/// The same again with a model that writes waveforms: the simulation is the same in every clock.
fn waveform(
    design: &Design,
    model: &Arc<Model>,
    geometry: &Geometry,
    options: &VerifyOptions,
    folder: &Path,
    first: &Mismatch,
) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(SimError::file("create", folder))?;
    let name = format!(
        "token-{}-segment-{}-{}-layer-{}-clock-{}.fst",
        first.token, first.instruction, first.opcode, first.layer, first.clock
    );
    let path = folder.join(name);
    let mut card = options.card.clone();
    card.model.trace = Trace::Waveform;
    let mut session = Session::of(design, model, geometry, &card)?;
    let (from, to) = (first.clock.saturating_sub(WINDOW.0), first.clock + WINDOW.1);
    session.record(Window { from, to, path: path.clone() });
    follow(&mut session, options.tokens)?;
    let clock = session.clock();
    session.idle(to.saturating_sub(clock))?;
    Ok(path)
}
