//! `sterna run`: prompt to text.

use std::io::IsTerminal;
use std::path::PathBuf;

use serde_json::json;
use sterna_firmware::device::Device;

use super::prompt::PromptArgs;
use super::sampling::SamplingArgs;
use crate::demo;
use crate::devices::Choice;
use crate::error::Result;
use crate::generate::{Generation, Request, go_on, rate};
use crate::output;
use crate::sample::Sampler;
use crate::state::Saved;

/// Continue a prompt; greedy unless --temp is given
///
/// The continuation goes to standard output as it arrives, a line of statistics to standard
/// error. Without MODEL the built-in demo model speaks (Shakespeare, 5 M parameters).
#[derive(clap::Args)]
#[command(
    override_usage = "sterna run [OPTIONS] [MODEL] <PROMPT>\n       \
                      sterna run [OPTIONS] [MODEL] --tokens <LIST|FILE>\n       \
                      sterna run [OPTIONS] --state <FILE> [MODEL] [PROMPT]",
    after_help = "Examples:\n  sterna run 'ROMEO:'\n  \
                  sterna run 370m.sterna 'Once upon a time' -n 200 --temp 0.6 --top-p 0.4"
)]
pub struct Args {
    #[command(flatten)]
    prompt: PromptArgs,
    /// Most tokens to generate
    #[arg(short = 'n', long = "count", default_value_t = 128, value_name = "N")]
    count: usize,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Go on after an end-of-text token
    #[arg(long)]
    ignore_eos: bool,
    /// Go on from this state, the prompt after it; see `sterna state`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Keep the state at the end
    #[arg(long, value_name = "FILE")]
    save_state: Option<PathBuf>,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object instead of streaming
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let prompt = args.prompt.read("run", args.state.is_some());
    let before = args.state.as_deref().map(Saved::open).transpose()?;
    let model = demo::open(prompt.model.as_deref())?;
    let tokenizer = model.tokenizer()?;
    let description = model.description();
    let tokens = prompt.tokens(&model, tokenizer.as_ref(), before.is_none())?;
    let mut device = args.device.open(&model, 1)?;
    match (&before, &args.state) {
        (Some(saved), Some(path)) => saved.restore(path, &model, device.as_mut(), 0)?,
        _ => device.clear(0)?,
    }
    let (entered, draws) = before.as_ref().map_or((0, 0), |saved| (saved.entered, saved.draws));
    let pending = before.as_ref().and_then(|saved| saved.pending);
    let enters: Vec<u32> = pending.into_iter().chain(tokens.iter().copied()).collect();
    let sampling = args.sampling.sampling();
    let request = Request {
        prompt: &enters,
        count: args.count,
        sampling,
        stop: if args.ignore_eos { &[] } else { &description.eos },
    };
    let mut stream = tokenizer.as_ref().map(|tokenizer| tokenizer.stream());
    let mut text = String::new();
    let mut emit = |token: u32| {
        let piece = match &mut stream {
            Some(stream) => stream.push(token)?.unwrap_or_default(),
            None if text.is_empty() => token.to_string(),
            None => format!(",{token}"),
        };
        text.push_str(&piece);
        if args.json { Ok(()) } else { output::print(&piece) }
    };
    let mut sampler = Sampler::after(sampling, draws);
    let generation = go_on(device.as_mut(), &request, &mut sampler, &mut emit)?;
    if let Some(stream) = &mut stream {
        let rest = stream.finish()?;
        text.push_str(&rest);
        if !args.json {
            output::print(&rest)?;
        }
    }
    if let Some(path) = &args.save_state {
        let chosen = generation.tokens.len() + usize::from(generation.stopped);
        let saved = Saved {
            // All but the one that is pending.
            entered: entered + (enters.len() + chosen - 1) as u64,
            pending: generation.pending,
            draws: sampler.draws(),
            ..Saved::of(&model, device.as_mut(), 0)?
        };
        saved.write(path)?;
    }
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": description.image_id,
            "device": device.name(),
            "prompt": prompt.text,
            "prompt_tokens": tokens,
            "tokens": generation.tokens,
            "text": text,
            "stopped": generation.stopped,
            "prompt_seconds": generation.prompt_time.as_secs_f64(),
            "decode_seconds": generation.decode_time.as_secs_f64(),
            "tokens_per_second": generation.tokens_per_second(),
            "saturations": device.saturations(),
            "streamed_bytes_per_token": device.streamed(),
            "counters": device.counters()?,
            "sensors": device.sensors(),
            "seed": sampling.seed,
        }));
    }
    output::print("\n")?;
    statistics(device.as_ref(), enters.len(), &generation);
    Ok(())
}

fn statistics(device: &dyn Device, prompt: usize, generation: &Generation) {
    let name = device.name();
    let rate_of = generation.tokens_per_second();
    let streamed = device
        .streamed()
        .map(|bytes| format!(", weights sent at {:.1} MB/s", bytes as f64 * rate_of / 1e6));
    // Apart from the text by an empty line where both go to the same screen.
    let gap = if std::io::stdout().is_terminal() { "\n" } else { "" };
    output::aside(&format!(
        "{gap}[{name}] {prompt} prompt tokens at {:.1} tokens/s, {} new at {rate_of:.1} tokens/s{}{}{}",
        rate(prompt, generation.prompt_time),
        generation.tokens.len(),
        // The time is this machine's, not the simulated core's.
        if name == "sim" { " of simulation" } else { "" },
        streamed.unwrap_or_default(),
        if generation.stopped { ", end of text" } else { "" },
    ));
}
