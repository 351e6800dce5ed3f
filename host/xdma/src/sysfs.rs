//! What the system knows of a card's PCIe side: `/sys`, read only.
//!
//! ```text
//! /sys/class/xdma/xdmaN_user/device ──> /sys/devices/pci…/0000:00:01.0/0000:01:00.0
//!                                                         the slot     the card
//!   card: vendor device driver current_link_* max_link_* hwmon/hwmonM/temp1_input …
//!   slot: max_link_*
//! ```
//!
//! A file that is not there, or that holds something else than it should, is a fact that is not
//! known, never an error: who asks wants to hear as much as there is.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};

/// A `/sys`, or a copy of its shape.
#[derive(Clone, Debug)]
pub struct Sysfs {
    root: PathBuf,
}

/// A device on the PCI bus.
#[derive(Clone, Debug, PartialEq)]
pub struct PciDevice {
    /// Domain, bus, device, function: `0000:01:00.0`.
    pub address: String,
    /// Who made it; 0x10ee is AMD (Xilinx).
    pub vendor: u16,
    /// What it is, by the vendor's numbering.
    pub device: u16,
    /// The driver that has it.
    pub driver: Option<String>,
    /// The link as it is.
    pub link: Option<Link>,
    /// The best link that the card can have.
    pub most: Option<Link>,
    /// The best link that the slot can have.
    pub slot: Option<Link>,
    /// The IOMMU group that it is in.
    pub iommu_group: Option<String>,
    /// What it measures of itself.
    pub sensors: Vec<Sensor>,
}

/// Speed and width of a PCIe link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Billion transfers a second on a lane: 2.5, 5, 8, 16, 32.
    pub speed: f64,
    /// Lanes.
    pub width: u32,
}

impl Link {
    /// The best that both ends can do.
    pub fn common(self, other: Link) -> Link {
        Link { speed: self.speed.min(other.speed), width: self.width.min(other.width) }
    }

    /// Whether it is slower or narrower.
    pub fn is_below(self, other: Link) -> bool {
        self.speed < other.speed || self.width < other.width
    }

    /// Bytes a second each way after the line code, before packets.
    pub fn bytes_per_second(self) -> f64 {
        let code = if self.speed < 8.0 { 0.8 } else { 128.0 / 130.0 };
        self.speed * 1e9 * code / 8.0 * f64::from(self.width)
    }
}

impl Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} GT/s x{}", self.speed, self.width)
    }
}

/// What a sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// In °C.
    Temperature,
    /// In W.
    Power,
    /// In V.
    Voltage,
    /// In A.
    Current,
}

impl Quantity {
    /// Each with the beginning of its files' names, and how much one is in them.
    const ALL: [(Quantity, &'static str, f64); 4] = [
        (Quantity::Temperature, "temp", 1e3),
        (Quantity::Power, "power", 1e6),
        (Quantity::Voltage, "in", 1e3),
        (Quantity::Current, "curr", 1e3),
    ];

    /// The unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Quantity::Temperature => "°C",
            Quantity::Power => "W",
            Quantity::Voltage => "V",
            Quantity::Current => "A",
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Temperature => "temperature",
            Quantity::Power => "power",
            Quantity::Voltage => "voltage",
            Quantity::Current => "current",
        }
    }
}

/// A sensor and what it says now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// What it measures.
    pub quantity: Quantity,
    /// Its label, or the name of its file.
    pub label: String,
    /// In the quantity's unit.
    pub value: f64,
}

impl Sysfs {
    /// The directory that is `/sys`.
    pub fn new(root: impl Into<PathBuf>) -> Sysfs {
        Sysfs { root: root.into() }
    }

    /// A path below it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// The device behind card `index` of the XDMA driver.
    pub fn card(&self, index: u32) -> Option<PciDevice> {
        let link = self.path(&format!("class/xdma/xdma{index}_user/device"));
        device(&link.canonicalize().ok()?)
    }

    /// The devices behind all cards of the XDMA driver, whoever made them.
    pub fn cards(&self) -> Vec<PciDevice> {
        let index = |path: &PathBuf| -> Option<u32> {
            path.file_name()?.to_str()?.strip_prefix("xdma")?.strip_suffix("_user")?.parse().ok()
        };
        let nodes = children(&self.path("class/xdma"));
        nodes.iter().filter_map(index).filter_map(|index| self.card(index)).collect()
    }

    /// Every device of a vendor, by address.
    pub fn vendor(&self, vendor: u16) -> Vec<PciDevice> {
        let entries = children(&self.path("bus/pci/devices"));
        let paths = entries.iter().filter_map(|path| path.canonicalize().ok());
        paths.filter_map(|path| device(&path)).filter(|device| device.vendor == vendor).collect()
    }
}

/// A device by its directory, with no link in the path.
fn device(path: &Path) -> Option<PciDevice> {
    Some(PciDevice {
        address: path.file_name()?.to_str()?.into(),
        vendor: hexadecimal(&path.join("vendor"))?,
        device: hexadecimal(&path.join("device"))?,
        driver: target(&path.join("driver")),
        link: link(path, "current"),
        most: link(path, "max"),
        slot: link(path.parent()?, "max"),
        iommu_group: target(&path.join("iommu_group")),
        sensors: children(&path.join("hwmon")).iter().flat_map(|chip| sensors(chip)).collect(),
    })
}

/// `current` or `max`; a link that is down has no lanes, or no speed that is a number.
fn link(path: &Path, which: &str) -> Option<Link> {
    let speed = text(&path.join(format!("{which}_link_speed")))?;
    let speed: f64 = speed.split_whitespace().next()?.parse().ok()?;
    let width: u32 = text(&path.join(format!("{which}_link_width")))?.parse().ok()?;
    (speed.is_finite() && speed > 0.0 && (1..=32).contains(&width)).then_some(Link { speed, width })
}

/// `temp1_input` and its like, by quantity, then by number.
fn sensors(chip: &Path) -> Vec<Sensor> {
    let mut found = vec![];
    for path in children(chip) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(name) = name.strip_suffix("_input") else { continue };
        for (quantity, prefix, one) in Quantity::ALL {
            let number = name.strip_prefix(prefix).and_then(|n| n.parse::<u32>().ok());
            let value = text(&path).and_then(|text| text.parse::<i64>().ok());
            let (Some(number), Some(value)) = (number, value) else { continue };
            let label = text(&chip.join(format!("{name}_label"))).filter(|label| !label.is_empty());
            let label = label.unwrap_or_else(|| name.into());
            found.push((quantity, number, Sensor { quantity, label, value: value as f64 / one }));
        }
    }
    found.sort_by_key(|(quantity, number, _)| (*quantity, *number));
    found.into_iter().map(|(.., sensor)| sensor).collect()
}

/// What is in a directory, by name; nothing if it cannot be read.
fn children(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().into())
}

fn hexadecimal(path: &Path) -> Option<u16> {
    u16::from_str_radix(text(path)?.strip_prefix("0x")?, 16).ok()
}

/// The last name of where a link leads.
fn target(link: &Path) -> Option<String> {
    Some(fs::read_link(link).ok()?.file_name()?.to_str()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const CARD: &str = "devices/pci0000:00/0000:00:01.0/0000:01:00.0";

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (name, content) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }

    /// A card in a slot, as Linux shows it.
    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let of_card = [
            ("vendor", "0x10ee"),
            ("device", "0x9034"),
            ("current_link_speed", "8.0 GT/s PCIe"),
            ("current_link_width", "4"),
            ("max_link_speed", "8.0 GT/s PCIe"),
            ("max_link_width", "8"),
            ("hwmon/hwmon3/name", "board"),
            ("hwmon/hwmon3/temp1_input", "45500"),
            ("hwmon/hwmon3/temp1_label", "FPGA"),
            ("hwmon/hwmon3/temp10_input", "-2000"),
            ("hwmon/hwmon3/temp2_input", "37000"),
            ("hwmon/hwmon3/temp3_input", "N/A"),
            ("hwmon/hwmon3/power1_input", "21250000"),
            ("hwmon/hwmon3/in0_input", "850"),
            ("hwmon/hwmon3/in0_label", "VCCINT"),
            ("hwmon/hwmon3/curr1_input", "1500"),
            ("hwmon/hwmon3/fan1_input", "900"),
        ];
        for (name, content) in of_card {
            write(root, &[(&format!("{CARD}/{name}"), content)]);
        }
        let slot = "devices/pci0000:00/0000:00:01.0";
        write(
            root,
            &[
                (&format!("{slot}/vendor"), "0x8086"),
                (&format!("{slot}/device"), "0x1901"),
                (&format!("{slot}/max_link_speed"), "16.0 GT/s PCIe"),
                (&format!("{slot}/max_link_width"), "4"),
            ],
        );
        for folder in ["bus/pci/devices", "bus/pci/drivers/xdma", "class/xdma/xdma2_user"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let relative = |to: &str| format!("../../../{to}");
        symlink(relative(CARD), root.join("bus/pci/devices/0000:01:00.0")).unwrap();
        symlink(relative(slot), root.join("bus/pci/devices/0000:00:01.0")).unwrap();
        symlink(root.join(CARD), root.join("class/xdma/xdma2_user/device")).unwrap();
        symlink("../../../../bus/pci/drivers/xdma", root.join(CARD).join("driver")).unwrap();
        symlink("../../../../kernel/iommu_groups/14", root.join(CARD).join("iommu_group")).unwrap();
        directory
    }

    #[test]
    fn a_card_is_described() {
        let directory = tree();
        let sysfs = Sysfs::new(directory.path());
        let card = sysfs.card(2).unwrap();
        let sensor = |quantity, label: &str, value| Sensor { quantity, label: label.into(), value };
        let expected = PciDevice {
            address: "0000:01:00.0".into(),
            vendor: 0x10ee,
            device: 0x9034,
            driver: Some("xdma".into()),
            link: Some(Link { speed: 8.0, width: 4 }),
            most: Some(Link { speed: 8.0, width: 8 }),
            slot: Some(Link { speed: 16.0, width: 4 }),
            iommu_group: Some("14".into()),
            sensors: vec![
                sensor(Quantity::Temperature, "FPGA", 45.5),
                sensor(Quantity::Temperature, "temp2", 37.0),
                sensor(Quantity::Temperature, "temp10", -2.0),
                sensor(Quantity::Power, "power1", 21.25),
                sensor(Quantity::Voltage, "VCCINT", 0.85),
                sensor(Quantity::Current, "curr1", 1.5),
            ],
        };
        assert_eq!(card, expected);
        assert_eq!(sysfs.vendor(0x10ee), std::slice::from_ref(&expected));
        fs::create_dir_all(directory.path().join("class/xdma/xdma2_control")).unwrap();
        assert_eq!(sysfs.cards(), [expected]);
        assert_eq!(sysfs.vendor(0x8086)[0].address, "0000:00:01.0");
        assert_eq!((sysfs.card(0), sysfs.vendor(0x1234)), (None, vec![]));
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        let directory = tree();
        let card = directory.path().join(CARD);
        for (file, content) in
            [("current_link_speed", "Unknown"), ("max_link_width", "0"), ("current_link_width", "")]
        {
            write(&card, &[(file, content)]);
        }
        for file in ["driver", "iommu_group"] {
            fs::remove_file(card.join(file)).unwrap();
        }
        fs::remove_dir_all(card.join("hwmon")).unwrap();
        let seen = Sysfs::new(directory.path()).card(2).unwrap();
        assert_eq!((seen.link, seen.most, seen.driver, seen.iommu_group), (None, None, None, None));
        assert_eq!(seen.sensors, []);
        write(&card, &[("vendor", "10ee")]);
        assert_eq!(Sysfs::new(directory.path()).card(2), None);
        let nowhere = Sysfs::new(directory.path().join("nowhere"));
        assert_eq!(
            (nowhere.card(2), nowhere.cards(), nowhere.vendor(0x10ee)),
            (None, vec![], vec![])
        );
    }

    #[test]
    fn quantities_have_names_and_units() {
        let of = Quantity::ALL.map(|(quantity, ..)| (quantity.name(), quantity.unit()));
        let expected = [("temperature", "°C"), ("power", "W"), ("voltage", "V"), ("current", "A")];
        assert_eq!(of, expected);
    }

    #[test]
    fn links_are_compared() {
        let link = |speed, width| Link { speed, width };
        assert!(link(8.0, 4).is_below(link(8.0, 8)) && link(5.0, 8).is_below(link(8.0, 8)));
        assert!(!link(8.0, 8).is_below(link(8.0, 4)) && !link(8.0, 8).is_below(link(8.0, 8)));
        assert_eq!(link(8.0, 4).common(link(5.0, 16)), link(5.0, 4));
        assert_eq!(link(5.0, 1).bytes_per_second(), 500e6);
        assert!((link(8.0, 4).bytes_per_second() - 3.938e9).abs() < 1e6);
        assert_eq!(link(2.5, 1).to_string(), "2.5 GT/s x1");
    }

    #[test]
    fn a_link_that_is_down_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (speed, width, link) in [
            ("8.0 GT/s PCIe", "4", Some(Link { speed: 8.0, width: 4 })),
            ("2.5 GT/s", "32", Some(Link { speed: 2.5, width: 32 })),
            ("0.0 GT/s", "4", None),
            ("-1 GT/s", "4", None),
            ("inf GT/s", "4", None),
            ("Unknown", "4", None),
            ("8.0 GT/s", "0", None),
            ("8.0 GT/s", "33", None),
        ] {
            std::fs::write(folder.path().join("max_link_speed"), speed).unwrap();
            std::fs::write(folder.path().join("max_link_width"), width).unwrap();
            assert_eq!(super::link(folder.path(), "max"), link, "{speed} {width}");
        }
    }
}
