//! AXI4 and AXI4-Lite, with the port names that vendors' tools recognise.
//!
//! One table per channel gives names, directions and widths; ports, instances and connections all
//! go through it.

use std::collections::BTreeMap;
use std::panic::Location;

use crate::component::Instance;
use crate::error::Fault;
use crate::module::{Maker, Module};
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
    fn signals(self, w: AxiWidths) -> Vec<(String, u32, bool)> {
        let mut all = vec![];
        // What AXI4-Lite has as well, and what only AXI4 has.
        let mut channel = |name: &str, forth: bool, both: &[_], full: &[_]| {
            all.push((format!("{name}valid"), 1, forth));
            all.push((format!("{name}ready"), 1, !forth));
            let full = if self == AxiKind::Lite { &[] } else { full };
            let payload = both.iter().chain(full);
            all.extend(payload.map(|(signal, width)| (format!("{name}{signal}"), *width, forth)));
        };
        let address = [("addr", w.addr), ("prot", 3)];
        let burst = [("len", 8), ("size", 3), ("burst", 2), ("lock", 1), ("cache", 4), ("qos", 4)];
        let burst = [&[("id", w.id)], burst.as_slice()].concat();
        if self != AxiKind::Write {
            channel("ar", true, &address, &burst);
            channel("r", false, &[("data", w.data), ("resp", 2)], &[("id", w.id), ("last", 1)]);
        }
        if self != AxiKind::Read {
            channel("aw", true, &address, &burst);
            channel("w", true, &[("data", w.data), ("strb", w.data / 8)], &[("last", 1)]);
            channel("b", false, &[("resp", 2)], &[("id", w.id)]);
        }
        all
    }
}

/// The signals of an AXI interface, by their names without prefix: `axi.get("araddr")`.
#[derive(Clone)]
pub struct Axi<'m> {
    m: &'m Module,
    prefix: String,
    signals: BTreeMap<String, (Sig<'m>, bool)>,
}

impl<'m> Axi<'m> {
    fn of(m: &'m Module, prefix: &str, all: Vec<(String, u32, bool)>, maker: Maker<'m>) -> Axi<'m> {
        let signals = all.into_iter().map(|(name, width, forth)| {
            let sig = maker(format!("{prefix}_{name}"), UInt(width), forth);
            (name, (sig, forth))
        });
        Axi { m, prefix: prefix.into(), signals: signals.collect() }
    }

    /// A signal of the interface, to be read or driven.
    #[track_caller]
    pub fn get(&self, name: &str) -> Sig<'m> {
        if let Some((sig, _)) = self.signals.get(name) {
            return *sig;
        }
        let names: Vec<&str> = self.signals.keys().map(String::as_str).collect();
        let why = format!("has no signal `{name}`; it has {}", names.join(", "));
        let what = format!("AXI interface `{}`", self.prefix);
        self.m.refuse(UInt(1), Location::caller(), Fault::Parameter { what, why })
    }

    /// Joins this side, towards the slave, with `master`, signal by signal; of five channels, a
    /// master of fewer takes its own.
    #[track_caller]
    pub fn connect(&self, master: &Axi<'m>) {
        for (name, (other, forth)) in &master.signals {
            let sig = self.get(name);
            if *forth { sig.set(*other) } else { other.set(sig) }
        }
    }
}

impl Module {
    /// Ports of a master, `prefix_araddr` and so on.
    #[track_caller]
    pub fn axi_master(&self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'_> {
        Axi::of(self, prefix, kind.signals(widths), self.side(true, Location::caller()))
    }

    /// Ports of a slave.
    #[track_caller]
    pub fn axi_slave(&self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'_> {
        Axi::of(self, prefix, kind.signals(widths), self.side(false, Location::caller()))
    }
}

impl<'m> Instance<'m> {
    /// The interface at an instance's ports.
    #[track_caller]
    pub fn axi(self, prefix: &str, kind: AxiKind, widths: AxiWidths) -> Axi<'m> {
        let at = Location::caller();
        let maker = Box::new(move |name: String, _, _| self.port_at(&name, at));
        Axi::of(self.module(), prefix, kind.signals(widths), maker)
    }
}
