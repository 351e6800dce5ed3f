//! `sterna power`: joules, one subcommand a file.

pub mod estimate;

use clap::Subcommand;

use crate::error::Result;

/// Tell what a token costs
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Estimate(estimate::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Estimate(args) => estimate::run(args),
    }
}
