//! `sterna completions`: what a shell needs to complete commands and options.

use clap_complete::Shell;

use crate::cli;
use crate::error::Result;
use crate::output;

/// Print the script with which a shell completes commands and options
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
                        sterna completions bash > ~/.local/share/bash-completion/completions/sterna\n  \
                        sterna completions zsh > ~/.zfunc/_sterna\n  \
                        sterna completions fish > ~/.config/fish/completions/sterna.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "sterna", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
