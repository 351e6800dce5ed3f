//! Half a core: its registers, and a master that reads the image and throws it away. Enough to
//! try a simulated card on.

use sterna_firmware::geometry::Geometry;
use sterna_hdl::core::memory_widths;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, ADDRESS_BITS};
use sterna_rtl::parts::{Access, ReadMaster};
use sterna_rtl::{AxiKind, AxiWidths, Generate, Module, UInt};

/// The design.
pub struct Reader {
    pub geometry: Geometry,
}

impl Generate for Reader {
    fn name(&self) -> String {
        format!("reader_{}", self.geometry.bus)
    }

    fn describe(&self, m: &Module) {
        let g = &self.geometry;
        let lite = AxiWidths { addr: ADDRESS_BITS, data: 32, id: 1 };
        let bus = m.axi_slave("s_axi", AxiKind::Lite, lite);
        let bank = m.instance("u_registers", &regs::bank(g.slots));
        bank.axi("s_axi", AxiKind::Lite, lite).connect(&bus);

        // Bits of COMMAND: run, clear, save, load, reset.
        let command = bank.port("command");
        let valid = m.reg("state_valid", UInt(1)).reset(0);
        let (done, failed) = (m.reg("done", UInt(1)).reset(0), m.reg("failed", UInt(1)).reset(0));
        let busy = m.reg("busy", UInt(1)).reset(0);

        let widths = memory_widths(g.bus);
        let length = 30;
        let master =
            m.instance("u_master", &ReadMaster { widths, number: 0, length, depth: g.prefetch });
        let per_unit = (512 / g.bus).trailing_zeros();
        let beats = (bank.port("image_units") << per_unit).truncate(length);
        let start = command.bit(0).named("start");
        master.set("start", start).set("beats", beats);
        master.set("addr", m.cat(&[bank.port("image_hi"), bank.port("image_lo")]));
        master.set("m_ready", 1).set("halt", command.bit(4)).set("owed", 0).set("ring", 0);
        let axi = m.axi_master("m_axi", AxiKind::Full, widths);
        let inner = master.axi("m_axi", AxiKind::Read, widths);
        for signal in
            ["id", "addr", "prot", "len", "size", "burst", "lock", "cache", "qos", "valid"]
        {
            let name = format!("ar{signal}");
            axi.get(&name).set(inner.get(&name));
        }
        inner.get("arready").set(axi.get("arready"));
        for signal in ["valid", "data", "resp", "id", "last"] {
            let name = format!("r{signal}");
            inner.get(&name).set(axi.get(&name));
        }
        axi.get("rready").set(inner.get("rready"));
        for name in ["id", "addr", "prot", "len", "size", "burst", "lock", "cache", "qos", "valid"]
        {
            axi.get(&format!("aw{name}")).set(0);
        }
        for name in ["wvalid", "wdata", "wstrb", "wlast"] {
            axi.get(name).set(0);
        }
        axi.get("bready").set(1);

        let beats = m.reg("beats", UInt(32)).reset(0);
        let cycles = m.reg("cycles", UInt(32)).reset(0);
        let ends = busy & !master.port("busy") & !start;
        m.when(busy, || cycles.set(cycles.wrapping_add(1)));
        m.when(master.port("m_valid"), || beats.set(beats.wrapping_add(1)));
        m.when(ends, || {
            busy.set(0);
            failed.set(master.port("error"));
            done.set(!master.port("error"));
        });
        m.when(start, || {
            busy.set(1);
            beats.set(0);
            cycles.set(0);
            done.set(0);
        });
        m.when(command.bit(1) | command.bit(3), || {
            valid.set(1);
            done.set(1);
        });
        m.when(command.bit(2), || done.set(1));
        m.when(command.bit(4), || {
            failed.set(0);
            valid.set(0);
        });
        for reg in regs::of(g.slots).filter(|reg| reg.access == Access::Read) {
            let ty = UInt(reg.width);
            let number = |n: u64| m.lit(ty, n);
            let value = match reg.name {
                "ID" => number(regs::ID_VALUE.into()),
                "ISA" | "CHANNELS" => number(1),
                "SLOTS" => number(g.slots.into()),
                "MANIFEST_LO" => number(g.hash() & 0xffff_ffff),
                "MANIFEST_HI" => number(g.hash() >> 32),
                "BUS" => number(g.bus.into()),
                "WAYS" => number(g.ways.into()),
                "QUANTISERS" => number(g.quantisers.into()),
                "TOP_K" => number(g.top_k.into()),
                "MAX_HIDDEN" => number(g.hidden as u64),
                "MAX_INNER" => number(g.inner as u64),
                "MAX_INTERMEDIATE" => number(g.intermediate as u64),
                "MAX_STATE" => number(g.state as u64),
                "PREFETCH" => number(g.prefetch as u64),
                "STATUS" => m.cat(&[m.lit(UInt(1), 0), valid & !failed, failed, done, busy]),
                "ERROR" => number(Fault::ReadResponse as u64),
                "TOKENS_DONE" => done.extend(16),
                "CYCLES_LO" => cycles,
                "BEATS_LO" => beats,
                "STARVED_LO" => cycles.wrapping_sub(beats),
                _ => number(0),
            };
            bank.set(&reg.port(), value);
        }
    }
}
