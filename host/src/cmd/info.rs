//! `sterna info`: one card in every detail.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::instructions;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{CardError, CoreState, Holds, MemoryMap, Transport, bare, identify};
use sterna_xdma::{Found, PciDevice, Sysfs};

use super::status;
use crate::devices::survey;
use crate::devices::xdma::{MemoryArgs, XdmaTransport};
use crate::error::{HostError, Result};
use crate::{demo, output};

/// Show one card in detail: nodes, core, state, memory, link, sensors
///
/// With MODEL also whether the model fits it. What cannot be found out is told as a problem; the
/// rest is shown all the same. The size of the memory is found by writing and reading some bytes,
/// which are restored; --card-memory states it instead.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna info\n  sterna info 370m.sterna --card 1")]
pub struct Args {
    /// A .sterna file or a pulled model that is to fit
    model: Option<PathBuf>,
    #[command(flatten)]
    card: MemoryArgs,
    /// Directory with sys/ of the system
    #[arg(long, value_name = "DIR", default_value = "/")]
    sysroot: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found out.
struct Info {
    found: Found,
    mapped: bool,
    interrupts: bool,
    geometry: Option<Geometry>,
    state: Option<CoreState>,
    memory: Option<u64>,
    holds: Option<Holds>,
    pci: Option<PciDevice>,
    fit: Option<Fit>,
    problems: Vec<HostError>,
}

/// Whether a model fits.
struct Fit {
    /// Bytes of memory that it needs with one sequence.
    needs: u64,
    /// What the card lacks for it.
    lacks: Vec<HostError>,
    /// Whether it could run by `--stream-weights`.
    streams: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = args.model.as_deref().map(|word| demo::open(Some(word))).transpose()?;
    let card = args.card.nodes.take()?;
    let info = Info::of(card, args.card.card_memory, model.as_deref(), &args.sysroot);
    if args.json { output::json(&info.json()) } else { output::print(&info.text()) }
}

impl Info {
    fn of(
        mut card: XdmaTransport,
        memory: Option<u64>,
        model: Option<&Model>,
        sysroot: &Path,
    ) -> Info {
        let nodes = card.card();
        let found = nodes.found().clone();
        let mut info = Info {
            mapped: nodes.mapped(),
            interrupts: nodes.interrupts(),
            geometry: None,
            state: None,
            memory,
            holds: None,
            pci: Sysfs::new(sysroot.join("sys")).card(found.index),
            fit: None,
            problems: vec![],
            found,
        };
        info.geometry = info.note(identify(&mut card));
        if info.geometry.is_some() {
            info.state = info.note(CoreState::read(&mut card));
            // Nothing is written to what is no core.
            info.memory = info.note(card.measure(memory)).or(memory);
        }
        // After an error a channel may have to be opened anew.
        let _ = card.recover();
        info.holds = info.note(bare::holds(&mut card)).flatten();
        let (geometry, memory) = (&info.geometry, info.memory);
        info.fit = model.and_then(|model| Some(Fit::new(model, geometry.as_ref()?, memory)));
        info
    }

    fn note<R, E: Into<Problem>>(&mut self, result: std::result::Result<R, E>) -> Option<R> {
        result.map_err(|error| self.problems.push(error.into().0)).ok()
    }

    fn json(&self) -> Value {
        let Found { index, h2c, c2h, user, control, events } = &self.found;
        json!({
            "card": index,
            "nodes": { "h2c": h2c, "c2h": c2h, "user": user, "control": control, "events": events },
            "registers_mapped": self.mapped,
            "interrupts": self.interrupts,
            "manifest": self.geometry.as_ref().map(|geometry| format!("{:016x}", geometry.hash())),
            "geometry": self.geometry,
            "status": self.state.as_ref().map(status::core),
            "last_run": self.state.as_ref().map(status::LastRun::from),
            "memory_bytes": self.memory,
            "holds": self.holds.map(|holds| json!({
                "image_id": format!("{:016x}", holds.image_id),
                "bytes": holds.bytes,
                "total_bytes": holds.total,
            })),
            "pci": self.pci.as_ref().map(status::pci),
            "model": self.fit.as_ref().map(|fit| json!({
                "fits": fit.lacks.is_empty(),
                "needs_bytes": fit.needs,
                "streams": fit.streams,
                "lacks": fit.lacks.iter().map(output::error).collect::<Vec<_>>(),
            })),
            "problems": self.problems.iter().map(output::error).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let Found { index, h2c, c2h, control, events, .. } = &self.found;
        let mut text = format!("card {index}\n");
        let mut line = |what: &str, value: String| text += &format!("  {what:<11} {value}\n");
        line(
            "nodes",
            format!(
                "{} channels to the card, {} from it, user{}, {} interrupts",
                h2c.len(),
                c2h.len(),
                if *control { ", control" } else { "" },
                events.len()
            ),
        );
        line("registers", if self.mapped { "mapped" } else { "by calls, not mapped" }.into());
        line("interrupts", if self.interrupts { "used" } else { "none: polled" }.into());
        if let Some(geometry) = &self.geometry {
            line("core", survey::core(geometry));
            let Geometry { ways, quantisers, top_k, slots, prefetch, .. } = geometry;
            line(
                "rates",
                format!(
                    "{ways} ways, {quantisers} quantisers, top {top_k}, slots {slots}, \
                     prefetch {prefetch}"
                ),
            );
        }
        if let Some(state) = &self.state {
            line("status", status::core_text(state));
            let c = &state.counters;
            line(
                "last run",
                format!(
                    "{} passes of image {:016x}, {} cycles = {} beats + {} starved + {} blocked + \
                     {} idle; {} values clamped since reset",
                    state.tokens,
                    state.image_id,
                    c.cycles,
                    c.beats,
                    c.starved,
                    c.blocked,
                    c.idle,
                    state.saturations
                ),
            );
        }
        if let Some(bytes) = self.memory {
            line("memory", output::mib(bytes));
        }
        line("holds", self.holds.as_ref().map_or("no model".into(), status::holds_text));
        match &self.pci {
            Some(device) => {
                for (what, value) in status::pci_text(device) {
                    line(what, value);
                }
            }
            None => line("PCI", "not known: no class/xdma entry in sys/".into()),
        }
        if let Some(fit) = &self.fit {
            let needs = output::mib(fit.needs);
            let verdict = match (fit.lacks.is_empty(), fit.streams) {
                (true, _) => "fits",
                (false, true) => "does not fit, but can be sent for every token (--stream-weights)",
                (false, false) => "does not fit",
            };
            line("model", format!("{verdict}; needs {needs} of memory"));
            for lack in &fit.lacks {
                line("lacks", format!("[{}] {lack}", lack.code()));
            }
        }
        for problem in &self.problems {
            line("problem", format!("[{}] {problem}", problem.code()));
        }
        text
    }
}

/// An error of the card or of the way to it.
struct Problem(HostError);

impl From<CardError> for Problem {
    fn from(error: CardError) -> Problem {
        Problem(FirmwareError::from(error).into())
    }
}

impl From<crate::devices::xdma::TransportError> for Problem {
    fn from(error: crate::devices::xdma::TransportError) -> Problem {
        Problem(error.into())
    }
}

impl Fit {
    fn new(model: &Model, geometry: &Geometry, memory: Option<u64>) -> Fit {
        let shape = model.shape();
        let walk = instructions(&shape);
        let mut lacks = vec![];
        if let Err(error) = geometry.fits(&shape) {
            lacks.push(error.into());
        }
        let plan = |bytes, stream| MemoryMap::plan(&shape, &walk, geometry, 1, bytes, stream);
        let fits = lacks.is_empty();
        if let Some(Err(error)) = memory.map(|bytes| plan(bytes, false)) {
            lacks.push(FirmwareError::from(error).into());
        }
        let needs = plan(u64::MAX, false).map_or(u64::MAX, |map| map.end);
        let streams = fits && memory.is_some_and(|bytes| plan(bytes, true).is_ok());
        Fit { needs, lacks, streams }
    }
}
