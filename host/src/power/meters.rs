//! The `--meter` option: which meters measure, the same on every command of `power`.

use std::path::{Path, PathBuf};

use sterna_power::Meter;
use sterna_power::meters::{Lines, Root, Spec, open, survey};

use crate::devices::uart::Port;
use crate::error::{HostError, Result};

/// Which meters, and where the system is that they are of.
#[derive(clap::Args, Clone, Debug)]
pub struct MeterArgs {
    /// A meter, such as hwmon:ina226 or file:bench.csv; may be given several times [default: every
    /// one that this machine has; `sterna power meters` lists them]
    #[arg(long, help_heading = "Meters", value_name = "METER")]
    pub meter: Vec<String>,
    /// Directory with sys/ and dev/ of the system [default: /, or --root if it has a sys/]
    #[arg(long, help_heading = "Meters", value_name = "DIR")]
    pub sysroot: Option<PathBuf>,
}

/// What measures, and what does not.
pub struct Meters {
    /// At least one, unless none was named and none found.
    pub meters: Vec<Box<dyn Meter>>,
    /// Whether the user named a model among them.
    pub activity: bool,
    /// Meters that there could be, and why they do not measure.
    pub absent: Vec<String>,
}

impl MeterArgs {
    /// Where the system is.
    pub fn root(&self, nodes: Option<&Path>) -> Root {
        let nodes = nodes.filter(|nodes| nodes.join("sys").is_dir());
        Root::new(self.sysroot.as_deref().or(nodes).unwrap_or(Path::new("/")))
    }

    /// Opens what was named, or all that there is.
    ///
    /// # Errors
    /// Of those that were named: W001 to W014, U012 to U014.
    pub fn open(&self, root: &Root) -> Result<Meters> {
        let mut found = Meters { meters: vec![], activity: false, absent: vec![] };
        for word in &self.meter {
            let spec: Spec = word.parse()?;
            let name = spec.to_string();
            match spec {
                Spec::Activity => found.activity = true,
                Spec::Serial(serial) => {
                    let port = Port::open(&serial.port, serial.baud)?;
                    let lines = Lines::new(&name, port, serial.pattern, serial.interval);
                    found.meters.push(Box::new(lines));
                }
                spec => found.meters.extend(open(&spec, root).transpose()?),
            }
        }
        if self.meter.is_empty() {
            for candidate in survey(root) {
                match candidate.meter {
                    Ok(meter) => found.meters.push(meter),
                    Err(error) => found.absent.push(format!("{}: {error}", candidate.spec)),
                }
            }
        }
        Ok(found)
    }
}

impl Meters {
    /// What to say where nothing measures.
    pub fn none(&self) -> HostError {
        HostError::NoMeter { missing: self.absent.clone() }
    }
}
