//! The activity of a core while it makes one token, measured once for a core and a model.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sterna_firmware::Result;
use sterna_firmware::device::{Counters, Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_hdl::driver::{Card, Settings};
use sterna_rtl::{Design, Generate};

use super::{Activity, tally};
use crate::cache;
use crate::card::{CardOptions, SimCard, Window};
use crate::error::SimError;
use crate::model::{Options, Trace};

/// What counts as the same measurement: a new number where the counting changes.
const COUNTING: &str = "activity 1";

/// A token, measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What the core did, from the command to its end.
    pub activity: Activity,
    /// The core's own account of these clocks.
    pub counters: Counters,
    /// Bits that it read from the memory.
    pub read_bits: u64,
    /// Bits that it wrote to the memory.
    pub written_bits: u64,
    /// How many tokens the state had seen before.
    pub token: usize,
}

/// The activity of a core of this geometry at token `token` of greedy text from an empty state,
/// with a memory that gives a beat a clock. From the cache, if it was measured before.
///
/// # Errors
/// S018 where there is no such core; as [`Model::build`](crate::Model::build); those of the driver.
pub fn measure(
    model: &Arc<Model>,
    geometry: &Geometry,
    token: usize,
    options: &Options,
) -> Result<Measured> {
    geometry.check()?;
    geometry.fits(&model.shape())?;
    let design = Core { geometry: geometry.clone() }.build().map_err(SimError::Core)?;
    let (number, image) = (token.to_string(), model.description().image_id.to_string());
    let files = design.files.iter().flat_map(|file| [file.name.as_str(), &file.text]);
    let data = design.data.iter().flat_map(|file| [file.name.as_str(), &file.text]);
    let parts = [COUNTING, &number, &image].into_iter().chain(files).chain(data);
    let name = format!("activity-{}.json", cache::hash(parts));
    let place = cache::folder(options)?.join(name);
    // One that cannot be read is measured again.
    if let Some(known) =
        std::fs::read(&place).ok().and_then(|text| serde_json::from_slice(&text).ok())
    {
        return Ok(known);
    }
    let measured = simulate(&design, model, geometry, token, options)?;
    keep(&place, &measured)?;
    Ok(measured)
}

fn simulate(
    design: &Design,
    model: &Arc<Model>,
    geometry: &Geometry,
    token: usize,
    options: &Options,
) -> Result<Measured> {
    let model_options = Options { trace: Trace::Activity, ..options.clone() };
    let card = CardOptions { model: model_options, ..CardOptions::default() };
    let sim = SimCard::of(design, geometry.bus, &card)?;
    let mut card = Card::open(sim, "sim", Arc::clone(model), &Settings::default())?;
    let mut next = model.description().bos.unwrap_or(0);
    for _ in 0..token {
        let heads = card.pass(&[Step { slot: 0, token: next, want: Want::Top }])?;
        next = heads.first().and_then(|head| head.top.first()).map_or(0, |best| best.token);
    }
    let folder = tempfile::tempdir().map_err(SimError::file("create a folder in", &temp()))?;
    let path = folder.path().join("token.saif");
    let transport = card.transport();
    let (from, before) = (transport.clocks(), transport.memory().traffic());
    transport.record(Window { from, to: u64::MAX, path: path.clone() });
    card.pass(&[Step { slot: 0, token: next, want: Want::Top }])?;
    card.transport().stop_recording()?;
    let after = card.transport().memory().traffic();
    let bus = u64::from(geometry.bus);
    Ok(Measured {
        activity: tally(design, &path)?,
        counters: card.counters()?,
        read_bits: (after.read - before.read) * bus,
        written_bits: (after.written - before.written) * bus,
        token,
    })
}

fn temp() -> PathBuf {
    std::env::temp_dir()
}

fn keep(place: &Path, measured: &Measured) -> std::result::Result<(), SimError> {
    let wrong = || SimError::file("write", place);
    let folder = place.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong())?;
    serde_json::to_writer(&mut file, measured).map_err(|e| wrong()(e.into()))?;
    file.flush().map_err(wrong())?;
    file.persist(place).map_err(|e| wrong()(e.error))?;
    Ok(())
}
