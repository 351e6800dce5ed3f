//! `sterna validate`: is this card well?

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::demo;
use crate::devices::xdma::MemoryArgs;
use crate::error::{HostError, Result};
use crate::output::{self, Mark};
use crate::validate::{Outcome, Plan, Step, validate};

/// Test a card: registers, memory, DMA, and passes against the golden model
///
/// OVERWRITES THE CARD'S MEMORY, the model on it included; the next load writes everything. Each
/// step is a line, with figures; a step that fails does not end the test. Exit code 1 if any
/// failed.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  sterna validate\n  sterna validate 370m.sterna --card 1 --full"
)]
pub struct Args {
    /// A .sterna file for the passes [default: one that is made up to fit the core]
    model: Option<PathBuf>,
    /// Test every byte of the memory instead of a sample
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    card: MemoryArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = args.model.as_deref().map(|word| demo::open(Some(word))).transpose()?;
    let mut transport = args.card.nodes.take()?;
    let index = transport.card().found().index;
    let plan = Plan { memory: args.card.card_memory, full: args.full, model };
    // Nobody reads on: the test goes on all the same, as it has to leave the label void.
    let mut printed = Ok(());
    let steps = validate(transport, &plan, &mut |step| {
        if !args.json && printed.is_ok() {
            printed = tell(step);
        }
    });
    printed?;
    let count = |outcome| steps.iter().filter(|step| step.outcome == outcome).count();
    let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
    let skipped = count(Outcome::Skipped);
    if args.json {
        output::json(&json!({
            "card": index,
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "steps": steps.iter().map(describe).collect::<Vec<_>>(),
        }))?;
    } else {
        output::line(&format!(
            "card {index}: {passed} passed, {failed} failed, {skipped} skipped; its memory was \
             overwritten"
        ))?;
    }
    if failed > 0 { Err(HostError::Validate { failed, steps: steps.len() }) } else { Ok(()) }
}

fn tell(step: &Step) -> Result<()> {
    let mark = match step.outcome {
        Outcome::Passed => Mark::Good,
        Outcome::Skipped => Mark::Doubtful,
        Outcome::Failed => Mark::Bad,
    };
    output::marked(mark, step.outcome.word(), &format!("  {:<15} {}", step.name, step.text))
}

fn describe(step: &Step) -> Value {
    json!({
        "name": step.name,
        "outcome": step.outcome.word().to_ascii_lowercase(),
        "text": step.text,
        "seconds": step.seconds,
        "figures": step.figures,
    })
}
