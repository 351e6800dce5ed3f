//! The `--meter` option: which meters measure, the same on every command of `power`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sterna_power::Meter;
use sterna_power::meters::{Lines, Root, Spec, open, survey};
use sterna_sim::Options;

use super::activity::Activity;
use super::estimate::energies::Energies;
use super::estimate::{Setting, estimate};
use super::workload::Workload;
use crate::board::Board;
use crate::devices::Choice;
use crate::devices::uart::Port;
use crate::error::{HostError, Result};
use crate::output;

/// Which meters, and where the system is that they are of.
#[derive(clap::Args, Clone, Debug)]
pub struct MeterArgs {
    /// A meter, such as hwmon:ina226 or file:bench.csv; may be given several times [default: every
    /// one that this machine has; `sterna power meters` lists them]
    #[arg(long, help_heading = "Meters", value_name = "METER")]
    meter: Vec<String>,
    /// Directory with sys/ and dev/ of the system [default: /, or --root if it has a sys/]
    #[arg(long, help_heading = "Meters", value_name = "DIR")]
    sysroot: Option<PathBuf>,
    /// The board that the model of the core's activity is of, where it stands in for a meter
    #[arg(long, help_heading = "Meters", default_value = "ulx3s-85f", value_name = "BOARD")]
    board: String,
}

/// What measures, and what does not.
pub struct Meters {
    /// At least one.
    pub meters: Vec<Box<dyn Meter>>,
    /// Meters that there could be, and why they do not measure.
    pub absent: Vec<String>,
}

impl MeterArgs {
    /// Opens what was named, or all that there is. Where that is none, the model of the core's
    /// activity stands in, by the tokens that `tokens` counts.
    ///
    /// # Errors
    /// Of those that were named: W001 to W014, U012 to U014, those of an estimate. H016 where
    /// nothing measures and no model can stand in.
    pub fn open(
        &self,
        device: &Choice,
        workload: &Workload,
        tokens: Option<&Arc<AtomicU64>>,
    ) -> Result<Meters> {
        let mut found = Meters { meters: vec![], absent: vec![] };
        let named = self.take(&self.root(device.nodes()), &mut found)?;
        if let Some(tokens) = tokens.filter(|_| named || found.meters.is_empty()) {
            match self.activity(device, workload, tokens) {
                Ok(activity) => {
                    for absent in &found.absent {
                        output::note(&format!("not measured: {absent}"));
                    }
                    output::note("a model stands in for a meter: its figures are no measurement");
                    found.meters.push(Box::new(activity));
                }
                Err(error) if named => return Err(error),
                Err(error) => found.absent.push(format!("activity: {error}")),
            }
        }
        if found.meters.is_empty() {
            return Err(HostError::NoMeter { missing: found.absent });
        }
        Ok(found)
    }

    /// Whether the model of the core's activity was named.
    pub(super) fn names_activity(&self) -> bool {
        self.meter.iter().any(|word| matches!(word.parse(), Ok(Spec::Activity)))
    }

    /// Where the system is.
    fn root(&self, nodes: &Path) -> Root {
        let nodes = Some(nodes).filter(|nodes| nodes.join("sys").is_dir());
        Root::new(self.sysroot.as_deref().or(nodes).unwrap_or(Path::new("/")))
    }

    /// Opens what was named, or all that there is; whether a model was named.
    fn take(&self, root: &Root, found: &mut Meters) -> Result<bool> {
        let mut activity = false;
        for word in &self.meter {
            let spec: Spec = word.parse()?;
            let name = spec.to_string();
            match spec {
                Spec::Activity => activity = true,
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
        Ok(activity)
    }

    fn activity(
        &self,
        device: &Choice,
        workload: &Workload,
        tokens: &Arc<AtomicU64>,
    ) -> Result<Activity> {
        let mut setting = Setting::of(&Board::open(&self.board)?);
        // Where a core is simulated, the model is of that core.
        setting.geometry = device.simulated(&workload.model.shape()).unwrap_or(setting.geometry);
        let (energies, options) = (Energies::built_in(), Options::default());
        let estimate = estimate(&workload.model, &setting, &energies, 1, &options)?;
        Ok(Activity::new(&estimate, Arc::clone(tokens)))
    }
}
