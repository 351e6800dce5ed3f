use crate::{AxiKind, AxiWidths, Generate, Module, Sig, UInt};

/// What a bus may do with a [`Register`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only; the value is an input of the module.
    Read,
    /// Read and written; the value is an output.
    Write,
    /// Reads as zero; what is written appears as an output for one clock, else zero.
    Pulse,
}

/// One register of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Name, and name of the port.
    pub name: String,
    /// Byte offset, a multiple of 4.
    pub offset: u32,
    /// Bits, 1 to 32; those above read as zero.
    pub width: u32,
    /// What the bus may do.
    pub access: Access,
    /// Value after reset, for `Write`.
    pub reset: u32,
    /// One line for whoever reads the Verilog or the manual.
    pub doc: String,
}

/// Registers on AXI4-Lite, from a table.
///
/// ```text
///  s_axi_aw, w -> both there, no answer pending -> decode -> [registers] -> outputs
///  s_axi_ar ----> no answer pending -> decode -> [hits] -> mux <- registers, inputs
///                                                          v
///                                                        [rdata] -> s_axi_r
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_/6\_       one read every three clocks at best, one write every two
///  arvalid  1   0   0   1   0   0
///  rvalid   0   0   1   0   0   1
/// ```
///
/// Byte strobes are honoured; an address without a register answers SLVERR and reads zero, a write
/// to a read-only register answers SLVERR and does nothing. Latency two clocks of a read, one of a
/// write; cost the registers,
/// and 32 multiplexers of their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteRegisters {
    /// Part of the module's name.
    pub name: String,
    /// Bits of the bus address.
    pub addr: u32,
    /// The registers.
    pub registers: Vec<Register>,
}

const SLVERR: u32 = 2;

impl LiteRegisters {
    /// The widths of the bus.
    pub fn widths(&self) -> AxiWidths {
        AxiWidths { addr: self.addr, data: 32, id: 1 }
    }

    /// The word number within the address, at exactly the width that decoding takes.
    fn word(addr: Sig<'_>) -> Sig<'_> {
        addr.slice(2..addr.width())
    }

    /// OKAY where one of the registers is hit; a table may have none of the kind.
    fn response<'m>(m: &'m Module, hits: &[Sig<'m>]) -> Sig<'m> {
        match hits {
            [] => m.lit(UInt(2), SLVERR),
            hits => m.cat(hits).any().mux(m.lit(UInt(2), 0), SLVERR),
        }
    }

    fn check(&self, m: &Module) {
        for (i, r) in self.registers.iter().enumerate() {
            let twin = self.registers[..i].iter().any(|other| other.offset == r.offset);
            let inside = self.addr >= 32 || r.offset >> self.addr == 0;
            let sound =
                !twin && inside && r.offset.is_multiple_of(4) && (1..=32).contains(&r.width);
            m.require(&format!("register `{}`", r.name), sound, || {
                format!(
                    "{} bits at offset {:#x} overlap, are misaligned or too many",
                    r.width, r.offset
                )
            });
        }
    }
}

impl Generate for LiteRegisters {
    fn name(&self) -> String {
        format!("{}_registers", self.name)
    }

    fn describe(&self, m: &Module) {
        self.check(m);
        let table: Vec<String> = self
            .registers
            .iter()
            .map(|r| {
                format!("  {:#06x} {} [{}] {:?}: {}", r.offset, r.name, r.width, r.access, r.doc)
            })
            .collect();
        m.doc(format!("AXI4-Lite registers.\n{}", table.join("\n")));
        let axi = m.axi_slave("s_axi", AxiKind::Lite, self.widths());
        let (bvalid, rvalid) =
            (m.reg("bvalid", UInt(1)).reset(0), m.reg("rvalid", UInt(1)).reset(0));
        let (bresp, rresp) = (m.reg("bresp", UInt(2)), m.reg("rresp", UInt(2)));
        let rdata = m.reg("rdata", UInt(32));

        let write = (axi.get("awvalid") & axi.get("wvalid") & !bvalid).named("write");
        let asked = m.reg("asked", UInt(1)).reset(0).comment("What was hit is read.");
        let free = (!rvalid & !asked).named("free");
        let read = (axi.get("arvalid") & free).named("read");
        axi.get("awready").set(write);
        axi.get("wready").set(write);
        axi.get("arready").set(free);
        let to = LiteRegisters::word(axi.get("awaddr")).named("to");
        let from = LiteRegisters::word(axi.get("araddr")).named("from");
        let (data, strobes) = (axi.get("wdata"), axi.get("wstrb"));
        // Every strobe for eight bits of data.
        let mask: Vec<Sig<'_>> = (0..4).rev().map(|i| strobes.bit(i).repeat(8)).collect();
        let mask = m.cat(&mask).named("mask");

        let mut values = vec![];
        let (mut known, mut writable) = (vec![], vec![]);
        for r in &self.registers {
            let ty = UInt(r.width);
            let here = to.eq(r.offset / 4);
            let value = match r.access {
                Access::Read => m.input(&r.name, ty).comment(&r.doc),
                Access::Write => {
                    let reg = m.reg(format!("{}_now", r.name), ty).reset(r.reset);
                    let keep = mask.truncate(r.width);
                    m.when(write & here, || {
                        reg.set((reg & !keep) | (data.truncate(r.width) & keep))
                    });
                    m.output(&r.name, ty).comment(&r.doc).set(reg);
                    reg
                }
                Access::Pulse => {
                    let reg = m.reg(format!("{}_now", r.name), ty).reset(0);
                    reg.set(0);
                    m.when(write & here, || reg.set((data & mask).truncate(r.width)));
                    m.output(&r.name, ty).comment(&r.doc).set(reg);
                    m.lit(ty, 0)
                }
            };
            if r.access != Access::Read {
                writable.push(here);
            }
            // One of them at most, so that a multiplexer is but an `or`.
            let hit = from.eq(r.offset / 4).register(format!("{}_hit", r.name));
            known.push(hit);
            values.push(hit.repeat(r.width as usize).extend(32) & value.extend(32));
        }
        let value = any_of(m, values);
        m.when(write, || {
            bvalid.set(1);
            bresp.set(LiteRegisters::response(m, &writable));
        })
        .elsewhen(axi.get("bready"), || bvalid.set(0));
        asked.set(read);
        m.when(asked, || {
            rvalid.set(1);
            rdata.set(value);
            rresp.set(LiteRegisters::response(m, &known));
        })
        .elsewhen(axi.get("rready"), || rvalid.set(0));
        axi.get("bvalid").set(bvalid);
        axi.get("bresp").set(bresp);
        axi.get("rvalid").set(rvalid);
        axi.get("rdata").set(rdata);
        axi.get("rresp").set(rresp);
    }
}

/// The `or` of words, as a tree.
fn any_of<'m>(m: &'m Module, mut words: Vec<Sig<'m>>) -> Sig<'m> {
    while words.len() > 1 {
        let pairs = words.chunks(2);
        words = pairs
            .map(|pair| pair.iter().copied().reduce(|a, b| a | b).unwrap_or(pair[0]))
            .collect();
    }
    words.first().copied().unwrap_or_else(|| m.lit(UInt(32), 0))
}
