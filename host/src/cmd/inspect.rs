//! `sterna inspect`: what is in a `.sterna` file.

use std::path::PathBuf;

use sterna_firmware::inspect::Report;

use crate::demo;
use crate::error::Result;
use crate::output;

/// Show what a file holds: matrices, trits, bytes, checksums, upper bound of speed
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna inspect 370m.sterna --bandwidth 19.2")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    file: Option<PathBuf>,
    /// Memory bandwidth in GB/s for the upper bound in tokens/s
    #[arg(long, default_value_t = 19.2, value_name = "GB/s", value_parser = bandwidth)]
    bandwidth: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn bandwidth(word: &str) -> std::result::Result<f64, String> {
    match word.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("a number of gigabytes (10^9) a second".into()),
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.file.as_deref())?;
    let report = Report::new(&model, args.bandwidth);
    if args.json { output::json(&report) } else { output::print(&report.to_string()) }
}
