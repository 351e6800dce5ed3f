//! `sterna fuzz`: random tests, each of which a number replays.

use clap::Subcommand;
use serde_json::json;
use sterna_sim::fuzz::{Case, Change, Fuzzer};

use crate::cli::usage_error;
use crate::error::{HostError, Result};
use crate::output;

/// Test with random geometries, models and memories
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Rtl(Rtl),
}

/// Compare random cores with the golden model on random models
///
/// Each case is a legal geometry, a made-up model that fits it, a memory and registers that stall,
/// and a few tokens with states saved and loaded, and resets, between them; everything is compared as by `verify`. For a
/// case that fails a smaller one is looked for that fails as well.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna fuzz rtl --cases 100 --cores 4 --seed 1\n  \
                  sterna fuzz rtl --case-seed 4711")]
struct Rtl {
    /// Cases
    #[arg(long, default_value_t = 16, value_name = "N", conflicts_with = "case_seed")]
    cases: u64,
    /// Cores that they are spread over, each compiled once; one for every eight cases if not given
    #[arg(long, value_name = "N", conflicts_with = "case_seed")]
    cores: Option<u64>,
    /// Which cases
    #[arg(long, default_value_t = 0, conflicts_with = "case_seed")]
    seed: u64,
    /// One case alone
    #[arg(long, value_name = "X")]
    case_seed: Option<u64>,
    /// That case made smaller, as the search after a failure prints it
    #[arg(long, value_name = "CHANGES", requires = "case_seed", value_delimiter = ',')]
    with: Vec<Change>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where nothing else is said: compiling a core takes as long as some cases on it.
const CASES_OF_A_CORE: u64 = 8;

/// The command that repeats a case.
fn replay(case: &Case) -> String {
    let changes = case.changes();
    let with = if changes.is_empty() { String::new() } else { format!(" --with {changes}") };
    format!("sterna fuzz rtl --case-seed {}{with}", case.seed)
}

impl Rtl {
    fn case(&self, seed: u64) -> Case {
        self.with.iter().fold(Case::new(seed), |case, &change| {
            case.with(change).unwrap_or_else(|| {
                usage_error("fuzz", &format!("--with {change}: that makes the case not smaller"))
            })
        })
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let Command::Rtl(args) = args.command;
    let seeds: Vec<u64> = match args.case_seed {
        Some(seed) => vec![seed],
        None => {
            let cores = args.cores.unwrap_or(args.cases.div_ceil(CASES_OF_A_CORE));
            Case::seeds(args.seed, args.cases, cores).collect()
        }
    };
    let mut fuzzer = Fuzzer::default();
    let (mut failures, mut manifests) = (vec![], vec![]);
    let bar = output::bar(seeds.len() as u64, "cases");
    for &seed in &seeds {
        let case = args.case(seed);
        let outcome = fuzzer.run(&case);
        let manifest = format!("{:016x}", case.geometry.hash());
        if manifests.last() != Some(&manifest) {
            manifests.push(manifest);
        }
        if args.case_seed.is_some() && !args.json {
            output::line(&case.to_string())?;
        }
        if let Err(why) = outcome {
            let smallest = if args.with.is_empty() { fuzzer.shrink(&case) } else { None };
            let mut text = format!("{why}\n  {case}\n  replay: {}", replay(&case));
            let mut failure = json!({ "case_seed": seed, "why": why, "replay": replay(&case) });
            if let Some((case, why)) = &smallest {
                text += &format!("\n  smaller: {why}\n  {case}\n  replay: {}", replay(case));
                failure["smaller"] = json!({ "why": why, "replay": replay(case) });
            }
            if !args.json {
                bar.suspend(|| output::line(&text))?;
            }
            failures.push(failure);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (cases, failed) = (seeds.len() as u64, failures.len() as u64);
    if args.json {
        let seed = args.case_seed.is_none().then_some(args.seed);
        output::json(&json!({
            "cases": cases, "failures": failures, "seed": seed, "manifests": manifests,
        }))?;
    } else {
        let seed = args.case_seed.unwrap_or(args.seed);
        output::line(&format!("{cases} cases, {failed} failures, seed {seed}"))?;
    }
    if failed == 0 { Ok(()) } else { Err(HostError::Fuzz { failures: failed, cases }) }
}
