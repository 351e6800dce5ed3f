//! What moves the data.

use sterna_firmware::geometry::Geometry;
use sterna_rtl::{AxiKind, AxiWidths, Generate, Module};

/// Bits of an address in the memory.
pub const ADDRESS: u32 = 40;

/// Widths of the memory's bus: reads of the image have ID 0, other reads ID 1.
pub fn memory_widths(bus: u32) -> AxiWidths {
    AxiWidths { addr: ADDRESS, data: bus, id: 1 }
}

/// The core: AXI4 master `m_axi` to the memory, AXI4-Lite slave `s_axi` to its registers, `irq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl Generate for Core {
    fn name(&self) -> String {
        "sterna_core".into()
    }

    fn describe(&self, m: &Module) {
        let _ = m.axi_master("m_axi", AxiKind::Full, memory_widths(self.geometry.bus));
    }
}
