use sterna_firmware::geometry::Geometry;
use sterna_rtl::parts::{ReadMaster, ReadMux, WriteMaster};
use sterna_rtl::{AxiKind, Generate, Module, UInt};

use super::{ADDRESS, memory_widths};

/// Bits of a job's length in beats.
pub(crate) const JOB: u32 = 35;
/// Bits of an address within 4 KiB.
const PAGE: u32 = 12;
/// Bits of an address above that, of which a ring leaves some as they are.
pub(crate) const RING: u32 = ADDRESS - PAGE;

/// The three who use the memory, behind one AXI4 port.
///
/// ```text
///  image: long, prefetched -> [ ReadMaster 0 ] -+
///                                               +-> [ ReadMux ] -> m_axi ar, r
///  rows:  short, first     -> [ ReadMaster 1 ] -+
///  results                 -> [ WriteMaster ] -------------------> m_axi aw, w, b
/// ```
///
/// The image has the prefetch FIFO and asks for whatever has a place in it; rows (embeddings, saved
/// state) have an ID and a buffer of their own, so that neither waits for the other's data. `halt`
/// lets all three come to rest, each with `busy` low, owing and owed nothing.
///
/// An image for which the memory is too small streams through a ring of it: `image_ring` has the
/// bits of an address that stay, and the last `image_owed` beats are not read before the host has
/// written them.
///
/// Cost the three masters and their block RAMs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPort {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl Generate for MemoryPort {
    fn name(&self) -> String {
        format!("memory_port_w{}_f{}", self.geometry.bus, self.geometry.prefetch)
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        m.doc("The three who use the memory, behind one AXI4 port.");
        let halt = m.input("halt", UInt(1)).comment("Come to rest; seen a clock later.");
        let halt = halt.delay_valid("halt_now", 1);
        let widths = memory_widths(g.bus);
        let axi = m.axi_master("m_axi", AxiKind::Full, widths);
        let reader = |number, depth| ReadMaster { widths, length: JOB, depth, number };
        let image = reader(0, g.prefetch);
        let rows = reader(1, image.burst() as usize);
        let image = m.instance("u_image", &image);
        let rows = m.instance("u_rows", &rows);
        let results = m.instance("u_results", &WriteMaster { widths, length: JOB });
        for (name, unit) in [("image", image), ("row", rows), ("result", results)] {
            unit.set("start", m.input(format!("{name}_start"), UInt(1)));
            unit.set("addr", m.input(format!("{name}_addr"), UInt(ADDRESS)));
            unit.set("beats", m.input(format!("{name}_beats"), UInt(JOB)));
            unit.set("halt", halt);
            m.output(format!("{name}_busy"), UInt(1)).set(unit.port("busy"));
        }
        m.stream_out("image", UInt(g.bus), true).connect(image.stream("m"));
        m.stream_out("row", UInt(g.bus), true).connect(rows.stream("m"));
        results.stream("s").connect(m.stream_in("result", UInt(g.bus), false));
        let mux = m.instance("u_mux", &ReadMux { widths });
        for (side, reader) in [("s0_axi", image), ("s1_axi", rows)] {
            let side = mux.axi(side, AxiKind::Read, widths);
            side.connect(&reader.axi("m_axi", AxiKind::Read, widths));
        }
        let ring = m.input("image_ring", UInt(RING)).comment("Pages of 4 KiB.");
        image.set("ring", ring.cat(m.lit(UInt(PAGE), 0)));
        image.set("owed", m.input("image_owed", UInt(JOB)));
        rows.set("ring", 0).set("owed", 0);
        axi.connect(&mux.axi("m_axi", AxiKind::Read, widths));
        axi.connect(&results.axi("m_axi", AxiKind::Write, widths));
        m.output("read_error", UInt(1)).set(image.port("error") | rows.port("error"));
        m.output("write_error", UInt(1)).set(results.port("error"));
    }
}
