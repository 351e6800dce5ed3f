//! `sterna synth`: a checkpoint of random weights, in the published layout.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use sterna_model::synth::{self, Channels, SynthSpec};

use crate::cli::{published, usage_error};
use crate::error::Result;
use crate::output;

/// Write a random checkpoint of any shape, the same for the same seed
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna synth --shape 370m -o random-370m\n  \
                  sterna synth --hidden 320 --layers 2 --vocab 1003 --outliers -o odd")]
pub struct Args {
    /// A published shape: 370m, 1.3b or 2.7b; the options below change parts of it
    #[arg(long)]
    shape: Option<String>,
    /// Width of the residual stream
    #[arg(long)]
    hidden: Option<usize>,
    /// Layers
    #[arg(long)]
    layers: Option<usize>,
    /// Vocabulary
    #[arg(long)]
    vocab: Option<usize>,
    /// Width of the GLU [default: as the published code derives it]
    #[arg(long)]
    intermediate: Option<usize>,
    /// Heads
    #[arg(long)]
    heads: Option<usize>,
    /// Width of the recurrence as a multiple of hidden; other than 1 only without lower bounds
    #[arg(long)]
    expand: Option<usize>,
    /// Epsilon of the block norms
    #[arg(long)]
    eps: Option<f32>,
    /// Leave the forget gates' lower bounds out
    #[arg(long)]
    no_lower_bounds: bool,
    /// Make some channels 64 times larger
    #[arg(long)]
    outliers: bool,
    /// Start of the random sequence
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Directory to write; must be new or empty
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    fn spec(&self) -> SynthSpec {
        let mut spec = match (&self.shape, self.hidden, self.layers, self.vocab) {
            (Some(name), ..) => published("synth", name),
            (None, Some(hidden), Some(layers), Some(vocab)) => {
                SynthSpec::new(hidden, layers, vocab)
            }
            _ => usage_error("synth", "give --shape, or --hidden, --layers and --vocab"),
        };
        spec.hidden = self.hidden.unwrap_or(spec.hidden);
        spec.layers = self.layers.unwrap_or(spec.layers);
        spec.vocab = self.vocab.unwrap_or(spec.vocab);
        spec.intermediate = self.intermediate.or(spec.intermediate);
        spec.heads = self.heads.unwrap_or(spec.heads);
        spec.expand = self.expand.unwrap_or(spec.expand);
        spec.eps = self.eps.unwrap_or(spec.eps);
        spec.lower_bounds &= !self.no_lower_bounds;
        if self.outliers {
            spec.channels = Channels::Outliers;
        }
        spec.seed = self.seed;
        spec
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let spec = args.spec();
    let begin = Instant::now();
    let bar = output::bar(1, "bytes");
    let mut bytes = 0;
    synth::write(&spec, &args.output, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        bytes = total;
    })?;
    bar.finish_and_clear();
    let seconds = begin.elapsed().as_secs_f64();
    if args.json {
        return output::json(&json!({ "dir": args.output, "bytes": bytes, "seconds": seconds }));
    }
    output::line(&format!("{}: {} in {seconds:.1} s", args.output.display(), output::mib(bytes)))
}
