//! `sterna eval`: how well a model predicts a text.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use crate::demo;
use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::output;
use crate::score::{self, negative_log_likelihood};

/// Windows that share a pass over the weights.
const SLOTS: usize = 64;

/// Measure negative log-likelihood and perplexity on a text
///
/// The text's tokens are cut into windows that do not overlap, each from an empty state;
/// every position predicts the next token, an incomplete rest is dropped. No BOS is added.
#[derive(clap::Args)]
#[command(after_help = "Example (the demo model's validation text):\n  sterna eval \
                  --text model/demo/validation.txt --window 256")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// UTF-8 text file
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Inputs of a window
    #[arg(long, default_value_t = 256, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1 << 20))]
    window: usize,
    /// Leave out the first F characters; a number with a point is a share of the text (0.9)
    #[arg(long, default_value = "0", value_name = "F", value_parser = skip)]
    skip_chars: Skip,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How much of a text to leave out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Skip {
    Characters(usize),
    Share(f64),
}

fn skip(word: &str) -> std::result::Result<Skip, String> {
    if let Ok(count) = word.parse() {
        return Ok(Skip::Characters(count));
    }
    match word.parse::<f64>() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(Skip::Share(share)),
        _ => Err("a number of characters, or a share in 0.0 <= F < 1.0".into()),
    }
}

impl Skip {
    /// The rest of a text.
    fn of(self, text: &str) -> Result<&str> {
        let chars = text.chars().count();
        let skip = match self {
            Skip::Characters(count) => count,
            Skip::Share(share) => (share * chars as f64) as usize,
        };
        match text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(skip) {
            Some(at) => Ok(&text[at..]),
            None => Err(HostError::SkipPastEnd { skip, chars }),
        }
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let tokenizer =
        model.tokenizer()?.ok_or_else(|| HostError::NoTokenizer(model.path().into()))?;
    let text = output::read_text(&args.text)?;
    let (tokens, bytes) = tokenizer.encode_with_bytes(args.skip_chars.of(&text)?)?;
    let windows = score::windows(tokens.len(), args.window);
    if windows.is_empty() {
        return Err(HostError::ShortText {
            what: args.text.display().to_string(),
            tokens: tokens.len(),
            window: args.window,
        });
    }
    let mut device = args.device.open(&model, SLOTS.min(windows.len()))?;
    let count: usize = windows.iter().map(ExactSizeIterator::len).sum();
    let bar = output::bar(count as u64, "tokens");
    let begin = Instant::now();
    // One sum per window, added in order: the same bits however the windows are batched.
    let mut sums = vec![0.0f64; windows.len()];
    let mut predicted_bytes = 0;
    score::predictions(device.as_mut(), &tokens, &windows, &mut |prediction| {
        sums[prediction.window] +=
            negative_log_likelihood(&prediction.head.logits, prediction.target);
        predicted_bytes += bytes[prediction.position + 1];
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    let total: f64 = sums.iter().sum();
    let nll = total / count as f64;
    let bits_per_byte = total / std::f64::consts::LN_2 / predicted_bytes as f64;
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": model.description().image_id,
            "device": device.name(),
            "nll": nll,
            "perplexity": nll.exp(),
            "bits_per_byte": bits_per_byte,
            "tokens": count,
            "windows": windows.len(),
            "window": args.window,
            "saturations": device.saturations(),
            "seconds": seconds,
            "tokens_per_second": count as f64 / seconds,
        }));
    }
    output::line(&format!(
        "{nll:.4} nats/token, perplexity {:.3}, {bits_per_byte:.4} bits/byte",
        nll.exp()
    ))?;
    output::line(&format!(
        "[{}] {count} predictions in {} windows, {} saturations, {seconds:.1} s, {:.0} tokens/s",
        device.name(),
        windows.len(),
        device.saturations(),
        count as f64 / seconds,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping() {
        assert_eq!(skip("3").unwrap().of("añbc").unwrap(), "c");
        assert_eq!(skip("0.5").unwrap().of("añbc").unwrap(), "bc");
        assert_eq!(skip("4").unwrap().of("añbc").unwrap(), "");
        assert!(skip("5").unwrap().of("añbc").is_err());
        assert!(skip("1.0").is_err() && skip("-1").is_err() && skip("x").is_err());
    }
}
