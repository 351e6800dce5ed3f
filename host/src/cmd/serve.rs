//! `sterna serve`: the model over HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::value_parser;
use serde_json::json;

use crate::demo;
use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::output;
use crate::power::beside::Power;
use crate::power::meters::MeterArgs;
use crate::serve::engine::Limits;
use crate::serve::http::Bounds;
use crate::serve::{Settings, serve};

/// Serve a model over HTTP, as OpenAI's clients speak it, and a page to try it
///
/// Listens on this machine only, unless --bind names another address and there is a key. Several
/// requests share the device by its slots. Ends with Ctrl-C, once what has begun is answered.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna serve\n  \
                        sterna serve 370m.sterna --device xdma --slots 8\n  \
                        STERNA_KEY=$(cat key) sterna serve --bind 0.0.0.0:8080\n\n\
                        curl localhost:8080/v1/completions -H 'Content-Type: application/json' \\\n    \
                        -d '{\"model\":\"shakespeare-5m\",\"prompt\":\"ROMEO:\",\"max_tokens\":64}'")]
pub struct Args {
    /// MODEL (a .sterna file) [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Address and port; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// A file with the key that clients have to have [default: what STERNA_KEY says, if anything]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// What clients call the model [default: its file's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Answers at a time, as far as the device has slots
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..=64))]
    slots: u16,
    /// Answers of one client that may wait, before it is told to come back later
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u16).range(1..=4096))]
    queue: u16,
    /// Most tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = value_parser!(u32).range(1..=1 << 20))]
    max_tokens: u32,
    /// Most tokens of a prompt
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = value_parser!(u32).range(1..=1 << 20))]
    max_prompt: u32,
    /// MiB of states that are kept for prompts that begin alike; 0 keeps none
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = value_parser!(u16).range(0..=16_384))]
    prefix_cache: u16,
    /// Seconds for answers that have begun, once the server is to end
    #[arg(long, value_name = "S", default_value_t = 30, value_parser = value_parser!(u16).range(0..=3600))]
    grace: u16,
    #[command(flatten)]
    meters: MeterArgs,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object when it listens
    #[arg(long)]
    json: bool,
}

/// Fewer characters are guessed.
const KEY: usize = 16;

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let key = key(args.key_file.as_deref())?;
    let model = demo::open(args.model.as_deref())?;
    let (power, missing) = Power::open(&args.meters, &args.device, &model)?;
    if !missing.is_empty() {
        output::note(&format!("no joules: no meter is there ({})", missing.join("; ")));
    }
    // Of the file: a pulled model's name has no ending, but it may have a point.
    let stem = args.model.is_some().then(|| model.path().file_stem()).flatten();
    let stem = stem.map_or("shakespeare-5m".into(), |stem| stem.to_string_lossy());
    let settings = Settings {
        address: args.bind,
        name: args.name.unwrap_or_else(|| stem.into_owned()),
        key,
        limits: Limits {
            waiting: args.queue.into(),
            prefixes: usize::from(args.prefix_cache) << 20,
        },
        bounds: Bounds { answer: args.max_tokens as usize, prompt: args.max_prompt as usize },
        grace: Duration::from_secs(args.grace.into()),
    };
    let name = settings.name.clone();
    let (device, of, slots) = (args.device, Arc::clone(&model), args.slots.into());
    let open = move || device.open(&of, slots);
    serve(settings, &model, open, power, |address, engine| {
        let slots = engine.slots();
        let device = engine.device();
        if args.json {
            return output::json(&json!({
                "url": format!("http://{address}"),
                "model": name,
                "device": device,
                "slots": slots,
            }));
        }
        output::line(&format!("http://{address}: {name} on {device}, {slots} at a time"))
    })
}

/// The key that a file or the environment has.
fn key(file: Option<&Path>) -> Result<Option<String>> {
    let (key, place) = match file {
        Some(file) => (output::read_text(file)?, file.display().to_string()),
        None => match std::env::var("STERNA_KEY") {
            Ok(key) => (key, "STERNA_KEY".into()),
            Err(_) => return Ok(None),
        },
    };
    let key = key.trim();
    if key.len() < KEY || key.contains(char::is_whitespace) {
        return Err(HostError::BadKey { place });
    }
    Ok(Some(key.into()))
}
