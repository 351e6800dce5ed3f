//! The memory port of a running design, by handles that are resolved once.

use sterna_rtl::AxiKind;

use crate::error::SimError;
use crate::memory::{Address, Data, Master, Memory, Offers};
use crate::port::{Input, Output, Words};
use crate::simulator::Simulator;

/// An AXI4 master of a design, joined to a [`Memory`].
pub struct MemoryPort {
    prefix: String,
    read: Option<ReadPort>,
    write: Option<WritePort>,
    /// What the design's inputs are now, so that only changes are set.
    driven: Offers,
    data: Vec<u32>,
}

/// Addresses of one direction.
struct AddressPort {
    valid: Output<bool>,
    ready: Input<bool>,
    id: Output<u64>,
    addr: Output<u64>,
    len: Output<u64>,
    size: Output<u64>,
    burst: Output<u64>,
    /// In the order of [`Address::attributes`].
    attributes: [Output<u64>; 4],
}

struct ReadPort {
    address: AddressPort,
    ready: Output<bool>,
    valid: Input<bool>,
    id: Input<u64>,
    data: Input<Words>,
    resp: Input<u64>,
    last: Input<bool>,
}

struct WritePort {
    address: AddressPort,
    valid: Output<bool>,
    data: Output<Words>,
    strb: Output<u64>,
    last: Output<bool>,
    ready: Input<bool>,
    answered: Input<bool>,
    id: Input<u64>,
    resp: Input<u64>,
    taken: Output<bool>,
}

impl AddressPort {
    fn find(sim: &Simulator, channel: &str) -> Result<AddressPort, SimError> {
        let number = |name: &str| sim.output(&format!("{channel}{name}"));
        Ok(AddressPort {
            valid: sim.output(&format!("{channel}valid"))?,
            ready: sim.input(&format!("{channel}ready"))?,
            id: number("id")?,
            addr: number("addr")?,
            len: number("len")?,
            size: number("size")?,
            burst: number("burst")?,
            attributes: [number("lock")?, number("cache")?, number("prot")?, number("qos")?],
        })
    }

    fn sample(&self, sim: &mut Simulator) -> Result<Option<Address>, SimError> {
        if !sim.get(self.valid)? {
            return Ok(None);
        }
        let mut small = |port| sim.get(port).map(|value| value as u32);
        let (id, len) = (small(self.id)?, small(self.len)?);
        let (size, burst) = (small(self.size)?, small(self.burst)?);
        let [lock, cache, prot, qos] = self.attributes;
        let attributes = [small(lock)?, small(cache)?, small(prot)?, small(qos)?];
        Ok(Some(Address { addr: sim.get(self.addr)?, id, len, size, burst, attributes }))
    }
}

impl MemoryPort {
    /// The ports `prefix_araddr` and so on of a design, on a bus of so many bits.
    ///
    /// # Errors
    /// S007 where the design lacks one of them.
    pub fn find(
        sim: &Simulator,
        prefix: &str,
        kind: AxiKind,
        bus: u32,
    ) -> Result<MemoryPort, SimError> {
        let name = |signal: &str| format!("{prefix}_{signal}");
        let read = || -> Result<ReadPort, SimError> {
            Ok(ReadPort {
                address: AddressPort::find(sim, &name("ar"))?,
                ready: sim.output(&name("rready"))?,
                valid: sim.input(&name("rvalid"))?,
                id: sim.input(&name("rid"))?,
                data: sim.input(&name("rdata"))?,
                resp: sim.input(&name("rresp"))?,
                last: sim.input(&name("rlast"))?,
            })
        };
        let write = || -> Result<WritePort, SimError> {
            Ok(WritePort {
                address: AddressPort::find(sim, &name("aw"))?,
                valid: sim.output(&name("wvalid"))?,
                data: sim.output(&name("wdata"))?,
                strb: sim.output(&name("wstrb"))?,
                last: sim.output(&name("wlast"))?,
                ready: sim.input(&name("wready"))?,
                answered: sim.input(&name("bvalid"))?,
                id: sim.input(&name("bid"))?,
                resp: sim.input(&name("bresp"))?,
                taken: sim.output(&name("bready"))?,
            })
        };
        let words = vec![0; bus.div_ceil(32) as usize];
        Ok(MemoryPort {
            prefix: prefix.into(),
            read: if kind == AxiKind::Write { None } else { Some(read()?) },
            write: if kind == AxiKind::Read { None } else { Some(write()?) },
            driven: Offers { rdata: words.clone(), ..Offers::default() },
            data: words,
        })
    }

    /// Puts the memory's offers on the design's inputs, lets both see what the other offers, and
    /// ends the clock for the memory. The design's own clock is the caller's to step.
    ///
    /// # Errors
    /// S016 where the design breaks a rule of AXI; as [`Simulator::get`] otherwise.
    pub fn clock(&mut self, sim: &mut Simulator, memory: &mut Memory) -> Result<(), SimError> {
        self.drive(sim, memory.offers())?;
        let mut master = Master::default();
        if let Some(port) = &self.read {
            master.ar = port.address.sample(sim)?;
            master.rready = sim.get(port.ready)?;
        }
        if let Some(port) = &self.write {
            master.aw = port.address.sample(sim)?;
            master.bready = sim.get(port.taken)?;
            if sim.get(port.valid)? {
                sim.get_words(port.data, &mut self.data)?;
                let (strobes, last) = (sim.get(port.strb)?, sim.get(port.last)?);
                master.w = Some(Data { words: &self.data, strobes, last });
            }
        }
        memory.clock(&master).map_err(|violation| SimError::Protocol {
            port: self.prefix.clone(),
            clock: sim.clocks(),
            rule: violation.0,
        })
    }

    fn drive(&mut self, sim: &mut Simulator, offers: &Offers) -> Result<(), SimError> {
        let driven = &mut self.driven;
        if let Some(port) = &self.read {
            set(sim, port.address.ready, &mut driven.arready, offers.arready)?;
            set(sim, port.valid, &mut driven.rvalid, offers.rvalid)?;
            // What comes with no offer does not matter.
            if offers.rvalid {
                number(sim, port.id, &mut driven.rid, offers.rid)?;
                number(sim, port.resp, &mut driven.rresp, offers.rresp)?;
                set(sim, port.last, &mut driven.rlast, offers.rlast)?;
                if driven.rdata != offers.rdata {
                    driven.rdata.copy_from_slice(&offers.rdata);
                    sim.set_words(port.data, &offers.rdata)?;
                }
            }
        }
        if let Some(port) = &self.write {
            set(sim, port.address.ready, &mut driven.awready, offers.awready)?;
            set(sim, port.ready, &mut driven.wready, offers.wready)?;
            set(sim, port.answered, &mut driven.bvalid, offers.bvalid)?;
            if offers.bvalid {
                number(sim, port.id, &mut driven.bid, offers.bid)?;
                number(sim, port.resp, &mut driven.bresp, offers.bresp)?;
            }
        }
        Ok(())
    }
}

fn set(
    sim: &mut Simulator,
    port: Input<bool>,
    is: &mut bool,
    wanted: bool,
) -> Result<(), SimError> {
    if std::mem::replace(is, wanted) == wanted { Ok(()) } else { sim.set(port, wanted) }
}

fn number(
    sim: &mut Simulator,
    port: Input<u64>,
    is: &mut u32,
    wanted: u32,
) -> Result<(), SimError> {
    if std::mem::replace(is, wanted) == wanted { Ok(()) } else { sim.set(port, wanted.into()) }
}
