//! One meter a file, how a user names one, and which there are.
//!
//! | meter | what it reads | named |
//! |---|---|---|
//! | [`Hwmon`] | sensors of the Linux hwmon drivers: INA2xx, PMBus, Alveo | `hwmon`, `hwmon:ina226`, `hwmon:ina226_u76/VCCINT,ltc2977` |
//! | [`Rapl`] | the host's processor, by its own counters | `rapl` |
//! | [`Cms`] | an Alveo's management controller through the card's registers | `cms`, `cms:0@0x40000` |
//! | [`Xbutil`] | an Alveo through XRT's program | `xbutil`, `xbutil:0000:01:00.1` |
//! | [`Ina226`] | an INA226 on an I2C bus of this machine | `ina226:1@0x40,shunt=0.01` |
//! | [`Lines`] | a meter that prints lines, on a serial port | `serial:/dev/ttyUSB1,baud=115200,pattern=(?<watts>[0-9.]+) W` |
//! | [`FileMeter`] | a file that another program writes, or wrote | `file:bench.csv` |

mod cms;
mod file;
mod hwmon;
mod ina226;
mod lines;
mod rapl;
mod spec;
mod sysfs;
mod xbutil;

use std::path::PathBuf;

pub use self::cms::Cms;
pub use self::file::FileMeter;
pub use self::hwmon::Hwmon;
pub use self::ina226::Ina226;
pub use self::lines::{Lines, Pattern};
pub use self::rapl::Rapl;
pub use self::spec::{SerialSpec, Spec};
pub use self::xbutil::Xbutil;
use crate::error::Result;
use crate::meter::Meter;

/// Where the system is: `/`, or a directory with a copy of its `sys/` and `dev/`.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The directory that holds `sys/` and `dev/`.
    pub fn new(path: impl Into<PathBuf>) -> Root {
        Root(path.into())
    }

    /// A path below it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }
}

/// A meter that could be used, or why it cannot.
pub struct Candidate {
    /// How the user names it.
    pub spec: Spec,
    /// The meter, or what is in its way.
    pub meter: Result<Box<dyn Meter>>,
}

/// The meters of this machine that need no further word: hwmon, CMS, RAPL, xbutil, in this order.
/// Looking for them changes nothing.
pub fn survey(root: &Root) -> Vec<Candidate> {
    let cms = Spec::Cms { card: None, base: None };
    let specs = [Spec::Hwmon(vec![]), cms, Spec::Xbutil(None), Spec::Rapl];
    let candidate = |spec: Spec| {
        let meter = match &spec {
            Spec::Cms { .. } => boxed(Cms::find(root)),
            spec => open(spec, root),
        };
        meter.map(|meter| Candidate { spec, meter })
    };
    specs.into_iter().filter_map(candidate).collect()
}

/// A meter that reads what is below `root`, or a file.
///
/// # Errors
/// Those of the meter. `None` of a meter that somebody else has to make: on a serial port, or a
/// model.
pub fn open(spec: &Spec, root: &Root) -> Option<Result<Box<dyn Meter>>> {
    match spec {
        Spec::Hwmon(wanted) => boxed(Hwmon::open(root, wanted)),
        Spec::Rapl => boxed(Rapl::open(root)),
        Spec::Cms { card, base } => boxed(Cms::open(root, *card, *base)),
        Spec::Xbutil(device) => boxed(Xbutil::open(device.as_deref())),
        Spec::Ina226 { bus, address, shunt, tolerance } => {
            boxed(ina226::open(root, *bus, *address, *shunt, *tolerance))
        }
        Spec::File(path) => boxed(FileMeter::open(path)),
        Spec::Serial(_) | Spec::Activity => None,
    }
}

fn boxed<M: Meter + 'static>(meter: Result<M>) -> Option<Result<Box<dyn Meter>>> {
    Some(meter.map(|meter| Box::new(meter) as _))
}
