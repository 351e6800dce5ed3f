//! An INA226 on an I2C bus of this machine, through i2c-dev.
//!
//! ```text
//!  supply --[ shunt R ]--+--> board      watts = volts of the bus × volts of the shunt / R
//!           |          | |
//!          IN+       IN-  VBUS
//! ```
//!
//! (Registers: TI SBOS547A, table 4 and on.) It is set to the mean of 16 conversions of 1.1 ms of
//! either voltage, so that it has a new value every 35.2 ms.

use std::time::Duration;

use i2cdev::core::I2CDevice;
use i2cdev::linux::LinuxI2CDevice;

use super::Root;
use crate::error::{PowerError, Result};
use crate::meter::{Accuracy, Description, Evidence, Meter, Rail, Reading, Scope};

const CONFIGURATION: u8 = 0x00;
const SHUNT: u8 = 0x01;
const BUS: u8 = 0x02;
const MAKER: u8 = 0xfe;
const DIE: u8 = 0xff;
/// "TI".
const MAKER_ID: u16 = 0x5449;
const DIE_ID: u16 = 0x2260;
/// Mean of 16, 1.1 ms for either voltage, both all the time.
const SETTING: u16 = 0x4000 | 2 << 9 | 4 << 6 | 4 << 3 | 7;
/// Seconds between two values of this setting.
const INTERVAL: f64 = 16.0 * 2.0 * 1.1e-3;
/// Volts of a step.
const SHUNT_STEP: f64 = 2.5e-6;
const BUS_STEP: f64 = 1.25e-3;
/// Volts: the most that a shunt may have, and that its zero may be off by.
const SHUNT_MOST: f64 = 81.92e-3;
const SHUNT_OFFSET: f64 = 10e-6;
/// Largest error of either voltage, as a share.
const GAIN: f64 = 1e-3;

/// The chip, on a bus or a double of one.
pub struct Ina226<D> {
    description: Description,
    device: D,
    place: (String, u16),
    shunt: f64,
}

/// The chip at an address of a bus of this machine; `shunt` is in ohms, `tolerance` its share.
///
/// # Errors
/// W002 where there is no such bus, W011 where nobody answers, or another chip does.
pub(super) fn open(
    root: &Root,
    bus: u32,
    address: u16,
    shunt: f64,
    tolerance: f64,
) -> Result<Ina226<LinuxI2CDevice>> {
    let path = root.path(&format!("dev/i2c-{bus}"));
    if !path.exists() {
        return Err(PowerError::Absent {
            place: path.display().to_string(),
            what: "I2C bus".into(),
            next: "`modprobe i2c-dev` shows the buses",
        });
    }
    let place = path.display().to_string();
    let device = LinuxI2CDevice::new(&path, address);
    let device = device.map_err(|error| fault(&place, address, &error))?;
    Ina226::new(device, &place, address, shunt, tolerance)
}

fn fault(bus: &str, address: u16, error: &impl std::fmt::Display) -> PowerError {
    PowerError::I2c { bus: bus.into(), address, why: error.to_string() }
}

impl<D: I2CDevice> Ina226<D> {
    /// Takes the chip that answers, and sets it up.
    ///
    /// # Errors
    /// W011.
    pub fn new(
        device: D,
        bus: &str,
        address: u16,
        shunt: f64,
        tolerance: f64,
    ) -> Result<Ina226<D>> {
        let description = Description {
            name: format!("ina226:{}@{address:#04x}", bus.rsplit('-').next().unwrap_or(bus)),
            provenance: format!(
                "INA226 at {address:#04x} of {bus}, shunt {shunt} Ω ± {} %",
                100.0 * tolerance
            ),
            scope: Scope::External,
            evidence: Evidence::Measured,
            rails: vec![Rail::power("bus")],
            interval_s: INTERVAL,
            averages: true,
            accuracy: None,
            range_w: None,
        };
        let mut meter = Ina226 { description, device, place: (bus.into(), address), shunt };
        let ids = (meter.register(MAKER)?, meter.register(DIE)?);
        if ids != (MAKER_ID, DIE_ID) {
            let why = format!(
                "it says {:#06x} {:#06x}, an INA226 {MAKER_ID:#06x} {DIE_ID:#06x}",
                ids.0, ids.1
            );
            return Err(fault(bus, address, &why));
        }
        let set = meter.device.smbus_write_word_data(CONFIGURATION, SETTING.swap_bytes());
        set.map_err(|error| fault(bus, address, &error))?;
        let volts = f64::from(meter.register(BUS)?) * BUS_STEP;
        let most = SHUNT_MOST / shunt * volts;
        meter.description.accuracy =
            Some(Accuracy { gain: 2.0 * GAIN + tolerance, offset_w: SHUNT_OFFSET / shunt * volts });
        meter.description.range_w = Some([-most, most]);
        Ok(meter)
    }

    /// A register; the chip sends its high byte first, SMBus has it last.
    fn register(&mut self, register: u8) -> Result<u16> {
        let word = self.device.smbus_read_word_data(register);
        let (bus, address) = &self.place;
        word.map(u16::swap_bytes).map_err(|error| fault(bus, *address, &error))
    }
}

impl<D: I2CDevice + Send> Meter for Ina226<D> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        let shunt = f64::from(self.register(SHUNT)? as i16) * SHUNT_STEP;
        let bus = f64::from(self.register(BUS)?) * BUS_STEP;
        Ok(vec![Reading::now(vec![bus * shunt / self.shunt])])
    }
}
