//! Sensors of the Linux hwmon drivers: INA2xx, PMBus regulators, cards.
//!
//! ```text
//! /sys/class/hwmon/hwmon3/name              ina226
//!                         power1_input      µW       taken where it is
//!                         curr1_input       mA   \   else the product of both, with the same
//!                         in1_input         mV   /   number
//!                         power1_label, curr1_label, in1_label
//!                         update_interval   ms
//! ```
//!
//! `powerN_average` is not read: in the driver of Alveo cards it is the register of the maximum.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Root, sysfs};
use crate::error::{PowerError, Result};
use crate::meter::{Description, Evidence, Meter, Rail, Reading, Scope};

/// Seconds between two values of a driver that does not say.
const INTERVAL: f64 = 0.1;
const NEXT: &str = "read it as root, or give its group the right to";

/// Where a rail's watts come from.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// A file of µW.
    Power(PathBuf),
    /// A file of mA and one of mV.
    Product(PathBuf, PathBuf),
}

/// Rails of one chip or of several.
pub struct Hwmon {
    description: Description,
    sources: Vec<Source>,
}

/// A sensor of power.
struct Found {
    chip: String,
    folder: PathBuf,
    label: String,
    source: Source,
}

impl Hwmon {
    /// The sensors that match one of `wanted`, or without any all of them. A word is a chip's name
    /// or folder (`ina226`, `hwmon3`), or with a label `ina226/VCCINT`; a `*` at its end stands
    /// for anything.
    ///
    /// # Errors
    /// W002 where nothing matches a word; W003 to W005 where the first reading fails.
    pub fn open(root: &Root, wanted: &[String]) -> Result<Hwmon> {
        let place = root.path("sys/class/hwmon");
        let all: Vec<Found> =
            sysfs::children(&place).iter().flat_map(|chip| sensors(chip)).collect();
        let absent = |what| PowerError::Absent {
            place: place.display().to_string(),
            what,
            next: "name a chip of those that `sterna power meters` lists, or load the driver of \
                   the sensor (ina2xx, pmbus, xocl)",
        };
        if all.is_empty() {
            return Err(absent(
                "sensor of power: no powerN_input, no currN_input with its inN_input".into(),
            ));
        }
        if let Some(word) = wanted.iter().find(|word| !all.iter().any(|f| f.matches(word))) {
            return Err(absent(format!("sensor of power that `{word}` matches")));
        }
        let chosen = |f: &Found| wanted.is_empty() || wanted.iter().any(|word| f.matches(word));
        let found: Vec<Found> = all.into_iter().filter(chosen).collect();
        let mut meter = Hwmon { description: describe(&found, wanted), sources: vec![] };
        meter.sources = found.into_iter().map(|f| f.source).collect();
        meter.values()?;
        Ok(meter)
    }

    fn values(&self) -> Result<Vec<f64>> {
        let value = |source: &Source| match source {
            Source::Power(path) => Ok(sysfs::integer(path, NEXT)? as f64 / 1e6),
            Source::Product(amps, volts) => {
                let (amps, volts) = (sysfs::integer(amps, NEXT)?, sysfs::integer(volts, NEXT)?);
                Ok(amps as f64 * volts as f64 / 1e6)
            }
        };
        self.sources.iter().map(value).collect()
    }
}

impl Meter for Hwmon {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        Ok(vec![Reading::now(self.values()?)])
    }
}

impl Found {
    fn matches(&self, word: &str) -> bool {
        let (chip, label) = word.split_once('/').map_or((word, "*"), |(chip, label)| (chip, label));
        let is = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(begin) => text.starts_with(begin),
            None => pattern == text,
        };
        (is(chip, &self.chip) || is(chip, sysfs::name(&self.folder))) && is(label, &self.label)
    }
}

/// The sensors of power of a chip, by number.
fn sensors(folder: &Path) -> Vec<Found> {
    let chip = sysfs::known(&folder.join("name")).unwrap_or_else(|| sysfs::name(folder).into());
    let numbers = |kind: &'static str| {
        sysfs::children(folder).into_iter().filter_map(move |path| {
            let number: u32 =
                sysfs::name(&path).strip_prefix(kind)?.strip_suffix("_input")?.parse().ok()?;
            Some(number)
        })
    };
    let file = |kind: &str, number: u32, what: &str| folder.join(format!("{kind}{number}_{what}"));
    let label = |kind: &str, number: u32| sysfs::known(&file(kind, number, "label"));
    let mut found = vec![];
    let mut add = |label: Option<String>, kind: &str, number: u32, source| {
        let label = label.unwrap_or_else(|| format!("{kind}{number}"));
        found.push(Found { chip: chip.clone(), folder: folder.into(), label, source });
    };
    for number in numbers("power") {
        let source = Source::Power(file("power", number, "input"));
        add(label("power", number), "power", number, source);
    }
    // What says watts by itself is not computed once more.
    let powers: Vec<u32> = numbers("power").collect();
    for number in numbers("curr").filter(|number| !powers.contains(number)) {
        let volts = file("in", number, "input");
        if volts.exists() {
            let label = label("curr", number).or_else(|| label("in", number));
            add(label, "curr", number, Source::Product(file("curr", number, "input"), volts));
        }
    }
    found
}

fn describe(found: &[Found], wanted: &[String]) -> Description {
    let mut folders: Vec<&Path> = found.iter().map(|f| &*f.folder).collect();
    folders.dedup();
    // The slowest chip sets the pace.
    let interval = |folder: &&Path| -> Option<f64> {
        let ms: f64 = sysfs::known(&folder.join("update_interval"))?.parse().ok()?;
        (ms > 0.0 && ms <= 60_000.0).then_some(ms / 1e3)
    };
    let said: Vec<f64> = folders.iter().filter_map(interval).collect();
    let interval_s = said.iter().copied().fold(0.0, f64::max);
    let chips: Vec<String> = folders
        .iter()
        .map(|folder| {
            let chip = found.iter().find(|f| f.folder == **folder).map_or("", |f| &f.chip);
            format!("{} ({chip})", sysfs::name(folder))
        })
        .collect();
    let many = folders.len() > 1;
    let rail = |f: &Found| {
        Rail::power(if many { format!("{}/{}", f.chip, f.label) } else { f.label.clone() })
    };
    let word = wanted.join(",");
    Description {
        name: if wanted.is_empty() { "hwmon".into() } else { format!("hwmon:{word}") },
        provenance: format!("Linux hwmon, {}", chips.join(", ")),
        scope: Scope::External,
        evidence: Evidence::Measured,
        rails: found.iter().map(rail).collect(),
        interval_s: if said.is_empty() { INTERVAL } else { interval_s },
        // An INA2xx converts all the time, and tells the mean of what it converted.
        averages: found.iter().all(|f| f.chip.starts_with("ina2") || f.chip.starts_with("ina3")),
        accuracy: None,
        range_w: None,
    }
}
