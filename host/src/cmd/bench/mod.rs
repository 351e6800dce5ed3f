//! `sterna bench`: how fast a device is, and how to repeat it.

mod area;
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
/// Decodes greedily from token 0, after a warm-up of two tokens; the median of the repetitions is
/// the figure. Sequences of a batch begin with neighbouring tokens and share each pass; their tokens
/// are counted together.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  sterna bench 370m.sterna -n 64\n  sterna bench --batch 8"
)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Sequences side by side, as far as the device has room for them
    #[arg(long, default_value_t = 1, value_name = "B",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    batch: usize,
    /// Tokens of a repetition, of each sequence
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
    Area(area::Args),
    Core(core::Args),
    Golden(golden::Args),
    Host(host::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.what {
        Some(What::Area(args)) => area::run(args),
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
    let mut device = args.device.open(&model, args.batch)?;
    let batch = args.batch.min(device.slots());
    let first = |slot: usize| (slot % model.shape().vocab) as u32;
    let mut steps: Vec<Step> =
        (0..batch).map(|slot| Step { slot, token: first(slot), want: Want::Top }).collect();
    let mut step = || -> Result<()> {
        let heads = device.pass(&steps)?;
        for (step, head) in steps.iter_mut().zip(heads) {
            step.token = head.top[0].token;
        }
        Ok(())
    };
    step()?;
    let first_token = begin.elapsed().as_secs_f64();
    step()?;
    let mut rates = Vec::with_capacity(args.repeat);
    for _ in 0..args.repeat {
        let begin = Instant::now();
        for _ in 0..args.count {
            step()?;
        }
        rates.push(rate(args.count * batch, begin.elapsed()));
    }
    let median = median(&mut rates);
    let (slowest, fastest) = (rates[0], rates[rates.len() - 1]);
    let image_bytes = model.image().bytes().len() as u64;
    // A pass reads it once for all sequences.
    let bandwidth = median / batch as f64 * image_bytes as f64 / 1e9;
    let threads = rayon::current_num_threads();
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": model.description().image_id,
            "device": device.name(),
            "kernel": format!("{:?}", Kernel::detect()),
            "threads": threads,
            "batch": batch,
            "evidence": "measured",
            "tokens_per_second": median,
            "slowest": slowest,
            "fastest": fastest,
            "image_gb_per_second": bandwidth,
            "first_token_seconds": first_token,
            "peak_memory_bytes": output::peak_memory(),
        }));
    }
    // The speed of the simulator, which says nothing of the core's.
    let of = if device.name() == "sim" { " of simulation" } else { "" };
    output::line(&format!(
        "measured on this machine: {median:.1} tokens/s{of} ({slowest:.1} to {fastest:.1}), \
         {bandwidth:.2} GB/s of image",
    ))?;
    output::line(&format!(
        "device {}, kernel {:?}, {threads} threads, {batch} sequences, {} x {} tokens, start to first token \
         {first_token:.3} s, peak memory {}",
        device.name(),
        Kernel::detect(),
        args.repeat,
        args.count,
        output::peak_memory().map_or_else(|| "unknown".into(), output::mib),
    ))
}
