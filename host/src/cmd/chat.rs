//! `sterna chat`: a conversation.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::sampling::SamplingArgs;
use crate::chat::command::{Command, HELP};
use crate::chat::input::{Input, Line};
use crate::chat::{Chat, Ended, Turn};
use crate::demo;
use crate::devices::Choice;
use crate::error::Result;
use crate::generate::rate;
use crate::output;
use crate::power::beside::{Named, Power};
use crate::power::meters::MeterArgs;

/// Talk with a model, turn by turn
///
/// Answers stream to standard output. Lines that begin with a slash are commands: /help lists them.
/// Ctrl-C stops an answer, Ctrl-D ends. Without MODEL the built-in demo model speaks (Shakespeare,
/// 5 M parameters).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna chat --temp 0.8\n  \
                        echo 'Who is there?' | sterna chat 370m.sterna -n 40")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Most tokens of an answer
    #[arg(short = 'n', long = "count", default_value_t = 256, value_name = "N")]
    count: usize,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    #[command(flatten)]
    meters: MeterArgs,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object for each answer instead of streaming
    #[arg(long)]
    json: bool,
}

/// What Ctrl-C does: while an answer is made it ends that, while a pipe is waited for the program.
struct Interrupt {
    waiting: Arc<AtomicBool>,
    happened: Arc<AtomicBool>,
}

impl Interrupt {
    fn catch() -> Interrupt {
        let (waiting, happened) = (Arc::new(AtomicBool::new(true)), Arc::default());
        flag::register_conditional_default(SIGINT, Arc::clone(&waiting))
            .and_then(|_| flag::register(SIGINT, Arc::clone(&happened)))
            .expect("it may be caught");
        Interrupt { waiting, happened }
    }

    /// Does something that it stops.
    fn during<T>(&self, work: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        self.happened.store(false, Ordering::Relaxed);
        self.waiting.store(false, Ordering::Relaxed);
        let result = work(&|| self.happened.load(Ordering::Relaxed));
        self.waiting.store(true, Ordering::Relaxed);
        result
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let (power, missing) = Power::open(&args.meters, &args.device, &model)?;
    for why in missing {
        output::detail(&format!("not measured: {why}"));
    }
    let mut energy = Energy { power, joules: 0.0, open: vec![] };
    let device = args.device.open(&model, 1)?;
    let sampling = args.sampling.sampling();
    let mut chat = Chat::new(Arc::clone(&model), device, sampling, args.system.clone())?;
    let mut input = Input::open()?;
    let interrupt = Interrupt::catch();
    if input.is_terminal() && !args.json {
        output::line(&format!(
            "{} on {}; /help lists the commands, Ctrl-D ends",
            model.path().display(),
            chat.device().name()
        ))?;
    }
    loop {
        let line = match input.line()? {
            Line::Text(line) => line,
            Line::Interrupt => continue,
            Line::End => return Ok(()),
        };
        if line.trim().is_empty() {
            continue;
        }
        let question = match (line.strip_prefix('/'), line.starts_with("//")) {
            (Some(said), true) => said,
            (Some(_), false) => {
                if obey(&mut chat, line.trim_end(), &mut energy)? {
                    continue;
                }
                return Ok(());
            }
            (None, _) => &line,
        };
        ask(&mut chat, question, &args, &interrupt, &mut energy)?;
    }
}

/// What the first meter saw while answers were made.
struct Energy {
    power: Power,
    joules: f64,
    /// Times of which the meter has not yet said enough.
    open: Vec<(Duration, Duration)>,
}

impl Energy {
    /// Adds the time since a moment; returns this one.
    fn add(&mut self, since: Duration) -> Duration {
        let now = self.power.now();
        match self.open.last_mut() {
            Some((_, end)) if *end == since => *end = now,
            _ => self.open.push((since, now)),
        }
        self.settle();
        now
    }

    /// Adds what the meter can tell by now; whether that is all.
    fn settle(&mut self) -> bool {
        let Energy { power, joules, open } = self;
        open.retain(|&(from, to)| match power.between(from, to) {
            Some(more) => {
                *joules += more;
                false
            }
            None => true,
        });
        open.is_empty()
    }
}

/// A question and its answer.
fn ask(
    chat: &mut Chat,
    question: &str,
    args: &Args,
    interrupt: &Interrupt,
    energy: &mut Energy,
) -> Result<()> {
    let mut counted = energy.power.now();
    // Models begin answers with spaces and ends of lines that say nothing.
    let mut begun = false;
    let mut emit = |piece: &str| {
        let piece = if begun { piece } else { piece.trim_start() };
        begun |= !piece.is_empty();
        counted = energy.add(counted);
        if args.json { Ok(()) } else { output::print(piece) }
    };
    let turn = interrupt.during(|stops| chat.ask(question, args.count, stops, &mut emit))?;
    energy.add(counted);
    energy.power.entered(turn.read + turn.chosen);
    if args.json {
        return report(chat, question, &turn);
    }
    output::line("")?;
    if turn.again {
        output::note(&format!(
            "the conversation was read again from its start, {} tokens: the model's chat template \
             writes it differently now",
            turn.read
        ));
    }
    if turn.ended == Ended::Interrupt {
        output::note("interrupted");
    }
    Ok(())
}

fn report(chat: &Chat, question: &str, turn: &Turn) -> Result<()> {
    output::json(&json!({
        "question": question,
        "text": turn.text,
        "prompt_tokens": turn.read,
        "tokens": turn.chosen,
        "ended": match turn.ended {
            Ended::Token => "token",
            Ended::Text => "text",
            Ended::Count => "count",
            Ended::Interrupt => "interrupt",
        },
        "read_again": turn.again,
        "conversation_tokens": chat.tokens(),
        "prompt_seconds": turn.prompt_time.as_secs_f64(),
        "decode_seconds": turn.decode_time.as_secs_f64(),
    }))
}

/// Obeys a command; whether the conversation goes on. What is wrong with one is told.
fn obey(chat: &mut Chat, line: &str, energy: &mut Energy) -> Result<bool> {
    let done = match Command::read(line) {
        Err(why) => {
            output::note(&why);
            return Ok(true);
        }
        Ok(Command::Quit) => return Ok(false),
        Ok(Command::Help) => {
            eprintln!("{HELP}");
            return Ok(true);
        }
        Ok(Command::Stats) => {
            stats(chat, energy)?;
            return Ok(true);
        }
        Ok(Command::Reset) => chat.reset().map(|()| "a new conversation".to_owned()),
        Ok(Command::Save(path)) => {
            chat.save(&path).map(|bytes| format!("{}: {bytes} bytes", path.display()))
        }
        Ok(Command::Load(path)) => chat
            .load(&path)
            .map(|()| format!("{} messages, {} tokens", chat.messages().len(), chat.tokens())),
    };
    match done {
        Ok(said) => output::note(&said),
        Err(error) => output::failure(&error),
    }
    Ok(true)
}

/// What the conversation cost so far.
fn stats(chat: &mut Chat, energy: &mut Energy) -> Result<()> {
    let (totals, tokens) = (chat.totals(), chat.tokens());
    // The first token of an answer is the prompt's work.
    let decoded = totals.chosen.saturating_sub(totals.turns);
    let device = chat.device();
    let mut rows = vec![
        ("device", format!("{}, {} slots", device.name(), device.slots())),
        ("conversation", format!("{tokens} tokens")),
        (
            "read",
            format!(
                "{} tokens at {:.1} tokens/s",
                totals.read,
                rate(totals.read, totals.prompt_time)
            ),
        ),
        (
            "answered",
            format!(
                "{} tokens in {} answers at {:.1} tokens/s",
                totals.chosen,
                totals.turns,
                rate(decoded, totals.decode_time)
            ),
        ),
        ("saturations", device.saturations().to_string()),
    ];
    let all = energy.settle();
    if let Some(Named { meter, evidence, .. }) = energy.power.meter() {
        let joules = energy.joules;
        let each = joules / (totals.read + totals.chosen).max(1) as f64;
        rows.push((
            "energy",
            match all {
                true => format!("{joules:.2} J, {each:.4} J a token ({meter}, {evidence})"),
                false => format!("not known yet ({meter}, {evidence})"),
            },
        ));
    }
    if let Some(bytes) = device.streamed() {
        rows.push(("streamed", format!("{bytes} bytes a token")));
    }
    if let Some(counters) = device.counters()? {
        let of = |part: u64| 100.0 * part as f64 / counters.cycles.max(1) as f64;
        rows.push((
            "last run",
            format!(
                "{} clocks: {:.0} % beats, {:.0} % starved, {:.0} % blocked, {:.0} % idle",
                counters.cycles,
                of(counters.beats),
                of(counters.starved),
                of(counters.blocked),
                of(counters.idle)
            ),
        ));
    }
    for sensor in device.sensors() {
        rows.push(("sensor", format!("{} {:.2} {}", sensor.name, sensor.value, sensor.unit)));
    }
    for (name, value) in rows {
        eprintln!("{name:<14}{value}");
    }
    Ok(())
}
