//! `sterna logits`: every logit of a token sequence, as safetensors.

use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::json;
use sterna_firmware::device::{Step, Want};

use super::tokens;
use crate::demo;
use crate::devices::Choice;
use crate::error::Result;
use crate::output;

/// Write the logits of every position of a token sequence
///
/// The file holds one tensor, `logits`, f32 `[tokens, vocab]`. No BOS is added.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna logits --tokens 52,49,47 -o logits.safetensors")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Token numbers: 1,2,3 or a file of them
    #[arg(long, value_name = "LIST|FILE")]
    tokens: String,
    /// File to write
    #[arg(short, long, value_name = "OUT.safetensors")]
    output: PathBuf,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let vocab = model.shape().vocab;
    let tokens = tokens::parse(&args.tokens, vocab)?;
    let mut device = args.device.open(&model, 1)?;
    let mut bytes = Vec::with_capacity(tokens.len() * vocab * 4);
    for &token in &tokens {
        let heads = device.pass(&[Step { slot: 0, token, want: Want::Logits }])?;
        bytes.extend(heads[0].logits.iter().flat_map(|v| v.to_le_bytes()));
    }
    let view = TensorView::new(Dtype::F32, vec![tokens.len(), vocab], &bytes)
        .expect("the bytes are of this shape");
    let file = serialize([("logits", view)], None).expect("one tensor serialises");
    output::write_file(&args.output, &file)?;
    if args.json {
        return output::json(&json!({
            "file": args.output,
            "device": device.name(),
            "shape": [tokens.len(), vocab],
            "saturations": device.saturations(),
        }));
    }
    output::line(&format!("{}: logits [{}, {vocab}]", args.output.display(), tokens.len()))
}
