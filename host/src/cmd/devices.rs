//! `sterna devices`: what there is to run on.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::devices::survey::{self, Entry, State};
use crate::error::Result;
use crate::output;

/// List what there is to run on, and what is wrong with what cannot be used
///
/// A card is taken for a moment, if nobody else has it, and its registers are read; nothing is
/// written to it. The exit code is 0 whatever is found.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna devices\n  sterna devices --root /tmp/card")]
pub struct Args {
    /// Directory of the XDMA driver's nodes
    #[arg(long, value_name = "DIR", default_value = "/dev")]
    root: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let mut entries = survey::programs();
    let none = match survey::cards(&args.root) {
        Ok(cards) => {
            entries.extend(cards);
            None
        }
        Err(error) => Some(error),
    };
    if args.json {
        let list: Vec<Value> = entries.iter().map(describe).collect();
        let none = none.as_ref().map(output::error);
        return output::json(&json!({ "devices": list, "no_cards": none }));
    }
    for entry in &entries {
        let name = match entry.card {
            Some(index) => format!("{} {index}", entry.device),
            None => entry.device.into(),
        };
        let what = match &entry.state {
            State::Ready(what) => what.clone(),
            State::Card(geometry) => format!("core of {}", survey::core(geometry)),
            State::InUse => "another process has it".into(),
            State::Broken(error) => format!("[{}] {error}", error.code()),
        };
        output::line(&format!("{name:<8} {:<6}  {what}", entry.state.word()))?;
    }
    match none {
        Some(error) => output::line(&format!("xdma     none    [{}] {error}", error.code())),
        None => Ok(()),
    }
}

fn describe(entry: &Entry) -> Value {
    let (mut geometry, mut manifest, mut error) = (None, None, None);
    match &entry.state {
        State::Card(core) => {
            geometry = Some(core);
            manifest = Some(format!("{:016x}", core.hash()));
        }
        State::Broken(why) => error = Some(output::error(why)),
        State::Ready(_) | State::InUse => {}
    }
    json!({
        "device": entry.device,
        "card": entry.card,
        "usable": matches!(entry.state, State::Ready(_) | State::Card(_)),
        "state": entry.state.word(),
        "manifest": manifest,
        "geometry": geometry,
        "error": error,
    })
}
