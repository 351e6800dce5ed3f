//! `sterna man`: the manual pages.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use serde_json::json;

use crate::cli;
use crate::error::{HostError, Result};
use crate::output;

/// Write the manual pages, one a command
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna man -o ~/.local/share/man/man1\n  man sterna-run")]
pub struct Args {
    /// Folder to write them in; is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    fs::create_dir_all(&args.output).map_err(HostError::io(&args.output, "create"))?;
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    let mut files = Vec::new();
    write(&command, &args.output, &mut files)?;
    if args.json {
        return output::json(&json!({ "dir": args.output, "files": files }));
    }
    output::line(&format!("{} pages in {}", files.len(), args.output.display()))
}

/// The page of a command, and those of the commands below it.
fn write(command: &Command, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone().name(name.to_owned()));
    man.render(&mut page).expect("a list of bytes takes everything");
    let file = format!("{name}.1");
    output::write_file(&folder.join(&file), &page)?;
    files.push(file);
    command.get_subcommands().try_for_each(|sub| write(sub, folder, files))
}
