use sterna_firmware::geometry::Geometry;
use sterna_rtl::parts::AxiMux;
use sterna_rtl::{AxiKind, Generate, Module, UInt};

use super::{BlockMemory, BlockRam};
use crate::core::{Core, memory_widths};
use crate::link::{BUS, HostLink};
use crate::registers;
use crate::sdram::{SdramChip, SdramController};

/// A board with a memory and a serial line: everything but the clock and the pads.
///
/// ```text
///  rx -> [ HostLink ] -- m_lite --> s_axi [ Core ] -- irq --> busy light
///  tx <-      | m_axi                        | m_axi
///             +--------> [ AxiMux ] <--------+
///                            |
///                     [ SdramController ] <-> sdram pins, DQ split in three
///                  or [ BlockMemory ]
/// ```
///
/// One clock. The link's accesses and the core's take turns, a burst at a time. Cost that of the
/// parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialBoard {
    /// Rates and sizes of the core; its bus has 64 bits.
    pub geometry: Geometry,
    /// The memory.
    pub memory: BoardMemory,
    /// Clocks a second.
    pub hertz: u32,
    /// Bits a second of the line.
    pub baud: u32,
}

/// Where a board's image lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardMemory {
    /// In an SDRAM chip, which has pins of its own.
    Sdram(SdramChip),
    /// In the FPGA.
    Block(BlockRam),
}

impl BoardMemory {
    /// Its size, as the host sees it.
    pub fn bytes(&self) -> u64 {
        match self {
            BoardMemory::Sdram(chip) => chip.bytes(),
            BoardMemory::Block(ram) => ram.bytes,
        }
    }

    /// The SDRAM chip, if that is what it is.
    pub fn chip(&self) -> Option<&SdramChip> {
        match self {
            BoardMemory::Sdram(chip) => Some(chip),
            BoardMemory::Block(_) => None,
        }
    }
}

impl Generate for SerialBoard {
    fn name(&self) -> String {
        "sterna_serial_board".into()
    }

    fn describe(&self, m: &Module) {
        let fits = self.geometry.bus == BUS;
        m.require("SerialBoard::geometry", fits, || {
            format!("a bus of {} bits; a serial board's has {BUS}", self.geometry.bus)
        });
        if !fits {
            return;
        }
        m.doc(match &self.memory {
            BoardMemory::Sdram(_) => "Sterna core with SDRAM and a serial link.",
            BoardMemory::Block(_) => "Sterna core with block RAM and a serial link.",
        });
        let (hertz, baud, memory) = (self.hertz, self.baud, self.memory.bytes());
        let link = m.instance("u_link", &HostLink { hertz, baud, memory });
        link.set("rx", m.input("rx", UInt(1)).comment("Asynchronous."));
        m.output("tx", UInt(1)).set(link.port("tx"));

        let core = m.instance("u_core", &Core { geometry: self.geometry.clone() });
        let lite = registers::bank(self.geometry.slots).widths();
        let slave = core.axi("s_axi", AxiKind::Lite, lite);
        slave.connect(&link.axi("m_lite", AxiKind::Lite, lite));
        m.output("irq", UInt(1)).comment("The core is done, or failed.").set(core.port("irq"));

        let widths = memory_widths(BUS);
        let mux = AxiMux { widths };
        let wide = mux.slave();
        let mux = m.instance("u_mux", &mux);
        for (side, master) in [("s0_axi", core), ("s1_axi", link)] {
            let side = mux.axi(side, AxiKind::Full, widths);
            side.connect(&master.axi("m_axi", AxiKind::Full, widths));
        }
        let memory = match &self.memory {
            BoardMemory::Sdram(chip) => {
                let controller = SdramController { chip: *chip, widths: wide, hertz };
                m.instance("u_memory", &controller)
            }
            BoardMemory::Block(ram) => {
                m.instance("u_memory", &BlockMemory { widths: wide, ram: ram.clone() })
            }
        };
        let slave = memory.axi("s_axi", AxiKind::Full, wide);
        slave.connect(&mux.axi("m_axi", AxiKind::Full, wide));
        let Some(chip) = self.memory.chip() else { return };
        for pin in SdramController::PINS {
            let name = format!("sdram_{pin}");
            let pin = memory.port(&name);
            m.output(name, pin.ty()).set(pin);
        }
        memory.set("sdram_dq_in", m.input("sdram_dq_in", UInt(chip.data)));
    }
}
