//! `sterna state save`: prompt to state.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use crate::cmd::prompt::PromptArgs;
use crate::demo;
use crate::devices::Choice;
use crate::error::Result;
use crate::generate::{Request, generate};
use crate::output;
use crate::sample::Sampling;
use crate::state::Saved;

/// Run a prompt and keep its state
///
/// `sterna run --state FILE` goes on from it as if the prompt had been run there, at once, on a
/// device with the same arithmetic.
#[derive(clap::Args)]
#[command(
    override_usage = "sterna state save [OPTIONS] [MODEL] <PROMPT> -o <FILE>\n       \
                      sterna state save [OPTIONS] [MODEL] --tokens <LIST|FILE> -o <FILE>",
    after_help = "Example:\n  sterna state save 'ROMEO:' -o romeo.state\n  \
                  sterna run --state romeo.state ' I'"
)]
pub struct Args {
    #[command(flatten)]
    prompt: PromptArgs,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let prompt = args.prompt.read("state save", false);
    let model = demo::open(prompt.model.as_deref())?;
    let tokens = prompt.tokens(&model, model.tokenizer()?.as_ref(), true)?;
    let mut device = args.device.open(&model, 1)?;
    let begin = Instant::now();
    let request = Request { prompt: &tokens, count: 0, sampling: Sampling::default(), stop: &[] };
    let generation = generate(device.as_mut(), &request, &mut |_| Ok(()))?;
    let saved = Saved {
        entered: tokens.len() as u64 - 1,
        pending: generation.pending,
        ..Saved::of(&model, device.as_mut(), 0)?
    };
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = saved.write(&args.output)?;
    if args.json {
        return output::json(&json!({
            "file": args.output,
            "bytes": bytes,
            "model": model.path(),
            "image_id": saved.image_id,
            "device": device.name(),
            "arithmetic": saved.arithmetic(),
            "prompt_tokens": tokens,
            "entered": saved.entered,
            "pending": saved.pending,
            "saturations": device.saturations(),
            "seconds": seconds,
        }));
    }
    output::line(&format!(
        "{}: {bytes} bytes, {} tokens in {} point, image {}",
        args.output.display(),
        tokens.len(),
        if saved.arithmetic() == "fixed" { "fixed" } else { "floating" },
        saved.image_id,
    ))
}
