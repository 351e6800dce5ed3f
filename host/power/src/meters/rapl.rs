//! The host's processor, by its own counters (RAPL, through the Linux powercap tree).
//!
//! ```text
//! /sys/class/powercap/intel-rapl:0/name                  package-0     counted
//!                                  energy_uj             µJ, wraps after
//!                                  max_energy_range_uj
//!                     intel-rapl:0:0/name                core          part of the package
//!                     intel-rapl:0:1/name                dram          counted
//!                     intel-rapl:1/name                  psys          the whole platform
//! ```
//!
//! AMD's processors show themselves under the same names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Root, sysfs};
use crate::error::{PowerError, Result};
use crate::meter::{Description, Evidence, Meter, Rail, Reading, Scope};

/// Seconds between two readings; the counters move every millisecond.
const INTERVAL: f64 = 0.01;
const NEXT: &str = "since 2020 only root may read it, as it tells about other programs: run as \
                    root, or let your group read it (docs/power.md, \"The host's share\")";

/// The zones of all packages.
pub struct Rapl {
    description: Description,
    zones: Vec<Zone>,
}

struct Zone {
    path: PathBuf,
    /// Joules after which the counter begins anew.
    range: f64,
    /// What it said last, and joules since the first reading.
    last: Option<f64>,
    total: f64,
}

impl Rapl {
    /// Every zone that there is.
    ///
    /// # Errors
    /// W002 where there is none, W003 where they may not be read, W005.
    pub fn open(root: &Root) -> Result<Rapl> {
        let place = root.path("sys/class/powercap");
        let zone = |path: &PathBuf| sysfs::name(path).starts_with("intel-rapl:");
        let folders: Vec<PathBuf> = sysfs::children(&place)
            .into_iter()
            .filter(|path| zone(path) && path.join("energy_uj").exists())
            .collect();
        let mut meter = Rapl { description: describe(&place, &folders)?, zones: vec![] };
        for folder in &folders {
            meter.zones.push(Zone::open(folder)?);
        }
        meter.values()?;
        Ok(meter)
    }

    fn values(&mut self) -> Result<Vec<f64>> {
        self.zones.iter_mut().map(Zone::joules).collect()
    }
}

impl Meter for Rapl {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        Ok(vec![Reading::now(self.values()?)])
    }
}

impl Zone {
    fn open(folder: &Path) -> Result<Zone> {
        let path = folder.join("energy_uj");
        let range = folder.join("max_energy_range_uj");
        let microjoules = sysfs::integer(&range, NEXT)?;
        if microjoules <= 0 {
            let text = microjoules.to_string();
            return Err(PowerError::Value { path: range, text, wanted: "a range of µJ" });
        }
        Ok(Zone { path, range: microjoules as f64 / 1e6, last: None, total: 0.0 })
    }

    /// Joules since the first reading.
    fn joules(&mut self) -> Result<f64> {
        let now = sysfs::integer(&self.path, NEXT)?;
        let joules = now as f64 / 1e6;
        if now < 0 || joules > self.range * 1.001 {
            let (path, text) = (self.path.clone(), now.to_string());
            return Err(PowerError::Value { path, text, wanted: "µJ within the counter's range" });
        }
        if let Some(last) = self.last.replace(joules) {
            let step = joules - last;
            self.total += if step < 0.0 { step + self.range } else { step };
        }
        Ok(self.total)
    }
}

fn describe(place: &Path, folders: &[PathBuf]) -> Result<Description> {
    let name = |folder: &PathBuf| {
        sysfs::known(&folder.join("name")).unwrap_or_else(|| sysfs::name(folder).into())
    };
    let names: Vec<String> = folders.iter().map(name).collect();
    let packages = names.iter().any(|name| name.starts_with("package"));
    if names.is_empty() {
        return Err(PowerError::Absent {
            place: place.display().to_string(),
            what: "counter of the processor's energy (intel-rapl:N)".into(),
            next: "load intel_rapl_msr; a virtual machine has none",
        });
    }
    let rail = |(folder, name): (&PathBuf, &String)| {
        // A name for the zone of each package where there are several: `intel-rapl:1:0`.
        let package = sysfs::name(folder).split(':').nth(1).unwrap_or_default();
        let rail = match name.as_str() {
            name if name.starts_with("package") || name == "psys" => Rail::energy(name),
            name => Rail::energy(format!("{name}-{package}")),
        };
        let counted = match name.as_str() {
            "psys" => !packages,
            name => name.starts_with("package") || name == "dram",
        };
        if counted { rail } else { rail.uncounted() }
    };
    Ok(Description {
        name: "rapl".into(),
        provenance: format!("RAPL, {} of /sys/class/powercap", names.join(", ")),
        scope: Scope::Host,
        evidence: Evidence::Measured,
        rails: folders.iter().zip(&names).map(rail).collect(),
        interval_s: INTERVAL,
        averages: false,
        accuracy: None,
        range_w: None,
    })
}
