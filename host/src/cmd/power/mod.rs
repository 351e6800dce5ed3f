//! `sterna power`: joules, one subcommand a file.

pub mod estimate;
pub mod meters;
pub mod report;
pub mod run;
pub mod watch;

use clap::Subcommand;

use crate::error::Result;

/// Tell what a token costs: meters, recordings, reports, a model
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Watch(watch::Args),
    Report(report::Args),
    Meters(meters::Args),
    Estimate(estimate::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Run(args) => run::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Report(args) => report::run(args),
        Command::Meters(args) => meters::run(args),
        Command::Estimate(args) => estimate::run(args),
    }
}
