//! `sterna plan`: what a pass costs on a core, before there is one.

use std::path::PathBuf;

use serde_json::{Value, json};
use sterna_firmware::device::Counters;

use super::geometry::Choice;
use crate::board::fit;
use crate::board::schema::MODELS;
use crate::cli::usage_error;
use crate::demo;
use crate::error::Result;
use crate::output;
use crate::picture::svg::svg;
use crate::plan::timeline::timeline;
use crate::plan::{Memory, Plan, share};

/// Print the budget of a token: clocks and milliseconds of every kind of instruction
///
/// With several slots it is that of a pass, in which each of them has a token.
///
/// Computed by the timing model, which equals the simulated core in every clock (`sterna verify`
/// compares them); no data is simulated, so a shape is enough. The memory answers after a fixed
/// latency with a beat a clock, or as many as its bandwidth allows, evenly.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna plan --shape 370m --bus 512\n  \
                  sterna plan model.sterna --bus 512 --clock 250 --bandwidth 19.2\n  \
                  sterna plan --bus 64 --svg token.svg")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    #[arg(conflicts_with = "shape")]
    model: Option<PathBuf>,
    /// A shape without weights instead: tiny, 5m, 370m, 1.3b or 2.7b
    #[arg(long)]
    shape: Option<String>,
    #[command(flatten)]
    geometry: Choice,
    /// Clock of core and memory bus, for milliseconds
    #[arg(long, value_name = "MHZ", value_parser = clock)]
    clock: Option<f64>,
    /// Bandwidth of the memory; a beat a clock at most [default: a beat a clock]
    #[arg(long, value_name = "GB/s", value_parser = bandwidth, requires = "clock")]
    bandwidth: Option<f64>,
    /// Clocks from an address to the first beat
    #[arg(long, default_value_t = 60, value_name = "CLOCKS",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    latency: u32,
    /// Draw the token's timeline into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn number(word: &str, most: f64, why: &str) -> std::result::Result<f64, String> {
    match word.parse::<f64>() {
        Ok(value) if (0.001..=most).contains(&value) => Ok(value),
        _ => Err(why.into()),
    }
}

fn clock(word: &str) -> std::result::Result<f64, String> {
    number(word, 10_000.0, "a number of megahertz from 0.001 to 10,000")
}

fn bandwidth(word: &str) -> std::result::Result<f64, String> {
    number(word, 1e6, "a number of gigabytes (10^9) a second from 0.001 to 1,000,000")
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let (name, shape) = match &args.shape {
        Some(name) => match fit::shape(name) {
            Some(shape) => (name.clone(), shape),
            None => {
                let known = MODELS.join(", ");
                usage_error("plan", &format!("--shape {name}: there are {known}"))
            }
        },
        None => {
            let model = demo::open(args.model.as_deref())?;
            (model.path().display().to_string(), model.shape())
        }
    };
    let geometry = args.geometry.resolve(&shape)?;
    let Args { clock, bandwidth, latency, .. } = args;
    let plan = Plan::new(&name, shape, geometry, Memory { latency, clock, bandwidth })?;
    if let Some(path) = &args.svg {
        output::write_file(path, svg(&timeline(&plan)).as_bytes())?;
    }
    if args.json { output::json(&json(&plan, args.svg)) } else { output::print(&text(&plan)) }
}

fn json(plan: &Plan, svg: Option<PathBuf>) -> Value {
    let spent = |of: &Counters| {
        json!({
            "cycles": of.cycles,
            "milliseconds": plan.milliseconds(of.cycles),
            "beats": of.beats,
            "starved": of.starved,
            "blocked": of.blocked,
            "idle": of.idle,
            "share_of_beats": share(of.beats, of.cycles),
        })
    };
    let kinds = plan.pass.kinds();
    let instructions: Vec<Value> = kinds
        .iter()
        .map(|(opcode, count, counters)| {
            let mut value = spent(counters);
            value["opcode"] = json!(opcode.name());
            value["count"] = json!(count);
            value
        })
        .collect();
    let mut value = spent(&plan.pass.counters);
    value["model"] = json!(plan.name);
    value["shape"] = json!(plan.shape);
    value["geometry"] = json!(plan.geometry);
    value["latency"] = json!(plan.memory.latency);
    value["clock_mhz"] = json!(plan.memory.clock);
    value["bandwidth_gb_s"] = json!(plan.memory.bandwidth);
    value["svg"] = json!(svg);
    value["evidence"] = json!(plan.evidence());
    value["instructions"] = json!(instructions);
    value["utilisation"] = json!(plan.utilisation());
    value["batch"] = json!(plan.tokens());
    value["cycles_per_token"] = json!(plan.cycles_per_token());
    value["tokens_per_second"] = json!(plan.tokens_per_second());
    value
}

fn text(plan: &Plan) -> String {
    let (s, g) = (&plan.shape, &plan.geometry);
    let mut text = format!(
        "{}: {} x {} x {}, {} layers, {} tokens\ncore of {} bits, {} ways, {} quantisers{}; \
         memory: {}\n\n",
        plan.name,
        s.hidden,
        s.inner,
        s.intermediate,
        s.layers,
        s.vocab,
        g.bus,
        g.ways,
        g.quantisers,
        if g.slots > 1 { format!(", {} slots", g.slots) } else { String::new() },
        plan.behind()
    );
    text +=
        "kind     count      cycles        ms       beats   share   starved   blocked      idle\n";
    for (opcode, count, counters) in plan.pass.kinds() {
        text += &row(plan, opcode.name(), &count.to_string(), &counters);
    }
    let whole = if g.slots > 1 { "pass" } else { "token" };
    text += &row(plan, whole, "", &plan.pass.counters);
    if g.slots > 1 {
        text += &format!("\n{:.1} cycles a token\n", plan.cycles_per_token());
    }
    text += &format!(
        "\nweights / lanes / cycles: {:.1} % ({})\n",
        100.0 * plan.utilisation(),
        plan.evidence()
    );
    if let (Some(clock), Some(rate)) = (plan.memory.clock, plan.tokens_per_second()) {
        text += &format!("{rate:.2} tokens/s at {clock} MHz ({})\n", plan.evidence());
    }
    text
}

fn row(plan: &Plan, name: &str, count: &str, of: &Counters) -> String {
    let ms = plan.milliseconds(of.cycles).map_or("-".into(), |ms| format!("{ms:.4}"));
    format!(
        "{name:<8} {count:>5} {:>11} {ms:>9} {:>11} {:>5.1} % {:>9} {:>9} {:>9}\n",
        of.cycles,
        of.beats,
        100.0 * share(of.beats, of.cycles),
        of.starved,
        of.blocked,
        of.idle
    )
}
