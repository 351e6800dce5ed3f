//! Streams: `valid`, `ready`, `data` and `last`, spelled the same everywhere.
//!
//! A beat moves at every clock in which `valid` and `ready` are both high. A source keeps `valid`,
//! `data` and `last` until then, and `valid` never waits for `ready`.

use std::panic::Location;

use crate::component::Instance;
use crate::module::Module;
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
    /// A beat moves in this clock.
    #[track_caller]
    pub fn fires(self) -> Sig<'m> {
        self.valid & self.ready
    }

    /// Drives this stream's `valid`, `data` and `last` from `source`, and its `ready` back.
    #[track_caller]
    pub fn connect(self, source: Stream<'m>) {
        let (m, at) = (self.valid.m, Location::caller());
        m.drive(self.valid, source.valid, at);
        m.drive(self.data, source.data, at);
        m.drive(source.ready, self.ready, at);
        if let Some(last) = self.last {
            // A stream without packets is one whose every beat ends one.
            m.drive(last, source.last.unwrap_or_else(|| m.lit(UInt(1), 1)), at);
        }
    }
}

impl Module {
    /// Ports of an incoming stream: `ready` is to be driven.
    #[track_caller]
    pub fn stream_in(&self, prefix: &str, ty: Type, last: bool) -> Stream<'_> {
        Stream {
            valid: self.input(format!("{prefix}_valid"), UInt(1)),
            ready: self.output(format!("{prefix}_ready"), UInt(1)),
            data: self.input(format!("{prefix}_data"), ty),
            last: if last { Some(self.input(format!("{prefix}_last"), UInt(1))) } else { None },
        }
    }

    /// Ports of an outgoing stream: everything but `ready` is to be driven.
    #[track_caller]
    pub fn stream_out(&self, prefix: &str, ty: Type, last: bool) -> Stream<'_> {
        Stream {
            valid: self.output(format!("{prefix}_valid"), UInt(1)),
            ready: self.input(format!("{prefix}_ready"), UInt(1)),
            data: self.output(format!("{prefix}_data"), ty),
            last: if last { Some(self.output(format!("{prefix}_last"), UInt(1))) } else { None },
        }
    }

    /// A stream inside the module, all of it to be driven.
    #[track_caller]
    pub fn stream_wire(&self, prefix: &str, ty: Type, last: bool) -> Stream<'_> {
        Stream {
            valid: self.wire(format!("{prefix}_valid"), UInt(1)),
            ready: self.wire(format!("{prefix}_ready"), UInt(1)),
            data: self.wire(format!("{prefix}_data"), ty),
            last: if last { Some(self.wire(format!("{prefix}_last"), UInt(1))) } else { None },
        }
    }
}

impl<'m> Instance<'m> {
    /// The stream at an instance's ports `prefix_valid`, …
    #[track_caller]
    pub fn stream(self, prefix: &str) -> Stream<'m> {
        let last = format!("{prefix}_last");
        Stream {
            valid: self.port(&format!("{prefix}_valid")),
            ready: self.port(&format!("{prefix}_ready")),
            data: self.port(&format!("{prefix}_data")),
            last: if self.has(&last) { Some(self.port(&last)) } else { None },
        }
    }
}
