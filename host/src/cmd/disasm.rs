//! `sterna disasm`: the image as a listing.

use std::path::PathBuf;

use sterna_firmware::disasm;

use crate::demo;
use crate::error::Result;
use crate::output;

/// List the instructions of an image
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna disasm 370m.sterna | head")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.file.as_deref())?;
    let listing = disasm::Listing::new(&model.image());
    if args.json { output::json(&listing) } else { output::print(&listing.to_string()) }
}
