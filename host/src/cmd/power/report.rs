//! `sterna power report`: what recordings say.

use std::path::PathBuf;

use crate::error::Result;
use crate::output;
use crate::power::report::{Folder, Report};

/// Report joules a token of recordings, as text, JSON, CSV, a page and plots
///
/// Everything is computed from the recordings alone: the same recordings give the same report, byte
/// for byte. A figure that too few samples or runs carry is refused, with the reason in its place.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna power report run.jsonl\n  \
                        sterna power report before.jsonl after.jsonl -o report")]
pub struct Args {
    /// Recordings, as `sterna power run` writes them
    #[arg(required = true, value_name = "RUN.jsonl")]
    recordings: Vec<PathBuf>,
    /// Folder to write: report.html, report.json, report.csv, samples as CSV, plots as SVG and PNG
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the report as one JSON object
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print a line of CSV for each run
    #[arg(long)]
    csv: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let folder = args.output.as_deref().map(Folder::create).transpose()?;
    let report = Report::read(&args.recordings, |number, recording| {
        folder.as_ref().map_or(Ok(()), |folder| folder.samples(number, recording))
    })?;
    if let Some(folder) = folder {
        folder.finish(&report)?;
    }
    if args.json {
        return output::json(&report);
    }
    if args.csv {
        return output::print(&report.csv());
    }
    output::print(&report.text())?;
    match &args.output {
        Some(dir) => output::line(&format!("{}", dir.join("report.html").display())),
        None => Ok(()),
    }
}
