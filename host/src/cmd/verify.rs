//! `sterna verify`: the simulated core against the golden model, vector by vector.

use std::path::PathBuf;

use serde_json::json;
use sterna_sim::lockstep::Mismatch;
use sterna_sim::memory::MemoryOptions;
use sterna_sim::{CardOptions, Verified, VerifyOptions, verify};

use super::geometry::Choice;
use crate::demo;
use crate::error::{HostError, Result};
use crate::output;

/// Prove on a model that the simulated core computes what the golden model does
///
/// Greedy tokens from an empty state; every vector of every instruction is compared, the
/// results, the final state and the counters. Exit code 1 if anything differs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna verify --bus 64 -n 4 --stall random --seed 7\n  \
                  sterna verify model.sterna --geometry core/geometry.json --wave waves")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    #[command(flatten)]
    geometry: Choice,
    /// Tokens
    #[arg(short = 'n', long = "count", default_value_t = 8, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    count: usize,
    #[command(flatten)]
    memory: Memory,
    /// Directory for a waveform (FST) of the first difference; written only if there is one
    #[arg(long, default_value = "sterna-waves", value_name = "DIR")]
    wave: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the simulated memory is like.
#[derive(clap::Args, Clone, Copy)]
struct Memory {
    /// How regularly the memory answers
    #[arg(long, value_enum, default_value_t = Stall::None)]
    stall: Stall,
    /// Clocks from an address to the first beat
    #[arg(long, default_value_t = 60, value_name = "CLOCKS",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    latency: u32,
    /// Start of the random sequence of the stalls
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// How regularly a memory answers.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Stall {
    /// A beat a clock
    None,
    /// Pauses in one clock of four
    Random,
    /// Pauses of up to a hundred clocks
    Burst,
}

impl Memory {
    fn options(self) -> MemoryOptions {
        use sterna_sim::memory::Stalls;
        let stalls = match self.stall {
            Stall::None => Stalls::None,
            Stall::Random => Stalls::Random,
            Stall::Burst => Stalls::Burst,
        };
        let (latency, seed) = (self.latency, self.seed);
        MemoryOptions { latency, stalls, seed, ..MemoryOptions::default() }
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let geometry = args.geometry.resolve(&model.shape())?;
    let options = VerifyOptions {
        prompt: false,
        tokens: args.count,
        card: CardOptions { memory: args.memory.options(), ..CardOptions::default() },
        wave: Some(args.wave),
    };
    let verified = verify(&model, &geometry, &options)?;
    if args.json {
        let mut value = json!(verified);
        value["model"] = json!(model.path());
        value["image_id"] = json!(model.description().image_id);
        value["evidence"] = json!("simulated");
        output::json(&value)?;
    } else {
        text(&verified)?;
    }
    match &verified.report.first_mismatch {
        None => Ok(()),
        Some(first) => Err(HostError::Differs(difference(first, &verified))),
    }
}

fn text(verified: &Verified) -> Result<()> {
    let Verified { report, cycles, beats, starved, blocked, idle, geometry, .. } = verified;
    let predicted = verified.predicted_cycles;
    output::line(&format!(
        "{} tokens, {} instructions, {} vectors compared, {} mismatches",
        report.tokens, report.instructions, report.vectors, report.mismatches
    ))?;
    output::line(&format!(
        "simulated: {cycles} cycles = {beats} beats + {starved} starved + {blocked} blocked + \
         {idle} idle",
    ))?;
    output::line(&format!("timing model: {predicted} cycles predicted"))?;
    output::line(&format!(
        "core of {} bits, manifest {:016x}; {:.0} cycles/s of simulation, measured",
        geometry.bus,
        geometry.hash(),
        verified.sim_cycles_per_second
    ))
}

/// The first difference in words.
fn difference(first: &Mismatch, verified: &Verified) -> String {
    let number = |n: Option<i64>| n.map_or("nothing".into(), |n| n.to_string());
    let wave = match &verified.wave {
        Some(path) => format!("see {}", path.display()),
        None => "it has no waveform".into(),
    };
    format!(
        "token {}, segment {} ({}, layer {}), {}[{}] is {} instead of {}, in clock {}; {wave}",
        first.token,
        first.instruction,
        first.opcode,
        first.layer,
        first.vector,
        first.element,
        number(first.got),
        number(first.expected),
        first.clock
    )
}
