//! An Alveo's management controller, the CMS, through the card's registers.
//!
//! ```text
//!  xdmaN_user + base ─┬─ 0x20000  MB_RESETN: 0 holds the controller in reset
//!                     └─ 0x28000  ID "tset", then sensors of three words each:
//!                                 maximum +0, average +4, now +8, in mV or mA
//! ```
//!
//! Watts are volts times amperes of the card's inputs, as XRT adds them up; the register after
//! the status is that of errors, not of power. (Offsets: AMD PG348 v4.0, and XRT's `xmc.c`.)

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Root;
use crate::error::{PowerError, Result};
use crate::meter::{Description, Evidence, Meter, Rail, Reading, Scope};

/// Where the CMS is in the registers of Sterna's own designs.
const BASE: u64 = 0x4_0000;
const RESETN: u64 = 0x2_0000;
const MAP: u64 = 0x2_8000;
/// `tset`: the controller runs, and its map is there.
const ID: u32 = 0x7473_6574;
/// From the maximum of a sensor to its value now.
const NOW: u64 = 8;
/// How long the controller may take from its reset to its map.
const WAKE: Duration = Duration::from_secs(3);
/// Seconds between two values, about (PG348 v4.0, Sensor Monitoring).
const INTERVAL: f64 = 0.12;

/// Name, volts, amperes, whether it is an input of the card.
const RAILS: [(&str, u64, u64, bool); 4] = [
    ("12V_PEX", 0x20, 0xc8, true),
    ("12V_AUX", 0x44, 0xd4, true),
    ("3V3_PEX", 0x2c, 0x278, true),
    ("VCCINT", 0xe0, 0xec, false),
];

/// The CMS of a card.
pub struct Cms {
    description: Description,
    file: File,
    path: PathBuf,
    base: u64,
}

impl Cms {
    /// The CMS at `base` of the registers of card `card`, by default card 0 and where Sterna's
    /// designs have it. Lets it out of reset if it is held there.
    ///
    /// # Errors
    /// W002 where there is no card, W003 where its registers may not be opened, W008 where there
    /// is no CMS.
    pub fn open(root: &Root, card: Option<u32>, base: Option<u64>) -> Result<Cms> {
        let cms = Cms::at(root, card, base)?;
        if cms.is_held()? {
            cms.wake()?;
        }
        cms.check()
    }

    /// The CMS of card 0 where Sterna's designs have it, if it runs. Writes nothing: nobody has
    /// said that the card's design has one.
    ///
    /// # Errors
    /// Those of [`Cms::open`]; W008 of one that is held in reset, too.
    pub fn find(root: &Root) -> Result<Cms> {
        let cms = Cms::at(root, None, None)?;
        if cms.is_held()? {
            return Err(
                cms.absent("it is held in reset, if it is there; `--meter cms` lets it out")
            );
        }
        cms.check()
    }

    fn at(root: &Root, card: Option<u32>, base: Option<u64>) -> Result<Cms> {
        let (card, base) = (card.unwrap_or(0), base.unwrap_or(BASE));
        let path = root.path(&format!("dev/xdma{card}_user"));
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|source| match source.kind() {
            ErrorKind::NotFound => PowerError::Absent {
                place: path.display().to_string(),
                what: "card".into(),
                next: "`sterna doctor` says what is in a card's way",
            },
            ErrorKind::PermissionDenied => PowerError::Denied {
                path: path.clone(),
                next: "install the udev rule of docs/card.md and join its group, or run as root",
            },
            _ => PowerError::Sensor { path: path.clone(), source },
        })?;
        Ok(Cms { description: describe(card, base), file, path, base })
    }

    fn absent(&self, why: impl Into<String>) -> PowerError {
        PowerError::Cms { path: self.path.clone(), base: self.base, why: why.into() }
    }

    fn outside(&self, error: io::Error) -> PowerError {
        self.absent(format!("its registers cannot be reached: {error}"))
    }

    fn register(&self, offset: u64) -> Result<u32> {
        self.peek(offset).map_err(|error| self.outside(error))
    }

    /// Whether it is held in reset.
    fn is_held(&self) -> Result<bool> {
        match self.register(RESETN)? {
            0 => Ok(true),
            1 => Ok(false),
            other => Err(self.absent(format!("MB_RESETN reads as {other:#x}, not as 0 or 1"))),
        }
    }

    /// Lets it out of reset, and waits for its map.
    fn wake(&self) -> Result<()> {
        let begin = Instant::now();
        let write = self.file.write_all_at(&1u32.to_le_bytes(), self.base + RESETN);
        write.map_err(|error| self.outside(error))?;
        while self.register(MAP)? != ID && begin.elapsed() < WAKE {
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Itself, if its map is there.
    fn check(self) -> Result<Cms> {
        match self.register(MAP)? {
            ID => Ok(self),
            other => {
                Err(self.absent(format!("its map begins with {other:#010x}, not with {ID:#010x}")))
            }
        }
    }

    fn peek(&self, offset: u64) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, self.base + offset)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

impl Meter for Cms {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        let fail = |source| PowerError::Sensor { path: self.path.clone(), source };
        let sensor = |at: u64| -> Result<f64> {
            match self.peek(MAP + at + NOW).map_err(fail)? {
                // What a bus reads as from which nobody answers.
                u32::MAX => Err(fail(ErrorKind::NotConnected.into())),
                value => Ok(f64::from(value)),
            }
        };
        let watts = |(_, volts, amps, _): &(&str, u64, u64, bool)| -> Result<f64> {
            Ok(sensor(*volts)? * sensor(*amps)? / 1e6)
        };
        Ok(vec![Reading::now(RAILS.iter().map(watts).collect::<Result<_>>()?)])
    }
}

fn describe(card: u32, base: u64) -> Description {
    let rail = |&(name, _, _, input): &(&str, u64, u64, bool)| {
        if input { Rail::power(name) } else { Rail::power(name).uncounted() }
    };
    Description {
        name: format!("cms:{card}"),
        provenance: format!("Alveo CMS at {base:#x} of the registers of card {card}, by AMD PG348"),
        scope: Scope::Card,
        evidence: Evidence::Measured,
        rails: RAILS.iter().map(rail).collect(),
        interval_s: INTERVAL,
        averages: false,
        accuracy: None,
        range_w: None,
    }
}
