//! The command line: which subcommands there are, and what an error looks like.

use std::path::Path;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use sterna_model::synth::SynthSpec;

use crate::cmd;
use crate::config::{Config, Setting};
use crate::error::{HostError, Result};
use crate::output::{self, Level};

/// MatMul-free language models on FPGAs: import, generate, score, inspect.
#[derive(Parser)]
#[command(
    name = "sterna",
    version,
    propagate_version = true,
    after_help = "Examples:\n  sterna run 'ROMEO:'\n  sterna verify --bus 64 -n 4\n  \
                  sterna bitstream --board ulx3s-85f -o ulx3s\n\n\
                  Exit codes: 0 done, 1 an error or a difference that was found, 2 wrong usage\n\
                  Defaults of options stand in a file: sterna config explain"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Worker threads [default: one per core]; results do not depend on it
    #[arg(long, global = true, display_order = 1000, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Tell results and errors only: no notes, statistics or progress
    #[arg(short, long, global = true, display_order = 1001, conflicts_with = "verbose")]
    quiet: bool,

    /// Tell also what is done, on standard error
    #[arg(short, long, global = true, display_order = 1002)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    Import(cmd::import::Args),
    Pull(cmd::pull::Args),
    Models(cmd::models::Args),
    Synth(cmd::synth::Args),
    Run(cmd::run::Args),
    Chat(cmd::chat::Args),
    State(cmd::state::Args),
    Eval(cmd::eval::Args),
    Score(cmd::score::Args),
    Logits(cmd::logits::Args),
    Inspect(cmd::inspect::Args),
    Disasm(cmd::disasm::Args),
    Bench(cmd::bench::Args),
    Plan(cmd::plan::Args),
    Hdl(cmd::hdl::Args),
    Verify(cmd::verify::Args),
    Serve(cmd::serve::Args),
    Fuzz(cmd::fuzz::Args),
    Boards(cmd::boards::Args),
    Bitstream(cmd::bitstream::Args),
    Flash(cmd::flash::Args),
    Devices(cmd::devices::Args),
    Info(cmd::info::Args),
    Load(cmd::load::Args),
    Reset(cmd::reset::Args),
    Validate(cmd::validate::Args),
    Power(cmd::power::Args),
    Doctor(cmd::doctor::Args),
    FakeCard(cmd::fake_card::Args),
    FakeBoard(cmd::fake_board::Args),
    Config(cmd::config::Args),
    Completions(cmd::completions::Args),
    Man(cmd::man::Args),
}

/// The commands and their options, as the code has them.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the arguments and runs the command: exit code 0, 1 on an error, 2 on wrong usage.
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // A closed pipe (`sterna … | head`) is not the user's mistake.
        Err(HostError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let config = Config::read(&command())?;
    let matches = config.apply(command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    output::tell(level(&cli, &matches));
    for Setting { command, option, values, line } in &config.settings {
        let file = config.file.as_deref().unwrap_or_else(|| Path::new("")).display();
        output::detail(&format!(
            "{file}:{line}: --{option} {} of sterna {}",
            values.join(" "),
            command.join(" ")
        ));
    }
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .expect("the pool is set once, here");
    }
    match cli.command {
        Command::Import(args) => cmd::import::run(args),
        Command::Pull(args) => cmd::pull::run(args),
        Command::Models(args) => cmd::models::run(args),
        Command::Synth(args) => cmd::synth::run(args),
        Command::Run(args) => cmd::run::run(args),
        Command::Chat(args) => cmd::chat::run(args),
        Command::State(args) => cmd::state::run(args),
        Command::Eval(args) => cmd::eval::run(args),
        Command::Score(args) => cmd::score::run(args),
        Command::Logits(args) => cmd::logits::run(args),
        Command::Inspect(args) => cmd::inspect::run(args),
        Command::Disasm(args) => cmd::disasm::run(args),
        Command::Bench(args) => cmd::bench::run(args),
        Command::Plan(args) => cmd::plan::run(args),
        Command::Hdl(args) => cmd::hdl::run(args),
        Command::Verify(args) => cmd::verify::run(args),
        Command::Serve(args) => cmd::serve::run(args),
        Command::Fuzz(args) => cmd::fuzz::run(args),
        Command::Boards(args) => cmd::boards::run(args),
        Command::Bitstream(args) => cmd::bitstream::run(args),
        Command::Flash(args) => cmd::flash::run(args),
        Command::Devices(args) => cmd::devices::run(args),
        Command::Info(args) => cmd::info::run(args),
        Command::Load(args) => cmd::load::run(args),
        Command::Reset(args) => cmd::reset::run(args),
        Command::Validate(args) => cmd::validate::run(args),
        Command::Power(args) => cmd::power::run(args),
        Command::Doctor(args) => cmd::doctor::run(args),
        Command::FakeCard(args) => cmd::fake_card::run(args),
        Command::FakeBoard(args) => cmd::fake_board::run(args),
        Command::Config(args) => cmd::config::run(args, &config),
        Command::Completions(args) => cmd::completions::run(args),
        Command::Man(args) => cmd::man::run(args),
    }
}

/// How much to tell: what the command line says comes before what the file says.
fn level(cli: &Cli, matches: &ArgMatches) -> Level {
    let said = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
    match () {
        () if said("quiet") => Level::Quiet,
        () if cli.verbose => Level::Verbose,
        () if cli.quiet => Level::Quiet,
        () => Level::Usual,
    }
}

/// Reports wrong usage of a subcommand as clap does: message, usage, exit code 2.
pub fn usage_error(subcommand: &str, message: &str) -> ! {
    let mut cli = command();
    cli.build();
    let command = subcommand.split(' ').fold(&mut cli, |command, name| {
        command.find_subcommand_mut(name).expect("callers name themselves")
    });
    command.error(clap::error::ErrorKind::ValueValidation, message).exit()
}

/// The published shape that a subcommand's `--shape` names; wrong usage if there is none.
pub fn published(subcommand: &str, name: &str) -> SynthSpec {
    SynthSpec::named(name).unwrap_or_else(|| {
        usage_error(subcommand, &format!("--shape {name}: there are 370m, 1.3b and 2.7b"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
