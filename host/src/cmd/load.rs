//! `sterna load`: a model onto a card, without running it.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use crate::demo;
use crate::devices::xdma::LoadArgs;
use crate::error::Result;
use crate::output;

/// Load a model onto a card without running it
///
/// A model that is there already is not loaded again: some pages are compared, and the core checks
/// every checksum. A load that was interrupted goes on where it was. --reload loads in any case,
/// and reads back.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna load 370m.sterna\n  \
                        sterna load 370m.sterna --card 1 --reload")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    #[command(flatten)]
    card: LoadArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let bar = output::bar(0, "bytes");
    // From the first byte to the last: what comes before and after does not depend on the size.
    let (mut begin, mut end) = (Instant::now(), Instant::now());
    let mut first = true;
    let mut card = args.card.open(&model, 1, false, &mut |now| {
        end = Instant::now();
        if std::mem::take(&mut first) {
            begin = end;
            bar.set_position(now.done);
            bar.reset_eta();
        }
        bar.set_length(now.total);
        bar.set_position(now.done);
    })?;
    bar.finish_and_clear();
    let loaded = card.loaded();
    let seconds = end.duration_since(begin).as_secs_f64();
    let rate = if loaded.written == 0 { 0.0 } else { loaded.written as f64 / seconds.max(1e-9) };
    let index = card.transport().card().found().index;
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "image_id": model.description().image_id,
            "card": index,
            "held_bytes": loaded.held,
            "written_bytes": loaded.written,
            "seconds": seconds,
            "bytes_per_second": rate,
        }));
    }
    let held = output::mib(loaded.held);
    output::line(&match (loaded.held, loaded.written) {
        (_, 0) => format!("card {index} holds {} already: {held}", model.path().display()),
        (before, written) => format!(
            "card {index} holds {}: {} written in {seconds:.1} s, {:.0} MB/s{}",
            model.path().display(),
            output::mib(written),
            rate / 1e6,
            if before > 0 { format!(", {held} were there") } else { String::new() },
        ),
    })
}
