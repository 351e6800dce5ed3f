//! `sterna power meters`: what there is to measure with.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use sterna_power::meters::{Candidate, Root, survey};
use sterna_power::{Meter, Quantity};

use crate::error::Result;
use crate::output;

/// List the meters of this machine, and what is in the way of the others
///
/// What needs a further word is not looked for: an INA226 on an I2C bus, a meter that prints lines
/// on a serial port, a file that another program writes, the model of the core's activity.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna power meters\n  sterna power meters --json\n\n\
                        Named as in --meter of `sterna power run`:\n  \
                        hwmon, hwmon:ina226, hwmon:ina226_u76/VCCINT,ltc2977\n  \
                        cms, cms:0@0x40000; xbutil, xbutil:0000:01:00.1; rapl\n  \
                        ina226:1@0x40,shunt=0.01,tolerance=0.5\n  \
                        serial:/dev/ttyUSB1,baud=115200,interval=0.1,pattern=(?<watts>[0-9.]+) W\n  \
                        file:bench.csv    time_s or unix_s, then NAME_w, NAME_j, or NAME_v and NAME_a\n  \
                        activity          a model, not a measurement")]
pub struct Args {
    /// Directory with sys/ and dev/ of the system
    #[arg(long, visible_alias = "root", value_name = "DIR", default_value = "/")]
    sysroot: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let candidates = survey(&Root::new(args.sysroot));
    if args.json {
        let list: Vec<Value> = candidates.into_iter().map(value).collect();
        return output::json(&json!({ "meters": list }));
    }
    for Candidate { spec, meter } in candidates {
        match meter {
            Ok(meter) => describe(meter)?,
            Err(error) => output::line(&format!("-  {spec}: {error}"))?,
        }
    }
    Ok(())
}

fn value(Candidate { spec, meter }: Candidate) -> Value {
    let name = spec.to_string();
    match meter {
        Ok(mut meter) => {
            let now = meter.read(Duration::ZERO).ok().and_then(|mut all| all.pop());
            json!({
                "name": name,
                "usable": true,
                "description": meter.description(),
                "values": now.map(|reading| reading.values),
            })
        }
        Err(error) => {
            json!({ "name": name, "usable": false, "error": output::meter_error(&error) })
        }
    }
}

fn describe(mut meter: Box<dyn Meter>) -> Result<()> {
    let reading = meter.read(Duration::ZERO).ok().and_then(|mut all| all.pop());
    let description = meter.description();
    output::line(&format!(
        "+  {}: {}; a value every {} s",
        description.name, description.provenance, description.interval_s
    ))?;
    output::line(&format!("     includes {}", description.scope.includes()))?;
    for (n, rail) in description.rails.iter().enumerate() {
        let now = match (&reading, rail.quantity) {
            (Some(reading), Quantity::Power) => format!("{:.3} W", reading.values[n]),
            (_, Quantity::Energy) => "a counter of joules".into(),
            (None, Quantity::Power) => "no value now".into(),
        };
        let part = if rail.counted { "" } else { ", not in the total" };
        output::line(&format!("     {}: {now}{part}", rail.name))?;
    }
    Ok(())
}
