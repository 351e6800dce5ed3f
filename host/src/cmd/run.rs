//! `sterna run`: prompt to text.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::value_parser;
use serde_json::json;
use sterna_firmware::device::{Device, TOP_K_MAX};

use super::tokens;
use crate::cli::usage_error;
use crate::demo;
use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::generate::{Generation, Request, generate, rate};
use crate::output;
use crate::sample::Sampling;

/// Continue a prompt; greedy unless --temp is given
///
/// The continuation goes to standard output as it arrives, a line of statistics to standard
/// error. Without MODEL the built-in demo model speaks (Shakespeare, 5 M parameters).
#[derive(clap::Args)]
#[command(
    override_usage = "sterna run [OPTIONS] [MODEL] <PROMPT>\n       \
                      sterna run [OPTIONS] [MODEL] --tokens <LIST|FILE>",
    after_help = "Examples:\n  sterna run 'ROMEO:'\n  \
                  sterna run 370m.sterna 'Once upon a time' -n 200 --temp 0.6 --top-p 0.4"
)]
pub struct Args {
    /// MODEL (a .sterna file) and PROMPT, or PROMPT alone: clap has no optional first argument,
    /// so the usage line above says it and this stays hidden
    #[arg(hide = true, value_name = "MODEL> <PROMPT")]
    words: Vec<String>,
    /// Prompt as token numbers: 1,2,3 or a file of them; prints numbers if there is no tokenizer
    #[arg(long, value_name = "LIST|FILE")]
    tokens: Option<String>,
    /// Most tokens to generate
    #[arg(short = 'n', long = "count", default_value_t = 128, value_name = "N")]
    count: usize,
    /// Temperature; 0 is greedy
    #[arg(long, default_value_t = 0.0, value_parser = temperature)]
    temp: f64,
    /// Consider only the K best tokens, at most 64
    #[arg(long, default_value_t = TOP_K_MAX as i64, value_name = "K",
          value_parser = value_parser!(i64).range(1..=TOP_K_MAX as i64))]
    top_k: i64,
    /// Consider the best tokens until their probabilities reach this sum
    #[arg(long, default_value_t = 1.0, value_name = "P", value_parser = probability)]
    top_p: f64,
    /// Start of the random sequence
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Go on after an end-of-text token
    #[arg(long)]
    ignore_eos: bool,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object instead of streaming
    #[arg(long)]
    json: bool,
}

fn temperature(word: &str) -> std::result::Result<f64, String> {
    let value: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if value == 0.0 || (1e-3..=1e3).contains(&value) {
        Ok(value)
    } else {
        Err("a temperature is 0 or between 0.001 and 1000".into())
    }
}

fn probability(word: &str) -> std::result::Result<f64, String> {
    let value: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err("it must be in 0 < P <= 1".into()) }
}

/// MODEL and PROMPT, as far as they are given; anything else ends the program.
fn words(args: &Args) -> (Option<PathBuf>, Option<String>) {
    let (path, prompt) = match (&args.tokens, args.words.len()) {
        (Some(_), 0 | 1) => (args.words.first().map(PathBuf::from), None),
        (None, 1 | 2) => demo::split(args.words.clone()),
        (None, 3..) => {
            usage_error("run", "more than MODEL and PROMPT: put quotes around the prompt")
        }
        (Some(_), _) => usage_error("run", "give a PROMPT or --tokens, not both"),
        (None, _) => usage_error("run", "PROMPT is missing"),
    };
    if args.tokens.is_some() && path.as_ref().is_some_and(|path| !path.exists()) {
        usage_error("run", "the word before --tokens is no file: give MODEL, not a prompt");
    }
    if path.is_none() && prompt.as_deref().is_some_and(|word| word.ends_with(".sterna")) {
        usage_error("run", "PROMPT is missing: `sterna run MODEL PROMPT`");
    }
    (path, prompt)
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let (path, prompt) = words(&args);
    let model = demo::open(path.as_deref())?;
    let tokenizer = model.tokenizer()?;
    let description = model.description();
    let tokens = match (&args.tokens, &prompt) {
        (Some(list), _) => tokens::parse(list, description.shape.vocab)?,
        (None, text) => tokenizer
            .as_ref()
            .ok_or_else(|| HostError::NoTokenizer(model.path().into()))?
            .encode(text.as_deref().unwrap_or_default(), true)?,
    };
    let mut device = args.device.open(&model, 1)?;
    let request = Request {
        prompt: &tokens,
        count: args.count,
        sampling: Sampling {
            temperature: args.temp,
            top_k: args.top_k as usize,
            top_p: args.top_p,
            seed: args.seed,
        },
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
    let generation = generate(device.as_mut(), &request, &mut emit)?;
    if let Some(stream) = &mut stream {
        let rest = stream.finish()?;
        text.push_str(&rest);
        if !args.json {
            output::print(&rest)?;
        }
    }
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": description.image_id,
            "device": device.name(),
            "prompt": prompt,
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
            "seed": args.seed,
        }));
    }
    output::print("\n")?;
    statistics(device.as_ref(), tokens.len(), &generation);
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
    eprintln!(
        "{gap}[{name}] {prompt} prompt tokens at {:.1} tokens/s, {} new at {rate_of:.1} tokens/s{}{}{}",
        rate(prompt, generation.prompt_time),
        generation.tokens.len(),
        // The time is this machine's, not the simulated core's.
        if name == "sim" { " of simulation" } else { "" },
        streamed.unwrap_or_default(),
        if generation.stopped { ", end of text" } else { "" },
    );
}
