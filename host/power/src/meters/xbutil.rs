//! An Alveo through XRT's program: `xbutil examine -r electrical`.
//!
//! The numbers of its JSON are strings. It takes the better part of a second, so that a run has to
//! last for half a minute until there are samples enough; [`Cms`](super::Cms) is quicker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::{PowerError, Result};
use crate::meter::{Description, Evidence, Meter, Rail, Reading, Scope};

const PROGRAM: &str = "xbutil";
/// Seconds between two calls.
const INTERVAL: f64 = 1.0;
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of output, and rails, that are believed.
const MOST: u64 = 1 << 20;
const RAILS: usize = 63;

/// A card that XRT knows.
pub struct Xbutil {
    description: Description,
    program: PathBuf,
    device: Option<String>,
    folder: tempfile::TempDir,
}

/// What the program says of a card.
struct Electrical {
    watts: f64,
    /// Name and watts.
    rails: Vec<(String, f64)>,
}

impl Xbutil {
    /// The card with this address on the bus, or the only one, by the `xbutil` on PATH.
    ///
    /// # Errors
    /// As [`Xbutil::by`].
    pub fn open(device: Option<&str>) -> Result<Xbutil> {
        Xbutil::by(Path::new(PROGRAM), device)
    }

    /// The same by a program that is elsewhere.
    ///
    /// # Errors
    /// W006 where the program is missing or fails, W007 where its output is not understood.
    pub fn by(program: &Path, device: Option<&str>) -> Result<Xbutil> {
        let folder = tempfile::tempdir()
            .map_err(|error| failed(format!("no folder for its output: {error}")))?;
        let name = device.map_or("xbutil".into(), |device| format!("xbutil:{device}"));
        let mut meter = Xbutil {
            description: Description {
                name,
                provenance: "xbutil examine -r electrical".into(),
                scope: Scope::Card,
                evidence: Evidence::Measured,
                rails: vec![],
                interval_s: INTERVAL,
                averages: false,
                accuracy: None,
                range_w: None,
            },
            program: program.into(),
            device: device.map(String::from),
            folder,
        };
        let electrical = meter.ask()?;
        let rails = &mut meter.description.rails;
        rails.push(Rail::power("card"));
        rails.extend(electrical.rails.into_iter().map(|(name, _)| Rail::power(name).uncounted()));
        Ok(meter)
    }

    fn ask(&self) -> Result<Electrical> {
        let file = self.folder.path().join("electrical.json");
        let mut command = Command::new(&self.program);
        command.args(["examine", "-r", "electrical", "-f", "JSON", "--force", "-o"]).arg(&file);
        if let Some(device) = &self.device {
            command.args(["-d", device]);
        }
        run(command)?;
        read(&file)
    }
}

impl Meter for Xbutil {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        let Electrical { watts, rails } = self.ask()?;
        let names = || self.description.rails[1..].iter().map(|rail| &rail.name);
        if !rails.iter().map(|rail| &rail.0).eq(names()) {
            return Err(output("has other rails than before".into()));
        }
        let rails = rails.into_iter().map(|(_, watts)| watts);
        Ok(vec![Reading::now(std::iter::once(watts).chain(rails).collect())])
    }
}

fn failed(why: String) -> PowerError {
    PowerError::Program { program: PROGRAM.into(), why }
}

fn output(why: String) -> PowerError {
    PowerError::Output { program: PROGRAM.into(), why }
}

/// Runs a program that should end soon.
fn run(mut command: Command) -> Result<()> {
    let silent = || Stdio::null();
    let child = command.stdin(silent()).stdout(silent()).stderr(silent()).spawn();
    let mut child = child.map_err(|error| failed(format!("cannot be started: {error}")))?;
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(failed(format!("ended with {status}"))),
            Ok(None) if begin.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            result => {
                let _ = child.kill().and_then(|()| child.wait());
                let seconds = PATIENCE.as_secs();
                let why =
                    result.err().map_or(format!("took more than {seconds} s"), |e| e.to_string());
                return Err(failed(why));
            }
        }
    }
}

fn read(file: &Path) -> Result<Electrical> {
    let fail = |error: std::io::Error| output(format!("cannot be read: {error}"));
    if fs::metadata(file).map_err(fail)?.len() > MOST {
        return Err(output("has more than 1 MiB".into()));
    }
    let bytes = fs::read(file).map_err(fail)?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| output(format!("is no JSON: {e}")))?;
    let devices = value["devices"].as_array().map_or(&[][..], Vec::as_slice);
    let [device] = devices else {
        let count = devices.len();
        return Err(output(format!("has {count} devices; name one, as in xbutil:0000:01:00.1")));
    };
    let electrical = &device["electrical"];
    let key = "power_consumption_watts";
    let watts = number(&electrical[key]).ok_or_else(|| output(format!("has no {key}")))?;
    let mut rails = vec![];
    for rail in electrical["power_rails"].as_array().into_iter().flatten().take(RAILS) {
        let (volts, amps) = (&rail["voltage"]["volts"], &rail["current"]["amps"]);
        // A rail without a sensor of current has no watts.
        if let (Some(name), Some(volts), Some(amps)) =
            (rail["id"].as_str(), number(volts), number(amps))
        {
            rails.push((name.to_string(), volts * amps));
        }
    }
    Ok(Electrical { watts, rails })
}

/// A number, or the text of one.
fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.abs() <= 1e6)
}
