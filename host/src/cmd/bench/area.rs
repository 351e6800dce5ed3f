//! `sterna bench area`: what a core costs on an FPGA.

use std::path::PathBuf;

use serde_json::json;
use sterna_firmware::geometry::Geometry;

use crate::area::build::{Bench, Wanted};
use crate::area::{Area, Count, Family};
use crate::bitstream::tools::search_path;
use crate::board::fit;
use crate::cli::usage_error;
use crate::devices::bus;
use crate::error::Result;
use crate::output;

/// Synthesise the core, and count cells
///
/// By Yosys, for each bus and family: the whole core flat, and of that the cells of each module by
/// itself; the ternary unit and a checksum unit alone. With --place the core is also placed and
/// routed on an LFE5U-85F of speed 6 and an LFE5UM5G-85F of speed 8, its ports in shift registers, so
/// that the clock is the core's own. The directory keeps what was made: what has not changed is not
/// made again.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna bench area --shape 5m --bus 64 --family ecp5 --place")]
pub struct Args {
    /// On-chip memories for this model: tiny, 5m, 370m, 1.3b or 2.7b
    #[arg(long, default_value = "370m")]
    shape: String,
    /// Bits of the memory bus: 64, 128, 256 or 512, or several
    #[arg(long, value_name = "BITS", value_parser = bus, value_delimiter = ',',
          default_value = "64")]
    bus: Vec<u32>,
    /// FPGAs: ecp5, xc7 (7-series) or xcup (UltraScale+), or several
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "ecp5",
        hide_possible_values = true
    )]
    family: Vec<Family>,
    /// Place and route as well; on ECP5 alone
    #[arg(long)]
    place: bool,
    /// Of the placement
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory to work in; made if it does not exist
    #[arg(short, long, value_name = "DIR", default_value = "sterna_area")]
    output: PathBuf,
    /// Print one JSON object a line, for each bus and family
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let shape = fit::shape(&args.shape).unwrap_or_else(|| {
        let known = "there are tiny, 5m, 370m, 1.3b and 2.7b";
        usage_error("bench", &format!("--shape {}: {known}", args.shape))
    });
    let bench = Bench::new(&args.output, &search_path(), args.place)?;
    for &family in &args.family {
        for &bus in &args.bus {
            let area = bench.run(&Wanted {
                shape: args.shape.clone(),
                geometry: Geometry::for_shape(bus, &shape),
                family,
                seed: (args.place && family == Family::Ecp5).then_some(args.seed),
            })?;
            if args.json {
                output::json(&json!(area))?;
            } else {
                print(&area)?;
            }
        }
    }
    Ok(())
}

fn print(area: &Area) -> Result<()> {
    let Area { shape, bus, lanes, .. } = area;
    let family = area.family.name();
    output::line(&format!("{family}, {bus} bits, memories for {shape} (synthesised)"))?;
    output::line(&format!(
        "{:40} {:>3} {:>7} {:>6} {:>7} {:>7} {:>6} {:>4}",
        "module", "n", "LUT", "carry", "places", "FF", "RAM", "DSP"
    ))?;
    let line = |name: &str, n: u64, of: Count| {
        let Count { lut, carry, places, ff, ram, dsp } = of;
        output::line(&format!(
            "{name:40} {n:>3} {lut:>7} {carry:>6} {places:>7} {ff:>7} {ram:>6} {dsp:>4}"
        ))
    };
    for part in &area.modules {
        line(&part.name, part.instances, part.count)?;
    }
    line("the core", 1, area.core)?;
    line("the ternary unit alone", 1, area.ternary_unit)?;
    line("a checksum unit alone", 1, area.crc)?;
    let each = area.ternary_unit.places as f64 / f64::from(*lanes);
    output::line(&format!("{each:.1} places a lane of {lanes}"))?;
    for placed in &area.placed {
        output::line(&format!(
            "{}-{}, seed {}: {:.2} MHz of {} asked for (placed and routed)",
            placed.part, placed.speed, placed.seed, placed.reached_mhz, placed.asked_mhz
        ))?;
    }
    Ok(())
}
