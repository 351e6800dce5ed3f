//! How a user names a meter.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;

use super::Pattern;
use crate::error::PowerError;

/// A meter by name.
#[derive(Clone, Debug)]
pub enum Spec {
    /// Sensors of hwmon that match one of the words, or all.
    Hwmon(Vec<String>),
    /// The host's processor.
    Rapl,
    /// An Alveo's CMS.
    Cms {
        /// Number of the card.
        card: Option<u32>,
        /// Where in its registers.
        base: Option<u64>,
    },
    /// An Alveo through XRT, by its address on the bus.
    Xbutil(Option<String>),
    /// An INA226.
    Ina226 {
        /// Number of the I2C bus.
        bus: u32,
        /// Address on it.
        address: u16,
        /// Ohms of the shunt.
        shunt: f64,
        /// By which share they may be off.
        tolerance: f64,
    },
    /// A meter that prints lines.
    Serial(SerialSpec),
    /// A file of samples.
    File(PathBuf),
    /// A model of what the core's activity costs.
    Activity,
}

/// A meter that prints lines on a serial port.
#[derive(Clone, Debug)]
pub struct SerialSpec {
    /// The port.
    pub port: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Seconds between two lines.
    pub interval: f64,
    /// What a line looks like.
    pub pattern: Pattern,
}

/// Share by which a shunt of no stated tolerance may be off.
const TOLERANCE: f64 = 0.01;

impl FromStr for Spec {
    type Err = PowerError;

    fn from_str(word: &str) -> Result<Spec, PowerError> {
        let bad = |why: &str| PowerError::Spec { word: word.into(), why: why.into() };
        let (kind, rest) = match word.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (word, None),
        };
        match (kind, rest) {
            ("hwmon", rest) => {
                let words: Vec<String> =
                    rest.into_iter().flat_map(|rest| rest.split(',')).map(String::from).collect();
                if words.iter().any(String::is_empty) {
                    return Err(bad("an empty name of a chip"));
                }
                Ok(Spec::Hwmon(words))
            }
            ("rapl", None) => Ok(Spec::Rapl),
            ("activity", None) => Ok(Spec::Activity),
            ("cms", rest) => cms(rest).ok_or_else(|| bad("not cms, cms:CARD or cms:CARD@OFFSET")),
            ("xbutil", rest) => Ok(Spec::Xbutil(rest.map(String::from))),
            ("ina226", Some(rest)) => ina226(rest)
                .ok_or_else(|| bad("not ina226:BUS@ADDRESS,shunt=OHMS[,tolerance=PERCENT]")),
            ("serial", Some(rest)) => serial(rest, &bad),
            ("file", Some(path)) if !path.is_empty() => Ok(Spec::File(path.into())),
            ("ina226" | "serial" | "file", _) => Err(bad("names no place")),
            _ => Err(bad("there is no such kind of meter")),
        }
    }
}

fn cms(rest: Option<&str>) -> Option<Spec> {
    let Some(rest) = rest else { return Some(Spec::Cms { card: None, base: None }) };
    let (card, base) = match rest.split_once('@') {
        Some((card, base)) => (card, Some(number(base)?)),
        None => (rest, None),
    };
    // The map of a CMS is 256 KiB of a window of registers.
    let fits = base.is_none_or(|base| base < 1 << 32 && base % 4 == 0);
    fits.then_some(Spec::Cms { card: Some(card.parse().ok()?), base })
}

fn ina226(rest: &str) -> Option<Spec> {
    let mut words = rest.split(',');
    let (bus, address) = words.next()?.split_once('@')?;
    let (bus, address) = (bus.parse().ok()?, number(address)?);
    let address = u16::try_from(address).ok().filter(|address| (0x40..=0x4f).contains(address))?;
    let (mut shunt, mut tolerance) = (None, TOLERANCE);
    for word in words {
        match word.split_once('=')? {
            ("shunt", ohms) => shunt = Some(ohms.parse().ok()?),
            ("tolerance", percent) => tolerance = percent.parse::<f64>().ok()? / 100.0,
            _ => return None,
        }
    }
    let shunt = shunt.filter(|ohms| (1e-6..=1e3).contains(ohms))?;
    (0.0..=1.0).contains(&tolerance).then_some(Spec::Ina226 { bus, address, shunt, tolerance })
}

/// `PORT[,baud=N][,interval=SECONDS],pattern=REGEX`: the pattern takes the rest, commas and all.
fn serial(rest: &str, bad: &dyn Fn(&str) -> PowerError) -> Result<Spec, PowerError> {
    let usage = "not serial:PORT[,baud=N][,interval=SECONDS],pattern=REGEX";
    let (before, pattern) = rest.split_once(",pattern=").ok_or_else(|| bad(usage))?;
    let mut words = before.split(',');
    let port = words.next().filter(|port| !port.is_empty()).ok_or_else(|| bad(usage))?;
    let (mut baud, mut interval) = (115_200, 0.1);
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| bad(usage))?;
        match name {
            "baud" => baud = value.parse().map_err(|_| bad("baud is no number"))?,
            "interval" => interval = value.parse().map_err(|_| bad("interval is no number"))?,
            _ => return Err(bad(usage)),
        }
    }
    if !(0.001..=60.0).contains(&interval) || !(300..=12_000_000).contains(&baud) {
        return Err(bad("baud is 300 to 12,000,000, interval 0.001 to 60 s"));
    }
    let pattern = Pattern::new(pattern)?;
    Ok(Spec::Serial(SerialSpec { port: port.into(), baud, interval, pattern }))
}

/// Decimal, or hexadecimal with 0x.
fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

impl Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spec::Hwmon(words) if words.is_empty() => f.write_str("hwmon"),
            Spec::Hwmon(words) => write!(f, "hwmon:{}", words.join(",")),
            Spec::Rapl => f.write_str("rapl"),
            Spec::Cms { card: None, .. } => f.write_str("cms"),
            Spec::Cms { card: Some(card), base: None } => write!(f, "cms:{card}"),
            Spec::Cms { card: Some(card), base: Some(base) } => write!(f, "cms:{card}@{base:#x}"),
            Spec::Xbutil(None) => f.write_str("xbutil"),
            Spec::Xbutil(Some(device)) => write!(f, "xbutil:{device}"),
            Spec::Ina226 { bus, address, .. } => write!(f, "ina226:{bus}@{address:#04x}"),
            Spec::Serial(serial) => write!(f, "serial:{}", serial.port.display()),
            Spec::File(path) => write!(f, "file:{}", path.display()),
            Spec::Activity => f.write_str("activity"),
        }
    }
}
