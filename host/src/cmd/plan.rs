//! `sterna plan`: what a token costs on a core, before there is one.

use std::path::PathBuf;

use serde_json::{Value, json};
use sterna_firmware::device::Counters;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_firmware::trits::ROWS;
use sterna_sim::timing::{Ideal, Pass, Timing};

use super::geometry::Choice;
use crate::board::fit;
use crate::board::schema::MODELS;
use crate::cli::usage_error;
use crate::demo;
use crate::error::Result;
use crate::output;

/// Print the budget of a token: clocks and milliseconds of every kind of instruction
///
/// Computed by the timing model, which equals the simulated core in every clock (`sterna verify`
/// compares them); no data is simulated, so a shape is enough. The memory answers after a fixed
/// latency with a beat a clock, or as many as its bandwidth allows, evenly.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna plan --shape 370m --bus 512\n  \
                  sterna plan model.sterna --bus 512 --clock 250 --bandwidth 19.2")]
pub struct Args {
    /// A .sterna file [default: the built-in demo model]
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

/// What is planned.
struct Plan {
    name: String,
    shape: Shape,
    geometry: Geometry,
    clock: Option<f64>,
    bandwidth: Option<f64>,
    latency: u32,
    pass: Pass,
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
    let spacing = spacing(&geometry, args.clock, args.bandwidth);
    let pass = Timing::new(&geometry, &shape)?.token(Ideal { latency: args.latency, spacing });
    let Args { clock, bandwidth, latency, .. } = args;
    let plan = Plan { name, shape, geometry, clock, bandwidth, latency, pass };
    if args.json { output::json(&plan.json()) } else { output::print(&plan.text()) }
}

/// Clocks from beat to beat as [`Ideal`] has them.
fn spacing(geometry: &Geometry, clock: Option<f64>, bandwidth: Option<f64>) -> u64 {
    let (Some(clock), Some(bandwidth)) = (clock, bandwidth) else { return 1 << Ideal::FRACTION };
    let beat = f64::from(geometry.bus / 8);
    let clocks = beat * clock * 1e6 / (bandwidth * 1e9);
    (clocks.max(1.0) * f64::from(1u32 << Ideal::FRACTION)).round() as u64
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl Plan {
    /// Cycles alone are what RTL simulation gives; a clock or a bandwidth is only assumed.
    fn evidence(&self) -> &'static str {
        match self.clock {
            None => "simulated-exact timing model",
            Some(_) => "projected",
        }
    }

    fn milliseconds(&self, cycles: u64) -> Option<f64> {
        self.clock.map(|clock| cycles as f64 / (clock * 1e3))
    }

    fn tokens_per_second(&self) -> Option<f64> {
        self.milliseconds(self.pass.counters.cycles).map(|ms| 1e3 / ms)
    }

    /// Weights, a lane each and clock, of what the lanes could have done.
    fn utilisation(&self) -> f64 {
        let lanes = (self.geometry.columns() * ROWS) as f64;
        self.shape.weights() as f64 / lanes / self.pass.counters.cycles as f64
    }

    fn json(&self) -> Value {
        let spent = |of: &Counters| {
            json!({
                "cycles": of.cycles,
                "milliseconds": self.milliseconds(of.cycles),
                "beats": of.beats,
                "starved": of.starved,
                "blocked": of.blocked,
                "idle": of.idle,
                "share_of_beats": share(of.beats, of.cycles),
            })
        };
        let kinds = self.pass.kinds();
        let instructions: Vec<Value> = kinds
            .iter()
            .map(|(opcode, count, counters)| {
                let mut value = spent(counters);
                value["opcode"] = json!(opcode.name());
                value["count"] = json!(count);
                value
            })
            .collect();
        let mut value = spent(&self.pass.counters);
        value["model"] = json!(self.name);
        value["shape"] = json!(self.shape);
        value["geometry"] = json!(self.geometry);
        value["latency"] = json!(self.latency);
        value["clock_mhz"] = json!(self.clock);
        value["bandwidth_gb_s"] = json!(self.bandwidth);
        value["evidence"] = json!(self.evidence());
        value["instructions"] = json!(instructions);
        value["utilisation"] = json!(self.utilisation());
        value["tokens_per_second"] = json!(self.tokens_per_second());
        value
    }

    fn text(&self) -> String {
        let (s, g) = (&self.shape, &self.geometry);
        let memory = match self.bandwidth {
            Some(bandwidth) => format!("{bandwidth} GB/s"),
            None => "a beat a clock".into(),
        };
        let mut text = format!(
            "{}: {} x {} x {}, {} layers, {} tokens\ncore of {} bits, {} ways, {} quantisers; \
             memory: {memory} after {} clocks\n\n",
            self.name,
            s.hidden,
            s.inner,
            s.intermediate,
            s.layers,
            s.vocab,
            g.bus,
            g.ways,
            g.quantisers,
            self.latency
        );
        text += "kind     count      cycles        ms       beats   share   starved   blocked      idle\n";
        for (opcode, count, counters) in self.pass.kinds() {
            text += &self.row(opcode.name(), &count.to_string(), &counters);
        }
        text += &self.row("token", "", &self.pass.counters);
        text += &format!(
            "\nweights / lanes / cycles: {:.1} % ({})\n",
            100.0 * self.utilisation(),
            self.evidence()
        );
        if let (Some(clock), Some(rate)) = (self.clock, self.tokens_per_second()) {
            text += &format!("{rate:.2} tokens/s at {clock} MHz ({})\n", self.evidence());
        }
        text
    }

    fn row(&self, name: &str, count: &str, of: &Counters) -> String {
        let ms = self.milliseconds(of.cycles).map_or("-".into(), |ms| format!("{ms:.4}"));
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
}
