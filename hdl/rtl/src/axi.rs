//! AXI4 and AXI4-Lite, with the port names that vendors' tools recognise.
//!
//! One table per channel gives names, directions and widths; ports, instances and connections all
//! go through it.

use std::collections::BTreeMap;
use std::panic::Location;

use crate::component::Instance;
use crate::error::Fault;
use crate::module::Module;
use crate::sig::Sig;
use crate::types::Type::UInt;

/// Widths of an AXI interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AxiWidths {
    /// Bits of an address.
    pub addr: u32,
    /// Bits of a beat: 32 to 1024 for AXI4, 32 or 64 for AXI4-Lite.
    pub data: u32,
    /// Bits of a transaction's ID; unused in AXI4-Lite.
    pub id: u32,
}

/// Which channels an interface has, and in which dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxiKind {
    /// AXI4, read channels only.
    Read,
    /// AXI4, write channels only.
    Write,
    /// AXI4, all five channels.
    Full,
    /// AXI4-Lite, all five channels.
    Lite,
}

impl AxiKind {
    /// Name, width, and whether the master drives it.
    fn signals(self, w: AxiWidths) -> Vec<(&'static str, u32, bool)> {
        let lite = self == AxiKind::Lite;
        let address = |valid, ready, id, addr, rest: [&'static str; 6]| {
            let mut signals = vec![(valid, 1, true), (ready, 1, false), (addr, w.addr, true)];
            if !lite {
                let widths = [8, 3, 2, 1, 4, 4];
                signals.push((id, w.id, true));
                signals
                    .extend(rest.into_iter().zip(widths).map(|(name, width)| (name, width, true)));
            }
            signals
        };
        let mut all = vec![];
        if self != AxiKind::Write {
            let rest = ["arlen", "arsize", "arburst", "arlock", "arcache", "arqos"];
            all.extend(address("arvalid", "arready", "arid", "araddr", rest));
            all.push(("arprot", 3, true));
            all.extend([("rvalid", 1, false), ("rready", 1, true)]);
            all.extend([("rdata", w.data, false), ("rresp", 2, false)]);
            if !lite {
                all.extend([("rid", w.id, false), ("rlast", 1, false)]);
            }
        }
        if self != AxiKind::Read {
            let rest = ["awlen", "awsize", "awburst", "awlock", "awcache", "awqos"];
            all.extend(address("awvalid", "awready", "awid", "awaddr", rest));
            all.push(("awprot", 3, true));
            all.extend([("wvalid", 1, true), ("wready", 1, false)]);
            all.extend([("wdata", w.data, true), ("wstrb", w.data / 8, true)]);
            if !lite {
                all.push(("wlast", 1, true));
            }
            all.extend([("bvalid", 1, false), ("bready", 1, true), ("bresp", 2, false)]);
            if !lite {
                all.push(("bid", w.id, false));
            }
        }
        all
    }
}

/// The signals of an AXI interface, by their names without prefix: `axi.get("araddr")`.
#[derive(Clone)]
pub struct Axi<'m> {
    m: &'m Module,
    prefix: String,
    signals: BTreeMap<&'static str, (Sig<'m>, bool)>,
}

impl<'m> Axi<'m> {
    fn new(
        m: &'m Module,
        prefix: &str,
        kind: AxiKind,
        widths: AxiWidths,
        make: impl Fn(String, u32, bool) -> Sig<'m>,
    ) -> Axi<'m> {
        let table = kind.signals(widths).into_iter();
        let signals = table.map(|(name, width, forth)| {
            (name, (make(format!("{prefix}_{name}"), width, forth), forth))
        });
        Axi { m, prefix: prefix.into(), signals: signals.collect() }
    }

    /// A signal of the interface, to be read or driven.
    #[track_caller]
    pub fn get(&self, name: &str) -> Sig<'m> {
        if let Some((sig, _)) = self.signals.get(name) {
            return *sig;
        }
        let names: Vec<&str> = self.signals.keys().copied().collect();
        let why = format!("has no signal `{name}`; it has {}", names.join(", "));
        let what = format!("AXI interface `{}`", self.prefix);
        self.m.problem(Location::caller(), Fault::Parameter { what, why });
        self.m.poison(UInt(1), Location::caller())
    }

    /// Joins this side, towards the slave, with `master`, signal by signal.
    #[track_caller]
    pub fn connect(&self, master: &Axi<'m>) {
        for (name, (sig, forth)) in &self.signals {
            let other = master.get(name);
            if *forth { sig.set(other) } else { other.set(*sig) }
        }
    }
}

impl Module {
    /// Ports of a master, `prefix_araddr` and so on.
    #[track_caller]
    pub fn axi_master(&self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'_> {
        Axi::new(self, prefix, kind, widths, |name, width, forth| match forth {
            true => self.output(name, UInt(width)),
            false => self.input(name, UInt(width)),
        })
    }

    /// Ports of a slave.
    #[track_caller]
    pub fn axi_slave(&self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'_> {
        Axi::new(self, prefix, kind, widths, |name, width, forth| match forth {
            true => self.input(name, UInt(width)),
            false => self.output(name, UInt(width)),
        })
    }
}

impl<'m> Instance<'m> {
    /// The interface at an instance's ports.
    #[track_caller]
    pub fn axi(self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'m> {
        Axi::new(self.module(), prefix, kind, widths, |name, _, _| self.port(&name))
    }
}
