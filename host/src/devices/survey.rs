//! Every device that could be used, and what is wrong with those that cannot.

use std::path::Path;
use std::sync::Arc;

use sterna_firmware::geometry::Geometry;
use sterna_hdl::driver::identify;
use sterna_xdma::{Files, Options, XdmaError, discover};

use super::xdma::XdmaTransport;
use crate::error::{HostError, Result};

/// A device.
pub struct Entry {
    /// What `--device` calls it.
    pub device: &'static str,
    /// Number of the card, if it is one.
    pub card: Option<u32>,
    /// Whether it can be used.
    pub state: State,
}

/// Whether a device can be used.
pub enum State {
    /// It can, and this is it.
    Ready(String),
    /// A card with this core can.
    Card(Geometry),
    /// Another process uses it.
    InUse,
    /// It cannot; the message says what to do.
    Broken(HostError),
}

impl State {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            State::Ready(_) | State::Card(_) => "ready",
            State::InUse => "in use",
            State::Broken(_) => "broken",
        }
    }
}

/// The devices that are programs.
pub fn programs() -> Vec<Entry> {
    let sim = match sterna_sim::toolchain() {
        Ok(versions) => {
            let verilator = versions.lines().next().unwrap_or_default();
            State::Ready(format!(
                "the core's Verilog, simulated clock by clock ({verilator}): slow"
            ))
        }
        Err(error) => State::Broken(sterna_firmware::FirmwareError::from(error).into()),
    };
    let ready = |text: &str| State::Ready(text.into());
    [
        ("golden", ready("the hardware's fixed-point arithmetic in software")),
        ("float", ready("the published model in 32-bit floating point")),
        ("sim", sim),
    ]
    .map(|(device, state)| Entry { device, card: None, state })
    .into()
}

/// The cards of a directory. Each is taken and let go at once, its registers are read, nothing is
/// written.
///
/// # Errors
/// X001 where the directory cannot be read, X002 where there is none in it.
pub fn cards(root: &Path) -> Result<Vec<Entry>> {
    let access = Arc::new(Files::new(root));
    let fail = |error| HostError::from(super::xdma::TransportError(error));
    let found = discover(&*access).map_err(fail)?;
    if found.is_empty() {
        return Err(fail(XdmaError::NoCard { path: root.into() }));
    }
    let look = |index| -> Result<Geometry> {
        let mut card =
            XdmaTransport::take(Arc::clone(&access) as _, Some(index), Options::default())?;
        let geometry = identify(&mut card);
        Ok(geometry.map_err(sterna_firmware::FirmwareError::from)?)
    };
    let entry = |index| {
        let state = match look(index) {
            Ok(geometry) => State::Card(geometry),
            Err(error) if error.code() == "X007" => State::InUse,
            Err(error) => State::Broken(error),
        };
        Entry { device: "xdma", card: Some(index), state }
    };
    Ok(found.iter().map(|card| entry(card.index)).collect())
}

/// A core in a few words.
pub fn core(geometry: &Geometry) -> String {
    let Geometry { bus, hidden, inner, intermediate, state, .. } = geometry;
    format!(
        "{bus} bits, hidden {hidden}, inner {inner}, intermediate {intermediate}, state \
         {state}, manifest {:016x}",
        geometry.hash()
    )
}
