//! Who is at the other end: a Sterna core, of which geometry?

use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::ISA_VERSION;

use super::error::CardError;
use super::transport::Transport;
use crate::registers::{self as regs, Reg};

/// Reads the geometry of the core, and refuses what this program does not know by name.
pub fn identify<T: Transport>(transport: &mut T) -> Result<Geometry, CardError> {
    let mut read = |reg: &Reg| transport.read_register(reg.offset).map_err(CardError::transport);
    let id = read(&regs::ID)?;
    if id != regs::ID_VALUE {
        return Err(CardError::Id { id });
    }
    let isa = read(&regs::ISA)?;
    if isa != u32::from(ISA_VERSION) {
        return Err(CardError::Isa { found: isa });
    }
    let channels = read(&regs::CHANNELS)?;
    if channels != 1 {
        let expected = "this program drives cores with 1".into();
        return Err(CardError::Geometry { name: regs::CHANNELS.name, value: channels, expected });
    }
    let geometry = Geometry {
        bus: read(&regs::BUS)?,
        ways: read(&regs::WAYS)?,
        quantisers: read(&regs::QUANTISERS)?,
        top_k: read(&regs::TOP_K)?,
        slots: read(&regs::SLOTS)?,
        hidden: read(&regs::MAX_HIDDEN)? as usize,
        inner: read(&regs::MAX_INNER)? as usize,
        intermediate: read(&regs::MAX_INTERMEDIATE)? as usize,
        state: read(&regs::MAX_STATE)? as usize,
        prefetch: read(&regs::PREFETCH)? as usize,
    };
    if let Err(error) = geometry.check() {
        let FirmwareError::Geometry { field, .. } = &error else { return Err(error.into()) };
        let (reg, expected) = (register(field), legal(&error));
        return Err(CardError::Geometry { name: reg.name, value: read(reg)?, expected });
    }
    let found = u64::from(read(&regs::MANIFEST_HI)?) << 32 | u64::from(read(&regs::MANIFEST_LO)?);
    let computed = geometry.hash();
    if found != computed {
        return Err(CardError::Manifest { found, computed });
    }
    Ok(geometry)
}

/// The register of a field of the manifest.
fn register(field: &str) -> &'static Reg {
    let name = field.to_ascii_uppercase();
    let named = |reg: &&Reg| reg.name == name || reg.name.strip_prefix("MAX_") == Some(&name);
    regs::ALL.iter().find(named).unwrap_or(&regs::ID)
}

/// What may be there instead: the second half of the firmware's reason.
fn legal(error: &FirmwareError) -> String {
    let FirmwareError::Geometry { reason, .. } = error else { return String::new() };
    reason.split_once("; ").map_or(reason.as_str(), |(_, legal)| legal).into()
}
