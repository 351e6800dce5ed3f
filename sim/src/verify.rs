//! The proof by example: greedy tokens through the core, every vector compared with golden's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use sterna_firmware::Result;
use sterna_firmware::device::{Counters, Device, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_rtl::Design;

use crate::card::{CardOptions, Window};
use crate::error::SimError;
use crate::lockstep::{Mismatch, Report};
use crate::model::Trace;
use crate::session::{Batch, Session};

/// What is verified, and how.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Passes: tokens of each sequence.
    pub tokens: usize,
    /// The slots of a core that has several take a pass's tokens of one sequence, as of a prompt,
    /// instead of each one of its own.
    pub prompt: bool,
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
/// first pass that differs. In a core of several slots each has a sequence of its own, which
/// begins with a token of its own.
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
    follow(&mut session, geometry.slots, options)?;
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

fn follow(session: &mut Session, slots: u32, options: &VerifyOptions) -> Result<()> {
    if slots > 1 {
        return follow_all(session, slots, options);
    }
    for _ in 0..options.tokens {
        session.pass(Want::Top)?;
        if session.report().mismatches > 0 {
            return Ok(());
        }
    }
    session.state().map(|_| ())
}

fn follow_all(session: &mut Session, slots: u32, options: &VerifyOptions) -> Result<()> {
    let vocab = session.golden().shape().vocab as u32;
    let first = session.token();
    // Any tokens will do: neighbours of each other, or of what was best.
    let after = |token: u32| -> Vec<Option<u32>> {
        (0..slots).map(|slot| Some((token + slot) % vocab)).collect()
    };
    let mut tokens = after(first);
    session.clear_slots((1 << slots) - 1)?;
    for _ in 0..options.tokens {
        let chain = options.prompt;
        let batch = Batch { tokens, chain, want: Want::Top, count: 1, stops: vec![] };
        let best = session.batch(&batch)?;
        if session.report().mismatches > 0 {
            return Ok(());
        }
        tokens = if chain { after(best.last().copied().flatten().unwrap_or(first)) } else { best };
    }
    let sequences = if options.prompt { 1 } else { slots as usize };
    (0..sequences).try_for_each(|slot| session.move_state(slot, slot))
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
    follow(&mut session, geometry.slots, options)?;
    let clock = session.clock();
    session.idle(to.saturating_sub(clock))?;
    Ok(path)
}
