use crate::{Axi, AxiKind, AxiWidths, Generate, Module, Sig, UInt};

/// Two AXI4 masters on one slave; the highest bit of an ID says which.
///
/// ```text
///  s0_axi_ar -+                                   s0_axi_aw, w -+
///             +-> [ in turn, held ] -> m_axi_ar                 +-> [ in turn, a burst ] -> m_axi
///  s1_axi_ar -+                                   s1_axi_aw, w -+
///  s0_axi_r <- id = 0.. -+                        s0_axi_b <- id = 0.. -+
///                        +-- m_axi_r                                    +-- m_axi_b
///  s1_axi_r <- id = 1.. -+                        s1_axi_b <- id = 1.. -+
/// ```
///
/// Whoever was not served last goes first. A writer keeps the write channels from its address to
/// its last beat, so it has to offer its beats without waiting for anything else. Reads have no
/// latency, writes a clock for the choice. Cost the multiplexers of both address channels and of
/// the write data (437 LUT4 at 64 bits, synthesised for ECP5), and five registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxiMux {
    /// Widths of the masters; the slave's ID is a bit wider.
    pub widths: AxiWidths,
}

const ADDRESS: [&str; 9] = ["addr", "prot", "id", "len", "size", "burst", "lock", "cache", "qos"];

impl AxiMux {
    /// Widths of the slave.
    pub fn slave(&self) -> AxiWidths {
        AxiWidths { id: self.widths.id + 1, ..self.widths }
    }

    /// Passes an address on, with the number of its master in the ID.
    fn address<'m>(masters: &[Axi<'m>; 2], slave: &Axi<'m>, channel: &str, chosen: Sig<'m>) {
        for name in ADDRESS {
            let signal = format!("{channel}{name}");
            let of = masters.each_ref().map(|master| master.get(&signal));
            let value = chosen.mux(of[1], of[0]);
            slave.get(&signal).set(if name == "id" { chosen.cat(value) } else { value });
        }
    }

    /// Hands an answer to the master that its ID names.
    fn answer<'m>(&self, masters: &[Axi<'m>; 2], slave: &Axi<'m>, channel: &str, rest: &[&str]) {
        let get = |name: &str| slave.get(&format!("{channel}{name}"));
        let to_one = get("id").msb().named(format!("{channel}_to_one"));
        for (master, mine) in masters.iter().zip([!to_one, to_one]) {
            let set =
                |name: &str, value: Sig<'m>| master.get(&format!("{channel}{name}")).set(value);
            set("valid", get("valid") & mine);
            set("id", get("id").truncate(self.widths.id));
            rest.iter().for_each(|name| set(name, get(name)));
        }
        let ready = masters.each_ref().map(|master| master.get(&format!("{channel}ready")));
        get("ready").set(to_one.mux(ready[1], ready[0]));
    }
}

impl Generate for AxiMux {
    fn name(&self) -> String {
        let w = self.widths;
        format!("axi_mux_a{}_d{}_i{}", w.addr, w.data, w.id)
    }

    fn describe(&self, m: &Module) {
        m.doc("Two AXI4 masters on one slave, in turn; the highest bit of an ID says which.");
        let masters = ["s0_axi", "s1_axi"].map(|p| m.axi_slave(p, AxiKind::Full, self.widths));
        let slave = m.axi_master("m_axi", AxiKind::Full, self.slave());
        let both = |signal: &str| masters.each_ref().map(|master| master.get(signal));

        // Reads: an address that was offered stays on offer.
        let waits = m.reg("waits", UInt(1)).reset(0).comment("An address was offered, not taken.");
        let reader = m.reg("reader", UInt(1)).reset(0).comment("Who was offered last.");
        let wants = both("arvalid");
        let next = reader.mux(!wants[0] & wants[1], wants[1]);
        let chosen = waits.mux(reader, next).named("chosen_reader");
        let valid = chosen.mux(wants[1], wants[0]).named("arvalid");
        m.when(valid, || reader.set(chosen));
        waits.set(valid & !slave.get("arready"));
        slave.get("arvalid").set(valid);
        AxiMux::address(&masters, &slave, "ar", chosen);
        for (ready, mine) in both("arready").into_iter().zip([!chosen, chosen]) {
            ready.set(slave.get("arready") & mine);
        }
        self.answer(&masters, &slave, "r", &["data", "resp", "last"]);

        // Writes: one burst at a time.
        let addressing = m.reg("addressing", UInt(1)).reset(0);
        let sending = m.reg("sending", UInt(1)).reset(0);
        let writer = m.reg("writer", UInt(1)).reset(0);
        let wants = both("awvalid");
        let idle = (!addressing & !sending).named("idle");
        m.when(idle & (wants[0] | wants[1]), || {
            addressing.set(1);
            sending.set(1);
            writer.set(writer.mux(!wants[0] & wants[1], wants[1]));
        });
        let of = |signal: &str| {
            let of = both(signal);
            writer.mux(of[1], of[0])
        };
        slave.get("awvalid").set(addressing & of("awvalid"));
        AxiMux::address(&masters, &slave, "aw", writer);
        slave.get("wvalid").set(sending & of("wvalid"));
        for signal in ["wdata", "wstrb", "wlast"] {
            slave.get(signal).set(of(signal));
        }
        let (address, beat) = (addressing & slave.get("awready"), sending & slave.get("wready"));
        for (n, mine) in [!writer, writer].into_iter().enumerate() {
            masters[n].get("awready").set(address & mine);
            masters[n].get("wready").set(beat & mine);
        }
        m.when(address & of("awvalid"), || addressing.set(0));
        m.when(beat & of("wvalid") & of("wlast"), || sending.set(0));
        self.answer(&masters, &slave, "b", &["resp"]);
    }
}
