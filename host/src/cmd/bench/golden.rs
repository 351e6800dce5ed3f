//! `sterna bench golden`: how fast this machine's processor runs a model, and what binds it.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sterna_firmware::device::{Device, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::kernel::Kernel;
use sterna_firmware::kernel::team::Team;
use sterna_power::meters::{Root, Spec, open};
use sterna_sim::fuzz::made_up_in;

use super::median;
use crate::cli::published;
use crate::demo;
use crate::error::{HostError, Result};
use crate::generate::rate;
use crate::output;
use crate::power::energy::joules_of;

/// Measure the golden device, and what binds it
///
/// Each repetition reads the image and does nothing else, decodes greedily, and takes a prompt;
/// figures are medians, and the share is that of decoding by reading within a repetition. A shape
/// gets random weights; no speed depends on them.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna bench golden --shape 370m --threads 2")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    #[arg(conflicts_with = "shape")]
    model: Option<PathBuf>,
    /// A published shape with random weights instead: 370m, 1.3b or 2.7b
    #[arg(long)]
    shape: Option<String>,
    /// Tokens decoded in a repetition
    #[arg(short = 'n', long = "count", default_value_t = 32, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    count: usize,
    /// Tokens of the prompt
    #[arg(long, default_value_t = 32, value_name = "P",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    prompt: usize,
    /// Repetitions
    #[arg(long, default_value_t = 9, value_name = "R",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    repeat: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize, Deserialize)]
struct Report {
    model: String,
    image_id: String,
    kernel: String,
    threads: usize,
    evidence: String,
    decode_tokens_per_second: f64,
    prompt_tokens: usize,
    prompt_tokens_per_second: f64,
    /// The best of the repetitions.
    fastest: Fastest,
    bytes_per_token: u64,
    /// Of the image, by the same threads.
    read_bytes_per_second: f64,
    bandwidth_share: f64,
    first_token_seconds: f64,
    file_bytes: u64,
    rss_bytes: Option<u64>,
    /// Of the processor while it decodes.
    joules_per_token: Option<f64>,
    /// Why there are no joules.
    no_joules: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Fastest {
    decode_tokens_per_second: f64,
    prompt_tokens_per_second: f64,
    read_bytes_per_second: f64,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let report = match &args.shape {
        Some(shape) => of_shape(&args, shape)?,
        None => measure(&args)?,
    };
    if args.json {
        return output::json(&report);
    }
    output::line(&format!(
        "measured on this machine: decode {:.1} tokens/s (best {:.1}), prompt of {} {:.1} tokens/s \
         (best {:.1})",
        report.decode_tokens_per_second,
        report.fastest.decode_tokens_per_second,
        report.prompt_tokens,
        report.prompt_tokens_per_second,
        report.fastest.prompt_tokens_per_second,
    ))?;
    output::line(&format!(
        "{} of {} a token, {:.0} % of the {:.1} GB/s at which the same threads read them; kernel \
         {}, {} threads",
        report.model,
        output::mib(report.bytes_per_token),
        100.0 * report.bandwidth_share,
        report.read_bytes_per_second / 1e9,
        report.kernel,
        report.threads,
    ))?;
    output::line(&format!(
        "start to first token {:.3} s, resident {}, file {}",
        report.first_token_seconds,
        report.rss_bytes.map_or_else(|| "unknown".into(), output::mib),
        output::mib(report.file_bytes),
    ))?;
    match (report.joules_per_token, report.no_joules) {
        (Some(joules), _) => output::line(&format!("{joules:.4} J a token of the processor")),
        (None, Some(why)) => output::line(&format!("no joules: {why}")),
        (None, None) => Ok(()),
    }
}

/// Makes the model, and measures it in a process that has no memory of how it was made.
fn of_shape(args: &Args, name: &str) -> Result<Report> {
    let spec = published("bench", name);
    let temporary = std::env::temp_dir();
    let directory = tempfile::tempdir().map_err(HostError::io(&temporary, "write to"))?;
    let file = made_up_in(directory.path(), &spec)?;

    let program = std::env::current_exe().map_err(HostError::io(Path::new("sterna"), "find"))?;
    let number = |n: usize| n.to_string();
    let child = Command::new(&program)
        .args(["--threads", &number(rayon::current_num_threads()), "bench", "golden", "--json"])
        .args(["-n", &number(args.count), "--prompt", &number(args.prompt)])
        .args(["--repeat", &number(args.repeat)])
        .arg(&file)
        .stderr(Stdio::inherit())
        .output()
        .map_err(HostError::io(&program, "start"))?;
    let report: serde_json::Result<Report> = serde_json::from_slice(&child.stdout);
    // If it failed it has said why.
    let report = report.map_err(|error| HostError::io(&program, "measure with")(error.into()))?;
    Ok(Report { model: name.into(), ..report })
}

fn measure(args: &Args) -> Result<Report> {
    let begin = Instant::now();
    let model = demo::open(args.model.as_deref())?;
    let mut device = Golden::new(Arc::clone(&model), 1)?;
    let mut token = 0;
    decode(&mut device, &mut token, 1)?;
    let first_token_seconds = begin.elapsed().as_secs_f64();
    let (vocab, image) = (model.shape().vocab as u32, model.image().bytes());
    let prompt: Vec<u32> = (0..args.prompt as u32).map(|n| n * 7919 % vocab).collect();
    let mut team = Team::new(device.threads());
    let meter = open(&Spec::Rapl, &Root::new("/")).expect("RAPL is a meter of this machine");
    let (mut meter, no_joules) = match meter {
        Ok(meter) => (Some(meter), None),
        Err(error) => (None, Some(format!("error[{}]: {error}", error.code()))),
    };

    let (mut decodes, mut prompts, mut reads, mut joules) = (vec![], vec![], vec![], vec![]);
    // The first repetition pays for what is made late.
    for warm in (0..=args.repeat).map(|n| n > 0) {
        let read = timed(|| {
            black_box(read(&mut team, image));
            Ok(())
        })?;
        let before = meter.as_mut().and_then(|meter| joules_of(&mut **meter));
        let decoded = timed(|| decode(&mut device, &mut token, args.count))?;
        let after = meter.as_mut().and_then(|meter| joules_of(&mut **meter));
        let prompted = timed(|| {
            device.clear(0)?;
            device.prompt(0, &prompt, Want::Top).map(|_| ())
        })?;
        if warm {
            reads.push(image.len() as f64 / read.as_secs_f64());
            decodes.push(rate(args.count, decoded));
            prompts.push(rate(args.prompt, prompted));
            joules.extend(after.zip(before).map(|(after, before)| after - before));
        }
    }
    let mut shares: Vec<f64> = decodes
        .iter()
        .zip(&reads)
        .map(|(decode, read)| decode * image.len() as f64 / read)
        .collect();
    let best = |figures: &[f64]| figures.iter().copied().fold(0.0, f64::max);
    Ok(Report {
        model: model.path().display().to_string(),
        image_id: model.description().image_id.clone(),
        kernel: format!("{:?}", Kernel::detect()),
        threads: device.threads(),
        evidence: "measured".into(),
        fastest: Fastest {
            decode_tokens_per_second: best(&decodes),
            prompt_tokens_per_second: best(&prompts),
            read_bytes_per_second: best(&reads),
        },
        decode_tokens_per_second: median(&mut decodes),
        prompt_tokens: prompt.len(),
        prompt_tokens_per_second: median(&mut prompts),
        bytes_per_token: image.len() as u64,
        read_bytes_per_second: median(&mut reads),
        bandwidth_share: median(&mut shares),
        first_token_seconds,
        file_bytes: model.container().length(),
        rss_bytes: output::memory(),
        joules_per_token: (!joules.is_empty()).then(|| median(&mut joules) / args.count as f64),
        no_joules,
    })
}

/// Greedy tokens, each of which enters next.
fn decode(device: &mut Golden, token: &mut u32, count: usize) -> sterna_firmware::Result<()> {
    device.generate(0, *token, count, &[], &mut |head| {
        *token = head.top[0].token;
        ControlFlow::Continue(())
    })
}

fn timed(what: impl FnOnce() -> sterna_firmware::Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    what()?;
    Ok(begin.elapsed().max(Duration::from_nanos(1)))
}

/// Bytes that a thread reads at a time.
const PIECE: usize = 1 << 18;

/// Reads every byte, and does as little with it as proves that.
fn read(team: &mut Team, bytes: &[u8]) -> u64 {
    let sums = team.map(bytes.chunks(PIECE).collect(), |piece| {
        let mut sums = [0u64; 16];
        for block in piece.as_chunks::<128>().0 {
            for (sum, word) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
                *sum ^= u64::from_ne_bytes(*word);
            }
        }
        sums.into_iter().fold(0, |all, sum| all ^ sum)
    });
    sums.into_iter().fold(0, |all, sum| all ^ sum)
}
