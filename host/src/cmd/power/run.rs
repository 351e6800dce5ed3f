//! `sterna power run`: joules a token, measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_firmware::device::Device;
use sterna_power::analysis::needed;
use sterna_power::recording::{Begin, FORMAT, Mark};
use sterna_power::{Clock, Meter, Recorder, Sampler, SystemClock};

use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::output;
use crate::power::meters::MeterArgs;
use crate::power::report::Report;
use crate::power::workload::Workload;

/// Measure what a token costs: watts and joules, with idle power and error bars
///
/// The device rests, continues a prompt, and rests again, several times over, while meters are
/// read at their own rate. The figures are those of `sterna power report`. On a machine without a
/// meter the model of `sterna power estimate` stands in for one, and its figures say so.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna power run\n  \
                        sterna power run 370m.sterna --device xdma --meter cms -o 370m.jsonl\n  \
                        sterna power run --device uart --port /dev/ttyUSB0 --meter ina226:1@0x40,shunt=0.01")]
pub struct Args {
    /// MODEL (a .sterna file) [default: the built-in demo model]
    model: Option<PathBuf>,
    /// The prompt that is continued in every run
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Tokens of a run [default: as many as take --seconds]
    #[arg(short = 'n', long = "count", value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..=10_000_000))]
    count: Option<usize>,
    /// Seconds of a run, about [default: 5, or more for a meter that is slow]
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,
    /// Runs
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Seconds of rest before, between and after the runs [default: 3, or more for a slow meter]
    #[arg(long, value_name = "S", value_parser = seconds)]
    idle: Option<f64>,
    /// Keep the recording in this file
    #[arg(short, long, value_name = "FILE.jsonl")]
    output: Option<PathBuf>,
    #[command(flatten)]
    meters: MeterArgs,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object, that of `sterna power report --json`
    #[arg(long)]
    json: bool,
}

/// Seconds of a run and of a rest, if the meter needs no more.
const SECONDS: f64 = 5.0;
const IDLE: f64 = 3.0;

pub(super) fn seconds(word: &str) -> std::result::Result<f64, String> {
    let value: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if (0.05..=86_400.0).contains(&value) { Ok(value) } else { Err("0.05 to 86400 seconds".into()) }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let workload = Workload::open(args.model.as_deref(), args.prompt.as_deref())?;
    let tokens = Arc::new(AtomicU64::new(0));
    let found = args.meters.open(&args.device, &workload, Some(&tokens))?;
    let mut device = args.device.open(&workload.model, 1)?;
    if device.name() == "sim" {
        output::note("the core is simulated: a meter shows what this machine takes to do so");
    }
    let intervals = found.meters.iter().map(|meter| meter.description().interval_s);
    let (decode, rest) = needed(intervals.fold(0.0, f64::max));
    let seconds = args.seconds.unwrap_or(decode.max(SECONDS));
    let count = match args.count {
        Some(count) => count,
        None => workload.count(device.as_mut(), Duration::from_secs_f64(seconds))?,
    };
    let idle = Duration::from_secs_f64(args.idle.unwrap_or(rest.max(IDLE)));
    let folder = tempfile::tempdir().map_err(HostError::io(&std::env::temp_dir(), "write to"))?;
    let path = args.output.clone().unwrap_or_else(|| folder.path().join("run.jsonl"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let unix = clock.unix().as_secs_f64();
    let begin =
        Begin { unix, ..begin(&args, &workload, device.name(), &found.meters, found.absent) };
    let job = Job { runs: args.runs, idle, workload: &workload, count, clock, tokens };
    job.record(device.as_mut(), found.meters, Recorder::create(&path, begin)?)?;

    let report = Report::read(&[path], |_, _| Ok(()))?;
    if args.json { output::print(&report.json()) } else { output::print(&report.text()) }
}

fn begin(
    args: &Args,
    workload: &Workload,
    device: &str,
    meters: &[Box<dyn Meter>],
    absent: Vec<String>,
) -> Begin {
    let file = workload.model.path();
    let name =
        if args.model.is_some() { file.file_name().unwrap_or_default() } else { file.as_os_str() };
    Begin {
        format: FORMAT,
        program: concat!("sterna ", env!("CARGO_PKG_VERSION")).into(),
        unix: 0.0,
        device: device.into(),
        model: name.to_string_lossy().into_owned(),
        image_id: workload.model.description().image_id.clone(),
        prompt_tokens: workload.prompt.len(),
        runs: args.runs,
        meters: meters.iter().map(|meter| meter.description().clone()).collect(),
        absent,
    }
}

/// A recording that is to be made.
struct Job<'a> {
    runs: u32,
    /// How long the device rests before each, and at the end.
    idle: Duration,
    workload: &'a Workload,
    /// Tokens of a run.
    count: usize,
    clock: Arc<dyn Clock>,
    /// All tokens so far.
    tokens: Arc<AtomicU64>,
}

impl Job<'_> {
    fn record(
        &self,
        device: &mut dyn Device,
        meters: Vec<Box<dyn Meter>>,
        recorder: Recorder,
    ) -> Result<()> {
        let recorder = Arc::new(recorder);
        let sampler = Sampler::start(meters, &recorder, &self.clock);
        let bar = output::bar(u64::from(self.runs) * self.count as u64, "tokens");
        for run in 0..self.runs {
            self.rest(&recorder, run);
            recorder.mark(self.clock.now(), Mark::Load, run);
            self.workload.generate(device, self.count, &mut |token| {
                recorder.token(self.clock.now(), run, token);
                self.tokens.fetch_add(1, Ordering::Relaxed);
                bar.inc(1);
                Ok(())
            })?;
        }
        self.rest(&recorder, self.runs);
        sampler.stop();
        bar.finish_and_clear();
        let recorder = Arc::into_inner(recorder).expect("the sampler has stopped");
        Ok(recorder.finish(self.clock.now(), self.clock.unix())?)
    }

    fn rest(&self, recorder: &Recorder, run: u32) {
        let now = self.clock.now();
        recorder.mark(now, Mark::Rest, run);
        self.clock.sleep_until(now + self.idle);
    }
}
