//! `sterna state show`: what a state is of.

use std::path::PathBuf;

use serde_json::json;

use crate::error::Result;
use crate::output;
use crate::state::Saved;

/// Say what a state's file holds
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna state show romeo.state")]
pub struct Args {
    /// A file of `state save`, `run --save-state` or `/save` in `chat`
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let saved = Saved::open(&args.file)?;
    let [layers, inner] = saved.shape;
    let messages = saved.conversation.as_ref().map(|conversation| &conversation.messages);
    if args.json {
        return output::json(&json!({
            "file": args.file,
            "image_id": saved.image_id,
            "arithmetic": saved.arithmetic(),
            "layers": layers,
            "elements": inner,
            "entered": saved.entered,
            "pending": saved.pending,
            "draws": saved.draws,
            "messages": messages,
        }));
    }
    let pending = saved.pending.map_or("none".into(), |token| token.to_string());
    let rows = [
        ("image", saved.image_id.clone()),
        ("arithmetic", saved.arithmetic().into()),
        ("state", format!("{layers} layers of {inner}")),
        ("entered", format!("{} tokens", saved.entered)),
        ("pending", pending),
        ("drawn", format!("{} random numbers", saved.draws)),
        ("messages", messages.map_or("none".into(), |messages| messages.len().to_string())),
    ];
    rows.iter().try_for_each(|(name, value)| output::line(&format!("{name:<12}{value}")))
}
