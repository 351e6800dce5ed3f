//! `sterna import`: checkpoint to `.sterna`.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use sterna_firmware::compile::{Progress, compile};
use sterna_model::checkpoint::Checkpoint;

use crate::error::{HostError, Result};
use crate::output;
use crate::template::Template;

/// Turn a published checkpoint into one file that every device runs
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna import MMfreeLM-370M -o 370m.sterna")]
pub struct Args {
    /// Directory with config.json, model.safetensors (or its index), tokenizer.json, tokenizer_config.json
    dir: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE.sterna")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let begin = Instant::now();
    if args.output.is_dir() {
        let directory = std::io::ErrorKind::IsADirectory.into();
        return Err(HostError::io(&args.output, "write")(directory));
    }
    let checkpoint = Checkpoint::open(&args.dir)?;
    let bar = output::bar(1, "steps");
    let mut advance = |progress: Progress<'_>| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.what.to_owned());
    };
    let description = compile(&checkpoint, &args.output, &mut advance)?;
    bar.finish_and_clear();
    if let Err(error) = Template::of(&description) {
        output::note(&format!("imported, but there will be no chat: {error}"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&args.output).map_err(HostError::io(&args.output, "read"))?.len();
    let peak = output::peak_memory();
    if args.json {
        return output::json(&json!({
            "file": args.output,
            "bytes": bytes,
            "checkpoint_bytes": description.checkpoint_bytes,
            "image_id": description.image_id,
            "weights": description.shape.weights(),
            "already_ternary": description.matrices.iter().filter(|m| m.already_ternary).count(),
            "residual_frac": description.residual_frac,
            "seconds": seconds,
            "peak_memory_bytes": peak,
        }));
    }
    let shape = description.shape;
    output::line(&format!(
        "{}: {:.1} M ternary weights, {} layers of {}, image {}",
        args.output.display(),
        shape.weights() as f64 / 1e6,
        shape.layers,
        shape.hidden,
        description.image_id,
    ))?;
    output::line(&format!(
        "{} of {} in {seconds:.1} s, peak memory {}",
        output::mib(bytes),
        output::mib(description.checkpoint_bytes),
        peak.map_or_else(|| "unknown".into(), output::mib),
    ))
}
