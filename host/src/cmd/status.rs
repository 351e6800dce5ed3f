//! What a card is and does, as JSON and in words.

use serde::Serialize;
use serde_json::{Value, json};
use sterna_firmware::device::Counters;
use sterna_hdl::driver::{CoreState, Holds};
use sterna_xdma::{Link, PciDevice, Sensor};

use crate::output;

/// STATUS and what goes with it, for JSON.
pub(super) fn core(state: &CoreState) -> Value {
    let fault = state.fault();
    json!({
        "value": state.status,
        "flags": state.flags(),
        "error": state.error,
        "error_meaning": fault.map(|fault| fault.meaning()),
        "error_segment": (state.error != 0).then_some(state.segment),
    })
}

/// The same in words.
pub(super) fn core_text(state: &CoreState) -> String {
    let flags = state.flags();
    let mut text = if flags.is_empty() { "idle".into() } else { flags.join(", ") };
    if state.error != 0 {
        let meaning = state.fault().map_or("not known to this program", |fault| fault.meaning());
        text += &format!(" (error {} at segment {}: {meaning})", state.error, state.segment);
    }
    text
}

/// The last run, for JSON.
#[derive(Serialize)]
pub(super) struct LastRun {
    passes: u32,
    last_token: u32,
    image_id: String,
    #[serde(flatten)]
    counters: Counters,
    saturations: u32,
}

impl From<&CoreState> for LastRun {
    fn from(state: &CoreState) -> LastRun {
        LastRun {
            passes: state.tokens,
            last_token: state.last_token,
            image_id: format!("{:016x}", state.image_id),
            counters: state.counters,
            saturations: state.saturations,
        }
    }
}

/// What the memory holds, in words.
pub(super) fn holds_text(holds: &Holds) -> String {
    let Holds { image_id, bytes, total } = holds;
    let all = if bytes == total { "all" } else { "a part, an interrupted load:" };
    format!("image {image_id:016x}: {all} {} of {}", output::mib(*bytes), output::mib(*total))
}

/// A device of the bus, for JSON.
pub(super) fn pci(device: &PciDevice) -> Value {
    let link = |link: Option<Link>| {
        link.map(|link| json!({ "gt_per_second": link.speed, "lanes": link.width }))
    };
    let sensors: Vec<Value> = device
        .sensors
        .iter()
        .map(|sensor| {
            json!({
                "label": sensor.label,
                "quantity": sensor.quantity.name(),
                "value": sensor.value,
                "unit": sensor.quantity.unit(),
            })
        })
        .collect();
    json!({
        "address": device.address,
        "vendor": format!("{:04x}", device.vendor),
        "device": format!("{:04x}", device.device),
        "driver": device.driver,
        "link": link(device.link),
        "link_max": link(device.most),
        "slot_max": link(device.slot),
        "iommu_group": device.iommu_group,
        "sensors": sensors,
    })
}

/// A device of the bus in words: what, and how it is.
pub(super) fn pci_text(device: &PciDevice) -> Vec<(&'static str, String)> {
    let driver = device.driver.as_deref().unwrap_or("no driver");
    let PciDevice { address, vendor, device: id, .. } = device;
    let mut lines = vec![("PCI", format!("{address}, {vendor:04x}:{id:04x}, {driver}"))];
    let known = |link: Option<Link>| link.map_or("not known".into(), |l| l.to_string());
    lines.push((
        "link",
        format!(
            "{}; the card's best {}, the slot's {}",
            known(device.link),
            known(device.most),
            known(device.slot)
        ),
    ));
    let sensor = |s: &Sensor| format!("{} {} {}", s.label, s.value, s.quantity.unit());
    if !device.sensors.is_empty() {
        let all: Vec<String> = device.sensors.iter().map(sensor).collect();
        lines.push(("sensors", all.join(", ")));
    }
    lines
}
