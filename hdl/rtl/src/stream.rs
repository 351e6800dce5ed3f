//! Streams: `valid`, `ready`, `data` and `last`, spelled the same everywhere.
//!
//! A beat moves at every clock in which `valid` and `ready` are both high. A source keeps `valid`,
//! `data` and `last` until then, and `valid` never waits for `ready`.

use std::panic::Location;

use crate::component::Instance;
use crate::module::{Maker, Module};
use crate::sig::Sig;
use crate::types::Type::{self, UInt};

/// The signals of a stream, seen from whichever side.
#[derive(Clone, Copy)]
pub struct Stream<'m> {
    /// The source has a beat.
    pub valid: Sig<'m>,
    /// The sink takes it.
    pub ready: Sig<'m>,
    /// The beat.
    pub data: Sig<'m>,
    /// The last beat of a packet, for streams that have packets.
    pub last: Option<Sig<'m>>,
}

impl<'m> Stream<'m> {
    fn of(prefix: &str, ty: Type, last: bool, maker: Maker<'m>) -> Stream<'m> {
        let signal = |name, ty, forth| maker(format!("{prefix}_{name}"), ty, forth);
        Stream {
            valid: signal("valid", UInt(1), true),
            ready: signal("ready", UInt(1), false),
            data: signal("data", ty, true),
            last: last.then(|| signal("last", UInt(1), true)),
        }
    }

    /// A beat moves in this clock.
    #[track_caller]
    pub fn fires(self) -> Sig<'m> {
        self.valid & self.ready
    }

    /// Drives this stream's `valid`, `data` and `last` from `source`, and its `ready` back.
    #[track_caller]
    pub fn connect(self, source: Stream<'m>) {
        self.valid.set(source.valid);
        self.data.set(source.data);
        source.ready.set(self.ready);
        if let Some(last) = self.last {
            // A stream without packets is one whose every beat ends one.
            last.set(source.last.unwrap_or_else(|| last.m.lit(UInt(1), 1)));
        }
    }
}

impl Module {
    /// Ports of an incoming stream: `ready` is to be driven.
    #[track_caller]
    pub fn stream_in(&self, prefix: &str, ty: Type, last: bool) -> Stream<'_> {
        Stream::of(prefix, ty, last, self.side(false, Location::caller()))
    }

    /// Ports of an outgoing stream: everything but `ready` is to be driven.
    #[track_caller]
    pub fn stream_out(&self, prefix: &str, ty: Type, last: bool) -> Stream<'_> {
        Stream::of(prefix, ty, last, self.side(true, Location::caller()))
    }
}

impl<'m> Instance<'m> {
    /// The stream at an instance's ports `prefix_valid`, …
    #[track_caller]
    pub fn stream(self, prefix: &str) -> Stream<'m> {
        let at = Location::caller();
        let last = self.pin(&format!("{prefix}_last")).is_some();
        Stream::of(prefix, UInt(1), last, Box::new(move |name, _, _| self.port_at(&name, at)))
    }
}
