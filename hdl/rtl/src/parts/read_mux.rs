use crate::{AxiKind, AxiWidths, Generate, Module, UInt};

/// Two readers on one AXI4 read port, told apart by their IDs.
///
/// ```text
///  s0_axi_ar -+
///             +-> [ 1 before 0, held until taken ] -> m_axi_ar
///  s1_axi_ar -+
///  s0_axi_r <- rid = 0 -+
///                       +-- m_axi_r
///  s1_axi_r <- rid = 1 -+
/// ```
///
/// Reader 1 goes first: it is for short reads that somebody waits for. No latency; cost a
/// multiplexer of the address channel and one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMux {
    /// Widths of the memory's bus, with at least one bit of ID.
    pub widths: AxiWidths,
}

impl Generate for ReadMux {
    fn name(&self) -> String {
        let w = self.widths;
        format!("read_mux_a{}_d{}_i{}", w.addr, w.data, w.id)
    }

    fn describe(&self, m: &Module) {
        m.doc("Two AXI4 readers on one port; reader 1 goes first.");
        let readers = ["s0_axi", "s1_axi"].map(|p| m.axi_slave(p, AxiKind::Read, self.widths));
        let memory = m.axi_master("m_axi", AxiKind::Read, self.widths);

        let waits = m.reg("waits", UInt(1)).reset(0).comment("An address was offered, not taken.");
        let held = m.reg("held", UInt(1)).reset(0);
        let wants = readers.each_ref().map(|r| r.get("arvalid"));
        let chosen = waits.mux(held, wants[1]).named("chosen");
        let valid = chosen.mux(wants[1], wants[0]).named("valid");
        held.set(chosen);
        waits.set(valid & !memory.get("arready"));
        memory.get("arvalid").set(valid);
        for signal in ["addr", "prot", "id", "len", "size", "burst", "lock", "cache", "qos"]
            .map(|s| format!("ar{s}"))
        {
            let of = readers.each_ref().map(|r| r.get(&signal));
            memory.get(&signal).set(chosen.mux(of[1], of[0]));
        }
        let to_one = memory.get("rid").bit(0).named("to_one");
        for (reader, mine) in readers.iter().zip([!chosen, chosen]) {
            reader.get("arready").set(memory.get("arready") & mine);
        }
        for (reader, mine) in readers.iter().zip([!to_one, to_one]) {
            reader.get("rvalid").set(memory.get("rvalid") & mine);
            for signal in ["rdata", "rresp", "rid", "rlast"] {
                reader.get(signal).set(memory.get(signal));
            }
        }
        let ready = readers.each_ref().map(|r| r.get("rready"));
        memory.get("rready").set(to_one.mux(ready[1], ready[0]));
    }
}
