//! `sterna bench core`: what share of its lanes the simulated core keeps at work.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use sterna_firmware::isa::instructions;
use sterna_firmware::model::Model;
use sterna_firmware::trits::ROWS;
use sterna_sim::fuzz::made_up;
use sterna_sim::lockstep::Report;
use sterna_sim::memory::MemoryOptions;
use sterna_sim::{CardOptions, VerifyOptions, verify};

use crate::cli::published;
use crate::cmd::geometry::Choice;
use crate::demo;
use crate::error::{HostError, Result};
use crate::output;

/// Simulate tokens on the core, and count clocks
///
/// As `sterna verify` with a memory that gives a beat a clock: everything is compared with the
/// golden model, and every clock with the timing model. A shape gets random weights; the clocks
/// are those of any. Exit code 1 if anything differs.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna bench core --shape 370m --bus 512")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    #[arg(conflicts_with = "shape")]
    model: Option<PathBuf>,
    /// A published shape with random weights instead: 370m, 1.3b or 2.7b
    #[arg(long)]
    shape: Option<String>,
    #[command(flatten)]
    geometry: Choice,
    /// Let the slots of a batch take tokens of one sequence, as of a prompt
    #[arg(long)]
    prompt: bool,
    /// Tokens of each sequence; of a prompt as many times the slots
    #[arg(short = 'n', long = "count", default_value_t = 1, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    count: usize,
    /// Clocks from an address to the first beat
    #[arg(long, default_value_t = 60, value_name = "CLOCKS",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    latency: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    fn model(&self) -> Result<Arc<Model>> {
        let Some(name) = &self.shape else { return demo::open(self.model.as_deref()) };
        Ok(made_up(&published("bench", name))?)
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = args.model()?;
    let shape = model.shape();
    let name = match &args.shape {
        Some(name) => name.clone(),
        None => model.path().display().to_string(),
    };
    let geometry = args.geometry.resolve(&shape)?;
    let memory = MemoryOptions { latency: args.latency, ..MemoryOptions::default() };
    let card = CardOptions { memory, ..CardOptions::default() };
    let options = VerifyOptions { tokens: args.count, prompt: args.prompt, card, wave: None };
    let verified = verify(&model, &geometry, &options)?;
    let (report, cycles, beats) = (&verified.report, verified.cycles, verified.beats);

    let walk = instructions(&shape);
    let image_bytes = walk.last().map_or(0, |last| last.end());
    let packed: usize = walk.iter().map(|i| i.opcode.parts() * i.part_bytes()).sum();
    let lanes = (geometry.columns() * ROWS) as u64 * u64::from(geometry.slots);
    let work = shape.weights() as f64 * report.tokens as f64;
    let utilisation = work / (lanes * cycles.max(1)) as f64;
    let batch = u64::from(geometry.slots);
    let passes = report.tokens / batch;
    let each = |of: u64| cycles as f64 / of.max(1) as f64;
    if args.json {
        output::json(&json!({
            "model": name,
            "evidence": "simulated",
            "geometry": geometry,
            "latency": args.latency,
            "prompt": args.prompt,
            "batch": batch,
            "passes": passes,
            "tokens": report.tokens,
            "cycles": cycles,
            "cycles_per_pass": each(passes),
            "cycles_per_token": each(report.tokens),
            "predicted_cycles": verified.predicted_cycles,
            "beats": beats,
            "starved": verified.starved,
            "blocked": verified.blocked,
            "idle": verified.idle,
            "utilisation": utilisation,
            "mismatches": report.mismatches,
            "image_bytes": image_bytes,
            "packed_weight_bytes": packed,
            "sim_cycles_per_second": verified.sim_cycles_per_second,
        }))?;
    } else {
        output::line(&format!(
            "{name}, core of {} bits: {} tokens in {cycles} cycles, {} predicted (simulated)",
            geometry.bus, report.tokens, verified.predicted_cycles
        ))?;
        if batch > 1 {
            let whose = if args.prompt { "one sequence" } else { "as many sequences" };
            output::line(&format!(
                "{batch} tokens a pass, of {whose}: {:.1} cycles a pass, {:.1} a token (simulated)",
                each(passes),
                each(report.tokens)
            ))?;
        }
        output::line(&format!(
            "weights / lanes / cycles {:.2} %, beats / cycles {:.2} % (simulated); {:.0} cycles/s \
             of simulation (measured)",
            100.0 * utilisation,
            100.0 * beats as f64 / cycles.max(1) as f64,
            verified.sim_cycles_per_second
        ))?;
    }
    verdict(report)
}

/// An error that names the first difference, if there is one.
fn verdict(report: &Report) -> Result<()> {
    match &report.first_mismatch {
        None => Ok(()),
        Some(first) => Err(HostError::Differs(format!(
            "{} mismatches, the first in token {}, segment {} ({}, layer {}), {}[{}]; `sterna \
             verify` records it",
            report.mismatches,
            first.token,
            first.instruction,
            first.opcode,
            first.layer,
            first.vector,
            first.element
        ))),
    }
}
