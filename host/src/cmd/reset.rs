//! `sterna reset`: a card's core back to where it can be used.

use serde_json::{Value, json};
use sterna_firmware::FirmwareError;
use sterna_hdl::driver::{CoreState, bare, identify};

use super::status;
use crate::devices::xdma::NodeArgs;
use crate::error::Result;
use crate::output;

/// Reset the core of a card, whatever it is doing
///
/// Ends a run that another program left, or one that is stuck, and forgets the fault. The card's
/// memory, and so the model in it, is not touched; the state of the sequence on chip is lost.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna reset\n  sterna reset --card 1")]
pub struct Args {
    #[command(flatten)]
    nodes: NodeArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let mut card = args.nodes.take()?;
    // Nothing is written to what is no core.
    identify(&mut card).map_err(FirmwareError::from)?;
    let before = CoreState::read(&mut card).map_err(FirmwareError::from)?;
    bare::reset(&mut card).map_err(FirmwareError::from)?;
    let after = CoreState::read(&mut card).map_err(FirmwareError::from)?;
    let index = card.card().found().index;
    if args.json {
        let [before, after] = [before, after].map(|state| -> Value { status::core(&state) });
        return output::json(&json!({ "card": index, "before": before, "after": after }));
    }
    output::line(&format!(
        "card {index}: the core was {}; it is {}",
        status::core_text(&before),
        status::core_text(&after)
    ))
}
