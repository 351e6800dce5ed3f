//! `sterna bench`: how fast a device is, and how to repeat it.

mod core;
mod golden;
mod host;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use sterna_firmware::device::{Step, Want};
use sterna_firmware::kernel::Kernel;

use crate::demo;
use crate::devices::Choice;
use crate::error::Result;
use crate::generate::rate;
use crate::output;

/// Measure tokens per second
///
/// Decodes greedily from token 0, one sequence, after a warm-up of two tokens; the median of
/// the repetitions is the figure.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  sterna bench 370m.sterna -n 64"
)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// A .sterna file [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Tokens of a repetition
    #[arg(short = 'n', long = "count", default_value_t = 64, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    count: usize,
    /// Repetitions
    #[arg(long, default_value_t = 5, value_name = "R",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    repeat: usize,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What else is measured.
#[derive(clap::Subcommand)]
enum What {
    Core(core::Args),
    Golden(golden::Args),
    Host(host::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.what {
        Some(What::Core(args)) => core::run(args),
        Some(What::Golden(args)) => golden::run(args),
        Some(What::Host(args)) => host::run(args),
        None => device(args),
    }
}

/// Sorts figures; of an even number the upper middle.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn device(args: Args) -> Result<()> {
    let begin = Instant::now();
    let model = demo::open(args.model.as_deref())?;
    let mut device = args.device.open(&model, 1)?;
    let mut token = 0;
    let mut step = |token: &mut u32| -> Result<()> {
        let heads = device.pass(&[Step { slot: 0, token: *token, want: Want::Top }])?;
        *token = heads[0].top[0].token;
        Ok(())
    };
    step(&mut token)?;
    let first_token = begin.elapsed().as_secs_f64();
    step(&mut token)?;
    let mut rates = Vec::with_capacity(args.repeat);
    for _ in 0..args.repeat {
        let begin = Instant::now();
        for _ in 0..args.count {
            step(&mut token)?;
        }
        rates.push(rate(args.count, begin.elapsed()));
    }
    let median = median(&mut rates);
    let (slowest, fastest) = (rates[0], rates[rates.len() - 1]);
    let image_bytes = model.image().bytes().len() as u64;
    let threads = rayon::current_num_threads();
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": model.description().image_id,
            "device": device.name(),
            "kernel": format!("{:?}", Kernel::detect()),
            "threads": threads,
            "evidence": "measured",
            "tokens_per_second": median,
            "slowest": slowest,
            "fastest": fastest,
            "image_gb_per_second": median * image_bytes as f64 / 1e9,
            "first_token_seconds": first_token,
            "peak_memory_bytes": output::peak_memory(),
        }));
    }
    // The speed of the simulator, which says nothing of the core's.
    let of = if device.name() == "sim" { " of simulation" } else { "" };
    output::line(&format!(
        "measured on this machine: {median:.1} tokens/s{of} ({slowest:.1} to {fastest:.1}), \
         {:.2} GB/s of image",
        median * image_bytes as f64 / 1e9,
    ))?;
    output::line(&format!(
        "device {}, kernel {:?}, {threads} threads, {} x {} tokens, start to first token \
         {first_token:.3} s, peak memory {}",
        device.name(),
        Kernel::detect(),
        args.repeat,
        args.count,
        output::peak_memory().map_or_else(|| "unknown".into(), output::mib),
    ))
}
