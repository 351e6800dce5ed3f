//! `sterna state`: recurrent states as files.

pub mod save;
pub mod show;

use clap::Subcommand;

use crate::error::Result;

/// Keep what a prompt leaves behind, to go on from it at once
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Save(save::Args),
    Show(show::Args),
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Save(args) => save::run(args),
        Command::Show(args) => show::run(args),
    }
}
