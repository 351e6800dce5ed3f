//! `sterna power`: watts and joules.

mod report;

use clap::Subcommand;

use crate::error::Result;

/// Watts, and joules a token
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(report::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Report(args) => report::run(args),
    }
}
