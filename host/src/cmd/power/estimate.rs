//! `sterna power estimate`: what a token may cost on a board that nobody has measured.

use std::fmt::Write as _;
use std::path::PathBuf;

use sterna_firmware::geometry::Geometry;
use sterna_sim::Options;

use crate::board::Board;
use crate::demo;
use crate::devices::bus;
use crate::error::Result;
use crate::output;
use crate::power::estimate::energies::{Energies, Used};
use crate::power::estimate::range::Range;
use crate::power::estimate::{EVIDENCE, Estimate, Setting, estimate};

/// Estimate the joules of a token: a model, not a measurement
///
/// One token is simulated with everything that toggles counted; each count is multiplied with an
/// energy from a table, from a low to a high one. Glitches, pins, memory controllers and regulators
/// are left out.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna power estimate\n  sterna power estimate \
                  370m.sterna --board kcu105 --sources")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Board that gives FPGA, memory, clock and core: its name or folder
    #[arg(long, default_value = "ulx3s-85f", value_name = "BOARD")]
    board: String,
    /// Another core than the board's: one of this bus that fits the model
    #[arg(long, value_name = "BITS", value_parser = bus)]
    sim_bus: Option<u32>,
    /// Another clock than the board's
    #[arg(long, value_name = "MHZ", value_parser = megahertz)]
    clock: Option<f64>,
    /// Which token of greedy text, from 0
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(..=10_000))]
    token: usize,
    /// Another table of energies, such as one calibrated on a board
    #[arg(long, value_name = "FILE.toml")]
    energies: Option<PathBuf>,
    /// List the numbers that were used, and where they come from
    #[arg(long, conflicts_with = "json")]
    sources: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn megahertz(word: &str) -> std::result::Result<f64, String> {
    match word.parse() {
        Ok(mhz) if (1.0..=1000.0).contains(&mhz) => Ok(mhz),
        _ => Err("a clock has 1 to 1000 MHz".into()),
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let mut setting = Setting::of(&Board::open(&args.board)?);
    if let Some(bus) = args.sim_bus {
        setting.geometry = Geometry::for_shape(bus, &model.shape());
    }
    setting.clock_mhz = args.clock.unwrap_or(setting.clock_mhz);
    let energies = match &args.energies {
        Some(path) => Energies::read(path, &output::read_text(path)?)?,
        None => Energies::built_in(),
    };
    let estimate = estimate(&model, &setting, &energies, args.token, &Options::default())?;
    if args.json {
        return output::json(&estimate);
    }
    output::print(&text(&estimate))?;
    if args.sources { output::print(&sources(&estimate.energies)) } else { Ok(()) }
}

/// Joules or watts or seconds for people: three digits and a prefix.
fn number(value: f64) -> String {
    let prefixes = [(1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p")];
    // What would be shown as 1000 has the next prefix.
    let fits = |(scale, _): &&(f64, &str)| value >= 0.9995 * scale;
    let (scale, prefix) = prefixes.iter().find(fits).copied().unwrap_or((1e-12, "p"));
    let value = value / scale;
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {prefix}")
}

fn range(range: Range, unit: &str) -> String {
    if range.high == 0.0 {
        return "–".into();
    }
    format!("{}{unit} – {}{unit}", number(range.low), number(range.high))
}

/// The report.
fn text(estimate: &Estimate) -> String {
    let mut out = String::new();
    let Estimate { geometry, joules, still, .. } = estimate;
    let _ = writeln!(out, "{EVIDENCE}: {} on {}", estimate.model, estimate.board);
    let _ = writeln!(
        out,
        "core of {} bits at {} MHz, {} with {}, token {} of greedy text",
        geometry.bus, estimate.clock_mhz, estimate.family, estimate.memory, estimate.token
    );
    let _ = writeln!(
        out,
        "{} cycles simulated; with this memory {:.0} clocks, {}s a token projected\n",
        estimate.cycles,
        estimate.clocks,
        number(estimate.seconds)
    );
    let row = |out: &mut String, label: &str, text: String| {
        let _ = writeln!(out, "  {label:<18} {text}");
    };
    let _ = writeln!(out, "joules a token");
    for share in &estimate.classes {
        row(&mut out, share.class.label(), range(share.joules, "J"));
    }
    row(&mut out, "together", range(*joules, "J"));
    row(&mut out, "of it standing still", range(*still, "J"));
    row(&mut out, "on average", range(estimate.watts, "W"));
    let _ = writeln!(out, "\njoules a token by unit, external memory and static left out");
    for share in &estimate.units {
        row(&mut out, &share.unit, range(share.joules, "J"));
    }
    let _ = writeln!(out, "\nvariants");
    for variant in &estimate.variants {
        let Range { low, high } = variant.ratio;
        let _ = writeln!(
            out,
            "  {} against {}: {low:.3} – {high:.3} times the joules; {}, {}s a token",
            variant.name,
            variant.against,
            range(variant.joules, "J"),
            number(variant.seconds)
        );
        let _ = writeln!(out, "    {}", variant.rule);
    }
    out
}

/// The numbers that were used.
fn sources(used: &[Used]) -> String {
    let mut out = String::from("\nenergies\n");
    let mut known: Vec<&crate::power::estimate::energies::Source> = vec![];
    for Used { name, range, sources } in used {
        let mut numbers = vec![];
        for source in sources {
            let at = known.iter().position(|known| *known == source).unwrap_or_else(|| {
                known.push(source);
                known.len() - 1
            });
            numbers.push(format!("[{}]", at + 1));
        }
        let _ = writeln!(out, "  {name:<18} {} – {} {}", range.low, range.high, numbers.concat());
    }
    let _ = writeln!(out, "\nsources");
    for (at, source) in known.iter().enumerate() {
        let checked = if source.checked { "checked" } else { "not checked" };
        let _ = writeln!(out, "  [{}] {}; {checked}: {}", at + 1, source.title, source.note);
        if !source.url.is_empty() {
            let _ = writeln!(out, "      {}", source.url);
        }
    }
    out
}
