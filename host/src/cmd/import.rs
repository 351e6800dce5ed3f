//! `sterna import`: checkpoint to `.sterna`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use sterna_firmware::compile::{Progress, compile};
use sterna_firmware::model::Description;
use sterna_model::checkpoint::Checkpoint;

use crate::error::{HostError, Result};
use crate::output;
use crate::template::Template;

/// Turn a published checkpoint into one file that every device runs
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna import MMfreeLM-370M -o 370m.sterna")]
pub struct Args {
    /// Directory with config.json, model.safetensors (or its index), tokenizer.json, tokenizer_config.json, chat_template.jinja
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
    refuse_directory(&args.output)?;
    let imported = import(&Checkpoint::open(&args.dir)?, &args.output)?;
    if args.json { output::json(&imported.json()) } else { imported.print() }
}

/// Refuses to write what is a directory, before anything is done for it.
pub fn refuse_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        let directory = std::io::ErrorKind::IsADirectory.into();
        return Err(HostError::io(path, "write")(directory));
    }
    Ok(())
}

/// What an import made.
pub struct Imported {
    file: PathBuf,
    bytes: u64,
    description: Description,
    seconds: f64,
    peak: Option<u64>,
}

/// Makes a file of a checkpoint, with a progress bar.
pub fn import(checkpoint: &Checkpoint, file: &Path) -> Result<Imported> {
    let begin = Instant::now();
    let bar = output::bar(1, "steps");
    let mut advance = |progress: Progress<'_>| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.what.to_owned());
    };
    let description = compile(checkpoint, file, &mut advance)?;
    bar.finish_and_clear();
    if let Err(error) = Template::of(&description) {
        output::note(&format!("imported, but there will be no chat: {error}"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(file).map_err(HostError::io(file, "read"))?.len();
    Ok(Imported { file: file.into(), bytes, description, seconds, peak: output::peak_memory() })
}

impl Imported {
    /// As a JSON object.
    pub fn json(&self) -> Value {
        let Imported { file, bytes, description, seconds, peak } = self;
        json!({
            "file": file,
            "bytes": bytes,
            "checkpoint_bytes": description.checkpoint_bytes,
            "image_id": description.image_id,
            "weights": description.shape.weights(),
            "already_ternary": description.matrices.iter().filter(|m| m.already_ternary).count(),
            "residual_frac": description.residual_frac,
            "seconds": seconds,
            "peak_memory_bytes": peak,
        })
    }

    /// As two lines.
    pub fn print(&self) -> Result<()> {
        let shape = self.description.shape;
        output::line(&format!(
            "{}: {:.1} M ternary weights, {} layers of {}, image {}",
            self.file.display(),
            shape.weights() as f64 / 1e6,
            shape.layers,
            shape.hidden,
            self.description.image_id,
        ))?;
        output::line(&format!(
            "{} of {} in {:.1} s, peak memory {}",
            output::mib(self.bytes),
            output::mib(self.description.checkpoint_bytes),
            self.seconds,
            self.peak.map_or_else(|| "unknown".into(), output::mib),
        ))
    }
}
