//! `sterna power watch`: watts, tokens and joules as they come.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use sterna_power::{Clock, Meter, Sampler, SystemClock};

use super::run::seconds;
use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::output;
use crate::power::dashboard;
use crate::power::live::Live;
use crate::power::meters::MeterArgs;
use crate::power::workload::Workload;

/// Watch watts, tokens a second and joules a token while a device works
///
/// The device continues a prompt over and over. On a terminal this is a dashboard, elsewhere a
/// line a second. Ends with q, Ctrl-C, or after --seconds. Numbers for a report come from `sterna
/// power run`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna power watch --device xdma\n  \
                        sterna power watch --no-load    # what the card draws while another works on it")]
pub struct Args {
    /// MODEL (a .sterna file) [default: the built-in demo model]
    model: Option<PathBuf>,
    /// The prompt that is continued
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Only watch the meters; no device is opened
    #[arg(long)]
    no_load: bool,
    /// End after so long
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,
    #[command(flatten)]
    meters: MeterArgs,
    #[command(flatten)]
    device: Choice,
    /// Print a line of JSON a second
    #[arg(long)]
    json: bool,
}

/// How long the device works before it looks whether to end.
const PIECE: Duration = Duration::from_millis(700);
/// Between two pictures.
const PICTURE: Duration = Duration::from_millis(200);

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let workload = Workload::open(args.model.as_deref(), args.prompt.as_deref())?;
    let tokens = Arc::new(AtomicU64::new(0));
    let found = args.meters.open(&args.device, &workload, (!args.no_load).then_some(&tokens))?;
    let mut device = if args.no_load { None } else { Some(args.device.open(&workload.model, 1)?) };
    let name = device.as_ref().map_or("no load", |device| device.name()).to_string();
    let count = match &mut device {
        Some(device) => workload.count(device.as_mut(), PIECE)?,
        None => 0,
    };

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let descriptions = found.meters.iter().map(|meter| meter.description().clone()).collect();
    let live = Arc::new(Live::new(descriptions));
    let sampler = Sampler::start(found.meters, &live, &clock);
    let over = Arc::new(AtomicBool::new(false));
    let picture = {
        let shown = Shown { name, json: args.json, end: args.seconds, live: live.clone() };
        let (clock, over) = (clock.clone(), over.clone());
        std::thread::spawn(move || {
            let result = shown.until_over(&*clock, &over);
            over.store(true, Ordering::Relaxed);
            result
        })
    };
    let mut worked = Ok(());
    while !over.load(Ordering::Relaxed) && worked.is_ok() {
        let Some(device) = &mut device else {
            std::thread::sleep(PICTURE);
            continue;
        };
        worked = workload
            .generate(device.as_mut(), count, &mut |_| {
                tokens.fetch_add(1, Ordering::Relaxed);
                live.token(clock.now());
                Ok(())
            })
            .and_then(|_| {
                let counters = device.counters()?;
                live.device(counters, device.sensors());
                Ok(())
            });
    }
    over.store(true, Ordering::Relaxed);
    let shown = picture.join().expect("the picture does not panic");
    sampler.stop();
    worked.and(shown)
}

/// What is shown, and how long.
struct Shown {
    name: String,
    json: bool,
    end: Option<f64>,
    live: Arc<Live>,
}

impl Shown {
    fn until_over(&self, clock: &dyn Clock, over: &AtomicBool) -> Result<()> {
        let done = || {
            let passed = self.end.is_some_and(|end| clock.now().as_secs_f64() >= end);
            passed || over.load(Ordering::Relaxed)
        };
        if self.json || !std::io::stdout().is_terminal() {
            return self.lines(clock, &done);
        }
        let mut terminal = ratatui::try_init().map_err(HostError::Output)?;
        let result = loop {
            let view = self.live.view(clock.now());
            if let Err(error) = terminal.draw(|frame| dashboard::draw(frame, &self.name, &view)) {
                break Err(HostError::Output(error));
            }
            match quit() {
                Ok(quit) if quit || done() => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(HostError::Output(error)),
            }
        };
        ratatui::restore();
        result
    }

    fn lines(&self, clock: &dyn Clock, done: &dyn Fn() -> bool) -> Result<()> {
        let mut due = Duration::from_secs(1);
        while !done() {
            clock.sleep_until(due.min(clock.now() + PICTURE));
            if clock.now() < due {
                continue;
            }
            due += Duration::from_secs(1);
            let view = self.live.view(clock.now());
            if self.json { output::json(&view)? } else { output::line(&dashboard::line(&view))? }
        }
        Ok(())
    }
}

/// Waits for a key as long as a picture stays; whether it was one that ends.
fn quit() -> std::io::Result<bool> {
    if !event::poll(PICTURE)? {
        return Ok(false);
    }
    Ok(match event::read()? {
        Event::Key(key) => {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            key.code == KeyCode::Char('q') || (control && key.code == KeyCode::Char('c'))
        }
        _ => false,
    })
}
